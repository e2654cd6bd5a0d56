// SPDX-License-Identifier: Apache-2.0
package io.netfs4j.vfs;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.netfs4j.base.FsError;
import io.netfs4j.base.FsException;
import io.netfs4j.base.SystemRuntime;
import io.netfs4j.pagecache.PageCache;
import io.netfs4j.server.Access;
import io.netfs4j.server.PathSource;
import io.netfs4j.server.RemotePath;
import io.netfs4j.server.Server;
import io.netfs4j.server.memory.MemoryServer;
import io.netfs4j.testing.DoubleServer;
import io.netfs4j.testing.LaterClock;

import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.TreeSet;

/** What a mount goes on with while its server is away, and what it does not make up. */
@Timeout(60)
class OfflineTest {
    private static final long LONG_NANOS = 3_600_000_000_000L;
    private static final OpenFlags READ =
            new OpenFlags(Access.READ, false, false, false, false, false, false);

    private final SystemRuntime runtime = new SystemRuntime();
    private final LaterClock clock = LaterClock.of(runtime.environment());
    private final MemoryServer store = new MemoryServer(runtime.environment().clock());

    private volatile boolean away;
    private volatile boolean opensLater = true;

    /** The connection goes with the next question. */
    private volatile boolean loses;

    private CachedVfs vfs;

    @BeforeEach
    void open() throws FsException {
        vfs =
                new CachedVfs(
                        clock.in(runtime.environment()),
                        DoubleServer.of(store, this::answer),
                        VfsOptions.of(new PageCache.Limits(1 << 20, 1 << 20, 1 << 20)),
                        ByteBuffer::allocate);
    }

    @AfterEach
    void close() {
        runtime.close();
    }

    /** Away, it answers nothing: a soft mount would hear of it so. */
    private @Nullable Object answer(DoubleServer.Call call) throws Throwable {
        if (call.is(Server.class, "isConnected")) {
            return !away;
        }
        if (away && call.is(Server.class, "openLater")) {
            return opensLater
                    ? store.open(call.argument(0, PathSource.class), Access.READ_WRITE).file()
                    : null;
        }
        if (loses && List.of("stat", "open").contains(call.name())) {
            loses = false;
            away = true;
            throw new FsException(FsError.ENOTCONN, "lost");
        }
        if (away && List.of("stat", "list", "open", "create").contains(call.name())) {
            throw new FsException(FsError.ETIMEDOUT, "away");
        }
        return call.proceed();
    }

    private void goAway() {
        away = true;
        clock.pass(LONG_NANOS);
    }

    private void write(String name, String text) throws FsException {
        OpenFile file =
                vfs.create(
                                Vfs.ROOT_INO,
                                name,
                                0644,
                                new OpenFlags(
                                        Access.READ_WRITE, false, false, true, false, false, false))
                        .file();
        vfs.write(file, 0, ByteBuffer.wrap(text.getBytes(StandardCharsets.UTF_8)));
        vfs.fsync(file, false);
        vfs.release(file);
    }

    private OpenFile open(String name, OpenFlags flags) throws FsException {
        return vfs.open(vfs.lookup(Vfs.ROOT_INO, name).attributes().ino(), flags);
    }

    private String read(String name) throws FsException {
        OpenFile file = open(name, READ);
        ByteBuffer bytes = ByteBuffer.allocate(100);
        int count = vfs.read(file, 0, bytes);
        vfs.release(file);
        return new String(bytes.array(), 0, count, StandardCharsets.UTF_8);
    }

    private TreeSet<String> list() throws FsException {
        TreeSet<String> names = new TreeSet<>();
        OpenDirectory directory = vfs.openDirectory(Vfs.ROOT_INO);
        vfs.readDirectory(
                directory,
                0,
                false,
                (name, ino, type, cookie, entry) -> name.startsWith(".") || names.add(name));
        vfs.releaseDirectory(directory);
        return names;
    }

    @Test
    void whatIsCached_isFoundOpenedAndRead_howeverOldItIs() throws FsException {
        write("file", "hello");
        assertThat(list()).containsExactly("file");
        goAway();
        assertThat(read("file")).isEqualTo("hello");
        assertThat(list()).containsExactly("file");
        assertThat(
                        vfs.getAttributes(vfs.lookup(Vfs.ROOT_INO, "file").attributes().ino())
                                .sizeBytes())
                .isEqualTo(5);
    }

