// SPDX-License-Identifier: Apache-2.0
package io.netfs4j.pagecache;

import io.netfs4j.base.GuardedBy;

import org.jspecify.annotations.Nullable;

import java.util.Arrays;
import java.util.concurrent.locks.ReentrantLock;

/**
 * Objects that nobody uses, kept to be used again: folios come and go at the speed of memory, and
 * live too long to be cheap for a collector of garbage.
 *
 * <p><b>Threads</b>: any; its lock is a leaf. What one thread did to an object before it gave it
 * here is seen by the one that takes it.
 */
final class Spares<T> {
    /** So many are kept, those of a GiB of 64 KiB folios; more are left to the collector. */
    static final int KEPT_MAX = 16 << 10;

    private static final int KEPT_FIRST = 64;

    private final ReentrantLock lock = new ReentrantLock();

    @GuardedBy("lock")
    private @Nullable Object[] kept = new Object[KEPT_FIRST];

    @GuardedBy("lock")
    private int count;

    @SuppressWarnings("unchecked") // only T is put in
    @Nullable T take() {
        lock.lock();
        try {
            if (count == 0) {
                return null;
            }
            count--;
            T taken = (T) kept[count];
            kept[count] = null;
            return taken;
        } finally {
            lock.unlock();
        }
    }

    void put(T spare) {
        lock.lock();
        try {
            if (count == KEPT_MAX) {
                return;
            }
            if (count == kept.length) {
                kept = Arrays.copyOf(kept, count * 2);
            }
            kept[count] = spare;
            count++;
        } finally {
            lock.unlock();
        }
    }
}
