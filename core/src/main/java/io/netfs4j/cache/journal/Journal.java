// SPDX-License-Identifier: Apache-2.0
package io.netfs4j.cache.journal;

import io.netfs4j.base.Completion;
import io.netfs4j.base.Disk;
import io.netfs4j.base.Environment;
import io.netfs4j.base.FsException;
import io.netfs4j.base.GuardedBy;
import io.netfs4j.base.Scheduler;
import io.netfs4j.cache.journal.JournalTail.Place;

import org.jspecify.annotations.Nullable;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.List;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Consumer;

/**
 * Keeps on this machine's disk what a server has not got yet: a log in which each change is
 * appended once, and an index of it in memory. What was appended and {@link #awaitWritten} survives
 * this process, what was {@link #awaitForced} a loss of the machine's power.
 *
 * <p>Bytes and facts belong to files, which have numbers of the caller's. A file is forgotten when
 * nothing of it is owed any more; space comes free from the oldest end, once all that is in there
 * is replaced or on the server.
 *
 * <p><b>Threads</b>: any. What appends never waits for the disk, and may be called with other locks
 * held; what reads or awaits does wait.
 */
public final class Journal implements AutoCloseable {
    /** Bytes that a file has in the journal, from an offset up to another. */
    public record Range(long from, long to) {}

    private static final ByteBuffer NOTHING = ByteBuffer.allocate(0);

    /** What is said of files is forced within this time, whoever asks for it: one second. */
    private static final long FORCE_AFTER_NANOS = 1_000_000_000L;

    private final ReentrantLock lock;
    private final JournalLimits limits;
    private final JournalIndex index;
    private final JournalTail tail;
    private final JournalReader reader;
    private final JournalSpace space;
    private final JournalForce force;
    private final List<JournalScan.Damage> damages;

    private final Scheduler scheduler;
    private final SegmentFiles files;

    @GuardedBy("lock")
    private long lastFile;

    @GuardedBy("lock")
    private boolean writesSoon;

    @GuardedBy("lock")
    private boolean forcesSoon;

    @GuardedBy("lock")
    private boolean closed;

    /** The last record that nobody had to wait for. */
    @GuardedBy("lock")
    private long lastSaid;

    private Journal(
            Environment environment,
            Disk disk,
            JournalLimits limits,
            ReentrantLock lock,
            JournalIndex index,
            JournalScan.Result found)
            throws IOException {
        this.lock = lock;
        this.index = index;
        this.limits = limits;
        this.scheduler = environment.scheduler();
        int segmentBytes = limits.segmentBytes();
        damages = found.damages();
        lastFile = index.numbers().stream().mapToLong(Long::longValue).max().orElse(0);
        for (long number : found.leftOver()) {
            setAside(disk, number);
        }
        files = new SegmentFiles(disk, segmentBytes);
        files.prepare();
        tail = new JournalTail(lock, environment, files, limits, index, found);
        // What an earlier process wrote survived that, but perhaps no loss of power.
        lastSaid = found.nextLsn() - 1;
        reader = new JournalReader(lock, segmentBytes);
        space =
                new JournalSpace(
                        lock, index, tail, reader, files, environment, limits, this::awaitForced);
        force = new JournalForce(lock, environment, index, tail, space);
    }

    /**
     * Opens what a directory holds, or begins there; the directory is this journal's alone.
     *
     * @throws FsException when the disk cannot be read or written, or a later version wrote it
     */
    public static Journal open(Environment environment, Disk disk, JournalLimits limits)
            throws FsException {
        ReentrantLock lock = new ReentrantLock();
        JournalIndex index = new JournalIndex(lock);
        JournalScan scan = new JournalScan(disk, limits.segmentBytes(), index::replay);
        boolean done = false;
        try {
            Journal journal = new Journal(environment, disk, limits, lock, index, scan.run());
            done = true;
            return journal;
        } catch (IOException | IllegalStateException e) {
            throw JournalErrors.of("the journal cannot be opened", e);
        } finally {
            if (!done) {
                scan.close();
            }
        }
    }

