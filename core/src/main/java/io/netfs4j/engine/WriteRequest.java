// SPDX-License-Identifier: Apache-2.0
package io.netfs4j.engine;

import io.netfs4j.base.Completion;
import io.netfs4j.base.FsError;
import io.netfs4j.base.FsException;
import io.netfs4j.base.GuardedBy;
import io.netfs4j.base.RangeSet;
import io.netfs4j.base.Segment;
import io.netfs4j.pagecache.WritebackSpan;
import io.netfs4j.request.Origin;
import io.netfs4j.request.Subrequest;
import io.netfs4j.request.Termination;
import io.netfs4j.server.ServerAttributes;
import io.netfs4j.server.ServerFile;
import io.netfs4j.server.WriteSession;
import io.netfs4j.trace.Counters.Counter;
import io.netfs4j.trace.RequestEvent;
import io.netfs4j.trace.SubrequestEvent;

import org.jspecify.annotations.Nullable;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * One pass of writing back over one inode, from the first dirty byte up, over any number of gaps.
 *
 * <pre>
 *   dirty spans of the folios   |==|  |=====|====|      |===|
 *   upload stream               [  ]  [   ][   ][ ]     [   ]     subrequests
 *                                 ^collectedTo  ^issuedTo
 * </pre>
 *
 * <p>It advances in steps. A step collects what has ended ({@link WriteCollector}), sends again
 * what must be sent again ({@link WriteRetryer}), and issues what comes next ({@link WriteIssuer});
 * it never waits, and is posted again by whatever it waits for: a termination, a credit, a share of
 * the bytes in flight, a timer. All its state is touched in steps only, with the inode's lock held,
 * so that there is one collector, and nothing can complete a request that is still being filled.
 *
 * <p>It owns the inode's write-back lock from its first step until it has completed.
 */
final class WriteRequest {
    private final Engine engine;
    private final InodeData inode;
    private final Origin origin;
    private final int id;
    private final Completion<@Nullable Void> done = new Completion<>();
    private final AtomicBoolean posted = new AtomicBoolean();
    private final AtomicInteger inFlight = new AtomicInteger();
    private final RequestEvent event = new RequestEvent();

    // Touched in steps only, with the inode's lock held.

    final List<IoStream> streams = new ArrayList<>(2);

    /** What was taken and has not ended, in file order: from the issuer to the collector. */
    final ArrayDeque<WritebackSpan> spans = new ArrayDeque<>();

    /** Ranges that were given up: their bytes become dirty again. */
    final RangeSet failed = new RangeSet();

    /** The walk has come so far; nothing below it will be taken any more. */
    long issuedTo;

    /** The walk goes no further than this. */
    long walkEnd = Long.MAX_VALUE;

    boolean allQueued;

    /** The walk was given up: an error dooms what follows, or the file is gone. */
    boolean cancelled;

    /** Bytes acknowledged; with none there is nothing to commit. */
    long transferredBytes;

    @GuardedBy("inode lock")
    @Nullable FsException failure;

    final Retries retry = new Retries();

    @GuardedBy("inode lock")
    private @Nullable WriteSession session;

    @GuardedBy("inode lock")
    private boolean committing;

    @GuardedBy("inode lock")
    private @Nullable Completion<ServerAttributes> committed;

    @GuardedBy("inode lock")
    private PendingTimes committingTimes = PendingTimes.NONE;

    @GuardedBy("inode lock")
    private int subrequests;

    @GuardedBy("inode lock")
    private boolean begun;

    /** The attempt to make the file on the server that it began with, until that has ended. */
    @GuardedBy("inode lock")
    private @Nullable Completion<@Nullable Void> creation;

    /** Whether its walk ends where the file ended when it began. */
    @GuardedBy("inode lock")
    private boolean limited;

    /** The retryer's memory within this request. */
    static final class Retries {
        final Patience patience = new Patience();

        /** Some piece at a front waits for the retryer. */
        boolean needed;

        /** Nothing has to be waited for any more. */
        boolean due;
    }

    WriteRequest(Engine engine, InodeData inode, Origin origin, int id) {
        this.engine = engine;
        this.inode = inode;
        this.origin = origin;
        this.id = id;
        this.limited = origin == Origin.SYNC;
    }

    /** Somebody waits for it: it is not to chase a writer who appends for ever. */
    void limitAtBeginning() {
        limited = true;
    }

    Engine engine() {
        return engine;
    }

    InodeData inode() {
        return inode;
    }

