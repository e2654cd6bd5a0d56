// SPDX-License-Identifier: Apache-2.0
package io.netfs4j.server.memory;

import io.netfs4j.base.Completion;
import io.netfs4j.base.FsError;
import io.netfs4j.base.FsException;
import io.netfs4j.request.Destination;
import io.netfs4j.request.Subrequest;
import io.netfs4j.request.Termination;
import io.netfs4j.server.Access;
import io.netfs4j.server.AttributeChange;
import io.netfs4j.server.CoherencyToken;
import io.netfs4j.server.ServerAttributes;
import io.netfs4j.server.ServerFile;
import io.netfs4j.server.WriteSession;

import org.jspecify.annotations.Nullable;

/**
 * An open file of a memory store. Pieces are copied and terminated inside {@code issue}: copying
 * memory never waits.
 */
final class MemoryFile implements ServerFile {
    /** A few pieces of this size fill any pipe; more only delays the first. */
    static final int ESTIMATE_BYTES = 1 << 20;

    private final MemoryServer server;
    private final MemoryNode node;
    private final Access access;
    private final Destination reads = new Reads();

    /** Guarded by the store's lock. */
    private boolean closed;

    MemoryFile(MemoryServer server, MemoryNode node, Access access) {
        this.server = server;
        this.node = node;
        this.access = access;
    }

    @Override
    public Destination reads() {
        return reads;
    }

    @Override
    public WriteSession begin(@Nullable CoherencyToken base) {
        if (!access.writes()) {
            throw new IllegalStateException("opened for reading only");
        }
        return new Session();
    }

    @Override
    public void sync(Completion<@Nullable Void> done) {
        done.complete(null);
    }

    @Override
    public ServerAttributes attributes() throws FsException {
        return server.locked(node::attributes);
    }

    @Override
    public ServerAttributes setAttributes(AttributeChange change) throws FsException {
        return server.locked(() -> {
            node.apply(change, server.now());
            return node.attributes();
        });
    }

    @Override
    public long copyRange(ServerFile source, long from, long to, long count) throws FsException {
        if (!(source instanceof MemoryFile other) || other.server != server) {
            throw new FsException(FsError.EXDEV, "the source is on another server");
        }
        requireWritable();
        return server.locked(() -> {
            long copied = node.content.copy(other.node.content, from, to, count);
            node.contentChanged(server.now());
            return copied;
        });
    }

    @Override
    public boolean isReadable() {
        return access.reads();
    }

    @Override
    public boolean isWritable() {
        return access.writes();
    }

    @Override
    public void close() {
        server.closeFile(
                node,
                () -> {
                    boolean first = !closed;
                    closed = true;
                    return first;
                });
    }

    private void requireWritable() throws FsException {
        if (!access.writes()) {
            throw new FsException(FsError.EBADF, "opened for reading only");
        }
    }

    private final class Reads implements Destination {
        @Override
        public int estimateBytes(long position) {
            return ESTIMATE_BYTES;
        }

        @Override
        public boolean issue(Subrequest offer, Runnable whenReady) {
            offer.take(offer.length());
            Termination end;
            try {
                if (!access.reads()) {
                    throw new FsException(FsError.EBADF, "opened for writing only");
                }
                long count = server.locked(() -> node.content.read(offer));
                end = count == offer.length() ? Termination.DONE : new Termination.EndOfFile(count);
            } catch (FsException e) {
                end = new Termination.Failed(e);
            }
            offer.terminated(end);
            return true;
        }
    }

    private final class Session implements WriteSession {
        @Override
        public int estimateBytes(long position) {
            return ESTIMATE_BYTES;
        }

        @Override
        public boolean issue(Subrequest offer, Runnable whenReady) {
            offer.take(offer.length());
            Termination end;
            try {
                end =
                        server.locked(() -> {
                            node.content.write(offer, offer.length());
                            node.contentChanged(server.now());
                            return Termination.DONE;
                        });
            } catch (FsException e) {
                end = new Termination.Failed(e);
            }
            offer.terminated(end);
            return true;
        }

        @Override
        public void keep(long position, long length) {
            // An offset writer leaves alone what it is not told to write.
        }

        @Override
        public void commit(AttributeChange times, Completion<ServerAttributes> done) {
            ServerAttributes after;
            try {
                after = setAttributes(times.withoutSize());
            } catch (FsException e) {
                done.fail(e);
                return;
            }
            done.complete(after);
        }

        @Override
        public void abort() {
            // What was written stays, as with any offset writer.
        }
    }
}
