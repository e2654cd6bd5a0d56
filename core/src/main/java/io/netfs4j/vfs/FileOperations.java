// SPDX-License-Identifier: Apache-2.0
package io.netfs4j.vfs;

import io.netfs4j.base.Completion;
import io.netfs4j.base.FsError;
import io.netfs4j.base.FsException;
import io.netfs4j.base.GuardedBy;
import io.netfs4j.engine.BackEnd;
import io.netfs4j.engine.Flusher;
import io.netfs4j.engine.InodeData;
import io.netfs4j.engine.WriteThrough;
import io.netfs4j.pagecache.MemoryPool;
import io.netfs4j.pagecache.Turnstile;
import io.netfs4j.request.Origin;
import io.netfs4j.server.ServerFile;
import io.netfs4j.trace.Counters.Counter;

import org.jspecify.annotations.Nullable;

import java.nio.ByteBuffer;

/**
 * Writing and saving the bytes of open files. Copying is done on the caller's thread with the
 * inode's lock held; whatever has to be waited for is waited for without it.
 */
final class FileOperations {
    private final VfsParts parts;

    /** So many barriers may be on their way to the server, per file. */
    private static final int BARRIERS_MAX = 16;

    /** So much is written at a time where the journal has to have room for it, in bytes. */
    private static final int JOURNAL_STEP_BYTES = 1 << 20;

    /** Bytes of a synchronous write that are copied in one hold of the inode's lock. */
    private static final int THROUGH_STEP_BYTES = 1 << 20;

    private final SoftWaits soft;
    private final UnbufferedOperations unbuffered;
    private final ReadOperations reads;

    FileOperations(VfsParts parts, AttributeOperations attributes) {
        this.parts = parts;
        this.soft = new SoftWaits(parts.environment(), parts.options().softTimeoutNanos());
        CutFiles cutFiles = new CutFiles(parts, attributes);
        this.unbuffered = new UnbufferedOperations(parts, cutFiles, soft);
        this.reads = new ReadOperations(parts, cutFiles, soft, unbuffered);
    }

    UnbufferedOperations unbuffered() {
        return unbuffered;
    }

    ReadOperations reads() {
        return reads;
    }

    // ---- writing ------------------------------------------------------------------------------

    int write(OpenedInode file, long position, ByteBuffer source) throws FsException {
        int count = writeToMemory(file, position, source);
        awaitJournalled(file);
        return count;
    }

    /**
     * Waits until what was written survives this process: in the journal, or where that is broken
     * on the server.
     */
    private void awaitJournalled(OpenedInode file) throws FsException {
        try {
            parts.journalling().awaitWritten(file.data);
        } catch (FsException broken) {
            fsync(file);
        }
    }

    private int writeToMemory(OpenedInode file, long position, ByteBuffer source)
            throws FsException {
        checkWritable(file, position, source.remaining());
        if (unbuffered.isUnbuffered(file)) {
            int count = unbuffered.writeAndWait(file, position, source);
            if (isSynchronous(file)) {
                sync(file);
            }
            return count;
        }
        int count = source.remaining();
        if (isSynchronous(file)) {
            writeInTurn(file, WritePlace.at(position, false), source, true);
            sync(file);
        } else if (parts.cache().writers().waiting() > 0 || !writesAll(file, position, source)) {
            long next = position + count - source.remaining();
            writeInTurn(file, WritePlace.at(next, next > position), source, false);
        }
        return count - source.remaining();
    }

    /**
     * Writes, through the page cache, what lies inside the file when it is copied: it does not grow
     * it, whatever happens to its size meanwhile, nor go to its end. Returns how much that was.
     */
    int overwrite(OpenedInode file, long position, ByteBuffer source) throws FsException {
        checkWritable(file, position, source.remaining());
        int start = source.position();
        boolean synchronous = isSynchronous(file);
        writeInTurn(file, WritePlace.insideFrom(position), source, synchronous);
        if (synchronous) {
            sync(file);
        }
        awaitJournalled(file);
        return source.position() - start;
    }

    /** Without a ticket: while there is room, nothing is made for it. */
    private boolean writesAll(OpenedInode file, long position, ByteBuffer source) {
        file.inode.lock.lock();
        try {
            long at = file.flags().append() ? file.data.sizeBytes() : position;
            copyIn(file, at, source, source.remaining(), null);
            return !source.hasRemaining();
        } finally {
            file.inode.lock.unlock();
        }
    }

