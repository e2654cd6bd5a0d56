// SPDX-License-Identifier: Apache-2.0
package io.netfs4j.vfs;

import io.netfs4j.base.Completion;
import io.netfs4j.base.FsError;
import io.netfs4j.base.FsException;
import io.netfs4j.base.GuardedBy;
import io.netfs4j.engine.InodeData;
import io.netfs4j.request.Origin;
import io.netfs4j.server.FileType;
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
    private final UploadLocks locks;
    private final Conflicts conflicts;
    private final CreationAttempt attempt;
    private final PathAttributes paths;
    private final SoftWaits soft;

    /** Attempts that have not begun. */
    @GuardedBy("table lock")
    private final ArrayDeque<Runnable> queue = new ArrayDeque<>();

    @GuardedBy("table lock")
    private int inFlight;

    @GuardedBy("table lock")
    private int pending;

    Creations(VfsParts parts) {
        this.parts = parts;
        this.locks = new UploadLocks(parts);
        this.conflicts = new Conflicts(parts, this, locks);
        this.attempt = new CreationAttempt(parts, this, conflicts);
        this.paths = new PathAttributes(parts, this);
        this.soft = new SoftWaits(parts.environment(), parts.options().softTimeoutNanos());
    }

    Conflicts conflicts() {
        return conflicts;
    }

    UploadLocks locks() {
        return locks;
    }

    CreationAttempt attempt() {
        return attempt;
    }

    PathAttributes paths() {
        return paths;
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
        start(() -> attempt(inode));
    }

    /** Asks the server for something, soon, as one of so many at once. */
    void start(Runnable attempt) {
        parts.table().lock().lock();
        try {
            if (inFlight >= IN_FLIGHT_MAX) {
                queue.addLast(attempt);
                return;
            }
            inFlight++;
        } finally {
            parts.table().lock().unlock();
        }
        parts.environment().scheduler().fork("netfs-create", () -> attempts(attempt));
    }

    private void attempts(Runnable first) {
        Runnable attempt = first;
        while (attempt != null) {
            boolean ended = false;
            try {
                attempt.run();
                ended = true;
            } finally {
                // What breaks off for a reason that nobody foresaw must not hold up the others.
                attempt = next();
                if (!ended && attempt != null) {
                    Runnable another = attempt;
                    parts.environment().scheduler().fork("netfs-create", () -> attempts(another));
                }
            }
        }
    }

    private @Nullable Runnable next() {
        parts.table().lock().lock();
        try {
            Runnable next = queue.pollFirst();
            if (next == null) {
                inFlight--;
            }
            return next;
        } finally {
            parts.table().lock().unlock();
        }
    }

    private void attempt(Inode inode) {
        if (waitsForDirectory(inode)) {
            return;
        }
        FsException failure = new FsException(FsError.EIO, "creating it broke off");
        try {
            conflicts.beforeOpening(inode);
            boolean ours = parts.gate().shared(() -> attempt.isMade(inode));
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

    /** What is in a directory is made after it; whether the server has not got that yet. */
    private boolean waitsForDirectory(Inode inode) {
        Inode directory = pendingDirectory(inode);
        if (directory == null) {
            return false;
        }
        Completion<@Nullable Void> made;
        directory.lock.lock();
        try {
            InodeData data = directory.data;
            made = data == null ? null : parts.engine().making(data);
        } finally {
            directory.lock.unlock();
        }
        if (made == null) {
            return false;
        }
        made.whenDone((value, failure) ->
                parts.environment()
                        .scheduler()
                        .execute(() -> {
                            if (failure == null) {
                                start(inode);
                            } else {
                                failed(inode, failure.copy());
                            }
                        }));
        return true;
    }

    private @Nullable Inode pendingDirectory(Inode inode) {
        parts.table().lock().lock();
        try {
            Inode directory = inode.links.isEmpty() ? null : inode.links.get(0).directory();
            return directory != null && directory.pending ? directory : null;
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
            FsException never = data == null ? null : data.creationFailure();
            if (never != null) {
                throw never.copy();
            }
            attempt = data == null ? null : parts.engine().making(data);
        } finally {
            inode.lock.unlock();
        }
        if (attempt != null) {
            soft.await(attempt);
        }
    }

    /**
     * Waits until what is set on a file will stay: until the server has it, or no attempt is under
     * way in a directory, for each moves the directory's times and needs its permission bits.
     */
    void settled(Inode inode) throws FsException {
        await(inode);
        if (!inode.isDirectory()) {
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

    /**
     * Waits until the server has what was set on something that has no handle: a directory, a
     * symbolic link.
     *
     * @param owners whether it is to be given away next: also until it has what was set on a file,
     *     which may have been given to somebody else before
     */
    void sent(Inode inode, boolean owners) throws FsException {
        Completion<@Nullable Void> sent;
        inode.lock.lock();
        try {
            InodeData data = inode.data;
            boolean file = inode.type == FileType.REGULAR;
            if (data == null || (file && !(owners && data.owesAttributes()))) {
                return;
            }
            sent = parts.engine().writeback(data, Origin.SYNC);
        } finally {
            inode.lock.unlock();
        }
        soft.await(sent);
    }

    /** Waits until the server has a directory, where what is in it is not known whole. */
    void awaitUnlisted(Inode directory) throws FsException {
        boolean unknown;
        parts.table().lock().lock();
        try {
            unknown = directory.pending && directory.listing == null;
        } finally {
            parts.table().lock().unlock();
        }
        if (unknown) {
            await(directory);
        }
    }

    /** As {@link #await}, for a directory and everything in it. */
    void awaitAll(Inode directory) throws FsException {
        await(directory);
        for (Inode file : pendingIn(directory)) {
            try {
                await(file);
            } catch (FsException e) {
                if (e.error() == FsError.EINTR || isPending(file)) {
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

    /**
     * Gives up a file that the server would not make, or not open again, and whose name is taken
     * away. What is dirty stays, for those who have it open.
     *
     * @param refusal what the server said
     * @return whether that was done; else the server has it, or is being asked
     * @throws FsException why what the server has under that name cannot be removed
     */
    boolean giveUp(Inode directory, String name, Inode inode, FsException refusal)
            throws FsException {
        InodeData data = hold(inode);
        if (data == null) {
            return false;
        }
        try {
            if (isThere(inode)) {
                removeFound(directory, name, inode, data);
                return true;
            }
            if (refusal.error() != FsError.EEXIST) {
                parts.gate()
                        .<@Nullable Void>shared(() -> {
                            removeLeftOver(directory, name, inode);
                            return null;
                        });
            }
            giveUp(inode, data);
            // Else a crash would bring it back, and only the journal knew that it was to be made.
            parts.journalling().awaitSaid(false);
            return true;
        } finally {
            release(data);
        }
    }

    /**
     * Keeps a file that the server has refused from being made, until {@link #release}: it may be
     * about to be given up.
     *
     * @return null when the server has it, or is being asked
     */
    @Nullable InodeData hold(Inode inode) {
        inode.lock.lock();
        try {
            InodeData data = inode.data;
            return data != null && data.holdCreation() ? data : null;
        } finally {
            inode.lock.unlock();
        }
    }

    void release(InodeData held) {
        held.lock().lock();
        try {
            held.releaseCreation();
        } finally {
            held.lock().unlock();
        }
    }

    private static boolean isThere(Inode inode) {
        inode.lock.lock();
        try {
            return inode.isThere;
        } finally {
            inode.lock.unlock();
        }
    }

    /**
     * Takes away what refused attempts to make a file have left under a name that another file is
     * about to get. Within the {@link NamesGate}, and while the file is held.
     */
    void makeWay(Inode directory, String name, Inode inode, FsException refusal)
            throws FsException {
        if (!isThere(inode) && refusal.error() != FsError.EEXIST) {
            removeLeftOver(directory, name, inode);
        }
    }

    /**
     * The server has had it since an earlier mount, with what that sent: there its name goes, too,
     * and the journal knows of that before.
     */
    private void removeFound(Inode directory, String name, Inode inode, InodeData data)
            throws FsException {
        parts.journalling().beforeMove(() -> inode.removing = true, inode);
        try {
            parts.gate()
                    .<@Nullable Void>shared(() -> {
                        RemotePath path = parts.table().path(directory).child(name);
                        try {
                            parts.server().remove(path);
                        } catch (FsException e) {
                            if (!e.isAbsence()) {
                                throw e;
                            }
                        } finally {
                            parts.uncacheName(path);
                        }
                        return null;
                    });
            giveUp(inode, data);
        } finally {
            parts.journalling().afterMove(() -> inode.removing = false, inode);
        }
    }

    /** Gives up a file that is held. */
    void giveUp(Inode inode, InodeData data) {
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
                data.describe();
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
     * An attempt may have made it and failed afterwards, or its answer was lost: then it is empty.
     * One that is not is somebody else's.
     */
    private void removeLeftOver(Inode directory, String name, Inode inode) throws FsException {
        RemotePath path = parts.table().path(directory).child(name);
        try {
            removeIfEmpty(path, inode.type);
        } catch (FsException e) {
            if (!e.isAbsence() && e.error() != FsError.ENOTEMPTY) {
                throw e;
            }
        }
    }

    private void removeIfEmpty(RemotePath path, FileType type) throws FsException {
        ServerAttributes there = parts.server().stat(path);
        if (there.type() != type) {
            return;
        }
        if (type == FileType.DIRECTORY) {
            parts.server().removeDirectory(path);
        } else if (type == FileType.SYMLINK || there.sizeBytes() == 0) {
            parts.server().remove(path);
        }
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

    /** Whether the server has not got it yet: so nobody else can see it. */
    boolean isPending(Inode inode) {
        parts.table().lock().lock();
        try {
            return inode.pending;
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
