// SPDX-License-Identifier: Apache-2.0
package io.netfs4j.vfs;

import io.netfs4j.base.Completion;
import io.netfs4j.base.FsError;
import io.netfs4j.base.FsException;
import io.netfs4j.base.GuardedBy;
import io.netfs4j.engine.BackEnd;
import io.netfs4j.engine.InodeData;
import io.netfs4j.request.Origin;
import io.netfs4j.server.Access;
import io.netfs4j.server.AttributeChange;
import io.netfs4j.server.Capability;
import io.netfs4j.server.FileType;
import io.netfs4j.server.OpenedFile;
import io.netfs4j.server.PathSource;
import io.netfs4j.server.RemotePath;
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

    /** After a lost connection that a soft mount did not wait for, in nanoseconds. */
    private static final long PAUSE_NANOS = 1_000_000_000L;

    private final VfsParts parts;
    private final Conflicts conflicts;
    private final SoftWaits soft;

    /** Whose attempt has not begun. */
    @GuardedBy("table lock")
    private final ArrayDeque<Inode> queue = new ArrayDeque<>();

    @GuardedBy("table lock")
    private int inFlight;

    @GuardedBy("table lock")
    private int pending;

    Creations(VfsParts parts) {
        this.parts = parts;
        this.conflicts = new Conflicts(parts, this);
        this.soft = new SoftWaits(parts.environment(), parts.options().softTimeoutNanos());
    }

    Conflicts conflicts() {
        return conflicts;
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

    /** Enters one that was another file before, and perhaps pending; returns its old names. */
    @GuardedBy("table lock")
    List<Inode.Link> enterAgain(Inode directory, String name, Inode inode) {
        pending += inode.pending ? 0 : 1;
        return parts.table().becomePending(inode, directory, name);
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
            boolean ended = false;
            try {
                attempt(inode);
                ended = true;
            } finally {
                // What breaks off for a reason that nobody foresaw must not hold up the others.
                inode = next();
                if (!ended && inode != null) {
                    Inode another = inode;
                    parts.environment().scheduler().fork("netfs-create", () -> attempts(another));
                }
            }
        }
    }

    private @Nullable Inode next() {
        parts.table().lock().lock();
        try {
            Inode next = queue.pollFirst();
            if (next == null) {
                inFlight--;
            }
            return next;
        } finally {
            parts.table().lock().unlock();
        }
    }

    private void attempt(Inode inode) {
        FsException failure = new FsException(FsError.EIO, "creating it broke off");
        try {
            boolean ours = parts.gate().shared(() -> isMade(inode));
            failure = ours ? null : conflicts.moved(inode);
        } catch (FsException e) {
            failure = e;
        } finally {
            if (failure != null && failure.error() == FsError.ETIMEDOUT) {
                // A lost connection refuses nothing, also where others do not wait for it.
                parts.environment().scheduler().schedule(() -> start(inode), PAUSE_NANOS);
            } else if (failure != null) {
                failed(inode, failure);
            }
        }
    }

    /** Returns false when another client's file is there, in whose place ours is not to be. */
    private boolean isMade(Inode inode) throws FsException {
        OpenedFile opened;
        try {
            opened = makeOrTake(inode);
        } catch (FsException e) {
            boolean gone = e.error() == FsError.ENOENT && isThere(inode);
            if (gone && conflicts.areLookedFor()) {
                return false;
            }
            throw e;
        }
        return made(inode, opened);
    }

    private static boolean isThere(Inode inode) {
        inode.lock.lock();
        try {
            return inode.isThere;
        } finally {
            inode.lock.unlock();
        }
    }

    private OpenedFile makeOrTake(Inode inode) throws FsException {
        PathSource source = parts.table().source(inode);
        int mode;
        boolean isThere;
        long size;
        inode.lock.lock();
        try {
            mode = inode.mode;
            isThere = inode.isThere;
            size = inode.truncatingTo;
        } finally {
            inode.lock.unlock();
        }
        if (isThere) {
            return openAgain(source, size);
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

    /** Of a file that was found in the journal: an earlier mount had it open. */
    private OpenedFile openAgain(PathSource source, long size) throws FsException {
        OpenedFile opened = parts.server().open(source, Access.READ_WRITE);
        if (size < 0) {
            return opened;
        }
        boolean done = false;
        try {
            AttributeChange change = AttributeChange.size(size);
            opened = new OpenedFile(opened.file(), opened.file().setAttributes(change));
            done = true;
        } finally {
            if (!done) {
                BackEnd.close(opened.file());
            }
        }
        return opened;
    }

    /**
     * The name stands for a file by now: one of an attempt whose answer was lost, or another
     * client's. O_TRUNC empties it, as it would have; whether what is in it may be ours is for
     * {@link #made} to say, which knows what was written here.
     */
    private OpenedFile take(Inode inode, OpenedFile there, FsException exists) throws FsException {
        ServerAttributes a = there.attributes();
        boolean taken = false;
        try {
            if (a.type() == FileType.REGULAR && a.sizeBytes() > 0 && inode.truncates) {
                a = there.file().setAttributes(AttributeChange.size(0));
            }
            taken = a.type() == FileType.REGULAR;
        } finally {
            if (!taken) {
                BackEnd.close(there.file());
            }
        }
        if (!taken) {
            throw exists;
        }
        return new OpenedFile(there.file(), a);
    }

    /**
     * The server's own mask took bits away: they are asked for again. Where that fails the file is
     * there all the same, and which bits it has is told by its attributes.
     */
    OpenedFile withMode(OpenedFile opened, int mode) {
        if (!parts.server().capabilities().has(Capability.MODES)
                || opened.attributes().mode() == mode) {
            return opened;
        }
        try {
            AttributeChange change = new AttributeChange(mode, null, null, null, null, null);
            return new OpenedFile(opened.file(), opened.file().setAttributes(change));
        } catch (FsException e) {
            return opened;
        }
    }

    private boolean made(Inode inode, OpenedFile opened) throws FsException {
        ServerAttributes a = opened.attributes();
        // Before anybody who waits for the file can go on, and set the directory's times.
        directories(inode).forEach(directory -> parts.coherency().touch(directory, 0));
        boolean other;
        inode.lock.lock();
        try {
            InodeData data = dataOf(inode);
            boolean written = data.sizeBytes() > 0 || data.pages().dirtyBytes() > 0;
            boolean taken = !inode.isThere && a.sizeBytes() > 0 && written;
            boolean moved = inode.isThere && !conflicts.isBase(data, a);
            if ((taken && conflicts.areLookedFor()) || moved) {
                BackEnd.close(opened.file());
                return false;
            }
            if (taken) {
                BackEnd.close(opened.file());
                throw new FsException(
                        FsError.EEXIST, "another client made " + data.listener().name());
            }
            other = a.mode() != inode.mode || a.uid() != inode.uid || a.gid() != inode.gid;
            parts.coherency().applyOwn(inode, a, inode.ownerChanges);
            if (inode.isThere && a.sizeBytes() > data.sizeBytes()) {
                data.setSizeBytes(a.sizeBytes()); // Somebody has made it longer meanwhile.
                inode.sizeBytes = a.sizeBytes();
            }
            inode.isThere = true;
            inode.truncatingTo = -1;
            data.setSending(true);
            data.describe();
        } finally {
            inode.lock.unlock();
        }
        // Nothing is sent before the journal knows that what the server has is ours.
        parts.journalling().awaitIfWorking(inode.data);
        inode.lock.lock();
        try {
            InodeData data = dataOf(inode);
            parts.table().lock().lock();
            try {
                settle(inode, a.serverFileId());
            } finally {
                parts.table().lock().unlock();
            }
            data.setFile(opened.file());
            data.endCreation(null);
            if (other || a.sizeBytes() > 0) {
                parts.coherency().kernelCache().invalidate(inode.ino, 0, -1);
            }
        } finally {
            inode.lock.unlock();
        }
        return true;
    }

    @GuardedBy("inode lock")
    private static InodeData dataOf(Inode inode) {
        InodeData data = inode.data;
        if (data == null) {
            throw new IllegalStateException("a pending file without data");
        }
        return data;
    }

    private List<Inode> directories(Inode inode) {
        parts.table().lock().lock();
        try {
            return inode.links.stream().map(Inode.Link::directory).toList();
        } finally {
            parts.table().lock().unlock();
        }
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
            if (!data.isBeingCreated()) {
                parts.engine().writeback(data, Origin.WRITEBACK);
            }
        } finally {
            inode.lock.unlock();
        }
        soft.await(attempt);
    }

    /**
     * Waits until what is set on a file will stay: until the server has it, or no attempt is under
     * way in a directory, for each moves the directory's times and needs its permission bits.
     */
    void settled(Inode inode) throws FsException {
        if (!inode.isDirectory()) {
            await(inode);
            return;
        }
        for (Inode file : pendingIn(inode)) {
            try {
                await(file);
            } catch (FsException e) {
                if (e.error() == FsError.EINTR || e.error() == FsError.ETIMEDOUT) {
                    throw e;
                }
            }
        }
    }

    /** As {@link #await}, for every file in a directory. */
    void awaitAll(Inode directory) throws FsException {
        for (Inode file : pendingIn(directory)) {
            try {
                await(file);
            } catch (FsException e) {
                if (e.error() == FsError.EINTR || isStillPending(file)) {
                    throw e;
                }
            }
        }
    }

    private List<Inode> pendingIn(Inode directory) {
        List<Inode> files = new ArrayList<>();
        parts.table().lock().lock();
        try {
            if (directory.pendingChildren > 0) {
                directory.children().values().stream().filter(c -> c.pending).forEach(files::add);
            }
        } finally {
            parts.table().lock().unlock();
        }
        return files;
    }

    private boolean isStillPending(Inode file) {
        parts.table().lock().lock();
        try {
            return file.pending;
        } finally {
            parts.table().lock().unlock();
        }
    }

    /**
     * Gives up a file that the server would not make and whose name is taken away. What is dirty
     * stays, for those who have it open.
     *
     * @param refusal what the server said
     * @return whether that was done; else the server has it, or is being asked
     * @throws FsException why what an attempt may have left on the server cannot be removed
     */
    boolean giveUp(Inode directory, String name, Inode inode, FsException refusal)
            throws FsException {
        if (refusal.error() == FsError.ETIMEDOUT) {
            return false;
        }
        InodeData data;
        inode.lock.lock();
        try {
            data = inode.data;
            if (data == null || !data.holdCreation()) {
                return false;
            }
        } finally {
            inode.lock.unlock();
        }
        try {
            if (refusal.error() != FsError.EEXIST) {
                removeLeftOver(directory, name);
            }
            giveUp(inode, data);
            return true;
        } finally {
            inode.lock.lock();
            try {
                data.releaseCreation();
            } finally {
                inode.lock.unlock();
            }
        }
    }

    private void giveUp(Inode inode, InodeData data) {
        inode.lock.lock();
        try {
            boolean open;
            parts.table().lock().lock();
            try {
                open = inode.openCount > 0;
                // Its caller lets it go; until then it is needed.
                inode.lookups++;
            } finally {
                parts.table().lock().unlock();
            }
            if (open) {
                data.giveUpCreation();
            } else {
                parts.engine().discard(data);
            }
            inode.linkCount = 0;
            parts.table().lock().lock();
            try {
                inode.lookups--;
            } finally {
                parts.table().lock().unlock();
            }
        } finally {
            inode.lock.unlock();
        }
    }

    /**
     * An attempt may have made the file and failed afterwards, or its answer was lost: that file is
     * empty. One that is not is somebody else's.
     */
    private void removeLeftOver(Inode directory, String name) throws FsException {
        parts.gate()
                .<@Nullable Void>shared(() -> {
                    RemotePath path = parts.table().path(directory).child(name);
                    try {
                        ServerAttributes there = parts.server().stat(path);
                        if (there.type() == FileType.REGULAR && there.sizeBytes() == 0) {
                            parts.server().remove(path);
                        }
                    } catch (FsException e) {
                        if (e.error() != FsError.ENOENT) {
                            throw e;
                        }
                    }
                    return null;
                });
    }

    /** The server will not get a file: its name goes. Called with the inode's lock held. */
    void forget(Inode inode) {
        parts.table().lock().lock();
        try {
            if (!inode.pending) {
                return;
            }
            settle(inode, 0);
            for (Inode.Link link : List.copyOf(inode.links)) {
                parts.table().unlink(link.directory(), link.name());
            }
            inode.removedHere = true;
        } finally {
            parts.table().lock().unlock();
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
