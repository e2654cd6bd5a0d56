// SPDX-License-Identifier: Apache-2.0
package io.netfs4j.cache.journal;

import io.netfs4j.base.Completion;
import io.netfs4j.base.Disk;
import io.netfs4j.base.Environment;
import io.netfs4j.base.FsException;
import io.netfs4j.base.GuardedBy;
import io.netfs4j.base.Scheduler;
import io.netfs4j.base.Waits;

import org.jspecify.annotations.Nullable;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.locks.ReentrantLock;

/**
 * Makes sure that records survive a loss of power, many at a time: whoever asks while a round is
 * under way waits for it, and for the next where that began too early.
 *
 * <p>A segment that could not be forced is not asked again: what it should have written may be
 * lost, and it would say that all is well. What counts of all that was not forced is read back,
 * checked, and appended once more, together with what that said of others: records behind those
 * that are missing are not looked at. When that cannot be forced either, the journal is broken.
 *
 * <p><b>Threads</b>: any.
 */
final class JournalForce {
    private static final ByteBuffer NOTHING = ByteBuffer.allocate(0);

    private final ReentrantLock lock;
    private final Waits waits;
    private final Scheduler scheduler;
    private final JournalIndex index;
    private final JournalTail tail;
    private final JournalSpace space;

    @GuardedBy("lock")
    private boolean forcing;

    /** Ends with the round that is under way. */
    @GuardedBy("lock")
    private Completion<@Nullable Void> round = new Completion<>();

    /** Who is told once a record is forced. */
    private record Told(long lsn, Completion<@Nullable Void> over) {}

    @GuardedBy("lock")
    private final List<Told> told = new ArrayList<>();

    /** A task forces for them. */
    @GuardedBy("lock")
    private boolean telling;

    JournalForce(
            ReentrantLock lock,
            Environment environment,
            JournalIndex index,
            JournalTail tail,
            JournalSpace space) {
        this.lock = lock;
        this.waits = environment.waits();
        this.scheduler = environment.scheduler();
        this.index = index;
        this.tail = tail;
        this.space = space;
    }

    void await(long lsn) throws FsException {
        tail.awaitWritten(lsn);
        while (true) {
            Completion<@Nullable Void> turn;
            lock.lock();
            try {
                if (tail.forcedLsn() >= lsn) {
                    return;
                }
                FsException broken = tail.broken();
                if (broken != null) {
                    throw broken.copy();
                }
                turn = forcing ? round : null;
                forcing = true;
            } finally {
                lock.unlock();
            }
            if (turn == null) {
                force();
            } else {
                waits.awaitUninterruptibly(turn);
            }
        }
    }

    /**
     * Ends once a record is forced, or never will be. One task forces for all that wait so, however
     * many: a round for those who came during the one before.
     */
    Completion<@Nullable Void> whenForced(long lsn) {
        Completion<@Nullable Void> over = new Completion<>();
        lock.lock();
        try {
            if (tail.broken() != null || tail.forcedLsn() >= lsn) {
                over.complete(null);
                return over;
            }
            told.add(new Told(lsn, over));
            if (telling) {
                return over;
            }
            telling = true;
        } finally {
            lock.unlock();
        }
        scheduler.forkBlocking("netfs-journal", this::tell);
        return over;
    }

    private void tell() {
        for (List<Told> next = next(); !next.isEmpty(); next = next()) {
            long last = 0;
            for (Told one : next) {
                last = Math.max(last, one.lsn);
            }
            try {
                await(last);
            } catch (FsException e) {
                // It is broken: what is not on the server is not safe, and waits for nothing.
            }
            next.forEach(one -> one.over.complete(null));
        }
    }

    private List<Told> next() {
        lock.lock();
        try {
            List<Told> next = List.copyOf(told);
            told.clear();
            telling = !next.isEmpty();
            return next;
        } finally {
            lock.unlock();
        }
    }

    private void force() {
        FsException failure = null;
        long upTo = 0;
        try {
            upTo = forceOnce();
        } catch (IOException | RuntimeException e) {
            try {
                rescue();
                upTo = forceOnce();
            } catch (IOException | RuntimeException again) {
                failure = JournalErrors.of("the journal cannot be forced", again);
            }
        }
        Completion<@Nullable Void> over;
        lock.lock();
        try {
            if (failure == null) {
                tail.setForced(upTo);
                index.forced(upTo);
                space.onDropped();
            } else {
                tail.breakOff(failure);
            }
            forcing = false;
            over = round;
            round = new Completion<>();
        } finally {
            lock.unlock();
        }
        over.complete(null);
    }

    /** A segment to be forced, as it is when the round begins. */
    private record Part(LogSegment segment, Disk.File file, long end) {}

    /** Forces what is written; returns the last record of that. */
    private long forceOnce() throws IOException {
        long upTo;
        List<Part> parts = new ArrayList<>();
        lock.lock();
        try {
            upTo = tail.writtenLsn();
            for (LogSegment segment : tail.segments()) {
                Disk.File file = segment.file;
                if (file != null && !segment.poisoned && segment.forcedEnd < segment.writtenEnd) {
                    parts.add(new Part(segment, file, segment.writtenEnd));
                    segment.users++;
                }
            }
        } finally {
            lock.unlock();
        }
        int forced = 0;
        try {
            for (Part part : parts) {
                part.file.force();
                forced++;
            }
        } finally {
            ended(parts, forced);
        }
        return upTo;
    }

    /** So many parts are forced, and the one after them, where there is one, has failed. */
    private void ended(List<Part> parts, int forced) {
        lock.lock();
        try {
            for (Part part : parts) {
                part.segment.users--;
            }
            for (Part part : parts.subList(0, forced)) {
                part.segment.forcedEnd = Math.max(part.segment.forcedEnd, part.end);
            }
            if (forced < parts.size()) {
                parts.get(forced).segment.poisoned = true;
            }
        } finally {
            lock.unlock();
        }
    }

    private void rescue() throws FsException {
        List<LogSegment> unsure = new ArrayList<>();
        long first;
        long last;
        lock.lock();
        try {
            tail.seal();
            first = tail.nextLsn();
            for (LogSegment segment : tail.segments()) {
                if (segment.poisoned || segment.forcedEnd < segment.end) {
                    unsure.add(segment);
                }
            }
            for (long file : index.unforcedForgets()) {
                tail.stage(RecordType.FORGET, file, 0, 0, 0, NOTHING);
            }
            for (JournalledFile file : index.files()) {
                if (file.lastLsn > tail.forcedLsn()) {
                    dropGaps(file);
                }
            }
        } finally {
            lock.unlock();
        }
        for (LogSegment segment : unsure) {
            space.copyForward(segment);
        }
        lock.lock();
        try {
            long missing = tail.forcedLsn() + 1;
            last = tail.stage(RecordType.REPEATED, 0, missing, first, 0, NOTHING).lsn();
        } finally {
            lock.unlock();
        }
        tail.awaitWritten(last);
    }

    /** Says once more of what does not count that it does not: what said so may be lost. */
    @GuardedBy("lock")
    private void dropGaps(JournalledFile file) {
        long upTo = tail.nextLsn() - 1;
        long from = 0;
        for (Extent extent : file.between(0, Long.MAX_VALUE)) {
            if (from < extent.offset()) {
                tail.stage(RecordType.DROP, file.id, upTo, from, extent.offset(), NOTHING);
            }
            from = extent.end();
        }
        tail.stage(RecordType.DROP, file.id, upTo, from, Long.MAX_VALUE, NOTHING);
    }
}
