// SPDX-License-Identifier: Apache-2.0
package io.netfs4j.vfs;

import io.netfs4j.base.Completion;
import io.netfs4j.base.FsError;
import io.netfs4j.base.FsException;
import io.netfs4j.engine.BackEnd;
import io.netfs4j.engine.InodeData;
import io.netfs4j.server.Access;
import io.netfs4j.server.CoherencyToken;
import io.netfs4j.server.OpenedFile;
import io.netfs4j.server.PathSource;
import io.netfs4j.server.Server;
import io.netfs4j.server.ServerAttributes;
import io.netfs4j.server.ServerFile;

import org.jspecify.annotations.Nullable;

import java.util.Objects;

/**
 * What an open has to ask the server: which version of the file stands there now, and for a handle
 * that can do what is wanted. All open files of an inode share one handle.
 */
final class Revalidation {
    /** So often is a file looked at that another client changes every second. */
    private static final int LOOKS_MAX = 3;

    /** So often a lost connection is not waited for, since there is something to go on with. */
    private static final int IMPATIENT_MAX = 3;

    private final VfsParts parts;
    private final OpenOperations opens;
    private final LookAhead ahead;

    Revalidation(VfsParts parts, OpenOperations opens) {
        this.parts = parts;
        this.opens = opens;
        this.ahead = new LookAhead(parts);
    }

    /**
     * Close-to-open: asks the server which version stands now, by a new handle where the present
     * one does not do, else by its attributes. Where times are coarse, a version of this very
     * second may be changed once more and look the same: who is to write waits until it is over.
     * Who is to read goes by what was asked ahead.
     *
     * @return whether what is cached belongs to that version
     */
    boolean revalidate(Inode inode, OpenFlags flags) throws FsException {
        boolean reads = flags.access() == Access.READ && !flags.truncate();
        boolean same = (reads && isAnswered(inode)) || look(inode, flags.access());
        if (reads) {
            ahead.opened(inode);
        }
        // Whoever empties it does not go by what is in it.
        boolean waits = flags.access().writes() && !flags.truncate();
        long unproven = unprovenNanos(inode);
        for (int n = 0; n < LOOKS_MAX && waits && unproven > 0; n++) {
            Completion<@Nullable Void> over = new Completion<>();
            parts.environment().scheduler().schedule(() -> over.complete(null), unproven);
            parts.environment().waits().await(over);
            unproven = unprovenNanos(inode);
            look(inode, flags.access());
            same = false;
        }
        return same;
    }

    /** Whether the server has said, before it was asked, that the version is the one we know. */
    private boolean isAnswered(Inode inode) {
        inode.lock.lock();
        try {
            InodeData data = inode.data;
            if (!ahead.isAnswered(inode) || data == null) {
                return false;
            }
            ServerFile handle = data.file();
            return handle == null
                    ? adoptLater(inode, data, Access.READ)
                    : BackEnd.isReadable(handle);
        } finally {
            inode.lock.unlock();
        }
    }

    private boolean look(Inode inode, Access access) throws FsException {
        for (int n = 0; ; n++) {
            Server asked = n < IMPATIENT_MAX ? parts.impatient() : parts.server();
            try {
                Boolean same = tryRevalidate(inode, access, asked);
                if (same != null) {
                    return same;
                }
            } catch (FsException e) {
                if (e.error() != FsError.ENOTCONN || n >= IMPATIENT_MAX) {
                    throw e;
                }
            }
        }
    }

    private long unprovenNanos(Inode inode) {
        inode.lock.lock();
        try {
            return parts.coherency().unprovenNanos(inode);
        } finally {
            inode.lock.unlock();
        }
    }

    /** As {@link #revalidate}; null when another opener was first and it has to be seen anew. */
    private @Nullable Boolean tryRevalidate(Inode inode, Access access, Server server)
            throws FsException {
        InodeData data;
        ServerFile handle;
        long asked;
        inode.lock.lock();
        try {
            data = inode.data;
            if (data != null && data.creation() != null) {
                // What the server has not got yet cannot have changed there.
                return true;
            }
            asked = inode.changes;
            handle = data == null ? null : data.borrowFile();
        } finally {
            inode.lock.unlock();
        }
        boolean writes = access.writes();
        if (data != null && parts.coherency().isOffline()) {
            InodeData known = data;
            boolean does = handle != null && data.useBorrowed(handle, h -> suits(h, access));
            if (does || adoptLater(inode, known, access)) {
                return true;
            }
        } else if (data != null && handle != null) {
            InodeData known = data;
            Boolean same =
                    data.useBorrowed(handle, h -> keeps(inode, known, h, access, asked, server));
            if (same != null) {
                return same;
            }
            // The others go on with the new handle too.
            writes |= BackEnd.isWritable(handle);
        }
        boolean alsoRead = handle != null && BackEnd.isReadable(handle);
        Access wanted = writes ? Access.READ_WRITE : Access.READ;
        // In the gate: the path must be this file's until the handle is.
        OpenedFile opened =
                parts.gate().shared(() -> openOnServer(inode, access, wanted, alsoRead, server));
        return adoptHandle(inode, opened, asked, handle);
    }

