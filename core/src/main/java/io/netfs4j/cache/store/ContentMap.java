// SPDX-License-Identifier: Apache-2.0
package io.netfs4j.cache.store;

import io.netfs4j.base.SortedLongMap;

import org.jspecify.annotations.Nullable;

import java.nio.ByteBuffer;
import java.util.function.LongPredicate;
import java.util.zip.CRC32C;

/**
 * Which blocks of one file are held, where, and what their checksums are; also which have space in
 * the file's own data file. In chunks of {@value #CHUNK_BLOCKS} blocks, so that a file of which
 * little is held takes little memory: 4 bytes for each block, 12 where it lies in a segment of the
 * journal, and some for each chunk.
 *
 * <p><b>Threads</b>: with the store's lock held.
 */
final class ContentMap {
    static final int BLOCK_BYTES = 4096;
    static final int BLOCK_SHIFT = 12;

    /** As many as a word of marks has bits. */
    static final int CHUNK_BLOCKS = Long.SIZE;

    private static final int CHUNK_SHIFT = 6;

    /** What a chunk takes in a file: its index, three words of marks, its checksums. */
    static final int CHUNK_RECORD_BYTES = 4 * Long.BYTES + CHUNK_BLOCKS * Integer.BYTES;

    /** And what it takes besides where any of its blocks lies in a segment. */
    static final int PLACES_RECORD_BYTES = CHUNK_BLOCKS * Long.BYTES;

    /** The place of a block in the data file, where it is in the file. */
    static final long OWN = -1;

    /** Hears of each block in a segment that does not count any more. */
    interface Released {
        void released(long segment);
    }

    private static final class Chunk {
        final long index;
        long held;

        /** Blocks that were ever written: the disk has them, whether they count or not. */
        long allocated;

        /** Those that are held and lie in segments. */
        long placed;

        final int[] crcs = new int[CHUNK_BLOCKS];

        /** Where those lie; null where none ever did. */
        long @Nullable [] places;

        Chunk(long index) {
            this.index = index;
        }

        long firstBlock() {
            return index << CHUNK_SHIFT;
        }

        boolean isPlaced(int at) {
            return ((placed >>> at) & 1) != 0;
        }
    }

    private final SortedLongMap<Chunk> chunks = new SortedLongMap<>();
    private final Released released;
    private long heldBlocks;
    private long allocatedBlocks;
    private long placedBlocks;
    private int placingChunks;

    ContentMap(Released released) {
        this.released = released;
    }

    /** Where in a segment a block begins. */
    static long place(long segment, int position) {
        return segment << Integer.SIZE | position;
    }

    static long segment(long place) {
        return place >>> Integer.SIZE;
    }

    static int position(long place) {
        return (int) place;
    }

    long heldBlocks() {
        return heldBlocks;
    }

    long allocatedBlocks() {
        return allocatedBlocks;
    }

    /** Those of the held that lie in segments. */
    long placedBlocks() {
        return placedBlocks;
    }

