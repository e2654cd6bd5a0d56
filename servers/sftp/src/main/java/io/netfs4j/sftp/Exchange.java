// SPDX-License-Identifier: Apache-2.0
package io.netfs4j.sftp;

import io.netfs4j.base.Completion;
import io.netfs4j.base.Environment;
import io.netfs4j.base.FsError;
import io.netfs4j.base.FsException;

import org.jspecify.annotations.Nullable;

import java.util.ArrayList;
import java.util.List;

/**
 * Sends requests and waits for their answers, over lost connections.
 *
 * <p><b>Threads</b>: waits on the calling thread, interruptibly, with no lock held.
 */
final class Exchange {
    /** One request: what is asked, and the type of the answer beside STATUS. */
    record Ask(PacketWriter request, int replyType) {
        /** One that is answered by STATUS alone. */
        static Ask status(PacketWriter request) {
            return new Ask(request, Protocol.STATUS);
        }

        static Ask attributes(PacketWriter request) {
            return new Ask(request, Protocol.ATTRS);
        }
    }

    /** No answer will come on this connection. */
    static final class Lost extends Exception {
        private static final long serialVersionUID = 1L;
        private final transient Loss loss;

        Lost(Loss loss) {
            super(loss.cause());
            this.loss = loss;
        }

        /**
         * Decides whether to go on.
         *
         * @param violations how often the server broke the protocol before
         * @return how often by now
         * @throws FsException when there is no going on
         */
        int countedOrThrow(int violations) throws FsException {
            int now = violations + (loss.violated() ? 1 : 0);
            if (loss.closed() || now >= VIOLATIONS_MAX) {
                throw loss.cause().copy();
            }
            return now;
        }
    }

    /** Something done on one connection, and again on the next if that one is lost. */
    interface Attempt<T extends @Nullable Object> {
        /**
         * @param again whether an attempt before this one was lost, so that the server may have
         *     done it already
         */
        T run(SftpConnection connection, boolean again) throws FsException, Lost, ProtocolViolation;
    }

    private record Answer(@Nullable Reply reply, @Nullable Loss loss) {}

    /** An answer that is on its way. */
    static final class Coming {
        private final Completion<Answer> answer = new Completion<>();
    }

    /** A server that breaks the protocol this often while asked one thing is believed to do so. */
    static final int VIOLATIONS_MAX = 4;

    private final Environment environment;
    private final Link link;

    /** Whether a lost connection is waited for. */
    private final boolean patient;

    Exchange(Environment environment, Link link) {
        this(environment, link, true);
    }

    private Exchange(Environment environment, Link link, boolean patient) {
        this.environment = environment;
        this.link = link;
        this.patient = patient;
    }

    /** The same, but whatever would wait for a lost connection fails with ENOTCONN. */
    Exchange impatient() {
        return new Exchange(environment, link, false);
    }

    private SftpConnection connection() throws FsException {
        SftpConnection now = patient ? link.await() : link.now();
        if (now == null) {
            throw new FsException(FsError.ENOTCONN, "there is no connection");
        }
        return now;
    }

    /**
     * Runs an attempt until a connection lasts long enough for it.
     *
     * @throws FsException what the attempt threw; ENOTCONN, ETIMEDOUT, EINTR as the link says;
     *     EPROTO
     */
    <T extends @Nullable Object> T persist(Attempt<T> attempt) throws FsException {
        boolean again = false;
        for (int violations = 0; ; ) {
            SftpConnection connection = connection();
            try {
                return attempt.run(connection, again);
            } catch (Lost e) {
                again = true;
                violations = e.countedOrThrow(violations);
                if (!patient) {
                    throw new FsException(FsError.ENOTCONN, "the connection was lost", e);
                }
            } catch (ProtocolViolation e) {
                again = true;
                FsException cause = violated(connection, e);
                if (++violations >= VIOLATIONS_MAX) {
                    throw cause;
                }
            }
        }
    }

    /** Ends a connection whose server sent what it may not. */
    static FsException violated(SftpConnection connection, ProtocolViolation e) {
        FsException cause =
                new FsException(
                        FsError.EPROTO, "the server broke the protocol: " + e.getMessage(), e);
        connection.end(new Loss(cause, true, false));
        return cause;
    }

    Reply call(SftpConnection connection, Ask ask) throws FsException, Lost {
        return calls(connection, ask).get(0);
    }

    /** Sends all in order, in flight together, and waits for all answers. */
    List<Reply> calls(SftpConnection connection, Ask... asks) throws FsException, Lost {
        List<Coming> coming = new ArrayList<>(asks.length);
        for (Ask ask : asks) {
            coming.add(start(connection, ask));
        }
        List<Reply> replies = new ArrayList<>(asks.length);
        boolean done = false;
        try {
            for (Coming answer : coming) {
                replies.add(finish(answer));
            }
            done = true;
            return replies;
        } finally {
            if (!done) {
                coming.forEach(c -> abandon(connection, c));
            }
        }
    }

    /** Sends one; {@link #finish} waits for it. */
    Coming start(SftpConnection connection, Ask ask) {
        Coming coming = new Coming();
        connection.send(
                Call.of(
                        ask.request(),
                        ask.replyType(),
                        new Call.Outcome() {
                            @Override
                            public void replied(Reply reply) {
                                coming.answer.complete(new Answer(reply, null));
                            }

                            @Override
                            public void lost(Loss loss) {
                                coming.answer.complete(new Answer(null, loss));
                            }
                        }));
        return coming;
    }

    Reply finish(Coming coming) throws FsException, Lost {
        Answer answer = environment.waits().await(link.bounded(coming.answer));
        if (answer.loss() != null) {
            throw new Lost(answer.loss());
        }
        Reply reply = answer.reply();
        if (reply == null) {
            throw new IllegalStateException("an answer is a reply or a loss");
        }
        return reply;
    }

    /** Nobody waits any more: a handle that still arrives is given back. */
    void abandon(SftpConnection connection, Coming coming) {
        coming.answer.whenDone((answer, failure) -> {
            Reply reply = answer == null ? null : answer.reply();
            if (reply != null && reply.type() == Protocol.HANDLE) {
                try {
                    closeHandle(connection, handle(reply));
                } catch (ProtocolViolation e) {
                    violated(connection, e);
                }
            }
        });
    }

    /** The handle in a reply of that type. */
    static byte[] handle(Reply reply) throws ProtocolViolation {
        return reply.body().string(Protocol.HANDLE_BYTES_MAX);
    }

    /** Gives a handle back without waiting for the answer. */
    void closeHandle(SftpConnection connection, byte[] handle) {
        connection.send(
                Call.of(
                        new PacketWriter(Protocol.CLOSE).string(handle),
                        Protocol.STATUS,
                        new Call.Outcome() {
                            @Override
                            public void replied(Reply reply) {
                                // What was written has been answered for; close adds nothing.
                            }

                            @Override
                            public void lost(Loss loss) {
                                // The handle went with the connection.
                            }
                        }));
    }
}
