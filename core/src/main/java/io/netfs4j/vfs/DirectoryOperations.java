// SPDX-License-Identifier: Apache-2.0
package io.netfs4j.vfs;

import io.netfs4j.base.FsException;
import io.netfs4j.server.FileType;

import org.jspecify.annotations.Nullable;

import java.util.ArrayList;
import java.util.List;

/**
 * Reading directories: a snapshot per open directory, so that cookies stay good while it changes.
 */
final class DirectoryOperations {
    /** Cookies 1 and 2 follow "." and ".."; entry i of the snapshot is followed by i + 3. */
    private static final int DOTS = 2;

    private final VfsParts parts;
    private final NameOperations names;
    private final Listings listings;

    private final Creations creations;

    DirectoryOperations(
            VfsParts parts, NameOperations names, Listings listings, Creations creations) {
        this.parts = parts;
        this.names = names;
        this.listings = listings;
        this.creations = creations;
    }

    OpenedDirectory open(Inode directory) {
        return new OpenedDirectory(directory);
    }

    void read(OpenedDirectory directory, long cookie, boolean plus, DirectorySink sink)
            throws FsException {
        List<OpenedDirectory.Named> entries = directory.entries;
        if (entries == null || cookie == 0) {
            entries = snapshot(directory.inode);
            directory.entries = entries;
        }
        long at = cookie;
        if (at == 0) {
            if (!sink.entry(".", directory.ino(), FileType.DIRECTORY, 1, null)) {
                return;
            }
            at = 1;
        }
        if (at == 1) {
            if (!sink.entry("..", parentIno(directory.inode), FileType.DIRECTORY, 2, null)) {
                return;
            }
            at = 2;
        }
        while (at - DOTS < entries.size()) {
            OpenedDirectory.Named named = entries.get((int) (at - DOTS));
            at++;
            if (!give(directory.inode, named, at, plus, sink)) {
                return;
            }
        }
    }

    private boolean give(
            Inode directory,
            OpenedDirectory.Named named,
            long nextCookie,
            boolean plus,
            DirectorySink sink) {
        Listing.Listed listed = named.listed();
        Entry entry = plus ? names.entryOf(directory, named.name(), listed) : null;
        Attributes attributes = entry == null ? null : entry.attributes();
        long ino = attributes == null ? listed.ino() : attributes.ino();
        FileType type = attributes == null ? listed.type() : attributes.type();
        boolean taken = sink.entry(named.name(), ino, type, nextCookie, entry);
        if (!taken && attributes != null) {
            parts.table().forget(ino, 1);
        }
        return taken;
    }

    private List<OpenedDirectory.Named> snapshot(Inode directory) throws FsException {
        List<OpenedDirectory.Named> entries = new ArrayList<>();
        creations.awaitUnlisted(directory);
        parts.gate()
                .<@Nullable Void>shared(() -> {
                    listings.list(directory)
                            .forEach((name, listed) ->
                                    entries.add(new OpenedDirectory.Named(name, listed)));
                    return null;
                });
        return entries;
    }

    private long parentIno(Inode directory) {
        parts.table().lock().lock();
        try {
            return directory.links.isEmpty()
                    ? Vfs.ROOT_INO
                    : directory.links.get(0).directory().ino;
        } finally {
            parts.table().lock().unlock();
        }
    }
}
