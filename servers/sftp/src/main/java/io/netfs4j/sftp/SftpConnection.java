// SPDX-License-Identifier: Apache-2.0
package io.netfs4j.sftp;

import io.netfs4j.base.Completion;
import io.netfs4j.base.Environment;
import io.netfs4j.base.FsError;
import io.netfs4j.base.FsException;
import io.netfs4j.base.Scheduler;

import org.apache.sshd.client.session.ClientSession;
import org.apache.sshd.common.io.IoWriteFuture;
import org.apache.sshd.common.session.ConnectionService;
import org.apache.sshd.common.session.Session;
import org.apache.sshd.common.session.SessionListener;
import org.apache.sshd.common.util.buffer.Buffer;
import org.jspecify.annotations.Nullable;

import java.io.IOException;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Consumer;

/**
 * One SFTP session on one SSH session, from its greeting to its end. Many requests are in flight;
 * each ends in exactly one outcome. It is never repaired: after a loss there is another connection,
 * and a late reply of the old one has nobody to reach.
 *
 * <p><b>Threads</b>: {@link #send} from any thread, never waits. Outcomes are told on MINA's
 * reading thread or on the writer's.
 */
final class SftpConnection {
    /** Encrypted bytes that may wait for the socket; beyond it the writer waits. */
    private static final int SOCKET_BYTES_MAX = 1 << 20;

    /** Calls without an answer; far above what windows and callers allow, against a leak. */
    private static final int CALLS_MAX = 1 << 16;

    private final Environment environment;
    private final ClientSession session;
    private final SftpChannel channel;
    private final Consumer<SftpConnection> onEnd;
    private final Completion<Greeting> versioned = new Completion<>();

    /** Guards the queues, the table of calls and the end. */
    private final ReentrantLock lock = new ReentrantLock();

    private final Condition changed = lock.newCondition();
    private final ArrayDeque<Call> names = new ArrayDeque<>();
    private final ArrayDeque<Call> data = new ArrayDeque<>();
    private final Map<Integer, Call> outstanding = new HashMap<>();
    private int nextId;
    private int socketBytes;
    private @Nullable Loss loss;

    /** Held while replies are taken apart, so that the end cannot overtake a copy into a piece. */
    private final ReentrantLock receiving = new ReentrantLock();

    private final ReplyReader reader;
    private final byte[] versionHead = new byte[Protocol.HEAD_BYTES];
    private int versionHeadAt;
    private byte @Nullable [] versionBody;
    private int versionBodyAt;

    /** Written by the reading thread. */
    private volatile boolean answered;

    /** Written by the opening thread when the first questions have been answered. */
    private volatile boolean greeted;

    /** Set before anyone else sees the connection. */
    private Greeting greeting = Greeting.UNTOLD;

    private SftpConnection(
            Environment environment, ClientSession session, Consumer<SftpConnection> onEnd) {
        this.environment = environment;
        this.session = session;
        this.onEnd = onEnd;
        this.reader =
                new ReplyReader(
                        new ReplyReader.Calls() {
                            @Override
                            public @Nullable Call outstanding(int id) {
                                return find(id);
                            }

                            @Override
                            public void ended(int id) {
                                forget(id);
                            }
                        });
        this.channel = new SftpChannel(this::received);
    }

    /**
     * Opens the channel, exchanges versions and asks for limits.
     *
     * @param patienceMillis for all of it
     * @param onEnd told once when it ends, on any thread: must not wait
     * @throws FsException ENOTSUP (no SFTP there), EPROTO, ETIMEDOUT, ENOTCONN, EINTR
     */
    static SftpConnection open(
            Environment environment,
            ClientSession session,
            long patienceMillis,
            Consumer<SftpConnection> onEnd)
            throws FsException {
        SftpConnection connection = new SftpConnection(environment, session, onEnd);
        boolean done = false;
        try {
            connection.openChannel(patienceMillis);
            connection.greet(patienceMillis);
            done = true;
            return connection;
        } finally {
            if (!done) {
                connection.end(
                        new Loss(new FsException(FsError.ENOTCONN, "not greeted"), false, true));
            }
        }
    }

