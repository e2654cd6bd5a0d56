// SPDX-License-Identifier: Apache-2.0
package io.netfs4j.engine;

import io.netfs4j.base.FsError;
import io.netfs4j.base.FsException;
import io.netfs4j.base.GuardedBy;
import io.netfs4j.base.Segment;
import io.netfs4j.request.Origin;
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

    @GuardedBy("inode lock")
    private int subrequests;

    WriteOffers(WriteRequest request) {
        this.request = request;
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
        if (stream.lacksCredit()) {
            // Nor may it keep others waiting behind it for a share that it cannot use now.
            if (stream.isUpload()) {
                request.engine().inFlight().forget(request);
            }
            return 0;
        }
        InFlight share =
                stream.isUpload() ? request.engine().inFlight() : request.engine().cacheInFlight();
        boolean admitted =
                stream.isUpload()
                        ? share.tryAcquire(count, 1, request)
                        : share.tryAcquireNow(count, 1);
        if (!admitted) {
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
                        (sub, termination) ->
                                terminated(stream, share, piece, sub, termination, trace));
        if (!stream.offer(piece, subrequest, request::post)) {
            share.release(count, 1);
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
        share.release(count - piece.length, 0);
        if (stream.isUpload()) {
            request.engine().counters().add(Counter.UPLOAD_REQUESTS, 1);
        }
        return piece.length;
    }

    /** How much may be in one more piece, by the limits of one request. */
    @GuardedBy("inode lock")
    private long uploadable(WriteStream stream, long position) {
        if (stream.inFlight() >= request.engine().limits().throttle().requestPiecesMax()) {
            return 0;
        }
        if (request.origin != Origin.UNBUFFERED) {
            return Long.MAX_VALUE;
        }
        // Past the end one after the other: a failure in between must not leave a hole.
        if (position >= request.baseBytes) {
            return stream.inFlight() > 0 ? 0 : Long.MAX_VALUE;
        }
        return stream.ceiling(request.baseBytes) - position;
    }

    /** Called by the back end, on any thread, perhaps inside issue. */
    private void terminated(
            WriteStream stream,
            InFlight share,
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
        share.release(subrequest.length(), 1);
        stream.terminated();
        request.post();
    }
}
