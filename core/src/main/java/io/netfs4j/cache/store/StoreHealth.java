// SPDX-License-Identifier: Apache-2.0
package io.netfs4j.cache.store;

import io.netfs4j.base.Clock;
import io.netfs4j.base.GuardedBy;

/**
 * Whether the disk is worth asking: after several calls in a row that failed it is left alone for a
 * while, and longer each time that the first call after that fails, too.
 *
 * <p><b>Threads</b>: with the store's lock held.
 */
final class StoreHealth {
    /** In a row; fewer may be a bad sector, or a file that has gone. */
    static final int FAILURES_MAX = 4;

    static final long PAUSE_NANOS = 5_000_000_000L;
    static final long PAUSE_NANOS_MAX = 600_000_000_000L;

    private final Clock clock;

    @GuardedBy("store lock")
    private int failures;

    @GuardedBy("store lock")
    private long pauseNanos;

    /** Counts while there is a pause. */
    @GuardedBy("store lock")
    private long pausedAt;

    @GuardedBy("store lock")
    private long errors;

    StoreHealth(Clock clock) {
        this.clock = clock;
    }

    long errors() {
        return errors;
    }

    void failed() {
        errors++;
        failures++;
        if (failures >= FAILURES_MAX) {
            failures = FAILURES_MAX - 1; // One more is enough after the pause.
            pauseNanos = pauseNanos == 0 ? PAUSE_NANOS : Math.min(2 * pauseNanos, PAUSE_NANOS_MAX);
            pausedAt = clock.nanoTime();
        }
    }

    void succeeded() {
        if (failures > 0 && !isOff()) {
            failures = 0;
            pauseNanos = 0;
        }
    }

    boolean isOff() {
        return leftNanos() > 0;
    }

    /** How much of the pause is left. */
    long leftNanos() {
        return pauseNanos == 0 ? 0 : Math.max(0, pauseNanos - (clock.nanoTime() - pausedAt));
    }
}
