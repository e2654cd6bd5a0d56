// SPDX-License-Identifier: Apache-2.0
package io.netfs4j.vfs;

import io.netfs4j.base.FsError;
import io.netfs4j.base.FsException;
import io.netfs4j.engine.BackEnd;
import io.netfs4j.engine.InodeData;
import io.netfs4j.server.Capability;
import io.netfs4j.server.ServerAttributes;
import io.netfs4j.server.ServerFile;

import org.jspecify.annotations.Nullable;

import java.nio.ByteBuffer;

/** fallocate, lseek and copy_file_range. */
final class RangeOperations {
    /** Zeros and copies go through a buffer of this size, in bytes. */
    private static final int CHUNK_BYTES = 256 << 10;

    /** One call copies at most so much through us, in bytes; the caller asks again. */
    private static final long LOCAL_COPY_BYTES_MAX = 16L << 20;

    private final VfsParts parts;
    private final OpenOperations opens;
    private final FileOperations files;

    RangeOperations(VfsParts parts, OpenOperations opens, FileOperations files) {
        this.parts = parts;
        this.opens = opens;
        this.files = files;
    }

    /** The file's size; ENXIO when the position is not inside. */
    long checkInside(OpenedInode file, long position) throws FsException {
        long size = size(file);
        if (position < 0 || position >= size) {
            throw new FsException(FsError.ENXIO, position + " is not inside " + size + " bytes");
        }
        return size;
    }

    private static boolean isInDoubt(OpenedInode file) {
        file.inode.lock.lock();
        try {
            return file.data.isSizeInDoubt();
        } finally {
            file.inode.lock.unlock();
        }
    }

    private static long size(OpenedInode file) {
        file.inode.lock.lock();
        try {
            return file.data.sizeBytes();
        } finally {
            file.inode.lock.unlock();
        }
    }

    void allocate(OpenedInode file, AllocateMode mode, long position, long length)
            throws FsException {
        if (!file.flags().access().writes()) {
            throw new FsException(FsError.EBADF, "not open for writing");
        }
        if (position < 0 || length <= 0 || position > Long.MAX_VALUE - length) {
            throw new FsException(FsError.EINVAL, "range " + position + " + " + length);
        }
        long end = position + length;
        long size = size(file);
        switch (mode) {
            case KEEP_SIZE ->
                    throw new FsException(FsError.ENOTSUP, "space on a server is not reserved");
            case EXTEND -> {
                if (end > size || isInDoubt(file)) {
                    opens.sizes().extend(file.inode, end);
                }
            }
            case PUNCH_HOLE, ZERO_RANGE_KEEP_SIZE -> zero(file, position, Math.min(end, size));
            case ZERO_RANGE -> {
                zero(file, position, Math.min(end, size));
                if (end > size(file)) {
                    opens.sizes().extend(file.inode, end);
                }
            }
        }
    }

    private void zero(OpenedInode file, long from, long to) throws FsException {
        ByteBuffer zeros = ByteBuffer.allocate((int) Math.max(0, Math.min(CHUNK_BYTES, to - from)));
        for (long at = from; at < to; ) {
            zeros.clear().limit((int) Math.min(zeros.capacity(), to - at));
            int count = files.overwrite(file, at, zeros);
            if (count == 0) {
                break; // It was cut off there meanwhile.
            }
            at += count;
        }
        if (file.flags().direct()) {
            files.save(file.data, file.inode);
        }
    }

    long copy(OpenedInode source, long from, OpenedInode target, long to, long count)
            throws FsException {
        if (!source.flags().access().reads() || !target.flags().access().writes()) {
            throw new FsException(FsError.EBADF, "not open for it");
        }
        if (target.flags().append()) {
            throw new FsException(FsError.EBADF, "the target is open for appending");
        }
        if (from < 0 || to < 0 || count < 0 || to > Long.MAX_VALUE - count) {
            throw new FsException(FsError.EINVAL, "ranges");
        }
        long wanted = Math.min(count, Math.max(0, size(source) - from));
        if (wanted == 0) {
            return 0;
        }
        if (source.inode == target.inode && from < to + wanted && to < from + wanted) {
            throw new FsException(FsError.EINVAL, "the ranges overlap");
        }
        if (parts.server().capabilities().has(Capability.SERVER_COPY)) {
            return copyOnServer(source, from, target, to, wanted);
        }
        return copyThroughUs(source, from, target, to, Math.min(wanted, LOCAL_COPY_BYTES_MAX));
    }

    private long copyThroughUs(
            OpenedInode source, long from, OpenedInode target, long to, long count)
            throws FsException {
        ByteBuffer chunk = ByteBuffer.allocate((int) Math.min(CHUNK_BYTES, count));
        long done = 0;
        while (done < count) {
            chunk.clear().limit((int) Math.min(chunk.capacity(), count - done));
            int n = files.reads().read(source, from + done, chunk);
            if (n <= 0) {
                break;
            }
            int written = files.write(target, to + done, chunk.flip());
            done += written;
            if (written < n) {
                break;
            }
        }
        return done;
    }

    private long copyOnServer(
            OpenedInode source, long from, OpenedInode target, long to, long count)
            throws FsException {
        files.save(source.data, source.inode);
        files.save(target.data, target.inode);
        parts.journalling().beforeChange(target.data);
        return opens.sizes()
                .exclusively(
                        target.inode,
                        target.data,
                        () ->
                                borrowing(
                                        source,
                                        reading -> copyFrom(reading, from, target, to, count)));
    }

    private long copyFrom(ServerFile reading, long from, OpenedInode target, long to, long count)
            throws FsException {
        return borrowing(
                target,
                writing -> {
                    long asked = OpenOperations.ownerChanges(target.inode);
                    long copied;
                    try {
                        copied = BackEnd.copyRange(reading, from, writing, to, count);
                    } catch (FsException e) {
                        // The server may have copied a part, and the file be longer for it.
                        opens.sizes().doubt(target.inode, target.data, to + count);
                        throw e;
                    }
                    landed(target, to, copied, attributes(writing), asked);
                    return copied;
                });
    }

    /** Null when the server does not tell: what it copied is there all the same. */
    private static @Nullable ServerAttributes attributes(ServerFile file) {
        try {
            return BackEnd.attributes(file);
        } catch (FsException e) {
            return null;
        }
    }

    /** The server changed a range of the target: what is cached of it is old, sizes grow. */
    private void landed(
            OpenedInode target, long to, long copied, @Nullable ServerAttributes a, long asked) {
        InodeData data = target.data;
        target.inode.lock.lock();
        try {
            data.drop(to, to + copied);
            data.uncache(to, to + copied);
            data.setSizeBytes(Math.max(data.sizeBytes(), to + copied));
            data.syncing().need();
            if (a == null) {
                target.inode.sizeBytes = data.sizeBytes();
                opens.sizes().doubt(target.inode, data, to + copied);
            } else {
                parts.coherency().applyOwn(target.inode, a, asked);
            }
            parts.coherency().kernelCache().invalidate(target.ino(), to, copied);
        } finally {
            target.inode.lock.unlock();
        }
    }

    /** Uses a file's handle on the server, which stays open meanwhile: openers may replace it. */
    private static long borrowing(OpenedInode file, InodeData.HandleUse<Long> use)
            throws FsException {
        ServerFile handle;
        file.inode.lock.lock();
        try {
            handle = file.data.borrowFile();
        } finally {
            file.inode.lock.unlock();
        }
        if (handle == null) {
            throw new FsException(FsError.EBADF, "no handle on the server");
        }
        return file.data.useBorrowed(handle, use);
    }
}
