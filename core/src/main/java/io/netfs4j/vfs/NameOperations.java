// SPDX-License-Identifier: Apache-2.0
package io.netfs4j.vfs;

import io.netfs4j.base.Completion;
import io.netfs4j.base.FsError;
import io.netfs4j.base.FsException;
import io.netfs4j.base.GuardedBy;
import io.netfs4j.base.Names;
import io.netfs4j.engine.InodeData;
import io.netfs4j.server.Capability;
import io.netfs4j.server.FileType;
import io.netfs4j.server.RemotePath;
import io.netfs4j.server.RenameMode;
import io.netfs4j.server.ServerAttributes;
import io.netfs4j.trace.Counters.Counter;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * Operations on names: asked of the server, remembered here. Every one holds the {@link NamesGate}, so
 * that paths stay true while they are on their way.
 */
final class NameOperations {
    /** A file removed while open lives on under such a name, on servers that would lose it. */
    static final String HIDDEN_PREFIX = ".netfs-removed-";

    /** So many unknown names asked for within the time that a listing counts: list the directory. */
    private static final int MISSES_BEFORE_LISTING = 2;

    /** A listing is kept for look-ups up to this many entries. */
    private static final int LISTING_KEPT_MAX = 100_000;

    /** A listing of more entries is refused: its memory would be the server's to decide. */
    private static final int LISTING_ENTRIES_MAX = 10_000_000;

    private final VfsParts parts;

    /** Keeps the hidden names of two mounts of one remote apart. */
    private final String mountId;

    /** Hidden names on their way out. */
    @GuardedBy("table lock")
    private final Set<Completion<@Nullable Void>> removals = new LinkedHashSet<>();

    NameOperations(VfsParts parts) {
        this.parts = parts;
        this.mountId = Integer.toHexString(parts.environment().random().nextInt());
    }

    // ---- looking up ---------------------------------------------------------------------------

