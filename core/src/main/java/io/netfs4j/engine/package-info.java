// SPDX-License-Identifier: Apache-2.0
/**
 * The verbs. {@link io.netfs4j.engine.Flusher} decides when; a WriteRequest then goes through, in
 * the order in which a byte meets them:
 *
 * <ol>
 *   <li>WriteBeginning: the file is made, a session opens;
 *   <li>WriteWalk: what is to be sent, and to which streams, granule by granule (Granules);
 *   <li>WriteIssuer: when what a stream has gathered goes out; WriteOffers: how much may;
 *   <li>WriteCollector: what came back, in order; CacheStream: the same for the disk cache;
 *   <li>WriteRetryer: the file that sends the rest of a short write again;
 *   <li>WriteCommit: makes it count, and learns the new version.
 * </ol>
 *
 * <p>WriteThrough and UnbufferedWrite are the other ways in; ReadRequest, Readahead and ReadQueue
 * are the way back. Imports server, cache, request, pagecache, trace and base.
 *
 * <p>Threads: bounded steps on the mount's scheduler, each with the inode's lock held; nothing
 * waits. Locks, outermost first: inode, flusher, page cache, turnstile, memory pool; in flight and
 * back-off are leaves.
 */
@NullMarked
package io.netfs4j.engine;

import org.jspecify.annotations.NullMarked;
