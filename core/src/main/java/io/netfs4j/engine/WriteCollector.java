// SPDX-License-Identifier: Apache-2.0
package io.netfs4j.engine;

import io.netfs4j.base.FsException;
import io.netfs4j.base.GuardedBy;
import io.netfs4j.base.RangeSet;
import io.netfs4j.pagecache.WritebackPages;
import io.netfs4j.pagecache.WritebackSpan;
import io.netfs4j.request.Origin;
import io.netfs4j.request.Termination;
import io.netfs4j.trace.Counters.Counter;

/**
 * Takes the pieces that have ended off the front of each stream, in order, and ends the write-back
 * of the spans that every stream has passed. A piece at the front that was not transferred whole
 * stops its stream until the retryer has gone over it.
 */
final class WriteCollector {
    private WriteCollector() {}

    @GuardedBy("inode lock")
    static void collect(WriteRequest request) {
        for (WriteStream stream : request.streams) {
            Piece front;
            while ((front = stream.pieces.first()) != null && front.termination != null) {
                if (!stream.isUpload()) {
                    stream.pieces.remove(front.position);
                    CacheStream.ended(request, stream, front);
                    continue;
                }
                if (front.needsRetry() && !request.cancelled) {
                    request.retry.needed = true;
                    break;
                }
                stream.pieces.remove(front.position);
                end(request, front);
            }
        }
        release(request);
    }

    @GuardedBy("inode lock")
    private static void end(WriteRequest request, Piece piece) {
        switch (Piece.required(piece)) {
            case Termination.Done d -> transferred(request, piece, piece.length);
            case Termination.Short(long n) -> {
                // Only of a cancelled request: what is left is given up.
                transferred(request, piece, n);
                request.failed.add(piece.position + n, piece.end());
            }
            case Termination.RetryLater r -> {
                request.retry.unchecked |= r.disconnected();
                request.failed.add(piece.position, piece.end());
            }
            case Termination.Failed(FsException cause) -> failed(request, piece, cause);
            case Termination.Conflict(FsException cause) -> failed(request, piece, cause);
            case Termination.EndOfFile e ->
                    throw new IllegalStateException("a write met the end of the file");
        }
    }

    private static void failed(WriteRequest request, Piece piece, FsException cause) {
        request.failed.add(piece.position, piece.end());
        request.fail(cause);
    }

    /** The server has these bytes of a piece. */
    @GuardedBy("inode lock")
    static void transferred(WriteRequest request, Piece piece, long bytes) {
        request.transferredBytes += bytes;
        request.retry.patience.progress();
        request.engine().counters().add(Counter.UPLOADED_BYTES, bytes);
        WriteStream upload = request.upload();
        if (upload != null && upload.atomic) {
            return; // They count from the commit.
        }
        InodeData inode = request.inode();
        if (bytes > 0 && request.origin != Origin.UNBUFFERED) {
            request.engine().flusher().onAnswered(inode, true);
        }
        inode.setRemoteSizeBytes(Math.max(inode.remoteSizeBytes(), piece.position + bytes));
        // Even if the commit fails: these bytes are clean, and fsync has to force them.
        inode.syncing().need();
    }

    /** Ends the write-back of every span that all streams have passed. */
    @GuardedBy("inode lock")
    static void release(WriteRequest request) {
        WriteSpan span;
        long sentTo = request.sentTo();
        while ((span = request.loans.peekFirst()) != null && span.end() <= sentTo) {
            request.loans.removeFirst();
            Runnable release = span.release();
            if (release != null) {
                release.run();
            }
        }
        long collectedTo = request.collectedTo();
        while ((span = request.spans.peekFirst()) != null && span.end() <= collectedTo) {
            request.spans.removeFirst();
            if (span.pages() != null) {
                endSpan(request, span, span.pages());
            }
        }
        request.landing.tell();
    }

    @GuardedBy("inode lock")
    private static void endSpan(WriteRequest request, WriteSpan taken, WritebackSpan span) {
        WritebackPages pages = request.inode().pages().writeback();
        RangeSet failed = request.failed;
        long base = span.folio().position();
        long at = span.position();
        while (at < span.end()) {
            long bad = Math.min(span.end(), failed.next(at, span.end()));
            if (bad > at) {
                pages.end(span, (int) (at - base), (int) (bad - base), false);
                request.landing.landed(at, bad, taken.lsn());
            }
            long good = Math.min(span.end(), failed.runEnd(bad));
            if (good > bad) {
                pages.end(span, (int) (bad - base), (int) (good - base), true);
            }
            at = Math.max(bad, good);
        }
        pages.release(span);
    }
}
