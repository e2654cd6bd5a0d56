// SPDX-License-Identifier: Apache-2.0
package io.netfs4j.cache.journal;

import io.netfs4j.base.Completion;
import io.netfs4j.base.Disk;
import io.netfs4j.base.Environment;
import io.netfs4j.base.FsException;
import io.netfs4j.base.GuardedBy;
import io.netfs4j.base.Scheduler;
import io.netfs4j.base.Waits;
import io.netfs4j.cache.journal.JournalTail.Place;

import org.jspecify.annotations.Nullable;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.locks.ReentrantLock;

/**
 * Gives segments back, the oldest first: so a record that says that others do not count any more
 * always outlives them. Where an old segment holds little and keeps many, what counts in it is
 * appended once more.
 *
 * <p><b>Threads</b>: any.
 */
final class JournalSpace {
    /** Waits until a record is forced. */
    interface Sure {
        void await(long lsn) throws FsException;
    }

    private final ReentrantLock lock;
    private final JournalIndex index;
    private final JournalTail tail;
    private final JournalReader reader;
    private final SegmentFiles files;
    private final Scheduler scheduler;
    private final Waits waits;
    private final JournalLimits limits;
    private final Sure sure;

    /** It is done by somebody, or will be. */
    @GuardedBy("lock")
    private boolean reclaiming;

    /** Somebody has begun; {@link #over} ends with that. */
    @GuardedBy("lock")
    private boolean running;

    @GuardedBy("lock")
    private boolean closed;

    private final Completion<@Nullable Void> over = new Completion<>();

    private volatile Runnable room = () -> {};

    /**
     * The record that comes after all that was there when a round of copying began; 0: none has.
     */
    @GuardedBy("lock")
    private long roundEndLsn;

    /** What was taken then, in bytes. */
    @GuardedBy("lock")
    private long roundBytes;

    /** What had been staged by then, and what has been copied since, in bytes. */
    @GuardedBy("lock")
    private long roundStagedBytes;

    @GuardedBy("lock")
    private long roundCopiedBytes;

    /** What was taken, and what of it counted, after a round by which nothing came free. */
    @GuardedBy("lock")
    private long vainBytes;

    @GuardedBy("lock")
    private long vainLiveBytes;

    JournalSpace(
            ReentrantLock lock,
            JournalIndex index,
            JournalTail tail,
            JournalReader reader,
            SegmentFiles files,
            Environment environment,
            JournalLimits limits,
            Sure sure) {
        this.lock = lock;
        this.index = index;
        this.tail = tail;
        this.reader = reader;
        this.files = files;
        this.scheduler = environment.scheduler();
        this.waits = environment.waits();
        this.limits = limits;
        this.sure = sure;
    }

    void onRoom(Runnable listener) {
        room = listener;
    }

    /** Something counts no more: perhaps segments can go. */
    @GuardedBy("lock")
    void onDropped() {
        if (!reclaiming && !closed && (oldestIsDead() || isWorthCopying())) {
            reclaiming = true;
            scheduler.forkBlocking("netfs-journal", this::reclaim);
        }
    }

    @GuardedBy("lock")
    private boolean oldestIsDead() {
        LogSegment oldest = tail.segments().peekFirst();
        return oldest != null
                && oldest.sealed
                && oldest.liveBytes == 0
                && oldest.users == 0
                && tail.broken() == null;
    }

    /**
     * Whether half of what is taken, of more than half of all that may be written to, is not
     * needed. So nobody waits for room that nothing will make: what little counts for long (a
     * removed file that is open) may be in the oldest segment.
     */
    @GuardedBy("lock")
    private boolean isWorthCopying() {
        LogSegment oldest = tail.segments().peekFirst();
        if (oldest == null
                || !oldest.sealed
                || oldest.liveBytes == 0
                || oldest.unreadable
                || tail.broken() != null) {
            return false;
        }
        long live = liveBytes();
        // Records that do not fit together into a segment may leave half of each free for good.
        long less = Math.min(limits.segmentBytes(), vainLiveBytes) / 8;
        boolean inVain = tail.bytes() <= vainBytes && live > vainLiveBytes - less;
        return !inVain && tail.bytes() > limits.writableBytes() / 2 && live < tail.bytes() / 2;
    }

