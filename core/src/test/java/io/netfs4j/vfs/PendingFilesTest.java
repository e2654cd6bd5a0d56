// SPDX-License-Identifier: Apache-2.0
package io.netfs4j.vfs;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.netfs4j.Mount;
import io.netfs4j.SimulatedMount;
import io.netfs4j.base.Environment;
import io.netfs4j.base.FsError;
import io.netfs4j.base.FsException;
import io.netfs4j.base.SystemRuntime;
import io.netfs4j.pagecache.PageCache;
import io.netfs4j.server.Access;
import io.netfs4j.server.AttributeChange;
import io.netfs4j.server.OpenedFile;
import io.netfs4j.server.PathSource;
import io.netfs4j.server.RemotePath;
import io.netfs4j.server.RenameMode;
import io.netfs4j.server.Server;
import io.netfs4j.server.memory.MemoryServer;
import io.netfs4j.testing.LaterClock;

import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Proxy;
import java.nio.ByteBuffer;
import java.time.Instant;
import java.util.List;
import java.util.TreeSet;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;

/** Files that applications have before the server has them. */
@Timeout(60)
class PendingFilesTest {
    private static final OpenFlags TRUNCATES =
            new OpenFlags(Access.READ_WRITE, false, true, false, false, false, false);
    private static final OpenFlags EXCLUSIVE =
            new OpenFlags(Access.READ_WRITE, false, false, true, false, false, false);

    private final SystemRuntime runtime = new SystemRuntime();

    private final LaterClock clock = LaterClock.of(runtime.environment());

    private final Environment environment = clock.in(runtime.environment());

    private final MemoryServer store = new MemoryServer(runtime.environment().clock());

    /** What creating a file waits for. */
    private volatile CountDownLatch gate = new CountDownLatch(0);

    /** What creating a file fails with; null when it does not. */
    private volatile FsError refusal;

    /** What a rename fails with; null when it does not. */
    private volatile FsError renameRefusal;

