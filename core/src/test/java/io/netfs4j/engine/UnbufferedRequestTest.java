// SPDX-License-Identifier: Apache-2.0
package io.netfs4j.engine;

import static org.assertj.core.api.Assertions.assertThat;

import io.netfs4j.base.Completion;
import io.netfs4j.base.FsError;
import io.netfs4j.base.FsException;
import io.netfs4j.request.Origin;
import io.netfs4j.request.Termination;
import io.netfs4j.server.AttributeChange;
import io.netfs4j.server.ServerAttributes;

import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

import java.nio.ByteBuffer;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.locks.ReentrantLock;
import java.util.stream.Stream;

/** A caller's memory that is sent past the page cache, piece by piece. */
class UnbufferedRequestTest {
    private static final int KIB = 1 << 10;

    private final StepByStep steps = new StepByStep();
    private final ReentrantLock lock = new ReentrantLock();
    private final StreamDouble server = new StreamDouble("server", 10 * KIB, 1);
    private Engine engine;
    private InodeData inode;

    @BeforeEach
    void make() {
        engine = steps.engine(EngineLimits.DEFAULT);
        inode = new InodeData(lock, engine.cache(), new StepByStep.QuietFile(), 0);
        lock.lock();
        inode.setFile(server);
    }

    @AfterEach
    void close() {
        lock.unlock();
        steps.close();
    }

    /** A piece fails of what is sent again, before the rest of that has gone out. */
    @Test
    void retries_ofPiecesThatFailInTurn_goOutInOrder() {
        inode.setSizeBytes(8 * KIB);
        inode.setRemoteSizeBytes(8 * KIB);
        server.pieceBytesMax = KIB;
        UnbufferedWrite write = engine.writeUnbuffered(inode, 0, ByteBuffer.allocate(4 * KIB));
        steps.run();
        Termination busy =
                new Termination.RetryLater(false, 0, new FsException(FsError.EAGAIN, "busy"));
        for (int i = 0; i < 4; i++) {
            server.end(i, busy);
        }
        server.credits = 1;
        steps.run();
        steps.runTimers();
        assertThat(server.ranges().subList(4, 5)).containsExactly("[0, 1024)");
        server.end(4, busy);
        steps.run();
        server.grant(4);
        steps.run();
        assertThat(server.pieces).as("nothing goes out during the pause").hasSize(5);
        steps.runTimers();
        assertThat(server.ranges().subList(5, server.pieces.size()))
                .containsExactly("[0, 1024)", "[1024, 2048)", "[2048, 3072)", "[3072, 4096)");
        for (int i = 5; i < server.pieces.size(); i++) {
            server.end(i, Termination.DONE);
        }
        steps.run();
        assertThat(write.written().isDone()).isTrue();
        assertThat(write.written().failure()).isNull();
    }

    @Test
    void unbufferedWrite_whoseCommitFails_isToldAtFsync_andItsTimesGoOnceMore() {
        Instant then = Instant.ofEpochSecond(1_000_000_000);
        inode.setPendingAttributes(PendingAttributes.NONE.set(AttributeChange.times(null, then)));
        engine.flusher().onDirtied(inode);
        List<Completion<ServerAttributes>> commits = new ArrayList<>();
        server.nextCommit = commits::add;
        UnbufferedWrite write = engine.writeUnbuffered(inode, 0, ByteBuffer.allocate(KIB));
        steps.run();
        server.end(0, Termination.DONE);
        steps.run();
        // As a tick does that comes meanwhile.
        engine.flusher().onDropped(inode);
        commits.get(0).fail(new FsException(FsError.EIO, "not dated"));
        steps.run();
        assertThat(write.written().isDone()).isTrue();
        assertThat(write.written().failure()).as("the server has the bytes").isNull();
        assertThat(inode.errors().unheard(0)).hasMessageContaining("not dated");
        assertThat(inode.isUnsaved()).isTrue();
        assertThat(engine.flusher().unsaved()).containsExactly(inode);

        assertThat(engine.writeback(inode, Origin.SYNC).isDone()).isFalse();
        steps.run();
        assertThat(inode.isUnsaved()).isFalse();
        assertThat(engine.flusher().isClean()).isTrue();
    }

    private static Stream<Termination> failures() {
        FsException full = new FsException(FsError.ENOSPC, "full");
        return Stream.of(new Termination.Failed(full), new Termination.RetryLater(false, 0, full));
    }

    @ParameterizedTest
    @MethodSource("failures")
    void unbufferedWrite_pastTheEnd_whosePieceEndsAtOnce_leavesNoHole(Termination failure) {
        server.pieceBytesMax = KIB;
        server.atOnce = position -> position == KIB ? failure : null;
        engine.writeUnbuffered(inode, 0, ByteBuffer.allocate(4 * KIB));
        steps.run();
        server.end(0, Termination.DONE);
        steps.run();
        assertThat(server.ranges()).containsExactly("[0, 1024)", "[1024, 2048)");
    }

