// SPDX-License-Identifier: Apache-2.0
package io.netfs4j.engine;

import io.netfs4j.base.GuardedBy;
import io.netfs4j.cache.Cookie;
import io.netfs4j.pagecache.WritebackPages;
import io.netfs4j.pagecache.WritebackSpan;
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

    /** Sees to it that a cache which does not answer is left behind. */
    @GuardedBy("inode lock")
    static void watch(WriteRequest request) {
        for (WriteStream stream : request.streams) {
            CacheWatch watch = stream.watch;
            if (watch != null) {
                watch.watch();
            }
        }
    }

    /** A stream to the disk cache, which is watched. */
    @GuardedBy("inode lock")
    static WriteStream open(WriteRequest request, Cookie cookie) {
        WriteStream stream =
                new WriteStream(
                        WriteStream.Role.CACHE, cookie.writes(), cookie.granuleBytes(), false);
        Runnable abandon = () -> abandon(request, stream);
        stream.watch = new CacheWatch(request.engine(), request.inode(), stream, abandon);
        return stream;
    }

    private static boolean meet(Piece piece, WriteSpan span) {
        return piece.position < span.end() && span.position() < piece.end();
    }

    /** Stops waiting for the stream; memory that its pieces still read is kept for them. */
    @GuardedBy("inode lock")
    private static void abandon(WriteRequest request, WriteStream stream) {
        WritebackPages pages = request.inode().pages().writeback();
        skip(request, stream);
        List<Piece> left = stream.allPieces();
        left.removeIf(p -> p.termination != null);
        List<Runnable> releases = new ArrayList<>();
        for (WriteSpan span : request.spans) {
            WritebackSpan used = span.pages();
            if (used != null && left.stream().anyMatch(p -> meet(p, span))) {
                pages.orphan(used);
                releases.add(() -> pages.releaseOrphan(used));
            }
        }
        stream.abandoned = true;
        CacheWatch watch = stream.watch;
        if (watch != null) {
            watch.leave(releases);
        }
        request.post();
    }
}
