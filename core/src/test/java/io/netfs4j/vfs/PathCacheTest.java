// SPDX-License-Identifier: Apache-2.0
package io.netfs4j.vfs;

import static org.assertj.core.api.Assertions.assertThat;

import io.netfs4j.base.Clock;
import io.netfs4j.base.Environment;
import io.netfs4j.base.FsError;
import io.netfs4j.base.FsException;
import io.netfs4j.base.SystemDisk;
import io.netfs4j.base.SystemRuntime;
import io.netfs4j.cache.store.DiskStore;
import io.netfs4j.cache.store.StoreLimits;
import io.netfs4j.cache.store.Succession;
import io.netfs4j.pagecache.PageCache;
import io.netfs4j.server.Access;
import io.netfs4j.server.AttributeChange;
import io.netfs4j.server.Capabilities;
import io.netfs4j.server.Capability;
import io.netfs4j.server.CoherencyToken;
import io.netfs4j.server.OpenedFile;
import io.netfs4j.server.RemotePath;
import io.netfs4j.server.RenameMode;
import io.netfs4j.server.Server;
import io.netfs4j.server.ServerAttributes;
import io.netfs4j.server.memory.MemoryServer;
import io.netfs4j.testing.DoubleServer;

import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.time.Instant;
import java.util.Arrays;
import java.util.EnumSet;
import java.util.concurrent.TimeUnit;

