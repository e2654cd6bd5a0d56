// SPDX-License-Identifier: Apache-2.0
package io.netfs4j.engine;

import static org.assertj.core.api.Assertions.assertThat;

import io.netfs4j.base.Completion;
import io.netfs4j.base.FsError;
import io.netfs4j.base.FsException;
import io.netfs4j.cache.Cookie;
import io.netfs4j.request.Destination;
import io.netfs4j.request.Origin;
import io.netfs4j.request.Subrequest;
import io.netfs4j.request.Termination;

import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

import java.nio.ByteBuffer;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.locks.ReentrantLock;

/**
 * One request over two streams, piece by piece, folio by folio. Folios of 4, 4, 8 and 8 KiB hold a
 * file of 22 KiB; the second is clean and lacks only in the disk cache, whose granule is 4 KiB. The
 * server takes at most 10 KiB at once.
 */
class WriteRequestTest {
    private static final int KIB = 1 << 10;
    private static final int SIZE = 22 * KIB;

    private final StepByStep steps = new StepByStep();
    private final ReentrantLock lock = new ReentrantLock();
    private final StreamDouble server = new StreamDouble("server", 10 * KIB, 1);
    private final StreamDouble disk = new StreamDouble("disk", 1 << 20, 4 * KIB);
    private final List<String> discarded = new ArrayList<>();
    private Engine engine;
    private InodeData inode;

    @BeforeEach
    void make() {
        engine = steps.engine(EngineLimits.DEFAULT);
        inode = new InodeData(lock, engine.cache(), new CachedFile(), 0);
        lock.lock();
        inode.setFile(server);
    }

    @AfterEach
    void close() {
        lock.unlock();
        steps.close();
    }

    private final class CachedFile extends StepByStep.QuietFile {
        @Override
        public Cookie openCookie() {
            return new DiskFile();
        }
    }

    private final class DiskFile implements Cookie {
        @Override
        public int granuleBytes() {
            disk.throwAt("granuleBytes");
            return 4 * KIB;
        }

        @Override
        public long nextHeld(long from, long to) {
            return to;
        }

        @Override
        public long nextMissing(long from, long to) {
            return from;
        }

        @Override
        public Destination reads() {
            return disk;
        }

        @Override
        public Destination writes() {
            disk.throwAt("writes");
            return disk;
        }

        @Override
        public void discard(long from, long to) {
            discarded.add("[" + from + ", " + to + ")");
            disk.throwAt("discard");
        }

        @Override
        public void setVersion(String version) {
            disk.throwAt("setVersion");
        }

        @Override
        public void close() {}
    }

    private void endAll(StreamDouble stream) {
        for (int i = 0; i < stream.pieces.size(); i++) {
            stream.end(i, Termination.DONE);
        }
        steps.run();
        stream.pieces.clear();
    }

    private void write(int from, int to) {
        byte[] bytes = new byte[to - from];
        java.util.Arrays.fill(bytes, (byte) (1 + from / KIB));
        assertThat(inode.pages().write(from, ByteBuffer.wrap(bytes), bytes.length))
                .isEqualTo(bytes.length);
        inode.setSizeBytes(Math.max(inode.sizeBytes(), to));
    }

    /** The folios: the second fetched from the server, the others dirty. */
    private Completion<@Nullable Void> begin() {
        inode.setSizeBytes(SIZE);
        inode.setRemoteSizeBytes(8 * KIB);
        Object holdsUpTheCopy = new Object();
        engine.acquire(inode, holdsUpTheCopy);
        engine.load(inode, 4 * KIB, 8 * KIB, Origin.DEMAND_READ);
        server.end(0, Termination.DONE);
        steps.run();
        server.pieces.clear();
        write(0, 4 * KIB);
        write(8 * KIB, SIZE);
        inode.writebackLock().release(holdsUpTheCopy);
        Completion<@Nullable Void> done = engine.writeback(inode, Origin.SYNC);
        steps.run();
        return done;
    }

    @Test
    void issue_twoStreams_eachHasItsOwnPiecesAndGaps() {
        begin();

        assertThat(server.ranges())
                .as("the server: nothing of the clean folio, at most 10 KiB at once")
                .containsExactly("[0, 4096)", "[8192, 18432)", "[18432, 22528)");
        assertThat(disk.ranges())
                .as("the cache: all of it at once, with zeros to the end of its last granule")
                .containsExactly("[0, 24576)");
    }