    /**
     * Puts a new handle in the place of the one that was seen. Where another is there by now it may
     * be able to do what this one cannot, and whoever brought it counts on that: null then.
     */
    private @Nullable Boolean adoptHandle(
            Inode inode, OpenedFile opened, long asked, @Nullable ServerFile seen) {
        inode.lock.lock();
        try {
            ServerFile present = inode.data == null ? null : inode.data.file();
            if (Objects.equals(present, seen)) {
                return adopt(inode, opened.attributes(), asked, opened.file());
            }
        } finally {
            inode.lock.unlock();
        }
        BackEnd.close(opened.file());
        return null;
    }

    /**
     * Whether the present handle does: it may be used so, and the name still stands for the version
     * that we know. By name and not by handle, for another client may have put another file there.
     *
     * @return whether the cache counts; null when a new handle is needed
     */
    private @Nullable Boolean keeps(
            Inode inode,
            InodeData data,
            ServerFile handle,
            Access access,
            long asked,
            Server server)
            throws FsException {
        if (!suits(handle, access)) {
            return null;
        }
        boolean unsaved;
        boolean named;
        inode.lock.lock();
        try {
            unsaved = data.isUnsaved();
        } finally {
            inode.lock.unlock();
        }
        parts.table().lock().lock();
        try {
            named = !inode.links.isEmpty();
        } finally {
            parts.table().lock().unlock();
        }
        if (unsaved) {
            return true;
        }
        if (!named) {
            return adopt(inode, BackEnd.attributes(handle), asked, null);
        }
        ServerAttributes a = parts.gate().shared(() -> server.stat(parts.table().path(inode)));
        boolean same;
        inode.lock.lock();
        try {
            same = a.token().equals(data.token()) || inode.changes != asked;
        } finally {
            inode.lock.unlock();
        }
        return same ? (Boolean) adopt(inode, a, asked, null) : null;
    }

    private static boolean suits(ServerFile handle, Access access) {
        return (!access.writes() || BackEnd.isWritable(handle))
                && (!access.reads() || BackEnd.isReadable(handle));
    }

    /**
     * Goes on without the server, as long as it is away, with the version that was known last: what
     * is cached of that is read, and what is written is sent only if it still stands by then.
     *
     * @return false where nothing is known, or the back end has no such handles
     */
    private boolean adoptLater(Inode inode, InodeData data, Access access) {
        inode.lock.lock();
        try {
            CoherencyToken token = data.token();
            if (token == null || !parts.coherency().isFresh(inode)) {
                return false;
            }
            // What others have open goes on with this one, too.
            Access wanted = data.file() == null ? access : Access.READ_WRITE;
            ServerFile later =
                    parts.server()
                            .openLater(
                                    parts.table().source(inode),
                                    wanted,
                                    parts.coherency().known(inode, token));
            if (later != null) {
                data.setFile(later);
            }
            return later != null;
        } finally {
            inode.lock.unlock();
        }
    }

    private OpenedFile openOnServer(
            Inode inode, Access access, Access wanted, boolean alsoRead, Server server)
            throws FsException {
        PathSource source = parts.table().source(inode);
        try {
            return server.open(source, wanted);
        } catch (FsException e) {
            // Write-only files exist; but a reader's handle cannot be given up for one.
            if (e.error() != FsError.EACCES || access != Access.WRITE || alsoRead) {
                throw e;
            }
            return server.open(source, Access.WRITE);
        }
    }

    private boolean adopt(
            Inode inode, ServerAttributes a, long asked, @Nullable ServerFile handle) {
        inode.lock.lock();
        try {
            boolean first = inode.data == null;
            long shown = inode.currentSize();
            InodeData data = opens.dataOf(inode);
            boolean same = !first && a.token().equals(data.token());
            if (first) {
                if (inode.dates != null) {
                    parts.coherency().found(inode.dates, a);
                }
                data.setToken(a.token());
                data.setSizeBytes(a.sizeBytes());
                data.setRemoteSizeBytes(a.sizeBytes());
                parts.coherency().tellOfSize(inode, shown, a.sizeBytes());
            }
            parts.coherency().apply(inode, a, asked);
            if (handle != null) {
                data.setFile(handle);
            }
            return same;
        } finally {
            inode.lock.unlock();
        }
    }
}
