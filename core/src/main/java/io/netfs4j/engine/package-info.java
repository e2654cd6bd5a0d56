// SPDX-License-Identifier: Apache-2.0
/**
 * The verbs: {@link io.netfs4j.engine.Flusher} decides, a write request is issued, collected and
 * retried, a read request likewise. Read {@link io.netfs4j.engine.Engine}, WriteRequest and
 * WriteRetryer (the file that sends the rest of a short write again). Imports server, request,
 * pagecache, trace and base.
 *
 * <p>Threads: bounded steps on the mount's scheduler, each with the inode's lock held; nothing
 * waits. Locks, outermost first: inode, flusher, page cache, turnstile, memory pool; in flight and
 * back-off are leaves.
 */
@NullMarked
package io.netfs4j.engine;

import org.jspecify.annotations.NullMarked;
