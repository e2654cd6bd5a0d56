// SPDX-License-Identifier: Apache-2.0
package io.netfs4j.pagecache;

import io.netfs4j.base.Completion;
import io.netfs4j.base.GuardedBy;

import org.jspecify.annotations.Nullable;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.locks.ReentrantLock;

/**
 * Lets those through who need room, first come first served. Room has no tokens here: whoever is at
 * the head tries, and tries again when something was freed.
 *
 * <p><b>Threads</b>: any; its lock is a leaf. Turns are announced on the thread that freed
 * something. While nobody waits nothing is locked: who frees counts the event and then looks
 * whether anybody waits, who is about to wait says so and then looks at the count, so that one of
 * them sees the other.
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
            if (turn == null && !occupied) {
                seen = events.get();
                return null;
            }
            lock.lock();
            try {
                if (turn == null && !queued && !queue.isEmpty()) {
                    turn = new Completion<>();
                    queue.addLast(this);
                    queued = true;
                    occupied = true;
                }
                Completion<@Nullable Void> pending = turn;
                if (pending != null && !pending.isDone()) {
                    return pending;
                }
                turn = null;
                seen = events.get();
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
                occupied = true;
                if (seen == events.get()) {
                    turn = new Completion<>();
                }
            } finally {
                lock.unlock();
            }
        }

        /** Done, or given up: the next one's turn. */
        @Override
        public void close() {
            if (!queued) {
                return;
            }
            Completion<@Nullable Void> next;
            lock.lock();
            try {
                queue.remove(this);
                queued = false;
                occupied = !queue.isEmpty();
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

    /** Whether the queue holds anybody; changes with the lock held. */
    private volatile boolean occupied;

    /** How often something was freed. */
    private final AtomicLong events = new AtomicLong();

    public Ticket enter() {
        return new Ticket();
    }

    /** Something was freed. */
    public void freed() {
        events.incrementAndGet();
        if (!occupied) {
            return;
        }
        Completion<@Nullable Void> next;
        lock.lock();
        try {
            next = headTurn();
        } finally {
            lock.unlock();
        }
        if (next != null) {
            next.complete(null);
        }
    }

    /** Has the first try again, and those behind it look whether they still want to wait. */
    public void stir() {
        freed();
        List<Completion<@Nullable Void>> left = new ArrayList<>();
        lock.lock();
        try {
            for (Ticket ticket : queue) {
                Completion<@Nullable Void> pending = ticket.turn;
                if (ticket != queue.peekFirst() && pending != null && !pending.isDone()) {
                    left.add(pending);
                    ticket.turn = new Completion<>();
                }
            }
        } finally {
            lock.unlock();
        }
        left.forEach(turn -> turn.complete(null));
    }

    public int waiting() {
        if (!occupied) {
            return 0;
        }
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
