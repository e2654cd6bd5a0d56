// SPDX-License-Identifier: Apache-2.0
package io.netfs4j.cache.journal;

import io.netfs4j.base.Disk;
import io.netfs4j.base.GuardedBy;

import org.jspecify.annotations.Nullable;

/**
 * One file of the journal: records from its header on. It is filled once, in ascending order, and
 * goes when nothing in it counts any more and all segments before it have gone.
 *
 * <p><b>Threads</b>: with the journal's lock held.
 */
final class LogSegment {
    final long number;
    final long salt;
    final long firstLsn;

    /** Null until its first bytes are written. */
    @GuardedBy("journal lock")
    Disk.@Nullable File file;

    /** Where the next record goes; what was staged counts. */
    @GuardedBy("journal lock")
    long end = JournalFormat.SEGMENT_HEADER_BYTES;

    /** Of records that still count, with their headers. */
    @GuardedBy("journal lock")
    long liveBytes;

    /** The record because of which the last byte in it ceased to count. */
    @GuardedBy("journal lock")
    long deadSinceLsn;

    /** So far it has been written. */
    @GuardedBy("journal lock")
    long writtenEnd = JournalFormat.SEGMENT_HEADER_BYTES;

    /** So far it has been forced. */
    @GuardedBy("journal lock")
    long forcedEnd = JournalFormat.SEGMENT_HEADER_BYTES;

    /** Forcing it failed: nothing that it holds since the last time is sure, and never will be. */
    @GuardedBy("journal lock")
    boolean poisoned;

    /** What counts in it could not be read when it was to be appended once more. */
    @GuardedBy("journal lock")
    boolean unreadable;

    /** Who reads or forces it now: it stays as long as there are any. */
    @GuardedBy("journal lock")
    int users;

    /** Somebody else counts on what is in it: its space must not be used for another. */
    @GuardedBy("journal lock")
    boolean lent;

    /** Its file is about to go, or to be used for another. */
    @GuardedBy("journal lock")
    boolean goes;

    /** Nothing is appended to it any more. */
    @GuardedBy("journal lock")
    boolean sealed;

    LogSegment(long number, long salt, long firstLsn) {
        this.number = number;
        this.salt = salt;
        this.firstLsn = firstLsn;
    }

    /** Bytes of it count no longer, because of a record. */
    @GuardedBy("journal lock")
    void die(long bytes, long becauseOfLsn) {
        liveBytes -= bytes;
        deadSinceLsn = Math.max(deadSinceLsn, becauseOfLsn);
    }

    @Override
    public String toString() {
        return "segment " + number + " with " + liveBytes + " bytes alive of " + end;
    }
}
