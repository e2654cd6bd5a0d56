// SPDX-License-Identifier: Apache-2.0
package io.netfs4j.vfs;

import io.netfs4j.base.Completion;
import io.netfs4j.base.FsError;
import io.netfs4j.base.FsException;
import io.netfs4j.base.GuardedBy;
import io.netfs4j.engine.BackEnd;
import io.netfs4j.engine.InodeData;
import io.netfs4j.engine.PendingAttributes;
import io.netfs4j.request.Destination;
import io.netfs4j.request.Subrequest;
import io.netfs4j.request.Termination;
import io.netfs4j.server.AttributeChange;
import io.netfs4j.server.Capability;
import io.netfs4j.server.CoherencyToken;
import io.netfs4j.server.RemotePath;
import io.netfs4j.server.ServerAttributes;
import io.netfs4j.server.ServerFile;
import io.netfs4j.server.WriteSession;

import org.jspecify.annotations.Nullable;

import java.util.concurrent.atomic.AtomicInteger;

/**
 * Sets times, permission bits and owners of directories and symbolic links in the background. They
 * have no handle on the server: the engine is given one that sets by path what a commit of a file
 * would set. So being unsaved, the journal, pauses after a failure and unmounting are what they are
 * for files.
 *
 * <pre>
 *   kept | age | commit: names in it are made | set on the server
 * </pre>
 *
 * <p><b>Limits</b>: {@link #HANDLES_MAX} of them at once; as many requests as {@link Creations}
 * makes.
 *
 * <p><b>Threads</b>: any; each commit waits on a thread of its own.
 */
final class PathAttributes {
    /** About a kilobyte each until the server has it, and one that waits for names: 4 MiB. */
    private static final int HANDLES_MAX = 4096;

    /**
     * Who has these bits before and after can work in a directory whatever the server has by then,
     * so that nothing else has to wait for a change of others.
     */
    private static final int OWNER_BITS = 0700;

    /** Set-user-id and set-group-id: a server takes them away from what is given to others. */
    private static final int SET_ID_BITS = 06000;

    private static final int ROOT_UID = 0;

    private final VfsParts parts;
    private final Creations creations;
    private final AtomicInteger handles = new AtomicInteger();

    PathAttributes(VfsParts parts, Creations creations) {
        this.parts = parts;
        this.creations = creations;
    }

    /** Whether a change may be kept here, and set later. */
    @GuardedBy("inode lock")
    boolean mayKeep(Inode inode, AttributeChange change) {
        Integer mode = change.mode();
        boolean works =
                mode == null
                        || (inode.isDirectory() && (mode & inode.mode & OWNER_BITS) == OWNER_BITS);
        return works
                && mayGive(inode, change)
                && parts.options().metadataWriteback()
                && !parts.options().syncWrites()
                && isOurs(inode)
                && handles.get() < HANDLES_MAX;
    }

    /**
     * Whether owners may be set later, too: they are what we take them for, or the server makes
     * files for us as those of its root, who may give them to anybody.
     */
    @GuardedBy("inode lock")
    boolean mayGive(Inode inode, AttributeChange change) {
        Integer mode = change.mode();
        Integer uid = change.uid();
        Integer gid = change.gid();
        if (uid == null && gid == null) {
            return true;
        }
        boolean same = (uid == null || uid == inode.uid) && (gid == null || gid == inode.gid);
        int bits = inode.mode | (mode == null ? 0 : mode);
        return parts.server().capabilities().has(Capability.OWNERS)
                && (bits & SET_ID_BITS) == 0
                && (same || isMadeByRoot(inode));
    }

    private boolean isMadeByRoot(Inode inode) {
        parts.table().lock().lock();
        try {
            Inode.Owners made =
                    inode.links.isEmpty() ? null : inode.links.get(0).directory().owners;
            return made != null && made.uid() == ROOT_UID;
        } finally {
            parts.table().lock().unlock();
        }
    }

    /** The server lets its owner set them. */
    @GuardedBy("inode lock")
    private boolean isOurs(Inode inode) {
        parts.table().lock().lock();
        try {
            return (inode.isThere || inode.pending) && !inode.links.isEmpty() && !inode.hidden;
        } finally {
            parts.table().lock().unlock();
        }
    }

    /** Gives what the server has a handle, by which the engine sets what is kept. */
    @GuardedBy("inode lock")
    void open(Inode inode, InodeData data) {
        if (data.file() == null) {
            handles.incrementAndGet();
            data.setFile(new Handle(inode));
        }
    }

    /** What stands for a path where the engine wants a handle. */
    private final class Handle implements ServerFile, Destination {
        private final Inode inode;

        Handle(Inode inode) {
            this.inode = inode;
        }

        @Override
        public Destination reads() {
            return this;
        }

        @Override
        public int estimateBytes(long position) {
            return 1;
        }

        @Override
        public boolean issue(Subrequest offer, Runnable whenReady) {
            offer.take(offer.length());
            offer.terminated(
                    new Termination.Failed(new FsException(FsError.EISDIR, "it holds no bytes")));
            return true;
        }

        @Override
        public WriteSession begin(@Nullable CoherencyToken base) {
            return new Session(inode, this);
        }

