// SPDX-License-Identifier: Apache-2.0
package io.netfs4j.vfs;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import static java.nio.charset.StandardCharsets.UTF_8;

import io.netfs4j.Mount;
import io.netfs4j.SimulatedMount;
import io.netfs4j.base.FsError;
import io.netfs4j.base.FsException;
import io.netfs4j.base.SystemRuntime;
import io.netfs4j.pagecache.PageCache;
import io.netfs4j.server.Access;
import io.netfs4j.server.AttributeChange;
import io.netfs4j.server.FileType;
import io.netfs4j.server.RemotePath;
import io.netfs4j.server.RenameMode;
import io.netfs4j.server.Server;
import io.netfs4j.server.memory.MemoryServer;

import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Proxy;
import java.nio.ByteBuffer;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.TreeSet;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.FutureTask;

/** Directories and symbolic links that an application has before the server does. */
@Timeout(60)
class PendingNamesTest {
    private static final OpenFlags EXCLUSIVE =
            new OpenFlags(Access.READ_WRITE, false, false, true, false, false, false);

    private final SystemRuntime runtime = new SystemRuntime();
    private final MemoryServer store = new MemoryServer(runtime.environment().clock());

    /** What making a directory or a link waits for. */
    private volatile CountDownLatch gate = new CountDownLatch(0);

    /** What that fails with; null when it does not. */
    private volatile FsError refusal;

    private CachedVfs vfs;
    private Mount mount;
    private long made;

    @BeforeEach
    void open() throws FsException {
        Server server =
                (Server)
                        Proxy.newProxyInstance(
                                Server.class.getClassLoader(),
                                new Class<?>[] {Server.class},
                                (proxy, method, arguments) -> {
                                    String name = method.getName();
                                    if (name.equals("makeDirectory")
                                            || name.equals("makeSymlink")) {
                                        gate.await();
                                        FsError refused = refusal;
                                        if (refused != null) {
                                            throw new FsException(refused, "not here");
                                        }
                                    }
                                    try {
                                        return method.invoke(store, arguments);
                                    } catch (InvocationTargetException e) {
                                        throw e.getCause();
                                    }
                                });
        vfs =
                new CachedVfs(
                        runtime.environment(),
                        server,
                        VfsOptions.of(new PageCache.Limits(8 << 20, 4 << 20, 1 << 20)),
                        ByteBuffer::allocateDirect);
        mount = SimulatedMount.of(server, vfs, runtime.environment());
        made = vfs.makeDirectory(Vfs.ROOT_INO, "made", 0755).attributes().ino();
    }

    @AfterEach
    void close() {
        gate.countDown();
        mount.close();
        runtime.close();
    }

    private static RemotePath path(String text) {
        return new RemotePath(List.of(text.split("/")));
    }

    private TreeSet<String> listed(long directory) throws FsException {
        TreeSet<String> names = new TreeSet<>();
        OpenDirectory open = vfs.openDirectory(directory);
        vfs.readDirectory(open, 0, false, (name, ino, type, next, entry) -> names.add(name));
        vfs.releaseDirectory(open);
        names.remove(".");
        names.remove("..");
        return names;
    }

    /** A whole tree, down to bytes in a file that must be new, while the server makes nothing. */
    @Test
    void tree_isThereBeforeTheServerHasAnyOfIt() throws Exception {
        gate = new CountDownLatch(1);
        long a = vfs.makeDirectory(made, "a", 0700).attributes().ino();
        long b = vfs.makeDirectory(a, "b", 0755).attributes().ino();
        Entry link = vfs.makeSymlink(b, "link", "../elsewhere");
        OpenFile file = vfs.create(b, "f", 0644, EXCLUSIVE).file();
        vfs.write(file, 0, ByteBuffer.wrap("text".getBytes(UTF_8)));
        assertThat(listed(made)).containsExactly("a");
        assertThat(listed(b)).containsExactly("f", "link");
        assertThat(vfs.lookup(a, "b").attributes().type()).isEqualTo(FileType.DIRECTORY);
        assertThat(vfs.lookup(a, "c").isNegative()).isTrue();
        assertThat(vfs.readSymlink(link.attributes().ino())).isEqualTo("../elsewhere");
        assertThat(vfs.getAttributes(a).mode()).isEqualTo(0700);
        gate.countDown();
        vfs.fsync(file, false);
        assertThat(store.stat(path("made/a")).mode()).isEqualTo(0700);
        assertThat(store.stat(path("made/a/b/f")).sizeBytes()).isEqualTo(4);
        vfs.fsyncDirectory(b);
        assertThat(store.readSymlink(path("made/a/b/link"))).isEqualTo("../elsewhere");
        vfs.release(file);
        assertThat(mount.drain()).isEmpty();
    }

    @Test
    void directory_thatAnotherClientMadeMeanwhile_isTaken() throws Exception {
        gate = new CountDownLatch(1);
        long a = vfs.makeDirectory(made, "a", 0755).attributes().ino();
        vfs.release(vfs.create(a, "ours", 0644, OpenFlags.READ_WRITE).file());
        store.makeDirectory(path("made/a"), 0755);
        store.makeDirectory(path("made/a/theirs"), 0755);
        gate.countDown();
        vfs.fsyncDirectory(a);
        assertThat(listed(a)).containsExactly("ours", "theirs");
        assertThat(mount.drain()).isEmpty();
        assertThat(store.stat(path("made/a/ours")).type()).isEqualTo(FileType.REGULAR);
    }

