// SPDX-License-Identifier: Apache-2.0
package io.netfs4j.vfs;

import io.netfs4j.base.Completion;
import io.netfs4j.base.FsException;
import io.netfs4j.base.GuardedBy;
import io.netfs4j.base.Waits;

import org.jspecify.annotations.Nullable;

import java.util.ArrayDeque;
import java.util.concurrent.locks.ReentrantLock;

/**
 * Keeps renames apart from every other operation on names: while a path is on its way to the server
 * it must stay true. First come first served; held across waits, so it is not a thread's lock.
 *
 * <p><b>Threads</b>: any; waits through {@link Waits}.
 */
final class NamesGate {
    private record Waiter(boolean exclusive, Completion<@Nullable Void> turn) {}

    private final ReentrantLock lock = new ReentrantLock();
    private final Waits waits;

    /** How many pass at once; -1 when one passes alone. */
    @GuardedBy("lock")
    private int passing;

    @GuardedBy("lock")
    private final ArrayDeque<Waiter> queue = new ArrayDeque<>();

    NamesGate(Waits waits) {
        this.waits = waits;
    }

    /** What runs inside the gate. */
    interface Action<T extends @Nullable Object> {
        T run() throws FsException;
    }

    <T extends @Nullable Object> T shared(Action<T> action) throws FsException {
        enter(false);
        try {
            return action.run();
        } finally {
            leave();
        }
    }

    <T extends @Nullable Object> T alone(Action<T> action) throws FsException {
        enter(true);
        try {
            return action.run();
        } finally {
            leave();
        }
    }

    private void enter(boolean exclusive) throws FsException {
        Waiter waiter;
        lock.lock();
        try {
            if (queue.isEmpty() && admits(exclusive)) {
                admit(exclusive);
                return;
            }
            waiter = new Waiter(exclusive, new Completion<>());
            queue.addLast(waiter);
        } finally {
            lock.unlock();
        }
        try {
            waits.await(waiter.turn);
        } catch (FsException interrupted) {
            withdraw(waiter);
            throw interrupted;
        }
    }

    private void withdraw(Waiter waiter) {
        boolean was;
        lock.lock();
        try {
            was = queue.remove(waiter);
        } finally {
            lock.unlock();
        }
        if (!was) {
            leave();
        } else {
            wake();
        }
    }

    private void leave() {
        lock.lock();
        try {
            passing = passing < 0 ? 0 : passing - 1;
        } finally {
            lock.unlock();
        }
        wake();
    }

    private void wake() {
        while (true) {
            Waiter next;
            lock.lock();
            try {
                next = queue.peekFirst();
                if (next == null || !admits(next.exclusive)) {
                    return;
                }
                queue.removeFirst();
                admit(next.exclusive);
            } finally {
                lock.unlock();
            }
            next.turn.complete(null);
        }
    }

    @GuardedBy("lock")
    private boolean admits(boolean exclusive) {
        return exclusive ? passing == 0 : passing >= 0;
    }

    @GuardedBy("lock")
    private void admit(boolean exclusive) {
        passing = exclusive ? -1 : passing + 1;
    }
}
