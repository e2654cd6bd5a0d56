// SPDX-License-Identifier: Apache-2.0
package io.netfs4j.sftp;

/**
 * Takes a reply's body apart. Every length is checked against what is there before anything is
 * allocated.
 *
 * <p><b>Threads</b>: one.
 */
final class PacketReader {
    private final byte[] bytes;
    private int at;

    PacketReader(byte[] bytes) {
        this.bytes = bytes;
    }

    int remaining() {
        return bytes.length - at;
    }

    int u32() throws ProtocolViolation {
        need(4);
        int value =
                (bytes[at] & 0xFF) << 24
                        | (bytes[at + 1] & 0xFF) << 16
                        | (bytes[at + 2] & 0xFF) << 8
                        | (bytes[at + 3] & 0xFF);
        at += 4;
        return value;
    }

    long u64() throws ProtocolViolation {
        long high = u32() & 0xFFFFFFFFL;
        return high << 32 | (u32() & 0xFFFFFFFFL);
    }

    /** A number of bytes or a position: a server that says 2^63 or more is not believed. */
    long size() throws ProtocolViolation {
        long value = u64();
        if (value < 0) {
            throw new ProtocolViolation("a size of " + Long.toUnsignedString(value));
        }
        return value;
    }

    byte[] string(int bytesMax) throws ProtocolViolation {
        int length = u32();
        if (length < 0 || length > bytesMax || length > remaining()) {
            throw new ProtocolViolation(
                    "a string of " + Integer.toUnsignedString(length) + " bytes");
        }
        byte[] value = new byte[length];
        System.arraycopy(bytes, at, value, 0, length);
        at += length;
        return value;
    }

    void skipString() throws ProtocolViolation {
        int length = u32();
        if (length < 0 || length > remaining()) {
            throw new ProtocolViolation(
                    "a string of " + Integer.toUnsignedString(length) + " bytes");
        }
        at += length;
    }

    /** A copy of what has not been read; it is read again by another reader. */
    byte[] rest() {
        return java.util.Arrays.copyOfRange(bytes, at, bytes.length);
    }

    private void need(int count) throws ProtocolViolation {
        if (remaining() < count) {
            throw new ProtocolViolation("a reply ends too early");
        }
    }
}
