// SPDX-License-Identifier: Apache-2.0
package io.netfs4j.vfs;

import io.netfs4j.server.RemotePath;

/** Shows where mounts have their locks. */
public final class LocksPeek {
    public static final String DIRECTORY = UploadLocks.DIRECTORY;

    private LocksPeek() {}

    /** The lock of a file. */
    public static RemotePath name(RemotePath path) {
        return UploadLock.name(path);
    }
}