    /** A write past the page cache whose one piece fails, up to its commit. */
    private Completion<ServerAttributes> failedUnbufferedWrite() {
        List<Completion<ServerAttributes>> commits = new ArrayList<>();
        server.nextCommit = commits::add;
        engine.writeUnbuffered(inode, 0, ByteBuffer.allocate(KIB));
        steps.run();
        server.end(0, new Termination.Failed(new FsException(FsError.EIO, "bad")));
        steps.run();
        return commits.get(0);
    }

    @Test
    void unbufferedWrite_calledOffWhenAllOfItIsToBeSentAgain_isNot() {
        server.atomic = true;
        Instant then = Instant.ofEpochSecond(1_000_000_000);
        inode.setPendingAttributes(PendingAttributes.NONE.set(AttributeChange.times(null, then)));
        List<Completion<ServerAttributes>> commits = new ArrayList<>();
        server.nextCommit = commits::add;
        UnbufferedWrite write = engine.writeUnbuffered(inode, 0, ByteBuffer.allocate(KIB));
        steps.run();
        server.end(0, Termination.DONE);
        steps.run();
        write.cancel(new FsException(FsError.EINTR, "called off"));
        commits.get(0).fail(new FsException(FsError.EPERM, "not yours"));
        steps.run();
        assertThat(server.pieces).as("sent").hasSize(1);
        assertThat(write.written().failure()).hasMessageContaining("called off");
        assertThat(inode.writebackLock().isFree()).isTrue();
    }

    @Test
    void unbufferedWrite_thatWouldLeaveAHole_waitsForDataThatCameWhileItWaited() {
        Object holdsItUp = new Object();
        engine.acquire(inode, holdsItUp);
        engine.writeUnbuffered(inode, 8 * KIB, ByteBuffer.allocate(KIB));
        inode.pages().write(0, ByteBuffer.allocate(KIB), KIB);
        inode.setSizeBytes(KIB);
        inode.writebackLock().release(holdsItUp);
        steps.run();
        assertThat(server.ranges()).containsExactly("[0, 1024)");
        server.end(0, Termination.DONE);
        steps.run();
        assertThat(server.ranges()).containsExactly("[0, 1024)", "[8192, 9216)");
    }

    @Test
    void timesThatSomebodySet_areUnsaved_untilTheCommitThatTakesThemHasEnded() {
        Instant then = Instant.ofEpochSecond(1_000_000_000);
        inode.setPendingAttributes(PendingAttributes.NONE.set(AttributeChange.times(null, then)));
        engine.flusher().onDirtied(inode);
        Completion<ServerAttributes> commit = failedUnbufferedWrite();
        assertThat(inode.isUnsaved()).isTrue();
        assertThat(inode.isOwed()).isTrue();
        commit.complete(server.attributes());
        steps.run();
        assertThat(inode.isUnsaved()).isFalse();
        assertThat(engine.flusher().isClean()).isTrue();
    }

    @Test
    void unbufferedWrite_ofAFileThatWasGivenUp_leavesNoDoubt() {
        Completion<ServerAttributes> commit = failedUnbufferedWrite();
        engine.discard(inode);
        commit.fail(new FsException(FsError.EIO, "no answer"));
        steps.run();
        assertThat(inode.isSizeInDoubt()).isFalse();
        assertThat(engine.flusher().isClean()).isTrue();
    }

    @Test
    void unbufferedWrite_whoseTimesAreRefused_andThenTheSession_leavesDoubt() {
        Instant then = Instant.ofEpochSecond(1_000_000_000);
        inode.setPendingAttributes(PendingAttributes.NONE.set(AttributeChange.times(null, then)));
        Completion<ServerAttributes> commit = failedUnbufferedWrite();
        server.throwsAt = "begin";
        commit.fail(new FsException(FsError.EPERM, "not yours"));
        steps.run();
        assertThat(inode.isSizeInDoubt()).isTrue();
        assertThat(engine.flusher().unsaved()).containsExactly(inode);
    }

    @Test
    void unbufferedWrite_whoseTimesAreRefused_andThenTheSession_isToldAtFsync() {
        inode.setPendingAttributes(PendingAttributes.NONE.written(Instant.EPOCH));
        engine.flusher().onDirtied(inode);
        List<Completion<ServerAttributes>> commits = new ArrayList<>();
        server.nextCommit = commits::add;
        UnbufferedWrite write = engine.writeUnbuffered(inode, 0, ByteBuffer.allocate(KIB));
        steps.run();
        server.end(0, Termination.DONE);
        steps.run();
        server.throwsAt = "begin";
        commits.get(0).fail(new FsException(FsError.EPERM, "not dated"));
        steps.run();
        assertThat(write.written().isDone()).isTrue();
        assertThat(write.written().failure()).as("the server has the bytes").isNull();
        assertThat(inode.errors().unheard(0)).hasMessageContaining("bug in begin");
    }

    @Test
    @SuppressWarnings("NullAway") // a bug of the server's
    void unbufferedWrite_ofAWholeObject_whoseCommitGivesNothing_fails() {
        server.atomic = true;
        server.nextCommit = done -> done.complete(null);
        UnbufferedWrite write = engine.writeUnbuffered(inode, 0, ByteBuffer.allocate(KIB));
        steps.run();
        server.end(0, Termination.DONE);
        steps.run();
        assertThat(write.written().failure()).hasMessageContaining("nothing for a commit");
    }
}
