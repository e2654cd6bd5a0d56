// SPDX-License-Identifier: Apache-2.0
package io.netfs4j.cache.journal;

/**
 * How much disk and memory a journal takes.
 *
 * @param bytesMax of all segments that hold records, in bytes; what only tells that the server has
 *     something is let in beyond it
 * @param segmentBytes of one segment, in bytes: the unit in which space comes free
 * @param batchBytes gathered in memory for one write to the disk, in bytes
 */
public record JournalLimits(long bytesMax, int segmentBytes, int batchBytes) {
    /** Kept free, in segments, so that a full journal or disk can still be told what is saved. */
    static final int RESERVE_SEGMENTS = 2;

    public static final JournalLimits DEFAULT = new JournalLimits(4L << 30, 16 << 20, 1 << 20);

    public JournalLimits {
        int least = JournalFormat.SEGMENT_HEADER_BYTES + JournalFormat.RECORD_BYTES_MAX;
        if (segmentBytes < least) {
            throw new IllegalArgumentException("segments of " + segmentBytes + " bytes");
        }
        if (bytesMax < (long) (RESERVE_SEGMENTS + 2) * segmentBytes) {
            throw new IllegalArgumentException(
                    "a journal of " + bytesMax + " bytes with segments of " + segmentBytes);
        }
        if (batchBytes < JournalFormat.RECORD_BYTES_MAX) {
            throw new IllegalArgumentException("batches of " + batchBytes + " bytes");
        }
    }

    /** What there is room for in it besides what is kept free, in bytes: two segments at least. */
    long writableBytes() {
        return bytesMax - (long) RESERVE_SEGMENTS * segmentBytes;
    }

    /** The same with room for so much. */
    public JournalLimits withBytesMax(long bytes) {
        return new JournalLimits(bytes, segmentBytes, batchBytes);
    }
}
