// SPDX-License-Identifier: Apache-2.0
package io.netfs4j.vfs;

import io.netfs4j.base.Completion;
import io.netfs4j.base.FsException;
import io.netfs4j.engine.BackEnd;
import io.netfs4j.engine.InodeData;
import io.netfs4j.engine.UnbufferedWrite;
import io.netfs4j.request.Origin;
import io.netfs4j.server.ServerAttributes;
import io.netfs4j.server.ServerFile;

import org.jspecify.annotations.Nullable;

import java.nio.ByteBuffer;

/** Reading and writing past the page cache: O_DIRECT, and mounts that ask for it. */
final class UnbufferedOperations {
    /** A read that waits goes through memory of its own of at most this size, in bytes. */
    private static final int CHUNK_BYTES = 1 << 20;

    private final VfsParts parts;
    private final CutFiles cutFiles;
    private final SoftWaits soft;

    UnbufferedOperations(VfsParts parts, CutFiles cutFiles, SoftWaits soft) {
        this.parts = parts;
        this.cutFiles = cutFiles;
        this.soft = soft;
    }

    /**
     * Whether reads and writes of the file go past the page cache. Not those that append: their
     * place is known only once they are in it.
     */
    boolean isUnbuffered(OpenedInode file) {
        return file.flags().direct() && !file.flags().append();
    }

    Completion<Integer> write(OpenedInode file, long position, ByteBuffer source)
            throws FsException {
        FileOperations.checkWritable(file, position, source.remaining());
        if (!source.hasRemaining()) {
            return Completion.done(0);
        }
        parts.journalling().beforeChange(file.data);
        file.inode.lock.lock();
        try {
            return parts.engine().writeUnbuffered(file.data, position, source).written();
        } finally {
            file.inode.lock.unlock();
        }
    }

    /** Writes and waits; returns how many bytes, which leave the source. */
    int writeAndWait(OpenedInode file, long position, ByteBuffer source) throws FsException {
        FileOperations.checkWritable(file, position, source.remaining());
        if (!source.hasRemaining()) {
            return 0;
        }
        parts.journalling().beforeChange(file.data);
        UnbufferedWrite write;
        file.inode.lock.lock();
        try {
            write = parts.engine().writeUnbuffered(file.data, position, source);
        } finally {
            file.inode.lock.unlock();
        }
        Completion<Integer> written = write.written();
        Completion<@Nullable Void> over = new Completion<>();
        written.whenDone((count, failure) -> over.complete(null));
        try {
            soft.await(over);
        } catch (FsException e) {
            file.inode.lock.lock();
            try {
                write.cancel(e);
            } finally {
                file.inode.lock.unlock();
            }
            // The caller's memory is his again only when nothing is in flight any more.
            parts.environment().waits().awaitUninterruptibly(over);
        }
        int count = written.get();
        source.position(source.position() + count);
        return count;
    }

    /** Reads what the server has now. */
    int read(OpenedInode file, long position, ByteBuffer target) throws FsException {
        int start = target.position();
        long at = position;
        learnSize(file, position + target.remaining());
        while (target.hasRemaining()) {
            int count;
            try {
                count = readChunk(file, at, target);
            } catch (FsException e) {
                if (at == position) {
                    throw e;
                }
                // What was read stands; who goes on from there hears of it.
                break;
            }
            if (count == 0) {
                break;
            }
            at += count;
        }
        return target.position() - start;
    }

    /** Where a read reaches past the end that is known: another client may have moved it. */
    private void learnSize(OpenedInode file, long end) throws FsException {
        Inode inode = file.inode;
        ServerFile handle;
        long asked;
        inode.lock.lock();
        try {
            boolean ours = file.data.isUnsaved() || file.data.isBeingWritten();
            if (end <= file.data.sizeBytes() || ours) {
                return;
            }
            handle = file.data.borrowFile();
            asked = inode.changes;
        } finally {
            inode.lock.unlock();
        }
        if (handle == null) {
            return;
        }
        ServerAttributes a = file.data.useBorrowed(handle, BackEnd::attributes);
        inode.lock.lock();
        try {
            parts.coherency().apply(inode, a, asked);
        } finally {
            inode.lock.unlock();
        }
    }

    private int readChunk(OpenedInode file, long at, ByteBuffer target) throws FsException {
        InodeData data = file.data;
        int looks = 0;
        while (true) {
            Completion<@Nullable Void> flushed = null;
            Completion<@Nullable Void> read = null;
            ByteBuffer memory = ByteBuffer.allocate(0);
            file.inode.lock.lock();
            try {
                long left = Math.min(target.remaining(), data.sizeBytes() - at);
                int count = (int) Math.min(left, CHUNK_BYTES);
                if (count <= 0) {
                    return 0;
                }
                if (data.pages().writeback().isDirty(at, at + count)
                        || data.creation() != null
                        || data.owedSize().isOwed()) {
                    flushed = parts.engine().writeback(data, Origin.SYNC);
                } else if (data.pages().writebackBytes() > 0) {
                    // Some of it may be what is read.
                    flushed = parts.engine().writeback(data, Origin.SYNC);
                } else {
                    ServerFile handle = ReadOperations.readable(data);
                    memory = ByteBuffer.allocate(count);
                    read = parts.engine().readUnbuffered(data, handle, at, memory);
                }
            } finally {
                file.inode.lock.unlock();
            }
            if (flushed != null) {
                soft.await(flushed);
            } else if (read != null) {
                soft.await(read);
                int count = there(data, at, memory.capacity());
                if (count > 0) {
                    target.put(memory.clear().limit(count));
                    return count;
                }
                cutFiles.lookAgain(file, at, ++looks);
            }
        }
    }

    /** How many of the bytes from a position on another client has not cut off. */
    private static int there(InodeData data, long at, int count) {
        data.lock().lock();
        try {
            return data.isCut() ? (int) Math.clamp(data.knownEnd() - at, 0, count) : count;
        } finally {
            data.lock().unlock();
        }
    }
}
