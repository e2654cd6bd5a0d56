// SPDX-License-Identifier: Apache-2.0
package io.netfs4j.sftp;

/**
 * What the server answered to one request.
 *
 * @param type {@link Protocol#STATUS}, or the type the request asked for
 * @param status for STATUS its code, else {@link Protocol#OK}
 * @param message what the server wrote beside a status, for people
 * @param body the rest of another reply; empty for STATUS and DATA
 * @param dataBytes for DATA how many bytes were delivered
 */
record Reply(int type, int status, String message, PacketReader body, int dataBytes) {
    private static final PacketReader NOTHING = new PacketReader(new byte[0]);

    static Reply status(int code, String message) {
        return new Reply(Protocol.STATUS, code, message, NOTHING, 0);
    }

    static Reply data(int bytes) {
        return new Reply(Protocol.DATA, Protocol.OK, "", NOTHING, bytes);
    }

    static Reply body(int type, byte[] body) {
        return new Reply(type, Protocol.OK, "", new PacketReader(body), 0);
    }

    boolean isOk() {
        return status == Protocol.OK;
    }
}
