// SPDX-License-Identifier: Apache-2.0
package io.netfs4j.vfs;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.netfs4j.base.Completion;
import io.netfs4j.base.FsError;
import io.netfs4j.base.FsException;
import io.netfs4j.base.SystemRuntime;
import io.netfs4j.server.AttributeChange;
import io.netfs4j.server.ServerFile;
import io.netfs4j.server.memory.MemoryServer;
import io.netfs4j.testing.DoubleServer;

import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

import java.nio.ByteBuffer;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.Consumer;

/** A server that has the bytes and fails to force them to its storage, once. */
@Timeout(60)
class FailingSyncTest {
    private final SystemRuntime runtime = new SystemRuntime();
    private final MemoryServer store = new MemoryServer(runtime.environment().clock());
    private final AtomicInteger syncs = new AtomicInteger();

    /** What the next sync does instead. */
    private final AtomicReference<@Nullable Consumer<Completion<?>>> next = new AtomicReference<>();

    private CachedVfs vfs;
    private OpenFile a;
    private OpenFile b;

    @BeforeEach
    void open() throws FsException {
        vfs = SmallVfs.over(runtime, DoubleServer.of(store, this::failingToSync));
        a = vfs.create(Vfs.ROOT_INO, "f", 0644, OpenFlags.READ_WRITE).file();
        b = vfs.open(a.ino(), OpenFlags.READ_WRITE);
        vfs.write(a, 0, ByteBuffer.allocate(10));
        vfs.write(b, 10, ByteBuffer.allocate(10));
        next.set(done -> done.fail(new FsException(FsError.EIO, "the disk lost it")));
    }

    @AfterEach
    void close() {
        runtime.close();
    }

    private @Nullable Object failingToSync(DoubleServer.Call call) throws Throwable {
        if (call.is(ServerFile.class, "sync")) {
            syncs.incrementAndGet();
            Consumer<Completion<?>> instead = next.getAndSet(null);
            if (instead != null) {
                instead.accept(call.argument(0, Completion.class));
                return null;
            }
        }
        return call.proceed();
    }

    @Test
    void fsync_afterASyncFailed_tellsEachOpenFileOnce() throws Exception {
        assertThatThrownBy(() -> vfs.fsync(a, false)).hasMessageContaining("the disk lost it");
        assertThatThrownBy(() -> vfs.fsync(b, false)).hasMessageContaining("the disk lost it");
        vfs.fsync(a, false);
        assertThat(syncs).as("asked once more").hasValue(2);
        vfs.fsync(b, false);
        assertThat(syncs).as("nothing was left to force").hasValue(2);
    }

    @Test
    void flush_afterASyncFailed_tellsOfIt() throws Exception {
        assertThatThrownBy(() -> vfs.fsync(a, false)).hasMessageContaining("the disk lost it");
        vfs.flush(a);
        assertThatThrownBy(() -> vfs.flush(b)).hasMessageContaining("the disk lost it");
    }

    @Test
    void fsync_afterAResize_forcesThat() throws Exception {
        next.set(null);
        vfs.fsync(a, false);
        int before = syncs.get();
        vfs.allocate(a, AllocateMode.EXTEND, 0, 100);
        vfs.fsync(a, false);
        assertThat(syncs.get()).isEqualTo(before + 1);
        vfs.setAttributes(a.ino(), AttributeChange.size(10), a);
        vfs.fsync(a, false);
        assertThat(syncs.get()).isEqualTo(before + 2);
    }

    @Test
    void fsync_ofAServerThatThrows_failsAndIsRepeated() throws Exception {
        next.set(done -> {
            throw new IllegalStateException("bug");
        });
        assertThatThrownBy(() -> vfs.fsync(a, false)).hasMessageContaining("bug");
        assertThatThrownBy(() -> vfs.fsync(b, false)).hasMessageContaining("bug");
        vfs.fsync(a, false);
        assertThat(syncs).hasValue(2);
    }
}