/** Files of a server that does not number them, and whose versions all look the same. */
@Timeout(value = 60, unit = TimeUnit.SECONDS, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
class PathCacheTest {
    private static final int FILE_BYTES = 3 * 4096;
    private static final long MEMORY_BYTES = 1 << 20;
    private static final Instant NOW = Instant.parse("2026-01-02T03:04:05Z");

    private static final OpenFlags NEW =
            new OpenFlags(Access.READ_WRITE, false, false, true, false, false, false);

    @TempDir Path directory;

    private final SystemRuntime runtime = new SystemRuntime();
    private final MemoryServer server = new MemoryServer(runtime.environment().clock());
    private DiskStore store;
    private CachedVfs vfs;

    /** Whether times are in seconds, and it is {@link #NOW}. */
    private boolean coarse;

    @BeforeEach
    void make() throws FsException {
        CachedVfs plain = SmallVfs.over(runtime, server);
        long inside = plain.makeDirectory(Vfs.ROOT_INO, "dir", 0755).attributes().ino();
        for (String name : new String[] {"a", "b", "c"}) {
            long parent = name.equals("c") ? inside : Vfs.ROOT_INO;
            OpenFile file = plain.create(parent, name, 0644, NEW).file();
            plain.write(file, 0, ByteBuffer.wrap(content(name)));
            plain.fsync(file, false);
            plain.release(file);
        }
        mount();
    }

    @AfterEach
    void close() throws FsException {
        // Its directory is about to go, and so must be whatever still stores there.
        vfs.close();
        runtime.environment().waits().await(store.close());
        runtime.close();
    }

    private static byte[] content(String of) {
        byte[] bytes = new byte[FILE_BYTES];
        Arrays.fill(bytes, (byte) of.charAt(0));
        return bytes;
    }

    private long mounts;

    private void mount() throws FsException {
        store =
                DiskStore.open(
                        runtime.environment(),
                        new SystemDisk(directory),
                        StoreLimits.DEFAULT,
                        new Succession(mounts, ++mounts));
        runtime.environment().waits().await(store.opened());
        PageCache.Limits memory = new PageCache.Limits(MEMORY_BYTES, MEMORY_BYTES, MEMORY_BYTES);
        Server numberless = DoubleServer.of(server, this::answer);
        vfs =
                new CachedVfs(
                        environment(),
                        numberless,
                        VfsOptions.of(memory),
                        ByteBuffer::allocate,
                        store,
                        null);
    }

    private Environment environment() {
        Environment real = runtime.environment();
        Clock stopped =
                new Clock() {
                    @Override
                    public long nanoTime() {
                        return real.clock().nanoTime();
                    }

                    @Override
                    public Instant now() {
                        return NOW;
                    }
                };
        return coarse
                ? new Environment(stopped, real.scheduler(), real.waits(), real.random())
                : real;
    }

    private @Nullable Object answer(DoubleServer.Call call) throws Throwable {
        Object result = withoutNumber(call.proceed());
        return coarse && result instanceof Capabilities
                ? new Capabilities(EnumSet.allOf(Capability.class), 1, 1_000_000_000L, 255)
                : result;
    }

    private static @Nullable Object withoutNumber(@Nullable Object result) {
        return switch (result) {
            case ServerAttributes a -> withoutNumber(a);
            case OpenedFile f -> new OpenedFile(f.file(), withoutNumber(f.attributes()));
            case null, default -> result;
        };
    }

    private static ServerAttributes withoutNumber(ServerAttributes a) {
        return new ServerAttributes(
                a.type(),
                a.sizeBytes(),
                a.mode(),
                a.uid(),
                a.gid(),
                a.links(),
                a.accessed(),
                a.modified(),
                a.changed(),
                0,
                new CoherencyToken("the same"));
    }

    private void remount() throws FsException {
        runtime.environment().waits().await(store.close());
        mount();
    }

    private byte[] read(long parent, String name) throws FsException {
        OpenFile file = vfs.open(vfs.lookup(parent, name).attributes().ino(), OpenFlags.READ);
        ByteBuffer bytes = ByteBuffer.allocate(FILE_BYTES);
        while (bytes.hasRemaining()) {
            bytes.position(bytes.position() + vfs.read(file, bytes.position(), bytes.slice()));
        }
        vfs.release(file);
        return bytes.array();
    }

    /** Reads a file and waits until it has been stored, closed, and its map written. */
    private void keep(long parent, String name) throws FsException {
        read(parent, name);
        while (!hasMap()) {
            Thread.onSpinWait();
        }
    }

    private boolean hasMap() throws FsException {
        try {
            return new SystemDisk(directory).list().stream().anyMatch(n -> n.endsWith(".map"));
        } catch (IOException e) {
            throw new FsException(FsError.EIO, "the directory cannot be listed", e);
        }
    }

    @Test
    void file_isServedFromTheDisk_atTheNextMount() throws FsException {
        keep(Vfs.ROOT_INO, "a");
        remount();
        assertThat(read(Vfs.ROOT_INO, "a")).isEqualTo(content("a"));
        assertThat(store.statistics().hits()).isPositive();
    }

    /** Somebody may have changed it within that second, after it was read: nobody could tell. */
    @ParameterizedTest
    @ValueSource(ints = {0, 10})
    void fileOfTheSecondInWhichItWasRead_isNotServedAtTheNextMount(int secondsAgo)
            throws FsException {
        coarse = true;
        Instant modified = NOW.minusSeconds(secondsAgo);
        server.setAttributes(
                RemotePath.ROOT.child("a"),
                new AttributeChange(null, null, null, null, modified, modified));
        remount();
        read(Vfs.ROOT_INO, "a");
        vfs.close();
        remount();
        assertThat(read(Vfs.ROOT_INO, "a")).isEqualTo(content("a"));
        assertThat(store.statistics().hits() > 0).isEqualTo(secondsAgo > 0);
    }

    @Test
    void fileThatIsRenamedOver_isNotServedAsTheOther() throws FsException {
        keep(Vfs.ROOT_INO, "a");
        remount();
        vfs.rename(Vfs.ROOT_INO, "b", Vfs.ROOT_INO, "a", RenameMode.REPLACE);
        assertThat(read(Vfs.ROOT_INO, "a")).isEqualTo(content("b"));
        assertThat(store.statistics().hits()).isZero();
    }

    @Test
    void fileThatIsRemoved_isNotServedAsTheNextOne() throws FsException {
        keep(Vfs.ROOT_INO, "a");
        remount();
        vfs.unlink(Vfs.ROOT_INO, "a");
        vfs.rename(Vfs.ROOT_INO, "b", Vfs.ROOT_INO, "a", RenameMode.REPLACE);
        assertThat(read(Vfs.ROOT_INO, "a")).isEqualTo(content("b"));
    }

    @Test
    void fileBelowADirectoryThatMoves_isNotFoundUnderItsOldPath() throws FsException {
        long inside = vfs.lookup(Vfs.ROOT_INO, "dir").attributes().ino();
        keep(inside, "c");
        vfs.rename(Vfs.ROOT_INO, "dir", Vfs.ROOT_INO, "old", RenameMode.REPLACE);
        assertThat(store.statistics().files()).isZero();
        long other = vfs.makeDirectory(Vfs.ROOT_INO, "dir", 0755).attributes().ino();
        vfs.rename(Vfs.ROOT_INO, "b", other, "c", RenameMode.REPLACE);
        assertThat(read(other, "c")).isEqualTo(content("b"));
    }
}
