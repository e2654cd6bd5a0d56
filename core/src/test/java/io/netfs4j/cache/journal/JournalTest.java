// SPDX-License-Identifier: Apache-2.0
package io.netfs4j.cache.journal;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.netfs4j.base.Completion;
import io.netfs4j.base.Disk;
import io.netfs4j.base.FsException;
import io.netfs4j.testing.ForgetfulDisk;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;

/** A journal on its own, over a disk that forgets. */
class JournalTest {
    /** Worlds of one run; more with -Djournal.seeds, from another seed on with -Djournal.first. */
    private static final int SEEDS = Integer.getInteger("journal.seeds", 200);

    private static final long FIRST = Long.getLong("journal.first", 0);

    private static final JournalLimits LIMITS = new JournalLimits(6 * 140_000, 140_000, 132_000);

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void whatWasPromised_isThereAgain_whereverItEnds(boolean fails) {
        int deaths = 0;
        for (long seed = FIRST; seed < FIRST + SEEDS; seed++) {
            JournalWorld world = new JournalWorld(seed, fails);
            try {
                world.run();
            } catch (AssertionError | RuntimeException e) {
                throw new AssertionError("-Djournal.first=" + seed + ": " + e.getMessage(), e);
            }
            deaths += world.deaths;
        }
        assertThat(deaths).isGreaterThan(SEEDS / 4);
    }

    /** Of two segments one cannot be forced, and the other, behind what is missing, is not read. */
    @Test
    void segmentThatWasForced_behindOneThatWasNot_isRepeatedToo() {
        new JournalWorld(10835, true).run();
    }

    private static ByteBuffer bytes(int with, int count) {
        ByteBuffer bytes = ByteBuffer.allocate(count);
        for (int i = 0; i < count; i++) {
            bytes.put(i, (byte) with);
        }
        return bytes;
    }

    private static Journal open(ForgetfulDisk disk) throws FsException {
        return Journal.open(JournalWorld.quietEnvironment(), disk, LIMITS);
    }

    @Test
    void forgotten_staysSo_whenTheFirstForceFailsAndThePowerIsLost() throws Exception {
        ForgetfulDisk disk = new ForgetfulDisk(new SplittableRandom(1));
        Journal journal = open(disk);
        journal.awaitForced(journal.write(1, 0, 100, bytes(1, 100)));
        long lsn = journal.forget(1);
        journal.awaitWritten(lsn);
        disk.failAt(0, 1, "I/O error");
        journal.awaitForced(lsn);
        disk.losePower();
        assertThat(open(disk).files()).isEmpty();
    }

    @Test
    void dropped_staysSo_whenTheFirstForceFailsAndThePowerIsLost() throws Exception {
        ForgetfulDisk disk = new ForgetfulDisk(new SplittableRandom(1));
        Journal journal = open(disk);
        journal.awaitForced(journal.write(1, 0, 100, bytes(1, 100)));
        long lsn = journal.drop(1, 20, 100, journal.lastLsn());
        journal.awaitWritten(lsn);
        disk.failAt(0, 1, "I/O error");
        journal.awaitForced(lsn);
        disk.losePower();
        assertThat(open(disk).ranges(1)).containsExactly(new Journal.Range(0, 20));
    }

    /** Its files may be another's by then. */
    @Test
    void whatComesAfterTheEnd_isNotWritten() throws Exception {
        ForgetfulDisk disk = new ForgetfulDisk(new SplittableRandom(1));
        Journal journal = open(disk);
        journal.awaitWritten(journal.write(1, 0, 100, bytes(1, 100)));
        journal.close();
        int calls = disk.calls();
        long late = journal.write(2, 0, 100, bytes(2, 100));
        assertThatThrownBy(() -> journal.awaitWritten(late))
                .isInstanceOf(FsException.class)
                .hasMessageContaining("closed");
        assertThatThrownBy(() -> journal.awaitForced(late)).isInstanceOf(FsException.class);
        assertThat(disk.calls()).isEqualTo(calls);
        assertThat(open(disk).files()).containsExactly(1L);
    }

    @Test
    void damage_thatWasForced_isTold_andTheRestCounts() throws Exception {
        ForgetfulDisk disk = new ForgetfulDisk(new SplittableRandom(1));
        Journal journal = open(disk);
        journal.awaitForced(journal.write(1, 0, 100, bytes(1, 100)));
        journal.awaitForced(journal.write(2, 0, 100, bytes(2, 100)));
        journal.awaitForced(journal.write(3, 0, 100, bytes(3, 100)));
        int second = JournalFormat.SEGMENT_HEADER_BYTES + JournalFormat.recordBytes(100);
        disk.rot(SegmentFiles.name(1), second + JournalFormat.RECORD_HEADER_BYTES + 7);
        Journal again = open(disk);
        assertThat(again.damages()).singleElement().asString().contains("records 2 to 2");
        assertThat(again.files()).containsExactly(1L, 3L);
        ByteBuffer read = ByteBuffer.allocate(100);
        assertThat(again.read(3, 0, read)).isEqualTo(100);
        assertThat(read.flip()).isEqualTo(bytes(3, 100));
    }

