// SPDX-License-Identifier: Apache-2.0
package io.netfs4j.cache.store;

import io.netfs4j.base.GuardedBy;
import io.netfs4j.base.Scheduler;

import org.jspecify.annotations.Nullable;

import java.io.IOException;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.concurrent.locks.ReentrantLock;

/**
 * Does what a store has to do besides pieces, one after the other, in the order in which it was
 * told: so a map is removed before the next one is written. While the disk is left alone it waits.
 *
 * <p><b>Threads</b>: {@link #add} with the store's lock held; a thread of its own while there is
 * anything to do.
 */
final class StoreKeeper {
    /** From here on it does not keep up, and no more files are taken on. */
    private static final int CHORES_MAX = 4096;

    private static final String NAME = "netfs-cache-keeper";

    /** Something to do, which waits for the disk, with no lock held. */
    interface Chore {
        void run() throws IOException;
    }

    private final ReentrantLock lock;
    private final Scheduler scheduler;
    private final StoreFiles files;
    private final StoreHealth health;

    @GuardedBy("lock")
    private final Deque<Chore> chores = new ArrayDeque<>();

    @GuardedBy("lock")
    private boolean running;

    /** Names were removed that must not come back. */
    @GuardedBy("lock")
    private boolean owesForce;

    /** Comes last, and comes even when the disk is left alone. */
    @GuardedBy("lock")
    private @Nullable Runnable end;

    StoreKeeper(ReentrantLock lock, Scheduler scheduler, StoreFiles files, StoreHealth health) {
        this.lock = lock;
        this.scheduler = scheduler;
        this.files = files;
        this.health = health;
    }

    @GuardedBy("lock")
    boolean isBehind() {
        return chores.size() >= CHORES_MAX;
    }

    @GuardedBy("lock")
    void add(Chore chore) {
        chores.add(chore);
        start();
    }

    /** Names that were removed are to be forced when nothing else is to be done. */
    @GuardedBy("lock")
    void oweForce() {
        owesForce = true;
    }

    /** What comes after all that is to be done; the disk may be off then. */
    @GuardedBy("lock")
    void endWith(Runnable last) {
        end = last;
        start();
    }

    @GuardedBy("lock")
    private void start() {
        if (!running) {
            running = true;
            scheduler.forkBlocking(NAME, this::run);
        } else if (end != null && health.isOff()) {
            // It may be waiting for the end of the pause: that one finds nothing left to do.
            scheduler.forkBlocking(NAME, this::run);
        }
    }

    private void run() {
        for (Chore chore = next(); chore != null; chore = next()) {
            boolean done = false;
            try {
                chore.run();
                done = true;
            } catch (IOException | RuntimeException e) {
                // It has seen to what follows from it.
            }
            lock.lock();
            try {
                if (done) {
                    health.succeeded();
                } else {
                    health.failed();
                }
            } finally {
                lock.unlock();
            }
        }
        Runnable last;
        lock.lock();
        try {
            last = running ? null : end;
            end = running ? end : null;
        } finally {
            lock.unlock();
        }
        if (last != null) {
            last.run();
        }
    }

    private void force() throws IOException {
        boolean done = false;
        try {
            files.forceNames();
            done = true;
        } finally {
            if (!done) {
                lock.lock();
                try {
                    owesForce = true;
                } finally {
                    lock.unlock();
                }
            }
        }
    }

    /** Null when there is nothing to do, or not now. */
    private @Nullable Chore next() {
        lock.lock();
        try {
            if (health.isOff()) {
                if (end == null) {
                    long pause = health.leftNanos();
                    scheduler.schedule(() -> scheduler.forkBlocking(NAME, this::run), pause);
                    return null;
                }
                chores.clear();
                owesForce = false;
            }
            Chore chore = chores.poll();
            if (chore == null && owesForce) {
                owesForce = false;
                chore = this::force;
            }
            running = chore != null;
            return chore;
        } finally {
            lock.unlock();
        }
    }
}
