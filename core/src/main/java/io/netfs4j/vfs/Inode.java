// SPDX-License-Identifier: Apache-2.0
package io.netfs4j.vfs;

import io.netfs4j.base.FsException;
import io.netfs4j.base.GuardedBy;
import io.netfs4j.engine.InodeData;
import io.netfs4j.engine.PendingAttributes;
import io.netfs4j.server.FileType;
import io.netfs4j.server.RemotePath;
import io.netfs4j.server.ServerAttributes;

import org.jspecify.annotations.Nullable;

import java.time.Instant;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.locks.ReentrantLock;

/**
 * A file as the mount knows it, by number. Numbers are never used again, so that a number stands
 * for one file for the life of the mount.
 *
 * <p><b>Threads</b>: attributes and data with {@link #lock} held (the inode lock); names, counts
 * and children with the lock of the {@link InodeTable}. The inode lock is the outer one.
 */
final class Inode {
    /** A name of it: a directory and an entry there. */
    record Link(Inode directory, String name) {}

    /** To whom the server gives new files. */
    record Owners(int uid, int gid) {}

    final long ino;
    final FileType type;
    final ReentrantLock lock = new ReentrantLock();

    // Names: guarded by the table's lock.

    /** The first is the one that paths are made of. Empty for the root, and once unlinked. */
    @GuardedBy("table lock")
    final List<Link> links = new ArrayList<>(1);

    /** The name that it lost last: for messages. */
    @GuardedBy("table lock")
    @Nullable Link lastLink;

    /** Known entries, of a directory. */
    @GuardedBy("table lock")
    @Nullable Map<String, Inode> children;

    /** What a listing said, of a directory, while it is fresh. */
    @GuardedBy("table lock")
    @Nullable Listing listing;

    /** Raised when a name came that is not known here: a listing from before lacks it. */
    @GuardedBy("table lock")
    long unseenChanges;

    /** Look-ups that doors have not given back. */
    @GuardedBy("table lock")
    long lookups;

    @GuardedBy("table lock")
    int openCount;

    /** When and how often an unknown name in it was asked for: reason to list it whole. */
    @GuardedBy("table lock")
    long missesSinceNanos;

    @GuardedBy("table lock")
    int misses;

    /** A listing for look-ups' sake was given up: it has too many entries. */
    @GuardedBy("table lock")
    boolean tooLargeToList;

    /** One of its names went that we did not take away: it may have another that is not known. */
    @GuardedBy("table lock")
    boolean movedElsewhere;

    /** The last of its names was taken away by us. */
    @GuardedBy("table lock")
    boolean removedHere;

    /** It was removed while open, and lives on under this name of ours until it is closed. */
    @GuardedBy("table lock")
    boolean hidden;

    /** How many hidden names it has had. */
    @GuardedBy("table lock")
    int hidings;

    @GuardedBy("table lock")
    long serverFileId;

    /**
     * The server has not got it yet; {@link InodeData#creation} is the same thing to the engine.
     */
    @GuardedBy("table lock")
    boolean pending;

    /** Where it goes by a rename under way; null without one. */
    @GuardedBy("table lock")
    @Nullable Link movingTo;

    /** Its last name is being taken away. */
    @GuardedBy("table lock")
    boolean removing;

    /** What the journal knows its hidden name by; 0 where it knows none. */
    @GuardedBy("table lock")
    long leftOver;

    /** What is being renamed over it; null without that. */
    @GuardedBy("table lock")
    @Nullable RemotePath replacedBy;

    /** The server has it, although it still counts as pending. */
    @GuardedBy("lock")
    boolean isThere;

    /**
     * An earlier mount left it in the journal: what the server has under its name may be its own,
     * although the journal has not been told so.
     */
    @GuardedBy("lock")
    boolean found;

    /** The size that the server is being asked to set; -1 without that. */
    @GuardedBy("lock")
    long truncatingTo = -1;

    /**
     * As {@link #truncatingTo}, where nothing is to be cut off that has come to lie behind it: the
     * least size.
     */
    @GuardedBy("lock")
    long growingTo = -1;

    /** Whether it takes the place of what the server turns out to have: it was opened O_TRUNC. */
    @GuardedBy("lock")
    boolean truncates;

    /** Files in it that the server has not got yet, of a directory. */
    @GuardedBy("table lock")
    int pendingChildren;

    /** Whose new files in it are; null until the server has made one for us, or after a refusal. */
    @GuardedBy("table lock")
    @Nullable Owners owners;

    /**
     * When the server made it for us, of a directory; Long.MIN_VALUE when it did not, or when a
     * name has shown in it since that is not of this mount.
     */
    @GuardedBy("table lock")
    long madeNanos = Long.MIN_VALUE;

    /** Names that the server is being asked to make, and by how many: null when none. */
    @GuardedBy("table lock")
    @Nullable Map<String, Integer> making;

    /** How its files are opened; null until one is, to be read. */
    @GuardedBy("table lock")
    LookAhead.@Nullable Walk walk;

    /** How many names the last listing of it had. */
    @GuardedBy("table lock")
    int namesListed;

    /** Listings of it under way. */
    @GuardedBy("table lock")
    int listings;

    /**
     * Names of ours that came (with what they stand for) or went (null) while it was being listed;
     * null when none did.
     */
    @GuardedBy("table lock")
    @Nullable Map<String, NameChange> changedNames;

