// SPDX-License-Identifier: Apache-2.0
/**
 * The SPI of a remote store. A protocol author implements {@link io.netfs4j.server.ServerProvider},
 * {@link io.netfs4j.server.Server} and {@link io.netfs4j.server.ServerFile}; the reference back
 * ends are the packages memory and local. Imports request, base and trace.
 *
 * <p>Threads: name operations wait on their caller's thread; data never waits and ends in a
 * termination. Retries belong to the engine: client libraries' own are switched off.
 */
@NullMarked
package io.netfs4j.server;

import org.jspecify.annotations.NullMarked;
