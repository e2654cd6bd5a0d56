// SPDX-License-Identifier: Apache-2.0
package io.netfs4j.sftp;

import io.netfs4j.base.Completion;

/** The first packets of a connection: section 4 of the draft. */
final class Hello {
    /** Enough for a few hundred extensions. */
    private static final int VERSION_BYTES_MAX = 64 * 1024;

    /** A server that greets with text has a shell start-up file that writes to everybody. */
    private static final int TEXT_FIRST = 0x20202020;

    private Hello() {}

    /** INIT: our version stands where a request has its id. */
    static Call call() {
        Call call =
                Call.of(
                        new PacketWriter(Protocol.INIT),
                        Protocol.VERSION,
                        new Call.Outcome() {
                            @Override
                            public void replied(Reply reply) {
                                throw new IllegalStateException("VERSION is no reply");
                            }

                            @Override
                            public void lost(Loss loss) {
                                throw new IllegalStateException("INIT is not in the table");
                            }
                        });
        call.setId(Protocol.VERSION_NUMBER);
        return call;
    }

    /** Checks the head of VERSION and tells how many bytes follow. */
    static int bodyLength(byte[] head) throws ProtocolViolation {
        PacketReader reader = new PacketReader(head);
        int length = reader.u32();
        if (length < 5 || length > VERSION_BYTES_MAX) {
            throw new ProtocolViolation(
                    Integer.compareUnsigned(length, TEXT_FIRST) >= 0
                            ? "it greets with text: does a start-up file of the account's shell"
                                    + " write something?"
                            : "a greeting of " + length + " bytes");
        }
        int type = head[4] & 0xFF;
        int version =
                (head[5] & 0xFF) << 24
                        | (head[6] & 0xFF) << 16
                        | (head[7] & 0xFF) << 8
                        | (head[8] & 0xFF);
        if (type != Protocol.VERSION || version != Protocol.VERSION_NUMBER) {
            throw new ProtocolViolation(
                    "greeting of type " + type + ", version " + Integer.toUnsignedString(version));
        }
        return length - 5;
    }

    /** An outcome that a thread waits for. */
    static Call.Outcome into(Completion<Reply> completion) {
        return new Call.Outcome() {
            @Override
            public void replied(Reply reply) {
                completion.complete(reply);
            }

            @Override
            public void lost(Loss loss) {
                completion.fail(loss.cause());
            }
        };
    }
}
