// SPDX-License-Identifier: Apache-2.0
package io.netfs4j.engine;

import io.netfs4j.base.Completion;
import io.netfs4j.base.GuardedBy;
import io.netfs4j.cache.journal.FileJournal;
import io.netfs4j.request.Origin;

import org.jspecify.annotations.Nullable;

/**
 * Holds a walk where bytes begin that a crash would take from the journal: the server is sent none
 * of them. Else the next mount would find more on the server than it knows of, and show it sooner
 * or later: the file as it is in the journal first, and longer once the server has been asked.
 *
 * <p>What was written before a request began is forced by then; it is held only where somebody
 * writes meanwhile. What goes past the page cache is in no journal.
 *
 * <p><b>Threads</b>: with the inode's lock held.
 */
final class JournalGate {
    private final WriteRequest request;

    /** What is being waited for, or was. */
    @GuardedBy("inode lock")
    private @Nullable Completion<@Nullable Void> forced;

    /** Up to where the walk may go, while no record comes after this one. */
    @GuardedBy("inode lock")
    private long safeTo;

    @GuardedBy("inode lock")
    private long safeAtLsn = -1;

    /** So long the file was when something was waited for last: by now that is safe. */
    @GuardedBy("inode lock")
    private long endSafeTo;

    JournalGate(WriteRequest request) {
        this.request = request;
    }

    /**
     * How much of a range may be sent.
     *
     * @param at where the walk is: it never goes back
     * @return the end of that; {@code at} itself when none of it may be now: the request is posted
     *     when that changes
     */
    @GuardedBy("inode lock")
    long admit(long at, long to) {
        FileJournal journal = request.inode().journal();
        if (journal == null || request.origin == Origin.UNBUFFERED) {
            return to;
        }
        if (forced != null && !forced.isDone()) {
            return at;
        }
        long lsn = journal.lastLsn();
        if (lsn != safeAtLsn || at >= safeTo) {
            safeAtLsn = lsn;
            safeTo = journal.forcedTo(at, to);
        }
        if (at >= safeTo) {
            await(journal, lsn);
            return at;
        }
        return Math.min(to, safeTo);
    }

    /**
     * As {@link #admit}, of what fills a granule: nobody wrote it, but past what the server has it
     * makes the file longer there, as long as what was written behind it has made it here.
     */
    @GuardedBy("inode lock")
    long admitFilling(long at, long to) {
        InodeData inode = request.inode();
        FileJournal journal = inode.journal();
        long there = inode.remoteSizeBytes();
        if (at < there) {
            return Math.min(to, there);
        }
        if (journal == null || request.origin == Origin.UNBUFFERED) {
            return to;
        }
        if (forced != null && !forced.isDone()) {
            return at;
        }
        if (at < endSafeTo) {
            return Math.min(to, endSafeTo);
        }
        if (journal.forcedTo(at, Long.MAX_VALUE) == Long.MAX_VALUE) {
            return to;
        }
        await(journal, journal.lastLsn());
        return at;
    }

    @GuardedBy("inode lock")
    private void await(FileJournal journal, long lsn) {
        endSafeTo = request.inode().sizeBytes();
        Completion<@Nullable Void> over = journal.journal().whenForced(lsn);
        forced = over;
        over.whenDone((value, problem) -> request.post());
    }
}
