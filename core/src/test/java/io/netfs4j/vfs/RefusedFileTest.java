// SPDX-License-Identifier: Apache-2.0
package io.netfs4j.vfs;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import io.netfs4j.base.FsError;
import io.netfs4j.base.FsException;
import io.netfs4j.base.SystemRuntime;
import io.netfs4j.cache.DiskCache;
import io.netfs4j.pagecache.PageCache;
import io.netfs4j.request.Subrequest;
import io.netfs4j.request.Termination;
import io.netfs4j.server.Access;
import io.netfs4j.server.AttributeChange;
import io.netfs4j.server.memory.MemoryServer;
import io.netfs4j.trace.Counters.Counter;

import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Objects;
import java.util.Random;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Supplier;

/** What files that the server refuses do to others, and what callbacks may do. */
@Timeout(value = 60, unit = TimeUnit.SECONDS, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
class RefusedFileTest {
    private static final int PAGE = 4096;
    private static final int PIECE = RefusingServer.PIECE_BYTES;
    private static final int DIRTY_BYTES_MAX = 1 << 20;
    private static final OpenFlags NEW =
            new OpenFlags(Access.READ_WRITE, false, false, true, false, false, false);

    private final SystemRuntime runtime = new SystemRuntime();
    private final MemoryServer store = new MemoryServer(runtime.environment().clock());
    private CachedVfs vfs;

    private final RefusingServer server = new RefusingServer();

    @BeforeEach
    void open() throws FsException {
        open(2 * DIRTY_BYTES_MAX);
    }

    private void open(long memoryBytes) throws FsException {
        open(options(memoryBytes));
    }

    private static VfsOptions options(long memoryBytes) {
        return VfsOptions.of(
                new PageCache.Limits(memoryBytes, DIRTY_BYTES_MAX, DIRTY_BYTES_MAX / 2));
    }

    private void open(VfsOptions options) throws FsException {
        vfs =
                new CachedVfs(
                        runtime.environment(),
                        server.over(store),
                        options,
                        ByteBuffer::allocateDirect);
    }

    /** All memory may be dirty, and there is a disk cache. */
    private void open(DiskCache cache) throws FsException {
        open(new PageCache.Limits(DIRTY_BYTES_MAX, DIRTY_BYTES_MAX, DIRTY_BYTES_MAX), cache);
    }

    private void open(PageCache.Limits limits, DiskCache cache) throws FsException {
        vfs =
                new CachedVfs(
                        runtime.environment(),
                        server.over(store),
                        VfsOptions.of(limits),
                        ByteBuffer::allocateDirect,
                        cache,
                        null);
    }

    @AfterEach
    void close() {
        runtime.close();
    }

    private OpenFile create(String name) throws FsException {
        return vfs.create(Vfs.ROOT_INO, name, 0644, NEW).file();
    }

    private interface Action {
        int run() throws FsException;
    }

    private static CompletableFuture<Integer> async(Action action) {
        Supplier<Integer> task =
                () -> {
                    try {
                        return action.run();
                    } catch (FsException e) {
                        throw new CompletionException(e);
                    }
                };
        // A thread of its own: what hangs must not hold up another test.
        return CompletableFuture.supplyAsync(task, Thread.ofPlatform().daemon()::start);
    }

    private CompletableFuture<Integer> writing(OpenFile file, long position, int bytes) {
        return async(() -> vfs.write(file, position, ByteBuffer.allocate(bytes)));
    }

    private void awaitWaiting(CompletableFuture<?> write) {
        while (!write.isDone() && vfs.cache().writers().waiting() == 0) {
            Thread.onSpinWait();
        }
        assertThat(write.isDone()).isFalse();
    }

    /** Answers are dealt with on other threads. */
    private void awaitHope() {
        while (vfs.engine().flusher().stuck() != null) {
            Thread.onSpinWait();
        }
    }

    private OpenFile createMarked(String name) throws FsException {
        server.marks = true;
        OpenFile file = create(name);
        vfs.fsync(file, false);
        server.marks = false;
        return file;
    }

    private OpenFile fillWithRefusedBytes() throws FsException {
        OpenFile file = createMarked("refused");
        fill(file, 0, PIECE);
        return file;
    }

    /** Writes from a position on until the server's refusal is told. */
    private void fill(OpenFile file, long from, int step) {
        FsException told = null;
        for (long at = from; told == null && at <= from + 4L * DIRTY_BYTES_MAX; at += step) {
            long position = at;
            told =
                    catchThrowableOfType(
                            FsException.class,
                            () -> vfs.write(file, position, ByteBuffer.allocate(step)));
        }
        assertThat(told).extracting(FsException::error).isEqualTo(FsError.EACCES);
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

    /** Memory is not full of refused data then, and its clean part comes back. */
    @Test
    void writerOfAnotherFile_waits_whenMemoryIsCleanAndOnlyLocked() throws Exception {
        open(DIRTY_BYTES_MAX);
        OpenFile clean = create("clean");
        vfs.write(clean, 0, ByteBuffer.allocate(DIRTY_BYTES_MAX - PAGE));
        vfs.fsync(clean, false);
        OpenFile refusedFile = createMarked("refused");
        vfs.write(refusedFile, 0, ByteBuffer.allocate(1));
        assertThatThrownBy(() -> vfs.fsync(refusedFile, false)).hasMessageContaining("refused");
        OpenFile file = create("taken");
        vfs.fsync(file, false);
        assertThat(vfs.cache().memoryBytes()).isEqualTo(DIRTY_BYTES_MAX);
        ReentrantLock lock = ((OpenedInode) clean).inode.lock;
        CompletableFuture<Integer> written;
        lock.lock();
        try {
            written = writing(file, 0, PIECE);
            awaitWaiting(written);
        } finally {
            lock.unlock();
        }
        assertThat(written.get(40, TimeUnit.SECONDS)).isEqualTo(PIECE);
    }

    @Test
    void readerOfAnotherFile_goesOn_whenAllMemoryIsRefused() throws FsException {
        open(DIRTY_BYTES_MAX);
        byte[] content = new byte[10 * PIECE];
        new Random(1).nextBytes(content);
        OpenFile file = create("taken");
        vfs.write(file, 0, ByteBuffer.wrap(content));
        vfs.fsync(file, false);
        fillWithRefusedBytes();
        assertThat(vfs.cache().memoryBytes()).isEqualTo(DIRTY_BYTES_MAX);
        for (int at = 1000; at < content.length; at += PIECE) {
            ByteBuffer read = ByteBuffer.allocate(PIECE);
            int count = vfs.read(file, at, read);
            int end = Math.min(content.length, at + PIECE);
            assertThat(count).isEqualTo(end - at);
            assertThat(Arrays.copyOf(read.array(), count))
                    .isEqualTo(Arrays.copyOfRange(content, at, end));
        }
        assertThat(vfs.cache().memoryBytes()).isEqualTo(DIRTY_BYTES_MAX);
    }

    @Test
    void readerAndWriterOfOthers_goOn_whileTheRefusedFileIsTriedAgainWithoutAnAnswer()
            throws Exception {
        open(DIRTY_BYTES_MAX);
        OpenFile file = create("taken");
        vfs.write(file, 0, ByteBuffer.allocate(PIECE));
        vfs.fsync(file, false);
        OpenFile refusedFile = fillWithRefusedBytes();
        server.ofMarked = server::hold;
        server.held.take();
        assertThat(vfs.read(file, 0, ByteBuffer.allocate(PIECE))).isEqualTo(PIECE);
        assertThatThrownBy(() -> vfs.write(file, PIECE, ByteBuffer.allocate(PIECE)))
                .hasMessageContaining("refused");
        assertThatThrownBy(() -> vfs.write(refusedFile, 99L * PIECE, ByteBuffer.allocate(PIECE)))
                .hasMessageContaining("refused");
    }

    @Test
    void writerOfARefusedFile_isTold_whileAnothersUploadIsNotAnswered() throws Exception {
        server.ofOthers = server::hold;
        OpenFile slow = create("slow");
        vfs.write(slow, 0, ByteBuffer.allocate(1));
        vfs.flush(slow);
        server.held.take();
        fillWithRefusedBytes();
    }

    @Test
    void writerOfARefusedFile_isTold_alsoBehindAnotherWriterThatWaits() throws Exception {
        OpenFile refused = createMarked("refused");
        OpenFile slow = create("slow");
        vfs.fsync(slow, false);
        server.ofOthers = server::hold;
        vfs.write(slow, 0, ByteBuffer.allocate(DIRTY_BYTES_MAX / 2));
        vfs.flush(slow);
        vfs.write(refused, 0, ByteBuffer.allocate(DIRTY_BYTES_MAX / 2));
        CompletableFuture<Integer> first = writing(slow, DIRTY_BYTES_MAX, PIECE);
        awaitWaiting(first);
        CompletableFuture<Integer> second = writing(refused, DIRTY_BYTES_MAX, PIECE);
        assertThatThrownBy(() -> second.get(40, TimeUnit.SECONDS)).hasMessageContaining("refused");
        assertThat(first.isDone()).isFalse();
        server.relentUntil(first);
        assertThat(first.get(40, TimeUnit.SECONDS)).isEqualTo(PIECE);
    }

    /** Nothing of the file is refused any more, and what is dirty of others makes room. */
    @Test
    void writer_waits_afterTheRefusedBytesOfItsFileWereCutOff() throws Exception {
        open(options(2 * DIRTY_BYTES_MAX).withMetadataSync());
        OpenFile file = createMarked("f");
        OpenFile slow = create("slow");
        vfs.fsync(slow, false);
        failOnce(file, 1);
        server.ofOthers = server::hold;
        vfs.setAttributes(file.ino(), AttributeChange.size(0), file);
        assertThat(vfs.engine().flusher().isClean()).isTrue();
        vfs.write(slow, 0, ByteBuffer.allocate(DIRTY_BYTES_MAX));
        vfs.flush(slow);
        assertWaits(file, 0);
    }

    @Test
    void writer_waits_whileItsFileIsTriedAgainAndTaken() throws Exception {
        OpenFile file = createMarked("f");
        failOnce(file, DIRTY_BYTES_MAX);
        server.ofMarked = server::hold;
        server.held.take().terminated(Termination.DONE);
        server.held.take().terminated(Termination.DONE);
        awaitHope();
        assertWaits(file, DIRTY_BYTES_MAX);
    }

    @Test
    void writer_waits_whenTheConnectionIsLostAfterItsFileFailed() throws Exception {
        OpenFile file = createMarked("f");
        failOnce(file, DIRTY_BYTES_MAX);
        CountDownLatch lost = new CountDownLatch(1);
        FsException away = new FsException(FsError.EIO, "away");
        server.ofMarked =
                piece -> {
                    lost.countDown();
                    piece.terminated(new Termination.RetryLater(true, 0, away));
                };
        lost.await();
        awaitHope();
        assertWaits(file, DIRTY_BYTES_MAX);
    }

    /** In a directory that is known to be empty, so that nobody waits for the server. */
    private OpenFile createInBackground() throws FsException {
        long made = vfs.makeDirectory(Vfs.ROOT_INO, "made", 0755).attributes().ino();
        OpenFile first = vfs.create(made, "first", 0644, OpenFlags.READ_WRITE).file();
        vfs.fsync(first, false);
        server.refusesCreations = true;
        return vfs.create(made, "pending", 0644, OpenFlags.READ_WRITE).file();
    }

    @Test
    void firstWriterInLine_isTold_whenItsFileIsNotMade() throws Exception {
        OpenFile slow = create("slow");
        vfs.fsync(slow, false);
        OpenFile pending = createInBackground();
        server.ofOthers = server::hold;
        vfs.write(slow, 0, ByteBuffer.allocate(DIRTY_BYTES_MAX / 2));
        vfs.flush(slow);
        server.held.take();
        vfs.write(pending, 0, ByteBuffer.allocate(DIRTY_BYTES_MAX / 2));
        CompletableFuture<Integer> written = writing(pending, DIRTY_BYTES_MAX, PIECE);
        assertThatThrownBy(() -> written.get(40, TimeUnit.SECONDS)).hasMessageContaining("refused");
    }

    @Test
    void writer_waits_onceItsFileIsMadeAfterAll() throws Exception {
        OpenFile pending = createInBackground();
        vfs.write(pending, 0, ByteBuffer.allocate(DIRTY_BYTES_MAX));
        server.creationsRefused.acquire(2);
        server.ofOthers = server::hold;
        server.refusesCreations = false;
        server.held.add(server.held.take());
        awaitHope();
        assertWaits(pending, DIRTY_BYTES_MAX);
    }

    /** A server whose open files do not outlive their names refuses it then. */
    @Test
    void writerOfAnotherFile_waits_whenWhatIsRefusedIsBeingRemoved() throws Exception {
        open(DIRTY_BYTES_MAX);
        OpenFile file = create("taken");
        vfs.fsync(file, false);
        OpenFile going = createMarked("going");
        server.ofMarked = server::hold;
        vfs.write(going, 0, ByteBuffer.allocate(DIRTY_BYTES_MAX));
        vfs.flush(going);
        vfs.release(going);
        Subrequest first = server.held.take();
        server.removals = new CountDownLatch(1);
        CompletableFuture<Integer> removed =
                async(() -> {
                    vfs.unlink(Vfs.ROOT_INO, "going");
                    return 0;
                });
        server.removalAsked.await();
        Termination nameless = RefusingServer.failure(FsError.ESTALE, "no name");
        server.ofMarked = RefusingServer.ends(nameless);
        first.terminated(nameless);
        while (vfs.engine().counters().get(Counter.ERRORS) == 0) {
            Subrequest next = server.held.poll();
            if (next != null) {
                next.terminated(nameless);
            }
        }
        CompletableFuture<Integer> written = writing(file, 0, PIECE);
        awaitWaiting(written);
        server.removals.countDown();
        assertThat(removed.get(40, TimeUnit.SECONDS)).isZero();
        assertThat(written.get(40, TimeUnit.SECONDS)).isEqualTo(PIECE);
    }

    private void failOnce(OpenFile file, int bytes) throws FsException {
        vfs.write(file, 0, ByteBuffer.allocate(bytes));
        assertThatThrownBy(() -> vfs.fsync(file, false)).hasMessageContaining("refused");
    }

    private void assertWaits(OpenFile file, long position) throws Exception {
        CompletableFuture<Integer> written = writing(file, position, PIECE);
        awaitWaiting(written);
        server.relentUntil(written);
        assertThat(written.get(40, TimeUnit.SECONDS)).isEqualTo(PIECE);
    }

    // ---- memory that a disk cache keeps which hangs -------------------------------------------

    @Test
    void writer_isTold_whenTheRestOfMemoryIsOfACacheThatHangs() throws Exception {
        open(new HangingCache(PAGE));
        OpenFile clean = create("clean");
        vfs.write(clean, 0, ByteBuffer.allocate(DIRTY_BYTES_MAX / 2));
        vfs.fsync(clean, false);
        fillWithRefusedBytes();
        assertThat(vfs.cache().dirtyMemoryBytes()).isLessThan(DIRTY_BYTES_MAX);
        OpenFile file = create("taken");
        assertThatThrownBy(() -> vfs.write(file, 0, ByteBuffer.allocate(PIECE)))
                .hasMessageContaining("refused");
    }

    @Test
    void writer_waitsForBytesThatAreRead_whenTheCacheKeepsWhatIsRefused() throws Exception {
        HangingCache cache = new HangingCache(PAGE);
        cache.hangs = false;
        open(cache);
        OpenFile clean = create("clean");
        vfs.write(clean, 0, ByteBuffer.allocate(DIRTY_BYTES_MAX / 2));
        vfs.fsync(clean, false);
        OpenFile file = create("taken");
        vfs.fsync(file, false);
        cache.hangs = true;
        OpenFile refused = createMarked("refused");
        failOnce(refused, DIRTY_BYTES_MAX / 2);
        List<PinnedBytes> pins = new ArrayList<>();
        for (int at = 0; at < DIRTY_BYTES_MAX / 2; at += PIECE) {
            pins.add(Objects.requireNonNull(vfs.tryRead(clean, at, PIECE)));
        }
        assertThat(vfs.cache().memoryBytes()).isEqualTo(DIRTY_BYTES_MAX);
        CompletableFuture<Integer> written = writing(file, 0, PIECE);
        awaitWaiting(written);
        pins.forEach(PinnedBytes::close);
        assertThat(written.get(40, TimeUnit.SECONDS)).isEqualTo(PIECE);
    }

    @Test
    void writer_isTold_whenTheCacheThatItWaitsForIsLeftBehind() throws Exception {
        HangingCache cache = new HangingCache(PAGE);
        cache.hangs = false;
        open(cache);
        OpenFile clean = create("clean");
        vfs.write(clean, 0, ByteBuffer.allocate(DIRTY_BYTES_MAX / 2));
        vfs.fsync(clean, false);
        vfs.release(clean);
        vfs.forget(clean.ino(), 1);
        OpenFile file = create("taken");
        vfs.fsync(file, false);
        failOnce(createMarked("refused"), DIRTY_BYTES_MAX / 2);
        server.ofMarked = server::hold;
        server.held.take();
        cache.hangs = true;
        cache.holdsAll = true;
        long ino = vfs.lookup(Vfs.ROOT_INO, "clean").attributes().ino();
        OpenFile again = vfs.open(ino, OpenFlags.READ_WRITE);
        CompletableFuture<Integer> read =
                async(() -> vfs.read(again, 0, ByteBuffer.allocate(DIRTY_BYTES_MAX / 2)));
        while (vfs.cache().memoryBytes() < DIRTY_BYTES_MAX) {
            Thread.onSpinWait();
        }
        CompletableFuture<Integer> written = writing(file, 0, PIECE);
        assertThatThrownBy(() -> written.get(40, TimeUnit.SECONDS)).hasMessageContaining("refused");
        assertThat(read.get(40, TimeUnit.SECONDS)).isEqualTo(DIRTY_BYTES_MAX / 2);
    }

    /** The copy of its folio takes the place of one that counted as dirty. */
    @Test
    void reader_ofAFolioThatACacheKeepsAndTheServerRefuses_goesOn() throws Exception {
        HangingCache cache = new HangingCache(1);
        cache.hangs = false;
        PageCache.Limits limits =
                new PageCache.Limits(2 * DIRTY_BYTES_MAX, DIRTY_BYTES_MAX, DIRTY_BYTES_MAX);
        open(limits, cache);
        OpenFile clean = create("clean");
        vfs.write(clean, 0, ByteBuffer.allocate(DIRTY_BYTES_MAX / 4));
        vfs.fsync(clean, false);
        byte[] content = new byte[PIECE];
        new Random(1).nextBytes(content);
        OpenFile before = create("f");
        vfs.write(before, 0, ByteBuffer.wrap(content));
        vfs.fsync(before, false);
        vfs.release(before);
        vfs.forget(before.ino(), 1);
        cache.hangs = true;
        server.marks = true;
        long ino = vfs.lookup(Vfs.ROOT_INO, "f").attributes().ino();
        OpenFile file = vfs.open(ino, OpenFlags.READ_WRITE);
        failOnce(file, 100);
        fill(file, DIRTY_BYTES_MAX, PAGE);
        ByteBuffer read = ByteBuffer.allocate(1000);
        CompletableFuture<Integer> count = async(() -> vfs.read(file, 2000, read));
        assertThat(count.get(40, TimeUnit.SECONDS)).isEqualTo(1000);
        assertThat(read.array()).isEqualTo(Arrays.copyOfRange(content, 2000, 3000));
    }

    /** What is free is too small for the folio that it would have to copy. */
    @Test
    void writer_isTold_whenWhatIsFreeCannotHoldItsFolio() throws Exception {
        HangingCache cache = new HangingCache(PAGE);
        open(cache);
        OpenFile file = create("taken");
        vfs.write(file, 0, ByteBuffer.allocate(PIECE));
        vfs.fsync(file, false);
        cache.hangs = false;
        OpenFile refused = createMarked("refused");
        for (int at = DIRTY_BYTES_MAX - 2 * PIECE; at >= 0; at -= PIECE / 2) {
            vfs.write(refused, at, ByteBuffer.allocate(PIECE / 2));
        }
        assertThatThrownBy(() -> vfs.fsync(refused, false)).hasMessageContaining("refused");
        assertThat(vfs.cache().memoryBytes()).isEqualTo(DIRTY_BYTES_MAX - PIECE / 2);
        CompletableFuture<Integer> written = writing(file, 0, PIECE);
        assertThatThrownBy(() -> written.get(40, TimeUnit.SECONDS)).hasMessageContaining("refused");
    }

    @Test
    void cacheWithAGranuleOfNothing_stopsNobody() throws Exception {
        open(new HangingCache(0));
        OpenFile file = create("taken");
        vfs.write(file, 0, ByteBuffer.allocate(PIECE));
        vfs.fsync(file, false);
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
