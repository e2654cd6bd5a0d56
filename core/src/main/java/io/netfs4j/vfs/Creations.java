// SPDX-License-Identifier: Apache-2.0
package io.netfs4j.vfs;

import io.netfs4j.base.Completion;
import io.netfs4j.base.FsError;
import io.netfs4j.base.FsException;
import io.netfs4j.base.GuardedBy;
import io.netfs4j.base.Waits;
import io.netfs4j.engine.InodeData;
import io.netfs4j.request.Origin;
import io.netfs4j.server.Access;
import io.netfs4j.server.AttributeChange;
import io.netfs4j.server.Capability;
import io.netfs4j.server.FileType;
import io.netfs4j.server.OpenedFile;
import io.netfs4j.server.PathSource;
import io.netfs4j.server.ServerAttributes;

import org.jspecify.annotations.Nullable;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;

/**
 * Makes files on the server that applications were given already: pending files.
 *
 * <pre>
 *   create() returns                        the server has the file
 *      |------------- pending ------------------|--- as any other --->
 *      | queued | attempt | pause | attempt ... |
 * </pre>
 *
 * <p>A pending file is unsaved, whatever it holds: the engine begins each of its requests with an
 * attempt to make it, so that fsync, errors, pauses after a failure and unmounting are what they
 * are for data. Whatever else needs the server to have it (a rename, a link, a truncate) waits for
 * that by {@link #await}, outside the {@link NamesGate}, for the attempt passes the gate.
 *
 * <p><b>Limits</b>: {@link #IN_FLIGHT_MAX} attempts at once; {@link #PENDING_MAX} pending files.
 *
 * <p><b>Threads</b>: any; attempts are made on threads of their own.
 */
final class Creations {
    /** 64 attempts of 20 ms each are 3,200 files a second, more than most servers make. */
    private static final int IN_FLIGHT_MAX = 64;

    /** A file costs about a kilobyte until it is made: 8 MiB of them. */
    private static final int PENDING_MAX = 8192;

    private final VfsParts parts;

    /** Whose attempt has not begun. */
    @GuardedBy("table lock")
    private final ArrayDeque<Inode> queue = new ArrayDeque<>();

    @GuardedBy("table lock")
    private int inFlight;

    @GuardedBy("table lock")
    private int pending;

    Creations(VfsParts parts) {
        this.parts = parts;
    }

    /** Whether another file may be pending. */
    @GuardedBy("table lock")
    boolean hasRoom() {
        return pending < PENDING_MAX;
    }

    /** Enters a file that is to be made on the server. */
    @GuardedBy("table lock")
    void enter(Inode directory, String name, Inode inode) {
        pending++;
        parts.table().enterPending(directory, name, inode);
    }

    @GuardedBy("table lock")
    void settle(Inode inode, long serverFileId) {
        if (inode.pending) {
            pending--;
            parts.table().settlePending(inode, serverFileId);
        }
    }

    // ---- attempts -----------------------------------------------------------------------------

    /** Makes a file on the server, soon; its data hears how that ended. */
    void start(Inode inode) {
        parts.table().lock().lock();
        try {
            if (inFlight >= IN_FLIGHT_MAX) {
                queue.addLast(inode);
                return;
            }
            inFlight++;
        } finally {
            parts.table().lock().unlock();
        }
        parts.environment().scheduler().fork("netfs-create", () -> attempts(inode));
    }

    private void attempts(Inode first) {
        Inode inode = first;
        while (inode != null) {
            attempt(inode);
            parts.table().lock().lock();
            try {
                inode = queue.pollFirst();
                if (inode == null) {
                    inFlight--;
                }
            } finally {
                parts.table().lock().unlock();
            }
        }
    }

    private void attempt(Inode inode) {
        FsException failure = new FsException(FsError.EIO, "creating it broke off");
        try {
            parts.gate()
                    .<@Nullable Void>shared(() -> {
                        made(inode, makeOrTake(inode));
                        return null;
                    });
            failure = null;
        } catch (FsException e) {
            failure = e;
        } finally {
            if (failure != null) {
                failed(inode, failure);
            }
        }
    }

    private OpenedFile makeOrTake(Inode inode) throws FsException {
        PathSource source = parts.table().source(inode);
        int mode;
        inode.lock.lock();
        try {
            mode = inode.mode;
        } finally {
            inode.lock.unlock();
        }
        OpenedFile opened;
        try {
            opened = parts.server().create(source, mode);
        } catch (FsException e) {
            if (e.error() != FsError.EEXIST) {
                throw e;
            }
            return take(inode, parts.server().open(source, Access.READ_WRITE), e);
        }
        return withMode(opened, mode);
    }

    /**
     * The name stands for a file by now: one of an attempt whose answer was lost, or another
     * client's. It is ours when that changes nothing for whoever made it, or was asked for by
     * O_TRUNC; and while nothing was written here, it is what O_CREAT would have opened.
     */
    private OpenedFile take(Inode inode, OpenedFile there, FsException exists) throws FsException {
        ServerAttributes a = there.attributes();
        boolean untouched;
        inode.lock.lock();
        try {
            InodeData data = inode.data;
            untouched = data != null && data.sizeBytes() == 0 && data.pages().dirtyBytes() == 0;
        } finally {
            inode.lock.unlock();
        }
        boolean taken = false;
        try {
            if (a.type() == FileType.REGULAR && a.sizeBytes() > 0 && inode.truncates) {
                a = there.file().setAttributes(AttributeChange.size(0));
                taken = true;
            } else {
                taken = a.type() == FileType.REGULAR && (a.sizeBytes() == 0 || untouched);
            }
        } finally {
            if (!taken) {
                there.file().close();
            }
        }
        if (!taken) {
            throw exists;
        }
        return new OpenedFile(there.file(), a);
    }

