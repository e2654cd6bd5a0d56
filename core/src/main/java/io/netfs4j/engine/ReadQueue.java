// SPDX-License-Identifier: Apache-2.0
package io.netfs4j.engine;

import io.netfs4j.base.GuardedBy;

import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.locks.ReentrantLock;

/**
 * Lets reads that somebody waits for overtake those that run ahead: while one of the first kind
 * lacks credit, none of the second kind asks for any.
 *
 * <p><b>Threads</b>: any; its lock is a leaf.
 */
final class ReadQueue {
    private final ReentrantLock lock = new ReentrantLock();

    @GuardedBy("lock")
    private final Set<ReadRequest> hungry = new LinkedHashSet<>();

    @GuardedBy("lock")
    private final Set<ReadRequest> deferred = new LinkedHashSet<>();

    /** Whether a request may ask for credit now; it is posted when it may again. */
    boolean admits(ReadRequest request, boolean runsAhead) {
        if (!runsAhead) {
            return true;
        }
        lock.lock();
        try {
            if (hungry.isEmpty()) {
                return true;
            }
            deferred.add(request);
            return false;
        } finally {
            lock.unlock();
        }
    }

    /** The server has refused a piece of it. */
    void lacksCredit(ReadRequest request, boolean runsAhead) {
        if (runsAhead) {
            return;
        }
        lock.lock();
        try {
            hungry.add(request);
        } finally {
            lock.unlock();
        }
    }

    /** All pieces of a request are issued, or it has ended. */
    void isServed(ReadRequest request) {
        List<ReadRequest> next = List.of();
        lock.lock();
        try {
            deferred.remove(request);
            if (hungry.remove(request) && hungry.isEmpty()) {
                next = new ArrayList<>(deferred);
                deferred.clear();
            }
        } finally {
            lock.unlock();
        }
        next.forEach(ReadRequest::post);
    }
}
