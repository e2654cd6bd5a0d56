// SPDX-License-Identifier: Apache-2.0
package io.netfs4j.engine;

import io.netfs4j.base.Segment;
import io.netfs4j.request.Destination;

import org.jspecify.annotations.Nullable;

import java.util.ArrayList;
import java.util.List;

/**
 * One destination inside a write request, with gaps and a granule of its own.
 *
 * <pre>
 *   collected      | pieces (issued, not collected) | gathered |   not fed yet
 *   ---------------+--[   ]---[  ][    ]--gap--[  ]-+==========+...........|-------
 *             collectedTo                                    fedTo      oweTo
 * </pre>
 *
 * A destination with a granule is always fed whole granules: once some byte of one was fed, the
 * stream is owed the others too ({@code oweTo}), clean ones from the page cache or the server.
 *
 * <p><b>Threads</b>: with the inode's lock held.
 */
final class WriteStream extends IoStream {
    /** What a stream is for, and so what a failure of it means. */
    enum Role {
        /** The server: what it does not take stays dirty. */
        UPLOAD,
        /** The disk cache: what it does not take is not cached, and nothing else happens. */
        CACHE
    }

    final Role role;

    /** The unit of its pieces, in bytes. */
    final long granule;

    /** Whether bytes count as sent only when the session was committed. */
    final boolean atomic;

    /** Where the last bytes ended that it was fed, or that it stepped over. */
    long fedTo;

    /** The end of the last granule that it was fed a part of. */
    long oweTo;

    /** Below this it is not fed: a granule that it could not be fed whole. */
    long skipTo;

    /** Of an atomic stream: the first byte fed, until it was committed; else Long.MAX_VALUE. */
    long heldFrom = Long.MAX_VALUE;

    /** Nobody waits for it any more. */
    boolean abandoned;

    /** Of a stream to the disk cache: looks whether that still answers. */
    @Nullable CacheWatch watch;

    /** Within one step of the walk: whether the next bytes are for it. */
    boolean isFedNext;

    /** Within one step of the issuer: whether its destination has just refused a piece. */
    boolean isHeldUp;

    private final List<Segment> gathered = new ArrayList<>();
    private long gatheredFrom;
    private long gatheredBytes;

    WriteStream(Role role, Destination destination, long granule, boolean atomic) {
        super(role == Role.UPLOAD ? "upload" : "cache", destination);
        this.role = role;
        this.granule = granule;
        this.atomic = atomic;
    }

    boolean isUpload() {
        return role == Role.UPLOAD;
    }

    long floor(long position) {
        return granule == 1 ? position : position - position % granule;
    }

    long ceiling(long position) {
        return granule == 1 ? position : floor(position + granule - 1);
    }

    /** About how many bytes are worth gathering from a position on: whole granules. */
    long estimate(long position) {
        return Math.max(granule, floor(estimateBytes(position)));
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

    /** How many of the gathered bytes are whole granules. */
    long offerable() {
        return oweTo > fedTo ? floor(gatheredEnd()) - gatheredFrom : gatheredBytes;
    }

    /** Feeds it the next bytes; what is owed after them is {@link #oweTo}'s business. */
    void gather(long position, Segment segment) {
        if (gatheredBytes == 0) {
            gatheredFrom = position;
        } else if (position != gatheredEnd()) {
            throw new IllegalStateException(
                    name + ": gathers " + position + " after " + gatheredEnd());
        }
        if (atomic) {
            heldFrom = Math.min(heldFrom, position);
        }
        gathered.add(segment);
        gatheredBytes += segment.length();
        fedTo = position + segment.length();
    }

    /** The first {@code count} gathered bytes were issued, or are not wanted. */
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

    /**
     * The granule around a position cannot be fed whole: what was gathered of it is dropped, and
     * the walk goes on behind it.
     *
     * @return where that granule begins
     */
    long skipGranule(long at) {
        long start = floor(at);
        if (gatheredBytes > 0 && gatheredEnd() > start) {
            List<Segment> kept = Piece.slice(gathered, 0, Math.max(0, start - gatheredFrom));
            gathered.clear();
            gathered.addAll(kept);
            gatheredBytes = Math.max(0, start - gatheredFrom);
        }
        skipTo = start + granule;
        oweTo = Math.min(oweTo, start);
        fedTo = Math.max(fedTo, start);
        return start;
    }

    @Override
    boolean isIdle() {
        return super.isIdle() && gatheredBytes == 0;
    }

    @Override
    public String toString() {
        return name
                + " gathered ["
                + gatheredFrom
                + ", "
                + gatheredEnd()
                + ") owed to "
                + oweTo
                + " pieces "
                + allPieces()
                + " retries "
                + retries.size()
                + (abandoned ? " abandoned" : "");
    }

    /** Everything of this stream below it has been sent; {@code issuedTo} when nothing is left. */
    long sentTo(long issuedTo) {
        if (abandoned) {
            return issuedTo;
        }
        long to = gatheredBytes > 0 ? gatheredFrom : issuedTo;
        Piece first = pieces.first();
        if (first != null) {
            to = Math.min(to, first.position);
        }
        Span retry = retries.peekFirst();
        return retry == null ? to : Math.min(to, retry.position);
    }
}
