// SPDX-License-Identifier: Apache-2.0
package io.netfs4j.engine;

import io.netfs4j.base.FsError;
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
        if (request.retry.timerSet) {
            return;
        }
        boolean disconnected = false;
        Termination.RetryLater patience = null;
        boolean progress = false;
        for (IoStream stream : request.streams) {
            for (Piece p : pieces(stream)) {
                if (p.termination instanceof Termination.RetryLater r) {
                    disconnected |= r.disconnected();
                    patience =
                            patience == null || r.afterNanos() > patience.afterNanos()
                                    ? r
                                    : patience;
                }
                progress |= p.termination instanceof Termination.Short;
            }
        }
        if (patience == null || progress) {
            request.retry.attempts = 0;
            request.retry.due = patience == null;
            if (patience == null) {
                return;
            }
        }
        Engine engine = request.engine();
        int attempt = disconnected ? ++request.retry.disconnects : ++request.retry.attempts;
        if (!disconnected && attempt > engine.limits().attemptsMax()) {
            giveUp(request, patience.cause());
            return;
        }
        long nanos = Math.max(patience.afterNanos(), engine.retryPauseNanos(attempt));
        request.retry.timerSet = true;
        // While it waits it takes no share, and must not keep others waiting behind it for one.
        engine.inFlight().forget(request);
        engine.after(
                nanos,
                () -> {
                    request.inode().lock().lock();
                    try {
                        request.retry.timerSet = false;
                        request.retry.due = true;
                    } finally {
                        request.inode().lock().unlock();
                    }
                    request.post();
                });
    }

    private static void giveUp(WriteRequest request, FsException cause) {
        request.retry.needed = false;
        request.fail(
                new FsException(
                        cause.error() == FsError.EAGAIN ? FsError.EIO : cause.error(),
                        request.engine().limits().attemptsMax()
                                + " attempts without progress: "
                                + cause.getMessage(),
                        cause));
        WriteCollector.collect(request);
    }

    /** Turns what is left of each piece that needs it into spans, joining those that touch. */
    private static void rebuild(WriteRequest request) {
        for (IoStream stream : request.streams) {
            for (Piece p : pieces(stream)) {
                if (!p.needsRetry()) {
                    continue;
                }
                stream.pieces.remove(p.position);
                request.engine().counters().add(Counter.RETRIES, 1);
                long got = p.termination instanceof Termination.Short(long n) ? n : 0;
                if (got > 0) {
                    WriteCollector.transferred(request, p, got);
                }
                add(
                        stream,
                        new IoStream.Span(p.position + got, p.segmentsAfter(got), p.length - got));
            }
        }
    }

    private static void add(IoStream stream, IoStream.Span span) {
        IoStream.Span last = stream.retries.peekLast();
        if (last != null && last.position + last.length == span.position) {
            List<Segment> joined = new ArrayList<>(last.segments);
            joined.addAll(span.segments);
            last.segments = joined;
            last.length += span.length;
        } else {
            stream.retries.addLast(span);
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

    private static List<Piece> pieces(IoStream stream) {
        List<Piece> all = new ArrayList<>(stream.pieces.size());
        for (Piece p = stream.pieces.first();
                p != null;
                p = stream.pieces.ceiling(p.position + 1)) {
            all.add(p);
        }
        return all;
    }
}
