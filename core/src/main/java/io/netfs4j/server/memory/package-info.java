// SPDX-License-Identifier: Apache-2.0
/**
 * A remote store inside this process: the reference of what the SPI means, and a server for tests.
 * Read {@link io.netfs4j.server.memory.MemoryServer} first, then MemoryFile and MemoryContent.
 * Imports the server SPI, request and base.
 *
 * <p>Threads: one lock guards a whole store; nothing waits; terminations and completions are called
 * on the caller's thread after the lock was given back.
 */
@NullMarked
package io.netfs4j.server.memory;

import org.jspecify.annotations.NullMarked;
