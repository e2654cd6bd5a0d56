// SPDX-License-Identifier: Apache-2.0
package io.netfs4j.vfs;

import io.netfs4j.base.FsError;
import io.netfs4j.base.FsException;
import io.netfs4j.base.GuardedBy;
import io.netfs4j.base.Names;
import io.netfs4j.engine.InodeData;
import io.netfs4j.server.CoherencyToken;
import io.netfs4j.server.FileType;
import io.netfs4j.server.RemotePath;
import io.netfs4j.server.Server;
import io.netfs4j.server.ServerAttributes;

import org.jspecify.annotations.Nullable;

import java.time.Instant;
import java.util.HashMap;
import java.util.Map;

/**
 * Operations on names: asked of the server, remembered here. Every one holds the {@link NamesGate},
 * so that paths stay true while they are on their way.
 */
final class NameOperations {
    private final VfsParts parts;

    private final Listings listings;

    private final Creations creations;

    NameOperations(VfsParts parts, Listings listings, Creations creations) {
        this.parts = parts;
        this.listings = listings;
        this.creations = creations;
    }

    // ---- looking up ---------------------------------------------------------------------------

    /**
     * The entry from what is known and fresh, held once more; null when the server must be asked.
     */
    @Nullable Entry known(Inode directory, String name) {
        if (listings.isHidden(directory, name)) {
            return negative(0);
        }
        Inode child;
        InodeTable table = parts.table();
        table.lock().lock();
        try {
            child = directory.children == null ? null : directory.children.get(name);
            if (child == null) {
                Listing listing = listings.fresh(directory);
                if (listing == null) {
                    return null;
                }
                Listing.Listed listed = listing.entries().get(name);
                if (listed == null) {
                    return negative(listings.validNanos(listing));
                }
                ServerAttributes a = listed.attributes();
                if (a == null) {
                    return null;
                }
                child = table.enter(directory, name, a, listed.ino(), listing.fetchedNanos());
            }
        } finally {
            table.lock().unlock();
        }
        Entry held = hold(child);
        if (held == null) {
            // It may have been entered just now, and nobody holds it.
            parts.table().release(child);
        }
        return held;
    }

    /** An entry for a door: with fresh attributes, or (when they must not be asked for) null. */
    private @Nullable Entry hold(Inode inode) {
        inode.lock.lock();
        try {
            if (!parts.coherency().isFresh(inode)) {
                return null;
            }
            parts.table().lock().lock();
            try {
                if (!parts.table().isCurrent(inode)) {
                    return null;
                }
                parts.table().hold(inode);
            } finally {
                parts.table().lock().unlock();
            }
            return parts.coherency().entry(inode);
        } finally {
            inode.lock.unlock();
        }
    }

    Entry lookup(Inode directory, String name) throws FsException {
        Names.check(name);
        Entry known = known(directory, name);
        if (known != null) {
            return known;
        }
        creations.awaitUnlisted(directory);
        return parts.orKnown(
                () -> known(directory, name),
                server -> parts.gate().shared(() -> ask(server, directory, name)));
    }

    /** The server says that a name is taken: a listing that lacks it is too old to be believed. */
    private void doubt(Inode directory, String name) {
        parts.table().lock().lock();
        try {
            if (!directory.children().containsKey(name)) {
                directory.listing = null;
                directory.madeNanos = Long.MIN_VALUE;
                directory.unseenChanges++;
            }
        } finally {
            parts.table().lock().unlock();
        }
    }

    private Entry ask(Server server, Inode directory, String name) throws FsException {
        Inode child = parts.table().child(directory, name);
        if (listings.isWorthListing(directory)) {
            Entry known = listings.listedNow(directory) ? known(directory, name) : null;
            if (known != null) {
                return known;
            }
            child = parts.table().child(directory, name);
        }
        long asked = changesOf(child);
        ServerAttributes a;
        try {
            a = server.stat(parts.table().path(directory).child(name));
        } catch (FsException e) {
            if (e.error() == FsError.ENOENT) {
                vanished(directory, name, child);
                return negative(0);
            }
            throw e;
        }
        Inode inode;
        parts.table().lock().lock();
        try {
            Listings.seen(directory, name);
            inode = parts.table().enter(directory, name, a, 0, parts.nowNanos());
            // Held before the lock is let go of: nobody may drop it in between.
            parts.table().hold(inode);
        } finally {
            parts.table().lock().unlock();
        }
        inode.lock.lock();
        try {
            // A file that was known by another name may have been changed since it was asked for.
            parts.coherency().apply(inode, a, inode == child ? asked : 0);
            return parts.coherency().entry(inode);
        } finally {
            inode.lock.unlock();
        }
    }

