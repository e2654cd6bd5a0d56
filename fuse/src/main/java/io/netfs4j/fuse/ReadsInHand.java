// SPDX-License-Identifier: Apache-2.0
package io.netfs4j.fuse;

import org.jspecify.annotations.Nullable;

import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;

/**
 * The READ requests that were taken and not answered yet, for each inode that is open, and whether
 * the kernel will understand their answers.
 *
 * <p>A reply that is shorter than what was asked for makes the kernel cut its own idea of the
 * file's size, unless it has heard of the inode after it had sent the request, be it attributes or
 * that they are old: then it believes in the size that it has, and fills up with zeros
 * (fs/fuse/file.c, fuse_short_read and fuse_read_update_size). Where another client has cut the
 * file, those would be shown as its bytes. So the kernel is told of a change between reads, and a
 * read whose answer it would not understand is to be asked again.
 *
 * <p><b>Threads</b>: any; only {@link #awaitNone} waits.
 */
final class ReadsInHand {
    /** A request may have been sent by so much before it was taken. */
    static final long UNDERWAY_NANOS = 100_000_000L;

    /** The same for pages: the time in which programs may see an interrupted call. */
    static final long PAGE_UNDERWAY_NANOS = 5_000_000L;

    /** So soon the kernel asks again, if somebody still wants the bytes. */
    static final long AGAIN_NANOS = 20_000_000L;

    private static final long LONG_AGO_NANOS = 3_600_000_000_000L;

    private static final int PAGE_BYTES = 4096;

    private final ConcurrentHashMap<Long, Count> counts = new ConcurrentHashMap<>();
    private final ReentrantLock lock = new ReentrantLock();
    private final Condition none = lock.newCondition();

    /**
     * A read that is about to be answered with fewer bytes than it asked for. Times are of {@link
     * System#nanoTime}.
     *
     * @param bytes asked for
     * @param beyond it begins behind the end of the file
     * @param takenNanos when it was taken
     * @param openedNanos when its file was opened
     */
    record ShortAnswer(
            long position, int bytes, boolean beyond, long takenNanos, long openedNanos) {
        private boolean isLargerThanAPage() {
            return bytes > PAGE_BYTES;
        }

        /** When it was sent at the earliest, by what is known of it alone. */
        private long sentNanos() {
            long underway = isLargerThanAPage() ? UNDERWAY_NANOS : PAGE_UNDERWAY_NANOS;
            return Math.max(openedNanos - takenNanos, -underway) + takenNanos;
        }
    }

    /** Reads that were refused, one next to the other, and when the first of them was. */
    private record Refusal(long nanos, long from, long to) {
        Refusal and(Refusal later) {
            boolean soon = later.nanos - nanos < AGAIN_NANOS;
            return soon && later.from <= to && from <= later.to
                    ? new Refusal(nanos, Math.min(from, later.from), Math.max(to, later.to))
                    : later;
        }

        boolean isLargerThan(long position, int bytes) {
            return from <= position && position + bytes <= to && bytes < to - from;
        }
    }

    /** The reads of one inode. */
    final class Count {
        private final long ino;
        private final AtomicInteger reads = new AtomicInteger();
        private volatile boolean awaited;

        /* Times of System.nanoTime. */
        private volatile long attributesNanos = longAgo();
        private volatile long oldAttributesNanos = longAgo();
        private volatile long shrankNanos = longAgo();
        private volatile long toldNanos = longAgo();
        private volatile long againUntilNanos = longAgo();

        /** What is asked for again, or was. */
        private final AtomicReference<@Nullable Refusal> refused = new AtomicReference<>();

        /** Changed within {@link ConcurrentHashMap#compute} only. */
        private int opens;

        private Count(long ino) {
            this.ino = ino;
        }

        void began() {
            reads.incrementAndGet();
        }

        void answered() {
            if (reads.decrementAndGet() == 0 && awaited) {
                wake();
            }
        }

        /**
         * Whether the kernel would not take a short answer for the end of the file, which another
         * client has cut: then it is to hear an error in its place. After that it asks anew, page
         * by page, unless what failed was a page alone: of that programs see an interrupted call,
         * so it is the last resort.
         */
        boolean refuses(ShortAnswer answer) {
            boolean again = answer.beyond && answer.isLargerThanAPage();
            if (hasShrunkSince(answer.takenNanos - UNDERWAY_NANOS)) {
                again |= isConfusedSince(sentAfter(answer));
            }
            if (again) {
                expectAgain(answer);
            } else {
                endTold(answer.beyond);
            }
            return again;
        }

