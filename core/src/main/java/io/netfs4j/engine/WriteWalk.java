// SPDX-License-Identifier: Apache-2.0
package io.netfs4j.engine;

import io.netfs4j.base.GuardedBy;
import io.netfs4j.server.WriteSession;

import org.jspecify.annotations.Nullable;

/**
 * The one ascending walk over what a request sends, which feeds every stream. Each advance takes
 * one run of bytes of one kind (to be sent, wanted by the disk cache, or clean bytes that fill a
 * granule) and feeds it to the streams that want them there. It takes bytes only when it can use
 * them, so that a walk that ends early leaves the rest as it was; it holds no folio in between.
 *
 * <pre>
 *   to be sent             ====        ==
 *   upload, granule 1      [  ]        []
 *   cache, granule 4   |..[====]..|..[.==...]..|    . clean bytes of the same granules
 * </pre>
 */
final class WriteWalk {
    /** What an advance came to. */
    enum Step {
        /** Some stream was fed, or the walk has come further. */
        FED,
        /** Something has to be waited for; the request is posted then. */
        WAITS,
        /** Nothing is left to be sent. */
        ENDED
    }

    private WriteWalk() {}

    @GuardedBy("inode lock")
    static Step advance(WriteRequest request) {
        long from = request.issuedTo;
        WriteStream server = request.upload();
        // What is to be sent of a granule that was begun goes with it.
        long end = server == null ? 0 : server.oweTo;
        end = Math.max(request.walkEnd, end);
        long dirty = below(end, nextDirty(request, from));
        long uncached = below(end, nextUncached(request, from));
        long at = first(request, from, dirty, uncached);
        while (uncached < at && at != Long.MAX_VALUE) {
            // No stream is fed that: the granule around it was passed.
            uncached = below(end, nextUncached(request, at));
            at = first(request, at, dirty, uncached);
        }
        if (request.isOpen() && at >= request.walkEnd) {
            return Step.WAITS; // The caller may still bring these bytes.
        }
        if (at == Long.MAX_VALUE) {
            return Step.ENDED;
        }
        long to = request.isOpen() ? request.walkEnd : Long.MAX_VALUE;
        boolean upload = false;
        for (WriteStream stream : request.streams) {
            long begins = wants(request, stream, at, dirty, uncached);
            stream.isFedNext = begins == at;
            if (begins > at) {
                to = Math.min(to, begins);
            } else if (stream.oweTo > at && at != next(stream, dirty, uncached)) {
                to = Math.min(to, stream.oweTo); // To this one they are a filling.
            }
            upload |= stream.isFedNext && stream.isUpload();
        }
        if (!WriteIssuer.issueWhatCannotGrow(request, at)) {
            return Step.WAITS;
        }
        WriteSpan span;
        long wanted = Math.min(to, at + wanted(request, at));
        if (at == dirty) {
            long safe = request.gate.admit(at, Math.min(wanted, end));
            if (safe == at) {
                return Step.WAITS;
            }
            span = request.source().takeDirty(at, safe);
        } else if (at == uncached) {
            span = request.source().takeUncached(at, Math.min(wanted, dirty));
            request.hasCopied = true;
        } else {
            span = clean(request, at, Math.min(to, Math.min(dirty, uncached)), upload);
            if (span == null) {
                return upload ? Step.WAITS : Step.FED;
            }
        }
        feed(request, span);
        return Step.FED;
    }

    private static long first(WriteRequest request, long from, long dirty, long uncached) {
        long first = Long.MAX_VALUE;
        for (WriteStream stream : request.streams) {
            first = Math.min(first, wants(request, stream, from, dirty, uncached));
        }
        return first;
    }

    /**
     * The next byte to be sent. One that was written behind the beginning of its granule after the
     * walk had passed that is left to the next request, as all that is written behind a walk is.
     */
    private static long nextDirty(WriteRequest request, long from) {
        WriteStream upload = request.upload();
        if (upload == null) {
            return Long.MAX_VALUE;
        }
        if (upload.oweTo <= from && upload.floor(upload.fedTo) < upload.fedTo) {
            // A part of a granule was sent as the end of the file: in this request it stays that.
            return Long.MAX_VALUE;
        }
        long dirty = request.source().nextDirty(Math.max(from, upload.skipTo));
        while (dirty != Long.MAX_VALUE && upload.oweTo <= from && upload.floor(dirty) < from) {
            upload.skipTo = upload.floor(dirty) + upload.granule;
            dirty = request.source().nextDirty(upload.skipTo);
        }
        return dirty;
    }

    private static long below(long end, long position) {
        return position < end ? position : Long.MAX_VALUE;
    }

    private static long nextUncached(WriteRequest request, long from) {
        long next = Long.MAX_VALUE;
        for (WriteStream stream : request.streams) {
            if (!stream.isUpload() && !stream.abandoned) {
                next = request.source().nextUncached(Math.max(from, stream.skipTo));
            }
        }
        return next;
    }

    private static long next(WriteStream stream, long dirty, long uncached) {
        return stream.isUpload() ? dirty : Math.min(dirty, uncached);
    }

