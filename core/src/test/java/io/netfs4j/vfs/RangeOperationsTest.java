// SPDX-License-Identifier: Apache-2.0
package io.netfs4j.vfs;

import static org.assertj.core.api.Assertions.assertThat;

import io.netfs4j.base.FsException;
import io.netfs4j.base.SystemRuntime;
import io.netfs4j.pagecache.PageCache;
import io.netfs4j.server.Access;
import io.netfs4j.server.AttributeChange;
import io.netfs4j.server.WriteSession;
import io.netfs4j.server.memory.MemoryServer;
import io.netfs4j.testing.DoubleServer;

import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

import java.nio.ByteBuffer;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;

/** Ranges that are changed while the file is. */
@Timeout(60)
class RangeOperationsTest {
    private static final int BYTES = 768 << 10;
    private static final OpenFlags SYNCHRONOUS =
            new OpenFlags(Access.READ_WRITE, false, false, false, true, false, false);

    private final SystemRuntime runtime = new SystemRuntime();
    private final MemoryServer store = new MemoryServer(runtime.environment().clock());
    private CachedVfs vfs;
    private OpenFile file;

    /** Started by the first commit, which is answered once it waits for its turn. */
    private volatile @Nullable Thread duringCommit;

    @BeforeEach
    void open() throws FsException {
        vfs =
                new CachedVfs(
                        runtime.environment(),
                        DoubleServer.of(store, this::slowToCommit),
                        VfsOptions.of(new PageCache.Limits(4 << 20, 4 << 20, 4 << 20)),
                        ByteBuffer::allocate);
        file = vfs.create(Vfs.ROOT_INO, "f", 0644, OpenFlags.READ_WRITE).file();
        vfs.write(file, 0, ByteBuffer.allocate(BYTES));
        vfs.fsync(file, false);
    }

    @AfterEach
    void close() {
        runtime.close();
    }

    private @Nullable Object slowToCommit(DoubleServer.Call call) throws Throwable {
        Thread meanwhile = duringCommit;
        if (meanwhile == null || !call.is(WriteSession.class, "commit")) {
            return call.proceed();
        }
        duringCommit = null;
        meanwhile.start();
        runtime.environment()
                .scheduler()
                .fork(
                        "late",
                        () -> {
                            while (meanwhile.getState() != Thread.State.WAITING
                                    && meanwhile.isAlive()) {
                                Thread.onSpinWait();
                            }
                            try {
                                call.proceed();
                            } catch (Throwable e) {
                                throw new IllegalStateException(e);
                            }
                        });
        return null;
    }

    @ParameterizedTest
    @EnumSource(names = {"PUNCH_HOLE", "ZERO_RANGE_KEEP_SIZE"})
    void zeros_whileTheFileIsTruncated_doNotGrowIt(AllocateMode mode) throws Exception {
        OpenFile synchronous = vfs.open(file.ino(), SYNCHRONOUS);
        CompletableFuture<Void> cut = new CompletableFuture<>();
        duringCommit =
                Thread.ofPlatform()
                        .unstarted(() -> {
                            try {
                                AttributeChange empty = AttributeChange.size(0);
                                vfs.setAttributes(file.ino(), empty, file);
                                cut.complete(null);
                            } catch (FsException e) {
                                cut.completeExceptionally(new CompletionException(e));
                            }
                        });
        vfs.allocate(synchronous, mode, 0, BYTES);
        cut.get();
        vfs.fsync(file, false);
        assertThat(vfs.getAttributes(file.ino()).sizeBytes()).isZero();
    }
}