    private void openChannel(long patienceMillis) throws FsException {
        try {
            session.getService(ConnectionService.class).registerChannel(channel);
            session.addSessionListener(
                    new SessionListener() {
                        @Override
                        public void sessionException(Session of, Throwable why) {
                            disconnected("the SSH session failed: " + why.getMessage());
                        }
                    });
            session.addCloseFutureListener(f -> disconnected("the SSH session ended"));
            channel.addCloseFutureListener(f -> disconnected("the SFTP channel ended"));
            channel.open().verify(patienceMillis);
        } catch (IOException e) {
            throw new FsException(FsError.ENOTCONN, "cannot open an SFTP channel: " + e, e);
        }
    }

    private void greet(long patienceMillis) throws FsException {
        environment.scheduler().fork("netfs-sftp-writer", this::write);
        Scheduler.Cancellable timer =
                environment
                        .scheduler()
                        .schedule(
                                () ->
                                        disconnected(
                                                "no SFTP greeting within "
                                                        + patienceMillis
                                                        + " ms"),
                                patienceMillis * 1_000_000);
        try {
            lock.lock();
            try {
                names.add(Hello.call());
                changed.signalAll();
            } finally {
                lock.unlock();
            }
            greeting = environment.waits().await(versioned);
            if (greeting.offers(Protocol.LIMITS)) {
                Completion<Reply> limits = new Completion<>();
                send(
                        Call.of(
                                PacketWriter.extended(Protocol.LIMITS),
                                Protocol.EXTENDED_REPLY,
                                Hello.into(limits)));
                Reply reply = environment.waits().await(limits);
                if (reply.type() == Protocol.EXTENDED_REPLY) {
                    greeting = greeting.withLimits(reply.body());
                }
            }
            greeted = true;
        } catch (ProtocolViolation e) {
            throw new FsException(FsError.EPROTO, "the server's limits: " + e.getMessage(), e);
        } finally {
            timer.cancel();
        }
    }

    Greeting greeting() {
        return greeting;
    }

    boolean isOpen() {
        lock.lock();
        try {
            return loss == null;
        } finally {
            lock.unlock();
        }
    }

    /** Queues a request. On a connection that has ended the outcome is told at once. */
    void send(Call call) {
        Loss ended;
        lock.lock();
        try {
            ended = loss;
            if (ended == null && outstanding.size() >= CALLS_MAX) {
                ended =
                        new Loss(
                                new FsException(FsError.EAGAIN, "too many requests at once"),
                                true,
                                false);
            }
            if (ended == null) {
                int id = nextId++;
                call.setId(id);
                outstanding.put(id, call);
                (call.isData() ? data : names).add(call);
                changed.signal();
            }
        } finally {
            lock.unlock();
        }
        if (ended != null) {
            call.outcome().lost(ended);
        }
    }

    /** Ends it. What is outstanding is told as soon as the writer has let go of it. */
    void end(Loss why) {
        lock.lock();
        try {
            if (loss != null) {
                return;
            }
            loss = why;
            changed.signalAll();
        } finally {
            lock.unlock();
        }
        channel.close(true);
        session.close(true);
        versioned.fail(why.cause());
        onEnd.accept(this);
    }

    /** Whether the server has answered anything since it greeted. */
    boolean hasAnswered() {
        return answered;
    }

    /** Why it ended; null while it has not. */
    @Nullable Loss loss() {
        lock.lock();
        try {
            return loss;
        } finally {
            lock.unlock();
        }
    }

    private void disconnected(String how) {
        end(new Loss(new FsException(FsError.ENOTCONN, how), false, false));
    }

    // ---- sending ----

    /** The writer: fills channel packets from the queues, names before data. */
    private void write() {
        String how = "the connection ended";
        try {
            Call call = next(true);
            int offset = 0;
            while (call != null) {
                int room = channel.waitForSpace();
                int want = hasMore() ? room : Math.min(room, call.length() - offset);
                Buffer packet = channel.begin(want);
                int filled = 0;
                while (call != null && filled < want) {
                    call.setSent();
                    int n = Math.min(want - filled, call.length() - offset);
                    call.copyOut(offset, packet.array(), packet.wpos() + filled, n);
                    filled += n;
                    offset += n;
                    if (offset == call.length()) {
                        call = filled < want ? next(false) : null;
                        offset = 0;
                    }
                }
                push(packet, filled);
                if (call == null) {
                    call = next(true);
                }
            }
        } catch (InterruptedException e) {
            how = "the writer was interrupted";
        } catch (IOException | RuntimeException e) {
            how = "cannot send: " + e.getMessage();
        } finally {
            disconnected(how);
            tellLost();
        }
    }

