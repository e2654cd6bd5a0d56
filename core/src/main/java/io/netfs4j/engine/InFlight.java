// SPDX-License-Identifier: Apache-2.0
package io.netfs4j.engine;

import io.netfs4j.base.GuardedBy;

import java.util.LinkedHashSet;
import java.util.concurrent.locks.ReentrantLock;

/**
 * Bytes and pieces that a mount's write requests have under way, against limits. A request that
 * does not get its share is posted again when some is given back, first come first served: it tries
 * in the step that follows, or gives up its turn with the end of that step ({@link Turn}). One
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

    /** One request's place among those who wait. Used in the request's steps only. */
    final class Turn {
        private final WriteRequest who;
        private boolean waits;
        private boolean tried;

        Turn(WriteRequest who) {
            this.who = who;
        }

        /** Takes a share; false when the request has to wait, and will be posted. */
        boolean tryAcquire(long count, int number) {
            tried = true;
            waits = !InFlight.this.tryAcquire(count, number, who);
            return !waits;
        }

        /** Who has not tried in a step cannot use a share now: others must not wait behind it. */
        void endStep() {
            if (waits && !tried) {
                waits = false;
                forget(who);
            }
            tried = false;
        }
    }

    InFlight(long bytesMax, int piecesMax) {
        this.bytesMax = bytesMax;
        this.piecesMax = piecesMax;
    }

    private boolean tryAcquire(long count, int number, WriteRequest who) {
        WriteRequest next = null;
        lock.lock();
        try {
            boolean first = waiting.isEmpty() || waiting.iterator().next() == who;
            boolean room = bytes + count <= bytesMax && pieces + number <= piecesMax;
            if (pieces == 0 || (first && room)) {
                bytes += count;
                pieces += number;
                if (waiting.remove(who) && bytes < bytesMax && pieces < piecesMax) {
                    next = waiting.isEmpty() ? null : waiting.iterator().next();
                }
            } else {
                waiting.add(who);
                return false;
            }
        } finally {
            lock.unlock();
        }
        if (next != null) {
            // What was given back at once may be enough for several.
            next.post();
        }
        return true;
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
        if (count == 0 && number == 0) {
            return;
        }
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
