// SPDX-License-Identifier: Apache-2.0
package io.netfs4j.server.local;

import io.netfs4j.base.Completion;
import io.netfs4j.base.FsError;
import io.netfs4j.base.FsException;
import io.netfs4j.base.Segment;
import io.netfs4j.request.Destination;
import io.netfs4j.request.Subrequest;
import io.netfs4j.request.Termination;
import io.netfs4j.server.Access;
import io.netfs4j.server.AttributeChange;
import io.netfs4j.server.CoherencyToken;
import io.netfs4j.server.PathSource;
import io.netfs4j.server.ServerAttributes;
import io.netfs4j.server.ServerFile;
import io.netfs4j.server.WriteSession;

import org.jspecify.annotations.Nullable;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.locks.ReentrantLock;
import java.util.concurrent.locks.ReentrantReadWriteLock;

/**
 * An open file of a directory of this machine.
 *
 * <p>The JDK sets times and mode by path only. While the file has its name they are set there, once
 * the name was seen to stand for this very file; afterwards nobody but the holder of this handle
 * can see them, and they are remembered here.
 */
final class LocalFile implements ServerFile {
    private static final int ESTIMATE_BYTES = 1 << 20;

    /** The longest piece: a system call each, and a slow disk is shared fairly. */
    private static final long PIECE_BYTES_MAX = 4 << 20;

    private final LocalServer server;
    private final FileChannel channel;
    private final Path openedAs;
    private final PathSource source;
    private final Access access;
    private final Destination reads = new Pieces();

    /** Growing writes one byte at the end, which must not race with a piece that writes it too. */
    private final ReentrantReadWriteLock growing = new ReentrantReadWriteLock();

    /** The channel's own position belongs to copies alone, one at a time. */
    private final ReentrantLock copying = new ReentrantLock();

    private final AtomicBoolean closed = new AtomicBoolean();

    /** What was last seen of the file under a name. Any thread; the newest or one before. */
    private volatile ServerAttributes seen;

    LocalFile(
            LocalServer server,
            FileChannel channel,
            Path openedAs,
            PathSource source,
            Access access)
            throws FsException {
        this.server = server;
        this.channel = channel;
        this.openedAs = openedAs;
        this.source = source;
        this.access = access;
        seen = LocalAttributes.read(openedAs);
    }

    ServerAttributes seen() {
        return seen;
    }

    @Override
    public Destination reads() {
        return reads;
    }

    @Override
    public WriteSession begin(@Nullable CoherencyToken base) {
        if (!access.writes()) {
            throw new IllegalStateException(openedAs + " is open for reading only");
        }
        return new Session();
    }

    @Override
    public void sync(Completion<@Nullable Void> done) {
        server.threads()
                .post(() -> {
                    try {
                        channel.force(true);
                    } catch (IOException e) {
                        done.fail(LocalErrors.of(e, openedAs));
                        return;
                    }
                    done.complete(null);
                });
    }

    @Override
    public ServerAttributes attributes() throws FsException {
        server.requireOpen();
        return server.threads().call(this::current);
    }

    @Override
    public ServerAttributes setAttributes(AttributeChange change) throws FsException {
        server.requireOpen();
        return server.threads().call(() -> apply(change));
    }

    @Override
    public long copyRange(ServerFile from, long at, long to, long count) throws FsException {
        server.requireOpen();
        if (!(from instanceof LocalFile other) || other.server != server) {
            throw new FsException(FsError.EXDEV, "the source is on another server");
        }
        return server.threads().call(() -> copy(other, at, to, count));
    }

    @Override
    public boolean isReadable() {
        return access.reads();
    }

    @Override
    public boolean isWritable() {
        return access.writes();
    }

    @Override
    public void close() {
        if (closed.compareAndSet(false, true)) {
            server.threads().post(this::closeChannel);
        }
    }

    /** Behind the pieces in the queue, and after those under way. */
    private void closeChannel() {
        growing.writeLock().lock();
        try {
            channel.close();
        } catch (IOException e) {
            server.report(LocalErrors.of(e, openedAs));
        } finally {
            growing.writeLock().unlock();
        }
    }

    private long copy(LocalFile other, long at, long to, long count) throws FsException {
        return LocalErrors.named(
                openedAs,
                () -> {
                    copying.lock();
                    try {
                        channel.position(to);
                        long done = 0;
                        // The kernel copies where it can (copy_file_range), to our position.
                        while (done < count) {
                            long n = Math.min(count - done, PIECE_BYTES_MAX);
                            long moved = other.channel.transferTo(at + done, n, channel);
                            if (moved <= 0) {
                                break;
                            }
                            done += moved;
                        }
                        return done;
                    } finally {
                        copying.unlock();
                    }
                });
    }

    private ServerAttributes apply(AttributeChange change) throws FsException {
        Long size = change.sizeBytes();
        if (size != null) {
            resize(size);
        }
        AttributeChange rest = change.withoutSize();
        Path path = ownPath();
        if (path != null) {
            LocalAttributes.apply(path, rest);
        }
        ServerAttributes now = current();
        if (path == null) {
            now = remembered(now, rest);
        }
        seen = now;
        return now;
    }