    /** A segment that does not count; where something is missing it may be looked for in there. */
    private void setAside(Disk disk, long number) throws IOException {
        String name = SegmentFiles.name(number);
        if (damages.isEmpty()) {
            disk.delete(name);
        } else {
            disk.rename(name, "bad-" + name);
        }
        disk.forceNames();
    }

    /** What was found missing in it, as words for a log; empty where nothing is. */
    public List<String> damages() {
        return damages.stream().map(JournalScan.Damage::words).toList();
    }

    /** Which journal this is, for as long as anything is in it: no other has the same. */
    public String identity() {
        return tail.identity();
    }

    // ---- what it holds ------------------------------------------------------------------------

    /** A number that no file here has. */
    public long newFile() {
        lock.lock();
        try {
            return ++lastFile;
        } finally {
            lock.unlock();
        }
    }

    /** The files that something is known of, ascending. */
    public List<Long> files() {
        lock.lock();
        try {
            return index.numbers();
        } finally {
            lock.unlock();
        }
    }

    /** What was last said of a file, or null. */
    public byte @Nullable [] facts(long file) {
        lock.lock();
        try {
            JournalledFile known = index.get(file);
            byte[] facts = known == null ? null : known.facts();
            return facts == null ? null : facts.clone();
        } finally {
            lock.unlock();
        }
    }

    /** How long a file is by the last record that said so; 0 where nothing is known of it. */
    public long sizeBytes(long file) {
        lock.lock();
        try {
            JournalledFile known = index.get(file);
            return known == null ? 0 : known.sizeBytes;
        } finally {
            lock.unlock();
        }
    }

    /** Which bytes of a file it has, ascending, neighbours joined. */
    public List<Range> ranges(long file) {
        lock.lock();
        try {
            JournalledFile known = index.get(file);
            return known == null ? List.of() : known.ranges();
        } finally {
            lock.unlock();
        }
    }

    /** The last record; what is on the way to the server now holds no later one. */
    public long lastLsn() {
        lock.lock();
        try {
            return tail.nextLsn() - 1;
        } finally {
            lock.unlock();
        }
    }

    /** Is called whenever there may be more room; must not wait. Set before the first append. */
    public void onRoom(Runnable listener) {
        space.onRoom(listener);
    }

    /** Is called once, when nothing is taken any more, with why; as {@link #onRoom}. */
    public void onBroken(Consumer<FsException> listener) {
        tail.onBroken(listener);
    }

    /** As {@link JournalSpace#abandon}. */
    public void abandon() {
        space.abandon();
    }

    /** Whether a record is written, and can be read. */
    public boolean isWritten(long lsn) {
        lock.lock();
        try {
            return tail.broken() == null && tail.writtenLsn() >= lsn;
        } finally {
            lock.unlock();
        }
    }

    /**
     * Up to where the bytes of a range survive a loss of power, of those that it has. All of them
     * where nothing is promised any more: nobody is to wait for that.
     */
    public long forcedTo(long file, long from, long to) {
        lock.lock();
        try {
            JournalledFile known = index.get(file);
            return known == null || tail.broken() != null || known.lastLsn <= tail.forcedLsn()
                    ? to
                    : known.firstSince(tail.forcedLsn(), from, to);
        } finally {
            lock.unlock();
        }
    }

    /** How many bytes go to the disk in one write; who has more to append waits in between. */
    public int batchBytes() {
        return limits.batchBytes();
    }

    /** Whether so many more bytes may be written. */
    public boolean hasRoom(long bytes) {
        lock.lock();
        try {
            return tail.bytes() + bytes <= limits.writableBytes();
        } finally {
            lock.unlock();
        }
    }

    // ---- appending ----------------------------------------------------------------------------

    /**
     * Bytes of a file have been written. They are copied. Many of them come to several records, and
     * each says how long the file is with its own: the first of them may be all that is left.
     *
     * @param sizeBefore how long the file was before that, in bytes; it is as long as that then, or
     *     up to where these bytes end
     * @return the LSN to await
     */
    public long write(long file, long offset, long sizeBefore, ByteBuffer bytes) {
        ByteBuffer left = bytes.duplicate();
        lock.lock();
        try {
            if (tail.broken() != null) {
                return tail.nextLsn();
            }
            int end = left.limit();
            while (left.position() < end) {
                int count = Math.min(JournalFormat.PAYLOAD_BYTES_MAX, end - left.position());
                left.limit(left.position() + count);
                long at = offset + left.position() - bytes.position();
                long size = Math.max(sizeBefore, at + count);
                Place place = tail.stage(RecordType.WRITE, file, 0, at, size, left);
                index.written(file, place, 0, at, count, size);
                left.position(left.limit()).limit(end);
            }
            return tail.nextLsn() - 1;
        } finally {
            lock.unlock();
        }
    }

