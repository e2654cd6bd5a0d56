// SPDX-License-Identifier: Apache-2.0
package io.netfs4j.engine;

import io.netfs4j.base.Completion;
import io.netfs4j.base.FsException;
import io.netfs4j.base.GuardedBy;
import io.netfs4j.base.RangeSet;
import io.netfs4j.base.Segment;
import io.netfs4j.cache.Cookie;
import io.netfs4j.pagecache.LoadSpan;
import io.netfs4j.request.Destination;
import io.netfs4j.request.Origin;
import io.netfs4j.request.Subrequest;
import io.netfs4j.request.Termination;
import io.netfs4j.server.ServerFile;
import io.netfs4j.trace.Counters.Counter;

import org.jspecify.annotations.Nullable;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicBoolean;

/**
 * One pass of fetching bytes of one inode: from the disk cache what that holds, the rest from the
 * server, and what the cache turns out not to have from the server as well. The same steps as a
 * {@link WriteRequest}: pieces are issued in ascending order, collected as they end, and what did
 * not come is asked for again. Unlike there they are collected in any order: what somebody waits
 * for does not wait for what is below it.
 *
 * <p>A piece that cannot be read fails those who wait for bytes of it, and nobody else. Nobody
 * asked for what is read ahead: there a failure only ends the request, and whoever waits asks for
 * himself.
 *
 * <p><b>Threads</b>: all state is touched in steps, with the inode's lock held.
 */
final class ReadRequest {
    private final Engine engine;
    private final InodeData inode;
    private final int id;
    private final ServerFile file;
    private final IoStream download;

    /** What the disk cache holds; null when there is none, or when it is not waited for. */
    private @Nullable IoStream cached;

    /** Looks whether it answers; null when nobody waits for it. */
    private @Nullable CacheWatch cacheWatch;

    private final long generation;

    /** What the server was known to have when this began. */
    private final long knownBytes;

    private final long resizings;
    private final AtomicBoolean posted = new AtomicBoolean();

    /** A part that is being filled, and how many of its bytes have not ended yet. */
    static final class Filling {
        final ReadTarget target;
        long left;

        Filling(ReadTarget target) {
            this.target = target;
            this.left = target.end() - target.position();
        }
    }

    /** Somebody who waits for a part of it. */
    private record Waiter(long from, long to, Completion<@Nullable Void> over) {}

    private final Origin origin;

    /** Nobody waits for any of it yet. */
    private boolean runsAhead;

    /** What is to be filled, in file order. */
    final List<Filling> fillings = new ArrayList<>();

    private final long from;
    private final long to;
    private int front;
    private int subrequests;
    private final Patience patience = new Patience();

    /** What has not come and has not failed yet. */
    private final RangeSet open = new RangeSet();

    private final List<Waiter> waiters = new ArrayList<>(1);

    /** What has not been asked for will not be. */
    private boolean abandoned;

    private boolean ended;

    private ReadRequest(
            Engine engine,
            InodeData inode,
            ServerFile file,
            Origin origin,
            long from,
            long to,
            @Nullable Cookie cookie) {
        this.engine = engine;
        this.inode = inode;
        this.origin = origin;
        this.runsAhead = origin == Origin.READAHEAD;
        this.id = engine.nextRequestId();
        this.file = file;
        Destination server =
                BackEnd.destination(file::reads, e -> BackEnd.report("reads of a file", e));
        this.download = new IoStream("download", server);
        if (cookie != null) {
            IoStream stream = new IoStream("cached", cookie.reads());
            this.cached = stream;
            this.cacheWatch = new CacheWatch(engine, inode, stream, this::abandon);
        }
        this.generation = inode.generation;
        this.knownBytes = inode.remoteSizeBytes();
        this.resizings = inode.resizings;
        this.from = from;
        this.to = to;
    }

    /** Fetches absent bytes into the page cache; fewer when memory gives out. */
    @GuardedBy("inode lock")
    static void begin(Engine engine, InodeData inode, long from, long to, Origin origin) {
        ServerFile file = inode.file();
        if (file == null || !BackEnd.isReadable(file)) {
            return;
        }
        Cookie cookie = engine.cookie(inode);
        ReadRequest request = new ReadRequest(engine, inode, file, origin, from, to, cookie);
        List<LoadSpan> spans = new ArrayList<>();
        inode.pages().prepareLoad(from, to, spans);
        if (spans.isEmpty()) {
            return;
        }
        for (LoadSpan span : spans) {
            request.add(new ReadTarget.Pages(inode.pages(), span), cookie);
        }
        inode.reads.add(request);
        request.issue();
    }

