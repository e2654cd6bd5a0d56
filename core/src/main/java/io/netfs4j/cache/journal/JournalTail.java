// SPDX-License-Identifier: Apache-2.0
package io.netfs4j.cache.journal;

import io.netfs4j.base.Completion;
import io.netfs4j.base.Disk;
import io.netfs4j.base.Environment;
import io.netfs4j.base.FsError;
import io.netfs4j.base.FsException;
import io.netfs4j.base.GuardedBy;
import io.netfs4j.base.Scheduler;
import io.netfs4j.base.Waits;
import io.netfs4j.cache.journal.JournalFormat.RecordHeader;
import io.netfs4j.cache.journal.JournalFormat.SegmentHeader;

import org.jspecify.annotations.Nullable;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.NoSuchFileException;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.HexFormat;
import java.util.List;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Consumer;
import java.util.random.RandomGenerator;

/**
 * Where the journal grows. A record is staged in memory, which never waits and says where it will
 * lie; whoever waits for one to be written writes all that is staged by then, in one call where it
 * lies together, and the others wait for that.
 *
 * <pre>
 *   staged by many  ->  [ batch | batch | batch ]  ->  written by the first who waits
 * </pre>
 *
 * When a write fails, its segment ends where that began, and the same records, with the same LSNs,
 * go to a new one, whose file is taken from the reserve: so the disk may just have been full. When
 * that fails, too, the journal is broken.
 *
 * <p><b>Threads</b>: any. The journal's lock is a leaf, and never held while the disk is waited
 * for.
 */
final class JournalTail {
    private static final int BATCHES_SPARE_MAX = 4;

    /** Where a record lies. */
    record Place(long lsn, LogSegment segment, long position) {}

    /** Hears where records lie that have come to another segment. */
    interface Movement {
        void moved(RecordHeader record, LogSegment from, Place to);
    }

    private final ReentrantLock lock;
    private final Waits waits;
    private final RandomGenerator random;
    private final Scheduler scheduler;
    private final SegmentFiles files;
    private final JournalLimits limits;
    private final Movement movement;
    private final long journalHigh;
    private final long journalLow;

    /** Oldest first; the last is the one that records are staged for. */
    @GuardedBy("lock")
    private final Deque<LogSegment> segments = new ArrayDeque<>();

    /** Not written, and in the order of their records; the last may still grow. */
    @GuardedBy("lock")
    private final Deque<Batch> queue = new ArrayDeque<>();

    @GuardedBy("lock")
    private final Deque<ByteBuffer> buffers = new ArrayDeque<>();

    @GuardedBy("lock")
    private long nextLsn;

    /** All records that were ever staged, in bytes. */
    @GuardedBy("lock")
    private long stagedBytes;

    @GuardedBy("lock")
    private long writtenLsn;

    @GuardedBy("lock")
    private long forcedLsn;

    @GuardedBy("lock")
    private long lastSegment;

    /** Whether somebody writes. */
    @GuardedBy("lock")
    private boolean writing;

    /** Ends with what is being written. */
    @GuardedBy("lock")
    private Completion<@Nullable Void> round = new Completion<>();

    private volatile Consumer<FsException> onBroken = why -> {};

    /** Why nothing is written any more. */
    @GuardedBy("lock")
    private @Nullable FsException broken;

    JournalTail(
            ReentrantLock lock,
            Environment environment,
            SegmentFiles files,
            JournalLimits limits,
            Movement movement,
            JournalScan.Result found) {
        this.lock = lock;
        this.waits = environment.waits();
        this.random = environment.random();
        this.scheduler = environment.scheduler();
        this.files = files;
        this.limits = limits;
        this.movement = movement;
        boolean isNew = found.segments().isEmpty();
        journalHigh = isNew ? random.nextLong() : found.journalHigh();
        journalLow = isNew ? random.nextLong() : found.journalLow();
        segments.addAll(found.segments());
        nextLsn = found.nextLsn();
        writtenLsn = nextLsn - 1;
        forcedLsn = found.forcedLsn();
        lastSegment = found.lastSegment();
    }

    @GuardedBy("lock")
    Deque<LogSegment> segments() {
        return segments;
    }

    @GuardedBy("lock")
    long stagedBytes() {
        return stagedBytes;
    }

    @GuardedBy("lock")
    long nextLsn() {
        return nextLsn;
    }

    @GuardedBy("lock")
    long writtenLsn() {
        return writtenLsn;
    }

