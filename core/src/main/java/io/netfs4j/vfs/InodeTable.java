// SPDX-License-Identifier: Apache-2.0
package io.netfs4j.vfs;

import io.netfs4j.base.FsError;
import io.netfs4j.base.FsException;
import io.netfs4j.base.GuardedBy;
import io.netfs4j.server.PathSource;
import io.netfs4j.server.RemotePath;
import io.netfs4j.server.ServerAttributes;

import org.jspecify.annotations.Nullable;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Function;

/**
 * Which inodes there are, by number and by name, and how long they stay.
 *
 * <p>An inode stays while a door holds a look-up of it, while it is open, while it has children,
 * and while something of it is unsaved (its owner says so by {@link #release}).
 *
 * <p><b>Threads</b>: any; the lock is taken below an inode's and is held for no longer than a few
 * map operations.
 */
final class InodeTable {
    /** Linux's limit of a path, were all names of one byte. */
    private static final int DEPTH_MAX = 2048;

    private final ReentrantLock lock = new ReentrantLock();

    @GuardedBy("lock")
    private final Map<Long, Inode> byNumber = new HashMap<>();

    /** Files with several names, where the server numbers its files: all names are one inode. */
    @GuardedBy("lock")
    private final Map<Long, Inode> byServerId = new HashMap<>();

    @GuardedBy("lock")
    private long nextIno = Vfs.ROOT_INO + 1;

    private final Inode root;

    /** Set once, before the first operation. */
    private volatile Unsaved unsaved = inode -> true;

    InodeTable(ServerAttributes rootAttributes, long nowNanos) {
        root = new Inode(Vfs.ROOT_INO, rootAttributes, nowNanos);
        byNumber.put(root.ino, root);
        root.lookups = 1;
    }

    ReentrantLock lock() {
        return lock;
    }

    Inode root() {
        return root;
    }

    Inode get(long ino) throws FsException {
        lock.lock();
        try {
            Inode inode = byNumber.get(ino);
            if (inode == null) {
                throw new FsException(FsError.ESTALE, "no inode " + ino);
            }
            return inode;
        } finally {
            lock.unlock();
        }
    }

    Inode directory(long ino) throws FsException {
        Inode inode = get(ino);
        if (!inode.isDirectory()) {
            throw new FsException(FsError.ENOTDIR, inode.toString());
        }
        return inode;
    }

    List<Inode> all() {
        lock.lock();
        try {
            return new ArrayList<>(byNumber.values());
        } finally {
            lock.unlock();
        }
    }

    int size() {
        lock.lock();
        try {
            return byNumber.size();
        } finally {
            lock.unlock();
        }
    }

    @GuardedBy("lock")
    long newIno() {
        return nextIno++;
    }

    /** The present path of an inode; ESTALE when it has no name. */
    RemotePath path(Inode inode) throws FsException {
        RemotePath path;
        lock.lock();
        try {
            path = path(inode, Inode::firstLink);
        } finally {
            lock.unlock();
        }
        if (path == null) {
            throw new FsException(FsError.ESTALE, "the file has no name any more");
        }
        return path;
    }

    /**
     * The path of an inode.
     *
     * @param moved as it will be when renames under way have come through; null where none is
     * @param otherwise where it has no name any more
     */
    @GuardedBy("lock")
    @Nullable RemotePath pathOrNull(Inode inode, boolean moved, @Nullable RemotePath otherwise) {
        if (!moved) {
            RemotePath path = path(inode, Inode::firstLink);
            return path == null ? otherwise : path;
        }
        boolean[] moves = {false};
        RemotePath path =
                path(
                        inode,
                        at -> {
                            moves[0] |= at.movingTo != null;
                            return at.movingTo == null ? at.firstLink() : at.movingTo;
                        });
        return path == null || !moves[0] ? otherwise : path;
    }

    /** Upwards from an inode, by one link of each; null where one has none. */
    @GuardedBy("lock")
    private @Nullable RemotePath path(Inode inode, Function<Inode, Inode.@Nullable Link> up) {
        ArrayDeque<String> names = new ArrayDeque<>();
        Inode at = inode;
        while (at != root) {
            Inode.Link link = up.apply(at);
            // By former names there may be no end: directories may have gone into each other.
            if (link == null || names.size() >= DEPTH_MAX) {
                return null;
            }
            names.addFirst(link.name());
            at = link.directory();
        }
        return new RemotePath(new ArrayList<>(names));
    }

