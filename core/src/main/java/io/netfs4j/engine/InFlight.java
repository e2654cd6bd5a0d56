// SPDX-License-Identifier: Apache-2.0
package io.netfs4j.engine;

import io.netfs4j.base.GuardedBy;

import java.util.LinkedHashSet;
import java.util.concurrent.locks.ReentrantLock;

/**
 * Bytes that a mount's write requests have in flight, against a limit. A request that does not get
 * its share is posted again when some is given back, first come first served.
 *
 * <p><b>Threads</b>: any; its lock is a leaf.
 */
final class InFlight {
    private final ReentrantLock lock = new ReentrantLock();
    private final long bytesMax;

    @GuardedBy("lock")
    private long bytes;

    @GuardedBy("lock")
    private final LinkedHashSet<WriteRequest> waiting = new LinkedHashSet<>();

    InFlight(long bytesMax) {
        this.bytesMax = bytesMax;
    }

    /** Takes a share; false when the request has to wait, and will be posted. */
    boolean tryAcquire(long count, WriteRequest who) {
        lock.lock();
        try {
            boolean first = waiting.isEmpty() || waiting.iterator().next() == who;
            if (bytes == 0 || (first && bytes + count <= bytesMax)) {
                bytes += count;
                waiting.remove(who);
                return true;
            }
            waiting.add(who);
            return false;
        } finally {
            lock.unlock();
        }
    }

    void release(long count) {
        WriteRequest next;
        lock.lock();
        try {
            bytes -= count;
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
