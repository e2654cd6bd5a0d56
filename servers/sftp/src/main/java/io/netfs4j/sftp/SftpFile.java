// SPDX-License-Identifier: Apache-2.0
package io.netfs4j.sftp;

import io.netfs4j.base.Completion;
import io.netfs4j.base.FsError;
import io.netfs4j.base.FsException;
import io.netfs4j.request.Destination;
import io.netfs4j.request.Subrequest;
import io.netfs4j.request.Termination;
import io.netfs4j.server.AttributeChange;
import io.netfs4j.server.CoherencyToken;
import io.netfs4j.server.ServerAttributes;
import io.netfs4j.server.ServerFile;
import io.netfs4j.server.WriteSession;

import org.jspecify.annotations.Nullable;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicReference;

/**
 * One open file: each piece is one READ or WRITE at its offset, many in flight, of the size that
 * the server's limits allow. A piece whose connection is lost ends as retry-later; writing it again
 * at the same offset does no harm.
 *
 * <p>A server that was restarted may have forgotten what it acknowledged and had not stored: the
 * protocol has no verifier that would tell (NFS has one). What {@code fsync} covers is safe. Nor
 * can a lost connection be fenced off: what it had delivered to the server's machine is still
 * written there, within moments as a rule, before a new connection can have been made.
 *
 * <p><b>Threads</b>: as {@link ServerFile} says.
 */
final class SftpFile implements ServerFile {
    /** Handles that turn out bad in a row, for one thing asked. */
    private static final int BAD_HANDLES_MAX = 3;

    /** ext4's limit, 16 TiB: where a larger size fails without a reason, this is the reason. */
    private static final long SIZE_BYTES_LIKELY_MAX = 1L << 44;

    /** One copy on the server's side: it answers nothing else meanwhile. */
    private static final long COPY_BYTES_MAX = 16L << 20;

    private final Wiring wiring;
    private final FileHandle handle;
    private final Destination reads = new Reads();

    /** What the server said last; its times stand in where only one of two is to be set. */
    private volatile ServerAttributes known;

    SftpFile(Wiring wiring, FileHandle handle, ServerAttributes known) {
        this.wiring = wiring;
        this.handle = handle;
        this.known = known;
    }

    @Override
    public Destination reads() {
        return reads;
    }

    @Override
    public WriteSession begin(@Nullable CoherencyToken base) {
        return new Writes();
    }

    @Override
    public boolean isReadable() {
        return handle.access().reads();
    }

    @Override
    public boolean isWritable() {
        return handle.access().writes();
    }

    @Override
    public void close() {
        handle.close();
    }

    private Greeting greeting() {
        SftpConnection now = wiring.link().now();
        return now == null ? Greeting.UNTOLD : now.greeting();
    }

    // ---- pieces ----

    private final class Reads implements Destination {
        @Override
        public int estimateBytes(long position) {
            return greeting().readBytesMax();
        }

        @Override
        public boolean issue(Subrequest offer, Runnable whenReady) {
            return offered(offer, whenReady, null);
        }
    }

    /**
     * Offset writes need no session on the server. But the first piece on another connection than
     * the one before is sent back, and so is the commit: while there was none, another client may
     * have gone on, and whoever writes is to look first.
     */
    private final class Writes implements WriteSession {
        private final AtomicReference<@Nullable SftpConnection> on =
                new AtomicReference<>(wiring.link().now());

        /** There was none when it began: whoever began it had looked over one before that. */
        private final AtomicBoolean begunWithout = new AtomicBoolean(on.get() == null);

        /** Whether pieces went over that connection all the time, as far as is known. */
        boolean isStillOn(SftpConnection connection) {
            SftpConnection before = on.getAndSet(connection);
            boolean without = begunWithout.getAndSet(false);
            return before == null ? !without : before.equals(connection);
        }

        /** Whoever writes hears of the loss: the next piece may go over any connection. */
        void tell() {
            on.set(null);
        }

        @Override
        public int estimateBytes(long position) {
            return greeting().writeBytesMax();
        }

