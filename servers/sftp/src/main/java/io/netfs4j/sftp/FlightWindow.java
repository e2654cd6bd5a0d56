// SPDX-License-Identifier: Apache-2.0
package io.netfs4j.sftp;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Executor;
import java.util.concurrent.locks.ReentrantLock;

/**
 * How much may be in flight in one direction: so many bytes and so many requests, over all files.
 * Who finds it full is told when there is room again; the bounds are reached by at most one piece
 * more.
 *
 * <p><b>Threads</b>: any; never waits.
 */
final class FlightWindow {
    /** Waiters are told when this part of the window is free: often enough, not for each piece. */
    private static final int FREE_PART = 4;

    private final long bytesMax;
    private final int requestsMax;
    private final Executor executor;
    private final ReentrantLock lock = new ReentrantLock();
    private long bytes;
    private int requests;
    private List<Runnable> waiters = new ArrayList<>();

    /**
     * @param executor runs the steps of those who waited
     */
    FlightWindow(long bytesMax, int requestsMax, Executor executor) {
        this.bytesMax = bytesMax;
        this.requestsMax = requestsMax;
        this.executor = executor;
    }

    /** Enters, or returns false and tells {@code whenReady} once when there is room again. */
    boolean tryEnter(int count, Runnable whenReady) {
        lock.lock();
        try {
            if (requests > 0 && (bytes + count > bytesMax || requests >= requestsMax)) {
                waiters.add(whenReady);
                return false;
            }
            bytes += count;
            requests++;
            return true;
        } finally {
            lock.unlock();
        }
    }

    void leave(int count) {
        List<Runnable> ready = List.of();
        lock.lock();
        try {
            bytes -= count;
            requests--;
            boolean roomy =
                    bytes <= bytesMax - bytesMax / FREE_PART
                            && requests <= requestsMax - requestsMax / FREE_PART;
            if (!waiters.isEmpty() && (roomy || requests == 0)) {
                ready = waiters;
                waiters = new ArrayList<>();
            }
        } finally {
            lock.unlock();
        }
        ready.forEach(executor::execute);
    }

    long bytesInFlight() {
        lock.lock();
        try {
            return bytes;
        } finally {
            lock.unlock();
        }
    }
}
