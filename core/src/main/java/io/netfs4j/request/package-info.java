// SPDX-License-Identifier: Apache-2.0
/**
 * The nouns of the engine: a stream's {@link io.netfs4j.request.Destination}, the {@link
 * io.netfs4j.request.Subrequest} offered to it, and the {@link io.netfs4j.request.Termination} that
 * comes back. Imports base and trace, and pagecache for memory only.
 *
 * <p>Threads: engine steps make and offer subrequests with the inode's lock held; back ends end
 * them from any thread.
 */
@NullMarked
package io.netfs4j.request;

import org.jspecify.annotations.NullMarked;