        @Override
        public boolean issue(Subrequest offer, Runnable whenReady) {
            return offered(offer, whenReady, this);
        }

        @Override
        public void keep(long position, long length) {
            // What is not written stays.
        }

        @Override
        public void commit(AttributeChange times, Completion<ServerAttributes> done) {
            inBackground(done, () -> setAttributes(times, this));
        }

        @Override
        public void abort() {
            // Nothing is held for the session.
        }
    }

    /**
     * Sends a piece, or asks for one.
     *
     * @param session what it is written in; null to read
     */
    private boolean offered(Subrequest offer, Runnable whenReady, @Nullable Writes session) {
        boolean write = session != null;
        FileHandle.OnServer open;
        try {
            if (!write && !isReadable()) {
                throw new FsException(FsError.EBADF, pathText() + " is open for writing only");
            }
            open = handle.tryPin(whenReady);
        } catch (FsException e) {
            offer.take(offer.length());
            offer.terminated(new Termination.Failed(e));
            return true;
        }
        if (open == null) {
            return false;
        }
        Greeting greeting = open.connection().greeting();
        int most = write ? greeting.writeBytesMax() : greeting.readBytesMax();
        int bytes = (int) Math.min(offer.length(), most);
        FlightWindow window = write ? wiring.writes() : wiring.reads();
        if (!window.tryEnter(bytes, whenReady)) {
            handle.unpin();
            return false;
        }
        offer.take(bytes);
        if (session != null && !session.isStillOn(open.connection())) {
            window.leave(bytes);
            handle.unpin();
            FsException lost = new FsException(FsError.ENOTCONN, "the connection was lost before");
            offer.terminated(new Termination.RetryLater(true, 0, lost));
            return true;
        }
        PacketWriter request =
                new PacketWriter(write ? Protocol.WRITE : Protocol.READ)
                        .string(open.bytes())
                        .u64(offer.position())
                        .u32(bytes);
        Call.Outcome outcome = new PieceOutcome(offer, open, window, session);
        open.connection()
                .send(
                        write
                                ? Call.write(request, offer, outcome)
                                : Call.read(request, offer, outcome));
        return true;
    }

    /** Turns the answer to one READ or WRITE into a termination. */
    private final class PieceOutcome implements Call.Outcome {
        private final Subrequest piece;
        private final FileHandle.OnServer open;
        private final FlightWindow window;
        private final @Nullable Writes session;

        PieceOutcome(
                Subrequest piece,
                FileHandle.OnServer open,
                FlightWindow window,
                @Nullable Writes session) {
            this.piece = piece;
            this.open = open;
            this.window = window;
            this.session = session;
        }

        @Override
        public void replied(Reply reply) {
            boolean write = piece.direction() == Subrequest.Direction.WRITE;
            if (reply.type() == Protocol.DATA) {
                end(
                        reply.dataBytes() == piece.length()
                                ? Termination.DONE
                                : new Termination.Short(reply.dataBytes()));
            } else if (reply.isOk()) {
                end(Termination.DONE);
            } else if (reply.status() == Protocol.EOF && !write) {
                end(new Termination.EndOfFile(0));
            } else if (StatusErrors.of(reply.status()) == FsError.ENOENT
                    || StatusErrors.of(reply.status()) == FsError.EBADF) {
                // Of a handle this can only be said when the server does not know it.
                handle.bad(open);
                end(
                        new Termination.RetryLater(
                                false, 0, StatusErrors.exception(FsError.EBADF, reply, what())));
            } else if (write && reply.status() == Protocol.FAILURE) {
                wiring.environment().scheduler().fork("netfs-sftp-diagnose", () -> explain(reply));
            } else {
                end(new Termination.Failed(StatusErrors.exception(reply, what())));
            }
        }

        @Override
        public void lost(Loss loss) {
            if (session != null) {
                session.tell();
            }
            end(
                    loss.closed()
                            ? new Termination.Failed(loss.cause())
                            : new Termination.RetryLater(!loss.violated(), 0, loss.cause()));
        }

