// SPDX-License-Identifier: Apache-2.0
package io.netfs4j.vfs;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.netfs4j.base.Completion;
import io.netfs4j.base.FsError;
import io.netfs4j.base.FsException;
import io.netfs4j.base.SystemRuntime;
import io.netfs4j.request.Subrequest;
import io.netfs4j.request.Termination;
import io.netfs4j.server.Access;
import io.netfs4j.server.RemotePath;
import io.netfs4j.server.ServerFile;
import io.netfs4j.server.WriteSession;
import io.netfs4j.server.memory.MemoryServer;
import io.netfs4j.testing.DoubleServer;
import io.netfs4j.testing.Transfers;

import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

import java.nio.ByteBuffer;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.atomic.AtomicInteger;

/** A write past the page cache over a server that goes away in its middle. */
@Timeout(60)
class UnbufferedWriteTest {
    private static final int PIECE_BYTES = 1 << 16;
    private static final int BYTES = 3 * PIECE_BYTES;

    private final SystemRuntime runtime = new SystemRuntime();
    private final MemoryServer store = new MemoryServer(runtime.environment().clock());

    /** The server takes the first piece only, and no commit. */
    private volatile boolean away;

    private final AtomicInteger pieces = new AtomicInteger();
    private final CountDownLatch refusing = new CountDownLatch(1);
    private final LinkedBlockingQueue<DoubleServer.Call> commits = new LinkedBlockingQueue<>();
    private CachedVfs vfs;
    private OpenFile file;

    @BeforeEach
    void open() throws FsException {
        vfs = SmallVfs.over(runtime, DoubleServer.of(store, this::goingAway));
        OpenFlags direct = OpenFlags.READ_WRITE.pastThePageCache();
        file = vfs.create(Vfs.ROOT_INO, "f", 0644, direct).file();
        vfs.fsync(file, false);
        away = true;
    }

    @AfterEach
    void close() {
        runtime.close();
    }

    private @Nullable Object goingAway(DoubleServer.Call call) throws Throwable {
        if (call.is(WriteSession.class, "estimateBytes")) {
            return PIECE_BYTES;
        }
        if (away && call.is(WriteSession.class, "issue") && pieces.getAndIncrement() > 0) {
            Subrequest piece = call.argument(0, Subrequest.class);
            piece.take(piece.length());
            FsException lost = new FsException(FsError.EIO, "lost");
            piece.terminated(new Termination.RetryLater(true, 0, lost));
            refusing.countDown();
            return true;
        }
        if (away && call.is(WriteSession.class, "commit")) {
            commits.add(call);
            return null;
        }
        return call.proceed();
    }

    private static void fail(DoubleServer.Call commit) {
        FsException lost = new FsException(FsError.EIO, "lost");
        commit.argument(1, Completion.class).fail(lost);
    }

    private static void answer(DoubleServer.Call commit) {
        try {
            commit.proceed();
        } catch (Throwable e) {
            fail(commit);
        }
    }

    /** Writes, and is interrupted once the server takes no more; returns how many bytes it took. */
    private int writeInterrupted() throws Exception {
        AtomicInteger count = new AtomicInteger();
        Thread writer =
                Thread.ofPlatform()
                        .start(() -> {
                            try {
                                ByteBuffer memory = ByteBuffer.allocate(BYTES);
                                count.set(vfs.write(file, 0, memory));
                            } catch (FsException e) {
                                count.set(-e.error().errno());
                            }
                        });
        refusing.await();
        writer.interrupt();
        writer.join();
        return count.get();
    }

    @Test
    void interrupted_whileTheServerIsAway_endsAndTheSizeIsLearnedLater() throws Exception {
        int count = writeInterrupted();
        assertThat(count).as("what the server has").isEqualTo(PIECE_BYTES);
        assertThat(vfs.getAttributes(file.ino()).sizeBytes()).isEqualTo(count);
        assertThat(vfs.engine().flusher().isClean()).as("the size is in doubt").isFalse();
        DoubleServer.Call commit = commits.take();
        away = false;
        answer(commit);
        vfs.fsync(file, false);
        assertThat(vfs.getAttributes(file.ino()).sizeBytes()).isEqualTo(count);
        assertThat(vfs.engine().flusher().isClean()).isTrue();
    }

    @Test
    void interrupted_thenLearned_showsWhatAnotherClientWroteMeanwhile() throws Exception {
        int behind = 2 * BYTES;
        away = false;
        vfs.write(file, behind, ByteBuffer.allocate(1));
        vfs.fsync(file, false);
        OpenFile buffered = vfs.open(file.ino(), OpenFlags.READ_WRITE);
        assertThat(byteAt(buffered, behind)).isZero();
        away = true;
        writeInterrupted();
        fail(commits.take());
        ServerFile theirs = store.open(() -> RemotePath.ROOT.child("f"), Access.READ_WRITE).file();
        new Transfers(runtime.environment().waits()).write(theirs, behind, new byte[] {'z'});
        away = false;
        assertThatThrownBy(() -> vfs.fsync(file, false)).hasMessageContaining("lost");
        vfs.fsync(file, false);
        assertThat(vfs.engine().flusher().isClean()).isTrue();
        vfs.open(file.ino(), OpenFlags.READ);
        assertThat(byteAt(buffered, behind)).isEqualTo((byte) 'z');
    }

    private byte byteAt(OpenFile open, long position) throws FsException {
        ByteBuffer one = ByteBuffer.allocate(1);
        vfs.read(open, position, one);
        return one.get(0);
    }
}