    /** A power cut or a kill may leave the first of the records that a large write comes to. */
    @ParameterizedTest
    @ValueSource(longs = {0, 1 << 20})
    void writeOfSeveralRecords_ofWhichTheFirstAreLeft_isNoLongerThanThose(long sizeBefore)
            throws Exception {
        int count = 2 * JournalFormat.PAYLOAD_BYTES_MAX + 1;
        int parts = 0;
        boolean whole = false;
        for (int call = 0; !whole; call++) {
            ForgetfulDisk disk = new ForgetfulDisk(new SplittableRandom(1));
            FileJournal file = new FileJournal(open(disk), () -> new byte[] {1});
            disk.killAt(call);
            try {
                file.written(0, sizeBefore, bytes(1, count));
                file.journal().awaitWritten(file.lastLsn());
                whole = true;
            } catch (ForgetfulDisk.Killed e) {
                whole = false;
            }
            disk.restart();
            Journal again = open(disk);
            for (long found : again.files()) {
                List<Journal.Range> ranges = again.ranges(found);
                long backed = ranges.isEmpty() ? 0 : ranges.get(0).to();
                assertThat(again.sizeBytes(found)).isEqualTo(Math.max(sizeBefore, backed));
                parts += backed > 0 && backed < count ? 1 : 0;
            }
        }
        assertThat(parts).isPositive();
    }

    @Test
    void rot_ofWhatIsRead_isAnErrorAndNotOtherBytes() throws Exception {
        ForgetfulDisk disk = new ForgetfulDisk(new SplittableRandom(1));
        Journal journal = open(disk);
        journal.awaitWritten(journal.write(1, 0, 100, bytes(1, 100)));
        int payload = JournalFormat.SEGMENT_HEADER_BYTES + JournalFormat.RECORD_HEADER_BYTES;
        disk.rot(SegmentFiles.name(1), payload + 99);
        assertThatThrownBy(() -> journal.read(1, 0, ByteBuffer.allocate(10)))
                .hasMessageContaining("is damaged at 4096");
    }

    @Test
    void diskThatIsFull_stillTakesWhatIsToldOfWhatIsSaved() throws Exception {
        ForgetfulDisk disk = new ForgetfulDisk(new SplittableRandom(1));
        Journal journal = open(disk);
        disk.setFreeBytes(50_000);
        journal.awaitWritten(journal.write(1, 0, 100_000, bytes(1, 100_000)));
        long lsn = journal.drop(1, 0, 60_000, journal.lastLsn());
        journal.awaitForced(lsn);
        disk.losePower();
        assertThat(open(disk).ranges(1)).containsExactly(new Journal.Range(60_000, 100_000));
    }

    @Test
    void diskThatCannotBeRead_isNotTakenForOneThatEnds() throws Exception {
        ForgetfulDisk disk = new ForgetfulDisk(new SplittableRandom(1));
        Journal journal = open(disk);
        journal.awaitForced(journal.write(1, 0, 100, bytes(1, 100)));
        for (int call = 0; call < 4; call++) {
            disk.restart();
            disk.failAt(call, call + 1, "I/O error");
            assertThatThrownBy(() -> open(disk)).hasMessageContaining("I/O error");
        }
        disk.restart();
        assertThat(open(disk).files()).containsExactly(1L);
    }

    /** Else a loss of power long afterwards would have old bytes sent over newer ones. */
    @Test
    void forget_isForcedSoon_whoeverAsksForIt() throws Exception {
        JournalWorld world = new JournalWorld(0, false);
        ForgetfulDisk disk = new ForgetfulDisk(new SplittableRandom(5));
        Journal journal = Journal.open(world.environment(), disk, LIMITS);
        journal.describe(1, 0, new byte[] {1});
        journal.awaitForced(journal.write(1, 0, 3, ByteBuffer.wrap(new byte[] {1, 2, 3})));
        journal.forget(1);
        world.runForked();
        disk.losePower();
        assertThat(Journal.open(world.environment(), disk, LIMITS).files()).isEmpty();
    }

