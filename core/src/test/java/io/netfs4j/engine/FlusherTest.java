// SPDX-License-Identifier: Apache-2.0
package io.netfs4j.engine;

import static org.assertj.core.api.Assertions.assertThat;

import io.netfs4j.base.Completion;
import io.netfs4j.base.FsError;
import io.netfs4j.base.FsException;
import io.netfs4j.base.SystemRuntime;
import io.netfs4j.cache.journal.FileJournal;
import io.netfs4j.cache.journal.Journal;
import io.netfs4j.cache.journal.JournalLimits;
import io.netfs4j.pagecache.Turnstile;
import io.netfs4j.request.Origin;
import io.netfs4j.request.Termination;
import io.netfs4j.server.AttributeChange;
import io.netfs4j.testing.ForgetfulDisk;

import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

import java.nio.ByteBuffer;
import java.time.Instant;
import java.util.SplittableRandom;
import java.util.concurrent.locks.ReentrantLock;

/** When nothing that is dirty is about to be saved, beside a file that the server refused. */
class FlusherTest {
    private static final int KIB = 1 << 10;
    private static final Termination REFUSED =
            new Termination.Failed(new FsException(FsError.EACCES, "refused"));

    private final StepByStep steps = new StepByStep();
    private final ReentrantLock lock = new ReentrantLock();
    private final StreamDouble refusing = new StreamDouble("refusing", 10 * KIB, 1);
    private final StreamDouble other = new StreamDouble("other", 10 * KIB, 1);
    private Engine engine;
    private InodeData refused;

    @BeforeEach
    void make() {
        engine = steps.engine(EngineLimits.DEFAULT);
        lock.lock();
        refused = file(refusing);
        refused.pages().write(0, ByteBuffer.allocate(KIB), KIB);
        refused.setSizeBytes(KIB);
        engine.flusher().onDirtied(refused);
        engine.writeback(refused, Origin.SYNC);
        steps.run();
        refusing.end(0, REFUSED);
        steps.run();
        assertThat(engine.flusher().stuck()).isNotNull();
    }

    @AfterEach
    void close() {
        lock.unlock();
        steps.close();
    }

    private InodeData file(StreamDouble server) {
        InodeData data = new InodeData(lock, engine.cache(), new StepByStep.QuietFile(), 0);
        data.setFile(server);
        return data;
    }

    /** The answer may be long in coming, and must not keep those waiting who need not. */
    @Test
    void stuck_staysWhileTheRefusedFileIsTriedAgain() {
        engine.writeback(refused, Origin.SYNC);
        steps.run();
        assertThat(refusing.pieces).hasSize(2);
        assertThat(engine.flusher().stuck()).isNotNull();
        refusing.end(1, Termination.DONE);
        steps.run();
        assertThat(engine.flusher().stuck()).isNull();
    }

    @Test
    void waiter_isWoken_whenTheLastFileThatWasNotRefusedIsSavedByADirectWrite() {
        InodeData data = file(other);
        data.setPendingAttributes(
                PendingAttributes.NONE.set(AttributeChange.times(null, Instant.EPOCH)));
        engine.flusher().onDirtied(data);
        assertThat(engine.flusher().stuck()).isNull();
        engine.writeUnbuffered(data, 0, ByteBuffer.allocate(KIB));
        steps.run();
        try (Turnstile.Ticket ticket = engine.cache().readers().enter()) {
            assertThat(ticket.beforeTry()).isNull();
            ticket.failed();
            Completion<?> turn = ticket.beforeTry();
            assertThat(turn).isNotNull();
            assertThat(turn.isDone()).isFalse();
            other.end(0, Termination.DONE);
            steps.run();
            assertThat(engine.flusher().stuck()).isNotNull();
            assertThat(turn.isDone()).isTrue();
        }
    }

    private void failAgain(StreamDouble server, boolean atCommit) {
        FsException why = new FsException(FsError.EDQUOT, "quota");
        if (atCommit) {
            server.nextCommit = commit -> commit.fail(why);
        }
        Completion<?> done = engine.writeback(refused, Origin.SYNC);
        steps.run();
        server.end(
                server.pieces.size() - 1,
                atCommit ? Termination.DONE : new Termination.Failed(why));
        steps.run();
        assertThat(done.failure()).hasMessageContaining("quota");
    }

    /** Another file that could make room. */
    private void dirtyAnother() {
        InodeData data = file(other);
        data.pages().write(0, ByteBuffer.allocate(KIB), KIB);
        engine.flusher().onDirtied(data);
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void wholeObject_thatIsRefusedAgain_countsAsRefused(boolean atCommit) {
        dirtyAnother();
        assertThat(engine.flusher().refusal(refused)).as("once only").isNull();
        refusing.atomic = true;
        for (int i = 0; i < 4; i++) {
            failAgain(refusing, atCommit);
        }
        assertThat(engine.flusher().refusal(refused)).hasMessageContaining("quota");
        assertThat(refused.failures).as("and is left alone for longer").isEqualTo(5);
    }

    @Test
    void directWriteElsewhere_leavesTheRefusal() {
        dirtyAnother();
        failAgain(refusing, false);
        assertThat(engine.flusher().refusal(refused)).isNotNull();
        refused.setSizeBytes(100 * KIB);
        refused.setRemoteSizeBytes(100 * KIB);
        UnbufferedWrite write = engine.writeUnbuffered(refused, 50 * KIB, ByteBuffer.allocate(KIB));
        steps.run();
        refusing.end(refusing.pieces.size() - 1, Termination.DONE);
        steps.run();
        assertThat(write.written().isDone()).isTrue();
        assertThat(engine.flusher().refusal(refused)).isNotNull();
    }

    @Test
    void whatIsWrittenAfterRefusedBytesWereCutOff_isNotLeftAlone() {
        failAgain(refusing, false);
        refused.pages().truncate(0);
        refused.setSizeBytes(0);
        refused.setPendingAttributes(PendingAttributes.NONE);
        engine.flusher().onDropped(refused);
        assertThat(engine.flusher().isClean()).isTrue();
        assertThat(refused.failures).isZero();
    }

    /**
     * The journal has what was refused, but whoever wrote it synchronously waits for the server.
     */
    @Test
    void synchronousWrite_isNotLeftToTheJournal_beforeItsFirstStep() throws Exception {
        failAgain(refusing, false);
        try (SystemRuntime runtime = new SystemRuntime();
                Journal journal =
                        Journal.open(
                                runtime.environment(),
                                new ForgetfulDisk(new SplittableRandom(1)),
                                new JournalLimits(4 << 18, 1 << 18, 1 << 18))) {
            FileJournal kept = new FileJournal(journal, () -> new byte[1]);
            refused.setJournal(kept);
            WriteThrough through = engine.writeThrough(refused);
            refused.pages().write(0, ByteBuffer.allocate(KIB), KIB);
            kept.written(0, KIB, ByteBuffer.allocate(KIB));
            journal.awaitForced(kept.lastLsn()); // So that nothing waits for that.
            engine.flusher().onPressure();
            through.advance(0, KIB);
            Completion<?> done = through.end();
            steps.run();
            assertThat(done.isDone()).isFalse();
            assertThat(refusing.pieces).hasSize(3);
            refusing.end(2, Termination.DONE);
            steps.run();
            assertThat(done.isDone()).isTrue();
            assertThat(refused.isUnsaved()).isFalse();
        }
    }
}
