// SPDX-License-Identifier: Apache-2.0
package io.netfs4j.sftp;

import io.netfs4j.base.Completion;
import io.netfs4j.base.Environment;
import io.netfs4j.base.FsException;

import org.jspecify.annotations.Nullable;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.locks.ReentrantLock;

/**
 * Keeps the number of handles open on the server below its limit: before one is opened, the one
 * that was unused for longest is given back. Its file opens another when it is used again.
 *
 * <p><b>Threads</b>: any; {@link #reserve} waits when every handle is in use.
 */
final class HandleTable {
    private final Environment environment;
    private final ReentrantLock lock = new ReentrantLock();
    private final Set<FileHandle> open = new HashSet<>();
    private int reserved;
    private int handlesMax;
    private Completion<Boolean> freed = new Completion<>();

    HandleTable(Environment environment, int handlesMax) {
        this.environment = environment;
        this.handlesMax = handlesMax;
    }

    /**
     * Makes room for one more handle. Every reservation ends in {@link #opened} or {@link
     * #notOpened}.
     *
     * @throws FsException EINTR
     */
    void reserve() throws FsException {
        while (true) {
            Completion<Boolean> waitFor;
            List<FileHandle> candidates;
            lock.lock();
            try {
                if (open.size() + reserved < handlesMax) {
                    reserved++;
                    return;
                }
                waitFor = freed;
                candidates = new ArrayList<>(open);
            } finally {
                lock.unlock();
            }
            if (!evictOne(candidates)) {
                environment.waits().await(waitFor);
            }
        }
    }

    private static boolean evictOne(List<FileHandle> candidates) {
        // Read once each: the times go on while they are sorted, and a sort whose order changes
        // under it may throw.
        List<Idle> idle = new ArrayList<>(candidates.size());
        for (FileHandle candidate : candidates) {
            idle.add(new Idle(candidate, candidate.usedNanos()));
        }
        idle.sort(Comparator.comparingLong(Idle::sinceNanos));
        for (Idle each : idle) {
            if (each.handle.tryEvict()) {
                return true;
            }
        }
        return false;
    }

    private record Idle(FileHandle handle, long sinceNanos) {}

    /** A reservation has become a handle. */
    void opened(FileHandle handle) {
        lock.lock();
        try {
            reserved--;
            open.add(handle);
        } finally {
            lock.unlock();
        }
    }

    void notOpened() {
        lock.lock();
        try {
            reserved--;
        } finally {
            lock.unlock();
        }
        idle();
    }

    /** A handle is no more. */
    void gone(FileHandle handle) {
        lock.lock();
        try {
            open.remove(handle);
        } finally {
            lock.unlock();
        }
        idle();
    }

    /** A handle can be evicted now. */
    void idle() {
        @Nullable Completion<Boolean> waiting = null;
        lock.lock();
        try {
            if (open.size() + reserved >= handlesMax - 1) {
                waiting = freed;
                freed = new Completion<>();
            }
        } finally {
            lock.unlock();
        }
        if (waiting != null) {
            waiting.complete(true);
        }
    }

    int size() {
        lock.lock();
        try {
            return open.size();
        } finally {
            lock.unlock();
        }
    }
}