    /**
     * Reads from the server into memory of the caller's, past the page cache and the disk cache.
     *
     * @param segments the memory, which must not be touched until the read has ended
     */
    @GuardedBy("inode lock")
    static Completion<@Nullable Void> intoMemory(
            Engine engine, InodeData inode, ServerFile file, long from, List<Segment> segments) {
        long to = from;
        for (Segment segment : segments) {
            to += segment.length();
        }
        ReadRequest request =
                new ReadRequest(engine, inode, file, Origin.READ_FOR_WRITE, from, to, null);
        long at = from;
        for (Segment segment : segments) {
            request.add(new ReadTarget.Memory(at, segment), null);
            at += segment.length();
        }
        inode.reads.add(request);
        Completion<@Nullable Void> over = request.over(from, to);
        request.issue();
        return over;
    }

    @GuardedBy("inode lock")
    private void add(ReadTarget target, @Nullable Cookie cookie) {
        fillings.add(new Filling(target));
        open.add(target.position(), target.end());
        List<Segment> all = List.of(target.segment());
        IoStream hit = cached;
        long at = target.position();
        while (at < target.end()) {
            long held = target.end();
            long stop = held;
            if (cookie != null && hit != null) {
                held = cookie.nextHeld(at, target.end());
                stop = held < target.end() ? cookie.nextMissing(held, target.end()) : held;
                if (stop == held) {
                    held = target.end(); // It has nothing more, or does not know what it has.
                    stop = held;
                }
            }
            if (held > at) {
                ask(download, target, all, at, held);
            }
            if (stop > held && hit != null) {
                ask(hit, target, all, held, stop);
            }
            at = stop;
        }
    }

    private static void ask(
            IoStream stream, ReadTarget target, List<Segment> all, long from, long to) {
        stream.retry(
                new IoStream.Span(
                        from, Piece.slice(all, from - target.position(), to - from), to - from));
    }

    /** Whether a byte is on its way into the page cache. */
    boolean covers(long position) {
        return origin != Origin.READ_FOR_WRITE && open.contains(position, position + 1);
    }

    /**
     * Ends when no byte of a range is on its way any more, which does not say that all have come;
     * fails when one that was asked for cannot be read.
     */
    @GuardedBy("inode lock")
    Completion<@Nullable Void> over(long start, long end) {
        Waiter waiter = new Waiter(start, end, new Completion<>());
        waiters.add(waiter);
        return waiter.over;
    }

    /** Somebody waits for a range of what is only read ahead: that comes first. */
    @GuardedBy("inode lock")
    void demand(long start, long end) {
        if (!runsAhead) {
            return;
        }
        runsAhead = false;
        List<IoStream.Span> first = new ArrayList<>();
        List<IoStream.Span> later = new ArrayList<>();
        for (IoStream.Span span : download.retries) {
            boolean wanted = span.position < end && start < span.position + span.length;
            (wanted ? first : later).add(span);
        }
        download.retries.clear();
        download.retries.addAll(first);
        download.retries.addAll(later);
        post();
    }

    void post() {
        if (posted.compareAndSet(false, true)) {
            engine.scheduler().execute(this::step);
        }
    }

    private void step() {
        posted.set(false);
        inode.lock().lock();
        try {
            if (ended) {
                return;
            }
            collectCached();
            collect();
            retry();
            issue();
            // A retry that gave up a piece leaves what came behind it to be collected now.
            collect();
            if (download.isIdle() && (cached == null || cached.isIdle())) {
                complete();
            }
        } finally {
            inode.lock().unlock();
        }
    }

    @GuardedBy("inode lock")
    private void issue() {
        issueCached();
        if (cacheWatch != null) {
            cacheWatch.watch();
        }
        if (abandoned) {
            IoStream.Span rest;
            while ((rest = download.retries.pollFirst()) != null) {
                end(rest.position, rest.position + rest.length, false, false);
            }
            return;
        }
        if (patience.isPausing()) {
            // It lacks no credit now, and must not keep others from asking for it.
            engine.reads().isServed(this);
            return;
        }
        if (!engine.reads().admits(this, runsAhead)) {
            return;
        }
        IoStream.Span span;
        while ((span = download.retries.peekFirst()) != null) {
            if (download.lacksCredit() || !offer(download, span)) {
                engine.reads().lacksCredit(this, runsAhead);
                return;
            }
        }
        engine.reads().isServed(this);
    }

