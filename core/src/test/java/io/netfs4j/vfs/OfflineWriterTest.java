// SPDX-License-Identifier: Apache-2.0
package io.netfs4j.vfs;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.netfs4j.base.Completion;
import io.netfs4j.base.FsError;
import io.netfs4j.base.FsException;
import io.netfs4j.base.SystemRuntime;
import io.netfs4j.cache.journal.Journal;
import io.netfs4j.cache.journal.JournalLimits;
import io.netfs4j.pagecache.PageCache;
import io.netfs4j.request.Subrequest;
import io.netfs4j.request.Termination;
import io.netfs4j.server.Access;
import io.netfs4j.server.Capabilities;
import io.netfs4j.server.Capability;
import io.netfs4j.server.RemotePath;
import io.netfs4j.server.Server;
import io.netfs4j.server.WriteSession;
import io.netfs4j.server.memory.MemoryServer;
import io.netfs4j.testing.DoubleServer;
import io.netfs4j.testing.ForgetfulDisk;
import io.netfs4j.testing.Transfers;

import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.List;
import java.util.Queue;
import java.util.SplittableRandom;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;

/** Writers of more than memory holds, while the server is away: the journal makes room. */
@Timeout(60)
class OfflineWriterTest {
    private static final int MEMORY_BYTES = 1 << 20;
    private static final int PIECE_BYTES = 64 << 10;

    private static final List<String> QUESTIONS =
            List.of("stat", "attributes", "readSymlink", "makeSymlinkAndStat");

    private final AtomicInteger questions = new AtomicInteger();
    private final SystemRuntime runtime = new SystemRuntime();
    private final MemoryServer store = new MemoryServer(runtime.environment().clock());
    private final CountDownLatch back = new CountDownLatch(1);
    private final CountDownLatch asked = new CountDownLatch(1);

    private final Queue<Runnable> ready = new ConcurrentLinkedQueue<>();

    private final Queue<Subrequest> sent = new ConcurrentLinkedQueue<>();

    /** Whether files are locked while they are sent. */
    private volatile boolean locks;

    private volatile boolean losesWhatIsSent;
    private volatile boolean away;
    private volatile boolean isLossKnown = true;
    private CachedVfs vfs;

    @BeforeEach
    void open() throws FsException {
        vfs =
                new CachedVfs(
                        runtime.environment(),
                        DoubleServer.of(store, this::answer),
                        options(),
                        ByteBuffer::allocate,
                        null,
                        Journal.open(
                                runtime.environment(),
                                new ForgetfulDisk(new SplittableRandom(1)),
                                new JournalLimits(64L << 18, 1 << 18, 1 << 18)));
    }

    private static VfsOptions options() {
        VfsOptions o =
                VfsOptions.of(new PageCache.Limits(MEMORY_BYTES, MEMORY_BYTES, MEMORY_BYTES / 2));
        return new VfsOptions(
                o.memory(),
                o.engine(),
                o.attributesValidNanos(),
                o.softTimeoutNanos(),
                o.closeWaits(),
                o.syncWrites(),
                o.unbuffered(),
                o.metadataWriteback(),
                o.journalSyncs(),
                new VfsOptions.Conflicts(VfsOptions.OnConflict.COPY, "here"),
                o.readOnly(),
                o.ownership());
    }

    @AfterEach
    void close() {
        back.countDown();
        runtime.close();
    }

    /** Away, what it is asked waits until it is back. */
    private @Nullable Object answer(DoubleServer.Call call) throws Throwable {
        if (call.is(Server.class, "isConnected")) {
            return !away || !isLossKnown;
        }
        if (locks && call.is(Server.class, "capabilities")) {
            return new Capabilities(EnumSet.allOf(Capability.class), 1, 1_000_000_000L, 255);
        }
        if (away && QUESTIONS.contains(call.name())) {
            questions.incrementAndGet();
            asked.countDown();
            back.await();
        }
        if (call.is(WriteSession.class, "issue") && losesWhatIsSent) {
            Subrequest piece = call.argument(0, Subrequest.class);
            piece.take(piece.length());
            sent.add(piece);
            if (sent.stream().mapToLong(Subrequest::length).sum() >= MEMORY_BYTES / 2) {
                asked.countDown();
            }
            return true;
        }
        if (away && call.is(WriteSession.class, "issue")) {
            asked.countDown();
            ready.add(call.argument(1, Runnable.class));
            return false;
        }
        return call.proceed();
    }

    private OpenFile newFile(String name) throws FsException {
        OpenFile file = vfs.create(Vfs.ROOT_INO, name, 0644, OpenFlags.READ_WRITE).file();
        vfs.fsync(file, false);
        return file;
    }

    private void comeBack(OpenFile... files) throws FsException {
        away = false;
        back.countDown();
        ready.forEach(Runnable::run);
        for (OpenFile file : files) {
            vfs.fsync(file, false);
        }
    }

    private long onServer(String name) throws FsException {
        return store.stat(RemotePath.ROOT.child(name)).sizeBytes();
    }