    /**
     * The server's own mask took bits away: they are asked for again, where that is allowed.
     *
     * @throws FsException what the server said; the file is closed then
     */
    OpenedFile withMode(OpenedFile opened, int mode) throws FsException {
        if (!parts.server().capabilities().has(Capability.MODES)
                || opened.attributes().mode() == mode) {
            return opened;
        }
        try {
            return new OpenedFile(
                    opened.file(),
                    opened.file()
                            .setAttributes(
                                    new AttributeChange(mode, null, null, null, null, null)));
        } catch (FsException e) {
            if (e.error() == FsError.EPERM || e.error() == FsError.EACCES) {
                return opened;
            }
            opened.file().close();
            throw e;
        }
    }

    private void made(Inode inode, OpenedFile opened) {
        ServerAttributes a = opened.attributes();
        List<Inode> directories = new ArrayList<>(1);
        inode.lock.lock();
        try {
            InodeData data = inode.data;
            if (data == null) {
                throw new IllegalStateException("a pending file without data");
            }
            parts.table().lock().lock();
            try {
                inode.links.forEach(link -> directories.add(link.directory()));
                settle(inode, a.serverFileId());
            } finally {
                parts.table().lock().unlock();
            }
            boolean other = a.mode() != inode.mode || a.uid() != inode.uid || a.gid() != inode.gid;
            parts.coherency().applyOwn(inode, a, inode.ownerChanges);
            data.setFile(opened.file());
            data.endCreation(null);
            if (other || a.sizeBytes() > 0) {
                parts.coherency().kernelCache().invalidate(inode.ino, 0, -1);
            }
        } finally {
            inode.lock.unlock();
        }
        directories.forEach(directory -> parts.coherency().touch(directory, 0));
    }

    private void failed(Inode inode, FsException failure) {
        parts.table().lock().lock();
        try {
            // The next file there is made on the server first, so that its maker hears of it.
            inode.links.forEach(link -> link.directory().owners = null);
        } finally {
            parts.table().lock().unlock();
        }
        inode.lock.lock();
        try {
            InodeData data = inode.data;
            if (data != null) {
                data.endCreation(failure);
            }
        } finally {
            inode.lock.unlock();
        }
    }

    // ---- waiting ------------------------------------------------------------------------------

    /**
     * Waits until the server has a file, with an attempt at once where the last one failed. Call
     * with no lock held and not within the gate.
     *
     * @throws FsException why it has not; EINTR
     */
    void await(@Nullable Inode inode) throws FsException {
        if (inode == null) {
            return;
        }
        Completion<@Nullable Void> attempt;
        inode.lock.lock();
        try {
            InodeData data = inode.data;
            attempt = data == null ? null : data.creation();
            FsException never = data == null ? null : data.creationFailure();
            if (never != null) {
                throw never.copy();
            }
            if (data == null || attempt == null) {
                return;
            }
            parts.engine().writeback(data, Origin.WRITEBACK);
        } finally {
            inode.lock.unlock();
        }
        Waits waits = parts.environment().waits();
        waits.await(attempt);
    }

    /** As {@link #await}, for every file in a directory. */
    void awaitAll(Inode directory) throws FsException {
        List<Inode> files = new ArrayList<>();
        parts.table().lock().lock();
        try {
            if (directory.pendingChildren > 0) {
                directory.children().values().stream().filter(c -> c.pending).forEach(files::add);
            }
        } finally {
            parts.table().lock().unlock();
        }
        for (Inode file : files) {
            await(file);
        }
    }

    /**
     * Gives up a file that the server would not make and whose name is taken away.
     *
     * @return whether that was done; else the server has it, or is being asked
     */
    boolean giveUp(Inode directory, String name, Inode inode) {
        inode.lock.lock();
        try {
            InodeData data = inode.data;
            boolean open;
            if (data == null || data.creation() == null || data.isBeingCreated()) {
                return false;
            }
            parts.table().lock().lock();
            try {
                settle(inode, 0);
                inode.removedHere = true;
                inode.lookups++;
                parts.table().unlink(directory, name);
                inode.lookups--;
                open = inode.openCount > 0;
            } finally {
                parts.table().lock().unlock();
            }
            if (open) {
                data.giveUpCreation();
            } else {
                parts.engine().discard(data);
            }
            inode.linkCount = 0;
            return true;
        } finally {
            inode.lock.unlock();
        }
    }

    /** Whether a name stands for a file that the server has not got yet. */
    boolean isPending(Inode directory, String name) {
        parts.table().lock().lock();
        try {
            Inode child = directory.children == null ? null : directory.children.get(name);
            return child != null && child.pending;
        } finally {
            parts.table().lock().unlock();
        }
    }
}
