// SPDX-License-Identifier: Apache-2.0
package io.netfs4j.cache.journal;

import io.netfs4j.base.Disk;
import io.netfs4j.cache.journal.JournalFormat.RecordHeader;
import io.netfs4j.cache.journal.JournalFormat.SegmentHeader;

import org.jspecify.annotations.Nullable;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.TreeSet;

/**
 * Reads a journal from its first segment to its last, and says what counts. It changes nothing, so
 * that it may be ended at any moment and begun again.
 *
 * <p>A segment counts up to the first LSN of the next one: what could not be written to the one is
 * in the other. Where a record is missing or damaged that was forced once, or that a later one was
 * forced behind, that is damage: it is told, and what follows counts. Where none was, the journal
 * ends there: only what nobody was promised can be behind it.
 */
final class JournalScan {
    private static final int READ_BYTES = 1 << 20;

    /**
     * What is missing.
     *
     * @param segment the file that it should be in
     * @param position where in that file
     * @param firstLsn of the first record that is missing
     * @param lastLsn of the last one
     */
    record Damage(String segment, long position, long firstLsn, long lastLsn) {
        /** For a log. */
        String words() {
            return String.format(
                    "%s: at %d the records %d to %d are missing or damaged",
                    segment, position, firstLsn, lastLsn);
        }
    }

    /**
     * What a journal holds.
     *
     * @param segments those that count, oldest first; their files are open
     * @param leftOver numbers of segments that do not count: they hold only what is behind the end
     * @param lastSegment the highest number of any
     */
    record Result(
            long journalHigh,
            long journalLow,
            List<LogSegment> segments,
            List<Long> leftOver,
            long lastSegment,
            long nextLsn,
            long forcedLsn,
            List<Damage> damages) {}

    /** Is shown each record that counts, in the order of their LSNs. */
    interface Replay {
        void record(RecordHeader header, LogSegment segment, long position, ByteBuffer payload);
    }

    /** One segment's file, read. */
    private static final class Found {
        final LogSegment segment;
        final SegmentHeader header;
        final Disk.File file;

        Found(LogSegment segment, SegmentHeader header, Disk.File file) {
            this.segment = segment;
            this.header = header;
            this.file = file;
        }
    }

    private final Disk disk;
    private final int segmentBytes;
    private final Replay replay;
    private final List<Damage> damages = new ArrayList<>();
    private final ByteBuffer buffer = ByteBuffer.allocate(READ_BYTES);
    private long bufferFrom;

    /** Of which segment the buffer holds a part. */
    private @Nullable Found bufferOf;

    /** All that are open. */
    private final List<Disk.File> opened = new ArrayList<>();

    private long nextLsn = 1;
    private long forcedLsn;

    JournalScan(Disk disk, int segmentBytes, Replay replay) {
        this.disk = disk;
        this.segmentBytes = segmentBytes;
        this.replay = replay;
    }

    /** Closes all files that it has opened, where what it found is not made use of. */
    void close() {
        opened.forEach(Disk.File::close);
    }

    /**
     * Scans all of it.
     *
     * @throws IOException also when a file cannot be read: that is never taken for its end
     */
    Result run() throws IOException {
        TreeSet<Long> numbers = new TreeSet<>();
        for (String name : disk.list()) {
            long number = SegmentFiles.number(name);
            if (number >= 0) {
                numbers.add(number);
            }
        }
        List<Found> found = new ArrayList<>();
        List<Long> leftOver = new ArrayList<>();
        for (long number : numbers) {
            Found segment = open(number);
            if (segment == null) {
                leftOver.add(number);
            } else {
                found.add(segment);
            }
        }
        List<LogSegment> counted = new ArrayList<>();
        boolean over = false;
        for (int i = 0; i < found.size(); i++) {
            Found one = found.get(i);
            long end = i + 1 < found.size() ? found.get(i + 1).header.firstLsn() : Long.MAX_VALUE;
            if (i == 0) {
                nextLsn = one.header.firstLsn();
            }
            if (over) {
                leftOver.add(one.segment.number);
                one.file.close();
                continue;
            }
            over = !scan(one, end, found.subList(i + 1, found.size()));
            counted.add(one.segment);
        }
        SegmentHeader any = found.isEmpty() ? null : found.get(found.size() - 1).header;
        return new Result(
                any == null ? 0 : any.journalHigh(),
                any == null ? 0 : any.journalLow(),
                counted,
                leftOver,
                numbers.isEmpty() ? 0 : numbers.last(),
                nextLsn,
                forcedLsn,
                damages);
    }

    private @Nullable Found open(long number) throws IOException {
        Disk.File file = disk.open(SegmentFiles.name(number), false);
        opened.add(file);
        boolean counts = false;
        try {
            ByteBuffer bytes = ByteBuffer.allocate(JournalFormat.SEGMENT_HEADER_BYTES);
            file.read(bytes, 0);
            SegmentHeader header = SegmentHeader.get(bytes.flip());
            if (header == null || header.number() != number) {
                return null; // It was never begun; what is in it is of an earlier use.
            }
            LogSegment segment = new LogSegment(number, header.salt(), header.firstLsn());
            segment.file = file;
            segment.sealed = true;
            segment.lent = true; // Perhaps: the mount before did not say.
            counts = true;
            return new Found(segment, header, file);
        } finally {
            if (!counts) {
                file.close();
            }
        }
    }

