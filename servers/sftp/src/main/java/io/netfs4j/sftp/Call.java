// SPDX-License-Identifier: Apache-2.0
package io.netfs4j.sftp;

import io.netfs4j.request.Subrequest;

import org.jspecify.annotations.Nullable;

/**
 * One request on its way to the server, and who wants to know what became of it.
 *
 * <p><b>Ownership</b>: the memory of {@code piece} is touched by the connection's writer (a WRITE)
 * or by its reader (a READ) until the outcome is told, and never after.
 */
final class Call {
    /** Told once, on a thread of the connection: must not wait. */
    interface Outcome {
        void replied(Reply reply);

        /** No answer will come. Whether the server did it is not known. */
        void lost(Loss loss);
    }

    private final int type;
    private final byte[] head;
    private final @Nullable Subrequest piece;
    private final int replyType;
    private final Outcome outcome;

    /** Written by the connection's writer before the first byte leaves. */
    private volatile boolean sent;

    private Call(PacketWriter head, @Nullable Subrequest piece, int replyType, Outcome outcome) {
        this.type = head.type();
        this.piece = piece;
        this.replyType = replyType;
        this.outcome = outcome;
        this.head = head.finish(type == Protocol.WRITE && piece != null ? (int) piece.length() : 0);
    }

    /**
     * A request whose reply is a body or a status.
     *
     * @param replyType what is expected beside STATUS
     */
    static Call of(PacketWriter request, int replyType, Outcome outcome) {
        return new Call(request, null, replyType, outcome);
    }

    /** A WRITE; the request ends with the length of the data, which follow from the piece. */
    static Call write(PacketWriter request, Subrequest piece, Outcome outcome) {
        return new Call(request, piece, Protocol.STATUS, outcome);
    }

    /** A READ whose data go into the piece. */
    static Call read(PacketWriter request, Subrequest piece, Outcome outcome) {
        return new Call(request, piece, Protocol.DATA, outcome);
    }

    int type() {
        return type;
    }

    int replyType() {
        return replyType;
    }

    Outcome outcome() {
        return outcome;
    }

    @Nullable Subrequest piece() {
        return piece;
    }

    /** Whether it carries file data, which wait while requests for names overtake them. */
    boolean isData() {
        return piece != null;
    }

    boolean isSent() {
        return sent;
    }

    void setSent() {
        sent = true;
    }

    void setId(int id) {
        head[5] = (byte) (id >>> 24);
        head[6] = (byte) (id >>> 16);
        head[7] = (byte) (id >>> 8);
        head[8] = (byte) id;
    }

    /** Length of the whole packet in bytes. */
    int length() {
        return head.length + (type == Protocol.WRITE && piece != null ? (int) piece.length() : 0);
    }

    /** Copies {@code count} bytes of the packet from {@code offset}: the data's only copy. */
    void copyOut(int offset, byte[] target, int at, int count) {
        int fromHead = Math.max(0, Math.min(count, head.length - offset));
        if (fromHead > 0) {
            System.arraycopy(head, offset, target, at, fromHead);
        }
        if (count > fromHead && piece != null) {
            piece.copyOut(offset + fromHead - head.length, target, at + fromHead, count - fromHead);
        }
    }
}
