// SPDX-License-Identifier: Apache-2.0
package io.netfs4j.vfs;

import io.netfs4j.engine.InodeData;

import org.jspecify.annotations.Nullable;

/** Shows of an inode what only this package knows. */
public record InodePeek(long ino, long serverFileId, @Nullable InodeData data) {
    public static InodePeek of(Object inode) {
        Inode known = (Inode) inode;
        return new InodePeek(known.ino, known.serverFileId, known.data);
    }
}
