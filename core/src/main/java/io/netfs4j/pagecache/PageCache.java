// SPDX-License-Identifier: Apache-2.0
package io.netfs4j.pagecache;

import io.netfs4j.base.GuardedBy;

import org.jspecify.annotations.Nullable;

import java.nio.ByteBuffer;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.IntFunction;

/**
 * All address spaces of a mount together: the memory budget, how much of it is dirty, and which
 * clean folios may be reclaimed, least recently used first.
 *
 * <p><b>Limits</b>: {@link Limits}. A block counts as dirty memory, whole, while the folio on it is
 * dirty or under write-back, and while an older version of a folio is still being sent; not while
 * only transfers that nobody waits for any more hold it.
 *
 * <p><b>Threads</b>: any; the lock here is taken below an inode's lock and above the pool's.
 */
public final class PageCache {
    /**
     * The limits of a mount's memory.
     *
     * @param memoryBytesMax folios of all kinds together
     * @param dirtyBytesMax writers wait above it (one block is always let in)
     * @param dirtyBackgroundBytes write-back begins above it without waiting for age
     */
    public record Limits(long memoryBytesMax, long dirtyBytesMax, long dirtyBackgroundBytes) {}

    /** How many folios a single reclaim looks at before it gives up, so that no step is long. */
    private static final int RECLAIM_SCAN_MAX = 256;

    private final ReentrantLock lock = new ReentrantLock();
    private final MemoryPool pool;

    /** Folios that are of no address space now. */
    final Spares<Folio> spares = new Spares<>();

    private final Limits limits;
    private final Turnstile writers = new Turnstile();
    private final Turnstile readers = new Turnstile();

    /** Ends of the list of reclaimable folios. */
    @GuardedBy("lock")
    private @Nullable Folio newest;

    @GuardedBy("lock")
    private @Nullable Folio oldest;

    private final AtomicLong dirtyBytes = new AtomicLong();

    /** Of blocks that are not dirty, and that transfers hold which nobody waits for any more. */
    private final AtomicLong orphanBytes = new AtomicLong();

    /** How many folios are listed. */
    @GuardedBy("lock")
    private int listed;

    /** How many folios were looked at and could not be reclaimed since something was freed. */
    private final AtomicLong fruitless = new AtomicLong();

    /**
     * A folio could not be reclaimed only because its inode was locked just then, or others are
     * left to be looked at.
     */
    private volatile boolean contended;

    /** Told when too much is dirty; posts, never waits. Set once, before the first write. */
    private volatile Runnable pressure = () -> {};

    public PageCache(Limits limits, IntFunction<ByteBuffer> memory) {
        this.limits = limits;
        this.pool = new MemoryPool(limits.memoryBytesMax(), memory);
    }

    public void onPressure(Runnable listener) {
        pressure = listener;
    }

    public Limits limits() {
        return limits;
    }

    /** Where writers wait for room, and readers for memory. */
    public Turnstile writers() {
        return writers;
    }

    public Turnstile readers() {
        return readers;
    }

    /**
     * Lets those who wait for room try again when they failed only because a lock was taken, or
     * because no more folios were looked at: nothing else would wake them. Called in a step of its
     * own, after {@link #onPressure}'s.
     */
    public void retryContended() {
        if (contended) {
            contended = false;
            wake();
        }
    }

    /** Dirty memory in bytes, as charged against the limits. */
    public long dirtyMemoryBytes() {
        return dirtyBytes.get();
    }

    public long memoryBytes() {
        return pool.usedBytes();
    }

    /**
     * Whether waiting for a block may help: it is small enough, and some memory is in use only for
     * now. What is dirty is in use for good here, and so is what transfers hold that nobody waits
     * for. Asked before a try, whose failure counts where the answer is no.
     */
    public boolean mayMakeRoom(int bytes) {
        long kept = dirtyMemoryBytes() + orphanBytes.get();
        return kept + bytes <= pool.budgetBytes() && kept < pool.usedBytes();
    }

    public boolean isAboveBackground() {
        return dirtyMemoryBytes() > limits.dirtyBackgroundBytes();
    }

    int blockBytesMax() {
        return pool.blockBytesMax();
    }

    /**
     * A block of at most {@code bytes} (a power of two), reclaiming where needed, smaller when a
     * large one cannot be had, but not below {@code least}; null when even that cannot.
     */
    @Nullable Block allocate(int bytes, int least) {
        for (int size = bytes; size >= least; size >>= 1) {
            Block block = pool.allocate(size);
            if (block != null) {
                return block;
            }
            if (reclaim(size)) {
                block = pool.allocate(size);
                if (block != null) {
                    return block;
                }
            }
        }
        pressure.run();
        return null;
    }

    /**
     * Whether a block of so many bytes could be counted as dirty memory now. Asked before memory is
     * taken for one: to take it and give it back would wake the very writer that has to wait.
     */
    boolean hasDirtyRoom(int bytes) {
        boolean room = isWithinLimit(dirtyBytes.get(), bytes);
        if (!room) {
            pressure.run();
        }
        return room;
    }

    /** Whether so much more dirty memory would not even begin write-back. */
    boolean isCalm(int bytes) {
        return dirtyBytes.get() + bytes <= limits.dirtyBackgroundBytes();
    }

    private boolean isWithinLimit(long dirty, int more) {
        return dirty == 0 || dirty + more <= limits.dirtyBytesMax();
    }