    /** Whether an inode is another, or has its first name somewhere below it. */
    boolean isBelow(Inode inode, Inode top) {
        lock.lock();
        try {
            Inode at = inode;
            while (at != top) {
                if (at.links.isEmpty()) {
                    return false;
                }
                at = at.links.get(0).directory();
            }
            return true;
        } finally {
            lock.unlock();
        }
    }

    /** All that is known below a directory. */
    @GuardedBy("lock")
    List<Inode> childrenBelow(Inode directory) {
        List<Inode> all = new ArrayList<>();
        if (directory.children != null) {
            for (Inode child : directory.children.values()) {
                all.add(child);
                all.addAll(childrenBelow(child));
            }
        }
        return all;
    }

    PathSource source(Inode inode) {
        return () -> path(inode);
    }

    /** For messages: its path, or the last one it had, or its number. */
    String describe(Inode inode) {
        lock.lock();
        try {
            RemotePath path =
                    path(inode, at -> at.firstLink() == null ? at.lastLink : at.firstLink());
            return path == null ? inode.toString() : path.toString();
        } finally {
            lock.unlock();
        }
    }

    /** Who knows whether an inode still has something to save. */
    void setUnsaved(Unsaved owner) {
        unsaved = owner;
    }

    /** As {@link #child}, held: it stays in the table until {@link #forget}. */
    @Nullable Inode pinChild(Inode directory, String name) {
        lock.lock();
        try {
            Inode child = directory.children == null ? null : directory.children.get(name);
            if (child != null) {
                child.lookups++;
            }
            return child;
        } finally {
            lock.unlock();
        }
    }

    void unpin(@Nullable Inode inode) {
        if (inode != null) {
            forget(inode.ino, 1);
        }
    }

    /** The inode that a name is known to stand for, whether fresh or not. */
    @Nullable Inode child(Inode directory, String name) {
        lock.lock();
        try {
            return directory.children == null ? null : directory.children.get(name);
        } finally {
            lock.unlock();
        }
    }

    /**
     * Enters what a name was found to stand for, with the table's lock held: the inode known by
     * that name when it can be the same file, else another.
     */
    @GuardedBy("lock")
    Inode enter(Inode directory, String name, ServerAttributes a, long ino, long nowNanos) {
        Inode known = directory.children().get(name);
        if (known != null && (known.pending || isSame(known, a))) {
            return known;
        }
        Listing kept = known == null ? null : directory.listing;
        Listing listing = kept != null && kept.entries().containsKey(name) ? kept : null;
        if (known != null) {
            lose(directory, name);
        }
        Inode inode = byOtherName(a);
        if (inode == null) {
            inode = new Inode(ino == 0 ? newIno() : ino, a, nowNanos);
            byNumber.put(inode.ino, inode);
        }
        attach(directory, name, inode);
        if (listing != null) {
            // The name is there as before, for another file.
            listing.entries().put(name, new Listing.Listed(inode.ino, inode.type, null));
        }
        return inode;
    }

    /**
     * The inode of a file that is known by another name, or that is open and had others than those
     * that we removed. Else its number may be one that the server has given to another file since.
     */
    @GuardedBy("lock")
    private @Nullable Inode byOtherName(ServerAttributes a) {
        Inode inode = a.serverFileId() == 0 ? null : byServerId.get(a.serverFileId());
        if (inode == null || inode.type != a.type()) {
            return null;
        }
        boolean lives = inode.openCount > 0 && inode.links.isEmpty() && inode.livesOn;
        return a.links() >= 2 || lives ? inode : null;
    }

    private static boolean isSame(Inode known, ServerAttributes a) {
        return known.type == a.type()
                && (known.serverFileId == 0
                        || a.serverFileId() == 0
                        || known.serverFileId == a.serverFileId());
    }

    /** Enters a file that the server has not got yet, under a name that stands for nothing. */
    @GuardedBy("lock")
    void enterPending(Inode directory, String name, Inode inode) {
        byNumber.put(inode.ino, inode);
        link(directory, name, inode);
        inode.pending = true;
        directory.pendingChildren++;
    }

