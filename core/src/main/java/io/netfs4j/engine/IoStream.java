// SPDX-License-Identifier: Apache-2.0
package io.netfs4j.engine;

import io.netfs4j.base.Segment;
import io.netfs4j.base.SortedLongMap;
import io.netfs4j.request.Destination;
import io.netfs4j.request.Subrequest;

import org.jspecify.annotations.Nullable;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicBoolean;

/**
 * One destination inside a request: a row of pieces in ascending order that do not overlap, with
 * gaps of its own.
 *
 * <pre>
 *   collected      | pieces (issued, not collected) | gathered |   not walked yet
 *   ---------------+--[   ]---[  ][    ]--gap--[  ]-+==========+--------------------
 *             collectedTo                                   issuedTo of the request
 * </pre>
 *
 * Everything but the lists is derived: where it stands follows from what is left in it.
 *
 * <p><b>Threads</b>: with the inode's lock held.
 */
final class IoStream {
    /** Bytes to send again: contiguous, in file order. */
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

    private final List<Segment> gathered = new ArrayList<>();
    private long gatheredFrom;
    private long gatheredBytes;

    /** Set by the destination when it may take something again; null when it did not refuse. */
    private @Nullable AtomicBoolean credit;

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
        // Linked before it is issued: it may have ended before issue returns.
        pieces.put(piece.position, piece);
        AtomicBoolean granted = new AtomicBoolean();
        boolean taken =
                destination.issue(
                        subrequest,
                        () -> {
                            granted.set(true);
                            whenReady.run();
                        });
        if (!taken && piece.termination == null) {
            pieces.remove(piece.position);
            credit = granted;
            if (granted.get()) {
                whenReady.run();
            }
            return false;
        }
        piece.length = subrequest.length();
        return true;
    }

    /** The pieces in order. */
    List<Piece> allPieces() {
        List<Piece> all = new ArrayList<>(pieces.size());
        for (Piece p = pieces.first(); p != null; p = pieces.ceiling(p.position + 1)) {
            all.add(p);
        }
        return all;
    }

    /** Puts a span behind those to be sent again, joined to the last where it follows on. */
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

    long gatheredFrom() {
        return gatheredFrom;
    }

    long gatheredBytes() {
        return gatheredBytes;
    }

    long gatheredEnd() {
        return gatheredFrom + gatheredBytes;
    }

    List<Segment> gathered() {
        return gathered;
    }

    void gather(long position, Segment segment) {
        if (gatheredBytes == 0) {
            gatheredFrom = position;
        } else if (position != gatheredEnd()) {
            throw new IllegalStateException(
                    name + ": gathers " + position + " after " + gatheredEnd());
        }
        gathered.add(segment);
        gatheredBytes += segment.length();
    }

    /** The first {@code count} gathered bytes were issued. */
    void dropGathered(long count) {
        if (count == gatheredBytes) {
            gathered.clear();
        } else {
            List<Segment> rest = Piece.slice(gathered, count, gatheredBytes - count);
            gathered.clear();
            gathered.addAll(rest);
        }
        gatheredFrom += count;
        gatheredBytes -= count;
    }

    boolean lacksCredit() {
        if (credit != null && credit.get()) {
            credit = null;
        }
        return credit != null;
    }

    boolean isIdle() {
        return pieces.isEmpty() && retries.isEmpty() && gatheredBytes == 0;
    }

    /** Everything of this stream below it is done with; {@code issuedTo} when nothing is left. */
    long collectedTo(long issuedTo) {
        long to = gatheredBytes > 0 ? gatheredFrom : issuedTo;
        Piece first = pieces.first();
        if (first != null) {
            to = Math.min(to, first.position);
        }
        Span retry = retries.peekFirst();
        return retry == null ? to : Math.min(to, retry.position);
    }
}
