// SPDX-License-Identifier: Apache-2.0
package io.netfs4j.vfs;

import io.netfs4j.base.FsError;
import io.netfs4j.base.FsException;
import io.netfs4j.base.GuardedBy;
import io.netfs4j.engine.BackEnd;
import io.netfs4j.engine.InodeData;
import io.netfs4j.engine.PendingAttributes;
import io.netfs4j.server.Access;
import io.netfs4j.server.AttributeChange;
import io.netfs4j.server.Capability;
import io.netfs4j.server.FileType;
import io.netfs4j.server.OpenedFile;
import io.netfs4j.server.PathSource;
import io.netfs4j.server.RemotePath;
import io.netfs4j.server.ServerAttributes;

import org.jspecify.annotations.Nullable;

import java.util.List;

/**
 * One attempt to have the server make what applications were given already: a file, a directory, a
 * symbolic link; or to open a file that was found in the journal.
 *
 * <p><b>Threads</b>: of its own, within the {@link NamesGate}; waits for the server.
 */
final class CreationAttempt {
    private final VfsParts parts;
    private final Creations creations;
    private final Conflicts conflicts;

    CreationAttempt(VfsParts parts, Creations creations, Conflicts conflicts) {
        this.parts = parts;
        this.creations = creations;
        this.conflicts = conflicts;
    }

    /** Returns false when another client's is there, in whose place ours is not to be. */
    boolean isMade(Inode inode) throws FsException {
        return switch (inode.type) {
            case DIRECTORY -> isMadeByPath(inode, this::makeDirectory);
            case SYMLINK -> isMadeByPath(inode, this::makeSymlink);
            default -> isFileMade(inode);
        };
    }

    /** What makes something that needs no handle; null when another client's is there. */
    private interface Maker {
        @Nullable ServerAttributes make(Inode inode, RemotePath path) throws FsException;
    }

    private boolean isMadeByPath(Inode inode, Maker maker) throws FsException {
        RemotePath path = parts.table().path(inode);
        ServerAttributes a;
        if (isThere(inode)) {
            a = creations.paths().found(inode, path);
            known(inode, false);
        } else {
            a = maker.make(inode, path);
        }
        if (a == null) {
            if (conflicts.areLookedFor()) {
                return false;
            }
            throw new FsException(
                    FsError.EEXIST, "another client made " + parts.table().describe(inode));
        }
        directories(inode).forEach(parts.coherency()::arrived);
        inode.lock.lock();
        try {
            InodeData data = dataOf(inode);
            parts.coherency().applyOwn(inode, a, inode.ownerChanges);
            inode.isThere = true;
            parts.table().lock().lock();
            try {
                creations.settle(inode, a.serverFileId());
                if (inode.isDirectory()) {
                    inode.owners = new Inode.Owners(a.uid(), a.gid());
                }
            } finally {
                parts.table().lock().unlock();
            }
            if (!data.pendingAttributes().isEmpty()) {
                creations.paths().open(inode, data);
            }
            data.endCreation(null);
        } finally {
            inode.lock.unlock();
        }
        return true;
    }

    /** One that another client made meanwhile does as well: what we put into it goes into that. */
    private @Nullable ServerAttributes makeDirectory(Inode inode, RemotePath path)
            throws FsException {
        int mode = mode(inode);
        ServerAttributes a;
        try {
            a = parts.server().makeDirectory(path, mode);
            known(inode, true);
        } catch (FsException e) {
            if (e.error() != FsError.EEXIST) {
                throw e;
            }
            othersAreIn(directories(inode));
            a = parts.server().stat(path);
            known(inode, false);
        }
        if (a.type() != FileType.DIRECTORY) {
            return null;
        }
        if (a.mode() == mode || !parts.server().capabilities().has(Capability.MODES)) {
            return a;
        }
        try {
            return parts.server()
                    .setAttributes(path, new AttributeChange(mode, null, null, null, null, null));
        } catch (FsException e) {
            return a; // It is there, and which bits it has is told by its attributes.
        }
    }

    /** Whether what is known of what is in a directory is all that is in it. */
    private void known(Inode directory, boolean whole) {
        parts.table().lock().lock();
        try {
            Listing listing = directory.listing;
            directory.madeNanos = whole ? parts.nowNanos() : Long.MIN_VALUE;
            if (listing == null || !whole) {
                directory.listing = null;
                directory.unseenChanges++;
            } else {
                directory.listing = new Listing(listing.entries(), parts.nowNanos());
            }
        } finally {
            parts.table().lock().unlock();
        }
    }

    private @Nullable ServerAttributes makeSymlink(Inode inode, RemotePath path)
            throws FsException {
        String target;
        inode.lock.lock();
        try {
            target = inode.symlinkTarget;
        } finally {
            inode.lock.unlock();
        }
        if (target == null) {
            throw new IllegalStateException("a pending link to nothing");
        }
        try {
            return parts.server().makeSymlink(path, target);
        } catch (FsException e) {
            if (e.error() != FsError.EEXIST) {
                throw e;
            }
            othersAreIn(directories(inode));
            ServerAttributes a = parts.server().stat(path);
            boolean same =
                    a.type() == FileType.SYMLINK && parts.server().readSymlink(path).equals(target);
            return same ? a : null;
        }
    }

