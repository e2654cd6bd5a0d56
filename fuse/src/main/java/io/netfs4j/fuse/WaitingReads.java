// SPDX-License-Identifier: Apache-2.0
package io.netfs4j.fuse;

import io.netfs4j.vfs.KernelCache;

import org.jspecify.annotations.Nullable;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicReference;

/**
 * The READ requests that wait for the file system, for as long as a server hangs if need be.
 *
 * <p>The kernel keeps the pages that it reads into locked until it has the answer. Told of one of
 * them, it makes the teller wait for that, whom no signal ends, and an unmount for the teller
 * (fs/fuse/dev.c, fc->killsb); and what is read ahead nobody gives up, not even when all who used
 * the mount have gone. So the kernel is told of the pages around, and of the others later:
 *
 * <pre>
 *   invalidate --> told now    [---)   [-----)     [----...
 *                  reads           [ a )     [  b  )     each noted anew when it is answered
 * </pre>
 *
 * A read that the kernel had sent by then, and that was only taken afterwards, is not told around.
 * It is interrupted when it takes longer than {@link #PATIENCE_NANOS}: whoever wants the bytes
 * still asks again.
 *
 * <p><b>Limits</b>: one entry for each request that is in hand.
 *
 * <p><b>Threads</b>: any, but one alone tells; none of the methods wait.
 */
final class WaitingReads {
    /**
     * For how long a read may keep the kernel from taking in what it is told. A program may see an
     * interrupted call then, so it is longer than servers take to answer.
     */
    static final long PATIENCE_NANOS = 10_000_000_000L;

    private static final long PAGE_BYTES = 4096;

    private final KernelCache later;
    private final long patienceNanos;
    private final Set<Read> reads = ConcurrentHashMap.newKeySet();

    /** What the kernel is being told; null in between. */
    private volatile @Nullable Telling telling;

    /**
     * @param later told what the kernel has not been told for a read, once that is answered
     */
    WaitingReads(KernelCache later, long patienceNanos) {
        this.later = later;
        this.patienceNanos = patienceNanos;
    }

    private enum State {
        WAITING,
        /** The kernel is to be told of its pages when they are there. */
        OUTDATED,
        ANSWERED
    }

    private static final class Telling {
        private final long ino;
        private final InvalidRange range;
        private volatile boolean over;

        Telling(long ino, InvalidRange range) {
            this.ino = ino;
            this.range = range;
        }
    }

    /** One that waits. */
    final class Read {
        private final long ino;

        /* Whole pages, as the kernel locks them. */
        private final long from;
        private final long to;
        private final AtomicReference<State> state = new AtomicReference<>(State.WAITING);

        /** Completes when it has taken too long, or is answered. */
        final CompletableFuture<Void> patience = new CompletableFuture<>();

        private Read(long ino, long position, int bytes) {
            this.ino = ino;
            from = position & -PAGE_BYTES;
            long end = position + bytes + PAGE_BYTES - 1;
            to = end < 0 ? Long.MAX_VALUE : end & -PAGE_BYTES;
        }

        private boolean isWithin(long otherIno, InvalidRange range) {
            return ino == otherIno && from < range.end() && range.position() < to;
        }

        /**
         * @return false when it is answered already
         */
        private boolean outdate() {
            return state.compareAndSet(State.WAITING, State.OUTDATED)
                    || state.get() == State.OUTDATED;
        }

        private void interruptUnless(Telling over) {
            Thread waits = Thread.currentThread();
            CompletableFuture<Void> unused =
                    patience.completeOnTimeout(null, patienceNanos, TimeUnit.NANOSECONDS)
                            .thenRun(() -> {
                                if (!over.over && state.get() != State.ANSWERED) {
                                    waits.interrupt();
                                }
                            });
        }

        /** It is answered, or about to be. */
        void ended() {
            reads.remove(this);
            State last = state.getAndSet(State.ANSWERED);
            patience.complete(null);
            if (last == State.OUTDATED) {
                later.invalidate(ino, from, to - from);
            }
        }
    }

    /** The calling thread is about to wait for what a request reads through the kernel's cache. */
    Read begin(long ino, long position, int bytes) {
        Read read = new Read(ino, position, bytes);
        // In this order: what is not seen by whoever begins to tell sees that they do.
        reads.add(read);
        Telling now = telling;
        if (now != null && read.isWithin(now.ino, now.range)) {
            read.interruptUnless(now);
        }
        return read;
    }

    /**
     * The kernel is about to be told of a range, until {@link #told}.
     *
     * @return the parts that it can be told of now, in order; its attributes alone if there are
     *     none
     */
    List<InvalidRange> tell(long ino, InvalidRange range) {
        telling = new Telling(ino, range);
        List<Read> within = new ArrayList<>();
        for (Read read : reads) {
            if (read.isWithin(ino, range) && read.outdate()) {
                within.add(read);
            }
        }
        within.sort(Comparator.comparingLong(read -> read.from));
        List<InvalidRange> parts = new ArrayList<>();
        long at = range.position();
        for (Read read : within) {
            if (at < read.from) {
                parts.add(InvalidRange.between(at, read.from));
            }
            at = Math.max(at, read.to);
        }
        if (at < range.end()) {
            parts.add(InvalidRange.between(at, range.end()));
        }
        return parts.isEmpty() ? List.of(InvalidRange.ATTRIBUTES_ALONE) : parts;
    }

    boolean isTelling() {
        return telling != null;
    }

    /** The kernel has taken in what was told last. */
    void told() {
        Telling last = telling;
        telling = null;
        if (last != null) {
            last.over = true;
        }
    }
}
