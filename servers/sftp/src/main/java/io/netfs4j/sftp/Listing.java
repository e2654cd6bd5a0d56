// SPDX-License-Identifier: Apache-2.0
package io.netfs4j.sftp;

import io.netfs4j.base.FsError;
import io.netfs4j.base.FsException;
import io.netfs4j.base.Names;
import io.netfs4j.server.EntrySink;
import io.netfs4j.server.RemotePath;
import io.netfs4j.server.ServerAttributes;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;

/**
 * Reads a directory, a few READDIR in flight: the server answers them in order, each with the
 * entries after the last. When the connection is lost on the way the directory is read again, and
 * what was given out before is left out.
 *
 * <p><b>Limits</b>: {@link #ENTRIES_MAX} entries; a reply without an entry, or with more than fit
 * into its bytes, ends the connection, so that a listing without end cannot be sent.
 */
final class Listing {
    static final int ENTRIES_MAX = 10_000_000;

    /** Two hide the round trip, two more the time the server needs for lstat. */
    private static final int REQUESTS_IN_FLIGHT = 4;

    private final Wiring wiring;
    private final Exchange exchange;
    private final RemotePath path;
    private final byte[] directory;
    private final EntrySink sink;
    private final List<String> given = new ArrayList<>();

    Listing(Wiring wiring, RemotePath directory, EntrySink sink) throws FsException {
        this.wiring = wiring;
        this.exchange = wiring.exchange();
        this.path = directory;
        this.directory = wiring.paths().of(directory);
        this.sink = sink;
    }

    /** One attempt, on one connection. */
    void read(SftpConnection c) throws FsException, Exchange.Lost, ProtocolViolation {
        Reply opened =
                exchange.call(
                        c,
                        new Exchange.Ask(
                                new PacketWriter(Protocol.OPENDIR).string(directory),
                                Protocol.HANDLE));
        if (!opened.isOk()) {
            throw wiring.diagnosis().notListed(c, opened, path);
        }
        byte[] handle = Exchange.handle(opened);
        Set<String> before = new HashSet<>(given);
        ArrayDeque<Exchange.Coming> coming = new ArrayDeque<>();
        try {
            while (true) {
                while (coming.size() < REQUESTS_IN_FLIGHT) {
                    coming.add(
                            exchange.start(
                                    c,
                                    new Exchange.Ask(
                                            new PacketWriter(Protocol.READDIR).string(handle),
                                            Protocol.NAME)));
                }
                Reply reply = exchange.finish(coming.remove());
                if (reply.type() == Protocol.STATUS) {
                    if (reply.status() != Protocol.EOF) {
                        throw StatusErrors.exception(reply, path.toString());
                    }
                    return;
                }
                entries(reply.body(), before);
            }
        } finally {
            exchange.closeHandle(c, handle);
        }
    }

    private void entries(PacketReader body, Set<String> before)
            throws FsException, ProtocolViolation {
        int count = body.u32();
        // An entry has at least two empty strings and flags.
        if (count < 1 || count > body.remaining() / 12) {
            throw new ProtocolViolation("a listing of " + count + " entries");
        }
        for (int i = 0; i < count; i++) {
            byte[] bytes = body.string(Protocol.PATH_BYTES_MAX);
            body.skipString();
            WireAttributes attributes = WireAttributes.read(body);
            String name = Names.decode(bytes);
            if (isEntry(name) && !before.contains(name)) {
                if (given.size() >= ENTRIES_MAX) {
                    throw new FsException(
                            FsError.EIO, path + ": more than " + ENTRIES_MAX + " entries");
                }
                ServerAttributes told = attributes.toServer();
                given.add(name);
                sink.entry(name, told.type(), told);
            }
        }
    }

    /** A name that cannot be one is the server's fault; it must not reach a local path. */
    private static boolean isEntry(String name) {
        try {
            Names.check(name);
            return true;
        } catch (FsException e) {
            return false;
        }
    }
}
