// SPDX-License-Identifier: Apache-2.0
package io.netfs4j.engine;

import io.netfs4j.base.Completion;
import io.netfs4j.base.GuardedBy;

import org.jspecify.annotations.Nullable;

/**
 * A synchronous write: what is copied into the page cache is sent while the caller goes on copying.
 *
 * <pre>
 *   ASKED --turn--> OWNED --begin--> OPEN --advance*--> OPEN --end--> ENDED
 *     `------------------ close, from anywhere, gives the lock back once -----'
 * </pre>
 *
 * It owns the inode's write-back lock from its turn until its request has completed, so that no
 * other write-back of the file overtakes it.
 *
 * <p><b>Threads</b>: one caller; methods that say so want the inode's lock held.
 */
public final class WriteThrough implements AutoCloseable {
    private final InodeData inode;
    private final WriteRequest request;
    private final Completion<@Nullable Void> turn;

    @GuardedBy("inode lock")
    private boolean begun;

    @GuardedBy("inode lock")
    private boolean ended;

    WriteThrough(InodeData inode, WriteRequest request, Completion<@Nullable Void> turn) {
        this.inode = inode;
        this.request = request;
        this.turn = turn;
    }

    /** Ends when it owns the write-back lock. */
    public Completion<@Nullable Void> turn() {
        return turn;
    }

    /**
     * Bytes from {@code from} up to {@code to} were copied into the page cache: they are issued as
     * soon as they are worth it. Runs follow on from each other.
     */
    @GuardedBy("inode lock")
    public void advance(long from, long to) {
        if (!turn.isDone() || ended) {
            throw new IllegalStateException("not its turn");
        }
        if (!begun) {
            begun = true;
            request.openAt(from);
        }
        request.bring(to);
    }

    /**
     * No more will be copied: the rest is issued.
     *
     * @return ends when the server has committed all of it, or fails with what kept it from that;
     *     the bytes are then dirty still
     */
    @GuardedBy("inode lock")
    public Completion<@Nullable Void> end() {
        giveUp();
        return begun ? request.done() : Completion.done(null);
    }

    @GuardedBy("inode lock")
    private void giveUp() {
        if (ended) {
            return;
        }
        ended = true;
        if (begun) {
            // The request gives the lock back when it has completed.
            request.close();
        } else {
            inode.writebackLock().release(request);
        }
    }

    /** Ends it from wherever it is, without waiting; what was copied is sent all the same. */
    @Override
    public void close() {
        inode.lock().lock();
        try {
            giveUp();
        } finally {
            inode.lock().unlock();
        }
    }
}