    private long changesOf(@Nullable Inode inode) {
        if (inode == null) {
            return 0;
        }
        inode.lock.lock();
        try {
            return inode.changes;
        } finally {
            inode.lock.unlock();
        }
    }

    /**
     * The server has no such name: what was known by it is gone, unless it is still being saved.
     */
    private void vanished(Inode directory, String name, @Nullable Inode child) {
        if (child == null) {
            return;
        }
        InodeData data = child.data;
        if (data != null) {
            child.lock.lock();
            try {
                if (data.isUnsaved()) {
                    return;
                }
            } finally {
                child.lock.unlock();
            }
        }
        parts.table().lock().lock();
        try {
            if (directory.children().get(name) == child) {
                parts.table().lose(directory, name);
            }
        } finally {
            parts.table().lock().unlock();
        }
    }

    private Entry negative(long validNanos) {
        return new Entry(null, 0, validNanos, 0);
    }

    /** The whole entry of a listed name, held once more, when its attributes are known. */
    @Nullable Entry entryOf(Inode directory, String name, Listing.Listed listed) {
        Entry known = known(directory, name);
        if (known != null) {
            return known.isNegative() ? null : known;
        }
        ServerAttributes a = listed.attributes();
        if (a == null || (a.links() > 1 && listed.type() != FileType.DIRECTORY)) {
            // The name may have been removed since. Of a file with several it would count as one.
            return null;
        }
        Inode inode;
        parts.table().lock().lock();
        try {
            Inode child = directory.children().get(name);
            if (child != null) {
                return null;
            }
            inode = parts.table().enter(directory, name, a, listed.ino(), parts.nowNanos());
            parts.table().hold(inode);
        } finally {
            parts.table().lock().unlock();
        }
        inode.lock.lock();
        try {
            parts.coherency().apply(inode, a, 0);
            return parts.coherency().entry(inode);
        } finally {
            inode.lock.unlock();
        }
    }

    // ---- making -------------------------------------------------------------------------------

    /** Enters a file that we made under a name, held for the door. */
    Inode enterNew(Inode directory, String name, ServerAttributes a) {
        parts.table().lock().lock();
        try {
            Inode known = directory.children().get(name);
            if (known != null) {
                parts.table().unlink(directory, name);
            }
            Inode inode = parts.table().enter(directory, name, a, 0, parts.nowNanos());
            directory.nameChanged(name, inode);
            parts.table().hold(inode);
            Listings.add(directory, name, inode);
            Inode.Owners owners = new Inode.Owners(a.uid(), a.gid());
            if (a.type() == FileType.DIRECTORY) {
                // A new directory is known whole: it is empty, and we may fill it.
                inode.listing = new Listing(new HashMap<>(), parts.nowNanos());
                inode.owners = owners;
                inode.madeNanos = parts.nowNanos();
            } else if (a.type() == FileType.REGULAR) {
                directory.owners = owners;
            }
            return inode;
        } finally {
            parts.table().lock().unlock();
        }
    }

    /**
     * Something that need not be on the server before it is an application's: not entered yet.
     *
     * @return null when the server has to be asked first: it has not shown yet that it makes any
     *     there, the name may be taken, or too many files are pending
     */
    @Nullable Inode newPending(
            Inode directory, String name, FileType type, int mode, long sizeBytes) {
        Instant now = parts.coherency().now();
        parts.table().lock().lock();
        try {
            Inode.Owners owners = directory.owners;
            if (owners == null || !mayBePending(directory, name)) {
                return null;
            }
            ServerAttributes a =
                    new ServerAttributes(
                            type,
                            sizeBytes,
                            mode,
                            owners.uid(),
                            owners.gid(),
                            1,
                            now,
                            now,
                            now,
                            0,
                            CoherencyToken.of(now, sizeBytes));
            return new Inode(parts.table().newIno(), a, parts.nowNanos());
        } finally {
            parts.table().lock().unlock();
        }
    }

    /** Whether whoever makes names in a directory is taken to be this mount alone. */
    boolean isOursAlone(Inode directory) {
        return listings.isOursAlone(directory);
    }

