// SPDX-License-Identifier: Apache-2.0
package io.netfs4j.server.local;

import io.netfs4j.base.Completion;
import io.netfs4j.base.Environment;
import io.netfs4j.base.FsException;

import org.jspecify.annotations.Nullable;

import java.util.ArrayDeque;
import java.util.concurrent.locks.ReentrantLock;

/**
 * The few threads on which file channels are used: forked when there is work, ended when there is
 * none. Nobody has a handle on them, so nobody interrupts them.
 *
 * <p><b>Limits</b>: pieces wait in a queue of at most {@link #PIECES_MAX}; past it the issuer is
 * told to come again. Tasks of callers that wait for them are bounded by those callers.
 */
final class LocalThreads {
    /** Enough to keep a disk's queue filled; more only contend. */
    private static final int THREADS_MAX = 4;

    /** Pieces accepted and not ended. */
    private static final int PIECES_MAX = 64;

    private final Environment environment;
    private final ReentrantLock lock = new ReentrantLock();

    // All below is guarded by the lock.
    private final ArrayDeque<Runnable> queue = new ArrayDeque<>();
    private final ArrayDeque<Runnable> waiters = new ArrayDeque<>();
    private int threads;
    private int pieces;

    LocalThreads(Environment environment) {
        this.environment = environment;
    }

    /** Work that may fail like a file. */
    @FunctionalInterface
    interface Task<T extends @Nullable Object> {
        T run() throws FsException;
    }

    /** Whether a piece may come; if not, {@code whenReady} is called once when one may. */
    boolean admit(Runnable whenReady) {
        lock.lock();
        try {
            if (pieces < PIECES_MAX) {
                pieces++;
                return true;
            }
            waiters.add(whenReady);
            return false;
        } finally {
            lock.unlock();
        }
    }

    /** Gives back what {@link #admit} granted. */
    void leave() {
        Runnable next;
        lock.lock();
        try {
            pieces--;
            next = waiters.poll();
        } finally {
            lock.unlock();
        }
        if (next != null) {
            next.run();
        }
    }

    void post(Runnable task) {
        lock.lock();
        try {
            queue.add(task);
            if (threads == THREADS_MAX) {
                return;
            }
            threads++;
        } finally {
            lock.unlock();
        }
        environment.scheduler().forkBlocking("netfs-local", this::work);
    }

    /** Runs a task there and waits for it, interruptibly; it goes on when interrupted. */
    <T extends @Nullable Object> T call(Task<T> task) throws FsException {
        Completion<T> done = new Completion<>();
        post(() -> {
            T value;
            try {
                value = task.run();
            } catch (FsException e) {
                done.fail(e);
                return;
            }
            done.complete(value);
        });
        return environment.waits().await(done);
    }

    private void work() {
        while (true) {
            Runnable task;
            lock.lock();
            try {
                task = queue.poll();
                if (task == null) {
                    threads--;
                    return;
                }
            } finally {
                lock.unlock();
            }
            task.run();
        }
    }
}