    /**
     * A pending file is the server's now, or was given up.
     *
     * @param serverFileId the server's number of it, 0 for none
     */
    @GuardedBy("lock")
    void settlePending(Inode inode, long serverFileId) {
        if (!inode.pending) {
            return;
        }
        inode.pending = false;
        inode.serverFileId = serverFileId;
        if (serverFileId != 0) {
            byServerId.put(serverFileId, inode);
        }
        // It has the one name that it was made under: whatever changes names waits for it.
        for (Inode.Link link : inode.links) {
            link.directory().pendingChildren--;
            link.directory().nameChanged(link.name(), inode);
        }
    }

    /**
     * Makes an inode stand for another file from now on, one that the server has not got yet.
     *
     * @return the names that it had, of which nothing is known now
     */
    @GuardedBy("lock")
    List<Inode.Link> becomePending(Inode inode, Inode directory, String name) {
        List<Inode.Link> names = List.copyOf(inode.links);
        if (inode.serverFileId != 0) {
            byServerId.remove(inode.serverFileId, inode);
            inode.serverFileId = 0;
        }
        for (Inode.Link link : names) {
            Inode above = link.directory();
            above.children().remove(link.name(), inode);
            above.listing = null;
            above.unseenChanges++;
            above.pendingChildren -= inode.pending ? 1 : 0;
        }
        inode.links.clear();
        enterPending(directory, name, inode);
        names.forEach(link -> dropIfUnused(link.directory(), false));
        return names;
    }

    /** Enters a directory that the server was not asked for: nothing of it is fresh. */
    @GuardedBy("lock")
    Inode enterUnasked(Inode directory, String name, ServerAttributes a) {
        Inode inode = new Inode(newIno(), a, Long.MIN_VALUE);
        byNumber.put(inode.ino, inode);
        attach(directory, name, inode);
        return inode;
    }

    /** Enters a name that we gave it. */
    @GuardedBy("lock")
    void link(Inode directory, String name, Inode inode) {
        directory.nameChanged(name, inode);
        // A listing may have told of it before we heard that it was given.
        Inode told = directory.children().get(name);
        if (told == inode) {
            return;
        }
        attach(directory, name, inode);
        if (told != null) {
            takeName(told, directory, name);
        }
    }

    /** Enters a name that the server told of, perhaps longer ago than a listing under way. */
    @GuardedBy("lock")
    private void attach(Inode directory, String name, Inode inode) {
        directory.children().put(name, inode);
        inode.links.add(new Inode.Link(directory, name));
        inode.removedHere = false;
        if (inode.serverFileId != 0 && !inode.isDirectory()) {
            byServerId.put(inode.serverFileId, inode);
        }
    }

    /** Takes a name away; the inode stays as long as somebody needs it. */
    @GuardedBy("lock")
    @Nullable Inode unlink(Inode directory, String name) {
        directory.nameChanged(name, null);
        return detach(directory, name);
    }

    /** As {@link #unlink}, of a name that the server does not have: it was not us. */
    @GuardedBy("lock")
    @Nullable Inode lose(Inode directory, String name) {
        Inode inode = directory.children().get(name);
        if (inode != null) {
            inode.movedElsewhere = true;
        }
        return detach(directory, name);
    }

    @GuardedBy("lock")
    private @Nullable Inode detach(Inode directory, String name) {
        Inode inode = directory.children().remove(name);
        if (directory.listing != null) {
            directory.listing.entries().remove(name);
        }
        if (inode != null) {
            takeName(inode, directory, name);
        }
        dropIfUnused(directory, false);
        return inode;
    }

    /** An inode has one name less. */
    @GuardedBy("lock")
    private void takeName(Inode inode, Inode directory, String name) {
        inode.lastLink = new Inode.Link(directory, name);
        inode.links.remove(inode.lastLink);
        dropIfUnused(inode, false);
    }

    /**
     * A name is gone from the server.
     *
     * @param was what it stood for, as far as that was known; another may stand there by now
     */
    void removed(Inode directory, String name, @Nullable Inode was) {
        lock.lock();
        try {
            Inode now = directory.children().get(name);
            if (now != null && now != was) {
                return;
            }
            Inode inode = unlink(directory, name);
            if (inode != null) {
                inode.removedHere = inode.links.isEmpty() && !inode.movedElsewhere;
            }
        } finally {
            lock.unlock();
        }
    }

