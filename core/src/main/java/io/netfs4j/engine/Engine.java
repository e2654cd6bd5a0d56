// SPDX-License-Identifier: Apache-2.0
package io.netfs4j.engine;

import io.netfs4j.base.Completion;
import io.netfs4j.base.Environment;
import io.netfs4j.base.FsException;
import io.netfs4j.base.GuardedBy;
import io.netfs4j.base.Scheduler;
import io.netfs4j.base.Segment;
import io.netfs4j.cache.Cookie;
import io.netfs4j.cache.journal.FileJournal;
import io.netfs4j.pagecache.PageCache;
import io.netfs4j.request.Origin;
import io.netfs4j.server.ServerFile;
import io.netfs4j.trace.Counters;
import io.netfs4j.trace.Counters.Counter;

import org.jspecify.annotations.Nullable;

import java.nio.ByteBuffer;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.BooleanSupplier;

/**
 * Moves bytes between the page cache of one mount and its server: wires the requests to the mount's
 * scheduler, clock and limits.
 *
 * <p><b>Threads</b>: any; methods that say so want the inode's lock held. Nothing here waits.
 */
public final class Engine {
    /** 64 questions of 20 ms each are 3,200 files a second, as many as are made. */
    private static final int QUESTIONS_MAX = 64;

    /** Enough for eight files at a time in pieces of the largest size. */
    private static final long TAKINGS_BYTES_MAX = 8L << 20;

    private final Environment environment;
    private final PageCache cache;
    private final EngineLimits limits;
    private final Counters counters;
    private final InFlight inFlight;
    private final InFlight cacheInFlight;
    private final CacheBreaker cacheBreaker = new CacheBreaker();
    private final InFlight fills;

    /** What is asked of the server before anything of a file is sent. */
    private final InFlight questions = new InFlight(Long.MAX_VALUE, QUESTIONS_MAX);

    /** Memory in which bytes come back from the journal. */
    private final InFlight takings = new InFlight(TAKINGS_BYTES_MAX, QUESTIONS_MAX);

    private final ReadQueue reads = new ReadQueue();
    private final Backoff backoff;
    private final Flusher flusher;
    private final AtomicInteger requestIds = new AtomicInteger();

    /** Whether there is a connection to the server, as far as is known. */
    private volatile BooleanSupplier connected = () -> true;

    public Engine(
            Environment environment, PageCache cache, EngineLimits limits, Counters counters) {
        this.environment = environment;
        this.cache = cache;
        this.limits = limits;
        this.counters = counters;
        EngineLimits.Throttle throttle = limits.throttle();
        this.inFlight = new InFlight(throttle.bytesMax(), throttle.piecesMax());
        this.cacheInFlight = new InFlight(throttle.cacheBytesMax(), throttle.piecesMax());
        this.fills = new InFlight(throttle.fillBytesMax(), throttle.piecesMax());
        this.backoff = new Backoff(environment.random());
        this.flusher = new Flusher(this);
        cache.onPressure(flusher::onPressure);
    }

    public Flusher flusher() {
        return flusher;
    }

    public EngineLimits limits() {
        return limits;
    }

    public Counters counters() {
        return counters;
    }

    public PageCache cache() {
        return cache;
    }

    /** Who knows whether there is a connection to the server. Set once, before the first write. */
    public void setConnected(BooleanSupplier knower) {
        connected = knower;
    }

    void awaitUninterruptibly(Completion<@Nullable Void> completion) {
        try {
            environment.waits().awaitUninterruptibly(completion);
        } catch (FsException e) {
            throw new IllegalStateException("a turn fails", e);
        }
    }

    boolean isConnected() {
        return connected.getAsBoolean();
    }

    /** Has what is dirty written back, whatever its age: somebody waits for room. */
    public void press() {
        flusher.onPressure();
    }

    /** Bytes of write subrequests to the server issued and not ended. */
    public long inFlightBytes() {
        return inFlight.bytes();
    }

