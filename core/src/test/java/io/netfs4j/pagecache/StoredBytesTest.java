// SPDX-License-Identifier: Apache-2.0
package io.netfs4j.pagecache;

import static org.assertj.core.api.Assertions.assertThat;

import io.netfs4j.base.RangeSet;

import org.junit.jupiter.api.Test;

import java.nio.ByteBuffer;
import java.util.Random;
import java.util.concurrent.locks.ReentrantLock;

/** Bytes that are left to the journal, and come back. */
class StoredBytesTest {
    private static final int MEMORY_BYTES = 64 << 10;

    private final PageCache cache =
            new PageCache(
                    new PageCache.Limits(MEMORY_BYTES, MEMORY_BYTES, MEMORY_BYTES),
                    ByteBuffer::allocate);
    private final ReentrantLock lock = new ReentrantLock();
    private final AddressSpace space = new AddressSpace(lock, cache);
    private final StoredBytes stored = space.stored();

    private static ByteBuffer bytes(int count, int value) {
        byte[] all = new byte[count];
        java.util.Arrays.fill(all, (byte) value);
        return ByteBuffer.wrap(all);
    }

    private int read(long position, int count) {
        return space.read(position, ByteBuffer.allocate(count), count, 0);
    }

    @Test
    void ranges_areThoseOfASimpleSet_acrossStretches() {
        Random random = new Random(7);
        RangeSet model = new RangeSet();
        for (int round = 0; round < 20_000; round++) {
            long from = random.nextInt(10 << 20);
            long to = from + 1 + random.nextInt(random.nextBoolean() ? 100 : 5 << 20);
            if (random.nextInt(3) > 0) {
                stored.add(from, to);
                model.add(from, to);
            } else {
                stored.remove(from, to);
                model.remove(from, to);
            }
            long at = random.nextInt(11 << 20);
            long end = at + random.nextInt(6 << 20);
            assertThat(stored.bytes()).isEqualTo(model.total());
            assertThat(stored.next(at, end)).isEqualTo(Math.min(end, model.next(at, end)));
            assertThat(stored.runEnd(at, end)).isEqualTo(Math.min(end, model.runEnd(at)));
        }
    }

    @Test
    void whatIsLeftToTheJournal_isDirtyStill_andItsMemoryMayGo() {
        space.write(0, bytes(8192, 1), 8192);
        assertThat(cache.dirtyMemoryBytes()).isEqualTo(8192);
        stored.store();
        assertThat(space.dirtyBytes()).isEqualTo(8192);
        assertThat(space.writeback().isDirty(0, 1)).isTrue();
        assertThat(space.writeback().nextDirty(0, space.writeback().oldestGroup()))
                .as("no walk sends it")
                .isEqualTo(Long.MAX_VALUE);
        assertThat(cache.dirtyMemoryBytes()).isZero();
        // All memory is wanted for something else.
        AddressSpace other = new AddressSpace(new ReentrantLock(), cache);
        assertThat(other.write(0, bytes(MEMORY_BYTES, 2), MEMORY_BYTES)).isEqualTo(MEMORY_BYTES);
        assertThat(read(0, 10)).as("no zeros in its place").isZero();
    }

    @Test
    void whatComesBack_isDirtyInMemory() {
        stored.add(100, 5000);
        StoredBytes.Run run = stored.first(0);
        assertThat(stored.restore(run, bytes(4900, 3))).isEqualTo(4900);
        assertThat(stored.isEmpty()).isTrue();
        assertThat(space.dirtyBytes()).isEqualTo(4900);
        assertThat(space.writeback().nextDirty(0, space.writeback().oldestGroup())).isEqualTo(100);
        assertThat(read(100, 4900)).isEqualTo(4900);
    }

    /** What was written over it while it was being read is newer. */
    @Test
    void whatWasWrittenMeanwhile_stays() {
        stored.add(0, 1000);
        StoredBytes.Run run = stored.first(0);
        space.write(200, bytes(100, 9), 100);
        assertThat(stored.restore(run, bytes(1000, 3))).isEqualTo(1000);
        ByteBuffer all = ByteBuffer.allocate(1000);
        space.read(0, all, 1000, 0);
        assertThat(all.get(199)).isEqualTo((byte) 3);
        assertThat(all.get(200)).isEqualTo((byte) 9);
        assertThat(all.get(299)).isEqualTo((byte) 9);
        assertThat(all.get(300)).isEqualTo((byte) 3);
        assertThat(space.dirtyBytes()).isEqualTo(1000);
    }

    /** Written over, and left to the journal once more: what was read before is old. */
    @Test
    void whatWasLeftToTheJournalMeanwhile_hasToBeReadAgain() {
        stored.add(0, 1000);
        StoredBytes.Run run = stored.first(0);
        space.write(200, bytes(100, 9), 100);
        stored.store();
        assertThat(stored.restore(run, bytes(1000, 3))).isEqualTo(-1);
        assertThat(stored.stillHas(run, 1000)).isZero();
        stored.show(run, bytes(1000, 3));
        ByteBuffer part = ByteBuffer.allocate(100);
        assertThat(space.read(200, part, 100, 0)).isEqualTo(100);
        assertThat(part.get(0)).isEqualTo((byte) 9);
        assertThat(read(0, 100)).as("the old ones are not shown").isZero();
    }

    /** Bytes are in flight further on; between them and the run are some that are not its own. */
    @Test
    void whatIsShown_endsWithTheRun() {
        stored.add(0, 1000);
        StoredBytes.Run run = stored.first(0);
        space.write(200, bytes(100, 9), 100);
        space.writeback().takeDirty(200, 300);
        stored.remove(100, 200);
        stored.show(run, bytes(1000, 3));
        assertThat(space.read(0, ByteBuffer.allocate(200), 200, 1000)).isEqualTo(100);
    }

    @Test
    void whatIsShown_isACopyThatMayGo() {
        stored.add(0, 4096);
        stored.show(stored.first(0), bytes(4096, 5));
        assertThat(read(0, 4096)).isEqualTo(4096);
        assertThat(cache.dirtyMemoryBytes()).isZero();
        assertThat(stored.bytes()).isEqualTo(4096);
        assertThat(space.writeback().takeClean(0, 4096))
                .as("the server lacks it: nothing is to be filled with it")
                .isNull();
    }

    @Test
    void whatIsCutOff_doesNotComeBack() {
        stored.add(0, 10_000);
        StoredBytes.Run run = stored.first(0);
        space.truncate(4000);
        assertThat(stored.bytes()).isEqualTo(4000);
        assertThat(stored.restore(run, bytes(10_000, 3))).isEqualTo(10_000);
        assertThat(space.dirtyBytes()).isEqualTo(4000);
        assertThat(space.nextPresent(4000, 10_000)).isEqualTo(10_000);
    }

    @Test
    void behindABarrier_nothingIsLeftToTheJournal() {
        space.write(0, bytes(100, 1), 100);
        space.beginGroup();
        space.write(8192, bytes(100, 1), 100);
        stored.store();
        assertThat(stored.isEmpty()).isTrue();
        assertThat(space.dirtyBytes()).isEqualTo(200);
    }
}