    /** Counts a block as dirty memory; false when that would pass the limit. */
    boolean charge(Block block) {
        if (block.charged) {
            return true;
        }
        long dirty;
        do {
            dirty = dirtyBytes.get();
            if (!isWithinLimit(dirty, block.bytes())) {
                pressure.run();
                return false;
            }
        } while (!dirtyBytes.compareAndSet(dirty, dirty + block.bytes()));
        setCharged(block, true);
        if (dirty + block.bytes() > limits.dirtyBackgroundBytes()) {
            pressure.run();
        }
        return true;
    }

    /** Has what is dirty written back, whatever its age. */
    void press() {
        pressure.run();
    }

    /** Counts it whatever the limit: for bytes that are dirty again after a failure. */
    void chargeAnyway(Block block) {
        if (!block.charged) {
            dirtyBytes.addAndGet(block.bytes());
            setCharged(block, true);
        }
    }

    /**
     * Counts it no longer; whether it did. Those who wait for room are to be told ({@link #freed}).
     */
    boolean uncharge(Block block) {
        if (!block.charged) {
            return false;
        }
        dirtyBytes.addAndGet(-block.bytes());
        setCharged(block, false);
        return true;
    }

    private void setCharged(Block block, boolean charged) {
        block.charged = charged;
        if (block.orphans > 0) {
            orphanBytes.addAndGet(charged ? -block.bytes() : block.bytes());
        }
    }

    /** A transfer that uses a block, and holds a reference to it, is not waited for any more. */
    void leave(Block block) {
        if (block.orphans++ == 0 && !block.charged) {
            orphanBytes.addAndGet(block.bytes());
            freed(); // Who waits for that may wait for nothing now.
        }
    }

    /** It has ended after all; its reference is dropped next. */
    void rejoin(Block block) {
        if (--block.orphans == 0 && !block.charged) {
            orphanBytes.addAndGet(-block.bytes());
        }
    }

    /** Drops a reference to a block. */
    void release(Block block) {
        if (block.release()) {
            uncharge(block);
            pool.free(block);
            freed();
        } else if (block.references() == block.orphans) {
            // Only transfers left behind hold it, which may never end.
            if (uncharge(block)) {
                freed();
            }
        } else if (block.references() == 1) {
            // Its folio alone holds it now, and may be reclaimed.
            freed();
        }
    }

    /**
     * Gives back a block that a try took and could not use: nothing was freed by that, and saying
     * so would send whoever tries straight into the next try.
     */
    void giveBack(Block block) {
        if (!block.release()) {
            throw new IllegalStateException("a block just taken is in use");
        }
        pool.free(block);
    }

    /** Lists a folio as reclaimable, as the most recently used. */
    void list(Folio folio) {
        lock.lock();
        try {
            if (folio.listed) {
                unlink(folio);
            }
            link(folio);
        } finally {
            lock.unlock();
        }
    }

    void unlist(Folio folio) {
        // Not listed, but looked at by a reclaim just now, which may list it again: that does no
        // harm, for a reclaim looks whether a folio may go.
        if (!folio.listed) {
            return;
        }
        lock.lock();
        try {
            if (folio.listed) {
                unlink(folio);
            }
        } finally {
            lock.unlock();
        }
    }

    /** A folio became reclaimable or a block free, or nothing will: somebody may go on. */
    public void freed() {
        if (fruitless.get() != 0) {
            fruitless.set(0);
        }
        wake();
    }

    private void wake() {
        writers.freed();
        readers.freed();
    }

    /** Drops reclaimable folios, oldest first, until about {@code bytes} are free. */
    private boolean reclaim(int bytes) {
        long got = 0;
        int looked = 0;
        while (looked < RECLAIM_SCAN_MAX && got < bytes) {
            Folio victim = popOldest();
            if (victim == null) {
                break;
            }
            looked++;
            AddressSpace space = victim.space;
            if (space == null) {
                continue;
            }
            // Only tried: the caller holds the lock of an inode, and two are never waited for.
            if (!space.lock().tryLock()) {
                list(victim);
                contended = true;
                continue;
            }
            try {
                // It may have gone elsewhere since it was found.
                if (space.equals(victim.space)) {
                    got += space.reclaim(victim);
                }
            } finally {
                space.lock().unlock();
            }
        }
        if (got == 0 && fruitless.addAndGet(looked) < listed()) {
            contended = true;
        }
        return got > 0;
    }

    private int listed() {
        lock.lock();
        try {
            return listed;
        } finally {
            lock.unlock();
        }
    }

    private @Nullable Folio popOldest() {
        lock.lock();
        try {
            Folio folio = oldest;
            if (folio != null) {
                unlink(folio);
            }
            return folio;
        } finally {
            lock.unlock();
        }
    }

    @GuardedBy("lock")
    private void link(Folio folio) {
        folio.older = newest;
        folio.newer = null;
        if (newest != null) {
            newest.newer = folio;
        }
        newest = folio;
        listed++;
        if (oldest == null) {
            oldest = folio;
        }
        folio.listed = true;
    }

    @GuardedBy("lock")
    private void unlink(Folio folio) {
        if (folio.newer == null) {
            newest = folio.older;
        } else {
            folio.newer.older = folio.older;
        }
        if (folio.older == null) {
            oldest = folio.newer;
        } else {
            folio.older.newer = folio.newer;
        }
        folio.newer = null;
        folio.older = null;
        listed--;
        folio.listed = false;
    }
}
