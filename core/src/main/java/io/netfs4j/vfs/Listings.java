// SPDX-License-Identifier: Apache-2.0
package io.netfs4j.vfs;

import io.netfs4j.base.FsError;
import io.netfs4j.base.FsException;
import io.netfs4j.base.GuardedBy;
import io.netfs4j.engine.InodeData;
import io.netfs4j.server.FileType;
import io.netfs4j.server.RemotePath;
import io.netfs4j.server.ServerAttributes;

import org.jspecify.annotations.Nullable;

import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.Map;

/**
 * What directories hold: asked of the server whole, believed for a while, and kept true by our own
 * changes, also by those that are made while the server lists. Knows the names that are ours to
 * hide.
 */
final class Listings {
    /** A file removed while open lives on under such a name, on servers that would lose it. */
    private static final String HIDDEN_PREFIX = ".netfs-removed-";

    /**
     * So many names asked for that are unknown, or were asked for too long ago, within the time
     * that a listing counts: list the directory.
     */
    private static final int MISSES_BEFORE_LISTING = 2;

    /** So many names are listed in about the time of one look-up, when many come in one answer. */
    private static final int NAMES_PER_LOOKUP = 400;

    /** A listing is kept for look-ups up to this many entries. */
    private static final int LISTING_KEPT_MAX = 100_000;

    /**
     * For so long nobody else is expected to work in a directory that this mount has made: who
     * unpacks a tree is done with one of its directories by then, and those who take turns by lock
     * files have hardly heard of it. In nanoseconds.
     */
    private static final long NEW_DIRECTORY_NANOS = 30_000_000_000L;

    /** A listing of more entries is refused: its memory would be the server's to decide. */
    private static final int LISTING_ENTRIES_MAX = 10_000_000;

    private final VfsParts parts;

    /** This mount's own; what a crashed one left behind is shown, so that it can be removed. */
    private final String hiddenPrefix;

    Listings(VfsParts parts) {
        this.parts = parts;
        this.hiddenPrefix =
                HIDDEN_PREFIX + Integer.toHexString(parts.environment().random().nextInt()) + "-";
    }

    // ---- hidden names -------------------------------------------------------------------------

    /** Whether a name is one of this mount's own. */
    boolean isHidden(String name) {
        return name.startsWith(hiddenPrefix);
    }

    /** Whether a name in a directory is not an application's to see. */
    boolean isHidden(Inode directory, String name) {
        boolean shared = name.equals(UploadLocks.DIRECTORY) && directory == parts.table().root();
        return shared || isHidden(name);
    }

    /**
     * The name under which a removed file lives on.
     *
     * @param another whether one that was not used before: what failed half-way may have left the
     *     last one behind, and a rename onto a second name of the same file does nothing
     */
    String hiddenName(Inode inode, boolean another) {
        parts.table().lock().lock();
        try {
            inode.hidings += another ? 1 : 0;
            return hiddenPrefix + Long.toHexString(inode.ino) + "-" + inode.hidings;
        } finally {
            parts.table().lock().unlock();
        }
    }

    /** Whether a name on the server is one of ours that is not in use. */
    boolean isLeftOver(@Nullable Inode directory, String name) {
        parts.table().lock().lock();
        try {
            return isHidden(name)
                    && (directory == null
                            || directory.children == null
                            || !directory.children.containsKey(name));
        } finally {
            parts.table().lock().unlock();
        }
    }

    // ---- listing ------------------------------------------------------------------------------

    @GuardedBy("table lock")
    @Nullable Listing fresh(Inode directory) {
        Listing listing = directory.listing;
        // In one that the server has not got yet there is only what we put there.
        boolean counts = listing != null && (directory.pending || validNanos(listing) > 0);
        return counts ? listing : null;
    }