    private @Nullable Call next(boolean wait) throws InterruptedException {
        lock.lock();
        try {
            while (loss == null) {
                Call call = names.isEmpty() ? data.poll() : names.poll();
                if (call != null || !wait) {
                    return call;
                }
                changed.await();
            }
            return null;
        } finally {
            lock.unlock();
        }
    }

    private boolean hasMore() {
        lock.lock();
        try {
            return !names.isEmpty() || !data.isEmpty();
        } finally {
            lock.unlock();
        }
    }

    private void push(Buffer packet, int count) throws IOException, InterruptedException {
        lock.lock();
        try {
            while (socketBytes > SOCKET_BYTES_MAX && loss == null) {
                changed.await();
            }
            socketBytes += count;
        } finally {
            lock.unlock();
        }
        IoWriteFuture written = channel.send(packet, count);
        written.addListener(f -> {
            lock.lock();
            try {
                boolean full = socketBytes > SOCKET_BYTES_MAX;
                socketBytes -= count;
                if (full && socketBytes <= SOCKET_BYTES_MAX) {
                    changed.signalAll();
                }
            } finally {
                lock.unlock();
            }
            if (!f.isWritten()) {
                disconnected("cannot send: " + f.getException());
            }
        });
    }

    /** The writer is done and replies are not read any more: no memory of a piece is in use. */
    private void tellLost() {
        List<Call> lost;
        Loss why;
        receiving.lock();
        try {
            lock.lock();
            try {
                lost = new ArrayList<>(outstanding.values());
                outstanding.clear();
                names.clear();
                data.clear();
                why = loss;
            } finally {
                lock.unlock();
            }
        } finally {
            receiving.unlock();
        }
        if (why == null) {
            throw new IllegalStateException("told before the end");
        }
        for (Call call : lost) {
            call.outcome().lost(why);
        }
    }

    // ---- receiving ----

    private void received(byte[] bytes, int offset, int length) {
        List<ReplyReader.Ended> ended = new ArrayList<>();
        ProtocolViolation violation = null;
        receiving.lock();
        try {
            if (!isOpen()) {
                return;
            }
            int at = offset;
            int end = offset + length;
            while (at < end && !versioned.isDone()) {
                at += version(bytes, at, end - at);
            }
            reader.read(bytes, at, end - at, ended);
        } catch (ProtocolViolation e) {
            violation = e;
        } finally {
            receiving.unlock();
        }
        if (!ended.isEmpty() && greeted) {
            answered = true;
        }
        for (ReplyReader.Ended e : ended) {
            e.call().outcome().replied(e.reply());
        }
        if (violation != null) {
            end(
                    new Loss(
                            new FsException(
                                    FsError.EPROTO,
                                    "the server broke the protocol: " + violation.getMessage(),
                                    violation),
                            true,
                            false));
        }
    }

    /** VERSION has a number where replies have their id. Returns how many bytes were used. */
    private int version(byte[] bytes, int at, int available) throws ProtocolViolation {
        if (versionBody == null) {
            int n = Math.min(available, versionHead.length - versionHeadAt);
            System.arraycopy(bytes, at, versionHead, versionHeadAt, n);
            versionHeadAt += n;
            if (versionHeadAt == versionHead.length) {
                versionBody = new byte[Hello.bodyLength(versionHead)];
                versionDone();
            }
            return n;
        }
        int n = Math.min(available, versionBody.length - versionBodyAt);
        System.arraycopy(bytes, at, versionBody, versionBodyAt, n);
        versionBodyAt += n;
        versionDone();
        return n;
    }

    private void versionDone() throws ProtocolViolation {
        byte[] body = versionBody;
        if (body != null && versionBodyAt == body.length) {
            versioned.complete(Greeting.ofVersion(new PacketReader(body)));
        }
    }

    private @Nullable Call find(int id) {
        lock.lock();
        try {
            return outstanding.get(id);
        } finally {
            lock.unlock();
        }
    }

    private void forget(int id) {
        lock.lock();
        try {
            outstanding.remove(id);
        } finally {
            lock.unlock();
        }
    }
}
