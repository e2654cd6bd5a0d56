// SPDX-License-Identifier: Apache-2.0
package io.netfs4j.vfs;

import io.netfs4j.base.FsError;
import io.netfs4j.base.FsException;
import io.netfs4j.base.Names;
import io.netfs4j.engine.InodeData;
import io.netfs4j.server.Capability;
import io.netfs4j.server.RemotePath;
import io.netfs4j.server.RenameMode;

import org.jspecify.annotations.Nullable;

import java.util.ArrayList;
import java.util.List;

/**
 * Taking names away. A file that somebody has open keeps its data: servers that keep it by
 * themselves are left to it, on the others it moves to a hidden name until the last close.
 */
final class RemoveOperations {
    /** Others may go on closing removed files in a directory that is to be removed. */
    private static final int EMPTYING_ROUNDS_MAX = 8;

    private final VfsParts parts;
    private final Listings listings;
    private final Creations creations;
    private final HiddenNames hidden;

    RemoveOperations(VfsParts parts, Listings listings, Creations creations, HiddenNames hidden) {
        this.parts = parts;
        this.listings = listings;
        this.creations = creations;
        this.hidden = hidden;
    }

    // ---- removing -----------------------------------------------------------------------------

    void unlink(Inode directory, String name) throws FsException {
        Names.check(name);
        boolean done = false;
        while (!done) {
            Inode seen = parts.table().child(directory, name);
            if (awaitOrGiveUp(directory, name, seen, false)) {
                return;
            }
            boolean alone = seen != null && mustBeAlone(seen);
            done =
                    alone
                            ? parts.gate().alone(() -> unlinkNow(directory, name, true))
                            : parts.gate().shared(() -> unlinkNow(directory, name, false));
        }
    }

    /** Waits as {@link #refusal}; gives up what the server refuses, and returns whether it did. */
    private boolean awaitOrGiveUp(
            Inode directory, String name, @Nullable Inode child, boolean asDirectory)
            throws FsException {
        FsException refusal = refusal(name, child, asDirectory);
        if (refusal == null || child == null) {
            return false;
        }
        if (!creations.giveUp(directory, name, child, refusal)) {
            throw refusal;
        }
        parts.coherency().touch(directory, asDirectory ? -1 : 0);
        parts.table().release(child);
        return true;
    }

    /**
     * Waits until the server has a file whose name is wanted no more, or refuses it.
     *
     * @param asDirectory whether it is to be taken away as a directory
     * @return why the server has it not; null when it has it
     */
    @Nullable FsException refusal(String name, @Nullable Inode child, boolean asDirectory)
            throws FsException {
        if (child != null && child.isDirectory() != asDirectory && creations.isPending(child)) {
            throw new FsException(asDirectory ? FsError.ENOTDIR : FsError.EISDIR, name);
        }
        try {
            creations.await(child);
            return null;
        } catch (FsException e) {
            if (e.error() == FsError.EINTR || e.error() == FsError.ETIMEDOUT) {
                throw e;
            }
            return e;
        }
    }

    /**
     * Returns false when the server has not got the file yet, which must be waited for, or when it
     * was opened or got another name meanwhile, which wants the gate alone.
     */
    private boolean unlinkNow(Inode directory, String name, boolean alone) throws FsException {
        if (creations.isPending(directory, name)) {
            return false;
        }
        RemotePath path = parts.table().path(directory).child(name);
        Inode child = parts.table().pinChild(directory, name);
        try {
            if (child != null && !alone && mustBeAlone(child)) {
                return false;
            }
            noteOtherNames(child);
            boolean hides = child != null && mustHide(child);
            beforeRemoval(child, new Inode.Link(directory, name));
            try {
                if (child != null && hides) {
                    hide(child, directory, name, path);
                } else {
                    parts.server().remove(path);
                    discardUnopened(child);
                    parts.table().removed(directory, name, child);
                }
            } finally {
                parts.uncacheName(path);
                afterRemoval(child);
            }
            parts.coherency().touch(directory, 0);
            if (child != null) {
                lostName(child);
                removeIfClosed(child);
            }
        } finally {
            parts.table().unpin(child);
        }
        return true;
    }