    /** What counted in it has gone for sure; behind that is a record that is not yet. */
    @Test
    void segmentThatNobodyNeeds_staysWhileItIsForced_andGoesThen() throws Exception {
        JournalWorld world = new JournalWorld(0, false);
        ForgetfulDisk disk = new ForgetfulDisk(new SplittableRandom(7));
        Journal journal = Journal.open(world.environment(), disk, LIMITS);
        journal.describe(1, 0, new byte[] {1});
        journal.write(1, 0, 0, bytes(1, 100_000));
        journal.awaitForced(journal.forget(1));
        world.runForked();
        String segment = disk.names().get(0);
        assertThat(segment).startsWith("seg-");
        journal.forget(2);
        journal.write(3, 0, 0, bytes(3, 100_000));
        long last = journal.forget(2);
        journal.awaitWritten(last);
        disk.duringForce(() -> {
            world.runOneForked(); // Writes what is not written.
            world.runOneForked(); // Gives back what nobody needs.
        });
        journal.awaitForced(last);
        assertThat(disk.names()).contains(segment);
        world.runForked();
        assertThat(journal.broken()).isNull();
        assertThat(disk.names()).doesNotContain(segment);
    }

    /** Thousands of files may be on their way: each with a thread that waits would be too many. */
    @Test
    void whoeverIsToldOfAForce_sharesOneTask_alsoWhenItFails() throws Exception {
        for (boolean fails : new boolean[] {false, true}) {
            JournalWorld world = new JournalWorld(0, false);
            ForgetfulDisk disk = new ForgetfulDisk(new SplittableRandom(8));
            Journal journal = Journal.open(world.environment(), disk, LIMITS);
            journal.describe(1, 0, new byte[] {1});
            int before = world.forkedCount();
            List<Completion<Void>> told = new ArrayList<>();
            for (int n = 0; n < 10; n++) {
                told.add(journal.whenForced(journal.write(1, 10L * n, 10L * n, bytes(1, 10))));
            }
            assertThat(told).noneMatch(Completion::isDone);
            assertThat(world.forkedCount()).isEqualTo(before + 1);
            if (fails) {
                disk.failAt(0, Integer.MAX_VALUE, "Input/output error");
            }
            world.runForked();
            assertThat(told).allMatch(Completion::isDone);
            assertThat(journal.broken() != null).isEqualTo(fails);
            assertThat(journal.whenForced(1).isDone()).isTrue();
        }
    }

    /** Such as what is known of a removed file that is open: it counts for as long as that is. */
    @Test
    void littleThatCountsForLong_inTheOldestSegment_takesNobodysRoom() throws Exception {
        JournalWorld world = new JournalWorld(0, false);
        ForgetfulDisk disk = new ForgetfulDisk(new SplittableRandom(6));
        Journal journal = Journal.open(world.environment(), disk, LIMITS);
        journal.describe(1, 0, new byte[] {1});
        while (journal.hasRoom(LIMITS.writableBytes() / 2)) {
            journal.awaitWritten(journal.write(2, 0, 100_000, bytes(2, 100_000)));
        }
        journal.forget(2);
        world.runForked();
        assertThat(journal.hasRoom(LIMITS.writableBytes() / 2)).isTrue();
        assertThat(journal.facts(1)).containsExactly(1);
    }

