// SPDX-License-Identifier: Apache-2.0
package io.netfs4j.vfs;

import io.netfs4j.base.FsError;
import io.netfs4j.base.FsException;
import io.netfs4j.base.GuardedBy;
import io.netfs4j.engine.BackEnd;
import io.netfs4j.engine.InodeData;
import io.netfs4j.server.AttributeChange;
import io.netfs4j.server.FileType;
import io.netfs4j.server.RemotePath;
import io.netfs4j.server.Server;
import io.netfs4j.server.ServerAttributes;
import io.netfs4j.server.ServerFile;

import org.jspecify.annotations.Nullable;

/** Asking for attributes and setting them. */
final class AttributeOperations {
    /** So often the server is asked for attributes while others change them all the time. */
    private static final int ATTEMPTS_MAX = 10;

    private final VfsParts parts;
    private final OpenOperations opens;
    private final Creations creations;

    AttributeOperations(VfsParts parts, OpenOperations opens, Creations creations) {
        this.parts = parts;
        this.opens = opens;
        this.creations = creations;
    }

    @Nullable Attributes known(Inode inode) {
        inode.lock.lock();
        try {
            return parts.coherency().isFresh(inode) ? parts.coherency().attributes(inode) : null;
        } finally {
            inode.lock.unlock();
        }
    }

    long validNanos(Inode inode) {
        inode.lock.lock();
        try {
            return parts.coherency().validNanos(inode);
        } finally {
            inode.lock.unlock();
        }
    }

    Attributes get(Inode inode) throws FsException {
        return get(inode, 1);
    }

    private Attributes get(Inode inode, int attempt) throws FsException {
        Attributes known = known(inode);
        return known != null ? known : ask(inode, attempt);
    }

    /** Asks the server, whatever is known. */
    Attributes ask(Inode inode) throws FsException {
        return ask(inode, 1);
    }

    private Attributes ask(Inode inode, int attempt) throws FsException {
        InodeData data;
        ServerFile handle;
        long asked;
        inode.lock.lock();
        try {
            data = inode.data;
            if (data != null && data.creationFailure() != null) {
                // The server never got it, nor will: what we know of it is all there is.
                return parts.coherency().attributes(inode);
            }
            handle = data == null ? null : data.borrowFile();
            asked = inode.changes;
        } finally {
            inode.lock.unlock();
        }
        if (data != null && handle != null) {
            ServerAttributes a = data.useBorrowed(handle, BackEnd::attributes);
            return learn(inode, attempt, asked, a);
        }
        creations.settled(inode);
        return parts.orKnown(
                () -> known(inode),
                server -> learn(inode, attempt, asked, statByPath(inode, server)));
    }

    /** Takes in what the server said; asks once more where that is too old. */
    private Attributes learn(Inode inode, int attempt, long asked, ServerAttributes a)
            throws FsException {
        if (a.type() != inode.type) {
            throw new FsException(
                    FsError.ESTALE, "another file now: " + parts.table().describe(inode));
        }
        inode.lock.lock();
        try {
            parts.coherency().apply(inode, a, asked);
            boolean unknown = inode.fetchedNanos == Long.MIN_VALUE && inode.changes != asked;
            if (!unknown || attempt >= ATTEMPTS_MAX) {
                return parts.coherency().attributes(inode);
            }
        } finally {
            inode.lock.unlock();
        }
        // It was changed meanwhile, so that the answer is too old, and what we know is, too.
        return get(inode, attempt + 1);
    }

    private ServerAttributes statByPath(Inode inode, Server asked) throws FsException {
        return parts.gate().shared(() -> asked.stat(parts.table().path(inode)));
    }

    /** What is done with a path that stays true meanwhile. */
    interface ByPath<T> {
        T run(RemotePath path) throws FsException;
    }

    <T> T byPath(Inode inode, ByPath<T> action) throws FsException {
        creations.settled(inode);
        return parts.gate().shared(() -> action.run(parts.table().path(inode)));
    }

    Attributes set(Inode inode, AttributeChange wanted) throws FsException {
        AttributeChange change = parts.coherency().round(wanted);
        Long size = change.sizeBytes();
        if (size != null) {
            if (inode.isDirectory()) {
                throw new FsException(FsError.EISDIR, parts.table().describe(inode));
            }
            opens.sizes().truncate(inode, size);
            change = change.withoutSize();
        }
        AttributeChange rest = keep(inode, change);
        if (!rest.equals(change)) {
            parts.journalling().awaitIfWorking(inode.data);
            change = rest;
        }
        if (!change.isEmpty()) {
            creations.settled(inode);
            creations.sent(inode, change.uid() != null || change.gid() != null);
            changeOnServer(inode, change);
        }
        return get(inode);
    }

