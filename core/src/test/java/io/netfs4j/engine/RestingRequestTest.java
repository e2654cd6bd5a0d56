// SPDX-License-Identifier: Apache-2.0
package io.netfs4j.engine;

import static org.assertj.core.api.Assertions.assertThat;

import io.netfs4j.base.Completion;
import io.netfs4j.base.Environment;
import io.netfs4j.base.FsError;
import io.netfs4j.base.FsException;
import io.netfs4j.base.Scheduler;
import io.netfs4j.base.SystemRuntime;
import io.netfs4j.cache.journal.FileJournal;
import io.netfs4j.cache.journal.Journal;
import io.netfs4j.cache.journal.JournalLimits;
import io.netfs4j.pagecache.PageCache;
import io.netfs4j.request.Origin;
import io.netfs4j.request.Termination;
import io.netfs4j.server.AttributeChange;
import io.netfs4j.testing.ForgetfulDisk;
import io.netfs4j.trace.Counters;

import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

import java.nio.ByteBuffer;
import java.time.Instant;
import java.util.ArrayDeque;
import java.util.SplittableRandom;
import java.util.concurrent.locks.ReentrantLock;

/** A request that ends for want of a connection, and the one that goes on in its place. */
@Timeout(60)
class RestingRequestTest {
    private static final int KIB = 1024;

    /** More than any of this takes. */
    private static final int STEPS_MAX = 10_000;

    private static final JournalLimits LIMITS = new JournalLimits(64L << 20, 1 << 20, 1 << 20);

    private final SystemRuntime runtime = new SystemRuntime();
    private final StepByStep steps = new StepByStep();
    private final ReentrantLock lock = new ReentrantLock();
    private final StreamDouble server = new StreamDouble("server", 16 * KIB, 1);
    private final ArrayDeque<Runnable> forked = new ArrayDeque<>();
    private boolean connected = true;
    private Engine engine;
    private InodeData inode;
    private FileJournal journal;

    @BeforeEach
    void make() throws FsException {
        lock.lock();
        make(1 << 20);
    }

    private void make(int backgroundBytes) throws FsException {
        Environment real = runtime.environment();
        Environment environment =
                new Environment(real.clock(), new ByHand(), real.waits(), real.random());
        ForgetfulDisk disk = new ForgetfulDisk(new SplittableRandom(1));
        journal = new FileJournal(Journal.open(environment, disk, LIMITS), () -> new byte[0]);
        engine =
                new Engine(
                        environment,
                        new PageCache(
                                new PageCache.Limits(1 << 20, 1 << 20, backgroundBytes),
                                ByteBuffer::allocate),
                        EngineLimits.DEFAULT,
                        new Counters());
        engine.setConnected(() -> connected);
        inode = new InodeData(lock, engine.cache(), new StepByStep.QuietFile(), 0);
        inode.setJournal(journal);
        inode.setFile(server);
    }

    @AfterEach
    void close() {
        lock.unlock();
        journal.journal().close();
        steps.close();
        runtime.close();
    }

    private final class ByHand implements Scheduler {
        @Override
        public void execute(Runnable step) {
            steps.execute(step);
        }

        @Override
        public Cancellable schedule(Runnable step, long delayNanos) {
            return steps.schedule(step, delayNanos);
        }

        @Override
        public void fork(String name, Runnable task) {
            forked.add(task);
        }
    }

    private void write(int from, int to) throws FsException {
        ByteBuffer bytes = ByteBuffer.allocate(to - from);
        long sizeBefore = inode.sizeBytes();
        assertThat(inode.pages().write(from, bytes, to - from)).isEqualTo(to - from);
        inode.setSizeBytes(Math.max(sizeBefore, to));
        journal.written(from, sizeBefore, bytes.flip());
        engine.flusher().onDirtied(inode);
        journal.journal().awaitForced(journal.lastLsn());
        journal.journal().awaitWritten(journal.lastLsn());
    }

    private void run() {
        assertThat(runSome()).as("steps").isLessThan(STEPS_MAX);
    }

    /** Runs steps and what they have forked, but no more than so many; returns how many. */
    private int runSome() {
        int count = steps.run(STEPS_MAX);
        Runnable task;
        while (count < STEPS_MAX && (task = forked.poll()) != null) {
            task.run();
            count += 1 + steps.run(STEPS_MAX);
        }
        return count;
    }

    /** All had come through by then: what is left of it is the commit. */
    @Test
    void whatHadComeThroughBeforeARest_getsItsTimeAllTheSame() throws Exception {
        write(0, KIB);
        Instant time = Instant.parse("2026-01-02T03:04:05Z");
        inode.setPendingAttributes(PendingAttributes.NONE.written(time));
        Completion<@Nullable Void> saved = engine.writeback(inode, Origin.SYNC);
        run();
        connected = false;
        engine.press();
        server.end(0, Termination.DONE);
        run();
        connected = true;
        steps.runTimers();
        run();
        assertThat(saved.isDone()).isTrue();
        assertThat(server.ranges()).containsExactly("[0, 1024)");
        assertThat(server.committed).contains(time);
    }

    /** Where barriers are in use nothing is left to the journal, so that a rest makes no room. */
    @Test
    void whereBarriersAreInUse_nothingRestsAgainAndAgain() throws Exception {
        make(KIB);
        write(0, KIB);
        inode.pages().beginGroup();
        write(64 * KIB, 65 * KIB);
        server.credits = 0;
        engine.writeback(inode, Origin.WRITEBACK);
        run();
        connected = false;
        engine.press();
        run();
    }

    /** What is known of a file is told the journal when a request ends, which is behind then. */
    @Test
    void whileTheJournalIsBehind_nothingRestsAgainAndAgain() throws Exception {
        make(KIB);
        write(0, KIB);
        server.credits = 0;
        engine.writeback(inode, Origin.WRITEBACK);
        run();
        connected = false;
        engine.press();
        run();
    }

    /** What somebody set is not lost with the session that was to take it along. */
    @Test
    void whatWasSet_isOwedStill_whereNoSessionBeginsAfterTheLossAtACommit() throws Exception {
        write(0, KIB);
        AttributeChange mode = new AttributeChange(0600, null, null, null, null, null);
        inode.setPendingAttributes(PendingAttributes.NONE.set(mode));
        Completion<@Nullable Void> saved = engine.writeback(inode, Origin.SYNC);
        server.nextCommit =
                done -> {
                    server.throwsAt = "begin";
                    done.fail(new FsException(FsError.ENOTCONN, "lost"));
                };
        run();
        server.end(0, Termination.DONE);
        run();
        assertThat(saved.failure()).isNotNull();
        assertThat(inode.owesAttributes()).isTrue();
    }
}