    /** Counts them: a listing knows by itself what came before it was asked for. */
    @GuardedBy("table lock")
    long nameChanges;

    /**
     * A name that came or went, and its number.
     *
     * @param came false when it was there before, and only its attributes may be others
     */
    record NameChange(long number, Listing.@Nullable Listed now, boolean came) {}

    // Attributes and data: guarded by the inode lock.

    @GuardedBy("lock")
    long sizeBytes;

    @GuardedBy("lock")
    int mode;

    @GuardedBy("lock")
    int uid;

    @GuardedBy("lock")
    int gid;

    @GuardedBy("lock")
    int linkCount;

    @GuardedBy("lock")
    Instant accessed;

    @GuardedBy("lock")
    Instant modified;

    @GuardedBy("lock")
    Instant changed;

    /** When the server was last heard of it; Long.MIN_VALUE when that does not count any more. */
    @GuardedBy("lock")
    long fetchedNanos;

    /** Raised when the server has changed owners, permission bits or times for us. */
    @GuardedBy("lock")
    long ownerChanges;

    /** What the server said before anybody asked; null when it did not. */
    @GuardedBy("lock")
    LookAhead.@Nullable Answer ahead;

    /** Raised by every change of ours: an answer to a question asked before it does not count. */
    @GuardedBy("lock")
    long changes;

    /** One of its names went, and the server has it under others that are not known here. */
    @GuardedBy("lock")
    boolean livesOn;

    /** Counts names that came and went, of a directory: each moves its times. */
    @GuardedBy("lock")
    long touches;

    /** What the server said to permission bits and times that were to be set; null when told. */
    @GuardedBy("lock")
    @Nullable FsException attributesRefused;

    /** Keeps other mounts from saving it; null when it is not being saved. */
    @GuardedBy("lock")
    @Nullable UploadLock uploadLock;

    /** Of files with data on a server with coarse times; else null. */
    @GuardedBy("lock")
    @Nullable VersionDates dates;

    /** Set when first opened. */
    @GuardedBy("lock")
    volatile @Nullable InodeData data;

    @GuardedBy("lock")
    @Nullable String symlinkTarget;

    Inode(long ino, ServerAttributes a, long nowNanos) {
        this.ino = ino;
        this.type = a.type();
        this.serverFileId = a.serverFileId();
        this.sizeBytes = a.sizeBytes();
        this.mode = a.mode();
        this.uid = a.uid();
        this.gid = a.gid();
        this.linkCount = a.links();
        this.accessed = a.accessed();
        this.modified = a.modified();
        this.changed = a.changed();
        this.fetchedNanos = nowNanos;
    }

    /** The one that paths are made of; null when it has no name. */
    @GuardedBy("table lock")
    @Nullable Link firstLink() {
        return links.isEmpty() ? null : links.get(0);
    }

    /** Another known name of it; null when there is none. */
    @GuardedBy("table lock")
    @Nullable Link otherName(Link than) {
        return links.stream().filter(link -> !link.equals(than)).findFirst().orElse(null);
    }

    boolean isDirectory() {
        return type == FileType.DIRECTORY;
    }

    /** A name in it has come, or gone when it stands for nothing now. */
    @GuardedBy("table lock")
    void nameChanged(String name, @Nullable Inode now) {
        if (listings > 0) {
            Listing.Listed listed =
                    now == null || now.hidden ? null : new Listing.Listed(now.ino, now.type, null);
            changedNames().put(name, new NameChange(++nameChanges, listed, true));
        }
    }

    /** What a listing under way says of a file in it may be from before we changed that. */
    @GuardedBy("table lock")
    void attributesChanged(String name, Inode file) {
        if (listings > 0 && !file.hidden) {
            NameChange before = changedNames().get(name);
            boolean came = before != null && before.came;
            Listing.Listed listed = new Listing.Listed(file.ino, file.type, null);
            changedNames().put(name, new NameChange(++nameChanges, listed, came));
        }
    }

    @GuardedBy("table lock")
    private Map<String, NameChange> changedNames() {
        Map<String, NameChange> changed = changedNames;
        if (changed == null) {
            changed = new HashMap<>();
            changedNames = changed;
        }
        return changed;
    }

    @GuardedBy("table lock")
    Map<String, Inode> children() {
        Map<String, Inode> map = children;
        if (map == null) {
            map = new HashMap<>();
            children = map;
        }
        return map;
    }

    /** Attributes that cannot race with data of ours: everything but size, times and version. */
    @GuardedBy("lock")
    void takeOwners(ServerAttributes a) {
        InodeData kept = data;
        PendingAttributes set = kept == null ? PendingAttributes.NONE : kept.attributesOwed();
        mode = set.mode() == null ? a.mode() : set.mode();
        uid = set.uid() == null ? a.uid() : set.uid();
        gid = set.gid() == null ? a.gid() : set.gid();
        linkCount = a.links();
        changed = a.changed();
    }

    /** The server has set a size, or nobody knows whether it has. */
    @GuardedBy("lock")
    void resized() {
        truncatingTo = -1;
        growingTo = -1;
    }

    @GuardedBy("lock")
    long currentSize() {
        InodeData d = data;
        return d == null ? sizeBytes : d.sizeBytes();
    }

    @Override
    public String toString() {
        return "inode " + ino;
    }
}
