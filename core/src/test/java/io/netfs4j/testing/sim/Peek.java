// SPDX-License-Identifier: Apache-2.0
package io.netfs4j.testing.sim;

import io.netfs4j.base.FsException;
import io.netfs4j.base.Segment;
import io.netfs4j.request.Subrequest;
import io.netfs4j.server.CoherencyToken;
import io.netfs4j.server.ServerAttributes;
import io.netfs4j.server.ServerFile;

import org.jspecify.annotations.Nullable;

import java.nio.ByteBuffer;
import java.util.List;

/** Reads a file of the store at once, past the faults; a version that it has read, once. */
final class Peek {
    private final ServerFile file;
    private @Nullable CoherencyToken version;
    private byte[] bytes = new byte[0];

    Peek(ServerFile file) {
        this.file = file;
    }

    byte[] all() {
        ServerAttributes now;
        try {
            now = file.attributes();
        } catch (FsException e) {
            throw new AssertionError(e);
        }
        if (!now.token().equals(version)) {
            bytes = read((int) now.sizeBytes());
            version = now.token();
        }
        return bytes;
    }

    private byte[] read(int size) {
        byte[] all = new byte[size];
        if (size > 0) {
            List<Segment> room = List.of(new Segment(ByteBuffer.wrap(all), 0, size));
            file.reads()
                    .issue(
                            new Subrequest(0, 0, Subrequest.Direction.READ, 0, room, (s, t) -> {}),
                            () -> {});
        }
        return all;
    }
}