    /** Bytes on their way to the disk cache, from the journal, and read to fill granules. */
    public long otherBytes() {
        return cacheInFlight.bytes() + fills.bytes() + takings.bytes();
    }

    InFlight inFlight() {
        return inFlight;
    }

    /** What is on its way to the disk cache. */
    InFlight cacheInFlight() {
        return cacheInFlight;
    }

    CacheBreaker cacheBreaker() {
        return cacheBreaker;
    }

    /** Where the disk cache keeps a file; null when it does not, or is not to be asked now. */
    @GuardedBy("inode lock")
    @Nullable Cookie cookie(InodeData inode) {
        return cacheBreaker.isTripped() ? null : inode.cookie();
    }

    /** What is read to fill granules. */
    InFlight fills() {
        return fills;
    }

    InFlight questions() {
        return questions;
    }

    InFlight takings() {
        return takings;
    }

    ReadQueue reads() {
        return reads;
    }

    Scheduler scheduler() {
        return environment.scheduler();
    }

    long nowNanos() {
        return environment.clock().nanoTime();
    }

    void after(long nanos, Runnable step) {
        environment.scheduler().schedule(step, nanos);
    }

    long retryPauseNanos(int attempt) {
        return backoff.pauseNanos(attempt, limits.retryFirstNanos(), limits.retryMaxNanos());
    }

    long parkPauseNanos(int failures) {
        return backoff.pauseNanos(failures, limits.parkFirstNanos(), limits.parkMaxNanos());
    }

    int nextRequestId() {
        return requestIds.incrementAndGet();
    }

    /**
     * Writes back what is dirty now. Joins a request that has not begun; a running one is told to
     * end where the file ends now, and another follows it.
     *
     * @return ends when every byte that was dirty or in flight at the call has been committed by
     *     the server, or fails with what kept one from it; the bytes are then dirty still
     */
    @GuardedBy("inode lock")
    public Completion<@Nullable Void> writeback(InodeData inode, Origin origin) {
        if (!inode.isUnsaved()) {
            flusher.onNothingLeft(inode);
            return Completion.done(null);
        }
        WriteRequest waiting = inode.waiting;
        if (waiting != null) {
            if (origin == Origin.SYNC) {
                waiting.limitAtBeginning();
            }
            waiting.includeGroupsOfNow();
            return waiting.done();
        }
        WriteRequest request = new WriteRequest(this, inode, origin, nextRequestId());
        request.includeGroupsOfNow();
        limitRunning(inode);
        inode.waiting = request;
        inode.writebackLock().acquire(request).whenDone((turn, never) -> request.post());
        return request.done();
    }

    /**
     * The end of the attempt to make a file on the server that is under way, or of one that begins
     * as soon as it can; null when the server has it.
     */
    @GuardedBy("inode lock")
    public @Nullable Completion<@Nullable Void> making(InodeData inode) {
        Completion<@Nullable Void> attempt = inode.creation();
        if (attempt != null && !inode.isBeingCreated()) {
            writeback(inode, Origin.WRITEBACK);
        }
        return attempt;
    }

    /** Somebody waits for the write-back lock: a walk under way ends where the file ends now. */
    @GuardedBy("inode lock")
    private static void limitRunning(InodeData inode) {
        WriteRequest running = inode.writing;
        if (running != null && running.origin == Origin.COPY_TO_CACHE) {
            running.cancel();
        } else if (running != null) {
            running.limitWalk(inode.sizeBytes());
        }
    }

    /** Stores what was fetched in the disk cache, unless something of the file is written now. */
    @GuardedBy("inode lock")
    void copyToCache(InodeData inode) {
        if (inode.writing != null
                || inode.waiting != null
                || !inode.pages().hasUncached()
                || cookie(inode) == null
                || !inode.writebackLock().isFree()) {
            return;
        }
        WriteRequest request = new WriteRequest(this, inode, Origin.COPY_TO_CACHE, nextRequestId());
        inode.writebackLock().acquire(request);
        inode.writing = request;
        request.post();
    }