    /** Enters such a file, held for the door; false when its name has been taken meanwhile. */
    boolean enterPending(Inode directory, String name, Inode inode) {
        parts.table().lock().lock();
        try {
            if (!mayBePending(directory, name)) {
                return false;
            }
            if (inode.isDirectory()) {
                // It is known whole: it is empty, and we may fill it.
                inode.listing = new Listing(new HashMap<>(), parts.nowNanos());
                inode.owners = directory.owners;
            }
            creations.enter(directory, name, inode);
            parts.table().hold(inode);
            Listings.add(directory, name, inode);
            return true;
        } finally {
            parts.table().lock().unlock();
        }
    }

    @GuardedBy("table lock")
    private boolean mayBePending(Inode directory, String name) {
        Listing listing = listings.fresh(directory);
        return listing != null
                && !listings.isHidden(directory, name)
                && !listing.entries().containsKey(name)
                && !directory.children().containsKey(name)
                && (directory.making == null || !directory.making.containsKey(name))
                && (!directory.links.isEmpty() || directory == parts.table().root())
                && creations.hasRoom();
    }

    /**
     * Has the server make a name, with no pending file of that name beside it.
     *
     * @throws FsException EEXIST also where there is a pending one
     */
    <T> T making(Inode directory, String name, NamesGate.Action<T> make) throws FsException {
        boolean taken;
        parts.table().lock().lock();
        try {
            Inode child = directory.children().get(name);
            taken = child != null && child.pending;
            if (!taken) {
                Map<String, Integer> making = directory.making;
                if (making == null) {
                    making = new HashMap<>();
                    directory.making = making;
                }
                making.merge(name, 1, Integer::sum);
            }
        } finally {
            parts.table().lock().unlock();
        }
        if (taken) {
            throw new FsException(FsError.EEXIST, name);
        }
        try {
            return make.run();
        } catch (FsException e) {
            if (e.error() == FsError.EEXIST) {
                doubt(directory, name);
            }
            throw e;
        } finally {
            parts.table().lock().lock();
            try {
                Map<String, Integer> making = directory.making;
                if (making != null) {
                    making.computeIfPresent(name, (n, count) -> count == 1 ? null : count - 1);
                    if (making.isEmpty()) {
                        directory.making = null;
                    }
                }
            } finally {
                parts.table().lock().unlock();
            }
        }
    }

    /** What makes a name on the server. */
    interface Maker {
        ServerAttributes make(RemotePath path) throws FsException;
    }

    Entry make(Inode directory, String name, Maker maker) throws FsException {
        Names.check(name);
        creations.await(directory);
        return parts.gate()
                .shared(() -> making(directory, name, () -> makeNow(directory, name, maker)));
    }

    private Entry makeNow(Inode directory, String name, Maker maker) throws FsException {
        RemotePath path = parts.table().path(directory).child(name);
        ServerAttributes a = maker.make(path);
        Inode inode = enterNew(directory, name, a);
        parts.coherency().touch(directory, inode.isDirectory() ? 1 : 0);
        inode.lock.lock();
        try {
            return parts.coherency().entry(inode);
        } finally {
            inode.lock.unlock();
        }
    }

    Entry link(Inode inode, Inode directory, String name) throws FsException {
        Names.check(name);
        creations.await(directory);
        return parts.gate()
                .shared(() -> making(directory, name, () -> linkNow(inode, directory, name)));
    }

    private Entry linkNow(Inode inode, Inode directory, String name) throws FsException {
        RemotePath path = parts.table().path(directory).child(name);
        long asked = OpenOperations.ownerChanges(inode);
        ServerAttributes a = parts.server().link(parts.table().path(inode), path);
        parts.table().lock().lock();
        try {
            parts.table().link(directory, name, inode);
            parts.table().hold(inode);
            Listings.add(directory, name, inode);
        } finally {
            parts.table().lock().unlock();
        }
        parts.coherency().touch(directory, 0);
        inode.lock.lock();
        try {
            if (inode.ownerChanges == asked) {
                inode.takeOwners(a);
            } else {
                // Set meanwhile: the answer may be from before that.
                inode.linkCount++;
                inode.fetchedNanos = Long.MIN_VALUE;
            }
            inode.changes++;
            return parts.coherency().entry(inode);
        } finally {
            inode.lock.unlock();
        }
    }
}