    /** Of two that follow each other no two fit into one segment, and each fills half of one. */
    @Test
    @Timeout(value = 60, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
    void recordsThatFitBadly_areNotCopiedForEver() throws Exception {
        JournalWorld world = new JournalWorld(0, false);
        ForgetfulDisk disk = new ForgetfulDisk(new SplittableRandom(6));
        Journal journal = Journal.open(world.environment(), disk, LIMITS);
        for (int file = 1; file <= 4; file++) {
            int count = file % 2 == 0 ? 80_000 : 57_000;
            journal.awaitWritten(journal.write(file, 0, count, bytes(file, count)));
        }
        journal.describe(5, 0, new byte[] {5});
        journal.forget(5);
        world.runForked();
        for (int file = 1; file <= 4; file++) {
            assertThat(journal.ranges(file)).hasSize(1);
        }
        journal.drop(1, 0, 57_000, journal.lastLsn());
        journal.drop(2, 0, 80_000, journal.lastLsn());
        world.runForked();
        assertThat(journal.hasRoom(LIMITS.segmentBytes())).isTrue();
    }

    /** Somebody has another name for it, and reads what is in it. */
    @Test
    void segmentThatIsLent_isNotUsedAgain() throws Exception {
        for (boolean lent : new boolean[] {false, true}) {
            ForgetfulDisk disk = new ForgetfulDisk(new SplittableRandom(1));
            ForgetfulDisk other = new ForgetfulDisk(new SplittableRandom(2));
            JournalWorld world = new JournalWorld(0, false);
            Journal journal = Journal.open(world.environment(), disk, LIMITS);
            FileJournal file = new FileJournal(journal, () -> new byte[0]);
            file.describe(0);
            ByteBuffer payload = bytes(7, 1000);
            file.written(50, 0, payload.duplicate());
            journal.awaitWritten(file.lastLsn());
            long[] segments = new long[4];
            int[] positions = new int[4];
            if (lent) {
                file.find(40, 300, segments, positions);
                assertThat(segments).containsExactly(-1, 1, 1, -1);
                file.link(1, other, "theirs");
            }
            for (int n = 0; n < 400; n++) {
                file.landed(0, 1_000_000, file.lastLsn());
                file.written(0, 0, bytes(n, 4000));
                journal.awaitForced(file.lastLsn());
                world.runForked();
            }
            assertThat(disk.names()).doesNotContain(SegmentFiles.name(1));
            if (lent) {
                ByteBuffer read = ByteBuffer.allocate(600);
                try (Disk.File theirs = other.open("theirs", false)) {
                    theirs.read(read, positions[1]);
                }
                assertThat(read.flip()).isEqualTo(bytes(7, 600));
            }
            assertThat(disk.names().stream().filter(name -> name.startsWith("spare-")).count())
                    .isPositive();
        }
    }

    /** Nobody says so to the next mount. */
    @Test
    void segmentThatIsLent_isNotUsedAgain_byTheNextMount() throws Exception {
        ForgetfulDisk disk = new ForgetfulDisk(new SplittableRandom(1));
        ForgetfulDisk other = new ForgetfulDisk(new SplittableRandom(2));
        JournalWorld world = new JournalWorld(0, false);
        Journal first = Journal.open(world.environment(), disk, LIMITS);
        FileJournal file = new FileJournal(first, () -> new byte[0]);
        file.describe(0);
        file.written(0, 0, bytes(7, 1000));
        first.awaitWritten(file.lastLsn());
        int[] positions = new int[2];
        file.find(0, 500, new long[2], positions);
        file.link(1, other, "theirs");
        file.written(1000, 1000, bytes(8, 20_000));
        world.runForked();
        first.close();
        Journal next = Journal.open(world.environment(), disk, LIMITS);
        goRound(next, FileJournal.found(next, file.file(), () -> new byte[0]), world, disk);
        ByteBuffer read = ByteBuffer.allocate(1000);
        try (Disk.File theirs = other.open("theirs", false)) {
            theirs.read(read, positions[0]);
        }
        assertThat(read.flip()).isEqualTo(bytes(7, 1000));
    }

    @Test
    void segmentThatWasOnlyLookedAt_isUsedAgain() throws Exception {
        ForgetfulDisk disk = new ForgetfulDisk(new SplittableRandom(1));
        JournalWorld world = new JournalWorld(0, false);
        Journal journal = Journal.open(world.environment(), disk, LIMITS);
        FileJournal file = new FileJournal(journal, () -> new byte[0]);
        file.describe(0);
        assertThat(goRound(journal, file, world, disk)).isTrue();
    }

    /** Fills segments with what is dead at once; returns whether any of them became a spare one. */
    private static boolean goRound(
            Journal journal, FileJournal file, JournalWorld world, ForgetfulDisk disk)
            throws FsException {
        boolean again = false;
        for (int n = 0; n < 400; n++) {
            file.landed(0, 1_000_000, file.lastLsn());
            file.written(0, 0, bytes(n, 4096));
            journal.awaitForced(file.lastLsn());
            file.find(0, 4096, new long[1], new int[1]);
            world.runForked();
            again |= disk.names().contains("spare-3.j");
        }
        return again;
    }

    /** Else what is of before that would be sent over what the server has got since. */
    @Test
    void brokenJournal_ofWhichTheServerHasAll_isNotFound() throws Exception {
        ForgetfulDisk disk = new ForgetfulDisk(new SplittableRandom(1));
        Journal journal = open(disk);
        journal.awaitForced(journal.write(1, 0, 100, bytes(1, 100)));
        journal.abandon();
        assertThat(open(disk).files()).as("of one that works").containsExactly(1L);
        disk.failAt(0, Integer.MAX_VALUE, "No space left on device");
        long lost = journal.write(1, 100, 100, bytes(2, 100));
        assertThatThrownBy(() -> journal.awaitWritten(lost)).isInstanceOf(FsException.class);
        disk.restart();
        journal.abandon();
        disk.losePower();
        assertThat(open(disk).files()).isEmpty();
    }
}