    /** What the cache cannot deliver now is asked of the server: it is the slower one then. */
    private void issueCached() {
        IoStream stream = cached;
        IoStream.Span span;
        while (stream != null && (span = stream.retries.peekFirst()) != null) {
            if (engine.cacheBreaker().isTripped() || !offer(stream, span)) {
                stream.retries.removeFirst();
                download.retries.addLast(span);
            }
        }
    }

    /** Offers what is worth gathering of a span; what is taken leaves the span. */
    private boolean offer(IoStream stream, IoStream.Span span) {
        long most = stream.estimateBytes(span.position);
        long count = Math.min(span.length, most);
        Piece piece = new Piece(span.position, Piece.slice(span.segments, 0, count), count);
        Subrequest subrequest =
                new Subrequest(
                        id,
                        subrequests++,
                        Subrequest.Direction.READ,
                        piece.position,
                        piece.segments,
                        (sub, termination) -> {
                            piece.termination = termination;
                            stream.terminated();
                            post();
                        });
        if (!stream.offer(piece, subrequest, this::post)) {
            return false;
        }
        if (stream.equals(download)) {
            engine.counters().add(Counter.DOWNLOAD_REQUESTS, 1);
        }
        if (piece.length == span.length) {
            stream.retries.removeFirst();
        } else {
            span.drop(piece.length);
        }
        return true;
    }

    @GuardedBy("inode lock")
    private void collectCached() {
        IoStream stream = cached;
        if (stream == null) {
            return;
        }
        for (Piece p = stream.pieces.first(); p != null; p = stream.pieces.ceiling(p.end())) {
            if (p.termination == null) {
                continue;
            }
            stream.pieces.remove(p.position);
            if (Piece.required(p) instanceof Termination.Done) {
                engine.counters().add(Counter.CACHE_READ_BYTES, p.length);
                end(p.position, p.end(), true, false);
            } else {
                engine.counters().add(Counter.CACHE_ERRORS, 1);
                download.retries.addLast(
                        new IoStream.Span(p.position, p.segmentsAfter(0), p.length));
            }
        }
    }

    /**
     * Stops waiting for the cache. Memory that its pieces may still fill is kept for them; who
     * waits for those bytes asks again, in other memory and of the server.
     */
    @GuardedBy("inode lock")
    private void abandon() {
        IoStream stream = cached;
        CacheWatch watch = cacheWatch;
        if (stream == null || watch == null) {
            return;
        }
        collectCached();
        cached = null;
        cacheWatch = null;
        download.retries.addAll(stream.retries);
        List<Runnable> releases = new ArrayList<>();
        List<Piece> left = stream.allPieces();
        for (int i = front; i < fillings.size(); i++) {
            ReadTarget target = fillings.get(i).target;
            if (left.stream()
                    .anyMatch(p -> p.position < target.end() && target.position() < p.end())) {
                releases.add(target.orphan());
            }
        }
        for (Piece piece : left) {
            end(piece.position, piece.end(), false, false);
        }
        watch.leave(releases);
        post();
    }

    /** Takes the pieces that have ended, whatever is in flight below them. */
    @GuardedBy("inode lock")
    private void collect() {
        boolean before;
        do {
            before = abandoned;
            for (Piece p = download.pieces.first();
                    p != null;
                    p = download.pieces.ceiling(p.end())) {
                if (p.termination != null && (!p.needsRetry() || abandoned)) {
                    download.pieces.remove(p.position);
                    collect(p);
                }
            }
            // A failure of what is read ahead gives up what waits for the retry, too.
        } while (before != abandoned);
    }

    @GuardedBy("inode lock")
    private void collect(Piece piece) {
        switch (Piece.required(piece)) {
            case Termination.Done d -> arrived(piece.position, piece.end());
            case Termination.EndOfFile(long n) -> {
                arrived(piece.position, piece.position + n);
                endOfFile(piece.position + n, piece.end());
            }
            case Termination.Short(long n) -> {
                arrived(piece.position, piece.position + n);
                end(piece.position + n, piece.end(), false, false);
            }
            case Termination.RetryLater r -> end(piece.position, piece.end(), false, false);
            case Termination.Failed(FsException cause) -> failed(piece, cause);
            case Termination.Conflict(FsException cause) -> failed(piece, cause);
        }
    }

