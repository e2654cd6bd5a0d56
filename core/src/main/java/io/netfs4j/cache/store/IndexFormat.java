// SPDX-License-Identifier: Apache-2.0
package io.netfs4j.cache.store;

import org.jspecify.annotations.Nullable;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.List;

/**
 * How the index lies on disk, little endian throughout: every file that the store has, least
 * recently used first, so that a mount need not open each of them; and every segment.
 *
 * <pre>
 *   0  u64 magic "NFSI0001"     file:
 *   8  u32 version               0  u64 number           40  u64 blocks that lie in segments
 *  12  u32 files                 8  u64 hash of version  48  u64 bytes of its map
 *  16  u64 next number          16  u64 held blocks      56  u32 characters of the key
 *  24  u64 mount that wrote it  24  u64 block behind     60  key, UTF-16
 *  32  u32 segments                     the last held
 *  36  segments                 32  u64 blocks that     segment:
 *      files                            have space in    0  u64 number
 *      u32 CRC32C of all before         the data file    8  u64 bytes
 *                                                       16  u64 blocks that count, -1: unknown
 * </pre>
 */
final class IndexFormat {
    private static final long MAGIC = 0x3130_3030_4953_464eL; // "NFSI0001"
    private static final int VERSION = 2;
    private static final int HEADER_BYTES = 36;
    private static final int SEGMENT_BYTES = 24;
    private static final int FIXED_BYTES = 60;

    private IndexFormat() {}

    /** What the index says of one file. */
    record Line(
            long number,
            String key,
            long versionHash,
            long heldBlocks,
            long heldEnd,
            long allocatedBlocks,
            long placedBlocks,
            long mapBytes) {
        private boolean isPlausible() {
            return heldBlocks >= 0
                    && heldBlocks <= heldEnd
                    && allocatedBlocks >= 0
                    && allocatedBlocks <= Long.MAX_VALUE >> ContentMap.BLOCK_SHIFT
                    && placedBlocks >= 0
                    && placedBlocks <= heldBlocks
                    && heldEnd <= Long.MAX_VALUE >> ContentMap.BLOCK_SHIFT
                    && mapBytes >= 0
                    && mapBytes <= Integer.MAX_VALUE;
        }
    }

    /** What the index says of a segment. */
    record SegmentLine(long number, long bytes, long liveBlocks) {
        /** The same, where nobody knows how many blocks of it count. */
        SegmentLine ofUnknown() {
            return new SegmentLine(number, bytes, StoreSegments.UNKNOWN);
        }

        private boolean isPlausible() {
            return number >= 0
                    && bytes >= 0
                    && bytes <= Integer.MAX_VALUE
                    && liveBlocks >= StoreSegments.UNKNOWN;
        }
    }

    /** All that there is. */
    record Index(long nextNumber, long mount, List<SegmentLine> segments, List<Line> lines) {}

    /** As many bytes as an index of so many files has at most. */
    static long bytesMax(int files) {
        long line = FIXED_BYTES + (long) MapFormat.TEXT_CHARS_MAX * Character.BYTES;
        long segments = (long) StoreSegments.SEGMENTS_MAX * SEGMENT_BYTES;
        return Math.min(Integer.MAX_VALUE, HEADER_BYTES + segments + files * line + Integer.BYTES);
    }

    /** Null when it would be too long. */
    static @Nullable ByteBuffer encode(Index index) {
        long size = HEADER_BYTES + (long) index.segments.size() * SEGMENT_BYTES + Integer.BYTES;
        for (Line line : index.lines) {
            size += FIXED_BYTES + (long) line.key.length() * Character.BYTES;
        }
        if (size > Integer.MAX_VALUE) {
            return null;
        }
        ByteBuffer bytes = ByteBuffer.allocate((int) size).order(ByteOrder.LITTLE_ENDIAN);
        bytes.putLong(MAGIC).putInt(VERSION).putInt(index.lines.size()).putLong(index.nextNumber);
        bytes.putLong(index.mount).putInt(index.segments.size());
        for (SegmentLine segment : index.segments) {
            bytes.putLong(segment.number).putLong(segment.bytes).putLong(segment.liveBlocks);
        }
        for (Line line : index.lines) {
            bytes.putLong(line.number).putLong(line.versionHash).putLong(line.heldBlocks);
            bytes.putLong(line.heldEnd).putLong(line.allocatedBlocks);
            bytes.putLong(line.placedBlocks).putLong(line.mapBytes);
            bytes.putInt(line.key.length());
            MapFormat.putText(bytes, line.key);
        }
        bytes.putInt(MapFormat.crc(bytes, 0, bytes.position()));
        return bytes.flip();
    }

    /** What a buffer holds; null when that is no whole index of this version. */
    static @Nullable Index decode(ByteBuffer from) {
        from.order(ByteOrder.LITTLE_ENDIAN);
        int end = from.limit() - Integer.BYTES;
        if (end < HEADER_BYTES
                || from.getLong(0) != MAGIC
                || from.getInt(8) != VERSION
                || from.getInt(end) != MapFormat.crc(from, 0, end)) {
            return null;
        }
        int count = from.getInt(12);
        int segmentCount = from.getInt(32);
        if (segmentCount < 0 || segmentCount > (end - HEADER_BYTES) / SEGMENT_BYTES) {
            return null;
        }
        int at = HEADER_BYTES;
        List<SegmentLine> segments = new ArrayList<>();
        for (int i = 0; i < segmentCount; i++) {
            SegmentLine segment =
                    new SegmentLine(from.getLong(at), from.getLong(at + 8), from.getLong(at + 16));
            if (!segment.isPlausible()) {
                return null;
            }
            segments.add(segment);
            at += SEGMENT_BYTES;
        }
        List<Line> lines = new ArrayList<>();
        for (int i = 0; i < count; i++) {
            int chars = at + FIXED_BYTES <= end ? from.getInt(at + 56) : -1;
            boolean fits = chars >= 0 && chars <= MapFormat.TEXT_CHARS_MAX;
            int next = at + FIXED_BYTES + chars * Character.BYTES;
            if (!fits || next > end) {
                return null;
            }
            Line line =
                    new Line(
                            from.getLong(at),
                            MapFormat.text(from, at + FIXED_BYTES, chars),
                            from.getLong(at + 8),
                            from.getLong(at + 16),
                            from.getLong(at + 24),
                            from.getLong(at + 32),
                            from.getLong(at + 40),
                            from.getLong(at + 48));
            if (!line.isPlausible()) {
                return null;
            }
            lines.add(line);
            at = next;
        }
        return at == end ? new Index(from.getLong(16), from.getLong(24), segments, lines) : null;
    }
}
