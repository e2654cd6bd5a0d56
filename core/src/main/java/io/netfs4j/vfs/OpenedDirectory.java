// SPDX-License-Identifier: Apache-2.0
package io.netfs4j.vfs;

import org.jspecify.annotations.Nullable;

import java.util.List;

/** An open directory of a {@link CachedVfs}: the names it had when it was first read. */
final class OpenedDirectory implements OpenDirectory {
    /** One entry of the snapshot. */
    record Named(String name, Listing.Listed listed) {}

    final Inode inode;

    /** Taken when first read from the beginning; replaced when read from the beginning again. */
    volatile @Nullable List<Named> entries;

    OpenedDirectory(Inode inode) {
        this.inode = inode;
    }

    @Override
    public long ino() {
        return inode.ino;
    }

    void release() {
        entries = null;
    }
}