    Completion<@Nullable Void> done() {
        return done;
    }

    int inFlight() {
        return inFlight.get();
    }

    /** Asks for a step, soon. Any thread; several calls before the step are one. */
    void post() {
        if (posted.compareAndSet(false, true)) {
            engine.scheduler().execute(this::step);
        }
    }

    /** Ends the walk where the file ends now, because somebody waits for the write-back lock. */
    void limitWalk(long end) {
        walkEnd = Math.min(walkEnd, end);
    }

    /** Gives up what was not issued: the file is gone, nobody wants the bytes. */
    void cancel() {
        cancelled = true;
        post();
    }

    private void step() {
        posted.set(false);
        inode.lock().lock();
        try {
            if (done.isDone()) {
                return;
            }
            if (!begun) {
                begin();
            }
            if (!isCreated()) {
                return;
            }
            WriteCollector.collect(this);
            WriteRetryer.retry(this);
            boolean more = WriteIssuer.issue(this);
            WriteCollector.release(this);
            if (allQueued && spans.isEmpty() && isIdle()) {
                finish();
            } else if (more) {
                post();
            }
        } finally {
            inode.lock().unlock();
        }
    }

    @GuardedBy("inode lock")
    private void begin() {
        begun = true;
        event.begin();
        if (inode.waiting == this) {
            inode.waiting = null;
        }
        inode.writing = this;
        if (limited) {
            limitWalk(inode.sizeBytes());
        }
        Completion<@Nullable Void> attempt = inode.beginCreation();
        if (attempt == null) {
            openSession();
            return;
        }
        creation = attempt;
        attempt.whenDone((made, problem) -> post());
    }

    /** Whether the server has the file, or has refused to make it: then this request fails. */
    @GuardedBy("inode lock")
    private boolean isCreated() {
        Completion<@Nullable Void> attempt = creation;
        if (attempt == null) {
            return true;
        }
        if (!attempt.isDone()) {
            return false;
        }
        creation = null;
        FsException refused = attempt.failure();
        if (refused != null) {
            fail(refused);
        } else if (!cancelled) {
            openSession();
        }
        return true;
    }

    @GuardedBy("inode lock")
    private void openSession() {
        ServerFile file = inode.file();
        if (file == null || !file.isWritable()) {
            if (inode.pages().dirtyBytes() > 0) {
                FsException refused = inode.creationFailure();
                failure =
                        refused == null
                                ? new FsException(FsError.EBADF, "no handle to write with")
                                : refused;
            }
            cancelled = true;
            return;
        }
        WriteSession opened = file.begin(inode.token());
        session = opened;
        streams.add(new IoStream("upload", opened));
    }

    /** The stream that goes to the server, or null before one was needed. */
    @Nullable IoStream upload() {
        return streams.isEmpty() ? null : streams.get(0);
    }

    private boolean isIdle() {
        for (IoStream stream : streams) {
            if (!stream.isIdle()) {
                return false;
            }
        }
        return inFlight.get() == 0;
    }

    /** The least that all streams are done with. */
    long collectedTo() {
        long least = issuedTo;
        for (IoStream stream : streams) {
            least = Math.min(least, stream.collectedTo(issuedTo));
        }
        return least;
    }

    /**
     * Offers bytes to a stream's destination. What it takes becomes a piece in flight.
     *
     * @return how many bytes it took; 0 when it lacks credit or the mount has too much in flight:
     *     the request is posted when that changes
     */
    long offer(IoStream stream, long position, List<Segment> segments, long bytes) {
        if (stream.lacksCredit()) {
            // Nor may it keep others waiting behind it for a share that it cannot use now.
            engine.inFlight().forget(this);
            return 0;
        }
        if (!engine.inFlight().tryAcquire(bytes, this)) {
            return 0;
        }
        Piece piece = new Piece(position, List.copyOf(segments), bytes);
        SubrequestEvent trace = new SubrequestEvent();
        trace.begin();
        Subrequest subrequest =
                new Subrequest(
                        debugId(subrequests++),
                        Subrequest.Direction.WRITE,
                        position,
                        piece.segments,
                        (sub, termination) -> terminated(stream, piece, sub, termination, trace));
        inFlight.incrementAndGet();
        if (!stream.offer(piece, subrequest, this::post)) {
            inFlight.decrementAndGet();
            engine.inFlight().release(bytes);
            return 0;
        }
        engine.inFlight().release(bytes - piece.length);
        engine.counters().add(Counter.UPLOAD_REQUESTS, 1);
        return piece.length;
    }

