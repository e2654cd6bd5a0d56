// SPDX-License-Identifier: Apache-2.0
package io.netfs4j.vfs;

import io.netfs4j.base.Completion;
import io.netfs4j.base.FsError;
import io.netfs4j.base.FsException;
import io.netfs4j.base.GuardedBy;
import io.netfs4j.base.Segment;
import io.netfs4j.cache.journal.FileJournal;
import io.netfs4j.engine.BackEnd;
import io.netfs4j.engine.InodeData;
import io.netfs4j.pagecache.Block;
import io.netfs4j.pagecache.MemoryPool;
import io.netfs4j.pagecache.StoredBytes;
import io.netfs4j.pagecache.Turnstile;
import io.netfs4j.request.Origin;
import io.netfs4j.server.ServerFile;

import org.jspecify.annotations.Nullable;

import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;

/**
 * Reading the bytes of open files. What is not in the page cache is fetched into it; where all its
 * memory holds what the server refuses to take, it is fetched past it.
 */
final class ReadOperations {
    /** So much is fetched past the page cache at a time, in bytes. */
    private static final int DIRECT_BYTES_MAX = 64 << 10;

    /** So much is read from the journal at a time, in bytes. */
    private static final int STORED_BYTES_MAX = 128 << 10;

    private final VfsParts parts;
    private final CutFiles cutFiles;
    private final SoftWaits soft;
    private final UnbufferedOperations unbuffered;

    ReadOperations(
            VfsParts parts, CutFiles cutFiles, SoftWaits soft, UnbufferedOperations unbuffered) {
        this.parts = parts;
        this.cutFiles = cutFiles;
        this.soft = soft;
        this.unbuffered = unbuffered;
    }

    int read(OpenedInode file, long position, ByteBuffer target) throws FsException {
        if (!file.flags().access().reads()) {
            throw new FsException(FsError.EBADF, "not open for reading");
        }
        if (unbuffered.isUnbuffered(file)) {
            return unbuffered.read(file, position, target);
        }
        int start = target.position();
        boolean hinted = false;
        int looks = 0;
        try (Turnstile.Ticket ticket = parts.cache().readers().enter()) {
            while (true) {
                Completion<@Nullable Void> turn = ticket.beforeTry();
                ByteBuffer direct = null;
                if (turn == null) {
                    Step step = step(file, position, target, start, hinted);
                    hinted = true;
                    if (step.done) {
                        return target.position() - start;
                    }
                    if (step.cut) {
                        cutFiles.lookAgain(file, position + target.position() - start, ++looks);
                        continue;
                    }
                    if (step.stored != null) {
                        readStored(file, step.stored, target);
                        continue;
                    }
                    turn = step.loading;
                    direct = step.direct;
                    if (turn == null) {
                        ticket.failed();
                        continue;
                    }
                }
                soft.await(turn);
                if (direct != null
                        && has(file, position + target.position() - start + direct.capacity())) {
                    target.put(direct.clear());
                }
            }
        } catch (FsException e) {
            // Not the part that came: a short count would say that the file ends there.
            target.position(start);
            throw e;
        }
    }

    /**
     * How far a try came.
     *
     * @param cut the server's file ends before the bytes that are wanted
     * @param loading the end of a fetch; null when there was no memory for it
     * @param direct what is fetched past the page cache; null when it comes into that
     * @param stored what is to be read from the journal; null when that is not next
     */
    private record Step(
            boolean done,
            boolean cut,
            @Nullable Completion<@Nullable Void> loading,
            @Nullable ByteBuffer direct,
            StoredBytes.@Nullable Run stored) {
        private static final Step DONE = new Step(true, false, null, null, null);
        private static final Step CUT = new Step(false, true, null, null, null);
    }

    /** Reads what the journal alone keeps; as much of it as is still so afterwards. */
    private static void readStored(OpenedInode file, StoredBytes.Run run, ByteBuffer target)
            throws FsException {
        InodeData data = file.data;
        FileJournal journal = data.journal();
        if (journal == null) {
            throw new IllegalStateException("left to a journal that there is not");
        }
        long wanted = Math.min(run.to() - run.from(), STORED_BYTES_MAX);
        ByteBuffer piece = ByteBuffer.allocate((int) wanted);
        int count = journal.read(run.from(), piece);
        piece.flip();
        file.inode.lock.lock();
        try {
            StoredBytes stored = data.pages().stored();
            int valid = stored.stillHas(run, count);
            if (count == 0 && stored.stillHas(run, 1) > 0) {
                throw new FsException(FsError.EIO, "the journal lacks bytes of " + run);
            }
            stored.show(run, piece.duplicate());
            target.put(piece.limit(Math.min(valid, target.remaining())));
        } finally {
            file.inode.lock.unlock();
        }
    }

