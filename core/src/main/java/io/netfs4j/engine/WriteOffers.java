// SPDX-License-Identifier: Apache-2.0
package io.netfs4j.engine;

import io.netfs4j.base.FsError;
import io.netfs4j.base.FsException;
import io.netfs4j.base.GuardedBy;
import io.netfs4j.base.Segment;
import io.netfs4j.request.Subrequest;
import io.netfs4j.request.Termination;
import io.netfs4j.trace.Counters.Counter;
import io.netfs4j.trace.SubrequestEvent;

import java.util.List;

/**
 * Offers the pieces of one write request to their destinations, within the limits on what may be
 * under way, and takes note of how they end.
 */
final class WriteOffers {
    private final WriteRequest request;

    /** The request's own pieces to the server, against the limits of one request. */
    private final InFlight own;

    /** Where it waits for a share of what all requests may have under way. */
    final InFlight.Turn turn;

    @GuardedBy("inode lock")
    private int subrequests;

    WriteOffers(WriteRequest request, EngineLimits.Throttle throttle) {
        this.request = request;
        this.own = new InFlight(throttle.requestBytesMax(), throttle.requestPiecesMax());
        this.turn = request.engine().inFlight().new Turn(request);
    }

    /** How many pieces were offered. */
    @GuardedBy("inode lock")
    int count() {
        return subrequests;
    }

    /**
     * Offers bytes to a stream's destination. What it takes becomes a piece in flight.
     *
     * @return how many bytes it took; 0 when it lacks credit or too much is in flight: the request
     *     is posted when that changes, unless the stream is the cache's
     */
    @GuardedBy("inode lock")
    long offer(WriteStream stream, long position, List<Segment> segments, long bytes) {
        long count = stream.isUpload() ? Math.min(bytes, uploadable(stream, position)) : bytes;
        if (count == 0) {
            return 0;
        }
        if (stream.lacksCredit() || !admits(stream, count)) {
            return 0;
        }
        List<Segment> offered =
                count == bytes ? List.copyOf(segments) : Piece.slice(segments, 0, count);
        Piece piece = new Piece(position, offered, count);
        SubrequestEvent trace = new SubrequestEvent();
        trace.begin();
        Subrequest subrequest =
                new Subrequest(
                        request.id(),
                        subrequests++,
                        Subrequest.Direction.WRITE,
                        position,
                        piece.segments,
                        (sub, termination) -> terminated(stream, piece, sub, termination, trace));
        if (!stream.offer(piece, subrequest, request::post)) {
            release(stream, count, 1);
            return 0;
        }
        if (piece.length % stream.granule != 0 && piece.length < count) {
            request.fail(
                    new FsException(
                            FsError.EPROTO,
                            stream.name
                                    + " takes "
                                    + piece.length
                                    + " bytes in granules of "
                                    + stream.granule));
        }
        release(stream, count - piece.length, 0);
        if (stream.isUpload()) {
            request.engine().counters().add(Counter.UPLOAD_REQUESTS, 1);
        }
        return piece.length;
    }

    /**
     * Takes a share of what may be under way, of the request's and the mount's; or of the cache's.
     */
    private boolean admits(WriteStream stream, long count) {
        if (!stream.isUpload()) {
            return !request.engine().cacheBreaker().isTripped()
                    && request.engine().cacheInFlight().tryAcquireNow(count, 1);
        }
        if (!own.tryAcquireNow(count, 1)) {
            return false;
        }
        if (turn.tryAcquire(count, 1)) {
            return true;
        }
        own.release(count, 1);
        return false;
    }

    private void release(WriteStream stream, long count, int pieces) {
        if (stream.isUpload()) {
            own.release(count, pieces);
            request.engine().inFlight().release(count, pieces);
        } else {
            request.engine().cacheInFlight().release(count, pieces);
        }
    }

    /** How much may be in one more piece: some go one after the other. */
    @GuardedBy("inode lock")
    private long uploadable(WriteStream stream, long position) {
        long from = request.sequentialFrom();
        if (position < from) {
            return from == Long.MAX_VALUE ? from : stream.ceiling(from) - position;
        }
        // One that has ended and is not collected may have failed.
        return stream.pieces.isEmpty() ? Long.MAX_VALUE : 0;
    }

    /** Called by the back end, on any thread, perhaps inside issue. */
    private void terminated(
            WriteStream stream,
            Piece piece,
            Subrequest subrequest,
            Termination termination,
            SubrequestEvent trace) {
        if (trace.shouldCommit()) {
            trace.debugId = subrequest.debugId();
            trace.stream = stream.name;
            trace.position = subrequest.position();
            trace.length = subrequest.length();
            trace.outcome = termination.toString();
            trace.commit();
        }
        piece.termination = termination;
        release(stream, subrequest.length(), 1);
        stream.terminated();
        request.post();
    }
}