    /**
     * Writes the rest, waiting for room; a part of it when that is hopeless and a part is written.
     */
    private void writeInTurn(
            OpenedInode file, WritePlace place, ByteBuffer source, boolean synchronous)
            throws FsException {
        int start = source.position();
        try (Turnstile.Ticket ticket = parts.cache().writers().enter()) {
            while (source.hasRemaining()) {
                Completion<@Nullable Void> turn = ticket.beforeTry();
                Hurdle hurdle;
                if (turn != null) {
                    hurdle = new Hurdle(parts.engine().flusher().refusal(file.data), turn);
                } else if (synchronous) {
                    hurdle = writeThrough(file, place, source);
                } else {
                    hurdle = writeStep(file, place, source, null);
                }
                if (hurdle.hopeless() != null) {
                    if (source.position() == start && !place.hasPart) {
                        throw hurdle.hopeless();
                    }
                    return;
                }
                turn = hurdle.awaited();
                if (turn == null) {
                    if (source.hasRemaining()) {
                        ticket.failed();
                    }
                    continue;
                }
                parts.engine().counters().add(Counter.THROTTLE_WAITS, 1);
                try {
                    soft.await(turn);
                } catch (FsException e) {
                    if (source.position() == start && !place.hasPart) {
                        throw e;
                    }
                    return;
                }
            }
        }
    }

    /**
     * Copies in as much as there is room for, and sends it meanwhile; returns when the server has
     * that. It does not hold the write-back lock while it waits for more room, which other data of
     * the same file may have to make.
     */
    private Hurdle writeThrough(OpenedInode file, WritePlace place, ByteBuffer source)
            throws FsException {
        WriteThrough through;
        file.inode.lock.lock();
        try {
            through = parts.engine().writeThrough(file.data);
        } finally {
            file.inode.lock.unlock();
        }
        try (through) {
            soft.await(through.turn());
            file.inode.lock.lock();
            try {
                if (file.data.pages().groups() > 1) {
                    // Data of before a barrier goes first.
                    return new Hurdle(null, parts.engine().writeback(file.data, Origin.SYNC));
                }
            } finally {
                file.inode.lock.unlock();
            }
            Hurdle hurdle;
            do {
                // The lock is free in between: what was copied leaves while the rest is copied.
                hurdle = writeStep(file, place, source, through);
            } while (hurdle.equals(Hurdle.MORE));
            Completion<@Nullable Void> done;
            file.inode.lock.lock();
            try {
                done = through.end();
            } finally {
                file.inode.lock.unlock();
            }
            awaitSaved(file, done);
            return hurdle;
        }
    }

    private boolean isSynchronous(OpenedInode file) {
        OpenFlags flags = file.flags();
        // Where an append goes is known only in the page cache.
        boolean appendsDirectly = flags.direct() && flags.append();
        return flags.sync()
                || flags.dataSync()
                || appendsDirectly
                || parts.options().syncWrites()
                || parts.journalling().isBroken();
    }

    /** What was written before is on the server before what is written afterwards. */
    void barrier(OpenedInode file) throws FsException {
        while (true) {
            Completion<@Nullable Void> flushed;
            file.inode.lock.lock();
            try {
                // Those that the journal alone keeps are of no group.
                boolean all = file.data.pages().stored().isEmpty();
                if (all && file.data.pages().groups() < BARRIERS_MAX) {
                    file.data.pages().beginGroup();
                    return;
                }
                flushed = parts.engine().writeback(file.data, Origin.SYNC);
            } finally {
                file.inode.lock.unlock();
            }
            soft.await(flushed);
        }
    }

    boolean tryWrite(OpenedInode file, long position, ByteBuffer source) throws FsException {
        if (isSynchronous(file)
                || unbuffered.isUnbuffered(file)
                || parts.cache().writers().waiting() > 0
                || file.inode.lock.hasQueuedThreads()) {
            return false;
        }
        checkWritable(file, position, source.remaining());
        int start = source.position();
        // One hold of the lock for both: nobody may send, or append behind, what is taken back.
        file.inode.lock.lock();
        try {
            long sizeBefore = file.data.sizeBytes();
            boolean append = file.flags().append();
            int count =
                    copyIn(file, append ? sizeBefore : position, source, source.remaining(), null);
            if (source.hasRemaining()) {
                // What was written stands and is written once more by the caller's waiting write,
                // at the same place; an append has to go on where it began.
                source.position(start);
                if (append && count > 0) {
                    file.data.truncate(sizeBefore);
                    file.data.setSizeBytes(sizeBefore);
                    file.inode.sizeBytes = sizeBefore;
                    file.data.describe();
                }
                return false;
            }
        } finally {
            file.inode.lock.unlock();
        }
        try {
            parts.journalling().awaitWritten(file.data);
        } catch (FsException broken) {
            if (!file.flags().append()) {
                // Written once more, and waited for: from now on it is synchronous.
                source.position(start);
                return false;
            }
            fsync(file);
        }
        return true;
    }

