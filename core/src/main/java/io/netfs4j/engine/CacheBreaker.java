// SPDX-License-Identifier: Apache-2.0
package io.netfs4j.engine;

import java.util.concurrent.atomic.AtomicInteger;

/**
 * Keeps a disk cache that hangs from taking the memory of one file after the other: once so many
 * transfers of a mount were left behind no file asks the cache for anything, until one of them has
 * ended. Those that were under way by then may be left behind, too.
 *
 * <p><b>Threads</b>: any; no lock.
 */
final class CacheBreaker {
    /**
     * More than one, so that a bad sector under one file does not turn the cache off for all; few,
     * for each keeps up to a request's memory.
     */
    static final int ABANDONED_MAX = 4;

    private final AtomicInteger abandoned = new AtomicInteger();

    /** Whether the cache is not to be asked now. */
    boolean isTripped() {
        return abandoned.get() >= ABANDONED_MAX;
    }

    /** A transfer was left behind. */
    void abandoned() {
        abandoned.incrementAndGet();
    }

    /** It has ended after all. */
    void ended() {
        abandoned.decrementAndGet();
    }
}
