// SPDX-License-Identifier: Apache-2.0
package io.netfs4j.cache.store;

import org.jspecify.annotations.Nullable;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.List;

/**
 * How the index lies on disk, little endian throughout: every file that the store has, least
 * recently used first, so that a mount need not open each of them.
 *
 * <pre>
 *   0  u64 magic "NFSI0001"     file:
 *   8  u32 version               0  u64 number           40  u64 bytes of its map
 *  12  u32 files                 8  u64 hash of version  48  u32 characters of the key
 *  16  u64 next number          16  u64 held blocks      52  key, UTF-16
 *  24  files                    24  u64 block behind the last held
 *      u32 CRC32C of all before 32  u64 blocks that have space on the disk
 * </pre>
 */
final class IndexFormat {
    private static final long MAGIC = 0x3130_3030_4953_464eL; // "NFSI0001"
    private static final int VERSION = 1;
    private static final int HEADER_BYTES = 24;
    private static final int FIXED_BYTES = 52;

    private IndexFormat() {}

    /** What the index says of one file. */
    record Line(
            long number,
            String key,
            long versionHash,
            long heldBlocks,
            long heldEnd,
            long allocatedBlocks,
            long mapBytes) {
        private boolean isPlausible() {
            return heldBlocks >= 0
                    && heldBlocks <= heldEnd
                    && heldBlocks <= allocatedBlocks
                    && allocatedBlocks <= Long.MAX_VALUE >> ContentMap.BLOCK_SHIFT
                    && heldEnd <= Long.MAX_VALUE >> ContentMap.BLOCK_SHIFT
                    && mapBytes >= 0
                    && mapBytes <= Integer.MAX_VALUE;
        }
    }

    /** All that there is. */
    record Index(long nextNumber, List<Line> lines) {}

    /** As many bytes as an index of so many files has at most. */
    static long bytesMax(int files) {
        long line = FIXED_BYTES + (long) MapFormat.TEXT_CHARS_MAX * Character.BYTES;
        return Math.min(Integer.MAX_VALUE, HEADER_BYTES + files * line + Integer.BYTES);
    }

    /** Null when it would be too long. */
    static @Nullable ByteBuffer encode(Index index) {
        long size = HEADER_BYTES + Integer.BYTES;
        for (Line line : index.lines) {
            size += FIXED_BYTES + (long) line.key.length() * Character.BYTES;
        }
        if (size > Integer.MAX_VALUE) {
            return null;
        }
        ByteBuffer bytes = ByteBuffer.allocate((int) size).order(ByteOrder.LITTLE_ENDIAN);
        bytes.putLong(MAGIC).putInt(VERSION).putInt(index.lines.size()).putLong(index.nextNumber);
        for (Line line : index.lines) {
            bytes.putLong(line.number).putLong(line.versionHash).putLong(line.heldBlocks);
            bytes.putLong(line.heldEnd).putLong(line.allocatedBlocks).putLong(line.mapBytes);
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
        List<Line> lines = new ArrayList<>();
        int at = HEADER_BYTES;
        for (int i = 0; i < count; i++) {
            int chars = at + FIXED_BYTES <= end ? from.getInt(at + 48) : -1;
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
                            from.getLong(at + 40));
            if (!line.isPlausible()) {
                return null;
            }
            lines.add(line);
            at = next;
        }
        return at == end ? new Index(from.getLong(16), lines) : null;
    }
}
