// SPDX-License-Identifier: Apache-2.0
package io.netfs4j.vfs;

import static org.assertj.core.api.Assertions.assertThat;

import io.netfs4j.base.FsException;
import io.netfs4j.base.SystemRuntime;
import io.netfs4j.pagecache.PageCache;
import io.netfs4j.server.AttributeChange;
import io.netfs4j.server.RemotePath;
import io.netfs4j.server.Server;
import io.netfs4j.server.memory.MemoryServer;
import io.netfs4j.testing.DoubleServer;
import io.netfs4j.testing.LaterClock;

import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

import java.nio.ByteBuffer;
import java.time.Instant;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;

/** What the server is asked when many names of a directory are looked up. */
@Timeout(60)
class LookUpsTest {
    private static final int FILES = 50;
    private static final Instant LONG_AGO = Instant.ofEpochSecond(1_000_000);

    private final SystemRuntime runtime = new SystemRuntime();
    private final MemoryServer store = new MemoryServer(runtime.environment().clock());
    private final LaterClock clock = LaterClock.of(runtime.environment());
    private final AtomicInteger stats = new AtomicInteger();
    private final AtomicInteger lists = new AtomicInteger();
    private CachedVfs vfs;
    private long directory;

    @BeforeEach
    void open() throws FsException {
        store.makeDirectory(path(), 0755);
        for (int i = 0; i < FILES; i++) {
            RemotePath file = path("f" + i);
            store.create(() -> file, 0644).file().close();
        }
        vfs =
                new CachedVfs(
                        clock.in(runtime.environment()),
                        DoubleServer.of(store, this::counted),
                        VfsOptions.of(new PageCache.Limits(8 << 20, 4 << 20, 1 << 20)),
                        ByteBuffer::allocate);
        directory = vfs.lookup(Vfs.ROOT_INO, "d").attributes().ino();
    }

    @AfterEach
    void close() {
        vfs.close();
        runtime.close();
    }

    private static RemotePath path(String... below) {
        RemotePath path = RemotePath.ROOT.child("d");
        for (String name : below) {
            path = path.child(name);
        }
        return path;
    }

    private Object counted(DoubleServer.Call call) throws Throwable {
        if (call.is(Server.class, "stat")) {
            stats.incrementAndGet();
        } else if (call.is(Server.class, "list")) {
            lists.incrementAndGet();
        }
        return call.proceed();
    }

    private void lookUpAll() throws FsException {
        stats.set(0);
        lists.set(0);
        for (int i = 0; i < FILES; i++) {
            assertThat(vfs.lookup(directory, "f" + i).attributes()).isNotNull();
        }
    }

    private void expire() {
        clock.pass(
                VfsOptions.of(new PageCache.Limits(1 << 20, 1 << 20, 1 << 20))
                        .attributesValidNanos());
    }

    @Test
    void manyNames_areListed_alsoWhereTheyWereKnownOnce() throws Exception {
        for (int round = 0; round < 3; round++) {
            lookUpAll();
            assertThat(stats.get()).isLessThan(5);
            assertThat(lists.get()).isEqualTo(1);
            expire();
        }
    }

    @Test
    void fewNamesOfALargeDirectory_areAskedForOneByOne() throws Exception {
        for (int i = FILES; i < 8_000; i++) {
            RemotePath file = path("f" + i);
            store.create(() -> file, 0644).file().close();
        }
        lookUpAll();
        for (int round = 0; round < 10; round++) {
            expire();
            for (int i = 0; i < 3; i++) {
                vfs.lookup(directory, "f" + i);
            }
        }
        assertThat(lists.get()).isEqualTo(1);
    }

    @Test
    void whatAnotherClientChanged_isSeenWithTheListing() throws Exception {
        lookUpAll();
        expire();
        store.setAttributes(path("f40"), AttributeChange.times(null, LONG_AGO));
        store.remove(path("f41"));
        List<String> names = List.of("f0", "f1", "f2", "f3", "f4", "f5");
        for (String name : names) {
            vfs.lookup(directory, name);
        }
        stats.set(0);
        assertThat(vfs.lookup(directory, "f40").attributes().modified()).isEqualTo(LONG_AGO);
        assertThat(vfs.tryLookup(directory, "f40").attributes().modified()).isEqualTo(LONG_AGO);
        assertThat(stats.get()).isZero();
        assertThat(vfs.lookup(directory, "f41").attributes()).isNull();
    }

    /** What was set here is newer than what was listed. */
    @Test
    void whatIsChangedHere_isNotTakenBackByAListing() throws Exception {
        lookUpAll();
        expire();
        long ino = vfs.lookup(directory, "f45").attributes().ino();
        OpenFile file = vfs.open(ino, OpenFlags.READ_WRITE);
        vfs.write(file, 0, ByteBuffer.wrap(new byte[100]));
        expire();
        lookUpAll();
        assertThat(vfs.lookup(directory, "f45").attributes().sizeBytes()).isEqualTo(100);
        vfs.release(file);
    }
}
