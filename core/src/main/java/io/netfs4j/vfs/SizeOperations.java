// SPDX-License-Identifier: Apache-2.0
package io.netfs4j.vfs;

import io.netfs4j.base.Completion;
import io.netfs4j.base.FsError;
import io.netfs4j.base.FsException;
import io.netfs4j.base.GuardedBy;
import io.netfs4j.engine.BackEnd;
import io.netfs4j.engine.InodeData;
import io.netfs4j.server.AttributeChange;
import io.netfs4j.server.ServerAttributes;
import io.netfs4j.server.ServerFile;

import org.jspecify.annotations.Nullable;

import java.util.List;

/** Truncating and growing files, and what is known of their size when that fails. */
final class SizeOperations {
    private final VfsParts parts;
    private final OpenOperations opens;
    private final Creations creations;

    SizeOperations(VfsParts parts, OpenOperations opens, Creations creations) {
        this.parts = parts;
        this.opens = opens;
        this.creations = creations;
    }

    /** Runs something that changes the server's file while no upload of it is under way. */
    <T> T exclusively(Inode inode, InodeData data, Change<T> change) throws FsException {
        while (true) {
            // Before, for what makes the file on the server needs the write-back lock.
            creations.await(inode);
            Object owner = new Object();
            Completion<@Nullable Void> turn;
            inode.lock.lock();
            try {
                turn = parts.engine().acquire(data, owner);
            } finally {
                inode.lock.unlock();
            }
            try {
                parts.environment().waits().await(turn);
                if (isCutPaid(inode, data)) {
                    return change.run();
                }
            } finally {
                inode.lock.lock();
                try {
                    data.writebackLock().release(owner);
                } finally {
                    inode.lock.unlock();
                }
            }
        }
    }

    /** What {@link #exclusively} runs. */
    interface Change<T> {
        T run() throws FsException;
    }

    /**
     * Sets a file's size on the server and here, with no upload of the file under way: nothing from
     * before that lies past the new size can reach the server afterwards.
     */
    void truncate(Inode inode, long size) throws FsException {
        resize(inode, new Resize(size, false, false));
    }

    /** Empties a file that is being opened: whoever does so does not go by what was in it. */
    void empty(Inode inode) throws FsException {
        resize(inode, new Resize(0, false, true));
    }

    /** Makes a file at least so long; what others write behind that meanwhile stays. */
    void extend(Inode inode, long size) throws FsException {
        resize(inode, new Resize(size, true, false));
    }

    /**
     * What is wanted.
     *
     * @param opening whether nobody goes by what he has seen of the file
     */
    private record Resize(long wanted, boolean onlyGrows, boolean opening) {}

    private void resize(Inode inode, Resize resize) throws FsException {
        if (resize.wanted() < 0) {
            throw new FsException(FsError.EINVAL, "size " + resize.wanted());
        }
        InodeData data;
        inode.lock.lock();
        try {
            data = opens.dataOf(inode);
        } finally {
            inode.lock.unlock();
        }
        boolean done = !resize.onlyGrows() && isCutLater(inode, data, resize.wanted());
        while (!done) {
            done = exclusively(inode, data, () -> isSet(inode, data, resize));
        }
        parts.journalling().awaitIfWorking(data);
    }

    /**
     * Cuts a file here, and leaves it to its next upload to have the server cut it before anything
     * else of it is sent: that goes by what the server's version is then.
     *
     * @return whether it may be done so, and was
     */
    private boolean isCutLater(Inode inode, InodeData data, long size) {
        inode.lock.lock();
        try {
            if (!mayCutLater(inode, data, size)) {
                return false;
            }
            // Whoever finds but a part of this in the journal does all of it.
            inode.truncatingTo = size;
            parts.journalling().created(data);
            uncache(data, size);
            data.truncate(size);
            // What another client makes of that name meanwhile is not what was cut.
            boolean isMade = data.creation() == null || data.sizeBytes() == size;
            boolean isAsLong = data.remoteSizeBytes() == size && isMade && !data.isSending();
            if (data.owedSize().isOwed() || !isAsLong) {
                data.owedSize().set(size);
                data.setRemoteSizeBytes(data.remoteSizeBytes());
            }
            inode.resized();
            show(inode, data, size);
            inode.modified = parts.coherency().now();
            inode.changed = inode.modified;
            data.setPendingAttributes(data.pendingAttributes().written(inode.modified));
            data.describe();
            inode.changes++;
            inode.fetchedNanos = Long.MIN_VALUE;
            parts.engine().flusher().onDirtied(data);
            return true;
        } finally {
            inode.lock.unlock();
        }
    }

    /** Whether the journal keeps it, the server lets us write to it, and nothing is under way. */
    @GuardedBy("inode lock")
    private boolean mayCutLater(Inode inode, InodeData data, long size) {
        VfsOptions options = parts.options();
        if (!options.metadataWriteback()
                || options.syncWrites()
                || parts.journalling().isBroken()
                || size > data.sizeBytes()
                || !data.owedSize().mayBe(size)
                || data.isSizeInDoubt()
                || data.isCut()
                || inode.truncatingTo >= 0
                || inode.growingTo >= 0) {
            return false;
        }
        parts.table().lock().lock();
        try {
            if (inode.links.isEmpty() || inode.hidden) {
                return false;
            }
        } finally {
            parts.table().lock().unlock();
        }
        if (data.creation() != null) {
            return true; // Before anything is sent it is made, or opened again.
        }
        ServerFile handle = data.file();
        return handle != null && BackEnd.isWritable(handle) && parts.engine().mayBeCut(data);
    }