    /**
     * Copies in as much as there is room for.
     *
     * @param through sends it, or null when nobody waits for that
     */
    private Hurdle writeStep(
            OpenedInode file, WritePlace place, ByteBuffer source, @Nullable WriteThrough through) {
        InodeData data = file.data;
        file.inode.lock.lock();
        try {
            if (place.insideOnly) {
                long inside = Math.max(0, data.sizeBytes() - place.next);
                source.limit(source.position() + (int) Math.min(source.remaining(), inside));
            }
            int most = source.remaining();
            if (file.flags().append() && !place.insideOnly) {
                place.next = data.sizeBytes();
            } else if (through != null) {
                most = Math.min(most, THROUGH_STEP_BYTES);
            }
            int count = copyIn(file, place.next, source, most, through);
            place.next += count;
            if (!source.hasRemaining()) {
                return Hurdle.NONE;
            }
            if (count == most) {
                return Hurdle.MORE;
            }
            if (data.pages().isOlderGroupAt(place.next)) {
                return new Hurdle(null, parts.engine().writeback(data, Origin.SYNC));
            }
            return hurdle(file, place, source, through);
        } finally {
            file.inode.lock.unlock();
        }
    }

    /** Where there is no room: files that the server refuses must not stop one that it takes. */
    @GuardedBy("inode lock")
    private Hurdle hurdle(
            OpenedInode file, WritePlace place, ByteBuffer source, @Nullable WriteThrough through) {
        Flusher flusher = parts.engine().flusher();
        FsException refused = flusher.refusal(file.data);
        if (refused != null) {
            return new Hurdle(refused, null);
        }
        FsException stuck = flusher.stuck();
        if (stuck == null) {
            return Hurdle.NONE; // What is saved makes room.
        }
        boolean waits =
                parts.journalling().hasRoom(source.remaining())
                        && parts.cache().mayMakeRoom(file.data.pages().blockBytesAt(place.next));
        if (copyInAnyway(file, place, source, through) > 0 || waits) {
            return Hurdle.NONE; // What is clean is only in use, and makes room.
        }
        return new Hurdle(stuck, null);
    }

    @GuardedBy("inode lock")
    private int copyIn(
            OpenedInode file,
            long position,
            ByteBuffer source,
            int most,
            @Nullable WriteThrough through) {
        int done = 0;
        while (done < most) {
            int count = Math.min(most - done, JOURNAL_STEP_BYTES);
            if (!parts.journalling().hasRoom(count)) {
                parts.engine().press();
                break;
            }
            int n = file.data.pages().write(position + done, source, count);
            copied(file, position + done, source, n, through);
            done += n;
            if (n < count) {
                break;
            }
        }
        return done;
    }

    /** Copies a part in although there is no room. */
    @GuardedBy("inode lock")
    private int copyInAnyway(
            OpenedInode file, WritePlace place, ByteBuffer source, @Nullable WriteThrough through) {
        int most = Math.min(source.remaining(), JOURNAL_STEP_BYTES);
        if (!parts.journalling().hasRoom(most)) {
            return 0;
        }
        int n = file.data.pages().writeAnyway(place.next, source, most);
        copied(file, place.next, source, n, through);
        place.next += n;
        return n;
    }

    @GuardedBy("inode lock")
    private void copied(
            OpenedInode file,
            long position,
            ByteBuffer source,
            int n,
            @Nullable WriteThrough through) {
        InodeData data = file.data;
        Inode inode = file.inode;
        if (n > 0) {
            long sizeBefore = data.sizeBytes();
            data.setSizeBytes(Math.max(sizeBefore, position + n));
            inode.sizeBytes = data.sizeBytes();
            inode.modified = parts.coherency().now();
            inode.changed = inode.modified;
            inode.changes++;
            boolean isDated = data.pendingAttributes().modified() == null;
            data.setPendingAttributes(data.pendingAttributes().written(inode.modified));
            parts.journalling().written(data, position, sizeBefore, source, n, isDated);
            if (through != null) {
                through.advance(position, position + n);
            }
            parts.engine().flusher().onDirtied(data);
        }
    }

    static void checkWritable(OpenedInode file, long position, int count) throws FsException {
        if (!file.flags().access().writes()) {
            throw new FsException(FsError.EBADF, "not open for writing");
        }
        if (position < 0 || position > Long.MAX_VALUE - MemoryPool.FOLIO_BYTES_MAX - count) {
            throw new FsException(FsError.EFBIG, "write at " + position);
        }
    }

