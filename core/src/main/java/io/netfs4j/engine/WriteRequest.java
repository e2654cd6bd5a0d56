// SPDX-License-Identifier: Apache-2.0
package io.netfs4j.engine;

import io.netfs4j.base.Completion;
import io.netfs4j.base.FsException;
import io.netfs4j.base.GuardedBy;
import io.netfs4j.base.RangeSet;
import io.netfs4j.cache.Cookie;
import io.netfs4j.pagecache.WriteGroup;
import io.netfs4j.request.Origin;
import io.netfs4j.server.WriteSession;
import io.netfs4j.trace.Counters.Counter;
import io.netfs4j.trace.RequestEvent;

import org.jspecify.annotations.Nullable;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicBoolean;

/**
 * One pass of writing over one inode, in ascending order, over any number of gaps and changes of
 * destination.
 *
 * <pre>
 *   dirty spans of the folios   |==|  |=====|====|      |===|
 *   upload stream               [  ]  [   ][   ][ ]     [   ]     subrequests
 *   cache stream               [    ][      ][    ]    [     ]
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
    final Origin origin;
    private final int id;
    private final Completion<@Nullable Void> done;
    private final AtomicBoolean posted = new AtomicBoolean();
    private final RequestEvent event = new RequestEvent();

    // Touched in steps only, with the inode's lock held.

    /** Where its bytes go: the server first, where it is one of them. */
    final List<WriteStream> streams = new ArrayList<>(2);

    /** What was taken and has not ended, in file order: from the issuer to the collector. */
    final ArrayDeque<WriteSpan> spans = new ArrayDeque<>();

    /** Memory that was counted against a limit, used until every stream has sent it. */
    final ArrayDeque<WriteSpan> loans = new ArrayDeque<>(0);

    /** Ranges that were given up: their bytes become dirty again. */
    final RangeSet failed = new RangeSet();

    /** The walk has come so far; nothing below it will be taken any more. */
    long issuedTo;

    /** Some bytes were taken that the disk cache lacked, and do not count as lacking any more. */
    boolean hasCopied;

    /** The walk goes no further than this. */
    long walkEnd = Long.MAX_VALUE;

    boolean allQueued;

    /** The walk was given up: an error dooms what follows, or the file is gone. */
    boolean cancelled;

    /** Bytes acknowledged; with none there is nothing to commit. */
    long transferredBytes;

    /** What the server had of the file when it began. */
    long baseBytes;

    @GuardedBy("inode lock")
    @Nullable FsException failure;

    /** Why the file was given up meanwhile: that is no failure of the server's. */
    @GuardedBy("inode lock")
    private @Nullable FsException givenUp;

    final WriteRetryer.Retries retry = new WriteRetryer.Retries();
    final Landing landing;
    final Granules granules = new Granules(this);
    final WriteOffers offers;
    final JournalGate gate = new JournalGate(this);

    /** Where it waits for a share of what is read to fill granules. */
    final InFlight.Turn fillTurn;

    private final WriteBeginning beginning;
    private final WriteCommit commit;

    /** More may be brought to it: its walk waits at {@link #walkEnd}. */
    @GuardedBy("inode lock")
    private boolean open;

    @GuardedBy("inode lock")
    private @Nullable WriteSource source;

    /** Whose memory it sends, where that is not the page cache's. */
    @GuardedBy("inode lock")
    private @Nullable UnbufferedWrite caller;

    @GuardedBy("inode lock")
    private @Nullable WriteSession session;

    @GuardedBy("inode lock")
    private boolean begun;

    /** Whose data it sends; null when that is not the page cache's. */
    @GuardedBy("inode lock")
    private @Nullable WriteGroup group;

    /** Whoever waits for it waits for the groups up to this one. */
    @GuardedBy("inode lock")
    private long groupMax;

    @GuardedBy("inode lock")
    private boolean isOver;

    /** Its walk ends where the file ended when it began. */
    @GuardedBy("inode lock")
    private boolean limited;

    int id() {
        return id;
    }

    WriteRequest(Engine engine, InodeData inode, Origin origin, int id) {
        this(engine, inode, origin, id, new Completion<>());
    }

    private WriteRequest(
            Engine engine,
            InodeData inode,
            Origin origin,
            int id,
            Completion<@Nullable Void> done) {
        this.engine = engine;
        this.inode = inode;
        this.origin = origin;
        this.id = id;
        this.done = done;
        this.limited = origin == Origin.SYNC;
        this.landing = new Landing(inode);
        this.beginning = new WriteBeginning(this);
        this.commit = new WriteCommit(this);
        this.offers = new WriteOffers(this, engine.limits().throttle());
        this.fillTurn = engine.fills().new Turn(this);
    }

    /**
     * From there on no piece goes to the server before the one in front of it has arrived, so that
     * a failure leaves no hole: where a caller's memory is sent past the end of the file.
     */
    long sequentialFrom() {
        return origin == Origin.UNBUFFERED ? baseBytes : Long.MAX_VALUE;
    }

    /**
     * Sends a caller's memory instead of what is dirty. Before the first step.
     *
     * @param whose told when nothing is in flight any more, and once it has completed, with the
     *     write-back lock still held
     */
    void takeFrom(WriteSource memory, long from, UnbufferedWrite whose) {
        source = memory;
        issuedTo = from;
        caller = whose;
    }

    /**
     * Sends what is dirty from a position on, as it is brought. Before the first step, by the owner
     * of the write-back lock: it is the inode's from now on, for what was brought is to be sent.
     */
    @GuardedBy("inode lock")
    void openAt(long from) {
        inode.writing = this;
        open = true;
        issuedTo = from;
        walkEnd = from;
    }

    /** More was brought, up to a position. */
    @GuardedBy("inode lock")
    void bring(long to) {
        walkEnd = Math.max(walkEnd, to);
        post();
    }

    /** Nothing more will be brought. */
    @GuardedBy("inode lock")
    void close() {
        open = false;
        post();
    }

    @GuardedBy("inode lock")
    boolean isOpen() {
        return open;
    }

    /** Somebody joins it who waits for everything that is dirty now. */
    @GuardedBy("inode lock")
    void includeGroupsOfNow() {
        groupMax = inode.pages().writeback().currentGroup().number();
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

    /** Whether all of it has to be sent again: the server did not take it so, but will. */
    @GuardedBy("inode lock")
    boolean isToBeRepeated() {
        return commit.isToBeRepeated();
    }

    @GuardedBy("inode lock")
    WriteSource source() {
        WriteSource taken = source;
        if (taken == null) {
            throw new IllegalStateException("has not begun: " + this);
        }
        return taken;
    }

    @GuardedBy("inode lock")
    @Nullable WriteSession session() {
        return session;
    }

    /** Asks for a step, soon. Any thread; several calls before the step are one. */
    void post() {
        if (posted.compareAndSet(false, true)) {
            engine.scheduler().execute(this::step);
        }
    }

    /** Ends the walk where the file ends now, because somebody waits for the write-back lock. */
    @GuardedBy("inode lock")
    void limitWalk(long end) {
        if (!open && origin != Origin.UNBUFFERED) {
            walkEnd = Math.min(walkEnd, end);
        }
    }

    /** Ends it early: what was not issued is not sent now. */
    void cancel() {
        cancelled = true;
        post();
    }

    /**
     * Nobody wants the bytes any more, and who waits for them hears why. That is put down already.
     * A request that waits for its turn ends when it has got it.
     */
    @GuardedBy("inode lock")
    void giveUp(FsException why) {
        givenUp = why;
        cancelled = true;
        if (begun) {
            post();
        }
    }

    @GuardedBy("inode lock")
    boolean isGivenUp() {
        return givenUp != null;
    }

    private void step() {
        posted.set(false);
        inode.lock().lock();
        try {
            if (done.isDone() || isOver) {
                return;
            }
            if (!begun) {
                begin();
            }
            boolean mayEnd = beginning.isOver();
            if (!mayEnd && !retry.rests) {
                letGo();
                return;
            }
            WriteCollector.collect(this);
            WriteRetryer.retry(this);
            boolean more = WriteIssuer.issue(this);
            WriteCollector.release(this);
            CacheStream.watch(this);
            offers.turn.endStep();
            fillTurn.endStep();
            letGo();
            if (mayEnd && isQuiet() && commit.isOver()) {
                WriteCollector.release(this);
                complete();
            } else if (more) {
                post();
            }
        } finally {
            inode.lock().unlock();
        }
    }

    /** A caller who has called it off need not wait once nothing of his memory is in flight. */
    @GuardedBy("inode lock")
    private void letGo() {
        if (caller != null && cancelled && isIdle()) {
            caller.letGo(this);
        }
    }

    /** Whether nothing is left to be issued or waited for. */
    @GuardedBy("inode lock")
    private boolean isQuiet() {
        return allQueued && !open && !granules.isReading() && isIdle();
    }

    private boolean isIdle() {
        for (WriteStream stream : streams) {
            if (!stream.abandoned && !stream.isIdle()) {
                return false;
            }
        }
        return true;
    }

    /** Whether what it sends counts only from the commit on, all at once. */
    boolean isAtomic() {
        WriteStream upload = upload();
        return upload != null && upload.atomic;
    }

    @GuardedBy("inode lock")
    private void begin() {
        begun = true;
        event.begin();
        if (inode.waiting == this) {
            inode.waiting = null;
        }
        inode.writing = this;
        if (givenUp != null) {
            return;
        }
        if (limited) {
            limitWalk(inode.sizeBytes());
        }
        if (origin == Origin.COPY_TO_CACHE) {
            source = new WriteSource.Copies(inode);
            openCacheStream();
            return;
        }
        if (source == null) {
            group = inode.pages().writeback().oldestGroup();
            source = new WriteSource.Pages(inode, group);
        }
        beginning.begin();
    }

    /**
     * What it was brought has not begun to leave; or what it has brought back from the journal, as
     * long as that can be sent.
     */
    @GuardedBy("inode lock")
    boolean isAboutToSend(boolean connected) {
        boolean fed = origin == Origin.WRITE_THROUGH;
        return fed || (connected && beginning.tookBack() && spans.isEmpty());
    }

    /** The streams are ready to be fed. */
    @GuardedBy("inode lock")
    void open(WriteSession opened) throws FsException {
        baseBytes = inode.remoteSizeBytes();
        WriteStream upload = BackEnd.upload(opened);
        session = opened;
        streams.add(upload);
        if (upload.atomic) {
            // What the server has counts from the commit: the request must come to an end.
            limitWalk(inode.sizeBytes());
        }
        if (origin != Origin.UNBUFFERED) {
            openCacheStream();
        }
        // A walk that begins somewhere begins with whole granules.
        long first = issuedTo;
        for (WriteStream stream : streams) {
            first = Math.min(first, stream.floor(issuedTo));
            if (stream.atomic) {
                first = Math.min(first, stream.floor(baseBytes));
            }
        }
        issuedTo = first;
    }

    @GuardedBy("inode lock")
    private void openCacheStream() {
        Cookie cookie = engine.cookie(inode);
        if (cookie == null) {
            // What it holds may be older than what the server gets now.
            inode.uncache(0, Long.MAX_VALUE);
        } else {
            streams.add(CacheStream.open(this, cookie));
        }
    }

    /** The stream that goes to the server, or null when there is none. */
    @Nullable WriteStream upload() {
        return streams.isEmpty() || !streams.get(0).isUpload() ? null : streams.get(0);
    }

    /** Whether bytes that were read wait in a granule of the upload that is not whole yet. */
    boolean isFilling() {
        WriteStream upload = upload();
        WriteSpan last = loans.peekLast();
        return upload != null && last != null && last.end() > upload.floor(issuedTo);
    }

    /** The least that all streams have sent. */
    long sentTo() {
        long least = issuedTo;
        for (WriteStream stream : streams) {
            least = Math.min(least, stream.sentTo(issuedTo));
        }
        return least;
    }

    /** The least that all streams are done with: where bytes count from the commit, that too. */
    long collectedTo() {
        long least = sentTo();
        for (WriteStream stream : streams) {
            least = Math.min(least, stream.heldFrom);
        }
        return least;
    }

    /** Notes a failure that dooms the rest: the walk ends, what was not issued stays dirty. */
    void fail(FsException cause) {
        if (failure == null) {
            failure = cause;
        }
        cancelled = true;
    }

    /**
     * A connection was lost: whether the server still has what this builds on is asked once more.
     */
    @GuardedBy("inode lock")
    void checkBaseAgain() {
        retry.unchecked = false;
        if (!isOver) {
            beginning.checkAgain();
        }
    }

    /** Whether that was not so, or could not be learned: nothing is committed then. */
    @GuardedBy("inode lock")
    boolean isBaseLost() {
        return beginning.isBaseLost();
    }

    boolean looksForCuts() {
        return origin != Origin.COPY_TO_CACHE && beginning.looksForCuts();
    }

    @GuardedBy("inode lock")
    private void complete() {
        if (!spans.isEmpty()) {
            throw new IllegalStateException("ends with spans that have not: " + this);
        }
        isOver = true;
        // What the server did not get will be sent again, and perhaps otherwise.
        for (int i = 0; i < failed.count(); i++) {
            CacheStream.discard(this, failed.start(i), failed.end(i));
        }
        FsException problem = failure == null ? givenUp : failure;
        engine.inFlight().forget(this);
        engine.fills().forget(this);
        beginning.forget();
        granules.drop();
        if (caller != null) {
            caller.settle(this);
        }
        if (retry.rests) {
            engine.flusher().leaveToJournal(inode); // Or the next one takes it at once.
        }
        inode.writing = null;
        traceEnd(problem);
        WriteRequest next = null;
        if (origin == Origin.UNBUFFERED || origin == Origin.COPY_TO_CACHE) {
            engine.flusher().onDropped(inode);
        } else {
            FsException refused = givenUp == null ? problem : null;
            if (refused != null) {
                inode.errors().record(refused);
                engine.counters().add(Counter.ERRORS, 1);
            }
            next = problem == null ? next() : null;
            // Until that has ended, too, it is unsaved, also where there is nothing left to send.
            inode.writing = next;
            engine.flusher().onRequestDone(inode, refused);
        }
        if (next != null) {
            inode.writebackLock().handOver(this, next);
            next.post();
            return;
        }
        inode.writebackLock().release(this);
        if (origin != Origin.COPY_TO_CACHE || hasCopied) {
            // What was fetched meanwhile; a copy that could take nothing can take nothing again.
            engine.copyToCache(inode);
        }
        if (!inode.isUnsaved()) {
            inode.listener().onClean();
        }
        if (problem == null) {
            done.complete(null);
        } else {
            done.fail(problem);
        }
    }

    /** What goes on in its place, for whoever waits for it; or null. */
    @GuardedBy("inode lock")
    private @Nullable WriteRequest next() {
        boolean leaves = leavesGroups() || (!cancelled && beginning.leavesStored());
        if (!leaves && !commit.isToBeRepeated() && !retry.rests) {
            return null;
        }
        WriteRequest next = new WriteRequest(engine, inode, origin, engine.nextRequestId(), done);
        next.limited = limited || inode.waiting != null;
        next.groupMax = groupMax;
        return next;
    }

    /** Whoever waits for it waits for the later groups, too, which the walk has left out. */
    @GuardedBy("inode lock")
    private boolean leavesGroups() {
        WriteGroup sent = group;
        return !cancelled
                && sent != null
                && groupMax > sent.number()
                && inode.pages().dirtyBytes() > 0
                && inode.pages().writeback().oldestGroup().number() <= groupMax;
    }

    private void traceEnd(@Nullable FsException problem) {
        if (event.shouldCommit()) {
            event.debugId = String.format("R=%08x", id);
            event.origin = origin.name();
            event.file = inode.listener().name();
            event.uploadedBytes = transferredBytes;
            event.subrequests = offers.count();
            event.outcome = problem == null ? "done" : problem.toString();
            event.commit();
        }
    }

    @Override
    public String toString() {
        return String.format(
                "R=%08x %s %s issuedTo %d%s%s spans %d loans %d %s failed %s failure %s",
                id,
                origin,
                inode.listener().name(),
                issuedTo,
                allQueued ? " all queued" : "",
                cancelled ? " cancelled" : "",
                spans.size(),
                loans.size(),
                streams,
                failed,
                failure);
    }
}