    /**
     * All that is known of a file besides its bytes, from now on.
     *
     * @param sizeBytes how long it is
     * @param facts at most 128 KiB; copied
     * @return the LSN to await
     */
    public long describe(long file, long sizeBytes, byte[] facts) {
        if (facts.length > JournalFormat.PAYLOAD_BYTES_MAX) {
            throw new IllegalArgumentException(facts.length + " bytes of facts");
        }
        lock.lock();
        try {
            if (tail.broken() != null) {
                return tail.nextLsn();
            }
            ByteBuffer payload = ByteBuffer.wrap(facts);
            Place place = tail.stage(RecordType.FILE, file, 0, 0, sizeBytes, payload);
            index.described(file, place, sizeBytes, facts.clone());
            space.onDropped();
            writeSoon(place.lsn());
            return place.lsn();
        } finally {
            lock.unlock();
        }
    }

    /**
     * Bytes are not owed any more: they are on the server, or were cut off.
     *
     * @param upToLsn only those that were written first in records up to this one
     * @return the LSN to await
     */
    public long drop(long file, long from, long to, long upToLsn) {
        lock.lock();
        try {
            if (tail.broken() != null) {
                return tail.nextLsn();
            }
            Place place = tail.stage(RecordType.DROP, file, upToLsn, from, to, NOTHING);
            index.dropped(file, from, to, upToLsn, place.lsn());
            space.onDropped();
            writeSoon(place.lsn());
            return place.lsn();
        } finally {
            lock.unlock();
        }
    }

    /**
     * Nothing of a file is owed any more.
     *
     * @return the LSN to await, as all of these do; where the journal is broken that fails
     */
    public long forget(long file) {
        lock.lock();
        try {
            if (tail.broken() != null) {
                return tail.nextLsn();
            }
            Place place = tail.stage(RecordType.FORGET, file, 0, 0, 0, NOTHING);
            index.forgotten(file, place.lsn());
            space.onDropped();
            writeSoon(place.lsn());
            return place.lsn();
        } finally {
            lock.unlock();
        }
    }

    /** What nobody waits for is written all the same, and not only with what comes next. */
    @GuardedBy("lock")
    private void writeSoon(long lsn) {
        lastSaid = lsn;
        if (!writesSoon) {
            writesSoon = true;
            scheduler.forkBlocking("netfs-journal", this::writeStaged);
        }
    }

    private void writeStaged() {
        long last;
        lock.lock();
        try {
            writesSoon = false;
            last = tail.nextLsn() - 1;
        } finally {
            lock.unlock();
        }
        try {
            tail.awaitWritten(last);
            forceLater();
        } catch (FsException e) {
            // It is broken, as everybody hears who waits for it.
        }
    }

    /**
     * What counts no longer is not to be found as if it did after a loss of power long afterwards:
     * it would be sent over what the server has got since.
     */
    private void forceLater() {
        lock.lock();
        try {
            if (forcesSoon || closed || tail.forcedLsn() >= lastSaid) {
                return;
            }
            forcesSoon = true;
        } finally {
            lock.unlock();
        }
        scheduler.schedule(
                () -> scheduler.forkBlocking("netfs-journal", this::forceSaid), FORCE_AFTER_NANOS);
    }

    private void forceSaid() {
        long last;
        lock.lock();
        try {
            forcesSoon = false;
            if (closed) {
                return;
            }
            last = lastSaid;
        } finally {
            lock.unlock();
        }
        try {
            force.await(last);
        } catch (FsException e) {
            // It is broken, as everybody hears who waits for it.
        }
    }

    // ---- making sure --------------------------------------------------------------------------

