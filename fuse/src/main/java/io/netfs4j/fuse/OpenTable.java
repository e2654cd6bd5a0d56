// SPDX-License-Identifier: Apache-2.0
package io.netfs4j.fuse;

import io.netfs4j.base.FsError;
import io.netfs4j.base.FsException;

import org.jspecify.annotations.Nullable;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicReferenceArray;
import java.util.concurrent.locks.ReentrantLock;

/**
 * What is open, by the number that the kernel holds for it. Looking up takes no lock: it is done
 * for every read and write.
 *
 * <p><b>Limits</b>: {@link #OPEN_MAX}.
 *
 * <p><b>Threads</b>: any.
 */
final class OpenTable<T> {
    /** As many as Linux lets a whole machine have by default (fs.nr_open). */
    static final int OPEN_MAX = 1 << 20;

    private static final int SLOTS_AT_FIRST = 64;

    private final ReentrantLock lock = new ReentrantLock();

    /**
     * Replaced by a larger copy under the lock; readers see the slot that OPEN was answered with.
     */
    private volatile AtomicReferenceArray<@Nullable T> slots =
            new AtomicReferenceArray<>(SLOTS_AT_FIRST);

    /* Guarded by lock. */
    private final ArrayDeque<Integer> free = new ArrayDeque<>();
    private int used;

    long put(T open) throws FsException {
        lock.lock();
        try {
            Integer reused = free.poll();
            int slot = reused != null ? reused : used;
            if (reused == null) {
                if (used == OPEN_MAX) {
                    throw new FsException(FsError.EMFILE, OPEN_MAX + " files are open");
                }
                if (used == slots.length()) {
                    grow();
                }
                used++;
            }
            slots.setRelease(slot, open);
            return slot;
        } finally {
            lock.unlock();
        }
    }

    T get(long handle) throws FsException {
        AtomicReferenceArray<@Nullable T> now = slots;
        T open = handle >= 0 && handle < now.length() ? now.getAcquire((int) handle) : null;
        if (open == null) {
            throw new FsException(FsError.EBADF, "no open file " + handle);
        }
        return open;
    }

    T remove(long handle) throws FsException {
        lock.lock();
        try {
            T open = get(handle);
            slots.set((int) handle, null);
            free.push((int) handle);
            return open;
        } finally {
            lock.unlock();
        }
    }

    /** Removes all. */
    List<T> removeAll() {
        lock.lock();
        try {
            List<T> all = new ArrayList<>();
            for (int i = 0; i < used; i++) {
                T open = slots.get(i);
                if (open != null) {
                    all.add(open);
                    slots.set(i, null);
                    free.push(i);
                }
            }
            return all;
        } finally {
            lock.unlock();
        }
    }

    private void grow() {
        AtomicReferenceArray<@Nullable T> old = slots;
        AtomicReferenceArray<@Nullable T> larger = new AtomicReferenceArray<>(old.length() * 2);
        for (int i = 0; i < old.length(); i++) {
            larger.set(i, old.get(i));
        }
        slots = larger;
    }
}
