// SPDX-License-Identifier: Apache-2.0
package io.netfs4j.vfs;

import io.netfs4j.base.FsError;
import io.netfs4j.base.FsException;
import io.netfs4j.base.GuardedBy;
import io.netfs4j.base.Names;
import io.netfs4j.engine.InodeData;
import io.netfs4j.server.FileType;
import io.netfs4j.server.RemotePath;
import io.netfs4j.server.ServerAttributes;

import org.jspecify.annotations.Nullable;

import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.Map;

/**
 * Operations on names: asked of the server, remembered here. Every one holds the {@link NamesGate},
 * so that paths stay true while they are on their way.
 */
final class NameOperations {
    /** A file removed while open lives on under such a name, on servers that would lose it. */
    private static final String HIDDEN_PREFIX = ".netfs-removed-";

    /**
     * So many unknown names asked for within the time that a listing counts: list the directory.
     */
    private static final int MISSES_BEFORE_LISTING = 2;

    /** So many names are listed in about the time of one look-up, when many come in one answer. */
    private static final int NAMES_PER_LOOKUP = 400;

    /** A listing is kept for look-ups up to this many entries. */
    private static final int LISTING_KEPT_MAX = 100_000;

    /** A listing of more entries is refused: its memory would be the server's to decide. */
    private static final int LISTING_ENTRIES_MAX = 10_000_000;

    private final VfsParts parts;

    /** This mount's own; what a crashed one left behind is shown, so that it can be removed. */
    private final String hiddenPrefix;

    NameOperations(VfsParts parts) {
        this.parts = parts;
        this.hiddenPrefix =
                HIDDEN_PREFIX + Integer.toHexString(parts.environment().random().nextInt()) + "-";
    }

    /** The name under which a removed file lives on. */
    String hiddenName(Inode inode) {
        return hiddenPrefix + Long.toHexString(inode.ino);
    }

    // ---- looking up ---------------------------------------------------------------------------