    @GuardedBy("lock")
    private long liveBytes() {
        return tail.segments().stream().mapToLong(segment -> segment.liveBytes).sum();
    }

    /** Whether all has been copied once, and as much is taken as before. */
    @GuardedBy("lock")
    private boolean wasInVain(LogSegment oldest) {
        boolean isOver = roundEndLsn != 0 && oldest.firstLsn >= roundEndLsn;
        // Others may have taken the room that it made.
        long others = tail.stagedBytes() - roundStagedBytes - roundCopiedBytes;
        if (isOver && tail.bytes() >= roundBytes && others < limits.segmentBytes() / 8) {
            vainBytes = tail.bytes();
            vainLiveBytes = liveBytes();
            return true;
        }
        if (isOver || roundEndLsn == 0) {
            roundEndLsn = tail.nextLsn();
            roundBytes = tail.bytes();
            roundStagedBytes = tail.stagedBytes();
            roundCopiedBytes = 0;
        }
        return false;
    }

    /** Nothing is given back from now on: the files are another's once this has returned. */
    void close() {
        boolean underWay;
        lock.lock();
        try {
            closed = true;
            underWay = running;
        } finally {
            lock.unlock();
        }
        try {
            if (underWay) {
                waits.awaitUninterruptibly(over);
            }
        } catch (FsException e) {
            throw new IllegalStateException("it ends without an error", e);
        }
    }

    private void reclaim() {
        lock.lock();
        try {
            running = !closed;
        } finally {
            lock.unlock();
        }
        boolean last;
        try {
            giveBack();
        } finally {
            lock.lock();
            try {
                running = false;
                last = closed;
            } finally {
                lock.unlock();
            }
            if (last) {
                over.complete(null);
            }
        }
    }

    private void giveBack() {
        boolean goesOn = true;
        while (goesOn) {
            LogSegment oldest;
            boolean dead;
            lock.lock();
            try {
                dead = oldestIsDead();
                boolean ends = closed || (!dead && !isWorthCopying());
                if (ends || (!dead && wasInVain(tail.segments().getFirst()))) {
                    roundEndLsn = 0;
                    reclaiming = false;
                    return;
                }
                oldest = tail.segments().getFirst();
            } finally {
                lock.unlock();
            }
            goesOn = dead ? retire(oldest) : moved(oldest);
        }
        lock.lock();
        try {
            roundEndLsn = 0;
            reclaiming = false; // It is tried again when something else counts no more.
        } finally {
            lock.unlock();
        }
    }

    private boolean moved(LogSegment segment) {
        try {
            copyForward(segment);
            return true;
        } catch (FsException e) {
            lock.lock();
            try {
                segment.unreadable = true;
            } finally {
                lock.unlock();
            }
            return false;
        }
    }

    /**
     * The server has all that it holds, and it is broken, so that it cannot say so: the next mount
     * is to find none of it. Waits for the disk; does nothing while it works.
     */
    void abandon() {
        List<LogSegment> all;
        lock.lock();
        try {
            if (closed || tail.broken() == null) {
                return;
            }
            all = new ArrayList<>(tail.segments());
            all.forEach(segment -> segment.goes = true);
        } finally {
            lock.unlock();
        }
        try {
            for (LogSegment segment : all) {
                files.discard(segment.number);
            }
        } catch (IOException e) {
            // It is left there, and found to be of before what the server has.
        }
    }

