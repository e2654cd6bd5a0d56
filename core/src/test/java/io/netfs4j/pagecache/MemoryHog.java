// SPDX-License-Identifier: Apache-2.0
package io.netfs4j.pagecache;

import java.util.ArrayList;
import java.util.List;

/**
 * Another user of a mount's memory: takes some, for which clean folios have to go and what is dirty
 * is written back, and gives it back once.
 */
public final class MemoryHog {
    private final PageCache cache;
    final List<Block> blocks = new ArrayList<>();

    /**
     * Takes as much as it can have now.
     *
     * @param bytes how much it wants
     * @param dirty whether that is to count as dirty memory, as far as there is room
     */
    public MemoryHog(PageCache cache, long bytes, boolean dirty) {
        this.cache = cache;
        long left = bytes;
        while (left >= MemoryPool.PAGE_BYTES) {
            long size = Math.min(Long.highestOneBit(left), cache.blockBytesMax());
            Block block = cache.allocate((int) size, MemoryPool.PAGE_BYTES);
            if (block == null) {
                break;
            }
            if (dirty) {
                cache.charge(block);
            }
            blocks.add(block);
            left -= block.bytes();
        }
    }

    public long bytes() {
        return blocks.stream().mapToLong(Block::bytes).sum();
    }

    public void giveBack() {
        blocks.forEach(cache::release);
        blocks.clear();
    }
}
