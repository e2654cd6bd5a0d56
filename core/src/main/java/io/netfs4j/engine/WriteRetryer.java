// SPDX-License-Identifier: Apache-2.0
package io.netfs4j.engine;

import io.netfs4j.base.FsError;
import io.netfs4j.base.FsException;
import io.netfs4j.base.GuardedBy;
import io.netfs4j.base.Segment;
import io.netfs4j.request.Origin;
import io.netfs4j.request.Termination;
import io.netfs4j.trace.Counters.Counter;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;

/**
 * Sends to the server again what was not transferred, and no byte more. It acts when nothing of the
 * upload is in flight: then it joins what is left of neighbouring pieces, and offers it anew, so
 * that the destination's limits of this moment decide how it is cut. The issuer rests meanwhile.
 *
 * <p>A short write goes on at once, unless not even a granule of it arrived. An answer that asks
 * for patience is waited for with exponential back-off, and counts: after too many without progress
 * the pieces fail. A lost connection is waited for in the same way, and does not count.
 *
 * <p>The stream to the disk cache is never retried: see {@link CacheStream}.
 */
final class WriteRetryer {
    /** A short write that took less than a granule is no progress, and may be none for ever. */
    private static final Termination.RetryLater NOTHING_TAKEN =
            new Termination.RetryLater(
                    false, 0, new FsException(FsError.EIO, "the server takes less than a granule"));

    /** Its memory within one request. */
    static final class Retries {
        final Patience patience = new Patience();

        /** Some piece at a front waits for the retryer. */
        boolean needed;

        /** Nothing has to be waited for any more. */
        boolean due;

        /** It ends for want of a connection, and goes on in another request. */
        boolean rests;

        /** A connection was lost since it was asked whose version the server has. */
        boolean unchecked;
    }

    private WriteRetryer() {}

    @GuardedBy("inode lock")
    static void retry(WriteRequest request) {
        WriteStream upload = request.upload();
        if (!request.retry.needed || upload == null) {
            return;
        }
        if (request.cancelled) {
            request.retry.needed = false;
            WriteCollector.collect(request);
            return;
        }
        if (upload.inFlight() == 0 && !request.retry.due && isStopped(request, upload)) {
            pause(request, upload);
            if (request.retry.patience.isPausing() || !request.retry.needed) {
                return;
            }
        }
        if (request.retry.due) {
            request.retry.due = false;
            rebuild(request, upload);
        }
        reissue(request, upload);
        Piece front = upload.pieces.first();
        request.retry.needed = !upload.retries.isEmpty() || (front != null && front.needsRetry());
    }

    /**
     * Ends a request that waits for the connection with its memory in hand: another one follows,
     * which takes it up from the journal. A session whose bytes count all at once goes on, and so
     * does one that sends a caller's memory.
     */
    @GuardedBy("inode lock")
    static void rest(WriteRequest request) {
        WriteStream upload = request.upload();
        if (upload != null
                && !upload.atomic
                && request.origin != Origin.UNBUFFERED
                && upload.inFlight() == 0
                && !request.spans.isEmpty()
                && !request.cancelled) {
            request.retry.rests = true;
            request.cancel();
        }
    }

    /** Whether nothing may be offered again before what failed has been gone over. */
    @GuardedBy("inode lock")
    private static boolean isStopped(WriteRequest request, WriteStream upload) {
        Piece front = upload.pieces.first();
        boolean failed = front != null && front.needsRetry();
        boolean sequential = request.sequentialFrom() < Long.MAX_VALUE;
        return upload.retries.isEmpty() || (failed && sequential);
    }

    /** Decides how long to wait before the next attempt, and waits by posting a step. */
    @GuardedBy("inode lock")
    private static void pause(WriteRequest request, WriteStream upload) {
        if (request.retry.patience.isPausing()) {
            return;
        }
        List<Piece> pieces = upload.allPieces();
        boolean came = false;
        boolean stuck = false;
        for (Piece p : pieces) {
            boolean isShort = p.termination instanceof Termination.Short;
            came |= isShort && got(upload, p) > 0;
            stuck |= isShort && got(upload, p) == 0;
        }
        if (came) {
            request.retry.patience.progress();
        }
        Termination.RetryLater asked = Patience.askedBy(pieces);
        if (asked == null && stuck && !came) {
            asked = NOTHING_TAKEN;
        }
        if (asked == null) {
            request.retry.due = true;
            return;
        }
        Engine engine = request.engine();
        boolean disconnected = asked.disconnected();
        request.retry.unchecked |= disconnected;
        if (disconnected && request.origin != Origin.UNBUFFERED) {
            engine.flusher().onAnswered(request.inode(), false);
        }
        FsException hopeless =
                request.retry.patience.pause(
                        engine,
                        request.inode(),
                        asked,
                        () -> {
                            request.retry.due = true;
                            if (disconnected && !request.cancelled) {
                                request.checkBaseAgain();
                            }
                            request.post();
                        });
        if (hopeless != null) {
            request.retry.needed = false;
            request.fail(hopeless);
            WriteCollector.collect(request);
        }
    }

    /** Turns what is left of each piece that needs it into spans, joining those that touch. */
    @GuardedBy("inode lock")
    private static void rebuild(WriteRequest request, WriteStream upload) {
        List<IoStream.Span> spans = new ArrayList<>(upload.retries);
        upload.retries.clear();
        for (Piece p : upload.allPieces()) {
            if (!p.needsRetry()) {
                continue;
            }
            upload.pieces.remove(p.position);
            request.engine().counters().add(Counter.RETRIES, 1);
            long got = got(upload, p);
            if (got > 0) {
                WriteCollector.transferred(request, p, got);
            }
            spans.add(new IoStream.Span(p.position + got, p.segmentsAfter(got), p.length - got));
        }
        spans.sort(Comparator.comparingLong(span -> span.position));
        spans.forEach(upload::retry);
    }

    /** How many bytes of a piece count as transferred: a granule is sent whole or not at all. */
    private static long got(WriteStream upload, Piece p) {
        return p.termination instanceof Termination.Short(long n)
                ? Math.max(0, upload.floor(p.position + n) - p.position)
                : 0;
    }

    @GuardedBy("inode lock")
    private static void reissue(WriteRequest request, WriteStream upload) {
        IoStream.Span span;
        while ((span = upload.retries.peekFirst()) != null) {
            long count = Math.min(span.length, upload.estimate(span.position));
            List<Segment> offered =
                    count == span.length ? span.segments : Piece.slice(span.segments, 0, count);
            long taken = request.offers.offer(upload, span.position, offered, count);
            if (taken == 0) {
                return;
            }
            if (taken == span.length) {
                upload.retries.removeFirst();
            } else {
                span.drop(taken);
            }
        }
    }
}
