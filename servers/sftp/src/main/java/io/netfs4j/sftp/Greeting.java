// SPDX-License-Identifier: Apache-2.0
package io.netfs4j.sftp;

import java.nio.charset.StandardCharsets;
import java.util.HashMap;
import java.util.Map;

/**
 * What the server said of itself at the beginning: its extensions by name, and what {@code
 * limits@openssh.com} told, or the least that every server takes.
 *
 * @param extensions name and version text
 * @param readBytesMax for one READ
 * @param writeBytesMax for one WRITE
 * @param handlesMax how many files may be open, 0 when it does not say
 */
record Greeting(
        Map<String, String> extensions, int readBytesMax, int writeBytesMax, long handlesMax) {
    /** What may be relied on before a server has said anything. */
    static final Greeting UNTOLD =
            new Greeting(Map.of(), Protocol.DATA_BYTES_UNTOLD, Protocol.DATA_BYTES_UNTOLD, 0);

    private static final int EXTENSIONS_MAX = 256;
    private static final int TEXT_BYTES_MAX = 4096;

    /** Below this a server is not worth talking to, and arithmetic on it gets dangerous. */
    private static final int DATA_BYTES_MIN = 512;

    Greeting {
        extensions = Map.copyOf(extensions);
    }

    /** Reads the rest of VERSION. */
    static Greeting ofVersion(PacketReader body) throws ProtocolViolation {
        Map<String, String> extensions = new HashMap<>();
        while (body.remaining() > 0) {
            if (extensions.size() >= EXTENSIONS_MAX) {
                throw new ProtocolViolation("more than " + EXTENSIONS_MAX + " extensions");
            }
            extensions.put(text(body), text(body));
        }
        return new Greeting(extensions, Protocol.DATA_BYTES_UNTOLD, Protocol.DATA_BYTES_UNTOLD, 0);
    }

    private static String text(PacketReader body) throws ProtocolViolation {
        return new String(body.string(TEXT_BYTES_MAX), StandardCharsets.UTF_8);
    }

    /** With the answer to {@code limits@openssh.com}: PROTOCOL of OpenSSH, section 4.8. */
    Greeting withLimits(PacketReader body) throws ProtocolViolation {
        long packet = body.u64();
        long read = body.u64();
        long write = body.u64();
        long handles = body.u64();
        return new Greeting(
                extensions,
                bounded(read, packet),
                bounded(write, packet),
                handles < 0 ? 0 : handles);
    }

    /** Zero stands for "does not say"; numbers are unsigned. */
    private static int bounded(long bytes, long packetBytes) throws ProtocolViolation {
        long most = Protocol.DATA_BYTES_MAX;
        if (packetBytes > 0) {
            most = Math.min(most, packetBytes - 1024);
        }
        long told = bytes == 0 ? Protocol.DATA_BYTES_UNTOLD : bytes < 0 ? most : bytes;
        long limit = Math.min(told, most);
        if (limit < DATA_BYTES_MIN) {
            throw new ProtocolViolation("limits of " + limit + " bytes");
        }
        return (int) limit;
    }

    boolean offers(String extension) {
        return extensions.containsKey(extension);
    }
}