    /** Whether it is gone, or is to be looked at again. */
    private boolean retire(LogSegment segment) {
        long becauseOf;
        lock.lock();
        try {
            becauseOf = segment.deadSinceLsn;
        } finally {
            lock.unlock();
        }
        try {
            // Else a loss of power would take what replaced it, and leave neither.
            sure.await(becauseOf);
            Disk.File file;
            boolean reusable;
            lock.lock();
            try {
                if (segment.users > 0) {
                    return true; // Somebody forces it: this is called again after that.
                }
                // Nothing in it need be sure, and nobody begins to force it.
                segment.forcedEnd = segment.writtenEnd;
                file = segment.file;
                reusable = !segment.poisoned && !segment.lent;
                segment.goes = true;
            } finally {
                lock.unlock();
            }
            if (file == null) {
                files.discard(segment.number);
            } else {
                files.retire(segment.number, file, reusable);
            }
        } catch (IOException | RuntimeException e) {
            return false;
        }
        lock.lock();
        try {
            // Nothing in it counts, and so nobody has come to read it meanwhile.
            tail.segments().removeFirst();
            if (tail.bytes() + limits.segmentBytes() <= vainBytes) {
                vainBytes = 0; // That was long ago.
            }
        } finally {
            lock.unlock();
        }
        room.run();
        return true;
    }

    /** Appends once more what counts in a segment; nobody else takes it away meanwhile. */
    void copyForward(LogSegment segment) throws FsException {
        List<Long> numbers;
        lock.lock();
        try {
            segment.users++;
            numbers = index.numbers();
        } finally {
            lock.unlock();
        }
        try {
            for (long file : numbers) {
                copyFacts(file, segment);
                copyBytes(file, segment);
            }
        } finally {
            lock.lock();
            try {
                segment.users--;
            } finally {
                lock.unlock();
            }
        }
    }

    private void copyFacts(long id, LogSegment segment) {
        lock.lock();
        try {
            JournalledFile file = index.get(id);
            byte[] facts = file == null ? null : file.facts();
            if (file != null && facts != null && file.hasFactsIn(segment)) {
                ByteBuffer payload = ByteBuffer.wrap(facts);
                long size = file.sizeBytes;
                Place place = stageCopy(RecordType.FILE, id, 0, 0, size, payload);
                index.described(id, place, size, facts);
            }
        } finally {
            lock.unlock();
        }
    }

    private void copyBytes(long id, LogSegment segment) throws FsException {
        long from = 0;
        while (true) {
            Extent extent;
            lock.lock();
            try {
                JournalledFile file = index.get(id);
                extent = file == null ? null : file.firstIn(segment, from);
            } finally {
                lock.unlock();
            }
            if (extent == null) {
                return;
            }
            tail.awaitWritten(extent.lsn());
            if (!isThere(id, extent)) {
                continue; // It was not written there, or counts no more.
            }
            ByteBuffer payload = reader.payload(extent);
            payload.position(extent.skip()).limit(extent.skip() + extent.length());
            long lsn = copy(id, extent, payload);
            tail.awaitWritten(lsn);
            from = extent.end();
        }
    }

    private boolean isThere(long id, Extent extent) {
        lock.lock();
        try {
            JournalledFile file = index.get(id);
            return file != null && file.has(extent);
        } finally {
            lock.unlock();
        }
    }

    @GuardedBy("lock")
    private Place stageCopy(
            RecordType type, long file, long reference, long offset, long end, ByteBuffer payload) {
        long before = tail.stagedBytes();
        Place place = tail.stage(type, file, reference, offset, end, payload);
        roundCopiedBytes += tail.stagedBytes() - before;
        return place;
    }

    /** The record of the copy; 0 where it is not needed any more. */
    private long copy(long id, Extent extent, ByteBuffer payload) {
        lock.lock();
        try {
            JournalledFile file = index.get(id);
            if (file == null || !file.has(extent)) {
                return 0;
            }
            long size = file.sizeBytes;
            Place place =
                    stageCopy(RecordType.WRITE, id, extent.since(), extent.offset(), size, payload);
            index.written(id, place, extent.since(), extent.offset(), extent.length(), size);
            return place.lsn();
        } finally {
            lock.unlock();
        }
    }
}