    /** Whether whoever makes names in a directory is taken to be this mount alone. */
    boolean isOursAlone(Inode directory) {
        long now = parts.nowNanos();
        parts.table().lock().lock();
        try {
            long made = directory.madeNanos;
            boolean recent = made != Long.MIN_VALUE && now - made < NEW_DIRECTORY_NANOS;
            return directory.pending || recent;
        } finally {
            parts.table().lock().unlock();
        }
    }

    /** A name shows on the server: one that was not here has been made by somebody else. */
    @GuardedBy("table lock")
    static void seen(Inode directory, String name) {
        Listing listing = directory.listing;
        boolean known =
                directory.children().containsKey(name)
                        || (listing != null && listing.entries().containsKey(name));
        if (!known) {
            directory.madeNanos = Long.MIN_VALUE;
        }
    }

    long validNanos(Listing listing) {
        long age = parts.nowNanos() - listing.fetchedNanos();
        return Math.max(0, parts.options().attributesValidNanos() - age);
    }

    /** Whether so many names of it are asked for that a listing is cheaper. */
    boolean isWorthListing(Inode directory) {
        long now = parts.nowNanos();
        parts.table().lock().lock();
        try {
            if (now - directory.missesSinceNanos > parts.options().attributesValidNanos()) {
                directory.missesSinceNanos = now;
                directory.misses = 0;
            }
            int known = directory.children == null ? 0 : directory.children.size();
            int names = Math.max(known, directory.namesListed);
            boolean worth = ++directory.misses > MISSES_BEFORE_LISTING + names / NAMES_PER_LOOKUP;
            // Who comes while it is being listed asks for the name alone.
            return worth && !directory.tooLargeToList && directory.listings == 0;
        } finally {
            parts.table().lock().unlock();
        }
    }

    /**
     * Lists a directory for look-ups' sake, unless it is too large for that: all that is known in
     * it is known anew.
     */
    boolean listedNow(Inode directory) throws FsException {
        Map<String, Known> before = children(directory);
        try {
            Map<String, Listing.Listed> now = list(directory, LISTING_KEPT_MAX, true);
            before.forEach((name, child) -> refresh(directory, name, child, now.get(name)));
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

    /** What was in a directory, and {@link Inode#changes} and {@link Inode#touches} of it. */
    private record Known(Inode inode, long changes, long touches) {}

    private Map<String, Known> children(Inode directory) {
        Map<String, Inode> children;
        parts.table().lock().lock();
        try {
            directory.misses = 0;
            children = new HashMap<>(directory.children());
        } finally {
            parts.table().lock().unlock();
        }
        Map<String, Known> known = new HashMap<>();
        children.forEach((name, child) -> {
            child.lock.lock();
            try {
                known.put(name, new Known(child, child.changes, child.touches));
            } finally {
                child.lock.unlock();
            }
        });
        return known;
    }

    /** Takes in what was listed of a file, where that is the one that was known by the name. */
    private void refresh(
            Inode directory, String name, Known known, Listing.@Nullable Listed listed) {
        ServerAttributes a = listed == null ? null : listed.attributes();
        Inode child = known.inode();
        if (a == null || a.type() != child.type) {
            return;
        }
        child.lock.lock();
        try {
            if (child.touches != known.touches()) {
                return; // Names of ours have moved its times since.
            }
            boolean isOpen;
            parts.table().lock().lock();
            try {
                boolean same =
                        child.serverFileId == 0
                                || a.serverFileId() == 0
                                || child.serverFileId == a.serverFileId();
                if (!same || !child.equals(directory.children().get(name))) {
                    return;
                }
                isOpen = child.openCount > 0;
            } finally {
                parts.table().lock().unlock();
            }
            InodeData data = child.data;
            if (isOpen && data != null && !a.token().equals(data.token())) {
                // Who has it open goes by what he has seen, and did not ask.
                return;
            }
            parts.coherency().apply(child, a, known.changes());
        } finally {
            child.lock.unlock();
        }
    }

    /** What there is, for who wants to see it; while the server is away, what there was. */
    Map<String, Listing.Listed> list(Inode directory) throws FsException {
        if (parts.coherency().isOffline()) {
            parts.table().lock().lock();
            try {
                Listing last = directory.listing;
                if (last != null) {
                    return new LinkedHashMap<>(last.entries());
                }
            } finally {
                parts.table().lock().unlock();
            }
        }
        return list(directory, LISTING_ENTRIES_MAX, false);
    }

    /**
     * Lists a directory; call within the gate. Keeps the listing when nothing changed meanwhile.
     *
     * @param anew whether one that still counts does not do
     */
    private Map<String, Listing.Listed> list(Inode directory, int entriesMax, boolean anew)
            throws FsException {
        Asked asked;
        parts.table().lock().lock();
        try {
            Listing fresh = fresh(directory);
            if (fresh != null && (!anew || directory.pending)) {
                return new LinkedHashMap<>(fresh.entries());
            }
            asked = new Asked(directory.unseenChanges, directory.nameChanges, parts.nowNanos());
            directory.listings++;
        } finally {
            parts.table().lock().unlock();
        }
        try {
            return keep(directory, ask(directory, entriesMax), asked);
        } finally {
            parts.table().lock().lock();
            try {
                if (--directory.listings == 0) {
                    directory.changedNames = null;
                }
            } finally {
                parts.table().lock().unlock();
            }
        }
    }

    private Map<String, Found> ask(Inode directory, int entriesMax) throws FsException {
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
                            if (!isHidden(directory, name)) {
                                found.put(name, new Found(type, attributes));
                            }
                        });
        return found;
    }

