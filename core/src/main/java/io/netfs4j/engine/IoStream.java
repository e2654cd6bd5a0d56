// SPDX-License-Identifier: Apache-2.0
package io.netfs4j.engine;

import io.netfs4j.base.FsException;
import io.netfs4j.base.Segment;
import io.netfs4j.base.SortedLongMap;
import io.netfs4j.request.Destination;
import io.netfs4j.request.Subrequest;
import io.netfs4j.request.Termination;

import org.jspecify.annotations.Nullable;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;

/**
 * One destination (or source) inside a request: a row of pieces in ascending order that do not
 * overlap, and what has to be asked for again.
 *
 * <p><b>Threads</b>: with the inode's lock held, but for the count of pieces in flight.
 */
class IoStream {
    /** What is offered to a destination that does not say what it takes. */
    private static final int ESTIMATE_BYTES = 1 << 16;

    /** Bytes to transfer, or to transfer again: contiguous, in file order. */
    static final class Span {
        long position;
        List<Segment> segments;
        long length;

        Span(long position, List<Segment> segments, long length) {
            this.position = position;
            this.segments = segments;
            this.length = length;
        }

        void drop(long count) {
            segments = Piece.slice(segments, count, length - count);
            position += count;
            length -= count;
        }
    }

    final String name;
    final Destination destination;
    final SortedLongMap<Piece> pieces = new SortedLongMap<>();
    final ArrayDeque<Span> retries = new ArrayDeque<>();
    private final AtomicInteger inFlight = new AtomicInteger();
    private final AtomicReference<@Nullable Runnable> whenIdle = new AtomicReference<>();

    /** Set by the destination when it may take something again; null when it did not refuse. */
    private @Nullable AtomicBoolean credit;

    private boolean throwsAtUs;

    IoStream(String name, Destination destination) {
        this.name = name;
        this.destination = destination;
    }

    /**
     * Offers a piece to the destination.
     *
     * @param whenReady called when it was refused and the destination may take something again
     * @return whether it was taken, perhaps in part: {@link Piece#length} says how much
     */
    boolean offer(Piece piece, Subrequest subrequest, Runnable whenReady) {
        // Linked and counted before it is issued: it may have ended before issue returns.
        pieces.put(piece.position, piece);
        inFlight.incrementAndGet();
        AtomicBoolean granted = new AtomicBoolean();
        boolean taken;
        try {
            taken =
                    destination.issue(
                            subrequest,
                            () -> {
                                granted.set(true);
                                whenReady.run();
                            });
        } catch (RuntimeException e) {
            taken = true;
            // However far it came; when it has ended already, this is nothing.
            subrequest.terminated(new Termination.Failed(thrown(e)));
        }
        if (!taken && piece.termination == null) {
            pieces.remove(piece.position);
            inFlight.decrementAndGet();
            credit = granted;
            if (granted.get()) {
                whenReady.run();
            }
            return false;
        }
        piece.length = subrequest.length();
        return true;
    }

    /** How many bytes its destination takes from a position on, at least 1. */
    long estimateBytes(long position) {
        try {
            return Math.max(1, destination.estimateBytes(position));
        } catch (RuntimeException e) {
            thrown(e); // It may say so of the piece, too.
            return ESTIMATE_BYTES;
        }
    }

    /** Logged once, for the pieces that come after it may fare no better. */
    private FsException thrown(RuntimeException e) {
        boolean first = !throwsAtUs;
        throwsAtUs = true;
        return first ? BackEnd.report(name, e) : BackEnd.failure(name, e);
    }

    /** A piece has ended. Any thread. */
    void terminated() {
        if (inFlight.decrementAndGet() == 0) {
            runWhenIdle();
        }
    }

    /** Runs something once, as soon as no piece is in flight; on any thread. */
    void onIdle(Runnable action) {
        whenIdle.set(action);
        if (inFlight.get() == 0) {
            runWhenIdle();
        }
    }

    private void runWhenIdle() {
        Runnable action = whenIdle.getAndSet(null);
        if (action != null) {
            action.run();
        }
    }

    /** Pieces issued and not ended. */
    int inFlight() {
        return inFlight.get();
    }

    /** The pieces in order. */
    List<Piece> allPieces() {
        List<Piece> all = new ArrayList<>(pieces.size());
        for (Piece p = pieces.first(); p != null; p = pieces.ceiling(p.position + 1)) {
            all.add(p);
        }
        return all;
    }

    /** Puts a span behind those to be transferred, joined to the last where it follows on. */
    void retry(Span span) {
        Span last = retries.peekLast();
        if (last != null && last.position + last.length == span.position) {
            List<Segment> joined =
                    last.segments instanceof ArrayList
                            ? last.segments
                            : new ArrayList<>(last.segments);
            joined.addAll(span.segments);
            last.segments = joined;
            last.length += span.length;
        } else {
            retries.addLast(span);
        }
    }

    boolean lacksCredit() {
        if (credit != null && credit.get()) {
            credit = null;
        }
        return credit != null;
    }

    boolean isIdle() {
        return pieces.isEmpty() && retries.isEmpty() && inFlight.get() == 0;
    }
}