    /** Called by the back end, on any thread, perhaps inside issue. */
    private void terminated(
            IoStream stream,
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
        long bytes = subrequest.length();
        piece.termination = termination;
        engine.inFlight().release(bytes);
        inFlight.decrementAndGet();
        post();
    }

    /** Notes a failure that dooms the rest: the walk ends, what was not issued stays dirty. */
    void fail(FsException cause) {
        if (failure == null) {
            failure = cause;
        }
        cancelled = true;
    }

    @GuardedBy("inode lock")
    private void finish() {
        WriteSession writes = session;
        if (writes != null && !committing) {
            committing = true;
            PendingTimes times = inode.pendingTimes;
            if (inode.pages().dirtyBytes() == 0) {
                inode.pendingTimes = PendingTimes.NONE;
            }
            // Else they go once more, after what is dirty: sending that moves them again.
            if (transferredBytes == 0 && times.isEmpty()) {
                writes.abort();
            } else {
                commit(writes, times);
                return;
            }
        }
        Completion<ServerAttributes> result = committed;
        if (result != null) {
            if (!result.isDone()) {
                return;
            }
            FsException refused = result.failure();
            ServerFile file = inode.file();
            if (file != null && refused != null && timesWereRefused(refused)) {
                // Others' files may be written and not dated: the server's own time stands then.
                giveUpTimes(refused);
                commit(file.begin(inode.token()), PendingTimes.NONE);
                return;
            }
            try {
                committed(result.get());
            } catch (FsException e) {
                // What somebody set is tried again, under whatever was set since.
                if (e.error() != FsError.ESTALE) {
                    inode.pendingTimes = inode.pendingTimes.after(committingTimes.owed());
                }
                fail(e);
            }
        }
        complete();
    }

    @GuardedBy("inode lock")
    private void commit(WriteSession writes, PendingTimes times) {
        committingTimes = times;
        Completion<ServerAttributes> result = new Completion<>();
        committed = result;
        inode.listener().onCommitting();
        writes.commit(times.change(), result);
        result.whenDone((attributes, problem) -> post());
    }

    @GuardedBy("inode lock")
    private boolean timesWereRefused(FsException refused) {
        return !committingTimes.isEmpty()
                && (refused.error() == FsError.EPERM || refused.error() == FsError.EACCES);
    }

    /** Nobody is let down in silence: who set them hears of it at fsync or close. */
    @GuardedBy("inode lock")
    private void giveUpTimes(FsException refused) {
        if (committingTimes.isOwed()) {
            inode.errors().record(refused);
            engine.counters().add(Counter.ERRORS, 1);
            if (inode.pendingTimes.equals(committingTimes)) {
                inode.pendingTimes = inode.pendingTimes.notOwed();
            }
        }
    }

    @GuardedBy("inode lock")
    private void committed(ServerAttributes attributes) {
        inode.setToken(attributes.token());
        inode.setRemoteSizeBytes(attributes.sizeBytes());
        inode.unsynced = true;
        inode.listener().onCommitted(attributes);
    }

    @GuardedBy("inode lock")
    private void complete() {
        FsException problem = failure;
        engine.inFlight().forget(this);
        inode.writing = null;
        if (problem != null) {
            inode.errors().record(problem);
            engine.counters().add(Counter.ERRORS, 1);
        }
        traceEnd(problem);
        engine.flusher().onRequestDone(inode, problem);
        inode.writebackLock().release(this);
        if (!inode.isUnsaved()) {
            inode.listener().onClean();
        }
        if (problem == null) {
            done.complete(null);
        } else {
            done.fail(problem);
        }
    }

    private void traceEnd(@Nullable FsException problem) {
        if (event.shouldCommit()) {
            event.debugId = String.format("R=%08x", id);
            event.origin = origin.name();
            event.file = inode.listener().name();
            event.uploadedBytes = transferredBytes;
            event.subrequests = subrequests;
            event.outcome = problem == null ? "done" : problem.toString();
            event.commit();
        }
    }

    private String debugId(int number) {
        return String.format("R=%08x[%d]", id, number);
    }

    @Override
    public String toString() {
        return String.format("R=%08x %s %s", id, origin, inode.listener().name())
                + " issuedTo "
                + issuedTo
                + (allQueued ? " all queued" : "")
                + (cancelled ? " cancelled" : "")
                + " inFlight "
                + inFlight.get()
                + " spans "
                + spans.size()
                + " failed "
                + failed
                + " failure "
                + failure;
    }
}