    private void resize(long sizeBytes) throws FsException {
        LocalErrors.named(
                openedAs,
                () -> {
                    if (!access.writes() || sizeBytes < 0) {
                        throw new FsException(FsError.EINVAL, openedAs + ": cannot set its size");
                    }
                    growing.writeLock().lock();
                    try {
                        if (sizeBytes <= channel.size()) {
                            channel.truncate(sizeBytes);
                        } else {
                            channel.write(ByteBuffer.allocate(1), sizeBytes - 1);
                        }
                    } finally {
                        growing.writeLock().unlock();
                    }
                    return true;
                });
    }

    private ServerAttributes current() throws FsException {
        Path path = ownPath();
        if (path != null) {
            seen = LocalAttributes.read(path);
            return seen;
        }
        ServerAttributes last = seen;
        long size = LocalErrors.named(openedAs, channel::size);
        return new ServerAttributes(
                last.type(),
                size,
                last.mode(),
                last.uid(),
                last.gid(),
                0,
                last.accessed(),
                last.modified(),
                last.changed(),
                last.serverFileId(),
                LocalAttributes.token(last.serverFileId(), last.modified(), size));
    }

    private static ServerAttributes remembered(ServerAttributes a, AttributeChange c) {
        return new ServerAttributes(
                a.type(),
                a.sizeBytes(),
                c.mode() == null ? a.mode() : c.mode() & 07777,
                c.uid() == null ? a.uid() : c.uid(),
                c.gid() == null ? a.gid() : c.gid(),
                a.links(),
                c.accessed() == null ? a.accessed() : c.accessed(),
                c.modified() == null ? a.modified() : c.modified(),
                a.changed(),
                a.serverFileId(),
                a.token());
    }

    /** The path that stands for this very file now, or null when none is known. */
    private @Nullable Path ownPath() {
        try {
            Path path = server.paths().resolve(source.path());
            return LocalAttributes.read(path).serverFileId() == seen.serverFileId() ? path : null;
        } catch (FsException e) {
            // Any failure means the same here: it cannot be reached by a name.
            return null;
        }
    }

    /** Both directions: a piece is taken whole up to a bound and handed to the threads. */
    private class Pieces implements Destination {
        @Override
        public int estimateBytes(long position) {
            return ESTIMATE_BYTES;
        }

        @Override
        public boolean issue(Subrequest offer, Runnable whenReady) {
            if (!server.threads().admit(whenReady)) {
                return false;
            }
            offer.take(Math.min(offer.length(), PIECE_BYTES_MAX));
            server.threads().post(() -> transfer(offer));
            return true;
        }
    }

    private void transfer(Subrequest piece) {
        Termination end;
        growing.readLock().lock();
        try {
            server.requireOpen();
            end =
                    piece.direction() == Subrequest.Direction.READ
                            ? readPiece(piece)
                            : writePiece(piece);
        } catch (FsException e) {
            end = new Termination.Failed(e);
        } finally {
            growing.readLock().unlock();
        }
        server.threads().leave();
        piece.terminated(end);
    }

    private Termination readPiece(Subrequest piece) {
        if (!access.reads()) {
            return new Termination.Failed(
                    new FsException(FsError.EBADF, openedAs + " is open for writing only"));
        }
        long done = 0;
        try {
            for (Segment segment : piece.segments()) {
                ByteBuffer room = segment.view();
                room.limit((int) Math.min(room.limit(), piece.length() - done));
                while (room.hasRemaining()) {
                    int n = channel.read(room, piece.position() + done);
                    if (n < 0) {
                        return new Termination.EndOfFile(done);
                    }
                    done += n;
                }
            }
            return Termination.DONE;
        } catch (IOException e) {
            return ended(done, e);
        }
    }

    private Termination writePiece(Subrequest piece) {
        long done = 0;
        try {
            for (Segment segment : piece.segments()) {
                ByteBuffer bytes = segment.view();
                bytes.limit((int) Math.min(bytes.limit(), piece.length() - done));
                while (bytes.hasRemaining()) {
                    done += channel.write(bytes, piece.position() + done);
                }
            }
            return Termination.DONE;
        } catch (IOException e) {
            return ended(done, e);
        }
    }

    private Termination ended(long done, IOException e) {
        return done > 0
                ? new Termination.Short(done)
                : new Termination.Failed(LocalErrors.of(e, openedAs));
    }

    private final class Session extends Pieces implements WriteSession {
        @Override
        public void keep(long position, long length) {
            // An offset writer leaves alone what it is not told to write.
        }

        @Override
        public void commit(AttributeChange times, Completion<ServerAttributes> done) {
            server.threads()
                    .post(() -> {
                        ServerAttributes after;
                        try {
                            server.requireOpen();
                            after = apply(times.withoutSize());
                        } catch (FsException e) {
                            done.fail(e);
                            return;
                        }
                        done.complete(after);
                    });
        }

        @Override
        public void abort() {
            // What was written stays, as with any offset writer.
        }
    }
}
