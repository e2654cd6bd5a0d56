// SPDX-License-Identifier: Apache-2.0
package io.netfs4j.vfs;

import io.netfs4j.base.FsError;
import io.netfs4j.base.FsException;
import io.netfs4j.base.GuardedBy;
import io.netfs4j.base.Names;
import io.netfs4j.engine.InodeData;
import io.netfs4j.server.Capability;
import io.netfs4j.server.RemotePath;
import io.netfs4j.server.RenameMode;

import org.jspecify.annotations.Nullable;

import java.util.ArrayList;
import java.util.List;

/**
 * Taking names away and moving them. A file that somebody has open keeps its data: servers that
 * keep it by themselves are left to it, on the others it moves to a hidden name until the last
 * close.
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
            if (awaitOrGiveUp(directory, name, seen)) {
                return;
            }
            boolean alone = seen != null && mustBeAlone(seen);
            done =
                    alone
                            ? parts.gate().alone(() -> unlinkNow(directory, name, true))
                            : parts.gate().shared(() -> unlinkNow(directory, name, false));
        }
    }

    /**
     * Waits until the server has a file, or gives it up where the server refuses it: its name is
     * wanted no more.
     *
     * @return whether it was given up
     */
    private boolean awaitOrGiveUp(Inode directory, String name, @Nullable Inode child)
            throws FsException {
        try {
            creations.await(child);
            return false;
        } catch (FsException e) {
            if (e.error() == FsError.EINTR
                    || child == null
                    || !creations.giveUp(directory, name, child, e)) {
                throw e;
            }
        }
        parts.coherency().touch(directory, 0);
        parts.table().release(child);
        return true;
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
            if (child != null && mustHide(child)) {
                hide(child, directory, name, path);
            } else {
                parts.server().remove(path);
                discardUnopened(child);
                parts.table().removed(directory, name, child);
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

    /**
     * A file was hidden for those who have it open; the last of them may have gone while the server
     * was asked, and then nobody else removes it.
     */
    private void removeIfClosed(Inode child) {
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

    private boolean mustHide(Inode child) {
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
        parts.server().rename(path, hidden, RenameMode.REPLACE);
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

    /** Nobody has it open, and it is about to go: what was not sent need not be. */
    private void discardUnopened(@Nullable Inode child) {
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
                }
            } finally {
                child.lock.unlock();
            }
        }
    }

    /** A name is about to go: what is unsaved still counts where the server has others. */
    private void noteOtherNames(@Nullable Inode child) {
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

    private void lostName(Inode child) {
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
        refusePending(parts.table().child(parent, name), name);
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
    private boolean emptied(NamesGate.Action<Boolean> action) throws FsException {
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
            hidden.removeDirectory(path, child);
            parts.table().removed(parent, name, child);
            parts.coherency().touch(parent, -1);
            if (child != null) {
                lostName(child);
            }
        } finally {
            parts.table().unpin(child);
        }
    }

    /** The server may take a directory for empty that is not. */
    private void refusePending(@Nullable Inode directory, String name) throws FsException {
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
    private void moveHiddenUp(Inode directory, Inode parent) throws FsException {
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

    // ---- renaming -----------------------------------------------------------------------------

    void rename(Inode from, String name, Inode to, String newName, RenameMode mode)
            throws FsException {
        Names.check(name);
        Names.check(newName);
        boolean done = false;
        while (!done) {
            creations.await(parts.table().child(from, name));
            Inode target = parts.table().child(to, newName);
            if (mode == RenameMode.REPLACE) {
                refusePending(target, newName);
                awaitOrGiveUp(to, newName, target);
            } else {
                creations.await(target);
            }
            done =
                    emptied(() ->
                            parts.gate().alone(() -> renameAlone(from, name, to, newName, mode)));
        }
    }

    /** Returns false when the server has not got one of the files yet: it must be waited for. */
    private boolean renameAlone(Inode from, String name, Inode to, String newName, RenameMode mode)
            throws FsException {
        if (creations.isPending(from, name) || creations.isPending(to, newName)) {
            return false;
        }
        RemotePath source = parts.table().path(from).child(name);
        RemotePath target = parts.table().path(to).child(newName);
        if (source.equals(target)) {
            return true;
        }
        // Held: the server is waited for, and a look-up may be given back meanwhile.
        Inode moving = parts.table().pinChild(from, name);
        Inode replaced = parts.table().pinChild(to, newName);
        try {
            if (moving == null || moving != replaced || mode != RenameMode.REPLACE) {
                if (mode == RenameMode.REPLACE && replaced != null && replaced.isDirectory()) {
                    refusePending(replaced, newName);
                    moveHiddenUp(replaced, to);
                }
                noteOtherNames(mode == RenameMode.REPLACE ? replaced : null);
                renameOnServer(source, target, replaced, mode);
                renamed(new Place(from, name), new Place(to, newName), moving, replaced, mode);
            }
        } finally {
            parts.table().unpin(moving);
            parts.table().unpin(replaced);
        }
        return true;
    }

    private record Place(Inode directory, String name) {}

    private void renameOnServer(
            RemotePath source, RemotePath target, @Nullable Inode replaced, RenameMode mode)
            throws FsException {
        Inode aside =
                mode == RenameMode.REPLACE && replaced != null && keepAside(replaced)
                        ? replaced
                        : null;
        try {
            parts.server().rename(source, target, mode);
        } catch (FsException e) {
            if (aside != null) {
                parts.server().remove(target.parent().child(listings.hiddenName(aside, false)));
            }
            throw e;
        }
        if (aside != null) {
            hideReplaced(aside, target);
        }
    }

    /** The target lives on under its second name. */
    private void hideReplaced(Inode replaced, RemotePath target) {
        parts.table().lock().lock();
        try {
            replaced.hidden = true;
            Inode directory = replaced.links.get(0).directory();
            parts.table().unlink(directory, target.name());
            parts.table().link(directory, listings.hiddenName(replaced, false), replaced);
        } finally {
            parts.table().lock().unlock();
        }
    }

    private void renamed(
            Place from,
            Place to,
            @Nullable Inode moving,
            @Nullable Inode replaced,
            RenameMode mode) {
        if (mode == RenameMode.EXCHANGE) {
            exchanged(from.directory, from.name, to.directory, to.name);
        } else {
            if (replaced != null) {
                discardUnopened(replaced);
                if (!replaced.hidden) {
                    parts.table().removed(to.directory, to.name, replaced);
                }
                lostName(replaced);
                removeIfClosed(replaced);
            }
            moved(from.directory, from.name, to.directory, to.name, moving);
        }
        boolean directory =
                moving != null && moving.isDirectory() && from.directory != to.directory;
        boolean over = replaced != null && replaced.isDirectory() && mode == RenameMode.REPLACE;
        parts.coherency().touch(from.directory, directory ? -1 : 0);
        parts.coherency().touch(to.directory, (directory ? 1 : 0) - (over ? 1 : 0));
        if (moving != null) {
            moving.lock.lock();
            try {
                moving.changed = parts.coherency().now();
            } finally {
                moving.lock.unlock();
            }
        }
    }

    /** An open target that the server would lose gets a second, hidden name first, where it can. */
    private boolean keepAside(Inode replaced) throws FsException {
        if (!mustHide(replaced) || !parts.server().capabilities().has(Capability.HARD_LINKS)) {
            return false;
        }
        RemotePath path = parts.table().path(replaced);
        parts.server().link(path, path.parent().child(listings.hiddenName(replaced, true)));
        return true;
    }

    private void moved(Inode from, String name, Inode to, String newName, @Nullable Inode moving) {
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

    private void exchanged(Inode from, String name, Inode to, String newName) {
        parts.table().lock().lock();
        try {
            Inode a = hold(from, name);
            Inode b = hold(to, newName);
            from.listing = null;
            to.listing = null;
            if (a != null) {
                parts.table().link(to, newName, a);
                a.lookups--;
            } else {
                to.unseenChanges++;
            }
            if (b != null) {
                parts.table().link(from, name, b);
                b.lookups--;
            } else {
                from.unseenChanges++;
            }
        } finally {
            parts.table().lock().unlock();
        }
    }

    @GuardedBy("table lock")
    private @Nullable Inode hold(Inode directory, String name) {
        Inode inode = directory.children().get(name);
        if (inode != null) {
            inode.lookups++;
            directory.lookups++;
            parts.table().unlink(directory, name);
            directory.lookups--;
        }
        return inode;
    }
}
