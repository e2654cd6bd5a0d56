// SPDX-License-Identifier: Apache-2.0
package io.netfs4j.vfs;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import io.netfs4j.base.FsError;
import io.netfs4j.base.FsException;
import io.netfs4j.base.SystemRuntime;
import io.netfs4j.pagecache.PageCache;
import io.netfs4j.request.Subrequest;
import io.netfs4j.request.Termination;
import io.netfs4j.server.Access;
import io.netfs4j.server.OpenedFile;
import io.netfs4j.server.Server;
import io.netfs4j.server.ServerFile;
import io.netfs4j.server.WriteSession;
import io.netfs4j.server.memory.MemoryServer;

import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import java.lang.reflect.Proxy;
import java.nio.ByteBuffer;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;

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

    @BeforeEach
    void open() throws FsException {
        Server server =
                proxy(
                        Server.class,
                        (method, arguments) -> {
                            Object result = invoke(store, method, arguments);
                            return result instanceof OpenedFile opened && refuses
                                    ? new OpenedFile(refusing(opened.file()), opened.attributes())
                                    : result;
                        });
        vfs =
                new CachedVfs(
                        runtime.environment(),
                        server,
                        VfsOptions.of(
                                new PageCache.Limits(
                                        2 * DIRTY_BYTES_MAX, DIRTY_BYTES_MAX, DIRTY_BYTES_MAX / 2)),
                        ByteBuffer::allocateDirect);
    }

    @AfterEach
    void close() {
        runtime.close();
    }

    private static ServerFile refusing(ServerFile file) {
        return proxy(
                ServerFile.class,
                (method, arguments) -> {
                    Object result = invoke(file, method, arguments);
                    return result instanceof WriteSession session ? refusing(session) : result;
                });
    }

    private static WriteSession refusing(WriteSession session) {
        return proxy(
                WriteSession.class,
                (method, arguments) -> {
                    if (!method.getName().equals("issue")) {
                        return invoke(session, method, arguments);
                    }
                    Subrequest piece = (Subrequest) arguments[0];
                    piece.take(piece.length());
                    piece.terminated(
                            new Termination.Failed(new FsException(FsError.EACCES, "refused")));
                    return true;
                });
    }

    /** What a double does instead of what it stands for. */
    private interface Instead {
        @Nullable Object of(Method method, Object[] arguments) throws Throwable;
    }

    @SuppressWarnings("ReferenceEquality") // a double is one object
    private static <T> T proxy(Class<T> type, Instead instead) {
        return type.cast(
                Proxy.newProxyInstance(
                        type.getClassLoader(),
                        new Class<?>[] {type},
                        (self, method, arguments) ->
                                method.getName().equals("equals")
                                        ? self == arguments[0]
                                        : instead.of(method, arguments)));
    }

    private static @Nullable Object invoke(Object on, Method method, Object[] arguments)
            throws Throwable {
        try {
            return method.invoke(on, arguments);
        } catch (InvocationTargetException e) {
            throw e.getCause();
        }
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
