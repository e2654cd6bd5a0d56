// SPDX-License-Identifier: Apache-2.0
package io.netfs4j.cache.store;

import io.netfs4j.base.SortedLongMap;

import org.jspecify.annotations.Nullable;

import java.nio.ByteBuffer;
import java.util.zip.CRC32C;

/**
 * Which blocks of one file are held, and what their checksums are; also which have space on the
 * disk. In chunks of {@value #CHUNK_BLOCKS} blocks, so that a file of which little is held takes
 * little memory: 4 bytes for each block, and some for each chunk.
 *
 * <p><b>Threads</b>: with the store's lock held.
 */
final class ContentMap {
    static final int BLOCK_BYTES = 4096;
    static final int BLOCK_SHIFT = 12;

    /** As many as a word of marks has bits. */
    static final int CHUNK_BLOCKS = Long.SIZE;

    private static final int CHUNK_SHIFT = 6;

    /** What a chunk takes in a file: its index, two words of marks, its checksums. */
    static final int CHUNK_RECORD_BYTES = 3 * Long.BYTES + CHUNK_BLOCKS * Integer.BYTES;

    private static final class Chunk {
        final long index;
        long held;

        /** Blocks that were ever written: the disk has them, whether they count or not. */
        long allocated;

        final int[] crcs = new int[CHUNK_BLOCKS];

        Chunk(long index) {
            this.index = index;
        }

        long firstBlock() {
            return index << CHUNK_SHIFT;
        }
    }

    private final SortedLongMap<Chunk> chunks = new SortedLongMap<>();
    private long heldBlocks;
    private long allocatedBlocks;

    long heldBlocks() {
        return heldBlocks;
    }

    long allocatedBlocks() {
        return allocatedBlocks;
    }

    /** The block behind the last one that is held. */
    long heldEnd() {
        Chunk last = chunks.last();
        while (last != null && last.held == 0) {
            last = last.index == 0 ? null : chunks.floor(last.index - 1);
        }
        return last == null
                ? 0
                : last.firstBlock() + Long.SIZE - Long.numberOfLeadingZeros(last.held);
    }

    /** What a block's checksum begins with: a block in another's place does not fit. */
    static void seed(CRC32C crc, ByteBuffer scratch, long seed, long block) {
        crc.reset();
        scratch.clear();
        crc.update(scratch.putLong(seed).putLong(block).flip());
    }

    /** The marks of the blocks of a chunk that are in a range, which it meets. */
    private static long marks(long first, long from, long to) {
        long marks = -1L;
        if (first < from) {
            marks = -1L << (from - first);
        }
        if (to - first < CHUNK_BLOCKS) {
            marks &= (1L << (to - first)) - 1;
        }
        return marks;
    }

    /** The first block of a range that is held, or its end. */
    long nextHeld(long from, long to) {
        Chunk chunk = chunks.ceiling(from >> CHUNK_SHIFT);
        while (chunk != null && chunk.firstBlock() < to) {
            long held = chunk.held & marks(chunk.firstBlock(), from, to);
            if (held != 0) {
                return chunk.firstBlock() + Long.numberOfTrailingZeros(held);
            }
            chunk = chunks.ceiling(chunk.index + 1);
        }
        return to;
    }

    /** The first block of a range that is not held, or its end. */
    long nextMissing(long from, long to) {
        long at = from;
        while (at < to) {
            Chunk chunk = chunks.get(at >> CHUNK_SHIFT);
            if (chunk == null) {
                return at;
            }
            long missing = ~chunk.held & marks(chunk.firstBlock(), at, to);
            if (missing != 0) {
                return chunk.firstBlock() + Long.numberOfTrailingZeros(missing);
            }
            at = chunk.firstBlock() + CHUNK_BLOCKS;
        }
        return to;
    }

    /** How many blocks of a range have no space on the disk yet. */
    long unallocated(long from, long to) {
        long count = to - from;
        Chunk chunk = chunks.ceiling(from >> CHUNK_SHIFT);
        while (chunk != null && chunk.firstBlock() < to) {
            count -= Long.bitCount(chunk.allocated & marks(chunk.firstBlock(), from, to));
            chunk = chunks.ceiling(chunk.index + 1);
        }
        return count;
    }

