// SPDX-License-Identifier: Apache-2.0
package io.netfs4j.vfs;

import io.netfs4j.base.FsError;
import io.netfs4j.base.FsException;
import io.netfs4j.engine.InodeData;
import io.netfs4j.server.AttributeChange;
import io.netfs4j.server.ServerAttributes;

import java.util.EnumSet;
import java.util.Set;

/** Truncating and growing files, and what is known of their size when that fails. */
final class SizeOperations {
    /** What a server answers that has changed nothing. */
    private static final Set<FsError> NOT_DONE =
            EnumSet.of(
                    FsError.EACCES,
                    FsError.EPERM,
                    FsError.EROFS,
                    FsError.EFBIG,
                    FsError.EINVAL,
                    FsError.EISDIR,
                    FsError.ENOENT,
                    FsError.ENOTSUP,
                    FsError.ENOSYS);

    private final VfsParts parts;
    private final OpenOperations opens;

    SizeOperations(VfsParts parts, OpenOperations opens) {
        this.parts = parts;
        this.opens = opens;
    }

    /**
     * Sets a file's size on the server and here, with no upload of the file under way: nothing from
     * before that lies past the new size can reach the server afterwards.
     */
    void truncate(Inode inode, long size) throws FsException {
        resize(inode, size, false);
    }

    /** Makes a file at least so long; what others write behind that meanwhile stays. */
    void extend(Inode inode, long size) throws FsException {
        resize(inode, size, true);
    }

    private void resize(Inode inode, long wanted, boolean onlyGrows) throws FsException {
        if (wanted < 0) {
            throw new FsException(FsError.EINVAL, "size " + wanted);
        }
        InodeData data;
        inode.lock.lock();
        try {
            data = opens.dataOf(inode);
        } finally {
            inode.lock.unlock();
        }
        opens.exclusively(
                inode,
                data,
                () -> {
                    long asked = OpenOperations.ownerChanges(inode);
                    if (onlyGrows && isAsLong(inode, data, wanted)) {
                        return;
                    }
                    long size = onlyGrows ? atLeastShown(inode, data, wanted) : wanted;
                    ServerAttributes a;
                    try {
                        cutUnknown(inode, data, size);
                        a = opens.change(inode, data, AttributeChange.size(size));
                    } catch (FsException e) {
                        if (!NOT_DONE.contains(e.error())) {
                            doubt(inode, data, size); // It may be done all the same.
                        }
                        throw e;
                    }
                    inode.lock.lock();
                    try {
                        data.trustSize();
                        data.uncache(Math.min(size, data.remoteSizeBytes()), Long.MAX_VALUE);
                        if (onlyGrows) {
                            data.setSizeBytes(Math.max(size, data.sizeBytes()));
                        } else {
                            data.pages().truncate(size);
                            data.setSizeBytes(size);
                        }
                        inode.sizeBytes = data.sizeBytes();
                        parts.coherency().applyOwn(inode, a, asked);
                        if (data.pages().dirtyBytes() == 0) {
                            inode.modified = a.modified();
                            data.setPendingTimes(data.pendingTimes().withoutModified());
                        } else {
                            // What is dirty moves the time again when it is sent.
                            inode.modified = parts.coherency().now();
                            data.setPendingTimes(data.pendingTimes().written(inode.modified));
                        }
                        parts.engine().flusher().onDropped(data);
                        inode.changed = parts.coherency().now();
                    } finally {
                        inode.lock.unlock();
                    }
                });
    }

    /**
     * Which version the server has is not known, nor how long that is: whoever has the file open,
     * or opens it next, asks for it.
     *
     * @param end what it has may reach up to there: reads ask for it, rather than show zeros
     */
    void doubt(Inode inode, InodeData data, long end) {
        inode.lock.lock();
        try {
            if (data.file() != null) {
                data.doubtSize();
                parts.engine().flusher().onDropped(data);
            }
            data.setRemoteSizeBytes(Math.max(data.remoteSizeBytes(), end));
            data.invalidate();
            data.setToken(null);
            inode.changes++;
            inode.fetchedNanos = Long.MIN_VALUE;
            parts.coherency().kernelCache().invalidate(inode.ino, 0, -1);
        } finally {
            inode.lock.unlock();
        }
    }

    /** Where the server's file may be longer than is known, growing it must not show that. */
    private void cutUnknown(Inode inode, InodeData data, long size) throws FsException {
        long known;
        inode.lock.lock();
        try {
            known = data.isSizeInDoubt() ? data.sizeBytes() : Long.MAX_VALUE;
        } finally {
            inode.lock.unlock();
        }
        if (known < size) {
            opens.change(inode, data, AttributeChange.size(known));
        }
    }

    /** Whether the server need do nothing for a file to be at least so long. */
    private static boolean isAsLong(Inode inode, InodeData data, long size) {
        inode.lock.lock();
        try {
            if (data.isSizeInDoubt() || data.remoteSizeBytes() < size) {
                return false;
            }
            data.setSizeBytes(Math.max(size, data.sizeBytes()));
            inode.sizeBytes = data.sizeBytes();
            return true;
        } finally {
            inode.lock.unlock();
        }
    }

    /** In doubt the server's file may be shorter than what is shown of it, too. */
    private static long atLeastShown(Inode inode, InodeData data, long size) {
        inode.lock.lock();
        try {
            return data.isSizeInDoubt() ? Math.max(size, data.sizeBytes()) : size;
        } finally {
            inode.lock.unlock();
        }
    }
}