    /** The journal is told that a name is about to go, and under which the file lives on. */
    private void beforeRemoval(@Nullable Inode child, Inode.Link name) {
        parts.journalling()
                .beforeMove(
                        () -> {
                            if (child != null) {
                                child.movingTo = child.otherName(name);
                                child.removing = child.movingTo == null;
                            }
                        },
                        child);
    }

    private void afterRemoval(@Nullable Inode child) {
        parts.journalling()
                .afterMove(
                        () -> {
                            if (child != null) {
                                child.removing = false;
                                child.movingTo = null;
                            }
                        },
                        child);
    }

    /**
     * A file was hidden for those who have it open; the last of them may have gone while the server
     * was asked, and then nobody else removes it.
     */
    void removeIfClosed(Inode child) {
        boolean closed;
        parts.table().lock().lock();
        try {
            closed = child.hidden && child.openCount == 0;
        } finally {
            parts.table().lock().unlock();
        }
        if (closed) {
            discardUnopened(child);
            hidden.remove(child);
        }
    }

    /**
     * Hiding is a rename. And a name of several may be the one that paths are made of, which others
     * have on their way to the server; nor may two be removed at once that are the last two.
     */
    private boolean mustBeAlone(Inode child) {
        parts.table().lock().lock();
        try {
            return child.links.size() > 1 || mustHide(child);
        } finally {
            parts.table().lock().unlock();
        }
    }

    boolean mustHide(Inode child) {
        parts.table().lock().lock();
        try {
            return child.openCount > 0
                    && child.links.size() == 1
                    && !parts.server().capabilities().has(Capability.UNLINKED_OPEN_FILES);
        } finally {
            parts.table().lock().unlock();
        }
    }

    /** The file stays on the server, under a name of ours, for those who have it open. */
    private void hide(Inode child, Inode directory, String name, RemotePath path)
            throws FsException {
        RemotePath hidden = path.parent().child(listings.hiddenName(child, true));
        leavingBehind(child, hidden, () -> parts.server().rename(path, hidden, RenameMode.REPLACE));
        parts.table().lock().lock();
        try {
            child.hidden = true;
            child.lookups++;
            parts.table().unlink(directory, name);
            parts.table().link(directory, hidden.name(), child);
            child.lookups--;
        } finally {
            parts.table().lock().unlock();
        }
    }

    /** What gives a file a hidden name on the server. */
    interface Hiding {
        void run() throws FsException;
    }

    /** The journal knows of a hidden name from before it is there. */
    void leavingBehind(Inode inode, RemotePath hidden, Hiding hiding) throws FsException {
        parts.journalling().leavesBehind(inode, hidden);
        boolean done = false;
        try {
            hiding.run();
            done = true;
        } finally {
            if (!done) {
                parts.journalling().leavesNothing(inode);
            }
        }
    }

    /** Nobody has it open, and it is about to go: what was not sent need not be. */
    void discardUnopened(@Nullable Inode child) {
        InodeData data = child == null ? null : child.data;
        if (child == null || data == null) {
            return;
        }
        boolean unneeded;
        parts.table().lock().lock();
        try {
            unneeded = child.openCount == 0 && child.links.size() <= 1;
        } finally {
            parts.table().lock().unlock();
        }
        if (unneeded) {
            child.lock.lock();
            try {
                if (!child.livesOn) {
                    parts.engine().discard(data);
                    if (!data.isBusy()) {
                        data.listener().onClean(); // No request will say so.
                    }
                }
            } finally {
                child.lock.unlock();
            }
        }
    }

    /** A name is about to go: what is unsaved still counts where the server has others. */
    void noteOtherNames(@Nullable Inode child) {
        if (child == null) {
            return;
        }
        child.lock.lock();
        try {
            parts.table().lock().lock();
            try {
                child.livesOn = child.linkCount > child.links.size();
            } finally {
                parts.table().lock().unlock();
            }
        } finally {
            child.lock.unlock();
        }
    }

    void lostName(Inode child) {
        child.lock.lock();
        try {
            child.linkCount = Math.max(0, child.linkCount - 1);
            child.changed = parts.coherency().now();
            child.changes++;
            child.fetchedNanos = Long.MIN_VALUE;
        } finally {
            child.lock.unlock();
        }
    }

