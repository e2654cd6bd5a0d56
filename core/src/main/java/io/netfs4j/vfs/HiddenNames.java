// SPDX-License-Identifier: Apache-2.0
package io.netfs4j.vfs;

import io.netfs4j.base.Completion;
import io.netfs4j.base.FsError;
import io.netfs4j.base.FsException;
import io.netfs4j.base.GuardedBy;
import io.netfs4j.server.RemotePath;
import io.netfs4j.trace.Counters.Counter;

import org.jspecify.annotations.Nullable;

import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;

/** Names under which removed files lived on for those who had them open, on their way out. */
final class HiddenNames {
    /** So many names of failed removals are removed with their directory; nobody has more. */
    private static final int LEFT_OVERS_MAX = 10_000;

    private final VfsParts parts;
    private final Listings listings;

    /** Hidden names on their way out. */
    @GuardedBy("table lock")
    private final Set<Completion<@Nullable Void>> removals = new LinkedHashSet<>();

    HiddenNames(VfsParts parts, Listings listings) {
        this.parts = parts;
        this.listings = listings;
    }

    /**
     * The last open file of a removed file is gone: so goes its hidden name, in the background. The
     * inode stays until then, since only it knows the name.
     */
    void remove(Inode inode) {
        Completion<@Nullable Void> removal = new Completion<>();
        parts.table().lock().lock();
        try {
            boolean hidden = inode.hidden && !inode.links.isEmpty();
            inode.hidden = false;
            if (!hidden) {
                return;
            }
            inode.lookups++;
            removals.add(removal);
        } finally {
            parts.table().lock().unlock();
        }
        parts.environment().scheduler().fork("netfs-remove", () -> remove(inode, removal));
    }

    private void remove(Inode inode, Completion<@Nullable Void> removal) {
        try {
            parts.gate()
                    .<@Nullable Void>alone(() -> {
                        removeName(inode);
                        return null;
                    });
        } catch (FsException e) {
            // The name stays on the server; its file was removed as far as anyone here can see.
            parts.engine().counters().add(Counter.ERRORS, 1);
        } finally {
            parts.table().lock().lock();
            try {
                inode.lookups--;
                removals.remove(removal);
            } finally {
                parts.table().lock().unlock();
            }
            parts.table().release(inode);
            removal.complete(null);
        }
    }

    /** Waits until hidden names that are being removed now are gone; returns whether any were. */
    boolean awaitRemovals() throws FsException {
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
        return !pending.isEmpty();
    }

    private void removeName(Inode inode) throws FsException {
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
            parts.journalling().leavesNothing(inode);
        } finally {
            parts.uncacheName(path);
            parts.table().removed(links.get(0).directory(), links.get(0).name(), inode);
        }
    }

    /** Removes a directory; what is left in it of removals that failed goes along unseen. */
    void removeDirectory(RemotePath path, @Nullable Inode directory) throws FsException {
        try {
            parts.server().removeDirectory(path);
        } catch (FsException e) {
            if (e.error() != FsError.ENOTEMPTY || !removeLeftOvers(path, directory)) {
                throw e;
            }
            parts.server().removeDirectory(path);
        }
    }

    private boolean removeLeftOvers(RemotePath path, @Nullable Inode directory) throws FsException {
        List<String> left = new ArrayList<>();
        boolean[] others = {false};
        parts.server()
                .list(
                        path,
                        (name, type, attributes) -> {
                            if (!listings.isLeftOver(directory, name)) {
                                others[0] = true;
                            } else if (left.size() < LEFT_OVERS_MAX) {
                                left.add(name);
                            }
                        });
        if (others[0]) {
            return false;
        }
        for (String name : left) {
            parts.server().remove(path.child(name));
        }
        return true;
    }
}