    /** A name was taken: what is to be new there is asked of the server first from now on. */
    private void othersAreIn(List<Inode> directories) {
        parts.table().lock().lock();
        try {
            directories.forEach(directory -> directory.madeNanos = Long.MIN_VALUE);
        } finally {
            parts.table().lock().unlock();
        }
    }

    private static int mode(Inode inode) {
        inode.lock.lock();
        try {
            return inode.mode;
        } finally {
            inode.lock.unlock();
        }
    }

    private boolean isFileMade(Inode inode) throws FsException {
        OpenedFile opened = makeOrTake(inode);
        return opened != null && made(inode, opened);
    }

    private static boolean isThere(Inode inode) {
        inode.lock.lock();
        try {
            return inode.isThere;
        } finally {
            inode.lock.unlock();
        }
    }

    /** Null when what has the name cannot be ours. */
    private @Nullable OpenedFile makeOrTake(Inode inode) throws FsException {
        PathSource source = parts.table().source(inode);
        int mode;
        boolean isThere;
        inode.lock.lock();
        try {
            mode = inode.mode;
            isThere = inode.isThere;
        } finally {
            inode.lock.unlock();
        }
        if (isThere) {
            OpenedFile there = openThere(source, true);
            return there == null ? null : grown(inode, there);
        }
        OpenedFile opened;
        try {
            opened = parts.server().create(source, mode);
        } catch (FsException e) {
            if (e.error() != FsError.EEXIST) {
                throw e;
            }
            othersAreIn(directories(inode));
            OpenedFile there = openThere(source, false);
            return there == null ? null : take(inode, there, e);
        }
        return withMode(opened, mode);
    }

    /**
     * Opens what has a name.
     *
     * @param wasOurs whether it is another client's doing that nothing has it
     * @return null where that is nothing, a directory, a symbolic link, a pipe: a conflict
     */
    private @Nullable OpenedFile openThere(PathSource source, boolean wasOurs) throws FsException {
        try {
            return parts.server().open(source, Access.READ_WRITE);
        } catch (FsException e) {
            boolean conflict =
                    switch (e.error()) {
                        case ENOENT -> wasOurs;
                        case EISDIR, ELOOP, ENXIO -> true;
                        default -> false;
                    };
            if (!conflict || !conflicts.areLookedFor()) {
                throw e;
            }
            return null;
        }
    }

    /** A file that was found in the journal, as long as an earlier mount was to make it. */
    private OpenedFile grown(Inode inode, OpenedFile there) throws FsException {
        OpenedFile opened = there;
        boolean done = false;
        try {
            long size = growth(inode, opened.attributes());
            if (size >= 0) {
                AttributeChange change = AttributeChange.size(size);
                opened = new OpenedFile(opened.file(), opened.file().setAttributes(change));
            }
            done = true;
        } finally {
            if (!done) {
                BackEnd.close(opened.file());
            }
        }
        return opened;
    }

    /** How long the server was about to make it, where it is not; else -1. */
    private long growth(Inode inode, ServerAttributes a) {
        inode.lock.lock();
        try {
            if (!conflicts.isBase(dataOf(inode), a)) {
                return -1; // Another client's by now: ours goes beside it.
            }
            return inode.growingTo > a.sizeBytes() ? inode.growingTo : -1;
        } finally {
            inode.lock.unlock();
        }
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
        directories(inode).forEach(parts.coherency()::arrived);
        boolean other;
        inode.lock.lock();
        try {
            InodeData data = dataOf(inode);
            boolean owes = data.owedSize().isOwed();
            boolean written = data.sizeBytes() > 0 || data.pages().dirtyBytes() > 0 || owes;
            boolean taken = !inode.isThere && a.sizeBytes() > 0 && written;
            boolean moved = inode.isThere && !conflicts.isBase(data, a);
            if (moved && data.pages().dirtyBytes() == 0 && !owes) {
                // All of it had come there, and only its times are left to be set.
                data.setPendingAttributes(PendingAttributes.NONE);
                moved = false;
            }
            if ((taken && conflicts.areLookedFor()) || moved) {
                BackEnd.close(opened.file());
                return false;
            }
            if (taken && !inode.found) {
                BackEnd.close(opened.file());
                throw new FsException(
                        FsError.EEXIST, "another client made " + data.listener().name());
            }
            other = a.mode() != inode.mode || a.uid() != inode.uid || a.gid() != inode.gid;
            parts.coherency().applyOwn(inode, a, inode.ownerChanges);
            if (inode.isThere && data.remoteSizeBytes() > data.sizeBytes()) {
                data.setSizeBytes(data.remoteSizeBytes()); // Somebody has made it longer meanwhile.
                inode.sizeBytes = data.sizeBytes();
            }
            inode.isThere = true;
            inode.resized();
            data.setSending(true);
            data.describe();
        } finally {
            inode.lock.unlock();
        }
        // Nothing is sent before the journal knows that what the server has is ours.
        parts.journalling().awaitForcedIfWorking(inode.data);
        inode.lock.lock();
        try {
            InodeData data = dataOf(inode);
            parts.table().lock().lock();
            try {
                creations.settle(inode, a.serverFileId());
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
}
