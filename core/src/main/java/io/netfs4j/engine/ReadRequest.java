// SPDX-License-Identifier: Apache-2.0
package io.netfs4j.engine;

import io.netfs4j.base.Completion;
import io.netfs4j.base.FsException;
import io.netfs4j.base.GuardedBy;
import io.netfs4j.base.RangeSet;
import io.netfs4j.pagecache.LoadSpan;
import io.netfs4j.request.Origin;
import io.netfs4j.request.Subrequest;
import io.netfs4j.request.Termination;
import io.netfs4j.server.ServerFile;
import io.netfs4j.trace.Counters.Counter;

import org.jspecify.annotations.Nullable;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * One pass of fetching absent bytes of one inode. The same steps as a {@link WriteRequest}, with
 * one stream: pieces are issued in ascending order, collected as they end, and what did not come is
 * asked for again.
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
    private final Origin origin;
    private final int id;
    private final ServerFile file;
    private final IoStream stream;
    private final long generation;
    private final AtomicBoolean posted = new AtomicBoolean();
    private final AtomicInteger inFlight = new AtomicInteger();

    /** A span that is being filled, and how many of its bytes have not ended yet. */
    private static final class Filling {
        final LoadSpan span;
        long left;

        Filling(LoadSpan span) {
            this.span = span;
            this.left = span.end() - span.position();
        }
    }

    /** Somebody who waits for a part of it. */
    private record Waiter(long from, long to, Completion<@Nullable Void> over) {}

    /** What is to be filled, in file order. */
    private final List<Filling> fillings = new ArrayList<>();

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
            Engine engine, InodeData inode, ServerFile file, Origin origin, long from, long to) {
        this.engine = engine;
        this.inode = inode;
        this.origin = origin;
        this.id = engine.nextRequestId();
        this.file = file;
        this.stream = new IoStream("download", file.reads());
        this.generation = inode.generation;
        this.from = from;
        this.to = to;
    }

    @GuardedBy("inode lock")
    static void begin(Engine engine, InodeData inode, long from, long to, Origin origin) {
        ServerFile file = inode.file();
        if (file == null || !file.isReadable()) {
            return;
        }
        ReadRequest request = new ReadRequest(engine, inode, file, origin, from, to);
        List<LoadSpan> spans = new ArrayList<>();
        inode.pages().prepareLoad(from, to, spans);
        if (spans.isEmpty()) {
            return;
        }
        for (LoadSpan span : spans) {
            request.fillings.add(new Filling(span));
            request.open.add(span.position(), span.end());
            request.stream.retry(
                    new IoStream.Span(
                            span.position(),
                            List.of(span.segment()),
                            span.end() - span.position()));
        }
        inode.reads.add(request);
        request.issue();
    }

    boolean covers(long position) {
        return open.contains(position, position + 1);
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

    private void post() {
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
            collect();
            retry();
            issue();
            // A retry that gave up a piece leaves what came behind it to be collected now.
            collect();
            if (stream.isIdle() && inFlight.get() == 0) {
                complete();
            }
        } finally {
            inode.lock().unlock();
        }
    }

    @GuardedBy("inode lock")
    private void issue() {
        if (abandoned) {
            IoStream.Span rest;
            while ((rest = stream.retries.pollFirst()) != null) {
                end(rest.position, rest.position + rest.length, false);
            }
            return;
        }
        IoStream.Span span;
        while (!patience.isPausing()
                && (span = stream.retries.peekFirst()) != null
                && !stream.lacksCredit()) {
            long most = Math.max(1, stream.destination.estimateBytes(span.position));
            long count = Math.min(span.length, most);
            long taken = offer(span, count);
            if (taken == 0) {
                return;
            }
            if (taken == span.length) {
                stream.retries.removeFirst();
            } else {
                span.drop(taken);
            }
        }
    }

    private long offer(IoStream.Span span, long count) {
        Piece piece = new Piece(span.position, Piece.slice(span.segments, 0, count), count);
        Subrequest subrequest =
                new Subrequest(
                        String.format("R=%08x[%d]", id, subrequests++),
                        Subrequest.Direction.READ,
                        piece.position,
                        piece.segments,
                        (sub, termination) -> {
                            piece.termination = termination;
                            inFlight.decrementAndGet();
                            post();
                        });
        inFlight.incrementAndGet();
        if (!stream.offer(piece, subrequest, this::post)) {
            inFlight.decrementAndGet();
            return 0;
        }
        engine.counters().add(Counter.DOWNLOAD_REQUESTS, 1);
        return piece.length;
    }

    @GuardedBy("inode lock")
    private void collect() {
        Piece first;
        while ((first = stream.pieces.first()) != null
                && first.termination != null
                && (!first.needsRetry() || abandoned)) {
            stream.pieces.remove(first.position);
            switch (Piece.required(first)) {
                case Termination.Done d -> arrived(first.position, first.end());
                case Termination.EndOfFile(long n) -> {
                    arrived(first.position, first.position + n);
                    zero(first.position + n, first.end());
                }
                case Termination.Short(long n) -> {
                    arrived(first.position, first.position + n);
                    end(first.position + n, first.end(), false);
                }
                case Termination.RetryLater r -> end(first.position, first.end(), false);
                case Termination.Failed(FsException cause) -> failed(first, cause);
                case Termination.Conflict(FsException cause) -> failed(first, cause);
            }
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
        end(piece.position, piece.end(), false);
    }

    private void arrived(long start, long end) {
        if (end > start) {
            patience.progress();
            engine.counters().add(Counter.DOWNLOADED_BYTES, end - start);
            end(start, end, true);
        }
    }

    /** The server's file ends before these bytes: as far as it is concerned they are zeros. */
    private void zero(long start, long end) {
        for (int i = front; i < fillings.size() && start < end; i++) {
            LoadSpan span = fillings.get(i).span;
            long a = Math.max(start, span.position());
            long b = Math.min(end, span.end());
            if (a < b) {
                long base = span.folio().position();
                inode.pages().zero(span, (int) (a - base), (int) (b - base));
            }
        }
        end(start, end, true);
    }

    /** Ends the load of a range, which lies in one or several of the spans. */
    private void end(long start, long end, boolean came) {
        boolean usable = came && generation == inode.generation;
        for (int i = front; i < fillings.size(); i++) {
            Filling filling = fillings.get(i);
            LoadSpan span = filling.span;
            if (span.position() >= end) {
                break;
            }
            long a = Math.max(start, span.position());
            long b = Math.min(end, span.end());
            if (a >= b) {
                continue;
            }
            long base = span.folio().position();
            inode.pages().endLoad(span, (int) (a - base), (int) (b - base), usable);
            filling.left -= b - a;
            if (filling.left == 0) {
                inode.pages().release(span);
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
        Piece first = stream.pieces.first();
        if (first == null || !first.needsRetry() || patience.isPausing() || inFlight.get() > 0) {
            return;
        }
        List<Piece> pieces = stream.allPieces();
        pieces.removeIf(p -> !p.needsRetry());
        for (Piece p : pieces) {
            if (p.termination instanceof Termination.Short(long n)) {
                arrived(p.position, p.position + n);
            }
        }
        Termination.RetryLater asked = Patience.askedBy(pieces);
        FsException hopeless =
                asked == null ? null : patience.pause(engine, inode, asked, this::post);
        List<IoStream.Span> later = new ArrayList<>(stream.retries);
        stream.retries.clear();
        for (Piece p : pieces) {
            stream.pieces.remove(p.position);
            if (hopeless != null && p.termination instanceof Termination.RetryLater) {
                failed(p, hopeless);
                continue;
            }
            engine.counters().add(Counter.RETRIES, 1);
            long got = p.termination instanceof Termination.Short(long n) ? n : 0;
            stream.retry(new IoStream.Span(p.position + got, p.segmentsAfter(got), p.length - got));
        }
        stream.retries.addAll(later);
    }

    @GuardedBy("inode lock")
    private void complete() {
        if (front < fillings.size()) {
            throw new IllegalStateException("ends with bytes on their way: " + this);
        }
        ended = true;
        inode.reads.remove(this);
        if (!inode.isUnsaved()) {
            inode.listener().onClean();
        }
    }

    @Override
    public String toString() {
        return String.format("R=%08x %s %s", id, origin, file) + " [" + from + ", " + to + ")";
    }
}
