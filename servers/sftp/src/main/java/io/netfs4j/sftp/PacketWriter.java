// SPDX-License-Identifier: Apache-2.0
package io.netfs4j.sftp;

import java.nio.charset.StandardCharsets;
import java.util.Arrays;

/**
 * Builds one request: the head is left blank for the id, the length is reckoned at the end.
 *
 * <p><b>Threads</b>: one.
 */
final class PacketWriter {
    private static final int FIRST_BYTES = 128;

    private final int type;
    private byte[] bytes = new byte[FIRST_BYTES];
    private int at = Protocol.HEAD_BYTES;

    PacketWriter(int type) {
        this.type = type;
    }

    /** An extended request: its name comes first. */
    static PacketWriter extended(String name) {
        return new PacketWriter(Protocol.EXTENDED).string(name.getBytes(StandardCharsets.US_ASCII));
    }

    int type() {
        return type;
    }

    PacketWriter u32(int value) {
        room(4);
        bytes[at++] = (byte) (value >>> 24);
        bytes[at++] = (byte) (value >>> 16);
        bytes[at++] = (byte) (value >>> 8);
        bytes[at++] = (byte) value;
        return this;
    }

    PacketWriter u64(long value) {
        return u32((int) (value >>> 32)).u32((int) value);
    }

    PacketWriter string(byte[] value) {
        u32(value.length);
        room(value.length);
        System.arraycopy(value, 0, bytes, at, value.length);
        at += value.length;
        return this;
    }

    PacketWriter attributes(WireAttributes attributes) {
        attributes.write(this);
        return this;
    }

    /**
     * The request without its id.
     *
     * @param payloadBytes how many bytes follow that are not in here
     */
    byte[] finish(int payloadBytes) {
        byte[] done = Arrays.copyOf(bytes, at);
        int length = at - 4 + payloadBytes;
        done[0] = (byte) (length >>> 24);
        done[1] = (byte) (length >>> 16);
        done[2] = (byte) (length >>> 8);
        done[3] = (byte) length;
        done[4] = (byte) type;
        return done;
    }

    private void room(int more) {
        if (bytes.length - at < more) {
            bytes = Arrays.copyOf(bytes, Math.max(bytes.length * 2, at + more));
        }
    }
}