        @Override
        public void sync(Completion<@Nullable Void> done) {
            done.complete(null); // What a server does of names it does at once.
        }

        @Override
        public ServerAttributes attributes() throws FsException {
            return set(inode, AttributeChange.NONE);
        }

        @Override
        public ServerAttributes setAttributes(AttributeChange change) throws FsException {
            return set(inode, change);
        }

        @Override
        public boolean isReadable() {
            return false;
        }

        @Override
        public boolean isWritable() {
            return true;
        }

        @Override
        public void close() {
            handles.decrementAndGet();
        }
    }

    private final class Session implements WriteSession {
        private final Inode inode;
        private final Handle handle;

        Session(Inode inode, Handle handle) {
            this.inode = inode;
            this.handle = handle;
        }

        @Override
        public int estimateBytes(long position) {
            return handle.estimateBytes(position);
        }

        @Override
        public boolean issue(Subrequest offer, Runnable whenReady) {
            return handle.issue(offer, whenReady);
        }

        @Override
        public void keep(long position, long length) {}

        @Override
        public void abort() {}

        @GuardedBy("inode lock")
        @Override
        public void commit(AttributeChange change, Completion<ServerAttributes> done) {
            long touches = inode.touches;
            parts.environment()
                    .scheduler()
                    .fork("netfs-attributes", () -> settle(inode, change, touches, done));
        }
    }

    /** Names on their way into a directory would move its times: they come first. */
    private void settle(
            Inode inode, AttributeChange change, long touches, Completion<ServerAttributes> done) {
        FsException failure = new FsException(FsError.EIO, "waiting for names broke off");
        try {
            creations.settled(inode);
            failure = null;
        } catch (FsException e) {
            failure = e;
        } finally {
            if (failure != null) {
                done.fail(failure);
            }
        }
        if (failure == null) {
            creations.start(() -> send(inode, change, touches, done));
        }
    }

    private void send(
            Inode inode, AttributeChange change, long touches, Completion<ServerAttributes> done) {
        ServerAttributes after = null;
        FsException failure = new FsException(FsError.EIO, "setting attributes broke off");
        try {
            after = setOrGone(inode, stillWanted(inode, change, touches));
        } catch (FsException e) {
            failure = e;
        } finally {
            if (after != null) {
                done.complete(after);
            } else {
                done.fail(failure);
            }
        }
    }

    /** A name that came or went since is newer than the time that was set. */
    private static AttributeChange stillWanted(Inode inode, AttributeChange change, long touches) {
        inode.lock.lock();
        try {
            return inode.touches == touches
                    ? change
                    : new AttributeChange(change.mode(), null, null, null, change.accessed(), null);
        } finally {
            inode.lock.unlock();
        }
    }

    private ServerAttributes setOrGone(Inode inode, AttributeChange change) throws FsException {
        try {
            return set(inode, change);
        } catch (FsException e) {
            inode.lock.lock();
            try {
                if (!e.isAbsence()) {
                    // The engine gives up what is not allowed: fsync of the directory tells of it.
                    boolean refused = e.error() == FsError.EPERM || e.error() == FsError.EACCES;
                    inode.attributesRefused = refused ? e : inode.attributesRefused;
                    throw e;
                }
                // Taken away or moved by another client: nothing is left to be set.
                inode.fetchedNanos = Long.MIN_VALUE;
                return parts.coherency().known(inode, token(inode));
            } finally {
                inode.lock.unlock();
            }
        }
    }

    @GuardedBy("inode lock")
    private static CoherencyToken token(Inode inode) {
        InodeData data = inode.data;
        CoherencyToken known = data == null ? null : data.token();
        return known == null ? CoherencyToken.of(inode.modified, inode.sizeBytes) : known;
    }

    private ServerAttributes set(Inode inode, AttributeChange change) throws FsException {
        return parts.gate()
                .shared(() -> {
                    RemotePath path = parts.table().path(inode);
                    return BackEnd.set(() ->
                            change.isEmpty()
                                    ? parts.server().stat(path)
                                    : parts.server().setAttributes(path, change));
                });
    }

    /**
     * What an earlier mount left to be set, of something that the server has: what it has there
     * now. Where that is another thing, or nothing, there is nothing to be set.
     */
    ServerAttributes found(Inode inode, RemotePath path) throws FsException {
        ServerAttributes there = parts.stat(path);
        if (there != null && there.type() == inode.type) {
            return there;
        }
        inode.lock.lock();
        try {
            InodeData data = inode.data;
            if (data != null) {
                data.setPendingAttributes(PendingAttributes.NONE);
            }
            return parts.coherency().known(inode, token(inode));
        } finally {
            inode.lock.unlock();
        }
    }

    /**
     * Tells, once, that the server did not allow what was set.
     *
     * @throws FsException what it said
     */
    void tellRefusal(Inode inode) throws FsException {
        FsException refused;
        inode.lock.lock();
        try {
            refused = inode.attributesRefused;
            inode.attributesRefused = null;
        } finally {
            inode.lock.unlock();
        }
        if (refused != null) {
            throw refused.copy();
        }
    }
}
