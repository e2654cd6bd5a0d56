// SPDX-License-Identifier: Apache-2.0
package io.netfs4j.engine;

import io.netfs4j.base.GuardedBy;

import java.util.concurrent.locks.ReentrantLock;
import java.util.random.RandomGenerator;

/**
 * Pauses between attempts: doubling from a first to a longest, each drawn from the upper half of
 * its step so that many files do not come back at the same moment.
 *
 * <p><b>Threads</b>: any; its lock is a leaf (generators are not safe for threads).
 */
final class Backoff {
    private static final int DOUBLINGS_MAX = 30;

    private final ReentrantLock lock = new ReentrantLock();

    @GuardedBy("lock")
    private final RandomGenerator random;

    Backoff(RandomGenerator random) {
        this.random = random;
    }

    /** The pause before attempt {@code attempt} (1 is the first repetition), in nanoseconds. */
    long pauseNanos(int attempt, long firstNanos, long longestNanos) {
        int doublings = Math.min(DOUBLINGS_MAX, Math.max(0, attempt - 1));
        long step = Math.min(longestNanos, firstNanos << doublings);
        if (step <= 0) {
            step = longestNanos;
        }
        lock.lock();
        try {
            return step / 2 + random.nextLong(step / 2 + 1);
        } finally {
            lock.unlock();
        }
    }
}