    @GuardedBy("lock")
    long forcedLsn() {
        return forcedLsn;
    }

    @GuardedBy("lock")
    void setForced(long lsn) {
        forcedLsn = Math.max(forcedLsn, lsn);
    }

    @GuardedBy("lock")
    @Nullable FsException broken() {
        return broken;
    }

    /** Which journal this is, for as long as anything is in it: no other has the same. */
    String identity() {
        return HexFormat.of().toHexDigits(journalHigh) + HexFormat.of().toHexDigits(journalLow);
    }

    /** Who hears, in a step of its own, when nothing is written any more. */
    void onBroken(Consumer<FsException> listener) {
        onBroken = listener;
    }

    @GuardedBy("lock")
    void breakOff(FsException why) {
        if (broken == null) {
            broken = why;
            scheduler.execute(() -> onBroken.accept(why));
        }
    }

    /** All that the segments take, staged records and what is left of the last one included. */
    @GuardedBy("lock")
    long bytes() {
        return (long) segments.size() * limits.segmentBytes();
    }

    /** Stages a record; its payload is copied. */
    @GuardedBy("lock")
    Place stage(
            RecordType type, long file, long reference, long offset, long end, ByteBuffer payload) {
        RecordHeader header =
                new RecordHeader(
                        type.code,
                        JournalFormat.FLAG_MUST_UNDERSTAND,
                        nextLsn,
                        file,
                        reference,
                        offset,
                        end,
                        payload.remaining(),
                        JournalFormat.payloadCrc(payload),
                        (int) Math.min(Integer.MAX_VALUE, nextLsn - forcedLsn));
        nextLsn++;
        return put(header, payload);
    }

    @GuardedBy("lock")
    private Place put(RecordHeader header, ByteBuffer payload) {
        int bytes = header.recordBytes();
        LogSegment segment = segments.peekLast();
        if (segment == null || segment.sealed || segment.end + bytes > limits.segmentBytes()) {
            segment = begin(header.lsn());
        }
        Batch batch = queue.peekLast();
        if (batch == null
                || !batch.segment.equals(segment)
                || batch.position + batch.bytes.position() != segment.end
                || batch.bytes.remaining() < bytes) {
            batch = new Batch(segment, segment.end, buffer(), header.lsn());
            queue.addLast(batch);
        }
        Place place = new Place(header.lsn(), segment, segment.end);
        int at = batch.bytes.position();
        header.put(batch.bytes, segment.salt);
        batch.bytes.put(payload.duplicate());
        while (batch.bytes.position() < at + bytes) {
            batch.bytes.put((byte) 0);
        }
        batch.lastLsn = header.lsn();
        segment.end += bytes;
        stagedBytes += bytes;
        return place;
    }

    /**
     * Somebody is about to count on what is in a segment.
     *
     * @throws NoSuchFileException where it goes
     */
    void lend(long number) throws NoSuchFileException {
        lock.lock();
        try {
            for (LogSegment segment : segments) {
                if (segment.number == number && !segment.goes) {
                    segment.lent = true;
                    return;
                }
            }
        } finally {
            lock.unlock();
        }
        throw new NoSuchFileException(SegmentFiles.name(number));
    }

    /** What is staged from now on goes to a new segment. */
    @GuardedBy("lock")
    void seal() {
        LogSegment last = segments.peekLast();
        if (last != null) {
            last.sealed = true;
        }
    }

    @GuardedBy("lock")
    private LogSegment begin(long firstLsn) {
        LogSegment last = segments.peekLast();
        if (last != null) {
            last.sealed = true;
        }
        LogSegment segment = new LogSegment(++lastSegment, random.nextLong(), firstLsn);
        segments.addLast(segment);
        return segment;
    }

    @GuardedBy("lock")
    private void giveBack(ByteBuffer buffer) {
        if (buffers.size() < BATCHES_SPARE_MAX) {
            buffers.add(buffer);
        }
    }

    @GuardedBy("lock")
    private ByteBuffer buffer() {
        ByteBuffer spare = buffers.poll();
        return spare == null ? ByteBuffer.allocateDirect(limits.batchBytes()) : spare.clear();
    }

    /**
     * Waits until a record is written: it survives this process.
     *
     * @throws FsException EIO when it cannot be written, nor any other from now on
     */
    void awaitWritten(long lsn) throws FsException {
        while (true) {
            Completion<@Nullable Void> turn;
            lock.lock();
            try {
                if (writtenLsn >= lsn) {
                    return;
                }
                if (broken != null) {
                    throw broken.copy();
                }
                turn = writing ? round : null;
                writing = true;
            } finally {
                lock.unlock();
            }
            if (turn == null) {
                writeAll();
            } else {
                waits.awaitUninterruptibly(turn);
            }
        }
    }

