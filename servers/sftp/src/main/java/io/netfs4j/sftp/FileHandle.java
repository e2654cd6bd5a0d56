// SPDX-License-Identifier: Apache-2.0
package io.netfs4j.sftp;

import io.netfs4j.base.Completion;
import io.netfs4j.base.FsError;
import io.netfs4j.base.FsException;
import io.netfs4j.server.Access;
import io.netfs4j.server.PathSource;
import io.netfs4j.server.RemotePath;

import org.jspecify.annotations.Nullable;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.locks.ReentrantLock;

/**
 * The server's handle of one open file, opened again when the connection it belonged to is gone or
 * when it was given back to make room. By path, since the protocol knows nothing else: the file's
 * present one, asked for again when the server does not find the last.
 *
 * <p><b>Threads</b>: any; {@link #pin} waits, {@link #tryPin} does not.
 */
final class FileHandle {
    /** A handle that holds while it is pinned, on the one connection where it means something. */
    record OnServer(SftpConnection connection, byte[] bytes) {}

    /** Renames that may overtake us while we open. */
    private static final int PATHS_MAX = 8;

    private static final int OWNER_READ = 0400;
    private static final int OWNER_WRITE = 0200;

    private final Wiring wiring;
    private final PathSource source;
    private final Access access;

    private final ReentrantLock lock = new ReentrantLock();
    private @Nullable OnServer current;
    private int pins;
    private boolean closed;
    private @Nullable Completion<Boolean> opening;
    private @Nullable FsException failure;
    private List<Runnable> waiters = new ArrayList<>();

    /** Read without the lock by the table; a stale value only evicts the second best. */
    private volatile long usedNanos;

    /** One that is opened when it is pinned first. */
    FileHandle(Wiring wiring, PathSource source, Access access) {
        this.wiring = wiring;
        this.source = source;
        this.access = access;
        this.usedNanos = wiring.environment().clock().nanoTime();
    }

    /**
     * @param first just opened, under a reservation of the table's
     */
    FileHandle(Wiring wiring, PathSource source, Access access, OnServer first) {
        this(wiring, source, access);
        this.current = first;
        wiring.handles().opened(this);
    }

    PathSource source() {
        return source;
    }

    Access access() {
        return access;
    }

    long usedNanos() {
        return usedNanos;
    }

    /**
     * Pins the handle if it is open; else has it opened and returns null, and {@code whenReady} is
     * run once when that has ended.
     *
     * @throws FsException EBADF when closed, else why it could not be opened the last time, once
     */
    @Nullable OnServer tryPin(Runnable whenReady) throws FsException {
        Completion<Boolean> mine;
        lock.lock();
        try {
            OnServer open = usable();
            if (open != null) {
                return open;
            }
            FsException failed = failure;
            if (failed != null) {
                failure = null;
                throw failed.copy();
            }
            waiters.add(whenReady);
            if (opening != null) {
                return null;
            }
            mine = new Completion<>();
            opening = mine;
        } finally {
            lock.unlock();
        }
        wiring.environment().scheduler().fork("netfs-sftp-open", () -> reopen(mine));
        return null;
    }

    /**
     * Pins the handle, and opens it before if it must. Waits, for a connection too.
     *
     * @throws FsException EBADF when closed; ESTALE when the file has no path or is not at it; what
     *     the server says
     */
    OnServer pin() throws FsException {
        while (true) {
            Completion<Boolean> theirs;
            Completion<Boolean> mine = new Completion<>();
            lock.lock();
            try {
                OnServer open = usable();
                if (open != null) {
                    return open;
                }
                theirs = opening;
                if (theirs == null) {
                    opening = mine;
                }
            } finally {
                lock.unlock();
            }
            if (theirs != null) {
                wiring.environment().waits().await(theirs);
                continue;
            }
            reopen(mine);
            FsException failed = takeFailure();
            if (failed != null) {
                throw failed.copy();
            }
        }
    }

    private @Nullable FsException takeFailure() {
        lock.lock();
        try {
            FsException failed = failure;
            failure = null;
            return failed;
        } finally {
            lock.unlock();
        }
    }

    /** With the lock held: pins what is open on the present connection. */
    private @Nullable OnServer usable() throws FsException {
        if (closed) {
            throw new FsException(FsError.EBADF, "the file is closed");
        }
        OnServer open = current;
        if (open == null || !open.connection.isOpen()) {
            return null;
        }
        pins++;
        usedNanos = wiring.environment().clock().nanoTime();
        return open;
    }

    void unpin() {
        OnServer give = null;
        boolean idle;
        lock.lock();
        try {
            pins--;
            idle = pins == 0;
            if (idle && closed) {
                give = current;
                current = null;
            }
        } finally {
            lock.unlock();
        }
        if (give != null) {
            giveBack(give);
        } else if (idle) {
            wiring.handles().idle();
        }
    }

    /** The server does not know this handle, although it should. */
    void bad(OnServer handle) {
        lock.lock();
        try {
            if (!handle.equals(current)) {
                return;
            }
            current = null;
        } finally {
            lock.unlock();
        }
        wiring.handles().gone(this);
    }

    /** Gives the handle back if nothing uses it; the file stays open for its users. */
    boolean tryEvict() {
        OnServer give;
        lock.lock();
        try {
            if (pins > 0 || current == null) {
                return false;
            }
            give = current;
            current = null;
        } finally {
            lock.unlock();
        }
        giveBack(give);
        return true;
    }