    /** The highest number of a segment that any of them lies in; 0 where none does. */
    long lastSegment() {
        long last = 0;
        Chunk chunk = placedBlocks == 0 ? null : chunks.first();
        while (chunk != null) {
            long[] places = chunk.places;
            for (long left = chunk.placed; left != 0 && places != null; left &= left - 1) {
                last = Math.max(last, segment(places[Long.numberOfTrailingZeros(left)]));
            }
            chunk = chunks.ceiling(chunk.index + 1);
        }
        return last;
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

    /**
     * Blocks are held from now on, as many as there are checksums.
     *
     * @param places of blocks in a segment; null where they are in the data file
     */
    void hold(long from, int[] crcs, long @Nullable [] places, int count) {
        for (int i = 0; i < count; i++) {
            Chunk chunk = chunk((from + i) >> CHUNK_SHIFT);
            int at = (int) (from + i) & (CHUNK_BLOCKS - 1);
            drop(chunk, 1L << at);
            chunk.held |= 1L << at;
            heldBlocks++;
            chunk.crcs[at] = crcs[i];
            if (places != null) {
                put(chunk, at, places[i]);
            }
        }
    }

    private void put(Chunk chunk, int at, long place) {
        long[] places = chunk.places;
        if (places == null) {
            places = new long[CHUNK_BLOCKS];
            chunk.places = places;
        }
        placingChunks += chunk.placed == 0 ? 1 : 0;
        chunk.placed |= 1L << at;
        places[at] = place;
        placedBlocks++;
    }

    private void drop(Chunk chunk, long marks) {
        long dropped = chunk.held & marks;
        chunk.held &= ~marks;
        heldBlocks -= Long.bitCount(dropped);
        long freed = chunk.placed & dropped;
        long[] places = chunk.places;
        if (freed == 0 || places == null) {
            return;
        }
        chunk.placed &= ~freed;
        placingChunks -= chunk.placed == 0 ? 1 : 0;
        placedBlocks -= Long.bitCount(freed);
        for (long left = freed; left != 0; left &= left - 1) {
            released.released(segment(places[Long.numberOfTrailingZeros(left)]));
        }
    }

    /** Blocks of a range are not held any more; returns how many were. */
    long drop(long from, long to) {
        long before = heldBlocks;
        Chunk chunk = chunks.ceiling(from >> CHUNK_SHIFT);
        while (chunk != null && chunk.firstBlock() < to) {
            drop(chunk, marks(chunk.firstBlock(), from, to));
            chunk = chunks.ceiling(chunk.index + 1);
        }
        return before - heldBlocks;
    }

    /** Blocks in segments that are not there are not held; none of them is told of. */
    void dropUnless(LongPredicate isThere) {
        Chunk chunk = placedBlocks == 0 ? null : chunks.first();
        while (chunk != null) {
            long gone = 0;
            for (long left = chunk.placed; left != 0; left &= left - 1) {
                int at = Long.numberOfTrailingZeros(left);
                long[] places = chunk.places;
                gone |= places != null && isThere.test(segment(places[at])) ? 0 : 1L << at;
            }
            chunk.placed &= ~gone;
            chunk.held &= ~gone;
            placingChunks -= gone != 0 && chunk.placed == 0 ? 1 : 0;
            placedBlocks -= Long.bitCount(gone);
            heldBlocks -= Long.bitCount(gone);
            chunk = chunks.ceiling(chunk.index + 1);
        }
    }

    /** The checksums of blocks, and where they lie; false when not all of them are held. */
    boolean find(long from, int[] crcs, long[] places, int count) {
        for (int i = 0; i < count; i++) {
            Chunk chunk = chunks.get((from + i) >> CHUNK_SHIFT);
            int at = (int) (from + i) & (CHUNK_BLOCKS - 1);
            if (chunk == null || ((chunk.held >>> at) & 1) == 0) {
                return false;
            }
            crcs[i] = chunk.crcs[at];
            long[] known = chunk.places;
            places[i] = known == null || !chunk.isPlaced(at) ? OWN : known[at];
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

    /** How many of them have blocks in segments. */
    int placingChunks() {
        return placingChunks;
    }

    /** Appends all chunks to a buffer. */
    void put(ByteBuffer to) {
        Chunk chunk = chunks.first();
        while (chunk != null) {
            to.putLong(chunk.index).putLong(chunk.held).putLong(chunk.allocated);
            to.putLong(chunk.placed);
            for (int crc : chunk.crcs) {
                to.putInt(crc);
            }
            long[] places = chunk.places;
            if (chunk.placed != 0 && places != null) {
                for (long place : places) {
                    to.putLong(place);
                }
            }
            chunk = chunks.ceiling(chunk.index + 1);
        }
    }

    /**
     * What chunks in a buffer say; null where that cannot be.
     *
     * @param placing how many of them have blocks in segments
     */
    static @Nullable ContentMap get(ByteBuffer from, int count, int placing, Released released) {
        ContentMap map = new ContentMap(released);
        long before = -1;
        for (int i = 0; i < count; i++) {
            Chunk chunk = new Chunk(from.getLong());
            chunk.held = from.getLong();
            chunk.allocated = from.getLong();
            chunk.placed = from.getLong();
            boolean ascends = chunk.index > before && chunk.index <= Long.MAX_VALUE >> 18;
            long known = chunk.allocated | chunk.placed;
            if (!ascends || (chunk.held & ~known) != 0 || (chunk.placed & ~chunk.held) != 0) {
                return null;
            }
            for (int c = 0; c < CHUNK_BLOCKS; c++) {
                chunk.crcs[c] = from.getInt();
            }
            if (chunk.placed != 0) {
                if (++map.placingChunks > placing) {
                    return null;
                }
                long[] places = new long[CHUNK_BLOCKS];
                for (int c = 0; c < CHUNK_BLOCKS; c++) {
                    places[c] = from.getLong();
                }
                chunk.places = places;
                map.placedBlocks += Long.bitCount(chunk.placed);
            }
            map.chunks.put(chunk.index, chunk);
            map.heldBlocks += Long.bitCount(chunk.held);
            map.allocatedBlocks += Long.bitCount(chunk.allocated);
            before = chunk.index;
        }
        return map;
    }
}
