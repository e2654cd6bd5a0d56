// SPDX-License-Identifier: Apache-2.0
package io.netfs4j.sftp;

import io.netfs4j.request.Subrequest;

import org.jspecify.annotations.Nullable;

import java.nio.charset.StandardCharsets;
import java.util.List;

/**
 * Cuts the stream of bytes from the server into replies. Data go straight into the piece that asked
 * for them; of anything else one body at a time is held, bounded.
 *
 * <p><b>Threads</b>: one at a time, under the connection's receiving lock.
 *
 * <p><b>Errors</b>: a {@link ProtocolViolation} at the first byte that should not be there: a
 * length out of bounds, an id that is not outstanding, a type that was not asked for, more data
 * than asked. Nothing after it is read.
 */
final class ReplyReader {
    /** Finds the request that a reply belongs to. */
    interface Calls {
        /** The outstanding call, null when there is none. */
        @Nullable Call outstanding(int id);

        /** Takes it from the table. */
        void ended(int id);
    }

    /** A call and its reply. */
    record Ended(Call call, Reply reply) {}

    private static final int STATUS_MESSAGE_BYTES_MAX = 4096;

    private enum State {
        HEAD,
        BODY,
        DATA_LENGTH,
        DATA
    }

    private final Calls calls;
    private final byte[] head = new byte[Protocol.HEAD_BYTES];
    private State state = State.HEAD;
    private int headAt;
    private int type;
    private int id;
    private int left;
    private @Nullable Call call;
    private byte[] body = new byte[0];
    private int bodyAt;
    private int dataAt;

    ReplyReader(Calls calls) {
        this.calls = calls;
    }

    /** Takes bytes and adds the replies that they complete. */
    void read(byte[] bytes, int offset, int length, List<Ended> ended) throws ProtocolViolation {
        int at = offset;
        int end = offset + length;
        while (at < end) {
            switch (state) {
                case HEAD -> {
                    int n = Math.min(end - at, head.length - headAt);
                    System.arraycopy(bytes, at, head, headAt, n);
                    headAt += n;
                    at += n;
                    if (headAt == head.length) {
                        head(ended);
                    }
                }
                case BODY, DATA_LENGTH -> {
                    int n = Math.min(end - at, body.length - bodyAt);
                    System.arraycopy(bytes, at, body, bodyAt, n);
                    bodyAt += n;
                    at += n;
                    if (bodyAt == body.length) {
                        body(ended);
                    }
                }
                case DATA -> {
                    int n = Math.min(end - at, left - dataAt);
                    piece().copyIn(dataAt, bytes, at, n);
                    dataAt += n;
                    at += n;
                    if (dataAt == left) {
                        end(Reply.data(dataAt), ended);
                    }
                }
            }
        }
    }

    private void head(List<Ended> ended) throws ProtocolViolation {
        PacketReader reader = new PacketReader(head);
        int length = reader.u32();
        if (length < 5 || length > Protocol.PACKET_BYTES_MAX) {
            throw new ProtocolViolation(
                    "a packet of " + Integer.toUnsignedString(length) + " bytes");
        }
        type = head[4] & 0xFF;
        id =
                (head[5] & 0xFF) << 24
                        | (head[6] & 0xFF) << 16
                        | (head[7] & 0xFF) << 8
                        | (head[8] & 0xFF);
        left = length - 5;
        Call found = calls.outstanding(id);
        if (found == null || !found.isSent()) {
            throw new ProtocolViolation("a reply (type " + type + ") that nobody waits for");
        }
        if (type != Protocol.STATUS && type != found.replyType()) {
            throw new ProtocolViolation(
                    "a reply of type " + type + " to a request of type " + found.type());
        }
        call = found;
        bodyAt = 0;
        if (type == Protocol.DATA) {
            state = State.DATA_LENGTH;
            body = new byte[4];
        } else {
            state = State.BODY;
            body = new byte[left];
            if (left == 0) {
                body(ended);
            }
        }
    }

    private void body(List<Ended> ended) throws ProtocolViolation {
        PacketReader reader = new PacketReader(body);
        if (state == State.DATA_LENGTH) {
            int length = reader.u32();
            if (length != left - 4) {
                throw new ProtocolViolation("data whose length is not the packet's");
            }
            if (length < 1 || length > piece().length()) {
                throw new ProtocolViolation(
                        length + " bytes of data where " + piece().length() + " were asked for");
            }
            left = length;
            dataAt = 0;
            state = State.DATA;
        } else if (type == Protocol.STATUS) {
            int code = reader.u32();
            // Old servers leave the texts out.
            String message =
                    reader.remaining() == 0
                            ? ""
                            : new String(
                                    reader.string(STATUS_MESSAGE_BYTES_MAX),
                                    StandardCharsets.UTF_8);
            if (code == Protocol.OK && current().replyType() != Protocol.STATUS) {
                throw new ProtocolViolation("success without what was asked for");
            }
            end(Reply.status(code, message), ended);
        } else {
            end(Reply.body(type, body), ended);
        }
    }

    private void end(Reply reply, List<Ended> ended) {
        ended.add(new Ended(current(), reply));
        calls.ended(id);
        call = null;
        body = new byte[0];
        headAt = 0;
        state = State.HEAD;
    }

    private Call current() {
        Call now = call;
        if (now == null) {
            throw new IllegalStateException("no reply is being read");
        }
        return now;
    }

    private Subrequest piece() {
        Subrequest piece = current().piece();
        if (piece == null) {
            throw new IllegalStateException("data for a request that asked for none");
        }
        return piece;
    }
}