    /** Blocks of a range are about to be written. */
    void allocate(long from, long to) {
        for (long at = from; at < to; ) {
            Chunk chunk = chunk(at >> CHUNK_SHIFT);
            long marks = marks(chunk.firstBlock(), at, to) & ~chunk.allocated;
            chunk.allocated |= marks;
            allocatedBlocks += Long.bitCount(marks);
            at = chunk.firstBlock() + CHUNK_BLOCKS;
        }
    }

    private Chunk chunk(long index) {
        Chunk chunk = chunks.get(index);
        if (chunk == null) {
            chunk = new Chunk(index);
            chunks.put(index, chunk);
        }
        return chunk;
    }

    /** Blocks are held from now on, as many as there are checksums. */
    void hold(long from, int[] crcs, int count) {
        for (int i = 0; i < count; i++) {
            Chunk chunk = chunk((from + i) >> CHUNK_SHIFT);
            int at = (int) (from + i) & (CHUNK_BLOCKS - 1);
            if (((chunk.held >>> at) & 1) == 0) {
                chunk.held |= 1L << at;
                heldBlocks++;
            }
            chunk.crcs[at] = crcs[i];
        }
    }

    /** Blocks of a range are not held any more; returns how many were. */
    long drop(long from, long to) {
        long before = heldBlocks;
        Chunk chunk = chunks.ceiling(from >> CHUNK_SHIFT);
        while (chunk != null && chunk.firstBlock() < to) {
            long marks = chunk.held & marks(chunk.firstBlock(), from, to);
            chunk.held &= ~marks;
            heldBlocks -= Long.bitCount(marks);
            chunk = chunks.ceiling(chunk.index + 1);
        }
        return before - heldBlocks;
    }

    /** The checksums of blocks; false when not all of them are held. */
    boolean checksums(long from, int[] into, int count) {
        for (int i = 0; i < count; i++) {
            Chunk chunk = chunks.get((from + i) >> CHUNK_SHIFT);
            int at = (int) (from + i) & (CHUNK_BLOCKS - 1);
            if (chunk == null || ((chunk.held >>> at) & 1) == 0) {
                return false;
            }
            into[i] = chunk.crcs[at];
        }
        return true;
    }

    /** Whether blocks are held with just these checksums. */
    boolean holds(long from, int[] crcs, int count) {
        for (int i = 0; i < count; i++) {
            Chunk chunk = chunks.get((from + i) >> CHUNK_SHIFT);
            int at = (int) (from + i) & (CHUNK_BLOCKS - 1);
            if (chunk == null || ((chunk.held >>> at) & 1) == 0 || chunk.crcs[at] != crcs[i]) {
                return false;
            }
        }
        return true;
    }

    /** How many chunks there are to be written. */
    int chunkCount() {
        return chunks.size();
    }

    /** Appends all chunks to a buffer. */
    void put(ByteBuffer to) {
        Chunk chunk = chunks.first();
        while (chunk != null) {
            to.putLong(chunk.index).putLong(chunk.held).putLong(chunk.allocated);
            for (int crc : chunk.crcs) {
                to.putInt(crc);
            }
            chunk = chunks.ceiling(chunk.index + 1);
        }
    }

    /** What chunks in a buffer say; null where that cannot be. */
    static @Nullable ContentMap get(ByteBuffer from, int count) {
        ContentMap map = new ContentMap();
        long before = -1;
        for (int i = 0; i < count; i++) {
            Chunk chunk = new Chunk(from.getLong());
            chunk.held = from.getLong();
            chunk.allocated = from.getLong();
            boolean ascends = chunk.index > before && chunk.index <= Long.MAX_VALUE >> 18;
            if (!ascends || (chunk.held & ~chunk.allocated) != 0) {
                return null;
            }
            for (int c = 0; c < CHUNK_BLOCKS; c++) {
                chunk.crcs[c] = from.getInt();
            }
            map.chunks.put(chunk.index, chunk);
            map.heldBlocks += Long.bitCount(chunk.held);
            map.allocatedBlocks += Long.bitCount(chunk.allocated);
            before = chunk.index;
        }
        return map;
    }
}