    @Test
    void writerWhoFoundRoomForAPart_goesOn() throws FsException {
        OpenFile file = newFile("f");
        away = true;
        int count = 3 * MEMORY_BYTES;
        assertThat(vfs.write(file, 0, ByteBuffer.allocate(count))).isEqualTo(count);
        comeBack(file);
        assertThat(onServer("f")).isEqualTo(count);
    }

    @Test
    void writerOfAnotherFile_goesOn_whateverHasComeBackFromTheJournalToBeSent() throws FsException {
        OpenFile[] files = {newFile("a"), newFile("b"), newFile("c"), newFile("d")};
        away = true;
        for (OpenFile file : files) {
            for (int at = 0; at < 2 * MEMORY_BYTES; at += PIECE_BYTES) {
                vfs.write(file, at, ByteBuffer.allocate(PIECE_BYTES));
            }
        }
        comeBack(files);
        assertThat(onServer("d")).isEqualTo(2 * MEMORY_BYTES);
    }

    @Test
    void writerWhoWaitsAlready_goesOn_onceTheLossOfTheConnectionIsKnown() throws Exception {
        OpenFile file = newFile("f");
        isLossKnown = false;
        away = true;
        Completion<Integer> written = startWriting(file);
        isLossKnown = true;
        runtime.environment().waits().await(written);
        assertThat(written.get()).isEqualTo(3 * MEMORY_BYTES);
        comeBack(file);
    }

    @Test
    void writer_goesOn_thoughAllMemoryWasInFlightWhenTheConnectionWasLost() throws Exception {
        OpenFile file = newFile("f");
        losesWhatIsSent = true;
        Completion<Integer> written = startWriting(file);
        away = true;
        losesWhatIsSent = false;
        FsException lost = new FsException(FsError.ENOTCONN, "lost");
        sent.forEach(piece -> piece.terminated(new Termination.RetryLater(true, 0, lost)));
        runtime.environment().waits().await(written);
        assertThat(written.get()).isEqualTo(3 * MEMORY_BYTES);
        comeBack(file);
        assertThat(onServer("f")).isEqualTo(3 * MEMORY_BYTES);
    }

    /** The question of a request that rests is under way; the next one asks after its end. */
    @Test
    void whatAnotherHasWritten_isFoundOnce_whereARequestRests() throws Exception {
        locks = true;
        open();
        OpenFile file = newFile("f");
        losesWhatIsSent = true;
        Completion<Integer> written = startWriting(file);
        RemotePath lockNames = RemotePath.ROOT.child(UploadLocks.DIRECTORY);
        store.remove(lockNames.child(names(lockNames).get(0)));
        new Transfers(runtime.environment().waits())
                .write(
                        store.open(() -> RemotePath.ROOT.child("f"), Access.READ_WRITE).file(),
                        0,
                        new byte[] {1, 2, 3});
        isLossKnown = false;
        away = true;
        losesWhatIsSent = false;
        FsException lost = new FsException(FsError.ENOTCONN, "lost");
        sent.forEach(piece -> piece.terminated(new Termination.RetryLater(true, 0, lost)));
        while (questions.get() == 0) {
            Thread.onSpinWait();
        }
        isLossKnown = true;
        runtime.environment().waits().await(written);
        assertThat(questions.get()).isEqualTo(1);
        away = false;
        back.countDown();
        assertThatThrownBy(() -> vfs.fsync(file, false))
                .isInstanceOfSatisfying(
                        FsException.class, e -> assertThat(e.error()).isEqualTo(FsError.ESTALE));
        vfs.fsync(file, false);
        vfs.release(file);
        vfs.awaitNames();
        List<String> names = names(RemotePath.ROOT);
        assertThat(names).hasSize(2);
        assertThat(onServer("f")).isEqualTo(3);
        assertThat(names.get(1)).matches("f\\.conflict-here-[0-9TZ]+");
        assertThat(onServer(names.get(1))).isEqualTo(3 * MEMORY_BYTES);
    }

    private List<String> names(RemotePath directory) throws FsException {
        List<String> names = new ArrayList<>();
        store.list(directory, (name, type, attributes) -> names.add(name));
        names.remove(UploadLocks.DIRECTORY);
        names.sort(null);
        return names;
    }

    /** Somebody writes more than memory holds; returns once he waits. */
    private Completion<Integer> startWriting(OpenFile file) throws Exception {
        Completion<Integer> written = new Completion<>();
        int count = 3 * MEMORY_BYTES;
        Thread writer =
                new Thread(() -> {
                    try {
                        written.complete(vfs.write(file, 0, ByteBuffer.allocate(count)));
                    } catch (FsException e) {
                        written.fail(e);
                    }
                });
        writer.start();
        assertThat(asked.await(30, TimeUnit.SECONDS)).isTrue();
        while (vfs.engine().cache().writers().waiting() == 0 && writer.isAlive()) {
            Thread.onSpinWait();
        }
        return written;
    }
}
