// SPDX-License-Identifier: Apache-2.0
package io.netfs4j.engine;

import static org.assertj.core.api.Assertions.assertThat;

import io.netfs4j.base.FsError;
import io.netfs4j.base.FsException;
import io.netfs4j.request.Origin;
import io.netfs4j.request.Termination;

import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

import java.nio.ByteBuffer;
import java.util.concurrent.locks.ReentrantLock;

/**
 * Several files share what may be under way: 16 KiB to the server in pieces of 4 KiB, and one
 * granule of 4 KiB that is being filled. Whoever is first in a queue and cannot use his turn does
 * not keep the others waiting.
 */
class InFlightTest {
    private static final int KIB = 1 << 10;
    private static final Termination LATER =
            new Termination.RetryLater(true, 0, new FsException(FsError.EIO, "gone"));

    private final StepByStep steps = new StepByStep();
    private final ReentrantLock lock = new ReentrantLock();
    private Engine engine;

    @BeforeEach
    void make() {
        EngineLimits defaults = EngineLimits.DEFAULT;
        engine =
                steps.engine(
                        new EngineLimits(
                                new EngineLimits.Throttle(16 * KIB, 100, 64 * KIB, 100, 0, 4 * KIB),
                                defaults.dirtyAgeNanos(),
                                defaults.eagerBytes(),
                                defaults.attemptsMax(),
                                defaults.retryFirstNanos(),
                                defaults.retryMaxNanos(),
                                defaults.parkFirstNanos(),
                                defaults.parkMaxNanos(),
                                defaults.readaheadBytesMax(),
                                defaults.cachePatienceNanos()));
        lock.lock();
    }

    @AfterEach
    void close() {
        lock.unlock();
        steps.close();
    }

    /** A file that is written back as soon as it is dirty. */
    private final class OneFile extends StepByStep.QuietFile {
        final StreamDouble server;
        final InodeData inode;

        OneFile(int pieceBytesMax, int granule) {
            server = new StreamDouble("server", pieceBytesMax, granule);
            inode = new InodeData(lock, engine.cache(), this, 64 * KIB);
            inode.setFile(server);
        }

        void write(int from, int to) {
            assertThat(inode.pages().write(from, ByteBuffer.allocate(to - from), to - from))
                    .isEqualTo(to - from);
        }

        void save() {
            engine.writeback(inode, Origin.SYNC);
            steps.run();
        }

        void save(int from, int to) {
            write(from, to);
            save();
        }

        void end(int piece, Termination how) {
            server.end(piece, how);
            steps.run();
        }
    }

    @Test
    void head_thatWaitsForItsOwnPiecesBeforeARetry_letsTheNextOneThrough() {
        OneFile first = new OneFile(4 * KIB, 1);
        first.save(0, 24 * KIB);
        OneFile second = new OneFile(4 * KIB, 1);
        second.save(0, 4 * KIB);
        assertThat(first.server.pieces).hasSize(4);
        assertThat(second.server.pieces).isEmpty();

        first.end(0, LATER);
        assertThat(first.server.pieces).hasSize(4);
        assertThat(second.server.pieces).hasSize(1);
    }

    @Test
    void head_thatIsCancelled_letsTheNextOneThrough() {
        OneFile first = new OneFile(4 * KIB, 1);
        first.save(0, 24 * KIB);
        OneFile second = new OneFile(4 * KIB, 1);
        second.save(0, 4 * KIB);
        engine.discard(first.inode);
        steps.run();
        first.end(0, Termination.DONE);
        assertThat(second.server.pieces).hasSize(1);
    }

    @Test
    void head_thatLeavesRoom_letsTheNextOneThrough() {
        OneFile large = new OneFile(16 * KIB, 1);
        large.save(0, 16 * KIB);
        OneFile first = new OneFile(4 * KIB, 1);
        first.save(0, 4 * KIB);
        OneFile second = new OneFile(4 * KIB, 1);
        second.save(0, 4 * KIB);
        assertThat(first.server.pieces).isEmpty();

        large.end(0, Termination.DONE);
        assertThat(first.server.pieces).hasSize(1);
        assertThat(second.server.pieces).hasSize(1);
    }

    @Test
    void head_thatPausesWhileItWaitsForAGranule_letsTheNextOneThrough() {
        OneFile reader = new OneFile(4 * KIB, 4 * KIB);
        reader.save(100, 200);
        assertThat(reader.server.ranges()).as("a read").hasSize(1);
        OneFile first = new OneFile(4 * KIB, 4 * KIB);
        first.write(0, 4 * KIB);
        first.save(8 * KIB + 100, 8 * KIB + 200);
        assertThat(first.server.ranges()).containsExactly("[0, 4096)");
        OneFile second = new OneFile(4 * KIB, 4 * KIB);
        second.save(100, 200);
        assertThat(second.server.pieces).isEmpty();

        first.end(0, LATER);
        reader.end(0, Termination.DONE);
        reader.end(1, Termination.DONE);
        assertThat(second.server.pieces).as("its granule is read").isNotEmpty();
    }
}
