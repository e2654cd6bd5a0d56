// SPDX-License-Identifier: Apache-2.0
package io.netfs4j.fuse;

import io.netfs4j.base.FsError;
import io.netfs4j.base.FsException;

import java.util.ArrayDeque;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;

/**
 * At most so many {@link RequestBuffer}s of one size, made when first needed and kept.
 *
 * <p><b>Threads</b>: any; taking waits when all are out.
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

    /** Waits for a buffer, whatever interrupts come: for readers, whom nobody interrupts. */
    RequestBuffer take() {
        lock.lock();
        try {
            while (free.isEmpty() && made == countMax) {
                returned.awaitUninterruptibly();
            }
            return takeOrMake();
        } finally {
            lock.unlock();
        }
    }

    /**
     * Waits for a buffer.
     *
     * @throws FsException EINTR
     */
    RequestBuffer takeInterruptibly() throws FsException {
        lock.lock();
        try {
            while (free.isEmpty() && made == countMax) {
                returned.await();
            }
            return takeOrMake();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new FsException(FsError.EINTR, "interrupted while waiting for a buffer", e);
        } finally {
            lock.unlock();
        }
    }

    /** Called with the lock held. The count is right also when no memory is left to make one. */
    private RequestBuffer takeOrMake() {
        RequestBuffer kept = free.poll();
        if (kept == null) {
            kept = new RequestBuffer(payloadBytes);
            made++;
        }
        return kept;
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
}
