// SPDX-License-Identifier: Apache-2.0
package io.netfs4j.bench.engine;

import io.netfs4j.base.Completion;
import io.netfs4j.base.FsError;
import io.netfs4j.base.FsException;
import io.netfs4j.request.Destination;
import io.netfs4j.request.Subrequest;
import io.netfs4j.request.Termination;
import io.netfs4j.server.Access;
import io.netfs4j.server.AttributeChange;
import io.netfs4j.server.Capabilities;
import io.netfs4j.server.Capability;
import io.netfs4j.server.CoherencyToken;
import io.netfs4j.server.EntrySink;
import io.netfs4j.server.FileType;
import io.netfs4j.server.OpenedFile;
import io.netfs4j.server.PathSource;
import io.netfs4j.server.RemotePath;
import io.netfs4j.server.RenameMode;
import io.netfs4j.server.Server;
import io.netfs4j.server.ServerAttributes;
import io.netfs4j.server.ServerFile;
import io.netfs4j.server.WriteSession;

import org.jspecify.annotations.Nullable;

import java.time.Instant;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.LongAdder;

/**
 * A server that accepts everything at once and keeps no data: pieces end inside {@code issue},
 * commits inside {@code commit}, so that what is left is the engine's own cost. It knows one
 * directory of files and their sizes.
 */
final class SwallowingServer implements Server {
    /** As the servers that write at offsets in this project. */
    private static final int ESTIMATE_BYTES = 1 << 20;

    private static final int NAME_BYTES_MAX = 255;
    private static final int DIRECTORY_MODE = 0777;
    private static final int FILE_MODE = 0644;

    /** One version only: nobody else changes these files. */
    private static final CoherencyToken TOKEN = new CoherencyToken("1");

    private static final Capabilities CAPABILITIES =
            new Capabilities(
                    Set.of(Capability.OFFSET_WRITES, Capability.MODES), 1, 1, NAME_BYTES_MAX);

    private final Map<String, Swallowed> files = new ConcurrentHashMap<>();

    /** Bytes of all pieces so far. */
    private final LongAdder swallowedBytes = new LongAdder();

    long swallowedBytes() {
        return swallowedBytes.sum();
    }

    @Override
    public Capabilities capabilities() {
        return CAPABILITIES;
    }

    @Override
    public ServerAttributes stat(RemotePath path) throws FsException {
        return path.isRoot()
                ? attributes(FileType.DIRECTORY, 0, DIRECTORY_MODE)
                : file(path).attributes();
    }

    @Override
    public void list(RemotePath directory, EntrySink sink) throws FsException {
        for (Map.Entry<String, Swallowed> e : files.entrySet()) {
            sink.entry(e.getKey(), FileType.REGULAR, e.getValue().attributes());
        }
    }

    @Override
    public OpenedFile open(PathSource source, Access access) throws FsException {
        Swallowed file = file(source.path());
        return new OpenedFile(file, file.attributes());
    }

    @Override
    public OpenedFile create(PathSource source, int mode) throws FsException {
        Swallowed file = new Swallowed();
        if (files.putIfAbsent(source.path().name(), file) != null) {
            throw new FsException(FsError.EEXIST);
        }
        return new OpenedFile(file, file.attributes());
    }

    @Override
    public void remove(RemotePath path) throws FsException {
        if (files.remove(path.name()) == null) {
            throw new FsException(FsError.ENOENT);
        }
    }

    @Override
    public ServerAttributes setAttributes(RemotePath path, AttributeChange change)
            throws FsException {
        return file(path).setAttributes(change);
    }

    @Override
    public ServerAttributes makeDirectory(RemotePath path, int mode) throws FsException {
        throw new FsException(FsError.EPERM);
    }

    @Override
    public void removeDirectory(RemotePath path) throws FsException {
        throw new FsException(FsError.EPERM);
    }

    @Override
    public void rename(RemotePath from, RemotePath to, RenameMode mode) throws FsException {
        throw new FsException(FsError.EPERM);
    }

    @Override
    public void close() {}

    private Swallowed file(RemotePath path) throws FsException {
        Swallowed file = files.get(path.name());
        if (file == null) {
            throw new FsException(FsError.ENOENT);
        }
        return file;
    }

    private static ServerAttributes attributes(FileType type, long sizeBytes, int mode) {
        Instant then = Instant.EPOCH;
        return new ServerAttributes(type, sizeBytes, mode, 0, 0, 1, then, then, then, 0, TOKEN);
    }

    /** A file without bytes, its own writing session: it has no state but its size. */
    private final class Swallowed implements ServerFile, WriteSession {
        /** Changed by one thread at a time: the engine's step, or a truncate that excludes it. */
        private volatile long sizeBytes;

        @Override
        public ServerAttributes attributes() {
            return SwallowingServer.attributes(FileType.REGULAR, sizeBytes, FILE_MODE);
        }

        @Override
        public ServerAttributes setAttributes(AttributeChange change) {
            Long size = change.sizeBytes();
            if (size != null) {
                sizeBytes = size;
            }
            return attributes();
        }

        @Override
        public Destination reads() {
            throw new IllegalStateException("nothing is read in these benchmarks");
        }

        @Override
        public WriteSession begin(@Nullable CoherencyToken base) {
            return this;
        }

        @Override
        public int estimateBytes(long position) {
            return ESTIMATE_BYTES;
        }

        @Override
        public boolean issue(Subrequest offer, Runnable whenReady) {
            long end = offer.position() + offer.length();
            if (end > sizeBytes) {
                sizeBytes = end;
            }
            offer.take(offer.length());
            swallowedBytes.add(offer.length());
            if (!offer.terminated(Termination.DONE)) {
                throw new IllegalStateException("terminated before: " + offer);
            }
            return true;
        }

        @Override
        public void keep(long position, long length) {}

        @Override
        public void commit(AttributeChange times, Completion<ServerAttributes> done) {
            done.complete(attributes());
        }

        @Override
        public void abort() {}

        @Override
        public void sync(Completion<@Nullable Void> done) {
            done.complete(null);
        }

        @Override
        public boolean isReadable() {
            return true;
        }

        @Override
        public boolean isWritable() {
            return true;
        }

        @Override
        public void close() {}
    }
}
