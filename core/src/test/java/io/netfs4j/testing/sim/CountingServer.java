// SPDX-License-Identifier: Apache-2.0
package io.netfs4j.testing.sim;

import io.netfs4j.base.Completion;
import io.netfs4j.base.FsException;
import io.netfs4j.base.RangeSet;
import io.netfs4j.base.Segment;
import io.netfs4j.request.Destination;
import io.netfs4j.request.Subrequest;
import io.netfs4j.server.AttributeChange;
import io.netfs4j.server.CoherencyToken;
import io.netfs4j.server.OpenedFile;
import io.netfs4j.server.Server;
import io.netfs4j.server.ServerAttributes;
import io.netfs4j.server.ServerFile;
import io.netfs4j.server.WriteSession;
import io.netfs4j.server.memory.MemoryServer;

import org.jspecify.annotations.Nullable;

import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Proxy;
import java.nio.ByteBuffer;
import java.util.List;

/**
 * A server of one file that writes at offsets, has no faults and takes its time. It knows what it
 * was sent, and has no model, so that its file may be larger than memory.
 */
final class CountingServer {
    private static final long LATENCY_NANOS = 2_000_000;

    private final SimLoop loop;
    private final MemoryServer store;
    final RangeSet sent = new RangeSet();
    long sentBytes;

    CountingServer(SimLoop loop, MemoryServer store) {
        this.loop = loop;
        this.store = store;
    }

    Server server() {
        return (Server)
                Proxy.newProxyInstance(
                        Server.class.getClassLoader(),
                        new Class<?>[] {Server.class},
                        (proxy, method, arguments) -> {
                            try {
                                Object result = method.invoke(store, arguments);
                                return result instanceof OpenedFile opened
                                        ? new OpenedFile(
                                                new Counted(opened.file()), opened.attributes())
                                        : result;
                            } catch (InvocationTargetException e) {
                                throw e.getCause();
                            }
                        });
    }

    private final class Counted implements ServerFile {
        private final ServerFile inner;

        Counted(ServerFile inner) {
            this.inner = inner;
        }

        @Override
        public Destination reads() {
            return inner.reads();
        }

        @Override
        public WriteSession begin(@Nullable CoherencyToken base) {
            return new Session(inner.begin(base));
        }

        @Override
        public void sync(Completion<@Nullable Void> done) {
            inner.sync(done);
        }

        @Override
        public ServerAttributes attributes() throws FsException {
            return inner.attributes();
        }

        @Override
        public ServerAttributes setAttributes(AttributeChange change) throws FsException {
            return inner.setAttributes(change);
        }

        @Override
        public boolean isReadable() {
            return inner.isReadable();
        }

        @Override
        public boolean isWritable() {
            return inner.isWritable();
        }

        @Override
        public void close() {
            inner.close();
        }
    }

    private final class Session implements WriteSession {
        private final WriteSession inner;

        Session(WriteSession inner) {
            this.inner = inner;
        }

        @Override
        public int estimateBytes(long position) {
            return inner.estimateBytes(position);
        }

        @Override
        public boolean issue(Subrequest offer, Runnable whenReady) {
            offer.take(offer.length());
            sentBytes += offer.length();
            sent.add(offer.position(), offer.position() + offer.length());
            loop.schedule(() -> store(offer), LATENCY_NANOS);
            return true;
        }

        private void store(Subrequest offer) {
            byte[] bytes = new byte[(int) offer.length()];
            offer.copyOut(0, bytes, 0, bytes.length);
            inner.issue(
                    new Subrequest(
                            0,
                            0,
                            Subrequest.Direction.WRITE,
                            offer.position(),
                            List.of(new Segment(ByteBuffer.wrap(bytes), 0, bytes.length)),
                            (s, t) -> offer.terminated(t)),
                    () -> {});
        }

        @Override
        public void keep(long position, long length) {
            inner.keep(position, length);
        }

        @Override
        public void commit(AttributeChange times, Completion<ServerAttributes> done) {
            inner.commit(times, done);
        }

        @Override
        public void abort() {
            inner.abort();
        }
    }
}