    private void failed(Piece piece, FsException cause) {
        if (origin == Origin.READAHEAD) {
            abandoned = true;
        } else {
            for (Waiter waiter : List.copyOf(waiters)) {
                if (waiter.from < piece.end() && piece.position < waiter.to) {
                    waiters.remove(waiter);
                    waiter.over.fail(cause);
                }
            }
        }
        end(piece.position, piece.end(), false, false);
    }

    private void arrived(long start, long end) {
        if (end > start) {
            patience.progress();
            engine.counters().add(Counter.DOWNLOADED_BYTES, end - start);
            end(start, end, true, true);
        }
    }

    /**
     * The server's file ends before these bytes. Past what it is known to have they are zeros; of
     * the rest nothing has come, and who reads has to see what became of the file.
     */
    @GuardedBy("inode lock")
    private void endOfFile(long start, long end) {
        patience.progress();
        if (generation == inode.generation) {
            inode.foundEnd(start, knownBytes, resizings);
        }
        boolean cut = origin != Origin.READ_FOR_WRITE && inode.isCut();
        long zeros = cut ? Math.clamp(inode.remoteSizeBytes(), start, end) : start;
        if (zeros > start) {
            end(start, zeros, false, false);
        }
        zero(zeros, end);
    }

    private void zero(long start, long end) {
        for (int i = front; i < fillings.size() && start < end; i++) {
            ReadTarget target = fillings.get(i).target;
            long a = Math.max(start, target.position());
            long b = Math.min(end, target.end());
            if (a < b) {
                target.zero(a, b);
            }
        }
        end(start, end, true, false);
    }

    /** Ends the read of a range, which lies in one or several of the targets. */
    private void end(long start, long end, boolean came, boolean downloaded) {
        boolean usable = came && generation == inode.generation;
        boolean uncached = downloaded && engine.cookie(inode) != null;
        for (int i = front; i < fillings.size(); i++) {
            Filling filling = fillings.get(i);
            ReadTarget target = filling.target;
            if (target.position() >= end) {
                break;
            }
            long a = Math.max(start, target.position());
            long b = Math.min(end, target.end());
            if (a >= b) {
                continue;
            }
            target.end(a, b, usable, uncached);
            filling.left -= b - a;
            if (filling.left == 0) {
                target.release();
            }
        }
        while (front < fillings.size() && fillings.get(front).left == 0) {
            front++;
        }
        open.remove(start, end);
        for (Waiter waiter : List.copyOf(waiters)) {
            if (!open.intersects(waiter.from, waiter.to)) {
                waiters.remove(waiter);
                waiter.over.complete(null);
            }
        }
    }

    @GuardedBy("inode lock")
    private void retry() {
        Piece first = download.pieces.first();
        if (first == null
                || !first.needsRetry()
                || patience.isPausing()
                || download.inFlight() > 0) {
            return;
        }
        List<Piece> pieces = download.allPieces();
        pieces.removeIf(p -> !p.needsRetry());
        for (Piece p : pieces) {
            if (p.termination instanceof Termination.Short(long n)) {
                arrived(p.position, p.position + n);
            }
        }
        Termination.RetryLater asked = Patience.askedBy(pieces);
        FsException hopeless =
                asked == null ? null : patience.pause(engine, inode, asked, this::post);
        List<IoStream.Span> later = new ArrayList<>(download.retries);
        download.retries.clear();
        for (Piece p : pieces) {
            download.pieces.remove(p.position);
            if (hopeless != null && p.termination instanceof Termination.RetryLater) {
                failed(p, hopeless);
                continue;
            }
            engine.counters().add(Counter.RETRIES, 1);
            long got = p.termination instanceof Termination.Short(long n) ? n : 0;
            download.retry(
                    new IoStream.Span(p.position + got, p.segmentsAfter(got), p.length - got));
        }
        download.retries.addAll(later);
    }

    @GuardedBy("inode lock")
    private void complete() {
        if (front < fillings.size()) {
            throw new IllegalStateException("ends with bytes on their way: " + this);
        }
        ended = true;
        engine.reads().isServed(this);
        inode.reads.remove(this);
        engine.copyToCache(inode);
        if (!inode.isUnsaved()) {
            inode.listener().onClean();
        }
    }

    @Override
    public String toString() {
        return String.format("R=%08x %s %s", id, origin, file) + " [" + from + ", " + to + ")";
    }
}
