// SPDX-License-Identifier: Apache-2.0
package io.netfs4j.pagecache;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.List;
import java.util.SplittableRandom;

/** Blocks never overlap, are aligned, and come back whole. */
class MemoryPoolTest {
    private static final int BUDGET_BYTES = 1 << 20;

    @Test
    void allocateAndFree_anySequence_neverOverlaps() {
        for (long seed = 0; seed < 200; seed++) {
            SplittableRandom random = new SplittableRandom(seed);
            MemoryPool pool = new MemoryPool(BUDGET_BYTES, ByteBuffer::allocate);
            List<Block> held = new ArrayList<>();
            BitSet pages = new BitSet();
            for (int step = 0; step < 300; step++) {
                if (!held.isEmpty() && random.nextInt(5) < 2) {
                    Block block = held.remove(random.nextInt(held.size()));
                    mark(pages, block, false);
                    pool.free(block);
                } else {
                    int bytes = MemoryPool.PAGE_BYTES << random.nextInt(8);
                    Block block = pool.allocate(Math.min(bytes, pool.blockBytesMax()));
                    if (block != null) {
                        assertThat(block.offset() % block.bytes()).isZero();
                        mark(pages, block, true);
                        held.add(block);
                    }
                }
                long used = pages.cardinality() * (long) MemoryPool.PAGE_BYTES;
                assertThat(pool.usedBytes()).as("seed %d", seed).isEqualTo(used);
            }
            held.forEach(pool::free);
            assertThat(pool.usedBytes()).isZero();
            Block whole = pool.allocate(pool.blockBytesMax());
            assertThat(whole).as("all buddies have joined again").isNotNull();
        }
    }

    @Test
    void allocate_pastTheBudget_isRefused() {
        MemoryPool pool = new MemoryPool(64 << 10, ByteBuffer::allocate);
        for (int i = 0; i < 16; i++) {
            assertThat(pool.allocate(MemoryPool.PAGE_BYTES)).isNotNull();
        }
        assertThat(pool.allocate(MemoryPool.PAGE_BYTES)).isNull();
    }

    @Test
    void allocate_whenTheMachineGivesLess_takesThatAsTheBudget() {
        int[] slabs = new int[1];
        MemoryPool pool =
                new MemoryPool(
                        3L * (32 << 20),
                        bytes -> {
                            if (slabs[0]++ > 0) {
                                throw new OutOfMemoryError("as asked");
                            }
                            return ByteBuffer.allocate(bytes);
                        });
        int got = 0;
        while (pool.allocate(pool.blockBytesMax()) != null) {
            got++;
        }
        assertThat((long) got * pool.blockBytesMax()).isEqualTo(8 << 20);
    }

    private static void mark(BitSet pages, Block block, boolean held) {
        int first = block.page();
        int end = first + block.bytes() / MemoryPool.PAGE_BYTES;
        assertThat(held ? pages.nextSetBit(first) < 0 || pages.nextSetBit(first) >= end : true)
                .isTrue();
        pages.set(first, end, held);
    }
}
