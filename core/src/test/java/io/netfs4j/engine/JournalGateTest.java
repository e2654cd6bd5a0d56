// SPDX-License-Identifier: Apache-2.0
package io.netfs4j.engine;

import static org.assertj.core.api.Assertions.assertThat;

import io.netfs4j.base.Environment;
import io.netfs4j.base.FsException;
import io.netfs4j.base.Scheduler;
import io.netfs4j.base.SystemRuntime;
import io.netfs4j.cache.journal.FileJournal;
import io.netfs4j.cache.journal.Journal;
import io.netfs4j.cache.journal.JournalLimits;
import io.netfs4j.request.Origin;
import io.netfs4j.request.Termination;
import io.netfs4j.testing.ForgetfulDisk;

import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

import java.nio.ByteBuffer;
import java.util.ArrayDeque;
import java.util.SplittableRandom;
import java.util.concurrent.locks.ReentrantLock;

/** What a server whose granule is 512 bytes is sent while the journal is being forced. */
class JournalGateTest {
    private static final int GRANULE = 512;
    private static final JournalLimits LIMITS = new JournalLimits(64L << 20, 1 << 20, 1 << 20);

    private final SystemRuntime runtime = new SystemRuntime();
    private final StepByStep steps = new StepByStep();
    private final ReentrantLock lock = new ReentrantLock();
    private final StreamDouble server = new StreamDouble("server", 16 * GRANULE, GRANULE);

    /** What writes and forces the journal, the one after the other. */
    private final ArrayDeque<Runnable> forcing = new ArrayDeque<>();

    private Engine engine;
    private InodeData inode;
    private FileJournal journal;

    @BeforeEach
    void make() throws FsException {
        Environment real = runtime.environment();
        Environment environment =
                new Environment(real.clock(), new ByHand(), real.waits(), real.random());
        ForgetfulDisk disk = new ForgetfulDisk(new SplittableRandom(1));
        journal = new FileJournal(Journal.open(environment, disk, LIMITS), () -> new byte[0]);
        engine = steps.engine(EngineLimits.DEFAULT);
        inode = new InodeData(lock, engine.cache(), new StepByStep.QuietFile(), 0);
        inode.setJournal(journal);
        lock.lock();
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
            forcing.add(task);
        }
    }

    private void write(int from, int to) {
        ByteBuffer bytes = ByteBuffer.allocate(to - from);
        long sizeBefore = inode.sizeBytes();
        assertThat(inode.pages().write(from, bytes, to - from)).isEqualTo(to - from);
        inode.setSizeBytes(Math.max(sizeBefore, to));
        journal.written(from, sizeBefore, bytes.flip());
    }

    private void load(int from, int to) {
        engine.load(inode, from, to, Origin.DEMAND_READ);
        server.end(0, Termination.DONE);
        steps.run();
        server.pieces.clear();
        assertThat(inode.pages().nextPresent(from, to)).isEqualTo(from);
    }

    private void force() throws FsException {
        journal.journal().awaitForced(journal.lastLsn());
    }

    private void sendWhileForcing() {
        engine.writeback(inode, Origin.SYNC);
        steps.run();
    }

    private void endForcing() {
        Runnable task;
        while ((task = forcing.poll()) != null) {
            task.run();
            steps.run();
        }
    }

    /** The journal has the end of the file at 400; the server must not have it at 512. */
    @Test
    void endOfTheFile_isNotFilledUp_beforeWhatMadeItLongerIsForced() throws FsException {
        write(0, 400);
        force();
        write(3 * GRANULE, 3 * GRANULE + 1);
        sendWhileForcing();
        assertThat(server.ranges()).isEmpty();
        endForcing();
        assertThat(server.ranges()).containsExactly("[0, 512)", "[1536, 1537)");
    }

    /** As above, with the zeros in the page cache: somebody has read them. */
    @Test
    void endOfTheFile_isNotFilledUpWithWhatWasRead_beforeWhatMadeItLongerIsForced()
            throws FsException {
        write(0, 400);
        force();
        write(3 * GRANULE, 3 * GRANULE + 1);
        load(400, GRANULE);
        sendWhileForcing();
        assertThat(server.ranges()).isEmpty();
        endForcing();
        assertThat(server.ranges()).containsExactly("[0, 512)", "[1536, 1537)");
    }

    /** Else a file that is written on and on would not be sent. */
    @Test
    void filling_waitsForNothingThatWasWrittenSinceItBeganToWait() throws FsException {
        write(0, 400);
        force();
        write(3 * GRANULE, 3 * GRANULE + 1);
        sendWhileForcing();
        Runnable last = forcing.removeLast();
        last.run();
        write(4 * GRANULE, 4 * GRANULE + 1);

        steps.run();
        assertThat(server.ranges()).containsExactly("[0, 512)");
        endForcing();
        assertThat(server.ranges()).containsExactly("[0, 512)", "[1536, 2048)");
    }

    @Test
    void filling_ofWhatTheServerHas_waitsForNothing() throws FsException {
        inode.setRemoteSizeBytes(GRANULE);
        inode.setSizeBytes(GRANULE);
        load(0, GRANULE);
        write(0, 400);
        force();
        write(3 * GRANULE, 3 * GRANULE + 1);
        sendWhileForcing();
        assertThat(server.ranges()).containsExactly("[0, 512)");
        endForcing();
        assertThat(server.ranges()).containsExactly("[0, 512)", "[1536, 1537)");
    }
}
