// SPDX-License-Identifier: Apache-2.0
package io.netfs4j.engine;

import io.netfs4j.base.Completion;
import io.netfs4j.base.GuardedBy;

import org.jspecify.annotations.Nullable;

import java.util.ArrayDeque;

/**
 * Who may change what the server has of one file: a write request from its beginning until it is
 * collected and committed, a truncate, a copy on the server. Not a thread's lock: it names its
 * owner, passes on first come first served, and any thread may give it back. (After the kernel's
 * bit lock with a queue, fs/netfs/locking.c, v7.2.)
 *
 * <p><b>Threads</b>: everything with the inode's lock held. The turn is announced with that lock
 * held too, so whoever listens posts a step.
 */
public final class WritebackLock {
    private record Waiter(Object who, Completion<@Nullable Void> turn) {}

    @GuardedBy("inode lock")
    private @Nullable Object owner;

    @GuardedBy("inode lock")
    private final ArrayDeque<Waiter> queue = new ArrayDeque<>();

    /** Asks for the lock; the completion ends when {@code who} owns it. */
    public Completion<@Nullable Void> acquire(Object who) {
        if (owner == null) {
            owner = who;
            return Completion.done(null);
        }
        Waiter waiter = new Waiter(who, new Completion<>());
        queue.addLast(waiter);
        return waiter.turn;
    }

    /**
     * Gives it back, or gives up waiting for it.
     *
     * @throws IllegalStateException when {@code who} neither owns it nor waits for it
     */
    @SuppressWarnings("ReferenceEquality") // an owner is one object, whatever it calls equal
    public void release(Object who) {
        if (owner != who) {
            if (!queue.removeIf(waiter -> waiter.who == who)) {
                throw new IllegalStateException("write-back lock is not held by " + who);
            }
            return;
        }
        Waiter next = queue.pollFirst();
        owner = next == null ? null : next.who;
        if (next != null) {
            next.turn.complete(null);
        }
    }

    /** Passes it on to one who did not queue: what follows belongs to what was. */
    @SuppressWarnings("ReferenceEquality") // an owner is one object, whatever it calls equal
    void handOver(Object from, Object to) {
        if (owner != from) {
            throw new IllegalStateException("write-back lock is not held by " + from);
        }
        owner = to;
    }

    public boolean isFree() {
        return owner == null;
    }

    @SuppressWarnings("ReferenceEquality") // an owner is one object, whatever it calls equal
    boolean isHeldBy(Object who) {
        return owner == who;
    }
}