    private record Found(FileType type, @Nullable ServerAttributes attributes) {}

    /** What was known of the directory when its listing was asked for, and when that was. */
    private record Asked(long unseenChanges, long nameChanges, long nanos) {}

    private Map<String, Listing.Listed> keep(
            Inode directory, Map<String, Found> found, Asked asked) {
        Map<String, Listing.Listed> entries = new LinkedHashMap<>();
        parts.table().lock().lock();
        try {
            Map<String, Inode> children = directory.children();
            found.forEach((name, f) -> {
                Inode child = children.get(name);
                long ino = child == null ? parts.table().newIno() : child.ino;
                entries.put(name, new Listing.Listed(ino, f.type(), f.attributes()));
            });
            correct(directory, entries, asked);
            entries.keySet().forEach(name -> seen(directory, name));
            directory.namesListed = entries.size();
            if (directory.unseenChanges == asked.unseenChanges
                    && entries.size() <= LISTING_KEPT_MAX) {
                directory.listing = new Listing(new HashMap<>(entries), asked.nanos);
            }
        } finally {
            parts.table().lock().unlock();
        }
        return entries;
    }

    /**
     * Of names of ours that came or went while the server was listing, and of those that it has not
     * got yet, we know better.
     */
    @GuardedBy("table lock")
    private static void correct(Inode directory, Map<String, Listing.Listed> entries, Asked asked) {
        Map<String, Inode> children = directory.children();
        if (directory.changedNames != null) {
            directory.changedNames.forEach((name, change) -> {
                if (change.number() <= asked.nameChanges) {
                    return; // Another listing, asked for earlier, is still under way.
                }
                if (change.now() == null) {
                    entries.remove(name);
                } else if (change.came() || entries.containsKey(name)) {
                    entries.put(name, change.now());
                }
            });
        }
        if (directory.pendingChildren > 0) {
            children.forEach((name, child) -> {
                if (child.pending) {
                    entries.put(name, new Listing.Listed(child.ino, child.type, null));
                }
            });
        }
    }

    /** A name of ours has come. */
    @GuardedBy("table lock")
    static void add(Inode directory, String name, Inode inode) {
        Listing listing = directory.listing;
        if (listing != null && listing.entries().size() >= LISTING_KEPT_MAX) {
            directory.listing = null;
        } else if (listing != null) {
            listing.entries().put(name, new Listing.Listed(inode.ino, inode.type, null));
        }
    }
}
