// SPDX-License-Identifier: Apache-2.0
package io.netfs4j.engine;

import io.netfs4j.base.FsException;
import io.netfs4j.base.GuardedBy;
import io.netfs4j.base.Segment;
import io.netfs4j.request.Termination;
import io.netfs4j.trace.Counters.Counter;

import java.util.ArrayList;
import java.util.List;

/**
 * Sends again what was not transferred, and no byte more. It acts when nothing of the request is in
 * flight: then it joins what is left of neighbouring pieces, and offers it anew, so that the
 * destination's limits of this moment decide how it is cut. The issuer rests meanwhile.
 *
 * <p>A short write goes on at once. An answer that asks for patience is waited for with exponential
 * back-off, and counts: after too many without progress the pieces fail. A lost connection is
 * waited for in the same way, and does not count.
 */
final class WriteRetryer {
    private WriteRetryer() {}

    @GuardedBy("inode lock")
    static void retry(WriteRequest request) {
        if (!request.retry.needed) {
            return;
        }
        if (request.cancelled) {
            request.retry.needed = false;
            WriteCollector.collect(request);
            return;
        }
        if (request.inFlight() == 0 && !request.retry.due && !hasSpans(request)) {
            pause(request);
        }
        if (request.retry.due) {
            request.retry.due = false;
            rebuild(request);
        }
        if (hasSpans(request)) {
            reissue(request);
        }
        request.retry.needed = hasSpans(request) || frontNeedsRetry(request);
    }

    private static boolean frontNeedsRetry(WriteRequest request) {
        for (IoStream stream : request.streams) {
            Piece front = stream.pieces.first();
            if (front != null && front.needsRetry()) {
                return true;
            }
        }
        return false;
    }

    private static boolean hasSpans(WriteRequest request) {
        for (IoStream stream : request.streams) {
            if (!stream.retries.isEmpty()) {
                return true;
            }
        }
        return false;
    }

    /** Decides how long to wait before the next attempt, and waits by posting a step. */
    private static void pause(WriteRequest request) {
        if (request.retry.patience.isPausing()) {
            return;
        }
        List<Piece> pieces = new ArrayList<>();
        request.streams.forEach(stream -> pieces.addAll(stream.allPieces()));
        if (pieces.stream().anyMatch(p -> p.termination instanceof Termination.Short)) {
            request.retry.patience.progress();
        }
        Termination.RetryLater asked = Patience.askedBy(pieces);
        if (asked == null) {
            request.retry.due = true;
            return;
        }
        Engine engine = request.engine();
        FsException hopeless =
                request.retry.patience.pause(
                        engine,
                        request.inode(),
                        asked,
                        () -> {
                            request.retry.due = true;
                            request.post();
                        });
        if (hopeless != null) {
            request.retry.needed = false;
            request.fail(hopeless);
            WriteCollector.collect(request);
            return;
        }
        // While it waits it takes no share, and must not keep others waiting behind it for one.
        engine.inFlight().forget(request);
    }

    /** Turns what is left of each piece that needs it into spans, joining those that touch. */
    private static void rebuild(WriteRequest request) {
        for (IoStream stream : request.streams) {
            for (Piece p : stream.allPieces()) {
                if (!p.needsRetry()) {
                    continue;
                }
                stream.pieces.remove(p.position);
                request.engine().counters().add(Counter.RETRIES, 1);
                long got = p.termination instanceof Termination.Short(long n) ? n : 0;
                if (got > 0) {
                    WriteCollector.transferred(request, p, got);
                }
                stream.retry(
                        new IoStream.Span(p.position + got, p.segmentsAfter(got), p.length - got));
            }
        }
    }

    private static void reissue(WriteRequest request) {
        for (IoStream stream : request.streams) {
            IoStream.Span span;
            while ((span = stream.retries.peekFirst()) != null) {
                long most = Math.max(1, stream.destination.estimateBytes(span.position));
                long count = Math.min(span.length, most);
                List<Segment> offered =
                        count == span.length ? span.segments : Piece.slice(span.segments, 0, count);
                long taken = request.offer(stream, span.position, offered, count);
                if (taken == 0) {
                    return;
                }
                if (taken == span.length) {
                    stream.retries.removeFirst();
                } else {
                    span.drop(taken);
                }
            }
        }
    }
}
