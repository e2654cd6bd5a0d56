// SPDX-License-Identifier: Apache-2.0
package io.netfs4j.vfs;

import io.netfs4j.engine.InodeData;

import org.jspecify.annotations.Nullable;

/** Shows of an inode what only this package knows. */
public record InodePeek(long ino, long serverFileId, @Nullable InodeData data, boolean isNamed) {
    public static InodePeek of(Object inode) {
        Inode known = (Inode) inode;
        return new InodePeek(known.ino, known.serverFileId, known.data, isNamed(known));
    }

    /** Whether it has a path, and not only one that it had. */
    private static boolean isNamed(Inode inode) {
        Inode at = inode;
        while (at.ino != Vfs.ROOT_INO) {
            Inode.Link up = at.firstLink();
            if (up == null) {
                return false;
            }
            at = up.directory();
        }
        return true;
    }
}
