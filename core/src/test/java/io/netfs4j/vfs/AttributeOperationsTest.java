// SPDX-License-Identifier: Apache-2.0
package io.netfs4j.vfs;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.netfs4j.base.Completion;
import io.netfs4j.base.FsError;
import io.netfs4j.base.FsException;
import io.netfs4j.base.SystemRuntime;
import io.netfs4j.engine.EngineLimits;
import io.netfs4j.pagecache.PageCache;
import io.netfs4j.server.AttributeChange;
import io.netfs4j.server.RemotePath;
import io.netfs4j.server.Server;
import io.netfs4j.server.ServerFile;
import io.netfs4j.server.WriteSession;
import io.netfs4j.server.memory.MemoryServer;
import io.netfs4j.testing.DoubleServer;

import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

import java.nio.ByteBuffer;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.concurrent.Callable;
import java.util.concurrent.CountDownLatch;

/** What is set or removed while the server's answer to something else is on its way. */
@Timeout(value = 60, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
class AttributeOperationsTest {
    private static final PageCache.Limits LIMITS = new PageCache.Limits(1 << 20, 1 << 20, 1 << 20);
    private static final Instant LONG_AGO = Instant.ofEpochSecond(1_121_380_700L);

    private final SystemRuntime runtime = new SystemRuntime();
    private MemoryServer store;
    private Vfs vfs;
    private long ino;

    private static final Set<String> SLOW = Set.of("setAttributes", "link", "stat");

    /** Done once, when the server has changed something and before anybody hears of it. */
    private @Nullable Callable<@Nullable Attributes> beforeAnswer;

    private volatile boolean commitsFail;
    private volatile boolean truncatesFail;

    /** Answers about an open file wait here. */
    private volatile CountDownLatch lengthGate = new CountDownLatch(0);

    private final CountDownLatch lengthAsked = new CountDownLatch(1);

    @BeforeEach
    void open() throws Exception {
        store = new MemoryServer(runtime.environment().clock());
        store.create(() -> RemotePath.ROOT.child("f"), 0600).file().close();
        mount(VfsOptions.of(LIMITS));
    }

    private static VfsOptions options(long validNanos, VfsOptions.OnConflict policy) {
        return new VfsOptions(
                LIMITS,
                EngineLimits.DEFAULT,
                validNanos,
                0,
                false,
                false,
                false,
                true,
                false,
                new VfsOptions.Conflicts(policy, "host"),
                false,
                VfsOptions.Ownership.SERVERS);
    }

    private void mount(VfsOptions options) throws Exception {
        vfs =
                new CachedVfs(
                        runtime.environment(),
                        DoubleServer.of(store, this::slowToAnswer),
                        options,
                        ByteBuffer::allocate);
        ino = vfs.lookup(Vfs.ROOT_INO, "f").attributes().ino();
    }

    @AfterEach
    void close() {
        runtime.close();
    }

    private @Nullable Object slowToAnswer(DoubleServer.Call call) throws Throwable {
        if (commitsFail && call.is(WriteSession.class, "commit")) {
            call.argument(1, Completion.class).fail(new FsException(FsError.EIO, "no commit"));
            return null;
        }
        if (truncatesFail && call.is(ServerFile.class, "setAttributes")) {
            throw new FsException(FsError.EIO, "no truncate");
        }
        Object answer = call.proceed();
        if (call.is(ServerFile.class, "attributes")) {
            lengthAsked.countDown();
            lengthGate.await();
        }
        Callable<@Nullable Attributes> meanwhile = beforeAnswer;
        boolean slow =
                SLOW.stream().anyMatch(name -> call.is(Server.class, name))
                        || call.is(ServerFile.class, "setAttributes");
        if (meanwhile != null && slow) {
            beforeAnswer = null;
            meanwhile.call();
        }
        return answer;
    }

    @Test
    void times_setWhileATruncateIsAnswered_stand() throws Exception {
        AttributeChange times = new AttributeChange(null, null, null, null, LONG_AGO, LONG_AGO);
        beforeAnswer = () -> vfs.setAttributes(ino, times, null);
        vfs.setAttributes(ino, AttributeChange.size(3), null);
        assertThat(vfs.getAttributes(ino).sizeBytes()).isEqualTo(3);
        assertThat(vfs.getAttributes(ino).accessed()).isEqualTo(LONG_AGO);
        assertThat(vfs.getAttributes(ino).modified()).isEqualTo(LONG_AGO);
    }

    @Test
    void size_setWhileAnotherNameIsLookedUp_stands() throws Exception {
        store.link(RemotePath.ROOT.child("f"), RemotePath.ROOT.child("g"));
        OpenFile file = vfs.open(ino, OpenFlags.READ_WRITE);
        beforeAnswer = () -> vfs.setAttributes(ino, AttributeChange.size(3), file);
        Attributes found = vfs.lookup(Vfs.ROOT_INO, "g").attributes();
        assertThat(found.ino()).isEqualTo(ino);
        assertThat(found.sizeBytes()).isEqualTo(3);
        vfs.release(file);
    }

    @Test
    void nameOfTwo_removedWhileItIsListed_doesNotComeBack() throws Exception {
        store.link(RemotePath.ROOT.child("f"), RemotePath.ROOT.child("g"));
        // Nothing that was listed is believed for longer than it takes.
        mount(options(0, VfsOptions.OnConflict.OVERWRITE));
        OpenDirectory open = vfs.openDirectory(Vfs.ROOT_INO);
        List<String> entered = new ArrayList<>();
        vfs.readDirectory(
                open,
                0,
                true,
                (name, number, type, next, entry) -> {
                    if (name.equals(".")) {
                        assertThatCode(() -> vfs.unlink(Vfs.ROOT_INO, "f"))
                                .doesNotThrowAnyException();
                    }
                    if (entry != null) {
                        entered.add(name);
                    }
                    return true;
                });
        vfs.releaseDirectory(open);
        assertThat(entered).doesNotContain("f");
    }

    @Test
    void mode_setWhileALinkIsAnswered_stands() throws Exception {
        AttributeChange mode = new AttributeChange(0640, null, null, null, null, null);
        beforeAnswer = () -> vfs.setAttributes(ino, mode, null);
        vfs.link(ino, Vfs.ROOT_INO, "g");
        assertThat(vfs.getAttributes(ino).mode()).isEqualTo(0640);
        assertThat(vfs.getAttributes(ino).links()).isEqualTo(2);
    }

    @Test
    void size_ofWhatWasSentWhileBitsWereBeingSet_stands_whenItsCommitFails() throws Exception {
        OpenFile file = vfs.open(ino, OpenFlags.READ_WRITE);
        vfs.write(file, 0, ByteBuffer.allocate(10));
        beforeAnswer =
                () -> {
                    commitsFail = true;
                    assertThatThrownBy(() -> vfs.fsync(file, false))
                            .hasMessageContaining("no commit");
                    commitsFail = false;
                    return null;
                };
        AttributeChange mode = new AttributeChange(0640, null, null, null, null, null);
        assertThat(vfs.setAttributes(ino, mode, file).sizeBytes()).isEqualTo(10);
        assertThat(beforeAnswer).isNull();
        vfs.release(file);
    }

    @Test
    void times_setWhileARequestLearnsTheLength_areShown_whenItGoesOn() throws Exception {
        mount(options(0, VfsOptions.OnConflict.COPY));
        OpenFile file = vfs.open(ino, OpenFlags.READ_WRITE);
        lengthGate = new CountDownLatch(1);
        truncatesFail = true;
        assertThatThrownBy(() -> vfs.setAttributes(ino, AttributeChange.size(3), file))
                .hasMessageContaining("no truncate");
        truncatesFail = false;
        vfs.flush(file);
        lengthAsked.await();
        AttributeChange times = AttributeChange.times(LONG_AGO, LONG_AGO);
        Attributes shown = vfs.setAttributes(ino, times, file);
        assertThat(shown.accessed()).isEqualTo(LONG_AGO);
        assertThat(shown.modified()).isEqualTo(LONG_AGO);
        lengthGate.countDown();
        vfs.fsync(file, false);
        assertThat(vfs.getAttributes(ino).modified()).isEqualTo(LONG_AGO);
        vfs.release(file);
    }
}
