// SPDX-License-Identifier: Apache-2.0
/**
 * The door for the operating system: a mounted directory, served by speaking the kernel's FUSE
 * protocol on /dev/fuse directly.
 *
 * <p><b>Floor</b>: a door. It may import {@code vfs}, {@code server} (for its nouns) and {@code
 * base}, and nothing may import it but the command line and the benchmarks. Needs Java 25 and
 * native access.
 *
 * <p><b>Read first</b>: {@link io.netfs4j.fuse.FuseMount} (how a mount comes and goes), {@link
 * io.netfs4j.fuse.FuseSession} (who reads requests and where they are answered), {@link
 * io.netfs4j.fuse.FuseRequest} (one request, one reply).
 *
 * <p><b>Threads</b>: a few platform threads read the device. What the file system can answer
 * without waiting they answer themselves; the rest goes to one virtual thread for each request,
 * which may wait. Notifications to the kernel have a thread of their own, because the kernel may
 * make it wait for a lock whose holder waits for one of our replies.
 */
@NullMarked
package io.netfs4j.fuse;

import org.jspecify.annotations.NullMarked;