    void removeDirectory(Inode parent, String name) throws FsException {
        Names.check(name);
        Inode child = parts.table().child(parent, name);
        refusePending(child, name);
        if (awaitOrGiveUp(parent, name, child, true)) {
            return;
        }
        emptied(() ->
                parts.gate()
                        .alone(() -> {
                            removeDirectoryAlone(parent, name);
                            return true;
                        }));
    }

    /**
     * Does something that needs a directory to be empty. Names of removed files whose last close
     * was a moment ago may still be on their way out of it.
     */
    boolean emptied(NamesGate.Action<Boolean> action) throws FsException {
        for (int round = 0; ; round++) {
            try {
                return action.run();
            } catch (FsException e) {
                if (e.error() != FsError.ENOTEMPTY
                        || round >= EMPTYING_ROUNDS_MAX
                        || !hidden.awaitRemovals()) {
                    throw e;
                }
            }
        }
    }

    private void removeDirectoryAlone(Inode parent, String name) throws FsException {
        RemotePath path = parts.table().path(parent).child(name);
        Inode child = parts.table().pinChild(parent, name);
        try {
            if (child != null) {
                refusePending(child, name);
                moveHiddenUp(child, parent);
            }
            beforeRemoval(child, new Inode.Link(parent, name));
            try {
                hidden.removeDirectory(path, child);
                parts.uncacheNames(path);
                discardUnopened(child);
                parts.table().removed(parent, name, child);
            } finally {
                afterRemoval(child);
            }
            parts.coherency().touch(parent, -1);
            if (child != null) {
                lostName(child);
            }
        } finally {
            parts.table().unpin(child);
        }
    }

    /** The server may take a directory for empty that is not. */
    void refusePending(@Nullable Inode directory, String name) throws FsException {
        parts.table().lock().lock();
        try {
            if (directory != null && directory.pendingChildren > 0) {
                throw new FsException(FsError.ENOTEMPTY, name);
            }
        } finally {
            parts.table().lock().unlock();
        }
    }

    /** Removed files that are still open must not keep their directory from being removed. */
    void moveHiddenUp(Inode directory, Inode parent) throws FsException {
        List<Inode> hidden = new ArrayList<>();
        List<Inode> others = new ArrayList<>();
        parts.table().lock().lock();
        try {
            if (directory.children != null) {
                for (Inode child : directory.children.values()) {
                    (child.hidden ? hidden : others).add(child);
                }
            }
        } finally {
            parts.table().lock().unlock();
        }
        if (hidden.isEmpty() || anyFresh(others)) {
            return;
        }
        for (Inode child : hidden) {
            RemotePath from = parts.table().path(child);
            RemotePath to = parts.table().path(parent).child(from.name());
            parts.journalling().leavesBehind(child, to);
            parts.server().rename(from, to, RenameMode.REPLACE);
            moved(directory, from.name(), parent, to.name(), child);
        }
    }

    /** Names that are known from long ago another client may have removed since. */
    private boolean anyFresh(List<Inode> inodes) {
        for (Inode inode : inodes) {
            inode.lock.lock();
            try {
                if (parts.coherency().isFresh(inode)) {
                    return true;
                }
            } finally {
                inode.lock.unlock();
            }
        }
        return false;
    }

    /** A name has become another. */
    void moved(Inode from, String name, Inode to, String newName, @Nullable Inode moving) {
        parts.table().lock().lock();
        try {
            if (moving == null) {
                parts.table().unlink(from, name);
                to.unseenChanges++;
                to.listing = null;
                return;
            }
            moving.lookups++;
            from.lookups++;
            parts.table().unlink(from, name);
            from.lookups--;
            parts.table().link(to, newName, moving);
            // The new name is the one that paths are made of.
            Inode.Link last = moving.links.remove(moving.links.size() - 1);
            moving.links.add(0, last);
            moving.lookups--;
            if (to.listing != null && !moving.hidden) {
                to.listing
                        .entries()
                        .put(newName, new Listing.Listed(moving.ino, moving.type, null));
            }
        } finally {
            parts.table().lock().unlock();
        }
    }
}
