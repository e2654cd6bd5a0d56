// SPDX-License-Identifier: Apache-2.0
package io.netfs4j.cache.journal;

import io.netfs4j.base.Disk;
import io.netfs4j.base.GuardedBy;
import io.netfs4j.base.SystemErrors;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.NoSuchFileException;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.locks.ReentrantLock;

/**
 * The files of a journal's segments, and spare ones, which have their space on the disk already:
 * some of them are kept for when the disk is full.
 *
 * <p><b>Threads</b>: any; waits for the disk, and so is never called with the journal's lock held.
 */
final class SegmentFiles {
    /** Spare files beyond the reserve: space that is used again need not be found again. */
    private static final int SPARES_MAX = JournalLimits.RESERVE_SEGMENTS + 2;

    private static final String SEGMENT = "seg-";
    private static final String SPARE = "spare-";
    private static final String SUFFIX = ".j";
    private static final int ZEROS_BYTES = 1 << 20;

    private final Disk disk;
    private final int segmentBytes;
    private final ReentrantLock lock = new ReentrantLock();

    @GuardedBy("lock")
    private final Deque<String> spares = new ArrayDeque<>();

    @GuardedBy("lock")
    private long lastSpare;

    SegmentFiles(Disk disk, int segmentBytes) {
        this.disk = disk;
        this.segmentBytes = segmentBytes;
    }

    static String name(long number) {
        return String.format(Locale.ROOT, "%s%016x%s", SEGMENT, number, SUFFIX);
    }

    /** The number of the segment that a file is, or -1 when it is none. */
    static long number(String name) {
        if (!name.startsWith(SEGMENT) || !name.endsWith(SUFFIX)) {
            return -1;
        }
        try {
            String digits = name.substring(SEGMENT.length(), name.length() - SUFFIX.length());
            long number = Long.parseLong(digits, 16);
            return name.equals(name(number)) ? number : -1;
        } catch (NumberFormatException e) {
            return -1;
        }
    }

    /** Finds the spare files there are, and makes those that the reserve lacks, if it can. */
    void prepare() throws IOException {
        List<String> found = disk.list();
        lock.lock();
        try {
            for (String name : found) {
                if (name.startsWith(SPARE) && name.endsWith(SUFFIX)) {
                    String digits = name.substring(SPARE.length(), name.length() - SUFFIX.length());
                    if (digits.matches("\\d{1,18}")) {
                        spares.add(name);
                        lastSpare = Math.max(lastSpare, Long.parseLong(digits));
                    }
                }
            }
        } finally {
            lock.unlock();
        }
        try {
            while (spares() < JournalLimits.RESERVE_SEGMENTS) {
                addSpare();
            }
        } catch (IOException e) {
            if (!SystemErrors.isFull(e)) {
                throw e;
            }
            // Segments that come free become spare ones first.
        }
    }

    private int spares() {
        lock.lock();
        try {
            return spares.size();
        } finally {
            lock.unlock();
        }
    }

    /** Zeros are written, so that the space is taken now and not when it is needed. */
    private void addSpare() throws IOException {
        String name = nextSpare();
        Disk.File file = disk.open(name, true);
        boolean whole = false;
        try (file) {
            ByteBuffer zeros = ByteBuffer.allocate(Math.min(ZEROS_BYTES, segmentBytes));
            for (long at = 0; at < segmentBytes; at += zeros.limit()) {
                zeros.clear().limit((int) Math.min(zeros.capacity(), segmentBytes - at));
                file.write(zeros, at);
            }
            file.force();
            whole = true;
        } finally {
            if (!whole) {
                disk.delete(name);
            }
        }
        disk.forceNames();
        keep(name);
    }

    private String nextSpare() {
        lock.lock();
        try {
            return SPARE + ++lastSpare + SUFFIX;
        } finally {
            lock.unlock();
        }
    }

    private void keep(String spare) {
        lock.lock();
        try {
            spares.add(spare);
        } finally {
            lock.unlock();
        }
    }

    /**
     * Makes the file of a segment. Its header and name are forced before anything comes into it: of
     * two segments no loss of power leaves only the later one, as if that were the first.
     *
     * @param mayUseReserve whether it may be one that is kept for when the disk is full
     */
    Disk.File create(JournalFormat.SegmentHeader header, boolean mayUseReserve) throws IOException {
        String name = name(header.number());
        String spare;
        lock.lock();
        try {
            boolean takes = mayUseReserve || spares.size() > JournalLimits.RESERVE_SEGMENTS;
            spare = takes ? spares.poll() : null;
        } finally {
            lock.unlock();
        }
        if (spare != null) {
            disk.rename(spare, name);
        }
        Disk.File file = disk.open(name, true);
        try {
            ByteBuffer bytes = ByteBuffer.allocate(JournalFormat.SEGMENT_HEADER_BYTES);
            header.put(bytes);
            file.write(bytes.flip(), 0);
            file.force();
            disk.forceNames();
            return file;
        } catch (IOException | RuntimeException e) {
            file.close();
            throw e;
        }
    }

    /**
     * A segment's file is not needed any more. Its name has gone for good before this returns: of
     * two that go one after the other no loss of power brings back the first alone. When it throws
     * it may be called again.
     *
     * @param reusable whether its space may serve again
     */
    void retire(long number, Disk.File file, boolean reusable) throws IOException {
        String name = name(number);
        try {
            if (reusable && spares() < SPARES_MAX && isWhole(file)) {
                String spare = nextSpare();
                disk.rename(name, spare);
                keep(spare);
            } else {
                disk.delete(name);
            }
        } catch (NoSuchFileException e) {
            // That much was done the last time.
        }
        disk.forceNames();
        file.close();
    }

    /** Gives the file of a segment a name in another directory, too. */
    void link(long number, Disk into, String as) throws IOException {
        into.link(disk, name(number), as);
    }

    /**
     * A segment was not begun: where that failed halfway there may be a file of its name all the
     * same, with a header, and it would be missed later that nothing is in it. May be called again.
     */
    void discard(long number) throws IOException {
        try {
            disk.delete(name(number));
        } catch (NoSuchFileException e) {
            return;
        }
        disk.forceNames();
    }

    /** Whether it has all the space of a segment; a last record that did not fit is made up for. */
    private boolean isWhole(Disk.File file) {
        try {
            long size = file.sizeBytes();
            if (segmentBytes - size > JournalFormat.RECORD_BYTES_MAX) {
                return false;
            }
            if (size < segmentBytes) {
                file.write(ByteBuffer.allocate((int) (segmentBytes - size)), size);
            }
            return true;
        } catch (IOException e) {
            return false;
        }
    }
}
