// SPDX-License-Identifier: Apache-2.0
package io.netfs4j.vfs;

import static org.assertj.core.api.Assertions.assertThat;

import static java.nio.charset.StandardCharsets.UTF_8;

import io.netfs4j.base.Clock;
import io.netfs4j.base.Environment;
import io.netfs4j.base.FsException;
import io.netfs4j.base.Scheduler;
import io.netfs4j.base.SystemRuntime;
import io.netfs4j.pagecache.PageCache;
import io.netfs4j.server.Access;
import io.netfs4j.server.PathSource;
import io.netfs4j.server.Server;
import io.netfs4j.server.memory.MemoryServer;
import io.netfs4j.testing.DoubleServer;

import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

import java.nio.ByteBuffer;
import java.time.Instant;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;

/** Files that are opened one after the other, with a clock that moves when a test says so. */
@Timeout(60)
class LookAheadTest {
    private static final int FILES = 100;
    private static final long LONG_NANOS = 2_000_000_000L;
    private static final long VALID_NANOS = 3_600_000_000_000L;
    private static final OpenFlags READ =
            new OpenFlags(Access.READ, false, false, false, false, false, false);

    private final SystemRuntime runtime = new SystemRuntime();
    private final AtomicLong nanos = new AtomicLong(1);
    private final MemoryServer store = new MemoryServer(runtime.environment().clock());

    /** How often it was asked by whoever opens something; who asks ahead is not counted. */
    private final AtomicInteger asked = new AtomicInteger();

    private final ThreadLocal<Boolean> isAhead = ThreadLocal.withInitial(() -> false);
    private CachedVfs vfs;

    private final Clock clock =
            new Clock() {
                @Override
                public long nanoTime() {
                    return nanos.get();
                }

                @Override
                public Instant now() {
                    return Instant.ofEpochSecond(2_000_000_000L);
                }
            };

    /** What is asked ahead is answered before anybody goes on. */
    private final Scheduler scheduler =
            new Scheduler() {
                @Override
                public void execute(Runnable step) {
                    runtime.environment().scheduler().execute(step);
                }

                @Override
                public Cancellable schedule(Runnable step, long delayNanos) {
                    return runtime.environment().scheduler().schedule(step, delayNanos);
                }

                @Override
                public void fork(String name, Runnable task) {
                    if (!name.equals("netfs-ahead")) {
                        runtime.environment().scheduler().fork(name, task);
                        return;
                    }
                    isAhead.set(true);
                    try {
                        task.run();
                    } finally {
                        isAhead.set(false);
                    }
                }
            };

    @AfterEach
    void close() {
        vfs.close();
        runtime.close();
    }

    private static String name(int i) {
        return String.format("f%03d", i);
    }

    private void mount(long attributesValidNanos) throws FsException {
        for (int i = 0; i < FILES; i++) {
            put(i, "content");
        }
        VfsOptions usual = VfsOptions.of(new PageCache.Limits(8 << 20, 4 << 20, 1 << 20));
        Environment real = runtime.environment();
        vfs =
                new CachedVfs(
                        new Environment(clock, scheduler, real.waits(), real.random()),
                        DoubleServer.of(store, this::counted),
                        new VfsOptions(
                                usual.memory(),
                                usual.engine(),
                                attributesValidNanos,
                                0,
                                false,
                                false,
                                false,
                                true,
                                false,
                                usual.conflicts(),
                                false,
                                usual.ownership()),
                        ByteBuffer::allocate,
                        null,
                        null);
        // Backwards: that is no order.
        for (int i = FILES - 1; i >= 0; i--) {
            assertThat(read(i)).isEqualTo("content");
        }
        assertThat(asked.get()).isGreaterThanOrEqualTo(FILES);
        asked.set(0);
        nanos.addAndGet(LONG_NANOS);
    }

    /** Another client writes a file. */
    private void put(int i, String text) throws FsException {
        CachedVfs other =
                new CachedVfs(
                        runtime.environment(),
                        store,
                        VfsOptions.of(new PageCache.Limits(1 << 20, 1 << 20, 1 << 20)),
                        ByteBuffer::allocate);
        OpenFile file = other.create(Vfs.ROOT_INO, name(i), 0644, OpenFlags.READ_WRITE).file();
        other.write(file, 0, ByteBuffer.wrap(text.getBytes(UTF_8)));
        other.fsync(file, false);
        other.release(file);
        other.close();
    }

    private Object counted(DoubleServer.Call call) throws Throwable {
        boolean asks = call.is(Server.class, "open") || call.is(Server.class, "stat");
        if (call.is(Server.class, "openLater")) {
            return store.open(call.argument(0, PathSource.class), Access.READ).file();
        }
        asked.addAndGet(asks && !isAhead.get() ? 1 : 0);
        return call.proceed();
    }

    private String read(int i) throws FsException {
        Attributes a = vfs.lookup(Vfs.ROOT_INO, name(i)).attributes();
        OpenFile file = vfs.open(a.ino(), READ);
        ByteBuffer bytes = ByteBuffer.allocate(100);
        vfs.read(file, 0, bytes);
        vfs.flush(file);
        vfs.release(file);
        return new String(bytes.array(), 0, bytes.position(), UTF_8);
    }

    @Test
    void filesThatAreOpenedInOrder_areAskedForAhead() throws Exception {
        mount(VALID_NANOS);
        for (int i = 0; i < FILES; i++) {
            assertThat(read(i)).isEqualTo("content");
        }
        assertThat(asked.get()).isLessThan(6);
    }

    @Test
    void whatWasWrittenElsewhere_beforeItWasAskedForAhead_isSeen() throws Exception {
        mount(VALID_NANOS);
        put(20, "changed");
        for (int i = 0; i < FILES; i++) {
            assertThat(read(i)).isEqualTo(i == 20 ? "changed" : "content");
        }
    }

    @Test
    void whatWasWrittenElsewhere_longAfterItWasAskedForAhead_isSeen() throws Exception {
        mount(VALID_NANOS);
        for (int i = 0; i < 10; i++) {
            read(i);
        }
        put(12, "changed");
        nanos.addAndGet(1);
        assertThat(read(12)).isEqualTo("changed");
    }

    @Test
    void anAnswer_countsForOneOpen() throws Exception {
        mount(VALID_NANOS);
        for (int i = 0; i < 10; i++) {
            read(i);
        }
        read(10);
        put(10, "changed");
        assertThat(read(10)).isEqualTo("changed");
    }

    @Test
    void nothingIsAskedAhead_inNoOrder_norSlowly_norWhereNothingIsToBeBelieved() throws Exception {
        mount(0);
        for (int i = 0; i < FILES; i++) {
            read(i);
        }
        assertThat(asked.get()).isGreaterThanOrEqualTo(FILES);
        vfs.close();
        mount(VALID_NANOS);
        for (int i = 0; i < FILES; i++) {
            read(i);
            nanos.addAndGet(LONG_NANOS);
        }
        assertThat(asked.get()).isGreaterThanOrEqualTo(FILES);
        asked.set(0);
        for (int i = FILES - 1; i >= 0; i--) {
            read(i);
        }
        assertThat(asked.get()).isGreaterThanOrEqualTo(FILES);
    }
}