    @Test
    void collect_outOfOrder_releasesEachFolioOnceBothStreamsHavePassedIt() {
        Completion<@Nullable Void> done = begin();
        assertThat(inode.pages().writebackBytes()).isEqualTo(18 * KIB);

        disk.end(0, Termination.DONE);
        steps.run();
        assertThat(inode.pages().writebackBytes()).as("the server has nothing").isEqualTo(18 * KIB);

        server.end(1, Termination.DONE);
        server.end(2, Termination.DONE);
        steps.run();
        assertThat(inode.pages().writebackBytes()).as("its first piece").isEqualTo(18 * KIB);
        assertThat(done.isDone()).isFalse();

        server.end(0, Termination.DONE);
        steps.run();
        assertThat(inode.pages().writebackBytes()).isZero();
        assertThat(done.isDone()).isTrue();
        assertThat(done.failure()).isNull();
    }

    @Test
    void collect_inOrder_releasesBeforeTheRequestEnds() {
        Completion<@Nullable Void> done = begin();
        disk.end(0, Termination.DONE);
        server.end(0, Termination.DONE);
        steps.run();
        assertThat(inode.pages().writebackBytes()).as("the first folio").isEqualTo(14 * KIB);
        assertThat(done.isDone()).isFalse();
    }

    @Test
    void retry_shortWriteAndSmallerLimit_sendsTheRestAndNoByteMore() {
        Completion<@Nullable Void> done = begin();
        disk.end(0, Termination.DONE);
        server.pieceBytesMax = 2 * KIB;
        server.end(0, Termination.DONE);
        server.end(1, new Termination.Short(7 * KIB));
        steps.run();
        assertThat(server.ranges()).as("something is in flight still").hasSize(3);

        server.end(2, Termination.DONE);
        steps.run();
        assertThat(server.ranges().subList(3, server.pieces.size()))
                .containsExactly("[15360, 17408)", "[17408, 18432)");
        server.end(3, Termination.DONE);
        server.end(4, Termination.DONE);
        steps.run();
        assertThat(done.isDone()).isTrue();
        assertThat(inode.pages().writebackBytes()).isZero();
    }

    /** Its last piece may arrive just as the loss of the connection is known. */
    @Test
    void rest_whenAllHasArrived_keepsTheFileUnsaved_untilWhatGoesOnHasEnded() {
        Completion<@Nullable Void> done = begin();
        engine.flusher().onDirtied(inode);
        disk.end(0, Termination.DONE);
        for (int i = 0; i < 3; i++) {
            server.end(i, Termination.DONE);
        }
        WriteRequest first = inode.writing;
        WriteRetryer.rest(first);
        assertThat(first.retry.rests).isTrue();
        while (first.equals(inode.writing)) {
            steps.runOne();
        }
        assertThat(done.isDone()).isFalse();
        assertThat(engine.flusher().unsaved()).containsExactly(inode);
        assertThat(inode.isUnsaved()).isTrue();

        steps.run();
        assertThat(done.isDone()).isTrue();
        assertThat(done.failure()).isNull();
        assertThat(server.pieces).as("nothing is sent again").hasSize(3);
        assertThat(engine.flusher().isClean()).isTrue();
    }

    @Test
    void cacheFailure_ofAPiece_dropsThatRangeAndNothingElse() {
        Completion<@Nullable Void> done = begin();
        disk.end(0, new Termination.Failed(new FsException(FsError.ENOSPC, "disk full")));
        server.end(0, Termination.DONE);
        server.end(1, Termination.DONE);
        server.end(2, Termination.DONE);
        steps.run();
        assertThat(done.isDone()).isTrue();
        assertThat(done.failure()).isNull();
        assertThat(discarded).containsExactly("[0, 24576)");
        assertThat(inode.pages().dirtyBytes()).isZero();
    }

    private void fetch(int from, int to) {
        engine.load(inode, from, to, Origin.DEMAND_READ);
        server.end(server.pieces.size() - 1, Termination.DONE);
        steps.run();
    }

