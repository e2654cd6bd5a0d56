// SPDX-License-Identifier: Apache-2.0
package io.netfs4j.engine;

import io.netfs4j.base.Completion;
import io.netfs4j.base.FsException;
import io.netfs4j.base.GuardedBy;
import io.netfs4j.server.ServerFile;

import org.jspecify.annotations.Nullable;

/**
 * What of one file the server was told to force to its stable storage ({@link ServerFile#sync}).
 *
 * <p><b>Threads</b>: with the inode's lock held.
 */
public final class Syncing {
    private final WriteErrors errors;

    /**
     * Something was committed that the server was not told to force; at first nobody knows: it may
     * have been, when the file was open before and forgotten since.
     */
    @GuardedBy("inode lock")
    private boolean needed = true;

    @GuardedBy("inode lock")
    private @Nullable Completion<@Nullable Void> underWay;

    Syncing(WriteErrors errors) {
        this.errors = errors;
    }

    /** Whether there is something to be forced. */
    public boolean isNeeded() {
        return needed;
    }

    /** The server has changed the file, or is about to say so. */
    public void need() {
        needed = true;
    }

    /** The sync under way, or null. */
    public @Nullable Completion<@Nullable Void> underWay() {
        return underWay;
    }

    /** A sync begins that covers everything committed so far. */
    public void begin(Completion<@Nullable Void> sync) {
        underWay = sync;
        needed = false;
    }

    /** It has ended; a failure concerns all who wrote, and the next sync tries again. */
    public void end(@Nullable FsException failure) {
        underWay = null;
        needed |= failure != null;
        if (failure != null) {
            errors.record(failure);
        }
    }
}
