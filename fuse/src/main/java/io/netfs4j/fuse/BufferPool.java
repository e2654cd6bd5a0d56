// SPDX-License-Identifier: Apache-2.0
package io.netfs4j.fuse;

import java.util.ArrayDeque;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;

/**
 * At most so many {@link RequestBuffer}s of one size, made when first needed and kept.
 *
 * <p><b>Threads</b>: any; {@link #take} waits when all are out.
 */
final class BufferPool {
    private final int payloadBytes;
    private final int countMax;
    private final ReentrantLock lock = new ReentrantLock();
    private final Condition returned = lock.newCondition();

    /* Guarded by lock. */
    private final ArrayDeque<RequestBuffer> free = new ArrayDeque<>();
    private int made;

    BufferPool(int payloadBytes, int countMax) {
        this.payloadBytes = payloadBytes;
        this.countMax = countMax;
    }

    int payloadBytes() {
        return payloadBytes;
    }

    /** Waits for a buffer, whatever interrupts come: those who take one must answer a request. */
    RequestBuffer take() {
        lock.lock();
        try {
            while (free.isEmpty() && made == countMax) {
                returned.awaitUninterruptibly();
            }
            RequestBuffer kept = free.poll();
            if (kept != null) {
                return kept;
            }
            made++;
        } finally {
            lock.unlock();
        }
        try {
            return new RequestBuffer(payloadBytes);
        } catch (Throwable t) {
            forgetOne();
            throw t;
        }
    }

    void give(RequestBuffer buffer) {
        lock.lock();
        try {
            free.push(buffer);
            returned.signal();
        } finally {
            lock.unlock();
        }
    }

    private void forgetOne() {
        lock.lock();
        try {
            made--;
            returned.signal();
        } finally {
            lock.unlock();
        }
    }
}