    /** Asked before the loss is known, and not answered any more. */
    @Test
    void whatIsCached_isOpenedAndRead_byWhomTheLossMeetsAsking() throws FsException {
        write("file", "hello");
        long ino = vfs.lookup(Vfs.ROOT_INO, "file").attributes().ino();
        loses = true;
        OpenFile file = vfs.open(ino, OpenFlags.READ_WRITE);
        assertThat(loses).isFalse();
        vfs.write(file, 5, ByteBuffer.wrap(" you".getBytes(StandardCharsets.UTF_8)));
        vfs.release(file);
        assertThat(read("file")).isEqualTo("hello you");
    }

    @Test
    void whatIsKnown_isFound_byWhomTheLossMeetsAsking() throws FsException {
        write("file", "hello");
        clock.pass(LONG_NANOS);
        loses = true;
        long ino = vfs.lookup(Vfs.ROOT_INO, "file").attributes().ino();
        assertThat(loses).isFalse();
        away = false;
        clock.pass(LONG_NANOS);
        loses = true;
        assertThat(vfs.getAttributes(ino).sizeBytes()).isEqualTo(5);
        assertThat(loses).isFalse();
    }

    @Test
    void whatIsNotKnown_isNotSaidToBeMissing() throws FsException {
        write("file", "hello");
        list();
        goAway();
        assertThatThrownBy(() -> vfs.lookup(Vfs.ROOT_INO, "other"))
                .extracting(e -> ((FsException) e).error())
                .isEqualTo(FsError.ETIMEDOUT);
    }

    @Test
    void whatTheBackEndCannotOpenLater_isAskedOfTheServer() throws FsException {
        write("file", "hello");
        opensLater = false;
        goAway();
        assertThatThrownBy(() -> read("file")).hasMessageContaining("away");
    }

    @Test
    void whatIsWrittenMeanwhile_isSentWhenTheServerIsBack() throws FsException {
        write("file", "hello");
        goAway();
        OpenFile file = open("file", OpenFlags.READ_WRITE);
        vfs.write(file, 5, ByteBuffer.wrap(" you".getBytes(StandardCharsets.UTF_8)));
        assertThat(read("file")).isEqualTo("hello you");
        away = false;
        vfs.fsync(file, false);
        assertThat(store.stat(RemotePath.ROOT.child("file")).sizeBytes()).isEqualTo(9);
    }

    @Test
    void whatOthersChangedMeanwhile_isSeenWhenTheServerIsBack() throws FsException {
        write("file", "hello");
        goAway();
        read("file");
        anotherMountWrites("longer than before");
        assertThat(read("file")).isEqualTo("hello");
        away = false;
        assertThat(read("file")).isEqualTo("longer than before");
    }

    private void anotherMountWrites(String text) throws FsException {
        CachedVfs other = SmallVfs.over(runtime, store);
        OpenFile file =
                other.open(
                        other.lookup(Vfs.ROOT_INO, "file").attributes().ino(),
                        OpenFlags.READ_WRITE);
        other.write(file, 0, ByteBuffer.wrap(text.getBytes(StandardCharsets.UTF_8)));
        other.fsync(file, false);
    }

    @Test
    void aFileThatIsKnown_isEmptiedAndWrittenAnew() throws FsException {
        write("file", "what was there before");
        goAway();
        OpenFlags empties = new OpenFlags(Access.WRITE, false, true, false, false, false, false);
        OpenFile file = open("file", empties);
        vfs.write(file, 0, ByteBuffer.wrap("new".getBytes(StandardCharsets.UTF_8)));
        vfs.release(file);
        assertThat(read("file")).isEqualTo("new");
        assertThat(store.stat(RemotePath.ROOT.child("file")).sizeBytes()).isEqualTo(21);
        away = false;
        file = open("file", OpenFlags.READ_WRITE);
        vfs.fsync(file, false);
        vfs.release(file);
        assertThat(store.stat(RemotePath.ROOT.child("file")).sizeBytes()).isEqualTo(3);
    }
}