        private void explain(Reply reply) {
            FsException why;
            try {
                why =
                        wiring.diagnosis()
                                .notWritten(
                                        open.connection(),
                                        reply,
                                        open.bytes(),
                                        piece.length(),
                                        what());
            } catch (Exchange.Lost | ProtocolViolation | FsException e) {
                why = StatusErrors.exception(reply, what());
            }
            end(new Termination.Failed(why));
        }

        private String what() {
            return pathText() + " at " + piece.position();
        }

        private void end(Termination termination) {
            window.leave((int) piece.length());
            handle.unpin();
            piece.terminated(termination);
        }
    }

    private String pathText() {
        try {
            return handle.source().path().toString();
        } catch (FsException e) {
            return "a removed file";
        }
    }

    // ---- the whole file ----

    @Override
    public void sync(Completion<@Nullable Void> done) {
        inBackground(
                done,
                () -> {
                    withHandle(open -> {
                        if (!open.connection().greeting().offers(Protocol.FSYNC)) {
                            return null;
                        }
                        Reply reply =
                                wiring.exchange()
                                        .call(
                                                open.connection(),
                                                Exchange.Ask.status(
                                                        PacketWriter.extended(Protocol.FSYNC)
                                                                .string(open.bytes())));
                        if (!reply.isOk()) {
                            throw handleError(open, reply, 1);
                        }
                        return null;
                    });
                    return null;
                });
    }

    @Override
    public ServerAttributes attributes() throws FsException {
        return withHandle(
                open -> remember(open, wiring.exchange().call(open.connection(), stat(open))));
    }

    @Override
    public ServerAttributes setAttributes(AttributeChange change) throws FsException {
        return setAttributes(change, null);
    }

    /**
     * @param session which has to be on one connection with that; null when there is none
     */
    private ServerAttributes setAttributes(AttributeChange change, @Nullable Writes session)
            throws FsException {
        return withHandle(open -> {
            if (session != null && !session.isStillOn(open.connection())) {
                throw new FsException(FsError.ENOTCONN, "the connection was lost before");
            }
            List<Exchange.Ask> asks = new ArrayList<>();
            for (WireAttributes step : AttributeSteps.of(change, known)) {
                asks.add(Exchange.Ask.status(setStat(open, step)));
            }
            asks.add(stat(open));
            List<Reply> replies =
                    wiring.exchange().calls(open.connection(), asks.toArray(Exchange.Ask[]::new));
            for (Reply reply : replies) {
                if (!reply.isOk()) {
                    throw notSet(open, reply, change);
                }
            }
            return remember(open, replies.get(replies.size() - 1));
        });
    }

    /** A size cannot be set by a handle that was opened for reading. */
    private PacketWriter setStat(FileHandle.OnServer open, WireAttributes step) throws FsException {
        PacketWriter request =
                step.sizeBytes() == null || isWritable()
                        ? new PacketWriter(Protocol.FSETSTAT).string(open.bytes())
                        : new PacketWriter(Protocol.SETSTAT)
                                .string(wiring.paths().of(handle.source().path()));
        return request.attributes(step);
    }

    private FsException notSet(FileHandle.OnServer open, Reply reply, AttributeChange change)
            throws FsException, Exchange.Lost, ProtocolViolation {
        Long size = change.sizeBytes();
        if (reply.status() == Protocol.FAILURE && size != null && size > SIZE_BYTES_LIKELY_MAX) {
            return StatusErrors.exception(FsError.EFBIG, reply, pathText());
        }
        return handleError(open, reply, 1);
    }

    @Override
    public long copyRange(ServerFile source, long from, long to, long count) throws FsException {
        if (!(source instanceof SftpFile other) || !other.wiring.equals(wiring)) {
            throw new FsException(FsError.ENOTSUP, "the files are not on the same server");
        }
        long available = Math.max(0, other.attributes().sizeBytes() - from);
        long bytes = Math.min(Math.min(count, available), COPY_BYTES_MAX);
        if (bytes == 0) {
            return 0;
        }
        return other.withHandle(read -> {
            FileHandle.OnServer write = handle.pin();
            try {
                return copy(read, from, write, to, bytes);
            } finally {
                handle.unpin();
            }
        });
    }

