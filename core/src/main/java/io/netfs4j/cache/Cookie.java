// SPDX-License-Identifier: Apache-2.0
package io.netfs4j.cache;

import io.netfs4j.request.Destination;

/**
 * The disk cache's handle for one file. It knows which granules it holds; what it holds is what the
 * server has (or is being sent) under the version that was set last.
 *
 * <p><b>Threads</b>: with the inode's lock held; never waits.
 */
public interface Cookie {
    /** The unit in which it stores, in bytes: a power of two. Pieces begin and end on multiples. */
    int granuleBytes();

    /** The first byte of [from, to) that it holds, or {@code to}. */
    long nextHeld(long from, long to);

    /** The first byte of [from, to) that it does not hold, or {@code to}. */
    long nextMissing(long from, long to);

    /**
     * The source of what it holds. A piece that it turns out not to have (lost, damaged, dropped
     * meanwhile) fails, and is then asked of the server.
     */
    Destination reads();

    /**
     * Where pieces are stored. It holds a granule from the moment its piece ended well, and stops
     * holding it when one is issued: of a granule that is being written it holds nothing. One that
     * cannot take a piece now returns false, and the piece is not cached. What was discarded while
     * it was written must not change, however late it ends, what a later piece stores there; nor
     * may it when the handle was closed and another acquired meanwhile.
     */
    Destination writes();

    /** Drops the granules that a range touches: what was stored there does not count any more. */
    void discard(long from, long to);

    /** What it holds is of this version of the server's file from now on. */
    void setVersion(String version);

    /** Gives the handle back; pieces in flight end first. */
    void close();
}
