// SPDX-License-Identifier: Apache-2.0
package io.netfs4j.vfs;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.netfs4j.Mount;
import io.netfs4j.SimulatedMount;
import io.netfs4j.base.FsError;
import io.netfs4j.base.FsException;
import io.netfs4j.base.SystemRuntime;
import io.netfs4j.pagecache.PageCache;
import io.netfs4j.server.AttributeChange;
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
import java.util.List;
import java.util.concurrent.CountDownLatch;

/** Permission bits and times of directories and links, which applications set before the server. */
@Timeout(60)
class PathAttributesTest {
    private static final Instant LONG_AGO = Instant.ofEpochSecond(1_121_380_700L);

    private final SystemRuntime runtime = new SystemRuntime();
    private final MemoryServer store = new MemoryServer(runtime.environment().clock());

    /** What setting attributes by path waits for, and what making a file does. */
    private volatile CountDownLatch setting = new CountDownLatch(0);

    private volatile CountDownLatch making = new CountDownLatch(0);

    /** What setting fails with; null when it does not. */
    private volatile FsError refusal;

    private CachedVfs vfs;
    private Mount mount;

    /** A directory that was made as others of this mount are. */
    private long made;

    @BeforeEach
    void open() throws FsException {
        mount(VfsOptions.of(new PageCache.Limits(8 << 20, 4 << 20, 1 << 20)));
    }

    private void mount(VfsOptions options) throws FsException {
        vfs = new CachedVfs(runtime.environment(), server(), options, ByteBuffer::allocateDirect);
        mount = SimulatedMount.of(server(), vfs, runtime.environment());
        long top = vfs.makeDirectory(Vfs.ROOT_INO, "top", 0755).attributes().ino();
        made = vfs.makeDirectory(top, "made", 0700).attributes().ino();
        vfs.fsyncDirectory(top);
    }

    private Server server() {
        return (Server)
                Proxy.newProxyInstance(
                        Server.class.getClassLoader(),
                        new Class<?>[] {Server.class},
                        (proxy, method, arguments) -> {
                            if (method.getName().equals("setAttributes")) {
                                setting.await();
                                FsError refused = refusal;
                                if (refused != null) {
                                    throw new FsException(refused, "not this");
                                }
                            } else if (method.getName().equals("create")) {
                                making.await();
                            }
                            try {
                                return method.invoke(store, arguments);
                            } catch (InvocationTargetException e) {
                                throw e.getCause();
                            }
                        });
    }

    @AfterEach
    void close() {
        setting.countDown();
        making.countDown();
        mount.close();
        runtime.close();
    }

    private static RemotePath path(String text) {
        return new RemotePath(List.of(text.split("/")));
    }

    private static AttributeChange mode(int bits) {
        return new AttributeChange(bits, null, null, null, null, null);
    }

    private Attributes set(AttributeChange change) throws FsException {
        return vfs.setAttributes(made, change, null);
    }

    @Test
    void attributesOfADirectory_areShownBeforeTheServerHasThem() throws Exception {
        setting = new CountDownLatch(1);
        set(AttributeChange.times(LONG_AGO, LONG_AGO));
        Attributes shown = set(mode(0751));
        assertThat(shown.mode()).isEqualTo(0751);
        assertThat(shown.modified()).isEqualTo(LONG_AGO);
        assertThat(vfs.getAttributes(made).modified()).isEqualTo(LONG_AGO);
        assertThat(store.stat(path("top/made")).mode()).isEqualTo(0700);
        assertThat(mount.unsaved()).hasSize(1);

        setting.countDown();
        vfs.fsyncDirectory(made);
        assertThat(store.stat(path("top/made")).mode()).isEqualTo(0751);
        assertThat(store.stat(path("top/made")).accessed()).isEqualTo(LONG_AGO);
        assertThat(store.stat(path("top/made")).modified()).isEqualTo(LONG_AGO);
        assertThat(mount.drain()).isEmpty();
    }

    @Test
    void timesOfADirectory_comeAfterTheFilesInIt() throws Exception {
        making = new CountDownLatch(1);
        vfs.release(vfs.create(made, "f", 0644, OpenFlags.READ_WRITE).file());
        set(AttributeChange.times(null, LONG_AGO));
        making.countDown();
        assertThat(mount.drain()).isEmpty();
        assertThat(store.stat(path("top/made/f")).sizeBytes()).isZero();
        assertThat(store.stat(path("top/made")).modified()).isEqualTo(LONG_AGO);
        assertThat(vfs.getAttributes(made).modified()).isEqualTo(LONG_AGO);
    }