    /** Whether it fails the next time when it has been done. */
    private final AtomicBoolean refuseAfterwards = new AtomicBoolean();

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
                                    boolean creates = method.getName().equals("create");
                                    FsError refused = creates ? refusal : null;
                                    if (creates) {
                                        gate.await();
                                    }
                                    if (method.getName().equals("rename")
                                            && renameRefusal != null) {
                                        throw new FsException(renameRefusal, "not there");
                                    }
                                    boolean after = creates && refuseAfterwards.getAndSet(false);
                                    if (refused != null && !after) {
                                        throw new FsException(refused, "not here");
                                    }
                                    Object result;
                                    try {
                                        result = method.invoke(store, arguments);
                                    } catch (InvocationTargetException e) {
                                        throw e.getCause();
                                    }
                                    if (refused != null) {
                                        ((OpenedFile) result).file().close();
                                        throw new FsException(refused, "made, and not told");
                                    }
                                    return result;
                                });
        vfs =
                new CachedVfs(
                        environment,
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

    private void hold() {
        gate = new CountDownLatch(1);
    }

    @Test
    void create_inADirectoryOfOurs_returnsBeforeTheServerHasTheFile() throws Exception {
        hold();
        OpenFile file = vfs.create(made, "a", 0600, OpenFlags.READ_WRITE).file();
        vfs.write(file, 0, bytes("hello"));

        assertThat(onServer("made")).isEmpty();
        assertThat(listed(made)).containsExactly(".", "..", "a");
        assertThat(vfs.lookup(made, "a").attributes().sizeBytes()).isEqualTo(5);
        assertThat(read(file)).isEqualTo("hello");
        assertThat(mount.unsaved()).hasSize(1);

        gate.countDown();
        vfs.fsync(file, false);
        assertThat(onServer("made")).containsExactly("a");
        assertThat(store.stat(path("made/a")).sizeBytes()).isEqualTo(5);
        assertThat(store.stat(path("made/a")).mode()).isEqualTo(0600);
        assertThat(mount.unsaved()).isEmpty();
    }

    @Test
    void fsyncDirectory_returns_whenTheServerHasItsFiles() throws Exception {
        for (int i = 0; i < 200; i++) {
            vfs.release(vfs.create(made, "f" + i, 0644, OpenFlags.READ_WRITE).file());
        }
        vfs.fsyncDirectory(made);
        assertThat(onServer("made")).hasSize(200);
    }

    @Test
    void fsyncDirectory_tellsWhatTheServerRefused() throws Exception {
        refusal = FsError.EDQUOT;
        vfs.create(made, "a", 0644, OpenFlags.READ_WRITE);
        refused(FsError.EDQUOT, () -> vfs.fsyncDirectory(made));
        refusal = null;
        vfs.fsyncDirectory(made);
        assertThat(onServer("made")).containsExactly("a");
    }

    @Test
    void create_exclusively_inADirectoryOfSomeAge_asksTheServer() throws Exception {
        clock.pass(TimeUnit.SECONDS.toNanos(31));
        listed(made);
        store.create(source("made/lock"), 0644).file().close();
        refused(FsError.EEXIST, () -> vfs.create(made, "lock", 0644, EXCLUSIVE));
    }

    @Test
    void create_exclusively_inADirectoryOfOthers_asksTheServer() throws Exception {
        store.makeDirectory(path("theirs"), 0755);
        long theirs = vfs.lookup(Vfs.ROOT_INO, "theirs").attributes().ino();
        listed(theirs);
        vfs.release(vfs.create(theirs, "a", 0644, OpenFlags.READ_WRITE).file());
        listed(theirs);
        store.create(source("theirs/lock"), 0644).file().close();
        refused(FsError.EEXIST, () -> vfs.create(theirs, "lock", 0644, EXCLUSIVE));
    }

    @Test
    void create_exclusively_inADirectoryMadeJustNow_doesNotWait() throws Exception {
        vfs.fsyncDirectory(made);
        hold();
        OpenFile file = vfs.create(made, "a", 0644, EXCLUSIVE).file();
        refused(FsError.EEXIST, () -> vfs.create(made, "a", 0644, EXCLUSIVE));
        vfs.write(file, 0, bytes("new"));
        gate.countDown();
        vfs.fsync(file, false);
        assertThat(store.stat(path("made/a")).sizeBytes()).isEqualTo(3);
    }

    /** Listed, looked up, or in the way: what others make there shows that they are there. */
    @Test
    void create_exclusively_whereAnothersNameHasShown_asksTheServer() throws Exception {
        for (String how : List.of("listed", "looked up", "in the way")) {
            String name = how.replace(" ", "");
            long own = vfs.makeDirectory(made, name, 0755).attributes().ino();
            vfs.fsyncDirectory(made);
            store.create(source("made/" + name + "/theirs"), 0644).file().close();
            if (how.equals("in the way")) {
                OpenFile taken = vfs.create(own, "theirs", 0644, OpenFlags.READ_WRITE).file();
                vfs.fsync(taken, false);
            }
            clock.pass(TimeUnit.SECONDS.toNanos(6));
            if (how.equals("listed")) {
                listed(own);
            } else if (how.equals("looked up")) {
                assertThat(vfs.lookup(own, "theirs").isNegative()).isFalse();
            }
            listed(own);
            store.create(source("made/" + name + "/lock"), 0644).file().close();
            refused(FsError.EEXIST, () -> vfs.create(own, "lock", 0644, EXCLUSIVE));
        }
    }

    /** Also when the application said that it may be emptied: it said first that it is new. */
    @Test
    void create_exclusively_leavesAloneWhatAnotherHasMadeMeanwhile() throws Exception {
        hold();
        OpenFlags both = new OpenFlags(Access.READ_WRITE, false, true, true, false, false, false);
        OpenFile file = vfs.create(made, "a", 0644, both).file();
        vfs.write(file, 0, bytes("ours"));
        store("made/a", "theirs");
        gate.countDown();
        refused(FsError.EEXIST, () -> vfs.fsync(file, false));
        assertThat(store.stat(path("made/a")).sizeBytes()).isEqualTo(6);
    }

    @Test
    void firstCreate_inADirectoryOfOthers_isRefusedAtOnce() throws Exception {
        store.makeDirectory(path("theirs"), 0555);
        long theirs = vfs.lookup(Vfs.ROOT_INO, "theirs").attributes().ino();
        listed(theirs);
        refusal = FsError.EACCES;
        refused(FsError.EACCES, () -> vfs.create(theirs, "a", 0644, OpenFlags.READ_WRITE));
    }

    @Test
    void create_ofWhatAnotherClientMadeSinceTheListing_opensIt() throws Exception {
        store.makeDirectory(path("theirs"), 0755);
        long theirs = vfs.lookup(Vfs.ROOT_INO, "theirs").attributes().ino();
        assertThat(listed(theirs)).containsExactly(".", "..");
        store.create(source("theirs/a"), 0644).file().close();
        store.makeDirectory(path("theirs/d"), 0755);
        OpenFile file = vfs.create(theirs, "a", 0644, OpenFlags.READ_WRITE).file();
        vfs.write(file, 0, bytes("ours"));
        vfs.fsync(file, false);
        assertThat(store.stat(path("theirs/a")).sizeBytes()).isEqualTo(4);
        refused(FsError.EISDIR, () -> vfs.create(theirs, "d", 0644, OpenFlags.READ_WRITE));
        refused(FsError.EEXIST, () -> vfs.create(theirs, "a", 0644, EXCLUSIVE));
        assertThat(listed(theirs)).containsExactly(".", "..", "a", "d");
    }

    @Test
    void refusedCreate_isToldAtFsync_andTheNextOneAtOnce() throws Exception {
        refusal = FsError.EACCES;
        OpenFile file = vfs.create(made, "a", 0644, OpenFlags.READ_WRITE).file();
        vfs.write(file, 0, bytes("kept"));
        refused(FsError.EACCES, () -> vfs.fsync(file, false));

        refused(FsError.EACCES, () -> vfs.create(made, "b", 0644, OpenFlags.READ_WRITE));
        assertThat(read(file)).isEqualTo("kept");
        List<Mount.Unsaved> left = mount.drain();
        assertThat(left).hasSize(1);
        assertThat(left.get(0).toString()).contains("made/a");

        refusal = null;
        assertThat(mount.drain()).isEmpty();
        assertThat(store.stat(path("made/a")).sizeBytes()).isEqualTo(4);
    }

    @Test
    void unlink_ofARefusedFile_givesItUp() throws Exception {
        refusal = FsError.ENOSPC;
        OpenFile file = vfs.create(made, "a", 0644, OpenFlags.READ_WRITE).file();
        vfs.write(file, 0, bytes("lost"));
        refused(FsError.ENOSPC, () -> vfs.fsync(file, false));

        vfs.unlink(made, "a");
        assertThat(listed(made)).containsExactly(".", "..");
        assertThat(read(file)).isEqualTo("lost");
        vfs.release(file);
        vfs.forget(file.ino(), 1);
        assertThat(mount.drain()).isEmpty();
        vfs.removeDirectory(Vfs.ROOT_INO, "made");
    }

    @Test
    void listing_madeAnew_showsWhatTheServerHasNotGot() throws Exception {
        refusal = FsError.EACCES;
        vfs.release(vfs.create(made, "a", 0644, OpenFlags.READ_WRITE).file());
        refused(FsError.EACCES, () -> vfs.fsyncDirectory(made));
        store.create(source("made/b"), 0644).file().close();
        clock.pass(60_000_000_000L);
        assertThat(listed(made)).containsExactly(".", "..", "a", "b");
        assertThat(vfs.lookup(made, "a").isNegative()).isFalse();
    }

    @Test
    void unlink_ofAFileThatARefusedAttemptLeft_removesIt() throws Exception {
        refusal = FsError.EIO;
        refuseAfterwards.set(true);
        vfs.release(vfs.create(made, "a", 0644, OpenFlags.READ_WRITE).file());
        refused(FsError.EIO, () -> vfs.fsyncDirectory(made));
        assertThat(onServer("made")).containsExactly("a");
        vfs.unlink(made, "a");
        assertThat(onServer("made")).isEmpty();
    }

    @Test
    void rename_overARefusedFile_replacesIt() throws Exception {
        OpenFile good = vfs.create(made, "good", 0644, OpenFlags.READ_WRITE).file();
        vfs.write(good, 0, bytes("good"));
        vfs.fsync(good, false);
        refusal = FsError.EACCES;
        vfs.release(vfs.create(made, "a", 0644, OpenFlags.READ_WRITE).file());
        refused(FsError.EACCES, () -> vfs.fsyncDirectory(made));
        vfs.rename(made, "good", made, "a", RenameMode.REPLACE);
        assertThat(listed(made)).containsExactly(".", "..", "a");
        assertThat(store.stat(path("made/a")).sizeBytes()).isEqualTo(4);
        assertThat(mount.drain()).isEmpty();
    }

    @Test
    void renameThatFails_overARefusedFile_leavesItToBeTriedAgain() throws Exception {
        OpenFile good = vfs.create(made, "good", 0644, OpenFlags.READ_WRITE).file();
        vfs.fsync(good, false);
        refusal = FsError.EACCES;
        OpenFile file = vfs.create(made, "a", 0644, OpenFlags.READ_WRITE).file();
        vfs.write(file, 0, bytes("kept"));
        refused(FsError.EACCES, () -> vfs.fsync(file, false));
        renameRefusal = FsError.EIO;
        refused(FsError.EIO, () -> vfs.rename(made, "good", made, "a", RenameMode.REPLACE));
        assertThat(listed(made)).containsExactly(".", "..", "a", "good");
        refusal = null;
        assertThat(mount.drain()).isEmpty();
        assertThat(store.stat(path("made/a")).sizeBytes()).isEqualTo(4);
        assertThat(onServer("made")).containsExactly("a", "good");
    }

    @Test
    void setAttributes_ofADirectory_comesAfterItsPendingFiles() throws Exception {
        hold();
        vfs.release(vfs.create(made, "a", 0644, OpenFlags.READ_WRITE).file());
        Instant then = Instant.ofEpochSecond(1_000_000_000);
        CountDownLatch done = new CountDownLatch(1);
        Thread setting =
                Thread.ofVirtual()
                        .start(() -> {
                            try {
                                vfs.setAttributes(made, AttributeChange.times(then, then), null);
                                done.countDown();
                            } catch (FsException e) {
                                throw new IllegalStateException(e);
                            }
                        });
        gate.countDown();
        setting.join();
        assertThat(done.getCount()).isZero();
        assertThat(onServer("made")).containsExactly("a");
        assertThat(store.stat(path("made")).modified()).isEqualTo(then);
        assertThat(vfs.getAttributes(made).modified()).isEqualTo(then);
    }

    @Test
    void chmod_ofADirectory_hasTheServerAskedFirstAgain() throws Exception {
        vfs.setAttributes(made, new AttributeChange(0700, null, null, null, null, null), null);
        refusal = FsError.EACCES;
        refused(FsError.EACCES, () -> vfs.create(made, "a", 0644, OpenFlags.READ_WRITE));
    }

    @Test
    void discard_ofAPendingFile_leavesNothingOfIt() throws Exception {
        refusal = FsError.EACCES;
        OpenFile file = vfs.create(made, "a", 0644, OpenFlags.READ_WRITE).file();
        vfs.write(file, 0, bytes("lost"));
        refused(FsError.EACCES, () -> vfs.fsync(file, false));
        assertThat(mount.discard()).hasSize(1);
        assertThat(mount.unsaved()).isEmpty();
        assertThat(listed(made)).containsExactly(".", "..");
        vfs.release(file);
        vfs.removeDirectory(Vfs.ROOT_INO, "made");
    }

    @Test
    void removeDirectory_withAPendingFile_isRefused() throws Exception {
        hold();
        vfs.create(made, "a", 0644, OpenFlags.READ_WRITE);
        vfs.makeDirectory(Vfs.ROOT_INO, "other", 0755);
        refused(FsError.ENOTEMPTY, () -> vfs.removeDirectory(Vfs.ROOT_INO, "made"));
        refused(
                FsError.ENOTEMPTY,
                () -> vfs.rename(Vfs.ROOT_INO, "other", Vfs.ROOT_INO, "made", RenameMode.REPLACE));
        gate.countDown();
    }

    @Test
    void renameOfADirectory_doesNotWaitForItsPendingFiles_andTheyMoveAlong() throws Exception {
        OpenFile first = vfs.create(made, "first", 0644, OpenFlags.READ_WRITE).file();
        vfs.fsync(first, false);
        vfs.rename(Vfs.ROOT_INO, "made", Vfs.ROOT_INO, "moved", RenameMode.REPLACE);
        OpenFile second = vfs.create(made, "second", 0644, OpenFlags.READ_WRITE).file();
        vfs.rename(Vfs.ROOT_INO, "moved", Vfs.ROOT_INO, "again", RenameMode.REPLACE);
        vfs.fsync(second, false);
        assertThat(onServer("again")).containsExactly("first", "second");
    }

    @Test
    void fileOfAnotherClient_isNotOverwritten() throws Exception {
        hold();
        OpenFile file = vfs.create(made, "a", 0644, OpenFlags.READ_WRITE).file();
        vfs.write(file, 0, bytes("ours"));
        store("made/a", "theirs");
        gate.countDown();
        refused(FsError.EEXIST, () -> vfs.fsync(file, false));
        assertThat(store.stat(path("made/a")).sizeBytes()).isEqualTo(6);
    }

    @Test
    void fileOfAnotherClient_isReplacedWhereTheApplicationTruncates() throws Exception {
        hold();
        OpenFile file = vfs.create(made, "a", 0644, TRUNCATES).file();
        vfs.write(file, 0, bytes("ours"));
        store("made/a", "theirs");
        gate.countDown();
        vfs.fsync(file, false);
        assertThat(store.stat(path("made/a")).sizeBytes()).isEqualTo(4);
    }

    /** As tar and cp do, between the last write and the close. */
    @Test
    void permissionBitsAndTimes_areSetBeforeTheServerHasTheFile() throws Exception {
        hold();
        OpenFile file = vfs.create(made, "a", 0644, OpenFlags.READ_WRITE).file();
        vfs.write(file, 0, bytes("text"));
        Instant then = Instant.ofEpochSecond(1_000_000);
        AttributeChange change = new AttributeChange(0400, null, null, null, then, then);
        assertThat(vfs.setAttributes(file.ino(), change, file).mode()).isEqualTo(0400);
        gate.countDown();
        vfs.fsync(file, false);
        assertThat(store.stat(path("made/a")).mode()).isEqualTo(0400);
        assertThat(store.stat(path("made/a")).modified()).isEqualTo(then);
        assertThat(vfs.getAttributes(file.ino()).mode()).isEqualTo(0400);
        vfs.release(file);
    }

    @Test
    void fileOfAnotherClient_isOpenedWhereNothingWasWritten() throws Exception {
        hold();
        OpenFile file = vfs.create(made, "a", 0644, OpenFlags.READ_WRITE).file();
        store("made/a", "theirs");
        gate.countDown();
        vfs.fsync(file, false);
        assertThat(read(file)).isEqualTo("theirs");
    }

    private void store(String path, String content) throws FsException {
        CachedVfs other =
                new CachedVfs(
                        runtime.environment(),
                        store,
                        VfsOptions.of(new PageCache.Limits(8 << 20, 4 << 20, 1 << 20)),
                        ByteBuffer::allocateDirect);
        long parent = other.lookup(Vfs.ROOT_INO, "made").attributes().ino();
        OpenFile file = other.create(parent, path(path).name(), 0644, EXCLUSIVE).file();
        other.write(file, 0, bytes(content));
        other.fsync(file, false);
    }

    private static void refused(FsError error, ThrowingCallable action) {
        assertThatThrownBy(action)
                .isInstanceOfSatisfying(
                        FsException.class, e -> assertThat(e.error()).isEqualTo(error));
    }

    private TreeSet<String> onServer(String directory) throws FsException {
        TreeSet<String> names = new TreeSet<>();
        store.list(path(directory), (name, type, attributes) -> names.add(name));
        return names;
    }

    private TreeSet<String> listed(long directory) throws FsException {
        TreeSet<String> names = new TreeSet<>();
        OpenDirectory open = vfs.openDirectory(directory);
        vfs.readDirectory(open, 0, false, (name, ino, type, next, entry) -> names.add(name));
        vfs.releaseDirectory(open);
        return names;
    }

    private String read(OpenFile file) throws FsException {
        ByteBuffer target = ByteBuffer.allocate(100);
        vfs.read(file, 0, target);
        return new String(
                target.array(), 0, target.position(), java.nio.charset.StandardCharsets.UTF_8);
    }

    private static ByteBuffer bytes(String text) {
        return ByteBuffer.wrap(text.getBytes(java.nio.charset.StandardCharsets.UTF_8));
    }

    private static RemotePath path(String text) {
        return new RemotePath(List.of(text.split("/")));
    }

    private static PathSource source(String text) {
        return () -> path(text);
    }
}