    /**
     * Asks for the write-back lock on behalf of something that changes the server's file; a walk
     * under way is told to end where the file ends now.
     */
    @GuardedBy("inode lock")
    public Completion<@Nullable Void> acquire(InodeData inode, Object owner) {
        limitRunning(inode);
        return inode.writebackLock().acquire(owner);
    }

    /** Begins a synchronous write: it asks for the write-back lock. */
    @GuardedBy("inode lock")
    public WriteThrough writeThrough(InodeData inode) {
        WriteRequest request = new WriteRequest(this, inode, Origin.WRITE_THROUGH, nextRequestId());
        return new WriteThrough(inode, request, acquire(inode, request));
    }

    /**
     * Writes a caller's memory past the page cache, from the buffer's position to its limit, which
     * are not moved. Never waits.
     *
     * @param memory must not be touched until {@link UnbufferedWrite#written} has ended
     */
    @GuardedBy("inode lock")
    public UnbufferedWrite writeUnbuffered(InodeData inode, long from, ByteBuffer memory) {
        UnbufferedWrite write = new UnbufferedWrite(this, inode, from, memory);
        write.begin();
        return write;
    }

    /**
     * Reads from the server into memory, past the page cache and the disk cache; what lies past the
     * server's end is zeros.
     *
     * @param memory from position to limit, which are not moved; must not be touched until the
     *     completion has ended
     */
    @GuardedBy("inode lock")
    public Completion<@Nullable Void> readUnbuffered(
            InodeData inode, ServerFile file, long from, ByteBuffer memory) {
        Segment segment = new Segment(memory, memory.position(), memory.remaining());
        return ReadRequest.intoMemory(this, inode, file, from, List.of(segment));
    }

    /** Whether nothing of a file is on its way, nor will be without being looked at again. */
    @GuardedBy("inode lock")
    public boolean mayBeCut(InodeData inode) {
        WritebackLock lock = inode.writebackLock();
        WriteRequest first = inode.writing == null ? inode.waiting : inode.writing;
        return lock.isFree() || (first != null && lock.isHeldBy(first) && first.looksForCuts());
    }

    /**
     * Gives up what is dirty and not in flight, of a file that is gone; its pages go too. Whoever
     * waits for that hears of it, and each open file does.
     */
    @GuardedBy("inode lock")
    public void discard(InodeData inode) {
        inode.trustSize();
        boolean loses = inode.isUnsaved();
        if (inode.owedSize().isOwed()) {
            inode.owedSize().settle();
            inode.setToken(null); // What the server has behind the cut counts again.
        }
        FsException why = inode.whyGivenUp();
        inode.pages().clear();
        FileJournal journal = inode.journal();
        if (journal != null) {
            journal.forget();
        }
        inode.uncache(0, Long.MAX_VALUE);
        inode.setPendingAttributes(PendingAttributes.NONE);
        inode.giveUpCreation();
        if (loses) {
            inode.errors().record(why);
            counters.add(Counter.ERRORS, 1);
        }
        if (inode.writing != null) {
            inode.writing.giveUp(why);
        }
        WriteRequest waiting = inode.waiting;
        if (waiting != null) {
            // What is written from now on is another's.
            inode.waiting = null;
            waiting.giveUp(why);
        }
        flusher.onRequestDone(inode, null);
    }

    /**
     * Fetches the absent bytes of [from, to) that nobody fetches yet. When memory gives out, fewer.
     */
    @GuardedBy("inode lock")
    public void load(InodeData inode, long from, long to, Origin origin) {
        ReadRequest.begin(this, inode, from, to, origin);
    }

    /**
     * The end of a read under way of the first byte of a range, or null when it is not on its way.
     *
     * @return ends when no byte of the range is on its way with that read any more: some may have
     *     failed to come that nobody had asked for. Fails when one cannot be read.
     */
    @GuardedBy("inode lock")
    public @Nullable Completion<@Nullable Void> loading(InodeData inode, long from, long to) {
        for (ReadRequest read : inode.reads) {
            if (read.covers(from)) {
                read.demand(from, to);
                return read.over(from, to);
            }
        }
        return null;
    }
}
