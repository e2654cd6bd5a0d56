// SPDX-License-Identifier: Apache-2.0
package io.netfs4j.engine;

import io.netfs4j.base.GuardedBy;

import java.util.LinkedHashSet;
import java.util.concurrent.locks.ReentrantLock;

/**
 * Bytes and pieces that a mount's write requests have under way, against limits. A request that
 * does not get its share is posted again when some is given back, first come first served. One
 * piece is always let through, whatever its size.
 *
 * <p><b>Threads</b>: any; its lock is a leaf.
 */
final class InFlight {
    private final ReentrantLock lock = new ReentrantLock();
    private final long bytesMax;
    private final int piecesMax;

    @GuardedBy("lock")
    private long bytes;

    @GuardedBy("lock")
    private int pieces;

    @GuardedBy("lock")
    private final LinkedHashSet<WriteRequest> waiting = new LinkedHashSet<>();

    InFlight(long bytesMax, int piecesMax) {
        this.bytesMax = bytesMax;
        this.piecesMax = piecesMax;
    }

    /** Takes a share; false when the request has to wait, and will be posted. */
    boolean tryAcquire(long count, int number, WriteRequest who) {
        lock.lock();
        try {
            boolean first = waiting.isEmpty() || waiting.iterator().next() == who;
            boolean room = bytes + count <= bytesMax && pieces + number <= piecesMax;
            if (pieces == 0 || (first && room)) {
                bytes += count;
                pieces += number;
                waiting.remove(who);
                return true;
            }
            waiting.add(who);
            return false;
        } finally {
            lock.unlock();
        }
    }

    /** As {@link #tryAcquire} for one who does not wait: there is no turn to be kept. */
    boolean tryAcquireNow(long count, int number) {
        lock.lock();
        try {
            if (pieces > 0 && (bytes + count > bytesMax || pieces + number > piecesMax)) {
                return false;
            }
            bytes += count;
            pieces += number;
            return true;
        } finally {
            lock.unlock();
        }
    }

    /** Takes a share whatever the limit: for one whose own share waits for it. */
    void acquireAnyway(long count, int number) {
        lock.lock();
        try {
            bytes += count;
            pieces += number;
        } finally {
            lock.unlock();
        }
    }

    /** Gives back bytes, and the piece that they were of unless {@code number} is 0. */
    void release(long count, int number) {
        WriteRequest next;
        lock.lock();
        try {
            bytes -= count;
            pieces -= number;
            next = waiting.isEmpty() ? null : waiting.iterator().next();
        } finally {
            lock.unlock();
        }
        if (next != null) {
            next.post();
        }
    }

    /** A request that ended does not wait any more, and must not keep others waiting behind it. */
    void forget(WriteRequest who) {
        WriteRequest next;
        lock.lock();
        try {
            next = waiting.remove(who) && !waiting.isEmpty() ? waiting.iterator().next() : null;
        } finally {
            lock.unlock();
        }
        if (next != null) {
            next.post();
        }
    }

    long bytes() {
        lock.lock();
        try {
            return bytes;
        } finally {
            lock.unlock();
        }
    }
}