    private Step step(OpenedInode file, long position, ByteBuffer target, int start, boolean hinted)
            throws FsException {
        InodeData data = file.data;
        file.inode.lock.lock();
        try {
            int done = target.position() - start;
            long at = position + done;
            long end = Math.min(data.sizeBytes(), at + target.remaining());
            if (at >= end) {
                return Step.DONE;
            }
            int n = data.pages().read(at, target, (int) (end - at), data.remoteSizeBytes());
            at += n;
            if (!hinted && at == end) {
                file.readahead.onRead(parts.engine(), data, position, end);
            }
            if (at == end) {
                return Step.DONE;
            }
            StoredBytes.Run stored = data.pages().stored().first(at);
            if (stored != null && stored.from() == at) {
                return new Step(false, false, null, null, stored);
            }
            Completion<@Nullable Void> opening =
                    data.file() == null ? parts.engine().making(data) : null;
            if (opening != null) {
                // Found in the journal: the server's file is to be opened first.
                return new Step(false, false, opening, null, null);
            }
            if (data.isCut() && (!data.isUnsaved() || at >= data.knownEnd())) {
                return Step.CUT;
            }
            long there = Math.min(end, data.knownEnd());
            Completion<@Nullable Void> loading = parts.engine().loading(data, at, there);
            ByteBuffer direct = null;
            if (loading == null) {
                ServerFile handle = readable(data);
                long from = at & -MemoryPool.PAGE_BYTES;
                long to = end + MemoryPool.PAGE_BYTES - 1 & -MemoryPool.PAGE_BYTES;
                to = Math.min(to, data.remoteSizeBytes());
                boolean waits = parts.cache().mayMakeRoom(data.pages().blockBytesAt(at));
                parts.engine().load(data, from, to, Origin.DEMAND_READ);
                loading = parts.engine().loading(data, at, there);
                if (loading == null && !waits && parts.engine().flusher().stuck() != null) {
                    long stop = Math.min(there, at + DIRECT_BYTES_MAX);
                    stop = data.pages().nextPresent(at, stop);
                    stop = data.pages().stored().next(at, stop);
                    direct = ByteBuffer.allocate((int) (stop - at));
                    loading = parts.engine().readUnbuffered(data, handle, at, direct);
                }
            }
            if (!hinted) {
                file.readahead.onRead(parts.engine(), data, position, end);
            }
            return new Step(false, false, loading, direct, null);
        } finally {
            file.inode.lock.unlock();
        }
    }

    /** Whether the server may have all of what lies before a position. */
    private static boolean has(OpenedInode file, long end) {
        file.inode.lock.lock();
        try {
            return end <= file.data.knownEnd();
        } finally {
            file.inode.lock.unlock();
        }
    }

    @GuardedBy("inode lock")
    static ServerFile readable(InodeData data) throws FsException {
        ServerFile handle = data.file();
        if (handle == null || !BackEnd.isReadable(handle)) {
            throw new FsException(
                    handle == null ? FsError.EBADF : FsError.EACCES,
                    "no handle to read with: " + data.listener().name());
        }
        return handle;
    }

    @Nullable PinnedBytes tryRead(OpenedInode file, long position, int count) throws FsException {
        if (!file.flags().access().reads()) {
            throw new FsException(FsError.EBADF, "not open for reading");
        }
        if (unbuffered.isUnbuffered(file)) {
            return null;
        }
        InodeData data = file.data;
        file.inode.lock.lock();
        try {
            int n = (int) Math.max(0, Math.min(count, data.sizeBytes() - position));
            List<Segment> segments = new ArrayList<>(4);
            List<Block> blocks = new ArrayList<>(4);
            if (!data.pages().borrow(position, n, segments, blocks)) {
                return null;
            }
            file.readahead.onRead(parts.engine(), data, position, position + n);
            return new Loan(file.inode, data, segments, blocks, n);
        } finally {
            file.inode.lock.unlock();
        }
    }

    private record Loan(
            Inode inode, InodeData data, List<Segment> segments, List<Block> blocks, int length)
            implements PinnedBytes {
        /** Once: a block that was given back serves others. */
        @Override
        public void close() {
            inode.lock.lock();
            try {
                data.pages().giveBack(blocks);
                blocks.clear();
            } finally {
                inode.lock.unlock();
            }
        }
    }
}