    /**
     * Has the server cut a file that was cut here, and is to be changed now.
     *
     * @return false when it became another file, which the server has not got
     */
    private boolean isCutPaid(Inode inode, InodeData data) throws FsException {
        long size;
        long asked;
        inode.lock.lock();
        try {
            if (!data.owedSize().isOwed()) {
                return true;
            }
            size = data.owedSize().bytes();
            asked = inode.ownerChanges;
        } finally {
            inode.lock.unlock();
        }
        if (!creations.conflicts().mayResize(inode, data, false)) {
            return false;
        }
        parts.journalling().before(inode, () -> data.setSending(true));
        ServerAttributes a = onServer(inode, data, List.of(size));
        inode.lock.lock();
        try {
            resized(data);
            uncache(data, size);
            data.owedSize().settle();
            parts.coherency().applyOwn(inode, a, asked);
            data.describe();
        } finally {
            inode.lock.unlock();
        }
        // What lands past the journal now is not to be cut off after a loss of power.
        parts.journalling().awaitForcedIfWorking(data);
        return true;
    }

    /** Returns false when it became another file, of which the same is to be asked. */
    private boolean isSet(Inode inode, InodeData data, Resize resize) throws FsException {
        long wanted = resize.wanted();
        boolean onlyGrows = resize.onlyGrows();
        long asked;
        List<Long> steps;
        inode.lock.lock();
        try {
            asked = inode.ownerChanges;
            steps = steps(data, wanted, onlyGrows);
            if (steps.isEmpty()) {
                show(inode, data, Math.max(wanted, data.sizeBytes()));
                data.describe();
                return true;
            }
        } finally {
            inode.lock.unlock();
        }
        if (!creations.conflicts().mayResize(inode, data, resize.opening())) {
            return false;
        }
        long size = steps.getLast();
        parts.journalling()
                .before(
                        inode,
                        () -> {
                            data.setSending(true);
                            inode.truncatingTo = onlyGrows ? -1 : size;
                            inode.growingTo = onlyGrows ? size : -1;
                        });
        ServerAttributes a = onServer(inode, data, steps);
        inode.lock.lock();
        try {
            data.trustSize();
            resized(data);
            uncache(data, size);
            if (!onlyGrows) {
                data.truncate(size);
            }
            inode.resized();
            show(inode, data, onlyGrows ? Math.max(size, data.sizeBytes()) : size);
            parts.coherency().applyOwn(inode, a, asked);
            data.setSending(false);
            if (data.pages().dirtyBytes() == 0) {
                inode.modified = a.modified();
                data.setPendingAttributes(data.pendingAttributes().withoutModified());
            } else {
                // What is dirty moves the time again when it is sent.
                inode.modified = parts.coherency().now();
                data.setPendingAttributes(data.pendingAttributes().written(inode.modified));
            }
            data.describe();
            parts.engine().flusher().onDropped(data);
            inode.changed = parts.coherency().now();
        } finally {
            inode.lock.unlock();
        }
        return true;
    }

    @GuardedBy("inode lock")
    private static void resized(InodeData data) {
        data.setResizing(false);
        data.syncing().need();
    }

    @GuardedBy("inode lock")
    private static void uncache(InodeData data, long size) {
        data.uncache(Math.min(size, data.remoteSizeBytes()), Long.MAX_VALUE);
    }

    /** Which sizes the server is to set, one after the other; none where it need do nothing. */
    @GuardedBy("inode lock")
    private static List<Long> steps(InodeData data, long wanted, boolean onlyGrows) {
        if (!data.isSizeInDoubt()) {
            boolean isAsLong = onlyGrows && data.remoteSizeBytes() >= wanted;
            return isAsLong ? List.of() : List.of(wanted);
        }
        // The server's file may be shorter than what is shown of it; or longer, and growing it must
        // not show what it has there.
        long shown = data.sizeBytes();
        long size = onlyGrows ? Math.max(wanted, shown) : wanted;
        return shown < size ? List.of(shown, size) : List.of(size);
    }

    @GuardedBy("inode lock")
    private static void show(Inode inode, InodeData data, long size) {
        data.setSizeBytes(size);
        inode.sizeBytes = size;
    }

    private ServerAttributes onServer(Inode inode, InodeData data, List<Long> steps)
            throws FsException {
        inode.lock.lock();
        try {
            data.setResizing(true);
        } finally {
            inode.lock.unlock();
        }
        try {
            for (long size : steps.subList(0, steps.size() - 1)) {
                parts.change(inode, data, AttributeChange.size(size));
            }
            return parts.change(inode, data, AttributeChange.size(steps.getLast()));
        } catch (FsException e) {
            // Whatever the answer: a back end that asked twice tells of the second time.
            doubt(inode, data, steps.getLast());
            throw e;
        }
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
            inode.resized();
            data.setResizing(false);
            if (data.file() != null) {
                data.doubtSize();
                data.syncing().need();
                parts.engine().flusher().onDropped(data);
            }
            data.setRemoteSizeBytes(Math.max(data.remoteSizeBytes(), end));
            data.invalidate();
            data.setToken(null);
            data.describe();
            inode.changes++;
            inode.fetchedNanos = Long.MIN_VALUE;
            parts.coherency().kernelCache().invalidate(inode.ino, 0, -1);
        } finally {
            inode.lock.unlock();
        }
    }
}