    private void changeOnServer(Inode inode, AttributeChange change) throws FsException {
        long asked;
        inode.lock.lock();
        try {
            asked = inode.changes;
        } finally {
            inode.lock.unlock();
        }
        parts.journalling().beforeChange(inode.data);
        boolean moved = creations.conflicts().hasMoved(inode);
        ServerAttributes a = parts.change(inode, inode.data, change);
        inode.lock.lock();
        try {
            InodeData data = inode.data;
            // Owners and bits at once; size, times and version only if nothing has gone on since:
            // what was written and committed meanwhile is newer than this answer.
            boolean written = data != null && (data.isUnsaved() || data.isBeingWritten());
            if (inode.changes == asked && !written) {
                forgetOthers(inode, change, a);
                parts.coherency().applyOwn(inode, a, inode.ownerChanges);
            } else {
                inode.takeOwners(a);
                if (data != null && !moved && !a.token().equals(data.token())) {
                    data.setSending(true); // By us, or by another: nobody can tell.
                    data.describe();
                }
                // No write moves the time of access, and while there is one nobody asks the server.
                boolean later = data != null && data.pendingAttributes().accessed() != null;
                if (change.accessed() != null && !later) {
                    inode.accessed = change.accessed();
                }
                // The same where nothing is to be sent that moves it: the server is not asked
                // while a request is under way, be it one that only learns the file's length.
                boolean noData = inode.type != FileType.REGULAR;
                if (change.modified() != null && data != null && (noData || !data.isToBeSent())) {
                    inode.modified = change.modified();
                }
                inode.changes++;
                inode.fetchedNanos = Long.MIN_VALUE;
            }
            inode.ownerChanges++;
            if (change.mode() != null || change.uid() != null || change.gid() != null) {
                forbid(inode);
            }
        } finally {
            inode.lock.unlock();
        }
    }

    /**
     * Another client may have changed the file since we read it: the version that the answer tells
     * is not for what we have of it then. Where we set the time ourselves that cannot be told.
     */
    @GuardedBy("inode lock")
    private void forgetOthers(Inode inode, AttributeChange change, ServerAttributes a) {
        InodeData data = inode.data;
        boolean ours =
                change.modified() == null
                        && a.modified().equals(inode.modified)
                        && a.sizeBytes() == inode.currentSize();
        if (data != null && !ours) {
            parts.coherency().drop(inode, data);
        }
    }

    /** The server may make no more files for us in there: it is asked first again. */
    private void forbid(Inode inode) {
        parts.table().lock().lock();
        try {
            inode.owners = null;
        } finally {
            parts.table().lock().unlock();
        }
    }

    /**
     * Times of a file with data on its way are kept and sent after the data, which would otherwise
     * move them; and permission bits and owners of one that this mount has made, as far as the
     * server lets us set them.
     *
     * @return what is left to be asked of the server
     */
    private AttributeChange keep(Inode inode, AttributeChange change) {
        inode.lock.lock();
        try {
            if (inode.type != FileType.REGULAR) {
                return keepByPath(inode, change);
            }
            InodeData data = inode.data;
            if (data == null || !data.isUnsaved() || data.isOnlyInDoubt()) {
                return change;
            }
            boolean ours = data.creation() != null || inode.isThere;
            boolean later = ours && parts.options().metadataWriteback();
            boolean gives = later && creations.paths().mayGive(inode, change);
            keep(
                    inode,
                    data,
                    new AttributeChange(
                            later ? change.mode() : null,
                            gives ? change.uid() : null,
                            gives ? change.gid() : null,
                            null,
                            change.accessed(),
                            change.modified()));
            return new AttributeChange(
                    later ? null : change.mode(),
                    gives ? null : change.uid(),
                    gives ? null : change.gid(),
                    null,
                    null,
                    null);
        } finally {
            inode.lock.unlock();
        }
    }

    /** As {@link #keep}, of what has no handle by which they could follow, and no data. */
    @GuardedBy("inode lock")
    private AttributeChange keepByPath(Inode inode, AttributeChange change) {
        if (change.isEmpty() || !creations.paths().mayKeep(inode, change)) {
            return change;
        }
        InodeData data = opens.dataOf(inode);
        if (data.creation() == null) {
            creations.paths().open(inode, data);
        }
        keep(inode, data, change);
        return AttributeChange.NONE;
    }

    /** Shows what is set from now on, and leaves it to the next commit. */
    @GuardedBy("inode lock")
    private void keep(Inode inode, InodeData data, AttributeChange change) {
        if (change.isEmpty()) {
            return;
        }
        if (change.mode() != null || change.uid() != null || change.gid() != null) {
            inode.ownerChanges++;
        }
        inode.mode = or(change.mode(), inode.mode);
        inode.uid = or(change.uid(), inode.uid);
        inode.gid = or(change.gid(), inode.gid);
        inode.accessed = or(change.accessed(), inode.accessed);
        inode.modified = or(change.modified(), inode.modified);
        inode.changed = parts.coherency().now();
        inode.changes++;
        data.setPendingAttributes(data.pendingAttributes().set(change));
        parts.journalling().created(data);
        parts.engine().flusher().onDirtied(data);
    }

    private static <T> T or(@Nullable T set, T known) {
        return set == null ? known : set;
    }

    String readSymlink(Inode inode) throws FsException {
        if (inode.type != FileType.SYMLINK) {
            throw new FsException(FsError.EINVAL, "not a symbolic link");
        }
        inode.lock.lock();
        try {
            if (inode.symlinkTarget != null && parts.coherency().isFresh(inode)) {
                return inode.symlinkTarget;
            }
        } finally {
            inode.lock.unlock();
        }
        String target = this.<String>byPath(inode, path -> parts.server().readSymlink(path));
        inode.lock.lock();
        try {
            inode.symlinkTarget = target;
        } finally {
            inode.lock.unlock();
        }
        return target;
    }
}
