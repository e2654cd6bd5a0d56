// SPDX-License-Identifier: Apache-2.0
package io.netfs4j.fuse;

import java.util.HashMap;
import java.util.LinkedHashSet;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.Semaphore;
import java.util.concurrent.locks.ReentrantLock;

/**
 * The requests that were handed over and not answered yet: how many there may be, and which thread
 * an INTERRUPT is meant for.
 *
 * <p>An INTERRUPT may overtake its request, since they are read by different threads. It is then
 * remembered until the request arrives. One for a request that was answered already is remembered
 * in vain, so only the last few are kept; the kernel never uses a number twice.
 *
 * <p><b>Threads</b>: any; only {@link #enter} waits.
 */
final class InHand {
    private static final int EARLY_INTERRUPTS_MAX = 256;

    private final Semaphore places;
    private final int placesMax;
    private final ReentrantLock lock = new ReentrantLock();

    /* Guarded by lock. */
    private final Map<Long, Thread> threads = new HashMap<>();
    private final Set<Long> early = new LinkedHashSet<>();
    private boolean ended;

    InHand(int placesMax) {
        this.placesMax = placesMax;
        this.places = new Semaphore(placesMax);
    }

    /** Waits for a place. */
    void enter() {
        places.acquireUninterruptibly();
    }

    /** Gives the place back. */
    void leave() {
        places.release();
    }

    int count() {
        return placesMax - places.availablePermits();
    }

    /** The thread answers the request from now on; it is interrupted at once if that is due. */
    void began(long unique, Thread thread) {
        lock.lock();
        try {
            threads.put(unique, thread);
            if (early.remove(unique) || ended) {
                thread.interrupt();
            }
        } finally {
            lock.unlock();
        }
    }

    void finished(long unique) {
        lock.lock();
        try {
            threads.remove(unique);
        } finally {
            lock.unlock();
        }
    }

    /** The kernel says that the caller no longer wants to wait for a request. */
    void interrupt(long unique) {
        lock.lock();
        try {
            Thread thread = threads.get(unique);
            if (thread != null) {
                thread.interrupt();
                return;
            }
            early.add(unique);
            if (early.size() > EARLY_INTERRUPTS_MAX) {
                early.remove(early.iterator().next());
            }
        } finally {
            lock.unlock();
        }
    }

    /** The session is over: nobody wants to wait for anything any more. */
    void interruptAll() {
        lock.lock();
        try {
            ended = true;
            threads.values().forEach(Thread::interrupt);
        } finally {
            lock.unlock();
        }
    }
}
