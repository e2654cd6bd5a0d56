// SPDX-License-Identifier: Apache-2.0
package io.netfs4j.vfs;

import io.netfs4j.base.FsException;

/** Hears of what a person should know of and nobody asked for. Any thread; must not wait. */
public interface VfsEvents {
    /**
     * Another client has changed a file that was changed here.
     *
     * @param name the file's
     * @param copy where what was changed here goes, in the same directory
     */
    void conflict(String name, String copy);

    /**
     * The journal cannot be written any more: what is not on the server is safe no longer, and what
     * is written from now on waits for the server.
     */
    default void journalFailed(FsException why) {}

    /** Nobody listens. */
    VfsEvents NONE = (name, copy) -> {};
}