    /** Waits for what is being written. From then on nothing is: the files may be another's. */
    void close() {
        while (true) {
            Completion<@Nullable Void> turn;
            lock.lock();
            try {
                if (!writing) {
                    if (broken == null) {
                        broken = new FsException(FsError.EIO, "the journal is closed");
                    }
                    return;
                }
                turn = round;
            } finally {
                lock.unlock();
            }
            try {
                waits.awaitUninterruptibly(turn);
            } catch (FsException e) {
                throw new IllegalStateException("a round has no failure of its own", e);
            }
        }
    }

    /** Writes what is staged, then lets others go on. */
    private void writeAll() {
        List<Batch> taken;
        lock.lock();
        try {
            taken = new ArrayList<>(queue);
            queue.clear();
        } finally {
            lock.unlock();
        }
        FsException failure = write(taken, false);
        if (failure != null) {
            failure = write(restage(taken), true);
        }
        Completion<@Nullable Void> over;
        lock.lock();
        try {
            if (failure != null) {
                breakOff(failure);
            }
            writing = false;
            over = round;
            round = new Completion<>();
        } finally {
            lock.unlock();
        }
        over.complete(null);
    }

    /** Writes batches as far as that goes; null when all of them are. */
    private @Nullable FsException write(List<Batch> batches, boolean mayUseReserve) {
        for (Batch batch : batches) {
            try {
                Disk.File file = file(batch.segment, mayUseReserve);
                file.write(batch.bytes.duplicate().flip(), batch.position);
            } catch (IOException | RuntimeException e) {
                return JournalErrors.of("the journal cannot be written", e);
            }
            lock.lock();
            try {
                writtenLsn = batch.lastLsn;
                batch.segment.writtenEnd = batch.position + batch.bytes.position();
                giveBack(batch.bytes);
            } finally {
                lock.unlock();
            }
        }
        return null;
    }

    private Disk.File file(LogSegment segment, boolean mayUseReserve) throws IOException {
        Disk.File file;
        lock.lock();
        try {
            file = segment.file;
        } finally {
            lock.unlock();
        }
        if (file == null) {
            file =
                    files.create(
                            new SegmentHeader(
                                    segment.number,
                                    segment.salt,
                                    journalHigh,
                                    journalLow,
                                    segment.firstLsn),
                            mayUseReserve);
            lock.lock();
            try {
                segment.file = file;
            } finally {
                lock.unlock();
            }
        }
        return file;
    }

    /** What was not written goes to a new segment, in front of what was staged meanwhile. */
    private List<Batch> restage(List<Batch> taken) {
        lock.lock();
        try {
            List<Batch> left = new ArrayList<>(taken);
            left.removeIf(batch -> batch.lastLsn <= writtenLsn);
            left.addAll(queue);
            queue.clear();
            LogSegment failed = left.get(0).segment;
            failed.end = left.get(0).position;
            failed.sealed = true;
            // Of those behind it nothing was written.
            while (!failed.equals(segments.peekLast())) {
                segments.removeLast();
            }
            begin(left.get(0).firstLsn);
            for (Batch batch : left) {
                ByteBuffer bytes = batch.bytes.duplicate().flip();
                while (bytes.hasRemaining()) {
                    move(bytes, batch.segment);
                }
                giveBack(batch.bytes);
            }
            List<Batch> again = new ArrayList<>(queue);
            queue.clear();
            return again;
        } finally {
            lock.unlock();
        }
    }

    /** Moves the record at the position of a buffer, which goes on to the next. */
    @GuardedBy("lock")
    private void move(ByteBuffer bytes, LogSegment from) {
        int at = bytes.position();
        RecordHeader header = RecordHeader.get(bytes, at, from.salt, bytes.remaining());
        if (header == null) {
            throw new IllegalStateException("no record at " + at + " of a batch for " + from);
        }
        ByteBuffer payload =
                bytes.duplicate()
                        .position(at + JournalFormat.RECORD_HEADER_BYTES)
                        .limit(at + JournalFormat.RECORD_HEADER_BYTES + header.length());
        movement.moved(header, from, put(header, payload));
        bytes.position(at + header.recordBytes());
    }
}
