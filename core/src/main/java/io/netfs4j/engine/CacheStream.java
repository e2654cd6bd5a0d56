// SPDX-License-Identifier: Apache-2.0
package io.netfs4j.engine;

import io.netfs4j.base.GuardedBy;
import io.netfs4j.cache.Cookie;
import io.netfs4j.request.Termination;
import io.netfs4j.trace.Counters.Counter;

import java.util.ArrayList;
import java.util.List;

/**
 * What makes the stream to the disk cache different: nobody waits for it. What it does not take, or
 * fails to store, is not cached, and that is all; a cache that does not answer is left behind.
 *
 * <p><b>Threads</b>: with the inode's lock held.
 */
final class CacheStream {
    private CacheStream() {}

    /** A range that the cache lacks, or has an old version of. */
    @GuardedBy("inode lock")
    static void discard(WriteRequest request, long from, long to) {
        Cookie cookie = request.inode().cookie();
        if (cookie != null && from < to) {
            cookie.discard(from, to);
        }
    }

    /** Gives up what the stream has gathered. */
    @GuardedBy("inode lock")
    static void skip(WriteRequest request, WriteStream stream) {
        if (stream.gatheredBytes() == 0) {
            return;
        }
        long from = stream.gatheredFrom();
        long to = Math.max(stream.gatheredEnd(), stream.oweTo);
        stream.dropGathered(stream.gatheredBytes());
        stream.skipTo = to;
        stream.oweTo = Math.min(stream.oweTo, from);
        discard(request, from, to);
    }

    /** A piece has ended: what was not stored whole does not count. */
    @GuardedBy("inode lock")
    static void ended(WriteRequest request, WriteStream stream, Piece piece) {
        if (Piece.required(piece) instanceof Termination.Done) {
            request.engine().counters().add(Counter.CACHED_BYTES, piece.length);
        } else {
            request.engine().counters().add(Counter.CACHE_ERRORS, 1);
            discard(request, piece.position, piece.end());
        }
    }

    /**
     * Sees to it that a piece which does not end is not waited for longer than the mount's patience
     * with its cache.
     */
    @GuardedBy("inode lock")
    static void watch(WriteRequest request) {
        for (WriteStream stream : request.streams) {
            Piece front = stream.isUpload() || stream.abandoned ? null : stream.pieces.first();
            if (front == null || stream.isWatched) {
                continue;
            }
            stream.isWatched = true;
            request.engine()
                    .after(
                            request.engine().limits().cachePatienceNanos(),
                            () -> look(request, stream, front));
        }
    }

    private static boolean meet(Piece piece, WriteSpan span) {
        return piece.position < span.end() && span.position() < piece.end();
    }

    private static void look(WriteRequest request, WriteStream stream, Piece front) {
        InodeData inode = request.inode();
        inode.lock().lock();
        try {
            stream.isWatched = false;
            if (stream.pieces.first() == front && front.termination == null) {
                abandon(request, stream);
                request.post();
            } else {
                watch(request);
            }
        } finally {
            inode.lock().unlock();
        }
    }

    /**
     * Stops waiting for the stream. Its pieces may still read the memory that they were given: it
     * is kept until they have ended, and until then the file is not cached at all, for what they
     * store may be older than what is written next.
     */
    @GuardedBy("inode lock")
    private static void abandon(WriteRequest request, WriteStream stream) {
        InodeData inode = request.inode();
        skip(request, stream);
        List<Piece> pieces = stream.allPieces();
        pieces.removeIf(p -> p.termination != null);
        List<WriteSpan> used = new ArrayList<>();
        for (WriteSpan span : request.spans) {
            if (span.pages() != null && pieces.stream().anyMatch(p -> meet(p, span))) {
                inode.pages().writeback().orphan(span.pages());
                used.add(span);
            }
        }
        stream.abandoned = true;
        request.engine().counters().add(Counter.CACHE_ERRORS, 1);
        inode.suspendCookie();
        request.engine().cacheBreaker().abandoned();
        Runnable over =
                () -> {
                    request.engine().cacheBreaker().ended();
                    inode.lock().lock();
                    try {
                        for (WriteSpan span : used) {
                            if (span.pages() != null) {
                                inode.pages().writeback().releaseOrphan(span.pages());
                            }
                        }
                        inode.resumeCookie();
                    } finally {
                        inode.lock().unlock();
                    }
                };
        stream.onIdle(() -> request.engine().scheduler().execute(over));
    }
}