    /** Whether we took away the last name of a file that was known here. */
    boolean isRemoved(Inode inode) {
        return names(inode) == 0;
    }

    /** Whether the last name of a file is being taken away, or given to another. */
    boolean isBeingRemoved(Inode inode) {
        lock.lock();
        try {
            return inode.removing || inode.replacedBy != null;
        } finally {
            lock.unlock();
        }
    }

    /**
     * How many names are known of a file that the server does not number, nor count its names; of
     * others 1; 0 once we took away the last.
     */
    int names(Inode inode) {
        lock.lock();
        try {
            if (inode.hidden || inode.removedHere) {
                return 0;
            }
            return inode.serverFileId == 0 ? Math.max(1, inode.links.size()) : 1;
        } finally {
            lock.unlock();
        }
    }

    /** Whether an inode found before is still in the table. */
    @GuardedBy("lock")
    boolean isCurrent(Inode inode) {
        return byNumber.get(inode.ino) == inode;
    }

    /** Counts one more look-up by a door. */
    @GuardedBy("lock")
    void hold(Inode inode) {
        inode.lookups++;
    }

    /** Gives back look-ups; the inode goes when nobody needs it. */
    void forget(long ino, long count) {
        Inode inode;
        lock.lock();
        try {
            inode = byNumber.get(ino);
            if (inode == null || inode == root) {
                return;
            }
            inode.lookups = Math.max(0, inode.lookups - count);
            if (inode.lookups > 0 || inode.openCount > 0) {
                return;
            }
        } finally {
            lock.unlock();
        }
        release(inode);
    }

    /** Tells whether something of an inode still has to reach the server. */
    interface Unsaved {
        /** Drops the clean data when nothing is unsaved; called with the inode's lock held. */
        boolean keeps(Inode inode);
    }

    /** Lets an inode go when nobody needs it, and those above that only it kept. */
    void release(Inode inode) {
        inode.lock.lock();
        try {
            lock.lock();
            try {
                if (inode.lookups > 0 || inode.openCount > 0 || hasChildren(inode)) {
                    return;
                }
            } finally {
                lock.unlock();
            }
            if (unsaved.keeps(inode)) {
                return;
            }
            lock.lock();
            try {
                dropIfUnused(inode, true);
            } finally {
                lock.unlock();
            }
        } finally {
            inode.lock.unlock();
        }
    }

    private static boolean hasChildren(Inode inode) {
        return inode.children != null && !inode.children.isEmpty();
    }

    /** We may have changed the file since it was listed: what the listing said of it is old. */
    @GuardedBy("lock")
    private static void forgetAttributes(Inode.Link link, Inode inode) {
        link.directory().attributesChanged(link.name(), inode);
        Listing listing = link.directory().listing;
        if (listing != null) {
            listing.entries()
                    .computeIfPresent(
                            link.name(),
                            (name, listed) -> new Listing.Listed(inode.ino, inode.type, null));
        }
    }

    /**
     * @param clean whether the caller knows that nothing of it is unsaved; else an inode with data
     *     stays for {@link #release}
     */
    @GuardedBy("lock")
    private void dropIfUnused(Inode start, boolean clean) {
        Inode inode = start;
        boolean known = clean;
        while (inode != root
                && inode.lookups == 0
                && inode.openCount == 0
                && !hasChildren(inode)
                && (known || inode.data == null)) {
            byNumber.remove(inode.ino);
            if (inode.serverFileId != 0) {
                byServerId.remove(inode.serverFileId, inode);
            }
            List<Inode.Link> links = List.copyOf(inode.links);
            inode.links.clear();
            Inode above = null;
            for (Inode.Link link : links) {
                link.directory().children().remove(link.name(), inode);
                forgetAttributes(link, inode);
                if (above != null && above != link.directory()) {
                    dropIfUnused(above, false); // Of a file with names in several directories.
                }
                above = link.directory();
            }
            if (above == null) {
                return;
            }
            inode = above;
            known = false;
        }
    }
}