    /**
     * The first position at or after {@code from} that a stream is to be fed, when the next bytes
     * to be sent are at {@code dirty}, and the next that the disk cache lacks at {@code uncached}.
     */
    private static long wants(
            WriteRequest request, WriteStream stream, long from, long dirty, long uncached) {
        if (stream.abandoned) {
            return Long.MAX_VALUE;
        }
        if (stream.oweTo > from) {
            return from;
        }
        long next = next(stream, dirty, uncached);
        if (next == Long.MAX_VALUE) {
            return next;
        }
        long begins = stream.floor(next);
        if (stream.atomic) {
            // Whatever lies past the base's last whole granule has to be sent, zeros too.
            long kept = stream.floor(request.baseBytes);
            begins = Math.min(begins, Math.max(kept, stream.fedTo));
        }
        if (stream.isUpload()) {
            return Math.max(begins, from);
        }
        // A granule that the walk has passed the beginning of cannot be fed whole.
        long skipTo = begins < from ? begins + stream.granule : stream.skipTo;
        return Math.max(begins, skipTo);
    }

    /** How many more bytes the hungriest of the streams to be fed can use. */
    private static long wanted(WriteRequest request, long at) {
        long most = 1;
        for (WriteStream stream : request.streams) {
            if (stream.isFedNext) {
                long from = stream.gatheredBytes() > 0 ? stream.gatheredFrom() : at;
                long estimate = stream.estimate(from);
                most = Math.max(most, estimate - stream.gatheredBytes());
            }
        }
        return most;
    }

    /**
     * Clean bytes from {@code at} on: of the page cache, zeros where the server holds nothing, or
     * read. The cache alone is not worth a read: it goes without that granule.
     *
     * @return null when there are none now
     */
    @GuardedBy("inode lock")
    private static @Nullable WriteSpan clean(
            WriteRequest request, long at, long most, boolean upload) {
        long to = upload ? request.gate.admitFilling(at, most) : most;
        if (to == at) {
            return null;
        }
        WriteSpan span = request.source().takeClean(at, Math.min(to, at + wanted(request, at)));
        if (span != null) {
            return span;
        }
        InodeData inode = request.inode();
        long zeroPoint = inode.remoteSizeBytes();
        long present = inode.pages().nextPresent(at, to);
        // Bytes that are here and dirty are of a later group: the server's are the older ones.
        if (at >= zeroPoint) {
            return Granules.zeros(at, to);
        }
        long absentEnd = present > at ? present : to;
        span = request.granules.take(at, absentEnd);
        if (span != null) {
            return span;
        }
        if (upload) {
            WriteStream stream = request.upload();
            long end = stream == null ? absentEnd : stream.floor(at) + stream.granule;
            end = Math.min(end, zeroPoint);
            if (!request.granules.read(at, end)) {
                // What is gathered may hold the very share that it waits for.
                WriteIssuer.issueWhatCannotGrow(request, Long.MIN_VALUE);
                request.streams.forEach(s -> skipIncomplete(request, s));
            }
            return null;
        }
        for (WriteStream stream : request.streams) {
            if (stream.isFedNext) {
                CacheStream.discard(request, stream.skipGranule(at), stream.skipTo);
            }
        }
        return null;
    }

    @GuardedBy("inode lock")
    private static void skipIncomplete(WriteRequest request, WriteStream stream) {
        if (!stream.isUpload()) {
            CacheStream.skip(request, stream);
        }
    }

    @GuardedBy("inode lock")
    private static void feed(WriteRequest request, WriteSpan span) {
        (span.release() == null ? request.spans : request.loans).addLast(span);
        request.issuedTo = span.end();
        for (WriteStream stream : request.streams) {
            if (!stream.isFedNext) {
                if (span.dirty() && !stream.isUpload()) {
                    // What it holds there is older than what the server gets.
                    CacheStream.discard(request, span.position(), span.end());
                }
                continue;
            }
            keep(request, stream, span.position());
            stream.gather(span.position(), span.segment());
            long ceiling = stream.ceiling(span.end());
            if (stream.isUpload()) {
                // Past the end of the file there is nothing that could fill it.
                long size = Math.max(request.source().fileEnd(), span.end());
                ceiling = Math.min(ceiling, size);
            }
            stream.oweTo = Math.max(stream.oweTo, ceiling);
        }
    }

    /** Tells a server of whole objects what stays as it is. */
    @GuardedBy("inode lock")
    private static void keep(WriteRequest request, WriteStream stream, long to) {
        WriteSession session = request.session();
        long end = Math.min(to, request.baseBytes);
        if (stream.atomic && session != null && stream.fedTo < end) {
            try {
                session.keep(stream.fedTo, end - stream.fedTo);
            } catch (RuntimeException e) {
                request.fail(BackEnd.report("what is to be kept", e));
            }
        }
    }

    /** The walk has ended: what follows the last byte sent stays, too. */
    @GuardedBy("inode lock")
    static void keepRest(WriteRequest request) {
        for (WriteStream stream : request.streams) {
            if (stream.isUpload()) {
                keep(request, stream, Long.MAX_VALUE);
            }
        }
    }
}