    /** Gives the handle back once nothing is in flight. */
    void close() {
        OnServer give = null;
        List<Runnable> waiting;
        lock.lock();
        try {
            closed = true;
            if (pins == 0) {
                give = current;
                current = null;
            }
            waiting = waiters;
            waiters = new ArrayList<>();
        } finally {
            lock.unlock();
        }
        if (give != null) {
            giveBack(give);
        }
        waiting.forEach(wiring.environment().scheduler()::execute);
    }

    private void giveBack(OnServer handle) {
        wiring.exchange().closeHandle(handle.connection, handle.bytes);
        wiring.handles().gone(this);
    }

    private void reopen(Completion<Boolean> mine) {
        OnServer opened = null;
        FsException failed = null;
        boolean reserved = false;
        dropStale();
        try {
            wiring.handles().reserve();
            reserved = true;
            opened = wiring.exchange().persist((c, again) -> open(c));
        } catch (FsException e) {
            failed = e;
        } catch (RuntimeException e) {
            // A bug of ours; whoever waits for the handle must hear of it, not wait for ever.
            failed = new FsException(FsError.EIO, "cannot open the file again: " + e, e);
        }
        if (reserved && opened == null) {
            wiring.handles().notOpened();
        } else if (opened != null) {
            wiring.handles().opened(this);
        }
        boolean unwanted;
        List<Runnable> waiting;
        lock.lock();
        try {
            unwanted = closed && opened != null;
            if (!unwanted) {
                current = opened;
            }
            failure = failed;
            opening = null;
            waiting = waiters;
            waiters = new ArrayList<>();
        } finally {
            lock.unlock();
        }
        if (unwanted && opened != null) {
            giveBack(opened);
        }
        mine.complete(true);
        waiting.forEach(wiring.environment().scheduler()::execute);
    }

    /** A handle of a connection that has ended takes no place any more. */
    private void dropStale() {
        lock.lock();
        try {
            if (current == null) {
                return;
            }
            current = null;
        } finally {
            lock.unlock();
        }
        wiring.handles().gone(this);
    }

    private OnServer open(SftpConnection c) throws FsException, Exchange.Lost, ProtocolViolation {
        RemotePath path = source.path();
        for (int i = 0; i < PATHS_MAX; i++) {
            Reply reply = openReply(c, path);
            if (reply.isOk()) {
                OnServer opened = new OnServer(c, Exchange.handle(reply));
                RemotePath after = pathOrNull();
                if (path.equals(after)) {
                    return opened;
                }
                // A rename overtook us: what was opened may be what took our file's place.
                wiring.exchange().closeHandle(c, opened.bytes);
                path = source.path();
                continue;
            }
            FsError error = StatusErrors.of(reply.status());
            if (error == FsError.EACCES) {
                OnServer opened = openLocked(c, path);
                if (opened != null) {
                    return opened;
                }
            }
            RemotePath now = source.path();
            if (error != FsError.ENOENT || now.equals(path)) {
                throw StatusErrors.exception(
                        error == FsError.ENOENT ? FsError.ESTALE : error, reply, path.toString());
            }
            path = now;
        }
        throw new FsException(FsError.ESTALE, path + " is renamed faster than it can be opened");
    }

    private @Nullable RemotePath pathOrNull() {
        try {
            return source.path();
        } catch (FsException e) {
            // It lost its name meanwhile; the next look says so.
            return null;
        }
    }

    private Reply openReply(SftpConnection c, RemotePath path) throws FsException, Exchange.Lost {
        return wiring.exchange()
                .call(
                        c,
                        new Exchange.Ask(
                                new PacketWriter(Protocol.OPEN)
                                        .string(wiring.paths().of(path))
                                        .u32(flags(access))
                                        .attributes(WireAttributes.NONE),
                                Protocol.HANDLE));
    }

    /** Flags of OPEN for an existing file. */
    static int flags(Access access) {
        return (access.reads() ? Protocol.FLAG_READ : 0)
                | (access.writes() ? Protocol.FLAG_WRITE : 0);
    }

    /**
     * A file made with a mode that forbids its owner to write, as git makes its objects, was open
     * for writing all the same, and must be again: the owner's bits are lent for the moment of the
     * open.
     *
     * @return null when that is not what stands in the way
     */
    private @Nullable OnServer openLocked(SftpConnection c, RemotePath path)
            throws FsException, Exchange.Lost, ProtocolViolation {
        byte[] where = wiring.paths().of(path);
        Reply looked =
                wiring.exchange()
                        .call(
                                c,
                                Exchange.Ask.attributes(
                                        new PacketWriter(Protocol.LSTAT).string(where)));
        if (!looked.isOk()) {
            return null;
        }
        int mode = WireAttributes.read(looked.body()).toServer().mode();
        int needed = (access.reads() ? OWNER_READ : 0) | (access.writes() ? OWNER_WRITE : 0);
        if ((mode & needed) == needed) {
            return null;
        }
        List<Reply> replies =
                wiring.exchange()
                        .calls(
                                c,
                                setMode(where, mode | needed),
                                new Exchange.Ask(
                                        new PacketWriter(Protocol.OPEN)
                                                .string(where)
                                                .u32(flags(access))
                                                .attributes(WireAttributes.NONE),
                                        Protocol.HANDLE),
                                setMode(where, mode));
        return replies.get(1).isOk() ? new OnServer(c, Exchange.handle(replies.get(1))) : null;
    }

    private static Exchange.Ask setMode(byte[] where, int mode) {
        return Exchange.Ask.status(
                new PacketWriter(Protocol.SETSTAT)
                        .string(where)
                        .attributes(WireAttributes.ofMode(mode)));
    }
}
