// SPDX-License-Identifier: Apache-2.0
package io.netfs4j.vfs;

import io.netfs4j.base.Completion;
import io.netfs4j.base.GuardedBy;
import io.netfs4j.server.RemotePath;

import org.jspecify.annotations.Nullable;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.locks.ReentrantLock;

/**
 * Which {@link UploadLocks} are this mount's: those that are being taken, that it has, and that an
 * earlier mount's journal tells of, until they are given back or that has failed. A file that is
 * moved while it is sent keeps the lock of its old name; who has that name next has it, too.
 *
 * <p><b>Threads</b>: any; never waits.
 */
final class OwnLocks {
    private final ReentrantLock lock = new ReentrantLock();

    /** How many files have each, by its target. */
    @GuardedBy("lock")
    private final Map<String, Integer> files = new HashMap<>();

    /** Those on their way out: what ends with that, by where they are. */
    @GuardedBy("lock")
    private final Map<RemotePath, Completion<@Nullable Void>> removals = new LinkedHashMap<>();

    boolean isEmpty() {
        lock.lock();
        try {
            return files.isEmpty();
        } finally {
            lock.unlock();
        }
    }

    boolean has(String target) {
        lock.lock();
        try {
            return files.containsKey(target);
        } finally {
            lock.unlock();
        }
    }

    /** One more file has it, or may. */
    void add(String target) {
        lock.lock();
        try {
            files.merge(target, 1, Integer::sum);
        } finally {
            lock.unlock();
        }
    }

    /** As {@link #add}, if it is ours and stays until that file gives it back. */
    boolean share(RemotePath name, String target) {
        lock.lock();
        try {
            boolean stays = files.containsKey(target) && !removals.containsKey(name);
            if (stays) {
                add(target);
            }
            return stays;
        } finally {
            lock.unlock();
        }
    }

    /** One file fewer has it. */
    void drop(String target) {
        lock.lock();
        try {
            files.computeIfPresent(target, (t, count) -> count > 1 ? count - 1 : null);
        } finally {
            lock.unlock();
        }
    }

    /** A file gives a lock back; returns whether it is to be removed, for no other one has it. */
    boolean release(UploadLock one, Completion<@Nullable Void> removed) {
        lock.lock();
        try {
            if (files.getOrDefault(one.target(), 0) > 1) {
                drop(one.target());
                return false;
            }
            removals.put(one.path(), removed);
            return true;
        } finally {
            lock.unlock();
        }
    }

    /** Its removal has ended, one way or the other. */
    void removed(UploadLock one, Completion<@Nullable Void> removed) {
        lock.lock();
        try {
            removals.remove(one.path(), removed);
            drop(one.target());
        } finally {
            lock.unlock();
        }
    }

    /** What ends when the lock of that name that is on its way out is gone; null: there is none. */
    @Nullable Completion<@Nullable Void> removal(RemotePath name) {
        lock.lock();
        try {
            return removals.get(name);
        } finally {
            lock.unlock();
        }
    }

    List<Completion<@Nullable Void>> removals() {
        lock.lock();
        try {
            return new ArrayList<>(removals.values());
        } finally {
            lock.unlock();
        }
    }
}