    /** Reads one segment; whether what is behind it counts. */
    private boolean scan(Found one, long endLsn, List<Found> later) throws IOException {
        LogSegment segment = one.segment;
        long at = JournalFormat.SEGMENT_HEADER_BYTES;
        while (nextLsn < endLsn) {
            RecordHeader header = recordAt(one, at);
            if (header != null && header.lsn() == nextLsn && isWhole(one, at, header)) {
                forcedLsn = Math.max(forcedLsn, header.lsn() - header.unforced());
                replay.record(header, segment, at, payload(at, header));
                nextLsn++;
                at += header.recordBytes();
                segment.end = at;
                segment.writtenEnd = at;
                continue;
            }
            long repeated = repeatedFrom(later);
            if (repeated > 0) {
                nextLsn = repeated;
                return true;
            }
            long good = nextGood(one, at);
            if (wasForced(one, good, later)) {
                long next = good < 0 ? Math.min(endLsn, firstOf(later)) : lsnAt(one, good);
                damages.add(new Damage(SegmentFiles.name(segment.number), at, nextLsn, next - 1));
                nextLsn = next;
                if (good < 0) {
                    return true;
                }
                at = good;
                continue;
            }
            return nextLsn == endLsn;
        }
        return true;
    }

    /**
     * From which record on all that counts of the missing one and of later ones is repeated; 0:
     * none.
     */
    private long repeatedFrom(List<Found> later) throws IOException {
        long first = 0;
        long lsn = 0;
        for (Found one : later) {
            if (one.header.firstLsn() <= nextLsn) {
                continue;
            }
            if (one.header.firstLsn() != lsn) {
                lsn = one.header.firstLsn();
                first = lsn;
            }
            long at = JournalFormat.SEGMENT_HEADER_BYTES;
            RecordHeader header = recordAt(one, at);
            while (header != null && header.lsn() == lsn && isWhole(one, at, header)) {
                if (header.type() == RecordType.REPEATED.code
                        && header.reference() <= nextLsn
                        && header.offset() >= first) {
                    return header.offset();
                }
                lsn++;
                at += header.recordBytes();
                header = recordAt(one, at);
            }
        }
        return 0;
    }

    private static long firstOf(List<Found> later) {
        return later.isEmpty() ? Long.MAX_VALUE : later.get(0).header.firstLsn();
    }

    private long lsnAt(Found one, long at) throws IOException {
        RecordHeader header = recordAt(one, at);
        return header == null ? nextLsn : header.lsn();
    }

    /** Whether the record that is missing here had been forced, by what is found behind it. */
    private boolean wasForced(Found one, long good, List<Found> later) throws IOException {
        if (nextLsn <= forcedLsn) {
            return true;
        }
        if (tellsOfForce(one, good)) {
            return true;
        }
        for (Found next : later) {
            if (tellsOfForce(next, nextGood(next, JournalFormat.SEGMENT_HEADER_BYTES))) {
                return true;
            }
        }
        return false;
    }

    /** Whether a record from a place on says that the missing one had been forced. */
    private boolean tellsOfForce(Found one, long good) throws IOException {
        for (long at = good; at >= 0; at = nextGood(one, at + JournalFormat.ALIGNMENT)) {
            RecordHeader header = recordAt(one, at);
            if (header != null && header.lsn() - header.unforced() >= nextLsn) {
                return true;
            }
        }
        return false;
    }

    /** Where the next whole record of a later LSN begins, at or behind a place; -1: nowhere. */
    private long nextGood(Found one, long from) throws IOException {
        for (long at = from;
                at + JournalFormat.RECORD_HEADER_BYTES <= segmentBytes;
                at += JournalFormat.ALIGNMENT) {
            if (!fill(one, at, JournalFormat.RECORD_HEADER_BYTES)) {
                return -1; // The file ends there: it was not made at its full length.
            }
            RecordHeader header = recordAt(one, at);
            if (header != null && header.lsn() >= nextLsn && isWhole(one, at, header)) {
                return at;
            }
        }
        return -1;
    }

    private @Nullable RecordHeader recordAt(Found one, long at) throws IOException {
        long limit = segmentBytes - at;
        if (!fill(one, at, JournalFormat.RECORD_HEADER_BYTES)) {
            return null;
        }
        return RecordHeader.get(buffer, (int) (at - bufferFrom), one.segment.salt, limit);
    }

    private boolean isWhole(Found one, long at, RecordHeader header) throws IOException {
        return fill(one, at, header.recordBytes())
                && JournalFormat.payloadCrc(payload(at, header)) == header.payloadCrc();
    }

    /** The payload of a record that is in the buffer. */
    private ByteBuffer payload(long at, RecordHeader header) {
        int begin = (int) (at - bufferFrom) + JournalFormat.RECORD_HEADER_BYTES;
        return buffer.duplicate().position(begin).limit(begin + header.length());
    }

    /** Has so many bytes from a place on in the buffer; false where the file ends before. */
    private boolean fill(Found one, long at, int count) throws IOException {
        if (one.equals(bufferOf) && at >= bufferFrom && at + count <= bufferFrom + buffer.limit()) {
            return true;
        }
        buffer.clear();
        bufferOf = one;
        bufferFrom = at;
        one.file.read(buffer, at);
        buffer.flip();
        return buffer.limit() >= count;
    }
}
