// SPDX-License-Identifier: Apache-2.0
package io.netfs4j.vfs;

import io.netfs4j.base.FsException;
import io.netfs4j.base.GuardedBy;
import io.netfs4j.base.Names;
import io.netfs4j.engine.InodeData;
import io.netfs4j.server.Capability;
import io.netfs4j.server.RemotePath;
import io.netfs4j.server.RenameMode;

import org.jspecify.annotations.Nullable;

/**
 * Moving names. What a file is moved over is removed, as {@link RemoveOperations} does it; a server
 * that would lose it while it is open gives it a second, hidden name first, where it can.
 */
final class RenameOperations {
    private final VfsParts parts;
    private final Listings listings;
    private final Creations creations;
    private final RemoveOperations removals;

    RenameOperations(
            VfsParts parts, Listings listings, Creations creations, RemoveOperations removals) {
        this.parts = parts;
        this.listings = listings;
        this.creations = creations;
        this.removals = removals;
    }

    void rename(Inode from, String name, Inode to, String newName, RenameMode mode)
            throws FsException {
        Names.check(name);
        Names.check(newName);
        boolean done = false;
        while (!done) {
            Inode moving = parts.table().child(from, name);
            creations.await(moving);
            creations.await(to);
            Inode target = parts.table().child(to, newName);
            FsException refusal = null;
            if (mode == RenameMode.REPLACE) {
                removals.refusePending(target, newName);
                boolean asDirectory = moving == null ? isDirectory(target) : moving.isDirectory();
                refusal = removals.refusal(newName, target, asDirectory);
            } else {
                creations.await(target);
            }
            Place here = new Place(from, name);
            Place there = new Place(to, newName);
            if (refusal != null && target != null) {
                done = isRenamedOver(here, there, target, refusal);
            } else {
                done = isRenamed(here, there, null, mode);
            }
        }
    }

    private static boolean isDirectory(@Nullable Inode inode) {
        return inode != null && inode.isDirectory();
    }

    /**
     * What a file is moved over that the server refuses to have. It is given up when the rename has
     * come about, and else tried again.
     */
    private record Refused(Inode inode, InodeData data, FsException refusal) {}

    private boolean isRenamedOver(Place from, Place to, Inode target, FsException refusal)
            throws FsException {
        InodeData held = creations.hold(target);
        if (held == null) {
            throw refusal;
        }
        try {
            return isRenamed(from, to, new Refused(target, held, refusal), RenameMode.REPLACE);
        } finally {
            creations.release(held);
        }
    }

    private boolean isRenamed(Place from, Place to, @Nullable Refused refused, RenameMode mode)
            throws FsException {
        return removals.emptied(
                () -> parts.gate().alone(() -> renameAlone(from, to, refused, mode)));
    }

    /** Returns false when the server has not got one of the files yet: it must be waited for. */
    private boolean renameAlone(Place from, Place to, @Nullable Refused refused, RenameMode mode)
            throws FsException {
        Inode seen = parts.table().child(to.directory, to.name);
        Refused given = refused == null || refused.inode != seen ? null : refused;
        if (creations.isPending(from.directory, from.name)
                || (given == null && creations.isPending(to.directory, to.name))) {
            return false;
        }
        RemotePath source = path(from);
        RemotePath target = path(to);
        if (source.equals(target)) {
            return true;
        }
        // Held: the server is waited for, and a look-up may be given back meanwhile.
        Inode moving = parts.table().pinChild(from.directory, from.name);
        Inode replaced = parts.table().pinChild(to.directory, to.name);
        try {
            if (moving == null || moving != replaced || mode != RenameMode.REPLACE) {
                if (mode == RenameMode.REPLACE && replaced != null && replaced.isDirectory()) {
                    removals.refusePending(replaced, to.name);
                    removals.moveHiddenUp(replaced, to.directory);
                }
                removals.noteOtherNames(mode == RenameMode.REPLACE ? replaced : null);
                beforeRename(from, to, moving, replaced, mode);
                try {
                    if (given == null) {
                        renameOnServer(source, target, replaced, mode);
                    } else {
                        creations.makeWay(to.directory, to.name, given.inode, given.refusal);
                        parts.server().rename(source, target, mode);
                        creations.giveUp(given.inode, given.data);
                    }
                    renamed(from, to, moving, replaced, mode);
                } finally {
                    parts.uncacheNames(source);
                    parts.uncacheNames(target);
                    afterRename(moving, replaced);
                }
            }
        } finally {
            parts.table().unpin(moving);
            parts.table().unpin(replaced);
        }
        return true;
    }

    private record Place(Inode directory, String name) {
        Inode.Link link() {
            return new Inode.Link(directory, name);
        }
    }

    private RemotePath path(Place place) throws FsException {
        return parts.table().path(place.directory).child(place.name);
    }

    /** The journal is told what is about to come about. */
    private void beforeRename(
            Place from, Place to, @Nullable Inode moving, @Nullable Inode replaced, RenameMode mode)
            throws FsException {
        RemotePath source = path(from);
        parts.journalling()
                .beforeMove(
                        () -> {
                            if (replaced != null && mode == RenameMode.EXCHANGE) {
                                replaced.movingTo = from.link();
                            } else if (replaced != null) {
                                // A file with several names lives on under another.
                                replaced.movingTo = replaced.otherName(to.link());
                                replaced.replacedBy = replaced.movingTo == null ? source : null;
                            }
                            if (moving != null) {
                                moving.movingTo = to.link();
                            }
                        },
                        replaced,
                        moving);
    }

    private void afterRename(@Nullable Inode moving, @Nullable Inode replaced) {
        parts.journalling()
                .afterMove(
                        () -> {
                            if (replaced != null) {
                                replaced.movingTo = null;
                                replaced.replacedBy = null;
                            }
                            if (moving != null) {
                                moving.movingTo = null;
                            }
                        },
                        replaced,
                        moving);
    }

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
                parts.journalling().leavesNothing(aside);
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
                removals.discardUnopened(replaced);
                if (!replaced.hidden) {
                    parts.table().removed(to.directory, to.name, replaced);
                }
                removals.lostName(replaced);
                removals.removeIfClosed(replaced);
            }
            removals.moved(from.directory, from.name, to.directory, to.name, moving);
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
        if (!removals.mustHide(replaced)
                || !parts.server().capabilities().has(Capability.HARD_LINKS)) {
            return false;
        }
        RemotePath path = parts.table().path(replaced);
        RemotePath hidden = path.parent().child(listings.hiddenName(replaced, true));
        removals.leavingBehind(replaced, hidden, () -> parts.server().link(path, hidden));
        return true;
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