    private long copy(
            FileHandle.OnServer read, long from, FileHandle.OnServer write, long to, long bytes)
            throws FsException, Exchange.Lost, ProtocolViolation {
        if (write.connection() != read.connection()) {
            throw new Exchange.Lost(
                    new Loss(
                            new FsException(FsError.ENOTCONN, "one of two handles is lost"),
                            false,
                            false));
        }
        if (!read.connection().greeting().offers(Protocol.COPY_DATA)) {
            throw new FsException(FsError.ENOTSUP, "the server does not copy");
        }
        Reply reply =
                wiring.exchange()
                        .call(
                                read.connection(),
                                Exchange.Ask.status(
                                        PacketWriter.extended(Protocol.COPY_DATA)
                                                .string(read.bytes())
                                                .u64(from)
                                                .u64(bytes)
                                                .string(write.bytes())
                                                .u64(to)));
        if (!reply.isOk()) {
            // OpenSSH refuses two handles of one path, and a source that became shorter.
            FsException why = handleError(write, reply, bytes);
            throw why.error() == FsError.EIO
                    ? new FsException(FsError.ENOTSUP, "the server did not copy", why)
                    : why;
        }
        return bytes;
    }

    private static Exchange.Ask stat(FileHandle.OnServer open) {
        return Exchange.Ask.attributes(new PacketWriter(Protocol.FSTAT).string(open.bytes()));
    }

    private ServerAttributes remember(FileHandle.OnServer open, Reply reply)
            throws FsException, Exchange.Lost, ProtocolViolation {
        if (!reply.isOk()) {
            throw handleError(open, reply, 1);
        }
        ServerAttributes now = WireAttributes.read(reply.body()).toServer();
        known = now;
        return now;
    }

    /** EBADF stands for a handle that the server does not know; it is opened again. */
    private FsException handleError(FileHandle.OnServer open, Reply reply, long bytes)
            throws FsException, Exchange.Lost, ProtocolViolation {
        FsError error = StatusErrors.of(reply.status());
        if (error == FsError.ENOENT || error == FsError.EBADF) {
            handle.bad(open);
            return StatusErrors.exception(FsError.EBADF, reply, pathText());
        }
        if (error == FsError.EACCES) {
            return StatusErrors.exception(FsError.EPERM, reply, pathText());
        }
        return wiring.diagnosis()
                .notWritten(open.connection(), reply, open.bytes(), bytes, pathText());
    }

    private interface WithHandle<T extends @Nullable Object> {
        T run(FileHandle.OnServer open) throws FsException, Exchange.Lost, ProtocolViolation;
    }

    /** Runs something with the handle, over lost connections and bad handles. All is repeatable. */
    private <T extends @Nullable Object> T withHandle(WithHandle<T> step) throws FsException {
        int bad = 0;
        int violations = 0;
        while (true) {
            FileHandle.OnServer open = handle.pin();
            try {
                return step.run(open);
            } catch (Exchange.Lost e) {
                violations = e.countedOrThrow(violations);
            } catch (ProtocolViolation e) {
                FsException cause = Exchange.violated(open.connection(), e);
                if (++violations >= Exchange.VIOLATIONS_MAX) {
                    throw cause;
                }
            } catch (FsException e) {
                if (e.error() != FsError.EBADF || ++bad >= BAD_HANDLES_MAX) {
                    throw e;
                }
            } finally {
                handle.unpin();
            }
        }
    }

    private interface Waiting<T extends @Nullable Object> {
        T run() throws FsException;
    }

    private <T extends @Nullable Object> void inBackground(Completion<T> done, Waiting<T> step) {
        wiring.environment()
                .scheduler()
                .fork(
                        "netfs-sftp-file",
                        () -> {
                            try {
                                done.complete(step.run());
                            } catch (FsException e) {
                                done.fail(e);
                            } catch (RuntimeException e) {
                                done.fail(new FsException(FsError.EIO, "unexpected: " + e, e));
                            }
                        });
    }
}
