// SPDX-License-Identifier: Apache-2.0
/**
 * A directory of this machine as a remote store: what a mount needs when nothing else is installed,
 * and a back end with real files for tests. Read {@link io.netfs4j.server.local.LocalServer} first,
 * then LocalFile and LocalPaths. Imports the server SPI, request and base.
 *
 * <p>Threads: names are worked on by the caller's thread; everything that touches a file channel
 * runs on {@link io.netfs4j.server.local.LocalServer}'s own few, which nobody interrupts, because
 * an interrupt closes a channel.
 */
@NullMarked
package io.netfs4j.server.local;

import org.jspecify.annotations.NullMarked;
