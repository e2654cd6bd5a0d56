// SPDX-License-Identifier: Apache-2.0
package io.netfs4j.request;

/**
 * Where the pieces of a stream go to (or, for reads, come from): a file on a server, a file of the
 * disk cache. Limits are found when a piece is issued, not before: the engine accumulates about an
 * {@linkplain #estimateBytes estimate}, offers all of it, and the destination takes its slice.
 */
public interface Destination {
    /**
     * How many bytes from {@code position} are worth accumulating before they are offered; at least
     * 1. Only a hint. Must not wait.
     */
    int estimateBytes(long position);

    /**
     * Offers a piece. The destination either calls {@link Subrequest#take} with what it takes now
     * (credits, negotiated sizes, an object's edge), at least one byte, starts the transfer,
     * returns true, and later calls {@link Subrequest#terminated} exactly once; or takes nothing,
     * returns false, and calls {@code whenReady} exactly once when it may take something again.
     *
     * <p><b>Threads</b>: called by an engine step with the inode's lock held: must not wait, and
     * must not transfer bytes on the calling thread when that could wait. {@code terminated} may be
     * called from any thread, also before this method returns.
     *
     * <p><b>Ownership</b>: the memory of the piece's segments may be used until {@code terminated}
     * is called and not a moment longer.
     *
     * <p><b>Errors</b>: none thrown; a failure is a {@link Termination}.
     */
    boolean issue(Subrequest offer, Runnable whenReady);
}
