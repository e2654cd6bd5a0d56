// SPDX-License-Identifier: Apache-2.0
package io.netfs4j.vfs;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import io.netfs4j.base.FsError;
import io.netfs4j.base.FsException;
import io.netfs4j.base.SystemRuntime;
import io.netfs4j.cache.Cookie;
import io.netfs4j.cache.DiskCache;
import io.netfs4j.pagecache.PageCache;
import io.netfs4j.request.Destination;
import io.netfs4j.request.Subrequest;
import io.netfs4j.request.Termination;
import io.netfs4j.server.Access;
import io.netfs4j.server.OpenedFile;
import io.netfs4j.server.WriteSession;
import io.netfs4j.server.memory.MemoryServer;
import io.netfs4j.testing.DoubleServer;

import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

import java.lang.reflect.Proxy;
import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.Random;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.ReentrantLock;

/** What files that the server refuses do to others, and what callbacks may do. */
@Timeout(value = 60, unit = TimeUnit.SECONDS)
class RefusedFileTest {
    private static final int PIECE = 64 << 10;
    private static final int DIRTY_BYTES_MAX = 1 << 20;
    private static final OpenFlags NEW =
            new OpenFlags(Access.READ_WRITE, false, false, true, false, false, false);

    private final SystemRuntime runtime = new SystemRuntime();
    private final MemoryServer store = new MemoryServer(runtime.environment().clock());
    private CachedVfs vfs;

    /** Whether files that are made or opened now are refused later. */
    private volatile boolean refuses;

    /** Whether they are not answered any more. */
    private volatile boolean silent;

    private final CountDownLatch asked = new CountDownLatch(1);

    /** Those, and their sessions. */
    private final Set<Object> refused = ConcurrentHashMap.newKeySet();

    @BeforeEach
    void open() throws FsException {
        open(2 * DIRTY_BYTES_MAX);
    }

    private void open(long memoryBytes) throws FsException {
        PageCache.Limits limits =
                new PageCache.Limits(memoryBytes, DIRTY_BYTES_MAX, DIRTY_BYTES_MAX / 2);
        vfs =
                new CachedVfs(
                        runtime.environment(),
                        DoubleServer.of(store, this::refusing),
                        VfsOptions.of(limits),
                        ByteBuffer::allocateDirect);
    }

    @AfterEach
    void close() {
        runtime.close();
    }

    private @Nullable Object refusing(DoubleServer.Call call) throws Throwable {
        if (call.is(WriteSession.class, "issue") && refused.contains(call.self)) {
            Subrequest piece = call.argument(0, Subrequest.class);
            piece.take(piece.length());
            if (silent) {
                asked.countDown();
                return true;
            }
            piece.terminated(new Termination.Failed(new FsException(FsError.EACCES, "refused")));
            return true;
        }
        Object result = call.proceed();
        if (result instanceof OpenedFile opened && refuses) {
            refused.add(opened.file());
        } else if (result instanceof WriteSession && refused.contains(call.self)) {
            refused.add(result);
        }
        return result;
    }

    private OpenFile create(String name) throws FsException {
        return vfs.create(Vfs.ROOT_INO, name, 0644, NEW).file();
    }

    private OpenFile fillWithRefusedBytes() throws FsException {
        refuses = true;
        OpenFile file = create("refused");
        refuses = false;
        FsException told = null;
        for (long at = 0; told == null && at <= 4L * DIRTY_BYTES_MAX; at += PIECE) {
            long position = at;
            told =
                    catchThrowableOfType(
                            FsException.class,
                            () -> vfs.write(file, position, ByteBuffer.allocate(PIECE)));
        }
        assertThat(told).extracting(FsException::error).isEqualTo(FsError.EACCES);
        return file;
    }

    @Test
    void writerOfAnotherFile_goesOn_whenAllThatIsDirtyIsRefused() throws FsException {
        fillWithRefusedBytes();
        OpenFile file = create("taken");
        int count = 32 * PIECE;
        int written = vfs.write(file, 0, ByteBuffer.allocate(count));
        assertThat(written).isEqualTo(count);
        vfs.fsync(file, false);
        assertThat(vfs.cache().dirtyMemoryBytes()).isLessThanOrEqualTo(DIRTY_BYTES_MAX);
    }

    /** Memory is not full of refused data then, and its clean part comes back. */
    @Test
    void writerOfAnotherFile_waits_whenMemoryIsCleanAndOnlyLocked() throws Exception {
        open(DIRTY_BYTES_MAX);
        OpenFile clean = create("clean");
        vfs.write(clean, 0, ByteBuffer.allocate(DIRTY_BYTES_MAX - 4096));
        vfs.fsync(clean, false);
        refuses = true;
        OpenFile refusedFile = create("refused");
        refuses = false;
        vfs.write(refusedFile, 0, ByteBuffer.allocate(1));
        assertThatThrownBy(() -> vfs.fsync(refusedFile, false)).hasMessageContaining("refused");
        OpenFile file = create("taken");
        vfs.fsync(file, false);
        assertThat(vfs.cache().memoryBytes()).isEqualTo(DIRTY_BYTES_MAX);
        ReentrantLock lock = ((OpenedInode) clean).inode.lock;
        CompletableFuture<Integer> written;
        lock.lock();
        try {
            written =
                    CompletableFuture.supplyAsync(() -> {
                        try {
                            return vfs.write(file, 0, ByteBuffer.allocate(PIECE));
                        } catch (FsException e) {
                            throw new CompletionException(e);
                        }
                    });
            while (!written.isDone() && vfs.cache().writers().waiting() == 0) {
                Thread.onSpinWait();
            }
        } finally {
            lock.unlock();
        }
        assertThat(written.get(40, TimeUnit.SECONDS)).isEqualTo(PIECE);
    }