    @Test
    void timeOfADirectory_isNotSetOverThatOfALaterName() throws Exception {
        set(AttributeChange.times(null, LONG_AGO));
        vfs.release(vfs.create(made, "f", 0644, OpenFlags.READ_WRITE).file());
        assertThat(vfs.getAttributes(made).modified()).isAfter(LONG_AGO);
        assertThat(mount.drain()).isEmpty();
        assertThat(store.stat(path("top/made")).modified()).isAfter(LONG_AGO);
    }

    @Test
    void refusal_isToldAtFsyncOfTheDirectory_once() throws Exception {
        refusal = FsError.EPERM;
        set(AttributeChange.times(null, LONG_AGO));
        assertThatThrownBy(() -> vfs.fsyncDirectory(made))
                .isInstanceOfSatisfying(
                        FsException.class, e -> assertThat(e.error()).isEqualTo(FsError.EPERM));
        vfs.fsyncDirectory(made);
        assertThat(mount.drain()).isEmpty();
    }

    @Test
    void failure_isTriedAgain_andToldByUnmounting() throws Exception {
        refusal = FsError.EIO;
        set(AttributeChange.times(null, LONG_AGO));
        assertThat(mount.drain()).hasSize(1);
        refusal = null;
        assertThat(mount.drain()).isEmpty();
        assertThat(store.stat(path("top/made")).modified()).isEqualTo(LONG_AGO);
    }

    @Test
    void attributes_goWithTheDirectory_whereItIsMoved() throws Exception {
        setting = new CountDownLatch(1);
        set(AttributeChange.times(null, LONG_AGO));
        vfs.rename(Vfs.ROOT_INO, "top", Vfs.ROOT_INO, "moved", RenameMode.REPLACE);
        setting.countDown();
        assertThat(mount.drain()).isEmpty();
        assertThat(store.stat(path("moved/made")).modified()).isEqualTo(LONG_AGO);
    }

    @Test
    void attributes_ofADirectoryThatIsRemoved_areGivenUp() throws Exception {
        refusal = FsError.EIO;
        set(AttributeChange.times(null, LONG_AGO));
        vfs.removeDirectory(vfs.lookup(Vfs.ROOT_INO, "top").attributes().ino(), "made");
        assertThat(mount.drain()).isEmpty();
    }

    @Test
    void attributes_ofADirectoryThatAnotherClientRemoves_areGivenUp() throws Exception {
        set(AttributeChange.times(null, LONG_AGO));
        store.removeDirectory(path("top/made"));
        assertThat(mount.drain()).isEmpty();
    }

    /** What is done in there may need them, and what was set before them comes before them. */
    @Test
    void bitsThatTakeTheOwnersAway_areTheServersAtOnce() throws Exception {
        set(AttributeChange.times(null, LONG_AGO));
        assertThat(set(mode(0500)).mode()).isEqualTo(0500);
        assertThat(store.stat(path("top/made")).mode()).isEqualTo(0500);
        assertThat(store.stat(path("top/made")).modified()).isEqualTo(LONG_AGO);
        set(mode(0700));
        assertThat(store.stat(path("top/made")).mode()).isEqualTo(0700);
    }

    @Test
    void attributesOfADirectoryOfOthers_areTheServersAtOnce() throws Exception {
        store.makeDirectory(path("theirs"), 0755);
        long theirs = vfs.lookup(Vfs.ROOT_INO, "theirs").attributes().ino();
        refusal = FsError.EPERM;
        assertThatThrownBy(() -> vfs.setAttributes(theirs, mode(0700), null))
                .isInstanceOf(FsException.class);
    }

    @Test
    void timesOfALink_areShownBeforeTheServerHasThem() throws Exception {
        long link = vfs.makeSymlink(made, "link", "elsewhere").attributes().ino();
        vfs.fsyncDirectory(made);
        setting = new CountDownLatch(1);
        AttributeChange times = AttributeChange.times(null, LONG_AGO);
        assertThat(vfs.setAttributes(link, times, null).modified()).isEqualTo(LONG_AGO);
        setting.countDown();
        assertThat(mount.drain()).isEmpty();
        assertThat(store.stat(path("top/made/link")).modified()).isEqualTo(LONG_AGO);
    }
}
