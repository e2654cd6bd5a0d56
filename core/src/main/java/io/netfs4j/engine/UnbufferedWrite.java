// SPDX-License-Identifier: Apache-2.0
package io.netfs4j.engine;

import io.netfs4j.base.Completion;
import io.netfs4j.base.FsException;
import io.netfs4j.base.GuardedBy;
import io.netfs4j.request.Origin;

import org.jspecify.annotations.Nullable;

import java.nio.ByteBuffer;

/**
 * A write from a caller's memory past the page cache: what is dirty in its range is written back
 * first, what is clean there dropped, then the issuer runs over the caller's memory. Ends with how
 * many bytes from the beginning on the server has.
 *
 * <p><b>Threads</b>: with the inode's lock held, which its own steps take.
 */
public final class UnbufferedWrite {
    private final Engine engine;
    private final InodeData inode;
    private final long from;
    private final long to;
    private final WriteSource source;
    private final Completion<Integer> written = new Completion<>();

    /** Its request, from asking for the write-back lock on. */
    @GuardedBy("inode lock")
    private @Nullable WriteRequest request;

    @GuardedBy("inode lock")
    private boolean issuing;

    /** Why nobody waits for the bytes that were not sent; null while somebody does. */
    @GuardedBy("inode lock")
    private @Nullable FsException calledOff;

    @GuardedBy("inode lock")
    private boolean ended;

    UnbufferedWrite(Engine engine, InodeData inode, long from, ByteBuffer memory) {
        this.engine = engine;
        this.inode = inode;
        this.from = from;
        this.to = from + memory.remaining();
        this.source = new WriteSource.Memory(inode, from, memory);
    }

    /**
     * Ends, once, on any thread and with no lock held, with how many bytes the server has, counted
     * from the beginning: fewer than all after a failure in the middle. Fails when it has none. The
     * memory is the caller's again then, and not before.
     */
    public Completion<Integer> written() {
        return written;
    }

    /**
     * Calls it off: what was not issued will not be, and it ends when nothing is in flight, be the
     * server there or not. Its request may go on after that, to learn how long the file is.
     */
    @GuardedBy("inode lock")
    public void cancel(FsException why) {
        WriteRequest asked = request;
        calledOff = why;
        if (issuing && asked != null) {
            asked.fail(why);
            asked.post();
        } else if (!ended) {
            if (asked != null) {
                inode.writebackLock().release(asked);
                request = null;
            }
            finish(0, why);
        }
    }

    /** Tells the caller, in a step of its own: what he does then may take other inodes' locks. */
    @GuardedBy("inode lock")
    private void finish(int count, @Nullable FsException failure) {
        ended = true;
        engine.scheduler()
                .execute(() -> {
                    if (failure == null) {
                        written.complete(count);
                    } else {
                        written.fail(failure);
                    }
                });
    }

    /** Begins; never waits. */
    @GuardedBy("inode lock")
    void begin() {
        if (comesAfterOthers()) {
            engine.writeback(inode, Origin.SYNC).whenDone(this::flushed);
        } else {
            attempt();
        }
    }

    /** Whether older data belongs into the hole that it would leave, or has to be sent before. */
    @GuardedBy("inode lock")
    private boolean comesAfterOthers() {
        long end = inode.isSizeInDoubt() ? 0 : inode.remoteSizeBytes();
        boolean leavesHole = from > end && inode.pages().writeback().isDirty(end, from);
        return leavesHole || inode.pages().groups() > 1;
    }

    @GuardedBy("inode lock")
    private void attempt() {
        if (ended) {
            return;
        }
        if (inode.pages().writeback().isDirty(from, to)) {
            engine.writeback(inode, Origin.SYNC).whenDone(this::flushed);
            return;
        }
        WriteRequest next =
                new WriteRequest(engine, inode, Origin.UNBUFFERED, engine.nextRequestId());
        next.takeFrom(source, from, this);
        request = next;
        engine.acquire(inode, next).whenDone((turn, never) -> step(() -> issue(next)));
    }

    private void flushed(@Nullable Void nothing, @Nullable FsException failure) {
        step(() -> {
            if (failure == null) {
                attempt();
            } else if (!ended) {
                finish(0, failure);
            }
        });
    }

    private void step(Runnable action) {
        engine.scheduler()
                .execute(() -> {
                    inode.lock().lock();
                    try {
                        action.run();
                    } finally {
                        inode.lock().unlock();
                    }
                });
    }

    @GuardedBy("inode lock")
    @SuppressWarnings("ReferenceEquality") // a request is one object
    private void issue(WriteRequest turned) {
        if (request != turned) {
            return; // Called off meanwhile.
        }
        if (inode.pages().writeback().isDirty(from, to) || comesAfterOthers()) {
            // Written into since: that has to go first after all.
            request = null;
            inode.writebackLock().release(turned);
            begin();
            return;
        }
        issuing = true;
        inode.drop(from, to);
        inode.uncache(from, to);
        turned.done().whenDone((done, failure) -> step(() -> end(turned, failure)));
        turned.post();
    }

    /** Nothing of the memory is in flight, and what was not sent will not be. */
    @GuardedBy("inode lock")
    void letGo(WriteRequest sent) {
        if (calledOff == null || ended || sent.isAtomic()) {
            return; // What counts from a commit is given up without one, soon.
        }
        int count = count(sent);
        if (sent.issuedTo > from && !sent.isGivenUp()) {
            // Of the pieces that failed the server may have a part, which the commit tells.
            inode.doubtSize();
            engine.flusher().onDropped(inode);
        }
        show(count == 0 ? 0 : from + count);
        finish(count, count == 0 ? sent.failure : null);
    }

    /** Before the next request begins: it has to know how long the file is, and what is old. */
    @GuardedBy("inode lock")
    void settle(WriteRequest over) {
        if (over.isToBeRepeated()) {
            return;
        }
        int count = count(over);
        // Of the piece that failed the server may have a part; in doubt nobody knows of it yet.
        boolean isTold = over.failure != null && !inode.isSizeInDoubt();
        long partly = isTold ? inode.remoteSizeBytes() : 0;
        show(Math.max(partly, count == 0 ? 0 : from + count));
    }

    /** The server has it, or a part, and the file is at least so long now. */
    @GuardedBy("inode lock")
    private void show(long sizeMin) {
        // What was read meanwhile may be older; what was written meanwhile is newer, and stays.
        inode.pages().dropClean(from, to);
        inode.setSizeBytes(Math.max(inode.sizeBytes(), sizeMin));
        inode.listener().onWritten(from, (int) (to - from));
    }

    /** How many bytes the server has, counted from the beginning. */
    private int count(WriteRequest over) {
        long end = Math.min(over.issuedTo, over.failed.next(from, to));
        return (int) Math.max(0, Math.min(end, to) - from);
    }

    @GuardedBy("inode lock")
    private void end(WriteRequest over, @Nullable FsException failure) {
        issuing = false;
        request = null;
        if (ended) {
            return; // Let go before.
        }
        if (over.isToBeRepeated() && calledOff == null) {
            attempt();
            return;
        }
        if (over.isToBeRepeated()) {
            finish(0, calledOff);
            return;
        }
        int count = count(over);
        finish(count, count == 0 ? failure : null);
    }
}
