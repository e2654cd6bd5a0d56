// SPDX-License-Identifier: Apache-2.0
package io.netfs4j.engine;

import io.netfs4j.base.Segment;
import io.netfs4j.request.Termination;

import org.jspecify.annotations.Nullable;

import java.util.ArrayList;
import java.util.List;

/**
 * A part of a stream that was issued, until it is collected.
 *
 * <p><b>Threads</b>: with the inode's lock held, except {@link #termination}, which the back end's
 * thread writes once (a volatile write; the step that reads it sees the transferred bytes too).
 */
final class Piece {
    final long position;
    final List<Segment> segments;

    /** Bytes offered, then bytes taken. */
    long length;

    volatile @Nullable Termination termination;

    Piece(long position, List<Segment> segments, long length) {
        this.position = position;
        this.segments = segments;
        this.length = length;
    }

    long end() {
        return position + length;
    }

    /** The segments of what follows the first {@code skip} bytes of the piece. */
    List<Segment> segmentsAfter(long skip) {
        return slice(segments, skip, length - skip);
    }

    static List<Segment> slice(List<Segment> segments, long skip, long count) {
        List<Segment> rest = new ArrayList<>(segments.size());
        long drop = skip;
        long left = count;
        for (int i = 0; i < segments.size() && left > 0; i++) {
            Segment s = segments.get(i);
            if (drop >= s.length()) {
                drop -= s.length();
                continue;
            }
            int n = (int) Math.min(left, s.length() - drop);
            rest.add(new Segment(s.memory(), s.offset() + (int) drop, n));
            drop = 0;
            left -= n;
        }
        return rest;
    }

    static Termination required(Piece piece) {
        Termination t = piece.termination;
        if (t == null) {
            throw new IllegalStateException("in flight: " + piece.position);
        }
        return t;
    }

    /** Whether the attempt ended in a way that only the retryer can go on from. */
    boolean needsRetry() {
        Termination t = termination;
        return t instanceof Termination.Short || t instanceof Termination.RetryLater;
    }

    static boolean isFailure(Termination t) {
        return t instanceof Termination.Failed || t instanceof Termination.Conflict;
    }

    @Override
    public String toString() {
        return "[" + position + ", " + end() + ") " + termination;
    }
}