    @Test
    void whatIsFetched_duringACopyToTheCache_isCopiedNext() {
        inode.setSizeBytes(SIZE);
        inode.setRemoteSizeBytes(SIZE);
        fetch(0, 4 * KIB);
        assertThat(disk.ranges()).containsExactly("[0, 4096)");

        fetch(4 * KIB, 8 * KIB);
        assertThat(disk.pieces).as("one copy at a time").hasSize(1);
        disk.end(0, Termination.DONE);
        steps.run();
        assertThat(disk.ranges()).containsExactly("[0, 4096)", "[4096, 8192)");
        disk.end(1, Termination.DONE);
        steps.run();
        assertThat(disk.pieces).as("nothing is left to be copied").hasSize(2);
        assertThat(inode.isBusy()).isFalse();
    }

    @Test
    void whatIsFetched_duringAnUpload_isCopiedNext() {
        inode.setSizeBytes(SIZE);
        inode.setRemoteSizeBytes(SIZE);
        write(0, 4 * KIB);
        engine.writeback(inode, Origin.SYNC);
        steps.run();
        endAll(disk);
        fetch(8 * KIB, 16 * KIB);
        assertThat(disk.pieces).isEmpty();

        server.end(0, Termination.DONE);
        steps.run();
        assertThat(disk.ranges()).containsExactly("[8192, 16384)");
        disk.end(0, Termination.DONE);
        steps.run();
        assertThat(inode.isBusy()).isFalse();
    }

    @Test
    void uploadFailure_keepsItsDataDirty_andTakesItOutOfTheCache() {
        Completion<@Nullable Void> done = begin();
        disk.end(0, Termination.DONE);
        server.end(0, Termination.DONE);
        server.end(1, new Termination.Failed(new FsException(FsError.ENOSPC, "quota")));
        server.end(2, Termination.DONE);
        steps.run();
        assertThat(done.isDone()).isTrue();
        assertThat(done.failure()).hasMessageContaining("quota");
        assertThat(inode.pages().dirtyBytes()).isEqualTo(10 * KIB);
        assertThat(discarded).contains("[8192, 18432)");
    }

    @Test
    void discard_duringAnUpload_failsWhoeverWaits_andIsToldOnce() {
        Completion<@Nullable Void> done = begin();
        write(0, 4 * KIB);
        Completion<@Nullable Void> next = engine.writeback(inode, Origin.SYNC);
        disk.end(0, Termination.DONE);
        engine.discard(inode);
        FsException cut = new FsException(FsError.ENOTCONN, "cut");
        for (int i = 0; i < 3; i++) {
            server.end(i, new Termination.RetryLater(true, 0, cut));
        }
        steps.run();
        assertThat(done.failure()).hasMessageContaining("given up");
        assertThat(next.failure()).hasMessageContaining("given up");
        assertThat(server.pieces).as("nothing was sent any more").hasSize(3);
        assertThat(inode.errors().sequence()).isEqualTo(1);
        assertThat(inode.isUnsaved()).isFalse();
        assertThat(engine.flusher().failure(inode)).as("the server refused nothing").isNull();
        assertThat(engine.flusher().isClean()).isTrue();
    }

    @Test
    void discard_thenAWrite_isSentByARequestOfItsOwn() {
        begin();
        write(0, 4 * KIB);
        engine.writeback(inode, Origin.SYNC);
        engine.discard(inode);
        write(0, KIB);
        Completion<@Nullable Void> after = engine.writeback(inode, Origin.SYNC);
        for (int i = 0; i < 3; i++) {
            server.end(i, Termination.DONE);
        }
        disk.end(0, Termination.DONE);
        steps.run();
        server.end(3, Termination.DONE);
        steps.run();
        assertThat(server.ranges()).last().isEqualTo("[0, 1024)");
        assertThat(after.isDone()).isTrue();
        assertThat(after.failure()).isNull();
    }

    @Test
    void discard_ofWhatIsSaved_isNoError() {
        engine.discard(inode);
        assertThat(inode.errors().sequence()).isZero();
    }

    @Test
    void handleThatThrows_whenAskedWhetherItWrites_doesNot() {
        write(0, KIB);
        server.throwsAt = "isWritable";
        Completion<@Nullable Void> done = engine.writeback(inode, Origin.SYNC);
        endAll();
        assertThat(done.failure()).hasMessageContaining("no handle to write with");
        assertThat(inode.writebackLock().isFree()).isTrue();
    }

