// SPDX-License-Identifier: Apache-2.0
package io.netfs4j.cli;

import java.io.ByteArrayOutputStream;
import java.io.EOFException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;

/** Lines of text over a local socket, each way. One thread reads, one writes. */
final class ControlLines implements AutoCloseable {
    private static final int BUFFER_BYTES = 8192;

    private final SocketChannel channel;
    private final ByteBuffer received = ByteBuffer.allocate(BUFFER_BYTES).flip();

    ControlLines(SocketChannel channel) {
        this.channel = channel;
    }

    /**
     * The next line, without its end.
     *
     * @throws EOFException when the other side has closed
     */
    String readLine() throws IOException {
        ByteArrayOutputStream line = new ByteArrayOutputStream();
        while (true) {
            while (received.hasRemaining()) {
                byte b = received.get();
                if (b == '\n') {
                    return line.toString(StandardCharsets.UTF_8);
                }
                line.write(b);
            }
            if (line.size() > ControlMessages.LINE_CHARS_MAX) {
                throw new IOException("a line of more than " + ControlMessages.LINE_CHARS_MAX);
            }
            received.clear();
            int n = channel.read(received);
            received.flip();
            if (n < 0) {
                throw new EOFException("the other side closed");
            }
        }
    }

    void writeLine(String line) throws IOException {
        ByteBuffer bytes = ByteBuffer.wrap((line + "\n").getBytes(StandardCharsets.UTF_8));
        while (bytes.hasRemaining()) {
            channel.write(bytes);
        }
    }

    @Override
    public void close() throws IOException {
        channel.close();
    }
}
