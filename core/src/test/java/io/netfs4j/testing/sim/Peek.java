// SPDX-License-Identifier: Apache-2.0
package io.netfs4j.testing.sim;

import io.netfs4j.base.FsException;
import io.netfs4j.base.Segment;
import io.netfs4j.request.Subrequest;
import io.netfs4j.server.ServerFile;

import java.nio.ByteBuffer;
import java.util.List;

/** Reads a file of the store at once, past the faults. */
final class Peek {
    private Peek() {}

    static byte[] all(ServerFile file) {
        int size;
        try {
            size = (int) file.attributes().sizeBytes();
        } catch (FsException e) {
            throw new AssertionError(e);
        }
        byte[] bytes = new byte[size];
        if (size > 0) {
            Segment room = new Segment(ByteBuffer.wrap(bytes), 0, size);
            file.reads()
                    .issue(
                            new Subrequest(
                                    0,
                                    0,
                                    Subrequest.Direction.READ,
                                    0,
                                    List.of(room),
                                    (s, t) -> {}),
                            () -> {});
        }
        return bytes;
    }
}