    @Test
    @SuppressWarnings("NullAway") // what is not to be, and is
    void serverThatGivesNothing_failsTheUpload_andEverythingIsGivenBack() {
        write(0, KIB);
        server.nextCommit = done -> done.complete(null);
        Completion<@Nullable Void> done = engine.writeback(inode, Origin.SYNC);
        endAll();
        assertThat(done.failure()).hasMessageContaining("nothing for a commit");
        write(0, KIB);
        done = engine.writeback(inode, Origin.SYNC);
        steps.run();
        disk.pieces.forEach(piece -> piece.terminated(Termination.DONE));
        server.end(0, null);
        steps.run();
        assertThat(done.failure()).hasMessageContaining("ends with nothing");
        assertThat(inode.writebackLock().isFree()).isTrue();
        assertThat(engine.inFlightBytes() + engine.otherBytes()).isZero();
    }

    @Test
    @SuppressWarnings("NullAway") // a bug of the server's
    void wholeObject_whoseCommitGivesNothing_isDirtyAgain() {
        server.atomic = true;
        write(0, KIB);
        server.nextCommit = done -> done.complete(null);
        Completion<@Nullable Void> done = engine.writeback(inode, Origin.SYNC);
        endAll();
        assertThat(done.failure()).hasMessageContaining("nothing for a commit");
        assertThat(inode.pages().dirtyBytes()).isEqualTo(KIB);
    }

    /** There is nothing to be sent without them: else nobody would know of the request. */
    @Test
    void wholeObject_whoseTimesAloneAreRefused_isNotBegunOnceMore() {
        server.atomic = true;
        inode.setPendingAttributes(PendingAttributes.NONE.written(Instant.EPOCH));
        engine.flusher().onDirtied(inode);
        server.nextCommit = done -> done.fail(new FsException(FsError.EACCES, "not yours"));
        Completion<@Nullable Void> done = engine.writeback(inode, Origin.SYNC);
        endAll();
        assertThat(done.isDone()).isTrue();
        assertThat(done.failure()).isNull();
        assertThat(server.commits).isEqualTo(1);
        assertThat(server.aborts).isZero();
        assertThat(inode.isSending()).isFalse();
        assertThat(inode.isUnsaved()).isFalse();
    }

    @ParameterizedTest
    @ValueSource(strings = {"issue", "taken", "begin", "granuleBytes", "commit"})
    void serverThatThrows_failsTheUpload_andEverythingIsGivenBack(String place) {
        write(0, 16 * KIB);
        server.throwsAt = place;
        server.nextCommit =
                place.equals("commit")
                        ? done -> {
                            throw new IllegalStateException("bug in commit");
                        }
                        : null;
        Completion<@Nullable Void> done = engine.writeback(inode, Origin.SYNC);
        endAll();
        assertThat(done.failure()).hasMessageContaining("bug in " + place);
        assertThat(inode.errors().sequence()).isEqualTo(1);
        assertThat(inode.pages().writebackBytes()).isZero();
        assertThat(engine.inFlightBytes() + engine.otherBytes()).isZero();
        assertThat(inode.writebackLock().isFree()).isTrue();

        server.throwsAt = "";
        write(16 * KIB, 20 * KIB);
        Completion<@Nullable Void> again = engine.writeback(inode, Origin.SYNC);
        endAll();
        assertThat(again.isDone()).isTrue();
        assertThat(again.failure()).isNull();
        assertThat(inode.isUnsaved()).isFalse();
    }

    @Test
    void serverOfWholeObjects_thatThrowsWhenAskedForItsGranule_commitsNothing() {
        write(0, 16 * KIB);
        inode.setPendingAttributes(PendingAttributes.NONE.written(Instant.EPOCH));
        server.atomic = true;
        server.throwsAt = "granuleBytes";
        Completion<@Nullable Void> done = engine.writeback(inode, Origin.SYNC);
        endAll();
        assertThat(done.failure()).hasMessageContaining("bug in granuleBytes");
        assertThat(server.commits).isZero();
        assertThat(server.aborts).isEqualTo(1);
        assertThat(inode.pages().dirtyBytes()).isEqualTo(16 * KIB);
    }