        /** Whether the file has become shorter since a time, as far as is known. */
        private boolean hasShrunkSince(long nanos) {
            return shrankNanos - nanos >= 0;
        }

        /** Whether the kernel has heard of a size, or that its own is old, since a time. */
        private boolean isConfusedSince(long nanos) {
            return oldAttributesNanos - nanos >= 0 || toldNanos - nanos >= 0;
        }

        /**
         * When a read was sent at the earliest. One of what was refused in a larger read is that
         * read's repetition: were it refused, too, for what was heard before, programs would see an
         * interrupted call, or a fault of their memory, after every cut.
         */
        private long sentAfter(ShortAnswer answer) {
            long nanos = answer.sentNanos();
            Refusal last = refused.get();
            if (last == null || !last.isLargerThan(answer.position, answer.bytes)) {
                return nanos;
            }
            return last.nanos - nanos > 0 ? last.nanos : nanos;
        }

        /** A read is about to be refused: it will be asked again, and no news goes in between. */
        private void expectAgain(ShortAnswer answer) {
            long end = answer.position + answer.bytes;
            Refusal another = new Refusal(System.nanoTime(), answer.position, end);
            refused.accumulateAndGet(another, (last, a) -> last == null ? a : last.and(a));
            againUntilNanos = another.nanos + AGAIN_NANOS;
        }

        /** A short answer is about to be given. */
        private void endTold(boolean beyond) {
            againUntilNanos = longAgo();
            if (beyond) {
                toldNanos = System.nanoTime();
                shrankNanos = toldNanos;
            }
        }

        /** The file is closed. */
        void close() {
            counts.compute(ino, (key, known) -> --opens == 0 ? null : known);
        }

        /** For how long nothing is to be told, if no read is answered before; 0 if for no time. */
        private long busyNanos() {
            long again = againUntilNanos - System.nanoTime();
            return reads.get() > 0 ? Long.MAX_VALUE : Math.max(0, again);
        }
    }

    private static long longAgo() {
        return System.nanoTime() - LONG_AGO_NANOS;
    }

    private void wake() {
        lock.lock();
        try {
            none.signalAll();
        } finally {
            lock.unlock();
        }
    }

    /** The count of an inode that is opened once more; to be closed as often. */
    Count open(long ino) {
        return counts.compute(
                ino,
                (key, known) -> {
                    Count count = known == null ? new Count(ino) : known;
                    count.opens++;
                    return count;
                });
    }

    /** The file has been found shorter than the kernel was told last. */
    void shrank(long ino) {
        Count count = counts.get(ino);
        if (count != null) {
            count.oldAttributesNanos = count.attributesNanos;
            count.shrankNanos = System.nanoTime();
        }
    }

    /** The kernel is about to be given attributes of an inode. */
    void attributes(long ino) {
        Count count = counts.get(ino);
        if (count != null) {
            count.attributesNanos = System.nanoTime();
        }
    }

    /** The kernel is about to be told that what it knows of an inode is old. */
    void telling(long ino) {
        Count count = counts.get(ino);
        if (count != null) {
            count.toldNanos = System.nanoTime();
        }
    }

    boolean any(long ino) {
        Count count = counts.get(ino);
        return count != null && count.busyNanos() > 0;
    }

    /**
     * Waits until there are none of an inode, or until the time is over.
     *
     * @param nanos at most
     * @return what is left of the time; 0 or less when it is over
     */
    long awaitNone(long ino, long nanos) {
        Count count = counts.get(ino);
        if (count == null) {
            return nanos;
        }
        long end = System.nanoTime() + nanos;
        lock.lock();
        try {
            count.awaited = true;
            long left = nanos;
            long busy;
            while (left > 0 && (busy = count.busyNanos()) > 0) {
                none.awaitNanos(Math.min(left, busy));
                left = end - System.nanoTime();
            }
            return left;
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            return 0;
        } finally {
            count.awaited = false;
            lock.unlock();
        }
    }
}