    /**
     * Waits until a record survives this process.
     *
     * @throws FsException when it cannot be written, nor any other from now on
     */
    public void awaitWritten(long lsn) throws FsException {
        tail.awaitWritten(lsn);
    }

    /**
     * Waits until a record survives the loss of this machine's power.
     *
     * @throws FsException when that cannot be promised any more, of any record
     */
    public void awaitForced(long lsn) throws FsException {
        force.await(lsn);
    }

    /**
     * As {@link #awaitForced}, for who cannot wait: ends then, also when that cannot be promised
     * any more.
     */
    public Completion<@Nullable Void> whenForced(long lsn) {
        return force.whenForced(lsn);
    }

    /**
     * The last record that says what is known or owed of any file, or what was found when this was
     * opened. Until it is written or forced, what it takes back may be found as if it still
     * counted.
     */
    public long lastSaidLsn() {
        lock.lock();
        try {
            return lastSaid;
        } finally {
            lock.unlock();
        }
    }

    /** Why it takes nothing any more; null while it does. */
    public @Nullable FsException broken() {
        lock.lock();
        try {
            return tail.broken();
        } finally {
            lock.unlock();
        }
    }

    // ---- reading ------------------------------------------------------------------------------

    /**
     * Reads bytes of a file that it has.
     *
     * @return how many it read from that position on; 0 when it has none there
     * @throws FsException EIO when they are damaged, or cannot be read
     */
    public int read(long file, long position, ByteBuffer to) throws FsException {
        Extent extent = to.hasRemaining() ? hold(file, position) : null;
        if (extent == null) {
            return 0;
        }
        try {
            ByteBuffer payload = reader.payload(extent);
            int skip = extent.skip() + (int) (position - extent.offset());
            int count = (int) Math.min(to.remaining(), extent.end() - position);
            to.put(payload.position(skip).limit(skip + count));
            return count;
        } finally {
            lock.lock();
            try {
                extent.segment().users--;
                space.onDropped();
            } finally {
                lock.unlock();
            }
        }
    }

    /** As {@link io.netfs4j.cache.Journalled#find}, but for where there is nothing. */
    void find(long file, long position, int blockBytes, long[] segments, int[] positions) {
        lock.lock();
        try {
            JournalledFile known = index.get(file);
            if (known != null) {
                known.lend(tail.writtenLsn(), position, blockBytes, segments, positions);
            }
        } finally {
            lock.unlock();
        }
    }

    int segmentBytes() {
        return limits.segmentBytes();
    }

    void link(long number, Disk into, String as) throws IOException {
        tail.lend(number);
        files.link(number, into, as);
    }

    /** Where the bytes that one record has of a file end; the position where it has none there. */
    public long extentEnd(long file, long position) {
        lock.lock();
        try {
            JournalledFile known = index.get(file);
            List<Extent> met = known == null ? List.of() : known.between(position, position + 1);
            return met.isEmpty() ? position : met.get(0).end();
        } finally {
            lock.unlock();
        }
    }

    /** The bytes at a position, once they are written; their segment stays until it is let go. */
    private @Nullable Extent hold(long file, long position) throws FsException {
        long written = 0;
        while (true) {
            lock.lock();
            try {
                JournalledFile known = index.get(file);
                List<Extent> met =
                        known == null ? List.of() : known.between(position, position + 1);
                if (met.isEmpty()) {
                    return null;
                }
                Extent extent = met.get(0);
                if (extent.lsn() <= written) {
                    extent.segment().users++;
                    return extent;
                }
                written = extent.lsn();
            } finally {
                lock.unlock();
            }
            // It may come to lie elsewhere when that fails at first.
            tail.awaitWritten(written);
        }
    }

    /**
     * Writes and forces what is staged, and closes its files. What comes to it later is not
     * written, as if it were broken.
     */
    @Override
    public void close() {
        writeStaged();
        forceSaid();
        space.close();
        tail.close();
        lock.lock();
        try {
            closed = true;
            for (LogSegment segment : tail.segments()) {
                Disk.File file = segment.file;
                if (file != null) {
                    file.close();
                }
            }
        } finally {
            lock.unlock();
        }
    }
}
