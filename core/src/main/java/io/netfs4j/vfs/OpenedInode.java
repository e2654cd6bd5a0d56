// SPDX-License-Identifier: Apache-2.0
package io.netfs4j.vfs;

import io.netfs4j.base.GuardedBy;
import io.netfs4j.engine.InodeData;
import io.netfs4j.engine.Readahead;

/** An open file of a {@link CachedVfs}. */
final class OpenedInode implements OpenFile {
    final Inode inode;
    final InodeData data;
    private final OpenFlags flags;
    private final boolean keepsKernelCache;

    /** The last write error this open file has heard of. */
    @GuardedBy("inode lock")
    long heardErrors;

    @GuardedBy("inode lock")
    final Readahead readahead;

    @GuardedBy("inode lock")
    boolean released;

    OpenedInode(
            Inode inode,
            InodeData data,
            OpenFlags flags,
            boolean keepsKernelCache,
            Readahead readahead) {
        this.inode = inode;
        this.data = data;
        this.flags = flags;
        this.keepsKernelCache = keepsKernelCache;
        this.readahead = readahead;
        this.heardErrors = data.errors().sample();
    }

    @Override
    public long ino() {
        return inode.ino;
    }

    @Override
    public OpenFlags flags() {
        return flags;
    }

    @Override
    public boolean keepsKernelCache() {
        return keepsKernelCache;
    }
}