    @Test
    void serverThatThrows_whenAskedHowMuchItTakes_getsItAllTheSame() {
        write(0, 16 * KIB);
        server.throwsAt = "estimateBytes";
        Completion<@Nullable Void> done = engine.writeback(inode, Origin.SYNC);
        endAll();
        assertThat(done.isDone()).isTrue();
        assertThat(done.failure()).isNull();
        assertThat(inode.isUnsaved()).isFalse();
    }

    @ParameterizedTest
    @ValueSource(
            strings = {"granuleBytes", "estimateBytes", "issue", "writes", "discard", "setVersion"})
    void cacheThatThrows_isLeftAlone_andTheUploadGoesOn(String place) {
        write(0, 16 * KIB);
        disk.throwsAt = place;
        inode.uncache(0, 4 * KIB);
        Completion<@Nullable Void> done = engine.writeback(inode, Origin.SYNC);
        endAll();
        assertThat(done.isDone()).isTrue();
        assertThat(done.failure()).isNull();
        assertThat(inode.isUnsaved()).isFalse();
        if (List.of("writes", "discard", "setVersion").contains(place)) {
            assertThat(inode.cookie()).as("what it holds may be old").isNull();
        }
    }

    private void endAll() {
        steps.run();
        while (server.pieces.size() + disk.pieces.size() > 0) {
            List<Subrequest> pieces = new ArrayList<>(server.pieces);
            pieces.addAll(disk.pieces);
            server.pieces.clear();
            disk.pieces.clear();
            pieces.forEach(piece -> piece.terminated(Termination.DONE));
            steps.run();
        }
    }

    @Test
    void cacheThatHangs_withOnePiece_keepsTheMemoryOfThatPieceAlone() {
        disk.pieceBytesMax = 4 * KIB;
        Completion<@Nullable Void> done = begin();
        Subrequest hung = disk.pieces.removeFirst();
        endAll(disk);
        endAll(server);
        assertThat(done.isDone()).isFalse();
        steps.runTimers();
        assertThat(done.isDone()).isTrue();
        inode.pages().invalidate();
        assertThat(engine.cache().memoryBytes()).as("the folio around it").isEqualTo(4 * KIB);

        hung.terminated(Termination.DONE);
        steps.run();
        assertThat(engine.cache().memoryBytes()).isZero();
    }

    @Test
    void cacheThatHangs_doesNotCountAsDirtyMemoryWhatOnlyItReads() {
        begin();
        steps.runTimers();
        write(8 * KIB, SIZE);
        endAll(server);
        assertThat(inode.pages().dirtyBytes()).as("written once more").isEqualTo(14 * KIB);
        engine.writeback(inode, Origin.SYNC);
        steps.run();
        endAll(server);
        assertThat(inode.isUnsaved()).isFalse();
        assertThat(engine.cache().dirtyMemoryBytes()).isZero();
        assertThat(engine.cache().memoryBytes())
                .as("twice, of which the cache still reads one")
                .isEqualTo((4 + 4 + 2 * 16) * KIB);
    }

    @Test
    void cacheThatHangs_forSeveralFiles_isNotAskedByOthersUntilOneOfThemIsAnswered() {
        List<Subrequest> hung = new ArrayList<>();
        for (int i = 0; i < CacheBreaker.ABANDONED_MAX; i++) {
            hang(hung);
        }
        inode = new InodeData(lock, engine.cache(), new CachedFile(), 0);
        inode.setFile(server);
        discarded.clear();
        save();
        assertThat(disk.pieces).isEmpty();
        assertThat(discarded).as("it may hold an older version").isNotEmpty();

        hung.getFirst().terminated(Termination.DONE);
        steps.run();
        save();
        assertThat(disk.pieces).hasSize(1);
    }

    /** One more file with a transfer that the disk cache does not end. */
    private void hang(List<Subrequest> hung) {
        inode = new InodeData(lock, engine.cache(), new CachedFile(), 0);
        inode.setFile(server);
        save();
        hung.addAll(disk.pieces);
        disk.pieces.clear();
        steps.runTimers();
    }

    private void save() {
        write(0, 4 * KIB);
        engine.writeback(inode, Origin.SYNC);
        steps.run();
        endAll(server);
    }
}