    // ---- saving -------------------------------------------------------------------------------

    void flush(OpenedInode file) throws FsException {
        if (parts.options().closeWaits() && file.flags().access().writes()) {
            fsync(file);
            return;
        }
        file.inode.lock.lock();
        try {
            Completion<@Nullable Void> begun =
                    parts.engine().writeback(file.data, Origin.WRITEBACK);
            begun.whenDone((value, failure) -> {});
            throwUnheard(file);
        } finally {
            file.inode.lock.unlock();
        }
    }

    /** What fsync promises: the journal is forced, or the server has it all. */
    void force(OpenedInode file) throws FsException {
        if (!parts.journalling().force(file.data)) {
            fsync(file);
            return;
        }
        file.inode.lock.lock();
        try {
            throwUnheard(file);
        } finally {
            file.inode.lock.unlock();
        }
    }

    private void fsync(OpenedInode file) throws FsException {
        Completion<@Nullable Void> saved;
        file.inode.lock.lock();
        try {
            saved = parts.engine().writeback(file.data, Origin.SYNC);
        } finally {
            file.inode.lock.unlock();
        }
        awaitSaved(file, saved);
        sync(file);
        parts.journalling().forceSaid();
    }

    /** Waits for a write-back or a sync; its failure counts as heard by this open file. */
    private void awaitSaved(OpenedInode file, Completion<@Nullable Void> saved) throws FsException {
        FsException failed = null;
        try {
            soft.await(saved);
        } catch (FsException e) {
            if (!saved.isDone()) {
                throw e;
            }
            failed = e;
        }
        file.inode.lock.lock();
        try {
            throwUnheard(file);
        } finally {
            file.inode.lock.unlock();
        }
        if (failed != null) {
            throw failed;
        }
    }

    /** As {@link #sync(InodeData)}; what another's sync failed with is told to this file, too. */
    private void sync(OpenedInode file) throws FsException {
        awaitSaved(file, syncing(file.data));
    }

    /** The server's own stable storage, when something was committed since the last time. */
    void sync(InodeData data) throws FsException {
        soft.await(syncing(data));
    }

    /** The end of a sync that covers everything committed so far; waits for older ones. */
    private Completion<@Nullable Void> syncing(InodeData data) throws FsException {
        while (true) {
            Completion<@Nullable Void> theirs;
            Completion<@Nullable Void> mine = new Completion<>();
            ServerFile handle = null;
            data.lock().lock();
            try {
                theirs = data.syncing().underWay();
                if (theirs == null) {
                    handle = data.syncing().isNeeded() ? data.borrowFile() : null;
                    if (handle == null) {
                        return Completion.done(null);
                    }
                    data.syncing().begin(mine);
                }
            } finally {
                data.lock().unlock();
            }
            if (handle == null) {
                // Another's sync may have begun before what we have to answer for was committed,
                // and it may fail: look again when it has ended.
                Completion<@Nullable Void> over = new Completion<>();
                if (theirs != null) {
                    theirs.whenDone((value, failure) -> over.complete(null));
                    soft.await(over);
                }
                continue;
            }
            Completion<@Nullable Void> answered = endingSync(data, mine);
            try {
                handle.sync(answered);
            } catch (RuntimeException e) {
                answered.fail(BackEnd.report("sync", e));
            }
            return mine;
        }
    }

    /** What the server ends; whoever waits hears of it only when it is put down as an error. */
    private Completion<@Nullable Void> endingSync(InodeData data, Completion<@Nullable Void> mine) {
        Completion<@Nullable Void> answered = new Completion<>();
        answered.whenDone((value, failure) -> {
            data.lock().lock();
            try {
                data.syncing().end(failure);
                data.giveBackFile();
            } finally {
                data.lock().unlock();
            }
            if (failure == null) {
                mine.complete(null);
            } else {
                parts.engine().counters().add(Counter.ERRORS, 1);
                mine.fail(failure);
            }
        });
        return answered;
    }

    @GuardedBy("inode lock")
    private static void throwUnheard(OpenedInode file) throws FsException {
        FsException error = file.data.errors().unheard(file.heardErrors);
        file.heardErrors = file.data.errors().sequence();
        if (error != null) {
            throw error.copy();
        }
    }

    /** Writes back what is dirty and waits; used before the server is asked to change the file. */
    void save(InodeData data, Inode inode) throws FsException {
        Completion<@Nullable Void> saved;
        inode.lock.lock();
        try {
            saved = parts.engine().writeback(data, Origin.SYNC);
        } finally {
            inode.lock.unlock();
        }
        soft.await(saved);
    }

    SoftWaits soft() {
        return soft;
    }
}