    @Test
    void readerOfAnotherFile_goesOn_whenAllMemoryIsRefused() throws FsException {
        open(DIRTY_BYTES_MAX);
        byte[] content = new byte[10 * PIECE];
        new Random(1).nextBytes(content);
        OpenFile file = create("taken");
        vfs.write(file, 0, ByteBuffer.wrap(content));
        vfs.fsync(file, false);
        fillWithRefusedBytes();
        assertThat(vfs.cache().memoryBytes()).isEqualTo(DIRTY_BYTES_MAX);
        for (int at = 1000; at < content.length; at += PIECE) {
            ByteBuffer read = ByteBuffer.allocate(PIECE);
            int count = vfs.read(file, at, read);
            int end = Math.min(content.length, at + PIECE);
            assertThat(count).isEqualTo(end - at);
            assertThat(Arrays.copyOf(read.array(), count))
                    .isEqualTo(Arrays.copyOfRange(content, at, end));
        }
        assertThat(vfs.cache().memoryBytes()).isEqualTo(DIRTY_BYTES_MAX);
    }

    @Test
    void readerAndWriterOfOthers_goOn_whileTheRefusedFileIsTriedAgainWithoutAnAnswer()
            throws Exception {
        open(DIRTY_BYTES_MAX);
        OpenFile file = create("taken");
        vfs.write(file, 0, ByteBuffer.allocate(PIECE));
        vfs.fsync(file, false);
        OpenFile refusedFile = fillWithRefusedBytes();
        silent = true;
        asked.await();
        assertThat(vfs.read(file, 0, ByteBuffer.allocate(PIECE))).isEqualTo(PIECE);
        assertThatThrownBy(() -> vfs.write(file, PIECE, ByteBuffer.allocate(PIECE)))
                .hasMessageContaining("refused");
        assertThatThrownBy(() -> vfs.write(refusedFile, 99L * PIECE, ByteBuffer.allocate(PIECE)))
                .hasMessageContaining("refused");
    }

    @Test
    void writerOfARefusedFile_isTold_whileAnothersUploadIsNotAnswered() throws Exception {
        silent = true;
        refuses = true;
        OpenFile slow = create("slow");
        vfs.write(slow, 0, ByteBuffer.allocate(1));
        vfs.flush(slow);
        asked.await();
        silent = false;
        fillWithRefusedBytes();
    }

    /** What a cache that hangs keeps never comes back. */
    @Test
    void writer_isTold_whenTheRestOfMemoryIsOfACacheThatHangs() throws Exception {
        PageCache.Limits limits =
                new PageCache.Limits(DIRTY_BYTES_MAX, DIRTY_BYTES_MAX, DIRTY_BYTES_MAX);
        vfs =
                new CachedVfs(
                        runtime.environment(),
                        DoubleServer.of(store, this::refusing),
                        VfsOptions.of(limits),
                        ByteBuffer::allocateDirect,
                        hanging());
        OpenFile clean = create("clean");
        vfs.write(clean, 0, ByteBuffer.allocate(DIRTY_BYTES_MAX / 2));
        vfs.fsync(clean, false);
        fillWithRefusedBytes();
        assertThat(vfs.cache().dirtyMemoryBytes()).isLessThan(DIRTY_BYTES_MAX);
        OpenFile file = create("taken");
        assertThatThrownBy(() -> vfs.write(file, 0, ByteBuffer.allocate(PIECE)))
                .hasMessageContaining("refused");
    }

    private static DiskCache hanging() {
        Destination silence =
                new Destination() {
                    @Override
                    public int estimateBytes(long position) {
                        return DIRTY_BYTES_MAX;
                    }

                    @Override
                    public boolean issue(Subrequest offer, Runnable whenReady) {
                        offer.take(offer.length());
                        return true;
                    }
                };
        Cookie cookie =
                (Cookie)
                        Proxy.newProxyInstance(
                                Cookie.class.getClassLoader(),
                                new Class<?>[] {Cookie.class},
                                (self, method, arguments) ->
                                        switch (method.getName()) {
                                            case "granuleBytes" -> 4096;
                                            case "nextHeld" -> arguments[1];
                                            case "nextMissing" -> arguments[0];
                                            case "reads", "writes" -> silence;
                                            default -> null;
                                        });
        return (key, version) -> cookie;
    }

    @Test
    void callback_ofAnUnbufferedWrite_mayUseTheSameFile() throws Exception {
        OpenFile file = create("direct");
        CompletableFuture<Long> size = new CompletableFuture<>();
        vfs.writeUnbuffered(file, 0, ByteBuffer.allocate(PIECE))
                .whenDone((count, failure) -> {
                    // Another thread gets the file's lock while this one is called back.
                    CompletableFuture<Long> asked =
                            CompletableFuture.supplyAsync(this::sizeOfDirect);
                    try {
                        size.complete(asked.get(20, TimeUnit.SECONDS));
                    } catch (Exception e) {
                        size.completeExceptionally(e);
                    }
                });
        assertThat(size.get(40, TimeUnit.SECONDS)).isEqualTo(PIECE);
    }

    private long sizeOfDirect() {
        try {
            return vfs.lookup(Vfs.ROOT_INO, "direct").attributes().sizeBytes();
        } catch (FsException e) {
            throw new AssertionError(e);
        }
    }
}