    @Test
    void directory_whereAnotherClientMadeAFile_isRefused() throws Exception {
        gate = new CountDownLatch(1);
        vfs.makeDirectory(made, "a", 0755);
        store.create(() -> path("made/a"), 0644).file().close();
        gate.countDown();
        assertThatThrownBy(() -> vfs.fsyncDirectory(made))
                .isInstanceOfSatisfying(
                        FsException.class, e -> assertThat(e.error()).isEqualTo(FsError.EEXIST));
        assertThat(store.stat(path("made/a")).type()).isEqualTo(FileType.REGULAR);
    }

    /** Who made it hears of it when he asks, and what is in it is not lost: it waits. */
    @Test
    void refusedDirectory_isToldOf_andComesOnceTheServerTakesIt() throws Exception {
        refusal = FsError.EACCES;
        long a = vfs.makeDirectory(made, "a", 0755).attributes().ino();
        OpenFile file = vfs.create(a, "f", 0644, OpenFlags.READ_WRITE).file();
        vfs.write(file, 0, ByteBuffer.wrap("text".getBytes(UTF_8)));
        assertThatThrownBy(() -> vfs.fsyncDirectory(made))
                .isInstanceOfSatisfying(
                        FsException.class, e -> assertThat(e.error()).isEqualTo(FsError.EACCES));
        assertThatThrownBy(() -> vfs.fsync(file, false))
                .isInstanceOfSatisfying(
                        FsException.class, e -> assertThat(e.error()).isEqualTo(FsError.EACCES));
        refusal = null;
        vfs.fsync(file, false);
        assertThat(store.stat(path("made/a/f")).sizeBytes()).isEqualTo(4);
        vfs.release(file);
    }

    /** As tar and cp -a set them: neither has a handle by which they could follow later. */
    @Test
    void times_ofADirectoryAndALink_setBeforeTheServerHasThem_comeToTheServer() throws Exception {
        gate = new CountDownLatch(1);
        long dir = vfs.makeDirectory(made, "dir", 0700).attributes().ino();
        long link = vfs.makeSymlink(made, "link", "dir").attributes().ino();
        Instant time = Instant.ofEpochSecond(1_000_000_000);
        AttributeChange times = new AttributeChange(null, null, null, null, time, time);
        List<FutureTask<Attributes>> setting = new ArrayList<>();
        for (long ino : new long[] {dir, link}) {
            FutureTask<Attributes> set =
                    new FutureTask<>(() -> vfs.setAttributes(ino, times, null));
            Thread.ofVirtual().start(set);
            setting.add(set);
        }
        gate.countDown();
        for (FutureTask<Attributes> set : setting) {
            assertThat(set.get().modified()).isEqualTo(time);
        }
        assertThat(mount.drain()).isEmpty();
        assertThat(store.stat(path("made/dir")).modified()).isEqualTo(time);
        assertThat(store.stat(path("made/link")).modified()).isEqualTo(time);
        assertThat(vfs.getAttributes(dir).modified()).isEqualTo(time);
    }

    @Test
    void rename_ofADirectory_waitsUntilTheServerHasIt() throws Exception {
        gate = new CountDownLatch(1);
        long a = vfs.makeDirectory(made, "a", 0755).attributes().ino();
        vfs.release(vfs.create(a, "f", 0644, OpenFlags.READ_WRITE).file());
        Thread opens = new Thread(() -> gate.countDown());
        opens.start();
        vfs.rename(made, "a", made, "b", RenameMode.REPLACE);
        opens.join();
        assertThat(mount.drain()).isEmpty();
        assertThat(store.stat(path("made/b/f")).type()).isEqualTo(FileType.REGULAR);
    }

    @Test
    void rmdir_ofARefusedDirectory_takesItBack() throws Exception {
        refusal = FsError.EDQUOT;
        vfs.makeDirectory(made, "a", 0755);
        assertThatThrownBy(() -> vfs.fsyncDirectory(made)).isInstanceOf(FsException.class);
        assertThat(vfs.getAttributes(made).links()).isEqualTo(3);
        vfs.removeDirectory(made, "a");
        assertThat(vfs.getAttributes(made).links()).isEqualTo(2);
        assertThat(listed(made)).isEmpty();
        assertThat(mount.drain()).isEmpty();
        assertThat(vfs.engine().flusher().isClean()).isTrue();
    }

    @Test
    void rename_overARefusedDirectory_replacesIt() throws Exception {
        long good = vfs.makeDirectory(made, "good", 0755).attributes().ino();
        vfs.fsyncDirectory(made);
        refusal = FsError.EDQUOT;
        vfs.makeDirectory(made, "a", 0755);
        assertThatThrownBy(() -> vfs.fsyncDirectory(made)).isInstanceOf(FsException.class);
        assertThat(vfs.getAttributes(made).links()).isEqualTo(4);
        vfs.rename(made, "good", made, "a", RenameMode.REPLACE);
        assertThat(vfs.getAttributes(made).links()).isEqualTo(3);
        assertThat(listed(made)).containsExactly("a");
        assertThat(vfs.lookup(made, "a").attributes().ino()).isEqualTo(good);
        assertThat(store.stat(path("made/a")).type()).isEqualTo(FileType.DIRECTORY);
        assertThat(mount.drain()).isEmpty();
    }

    @Test
    void whatWasMade_leavesNothingBehind() throws Exception {
        long a = vfs.makeDirectory(made, "a", 0755).attributes().ino();
        vfs.makeSymlink(a, "link", "target");
        assertThat(mount.drain()).isEmpty();
        vfs.forget(vfs.lookup(a, "link").attributes().ino(), 2);
        vfs.forget(a, 1);
        vfs.forget(made, 1);
        assertThat(vfs.inodeCount()).isEqualTo(1);
    }
}
