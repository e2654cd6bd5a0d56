// SPDX-License-Identifier: Apache-2.0
package io.netfs4j.engine;

import io.netfs4j.pagecache.PagesPeek;
import io.netfs4j.request.Origin;
import io.netfs4j.testing.Complaints;

import org.jspecify.annotations.Nullable;

import java.util.IdentityHashMap;
import java.util.Map;

/**
 * Looks over the requests of a mount, one inode after the other, and changes nothing: whether
 * pieces ascend, marks only advance, and the accounts are the sums of what is in flight. It
 * remembers how far each request was. The order of calls: {@link #begin}; {@link #check} for each
 * inode; {@link #end}.
 */
public final class EnginePeek {
    private final Engine engine;
    private final PagesPeek pages;
    private final Complaints complaints;

    /** How far a request was when it was last looked at. */
    private static final class Marks {
        @Nullable WriteRequest request;
        long issuedTo;
        long collectedTo;
    }

    private final Map<InodeData, Marks> marks = new IdentityHashMap<>();
    private long uploadBytes;
    private int uploadPieces;
    private long cacheBytes;
    private int suspended;

    public EnginePeek(Engine engine, PagesPeek pages, Complaints complaints) {
        this.engine = engine;
        this.pages = pages;
        this.complaints = complaints;
    }

    public void begin() {
        pages.begin();
        uploadBytes = 0;
        uploadPieces = 0;
        cacheBytes = 0;
        suspended = 0;
    }

    /** Looks over one inode, and its pages. */
    public void check(InodeData inode) {
        suspended += inode.cookieSuspensions;
        WriteRequest request = inode.writing;
        if (request != null) {
            check(request);
            checkMarks(request);
        }
        for (ReadRequest read : inode.reads) {
            for (ReadRequest.Filling filling : read.fillings) {
                if (filling.left > 0 && filling.target instanceof ReadTarget.Pages target) {
                    pages.lend(target.span());
                }
            }
        }
        pages.check(inode.pages());
        boolean busy = request != null || inode.waiting != null;
        if (busy && inode.writebackLock().isFree()) {
            complaints.about("I10", "nobody has the write-back lock: " + inode.listener().name());
        }
        if (inode.isUnsaved() && !inode.isKnownUnsaved) {
            complaints.about("I3", "nobody will save " + inode.listener().name());
        }
    }

    private void check(WriteRequest request) {
        for (WriteSpan span : request.spans) {
            if (span.pages() != null) {
                pages.lend(span.pages());
            }
        }
        for (WriteStream stream : request.streams) {
            check(request, stream);
        }
    }

    private void check(WriteRequest request, WriteStream stream) {
        long end = Long.MIN_VALUE;
        int inFlight = 0;
        for (Piece p = stream.pieces.first(); p != null; ) {
            if (p.position < end || p.length <= 0) {
                complaints.about("I4", "pieces do not ascend: " + request);
            }
            if (request.origin == Origin.UNBUFFERED
                    && p.position >= request.baseBytes
                    && end > Long.MIN_VALUE) {
                complaints.about("I4", "pieces past the end do not wait for others: " + request);
            }
            end = p.end();
            if (p.termination == null) {
                inFlight++;
                uploadBytes += stream.isUpload() ? p.length : 0;
                cacheBytes += stream.isUpload() ? 0 : p.length;
            }
            p = stream.pieces.ceiling(p.position + 1);
        }
        if (inFlight != stream.inFlight()) {
            complaints.about("I8", inFlight + " pieces, counted " + stream.inFlight());
        }
        long retried = Long.MIN_VALUE;
        for (IoStream.Span span : stream.retries) {
            Piece before = stream.pieces.floor(span.position + span.length - 1);
            if (span.position < retried || (before != null && before.end() > span.position)) {
                complaints.about("I4", "what is sent again overlaps: " + request);
            }
            retried = span.position + span.length;
        }
        long gathered = stream.gatheredBytes() > 0 ? stream.gatheredFrom() : Long.MAX_VALUE;
        if (Math.max(end, retried) > Math.min(gathered, request.issuedTo)
                || (stream.gatheredBytes() > 0 && stream.gatheredEnd() > request.issuedTo)) {
            complaints.about("I6", "the walk is behind what it has fed: " + request);
        }
        if (stream.isUpload()) {
            uploadPieces += inFlight;
            if (inFlight > engine.limits().throttle().requestPiecesMax()) {
                complaints.about("I8", inFlight + " pieces of one request are in flight");
            }
        }
    }

    private void checkMarks(WriteRequest request) {
        if (request.streams.isEmpty()) {
            return; // Where it begins is known when it is known what its streams want.
        }
        Marks last = marks.computeIfAbsent(request.inode(), i -> new Marks());
        long collectedTo = request.collectedTo();
        if (request.equals(last.request)
                && (request.issuedTo < last.issuedTo || collectedTo < last.collectedTo)) {
            complaints.about(
                    "I6",
                    "went back from "
                            + last.issuedTo
                            + ", collected to "
                            + last.collectedTo
                            + ": "
                            + request);
        }
        if (collectedTo > request.issuedTo) {
            complaints.about("I6", "has collected more than it has issued: " + request);
        }
        last.request = request;
        last.issuedTo = request.issuedTo;
        last.collectedTo = collectedTo;
    }

    /**
     * Compares the sums with the accounts.
     *
     * @param cacheIdle whether the disk cache has nothing under way
     * @param refused whether the server has ever refused anything
     */
    public void end(boolean cacheIdle, boolean refused) {
        EngineLimits.Throttle throttle = engine.limits().throttle();
        long bytes = engine.inFlight().bytes();
        if (bytes != uploadBytes) {
            complaints.about("I8", "counts " + bytes + " in flight, there are " + uploadBytes);
        }
        // One piece is always let through.
        if (uploadPieces > 1
                && (bytes > throttle.bytesMax() || uploadPieces > throttle.piecesMax())) {
            complaints.about("I8", uploadPieces + " pieces in flight, of " + bytes + " bytes");
        }
        long stored = engine.cacheInFlight().bytes();
        boolean exact = cacheIdle && suspended == 0;
        if (stored != cacheBytes && (exact || stored < cacheBytes)) {
            complaints.about(
                    "I8", "counts " + stored + " to the disk cache, there are " + cacheBytes);
        }
        pages.end(engine.cache(), exact, refused);
        marks.keySet().removeIf(inode -> inode.writing == null);
    }
}
