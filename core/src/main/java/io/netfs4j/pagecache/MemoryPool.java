// SPDX-License-Identifier: Apache-2.0
package io.netfs4j.pagecache;

import io.netfs4j.base.GuardedBy;

import org.jspecify.annotations.Nullable;

import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.IntFunction;

/**
 * Memory for folios: blocks of 4 KiB to 2 MiB, naturally aligned in slabs of direct memory, given
 * out by the buddy rule, never more than a budget. Slabs are taken from the system when first
 * needed and kept.
 *
 * <p><b>Threads</b>: any; its lock is a leaf.
 */
public final class MemoryPool {
    /** The unit of memory accounting, in bytes. */
    public static final int PAGE_BYTES = 4096;

    /** The largest folio, in bytes: 2^21, what the CPU maps with one large page. */
    public static final int FOLIO_BYTES_MAX = 2 << 20;

    /** 16 of the largest blocks: few enough slabs, little waste. */
    private static final int SLAB_BYTES_MAX = 32 << 20;

    /** At least so many slabs, so that rounding the budget down to whole slabs costs little. */
    private static final int SLABS_MIN = 8;

    private static final byte NOT_FREE = -1;
    private static final int NIL = -1;

    private final ReentrantLock lock = new ReentrantLock();

    /** Blocks without memory. */
    private final Spares<Block> spares = new Spares<>();

    private final IntFunction<ByteBuffer> source;

    @GuardedBy("lock")
    private long budgetBytes;

    private final int slabPages;
    private final int orders;

    @GuardedBy("lock")
    private ByteBuffer[] slabs = new ByteBuffer[0];

    /** Heads of the free lists by order; next and prev link pages, numbered over all slabs. */
    @GuardedBy("lock")
    private final int[] heads;

    @GuardedBy("lock")
    private int[] next = new int[0];

    @GuardedBy("lock")
    private int[] prev = new int[0];

    /** The order of the free block that begins at a page, or NOT_FREE. */
    @GuardedBy("lock")
    private byte[] freeOrder = new byte[0];

    @GuardedBy("lock")
    private long usedBytes;

    /**
     * @param budgetBytes the most to take from the system; at least one page
     * @param source makes a slab of so many bytes: {@code ByteBuffer::allocateDirect}
     */
    public MemoryPool(long budgetBytes, IntFunction<ByteBuffer> source) {
        if (budgetBytes < PAGE_BYTES) {
            throw new IllegalArgumentException("budget of " + budgetBytes + " bytes");
        }
        this.source = source;
        long share = Math.max(PAGE_BYTES, budgetBytes / SLABS_MIN);
        int slabBytes = (int) Math.min(SLAB_BYTES_MAX, Long.highestOneBit(share));
        this.budgetBytes = budgetBytes / slabBytes * slabBytes;
        this.slabPages = slabBytes / PAGE_BYTES;
        int largest = Math.min(FOLIO_BYTES_MAX, slabBytes);
        this.orders = Integer.numberOfTrailingZeros(largest / PAGE_BYTES) + 1;
        this.heads = new int[orders];
        Arrays.fill(heads, NIL);
    }

    /** The largest block it can give, in bytes. */
    public int blockBytesMax() {
        return PAGE_BYTES << (orders - 1);
    }

    /** The most that can be given out, in bytes: whole slabs. */
    long budgetBytes() {
        lock.lock();
        try {
            return budgetBytes;
        } finally {
            lock.unlock();
        }
    }

    public long usedBytes() {
        lock.lock();
        try {
            return usedBytes;
        } finally {
            lock.unlock();
        }
    }

    /**
     * A block of {@code bytes}, a power of two from {@link #PAGE_BYTES} to {@link #blockBytesMax},
     * with one reference; its content is undefined. Null when the budget is used up.
     */
    public @Nullable Block allocate(int bytes) {
        int order = Integer.numberOfTrailingZeros(bytes / PAGE_BYTES);
        ByteBuffer slab;
        int page;
        lock.lock();
        try {
            int from = order;
            while (from < orders && heads[from] == NIL) {
                from++;
            }
            if (from == orders) {
                if (!grow()) {
                    return null;
                }
                from = orders - 1;
            }
            page = heads[from];
            unlink(page, from);
            while (from > order) {
                from--;
                link(page + (1 << from), from);
            }
            usedBytes += bytes;
            slab = slabs[page / slabPages];
        } finally {
            lock.unlock();
        }
        int offset = page % slabPages * PAGE_BYTES;
        Block spare = spares.take();
        if (spare == null) {
            return new Block(slab, page, offset, bytes);
        }
        spare.renew(slab, page, offset, bytes);
        return spare;
    }

    /** Takes the memory back, and the block as well: nobody may know it any more. */
    void free(Block block) {
        lock.lock();
        try {
            usedBytes -= block.bytes();
            int page = block.page();
            int order = Integer.numberOfTrailingZeros(block.bytes() / PAGE_BYTES);
            int slabStart = page / slabPages * slabPages;
            while (order < orders - 1) {
                int buddy = slabStart + ((page - slabStart) ^ (1 << order));
                if (freeOrder[buddy] != order) {
                    break;
                }
                unlink(buddy, order);
                page = Math.min(page, buddy);
                order++;
            }
            link(page, order);
        } finally {
            lock.unlock();
        }
        spares.put(block);
    }

    @GuardedBy("lock")
    private boolean grow() {
        int slabBytes = slabPages * PAGE_BYTES;
        if ((slabs.length + 1L) * slabBytes > budgetBytes) {
            return false;
        }
        ByteBuffer slab;
        try {
            slab = source.apply(slabBytes);
        } catch (OutOfMemoryError e) {
            // The virtual machine allows less than the budget (-XX:MaxDirectMemorySize): that is
            // the budget then. Without a single slab nothing would ever move.
            if (slabs.length == 0) {
                throw e;
            }
            budgetBytes = (long) slabs.length * slabBytes;
            return false;
        }
        int first = slabs.length * slabPages;
        slabs = Arrays.copyOf(slabs, slabs.length + 1);
        slabs[slabs.length - 1] = slab;
        next = Arrays.copyOf(next, first + slabPages);
        prev = Arrays.copyOf(prev, first + slabPages);
        freeOrder = Arrays.copyOf(freeOrder, first + slabPages);
        Arrays.fill(freeOrder, first, first + slabPages, NOT_FREE);
        // Backwards, so that the lowest block is given out first.
        for (int page = first + slabPages - (1 << (orders - 1));
                page >= first;
                page -= 1 << (orders - 1)) {
            link(page, orders - 1);
        }
        return true;
    }

    @GuardedBy("lock")
    private void link(int page, int order) {
        freeOrder[page] = (byte) order;
        prev[page] = NIL;
        next[page] = heads[order];
        if (heads[order] != NIL) {
            prev[heads[order]] = page;
        }
        heads[order] = page;
    }

    @GuardedBy("lock")
    private void unlink(int page, int order) {
        freeOrder[page] = NOT_FREE;
        if (prev[page] == NIL) {
            heads[order] = next[page];
        } else {
            next[prev[page]] = next[page];
        }
        if (next[page] != NIL) {
            prev[next[page]] = prev[page];
        }
    }
}
