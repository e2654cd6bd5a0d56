// SPDX-License-Identifier: Apache-2.0
/**
 * The local disk cache as the engine sees it: a {@link io.netfs4j.cache.DiskCache} gives each file
 * a {@link io.netfs4j.cache.Cookie}, which is one more destination of write-back and one more
 * source of reads. Imports request, base and trace.
 *
 * <p>Threads: engine steps call a cookie with the inode's lock held, so that nothing here waits.
 */
@NullMarked
package io.netfs4j.cache;

import org.jspecify.annotations.NullMarked;