    /**
     * The entry from what is known and fresh, held once more; null when the server must be asked.
     */
    @Nullable Entry known(Inode directory, String name) {
        if (name.startsWith(hiddenPrefix)) {
            return negative(0);
        }
        Inode child;
        InodeTable table = parts.table();
        table.lock().lock();
        try {
            child = directory.children == null ? null : directory.children.get(name);
            if (child == null) {
                Listing listing = freshListing(directory);
                if (listing == null) {
                    return null;
                }
                Listing.Listed listed = listing.entries().get(name);
                if (listed == null) {
                    return negative(validNanos(listing));
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
        return parts.gate().shared(() -> ask(directory, name));
    }

    private Entry ask(Inode directory, String name) throws FsException {
        Inode child = parts.table().child(directory, name);
        if (child == null && isWorthListing(directory)) {
            Entry known = listedNow(directory) ? known(directory, name) : null;
            if (known != null) {
                return known;
            }
        }
        long asked = changesOf(child);
        ServerAttributes a;
        try {
            a = parts.server().stat(parts.table().path(directory).child(name));
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
            inode = parts.table().enter(directory, name, a, 0, parts.nowNanos());
            // Held before the lock is let go of: nobody may drop it in between.
            parts.table().hold(inode);
        } finally {
            parts.table().lock().unlock();
        }
        inode.lock.lock();
        try {
            parts.coherency().apply(inode, a, inode == child ? asked : inode.changes);
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
                parts.table().unlink(directory, name);
            }
        } finally {
            parts.table().lock().unlock();
        }
    }

    private Entry negative(long validNanos) {
        return new Entry(null, 0, validNanos, 0);
    }

    // ---- listing ------------------------------------------------------------------------------

    @GuardedBy("table lock")
    private @Nullable Listing freshListing(Inode directory) {
        Listing listing = directory.listing;
        return listing == null || validNanos(listing) == 0 ? null : listing;
    }

    private long validNanos(Listing listing) {
        long age = parts.nowNanos() - listing.fetchedNanos();
        return Math.max(0, parts.options().attributesValidNanos() - age);
    }

    private boolean isWorthListing(Inode directory) {
        long now = parts.nowNanos();
        parts.table().lock().lock();
        try {
            if (now - directory.missesSinceNanos > parts.options().attributesValidNanos()) {
                directory.missesSinceNanos = now;
                directory.misses = 0;
            }
            int names = directory.children == null ? 0 : directory.children.size();
            return !directory.tooLargeToList
                    && ++directory.misses > MISSES_BEFORE_LISTING + names / NAMES_PER_LOOKUP;
        } finally {
            parts.table().lock().unlock();
        }
    }

    /** Lists a directory for look-ups' sake, unless it is too large for that. */
    private boolean listedNow(Inode directory) throws FsException {
        try {
            list(directory, LISTING_KEPT_MAX);
            return true;
        } catch (FsException e) {
            if (e.error() != FsError.EFBIG) {
                throw e;
            }
            parts.table().lock().lock();
            try {
                directory.tooLargeToList = true;
            } finally {
                parts.table().lock().unlock();
            }
            return false;
        }
    }

    Map<String, Listing.Listed> list(Inode directory) throws FsException {
        return list(directory, LISTING_ENTRIES_MAX);
    }

    /**
     * Lists a directory; call within the gate. Keeps the listing when nothing changed meanwhile.
     */
    private Map<String, Listing.Listed> list(Inode directory, int entriesMax) throws FsException {
        long asked;
        long askedNanos = parts.nowNanos();
        parts.table().lock().lock();
        try {
            Listing fresh = freshListing(directory);
            if (fresh != null) {
                return new LinkedHashMap<>(fresh.entries());
            }
            asked = directory.nameChanges;
        } finally {
            parts.table().lock().unlock();
        }
        Map<String, Found> found = new LinkedHashMap<>();
        RemotePath path = parts.table().path(directory);
        parts.server()
                .list(
                        path,
                        (name, type, attributes) -> {
                            if (found.size() >= entriesMax) {
                                throw new FsException(
                                        FsError.EFBIG,
                                        path + ": more than " + entriesMax + " entries");
                            }
                            if (!name.startsWith(hiddenPrefix)) {
                                found.put(name, new Found(type, attributes));
                            }
                        });
        return keep(directory, found, asked, askedNanos);
    }

    private record Found(FileType type, @Nullable ServerAttributes attributes) {}

    private Map<String, Listing.Listed> keep(
            Inode directory, Map<String, Found> found, long asked, long askedNanos) {
        Map<String, Listing.Listed> entries = new LinkedHashMap<>();
        parts.table().lock().lock();
        try {
            Map<String, Inode> children = directory.children();
            found.forEach((name, f) -> {
                Inode child = children.get(name);
                long ino = child == null ? parts.table().newIno() : child.ino;
                entries.put(name, new Listing.Listed(ino, f.type(), f.attributes()));
            });
            if (directory.nameChanges != asked) {
                // Names of ours came or went while the server was listing: show them as they are.
                children.forEach((name, child) -> {
                    if (!child.hidden) {
                        entries.putIfAbsent(name, new Listing.Listed(child.ino, child.type, null));
                    }
                });
            } else if (entries.size() <= LISTING_KEPT_MAX) {
                directory.listing = new Listing(new HashMap<>(entries), askedNanos);
            }
        } finally {
            parts.table().lock().unlock();
        }
        return entries;
    }

    /** The whole entry of a listed name, held once more, when its attributes are known. */
    @Nullable Entry entryOf(Inode directory, String name, Listing.Listed listed) {
        Entry known = known(directory, name);
        if (known != null) {
            return known.isNegative() ? null : known;
        }
        ServerAttributes a = listed.attributes();
        if (a == null) {
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
            parts.table().hold(inode);
            if (directory.listing != null) {
                directory
                        .listing
                        .entries()
                        .put(name, new Listing.Listed(inode.ino, a.type(), null));
            }
            if (a.type() == FileType.DIRECTORY) {
                // A new directory is known whole: it is empty.
                inode.listing = new Listing(new HashMap<>(), parts.nowNanos());
            }
            return inode;
        } finally {
            parts.table().lock().unlock();
        }
    }

    /** What makes a name on the server. */
    interface Maker {
        ServerAttributes make(RemotePath path) throws FsException;
    }

    Entry make(Inode directory, String name, Maker maker) throws FsException {
        Names.check(name);
        return parts.gate()
                .shared(() -> {
                    RemotePath path = parts.table().path(directory).child(name);
                    ServerAttributes a = maker.make(path);
                    Inode inode = enterNew(directory, name, a);
                    touch(directory);
                    inode.lock.lock();
                    try {
                        return parts.coherency().entry(inode);
                    } finally {
                        inode.lock.unlock();
                    }
                });
    }

    Entry link(Inode inode, Inode directory, String name) throws FsException {
        Names.check(name);
        return parts.gate()
                .shared(() -> {
                    RemotePath path = parts.table().path(directory).child(name);
                    ServerAttributes a = parts.server().link(parts.table().path(inode), path);
                    parts.table().lock().lock();
                    try {
                        parts.table().link(directory, name, inode);
                        parts.table().hold(inode);
                        if (directory.listing != null) {
                            directory
                                    .listing
                                    .entries()
                                    .put(name, new Listing.Listed(inode.ino, inode.type, null));
                        }
                    } finally {
                        parts.table().lock().unlock();
                    }
                    touch(directory);
                    inode.lock.lock();
                    try {
                        inode.takeOwners(a);
                        inode.changes++;
                        return parts.coherency().entry(inode);
                    } finally {
                        inode.lock.unlock();
                    }
                });
    }

    /** A directory's times and link count have moved on the server: ask again when they matter. */
    void touch(Inode directory) {
        directory.lock.lock();
        try {
            directory.changes++;
            directory.fetchedNanos = Long.MIN_VALUE;
            directory.modified = parts.coherency().now();
            directory.changed = directory.modified;
        } finally {
            directory.lock.unlock();
        }
    }
}