    /** The entry from what is known and fresh, held once more; null when the server must be asked. */
    @Nullable Entry known(Inode directory, String name) {
        if (name.startsWith(HIDDEN_PREFIX)) {
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
        return hold(child, false);
    }

    /** An entry for a door: with fresh attributes, or (when they must not be asked for) null. */
    private @Nullable Entry hold(Inode inode, boolean evenStale) {
        inode.lock.lock();
        try {
            if (!evenStale && !parts.coherency().isFresh(inode)) {
                return null;
            }
            parts.table().lock().lock();
            try {
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
            list(directory);
            Entry known = known(directory, name);
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

    /** The server has no such name: what was known by it is gone, unless it is still being saved. */
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
            return ++directory.misses > MISSES_BEFORE_LISTING;
        } finally {
            parts.table().lock().unlock();
        }
    }

    /** Lists a directory; call within the gate. Keeps the listing when nothing changed meanwhile. */
    Map<String, Listing.Listed> list(Inode directory) throws FsException {
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
                            if (found.size() >= LISTING_ENTRIES_MAX) {
                                throw new FsException(
                                        FsError.EFBIG,
                                        path + ": more than " + LISTING_ENTRIES_MAX + " entries");
                            }
                            if (!name.startsWith(HIDDEN_PREFIX)) {
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
            found.forEach(
                    (name, f) -> {
                        Inode child = children.get(name);
                        long ino = child == null ? parts.table().newIno() : child.ino;
                        entries.put(name, new Listing.Listed(ino, f.type(), f.attributes()));
                    });
            if (directory.nameChanges != asked) {
                // Names of ours came or went while the server was listing: show them as they are.
                children.forEach(
                        (name, child) -> {
                            if (!child.hidden) {
                                entries.putIfAbsent(
                                        name, new Listing.Listed(child.ino, child.type, null));
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
        long before;
        parts.table().lock().lock();
        try {
            Inode child = directory.children().get(name);
            if (child != null) {
                return null;
            }
            inode = parts.table().enter(directory, name, a, listed.ino(), parts.nowNanos());
            parts.table().hold(inode);
            before = 0;
        } finally {
            parts.table().lock().unlock();
        }
        inode.lock.lock();
        try {
            parts.coherency().apply(inode, a, before);
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
                directory.listing.entries().put(name, new Listing.Listed(inode.ino, a.type(), null));
            }
            if (a.type() == FileType.DIRECTORY) {
                // A new directory is known whole: it is empty.
                inode.listing = new Listing(new HashMap<>(), parts.nowNanos());
            }
            directory.misses = 0;
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
                .shared(
                        () -> {
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
                .shared(
                        () -> {
                            RemotePath path = parts.table().path(directory).child(name);
                            ServerAttributes a =
                                    parts.server().link(parts.table().path(inode), path);
                            parts.table().lock().lock();
                            try {
                                parts.table().link(directory, name, inode);
                                parts.table().hold(inode);
                                if (directory.listing != null) {
                                    directory
                                            .listing
                                            .entries()
                                            .put(
                                                    name,
                                                    new Listing.Listed(
                                                            inode.ino, inode.type, null));
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
    private void touch(Inode directory) {
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

    // ---- removing -----------------------------------------------------------------------------

    void unlink(Inode directory, String name) throws FsException {
        Names.check(name);
        Inode seen = parts.table().child(directory, name);
        if (seen != null && mustHide(seen)) {
            // Hiding is a rename.
            parts.gate().alone(() -> unlinkNow(directory, name));
        } else {
            parts.gate().shared(() -> unlinkNow(directory, name));
        }
    }

    private @Nullable Void unlinkNow(Inode directory, String name) throws FsException {
        Inode child = parts.table().child(directory, name);
        RemotePath path = parts.table().path(directory).child(name);
        if (child != null && mustHide(child)) {
            hide(child, directory, name, path);
        } else {
            parts.server().remove(path);
            discardUnopened(child);
            removed(directory, name);
        }
        touch(directory);
        if (child != null) {
            lostName(child);
        }
        return null;
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

    private RemotePath hiddenPath(Inode child, RemotePath directory) {
        return directory.child(HIDDEN_PREFIX + mountId + "-" + Long.toHexString(child.ino));
    }

    /** The file stays on the server, under a name of ours, for those who have it open. */
    private void hide(Inode child, Inode directory, String name, RemotePath path)
            throws FsException {
        RemotePath hidden = hiddenPath(child, path.parent());
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
                parts.engine().discard(data);
            } finally {
                child.lock.unlock();
            }
        }
    }

    private void removed(Inode directory, String name) {
        parts.table().lock().lock();
        try {
            parts.table().unlink(directory, name);
        } finally {
            parts.table().lock().unlock();
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

    /** The last open file of a removed file is gone: so goes its hidden name, in the background. */
    void removeHidden(Inode inode) {
        boolean hidden;
        parts.table().lock().lock();
        try {
            hidden = inode.hidden && !inode.links.isEmpty();
            inode.hidden = false;
        } finally {
            parts.table().lock().unlock();
        }
        if (!hidden) {
            return;
        }
        Completion<@Nullable Void> removal = new Completion<>();
        parts.table().lock().lock();
        try {
            removals.add(removal);
        } finally {
            parts.table().lock().unlock();
        }
        parts.environment().scheduler().fork("netfs-remove", () -> removeHidden(inode, removal));
    }

    private void removeHidden(Inode inode, Completion<@Nullable Void> removal) {
        try {
            parts.gate()
                    .<@Nullable Void>alone(
                            () -> {
                                removeHiddenName(inode);
                                return null;
                            });
        } catch (FsException e) {
            // The name stays on the server; its file was removed as far as anyone here can see.
            parts.engine().counters().add(Counter.ERRORS, 1);
        } finally {
            parts.table().lock().lock();
            try {
                removals.remove(removal);
            } finally {
                parts.table().lock().unlock();
            }
            removal.complete(null);
        }
    }

    void awaitRemovals() throws FsException {
        List<Completion<@Nullable Void>> pending;
        parts.table().lock().lock();
        try {
            pending = new ArrayList<>(removals);
        } finally {
            parts.table().lock().unlock();
        }
        for (Completion<@Nullable Void> removal : pending) {
            parts.environment().waits().await(removal);
        }
    }

    private void removeHiddenName(Inode inode) throws FsException {
        List<Inode.Link> links;
        RemotePath path;
        parts.table().lock().lock();
        try {
            links = new ArrayList<>(inode.links);
        } finally {
            parts.table().lock().unlock();
        }
        if (links.isEmpty()) {
            return;
        }
        path = parts.table().path(inode);
        try {
            parts.server().remove(path);
        } finally {
            removed(links.get(0).directory(), links.get(0).name());
        }
    }

    void removeDirectory(Inode parent, String name) throws FsException {
        Names.check(name);
        parts.gate()
                .alone(
                        () -> {
                            RemotePath path = parts.table().path(parent).child(name);
                            Inode child = parts.table().child(parent, name);
                            if (child != null) {
                                moveHiddenUp(child, parent);
                            }
                            parts.server().removeDirectory(path);
                            removed(parent, name);
                            touch(parent);
                            if (child != null) {
                                lostName(child);
                            }
                            return null;
                        });
    }

    /** Removed files that are still open must not keep their directory from being removed. */
    private void moveHiddenUp(Inode directory, Inode parent) throws FsException {
        List<Inode> hidden = new ArrayList<>();
        parts.table().lock().lock();
        try {
            if (directory.children != null) {
                for (Inode child : directory.children.values()) {
                    if (!child.hidden) {
                        return;
                    }
                    hidden.add(child);
                }
            }
        } finally {
            parts.table().lock().unlock();
        }
        for (Inode child : hidden) {
            RemotePath from = parts.table().path(child);
            RemotePath to = parts.table().path(parent).child(from.name());
            parts.server().rename(from, to, RenameMode.REPLACE);
            moved(directory, from.name(), parent, to.name(), child);
        }
    }

    // ---- renaming -----------------------------------------------------------------------------

    void rename(Inode from, String name, Inode to, String newName, RenameMode mode)
            throws FsException {
        Names.check(name);
        Names.check(newName);
        parts.gate()
                .alone(
                        () -> {
                            renameAlone(from, name, to, newName, mode);
                            return null;
                        });
    }

    private void renameAlone(Inode from, String name, Inode to, String newName, RenameMode mode)
            throws FsException {
        RemotePath source = parts.table().path(from).child(name);
        RemotePath target = parts.table().path(to).child(newName);
        if (source.equals(target)) {
            return;
        }
        Inode moving = parts.table().child(from, name);
        Inode replaced = parts.table().child(to, newName);
        if (moving != null && moving == replaced && mode == RenameMode.REPLACE) {
            return;
        }
        boolean keptAside = mode == RenameMode.REPLACE && replaced != null && keepAside(replaced);
        if (mode == RenameMode.REPLACE && replaced != moving) {
            // Only after the rename would be too late: an upload under way would go on.
            parts.server().rename(source, target, mode);
            discardUnopened(replaced);
        } else {
            parts.server().rename(source, target, mode);
        }
        if (mode == RenameMode.EXCHANGE) {
            exchanged(from, name, to, newName);
        } else {
            if (replaced != null) {
                replaced(to, newName, replaced, keptAside, target);
            }
            moved(from, name, to, newName, moving);
        }
        touch(from);
        touch(to);
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
        parts.server().link(path, hiddenPath(replaced, path.parent()));
        return true;
    }

    private void replaced(
            Inode directory, String name, Inode target, boolean keptAside, RemotePath path) {
        parts.table().lock().lock();
        try {
            target.lookups++;
            parts.table().unlink(directory, name);
            if (keptAside) {
                target.hidden = true;
                parts.table().link(directory, hiddenPath(target, path.parent()).name(), target);
            }
            target.lookups--;
        } finally {
            parts.table().lock().unlock();
        }
        lostName(target);
    }

    private void moved(
            Inode from, String name, Inode to, String newName, @Nullable Inode moving) {
        parts.table().lock().lock();
        try {
            if (moving == null) {
                parts.table().unlink(from, name);
                to.nameChanges++;
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
            }
            if (b != null) {
                parts.table().link(from, name, b);
                b.lookups--;
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
