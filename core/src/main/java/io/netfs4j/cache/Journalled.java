// SPDX-License-Identifier: Apache-2.0
package io.netfs4j.cache;

import io.netfs4j.base.Disk;

import java.io.IOException;

/**
 * What a journal has of one file: a disk cache on the same file system need not store it once more.
 *
 * <p><b>Threads</b>: any; {@link #find} never waits.
 */
public interface Journalled {
    /** Where a block lies that no one record has whole. */
    long NOWHERE = -1;

    /**
     * Says where blocks lie, one behind the other from a position on, as many as there are places.
     *
     * @param position of the first, in bytes
     * @param blockBytes of each
     * @param segments are set to the numbers of the segments, or {@link #NOWHERE}
     * @param positions are set to where in those they begin, in bytes
     */
    void find(long position, int blockBytes, long[] segments, int[] positions);

    /** How much space a segment takes at most, in bytes. */
    int segmentBytes();

    /**
     * Gives a segment's file a name in another directory too; waits for the disk. It holds nothing
     * else later: the journal does not use its space again.
     *
     * @throws java.nio.file.NoSuchFileException when the journal has it no more
     * @throws IOException also when that directory is on another file system
     */
    void link(long segment, Disk into, String as) throws IOException;
}
