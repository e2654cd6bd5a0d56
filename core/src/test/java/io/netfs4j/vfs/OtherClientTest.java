// SPDX-License-Identifier: Apache-2.0
package io.netfs4j.vfs;

import static org.assertj.core.api.Assertions.assertThat;

import io.netfs4j.base.Environment;
import io.netfs4j.base.FsException;
import io.netfs4j.base.SystemRuntime;
import io.netfs4j.pagecache.PageCache;
import io.netfs4j.server.Capabilities;
import io.netfs4j.server.Capability;
import io.netfs4j.server.RemotePath;
import io.netfs4j.server.Server;
import io.netfs4j.server.memory.MemoryServer;
import io.netfs4j.testing.LaterClock;

import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Proxy;
import java.nio.ByteBuffer;
import java.util.EnumSet;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.CountDownLatch;

/** Names that another client takes away, on a server that loses open files with their names. */
@Timeout(60)
class OtherClientTest {
    private static final long LONG_NANOS = 3_600_000_000_000L;

    private final SystemRuntime runtime = new SystemRuntime();

    private final LaterClock clock = LaterClock.of(runtime.environment());

    private final MemoryServer store = new MemoryServer(runtime.environment().clock());
    private final CountDownLatch listed = new CountDownLatch(1);
    private final CountDownLatch answers = new CountDownLatch(1);

    /** Whether the next listing is held up. */
    private volatile boolean holds;

    private CachedVfs vfs;
    private long dir;

    @BeforeEach
    void open() throws FsException {
        store.makeDirectory(RemotePath.ROOT.child("dir"), 0755);
        Environment environment = clock.in(runtime.environment());
        vfs =
                new CachedVfs(
                        environment,
                        server(),
                        VfsOptions.of(new PageCache.Limits(1 << 20, 1 << 20, 1 << 20)),
                        ByteBuffer::allocate);
        dir = vfs.lookup(Vfs.ROOT_INO, "dir").attributes().ino();
    }

    private Server server() {
        EnumSet<Capability> some = EnumSet.allOf(Capability.class);
        some.remove(Capability.UNLINKED_OPEN_FILES);
        Capabilities capabilities = new Capabilities(some, 1, 1, 255);
        return (Server)
                Proxy.newProxyInstance(
                        Server.class.getClassLoader(),
                        new Class<?>[] {Server.class},
                        (proxy, method, arguments) -> {
                            if (method.getName().equals("capabilities")) {
                                return capabilities;
                            }
                            if (method.getName().equals("list") && holds) {
                                holds = false;
                                listed.countDown();
                                answers.await();
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
        answers.countDown();
        runtime.close();
    }

    private static RemotePath path(String name) {
        return RemotePath.ROOT.child("dir").child(name);
    }

    private OpenFile create(String name) throws FsException {
        OpenFile file = vfs.create(dir, name, 0644, OpenFlags.READ_WRITE).file();
        vfs.fsync(file, false);
        return file;
    }

    /** Programs tell by that whether their log was rotated, or their file is a temporary one. */
    @Test
    void unlink_ofAnOpenFile_leavesItNoLinks() throws Exception {
        OpenFile file = vfs.create(Vfs.ROOT_INO, "f", 0644, OpenFlags.READ_WRITE).file();
        vfs.fsync(file, false);
        assertThat(vfs.getAttributes(file.ino()).links()).isEqualTo(1);
        vfs.unlink(Vfs.ROOT_INO, "f");
        assertThat(vfs.getAttributes(file.ino()).links()).isZero();
        vfs.release(file);
    }

    @Test
    void removeDirectory_withNameThatIsGoneForLong_removesIt() throws Exception {
        OpenFile open = create("removed");
        vfs.release(create("elsewhere"));
        store.remove(path("elsewhere"));
        clock.pass(LONG_NANOS);
        vfs.unlink(dir, "removed");
        vfs.removeDirectory(Vfs.ROOT_INO, "dir");
        vfs.release(open);
        assertThat(vfs.lookup(Vfs.ROOT_INO, "dir").isNegative()).isTrue();
    }

    @Test
    void list_whileAnOlderOneIsUnderWay_doesNotShowWhatIsGone() throws Exception {
        holds = true;
        Thread older = new Thread(() -> assertThat(listOrFail()).isNotNull());
        older.start();
        listed.await();
        vfs.release(create("elsewhere"));
        store.remove(path("elsewhere"));
        clock.pass(LONG_NANOS);
        assertThat(listOrFail()).containsExactly(".", "..");
        answers.countDown();
        older.join();
    }

    private Set<String> listOrFail() {
        Set<String> names = new TreeSet<>();
        try {
            OpenDirectory open = vfs.openDirectory(dir);
            vfs.readDirectory(open, 0, false, (name, ino, type, next, entry) -> names.add(name));
            vfs.releaseDirectory(open);
        } catch (FsException e) {
            throw new AssertionError(e);
        }
        return names;
    }
}
