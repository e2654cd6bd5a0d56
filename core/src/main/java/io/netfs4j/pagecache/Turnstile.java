// SPDX-License-Identifier: Apache-2.0
package io.netfs4j.pagecache;

import io.netfs4j.base.Completion;
import io.netfs4j.base.GuardedBy;

import org.jspecify.annotations.Nullable;

import java.util.ArrayDeque;
import java.util.concurrent.locks.ReentrantLock;

/**
 * Lets those through who need room, first come first served. Room has no tokens here: whoever is at
 * the head tries, and tries again when something was freed.
 *
 * <p><b>Threads</b>: any; its lock is a leaf. Turns are announced on the thread that freed
 * something.
 */
public final class Turnstile {
    /** One who needs room. Used by one thread. */
    public final class Ticket implements AutoCloseable {
        private @Nullable Completion<@Nullable Void> turn;
        private long seen;
        private boolean queued;

        private Ticket() {}

        /**
         * Call before each try.
         *
         * @return null to try now, else what to wait for first
         */
        public @Nullable Completion<@Nullable Void> beforeTry() {
            lock.lock();
            try {
                if (turn == null && !queued && !queue.isEmpty()) {
                    turn = new Completion<>();
                    queue.addLast(this);
                    queued = true;
                }
                Completion<@Nullable Void> pending = turn;
                if (pending != null && !pending.isDone()) {
                    return pending;
                }
                turn = null;
                seen = events;
                return null;
            } finally {
                lock.unlock();
            }
        }

        /**
         * The try found too little room: wait at the head, unless something was freed meanwhile.
         */
        public void failed() {
            lock.lock();
            try {
                if (!queued) {
                    queue.addFirst(this);
                    queued = true;
                }
                if (seen == events) {
                    turn = new Completion<>();
                }
            } finally {
                lock.unlock();
            }
        }

        /** Done, or given up: the next one's turn. */
        @Override
        public void close() {
            Completion<@Nullable Void> next;
            lock.lock();
            try {
                if (!queued) {
                    return;
                }
                queue.remove(this);
                queued = false;
                next = headTurn();
            } finally {
                lock.unlock();
            }
            if (next != null) {
                next.complete(null);
            }
        }
    }

    private final ReentrantLock lock = new ReentrantLock();

    @GuardedBy("lock")
    private final ArrayDeque<Ticket> queue = new ArrayDeque<>();

    @GuardedBy("lock")
    private long events;

    public Ticket enter() {
        return new Ticket();
    }

    /** Something was freed. */
    public void freed() {
        Completion<@Nullable Void> next;
        lock.lock();
        try {
            events++;
            next = headTurn();
        } finally {
            lock.unlock();
        }
        if (next != null) {
            next.complete(null);
        }
    }

    public int waiting() {
        lock.lock();
        try {
            return queue.size();
        } finally {
            lock.unlock();
        }
    }

    @GuardedBy("lock")
    private @Nullable Completion<@Nullable Void> headTurn() {
        Ticket head = queue.peekFirst();
        return head == null ? null : head.turn;
    }
}
