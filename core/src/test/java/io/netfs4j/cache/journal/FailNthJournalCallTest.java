// SPDX-License-Identifier: Apache-2.0
package io.netfs4j.cache.journal;

import static org.assertj.core.api.Assertions.assertThat;

import io.netfs4j.base.FsException;

import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

import java.util.ArrayList;
import java.util.List;

/**
 * Each call of the disk that a journal makes fails, one run for each: once, or from there on for
 * good. Whatever was acknowledged before and after is there again on a healthy disk, nothing waits
 * for ever, and no file stays open.
 */
class FailNthJournalCallTest {
    private static final long SEED = 7;
    private static final int SEGMENT_BYTES = 140_000;

    private static final JournalLimits SMALL =
            new JournalLimits(6 * SEGMENT_BYTES, SEGMENT_BYTES, 132_000);

    /** Of several records in one write, and of several segments in one batch. */
    private static final JournalLimits WIDE =
            new JournalLimits(12 * SEGMENT_BYTES, SEGMENT_BYTES, 600_000);

    /** What is done in one life of the process. */
    private interface Course {
        void run(JournalWorld world) throws FsException;
    }

    /**
     * A life that goes well, how it ends, and the one in which the disk fails.
     *
     * @param power whether the power is lost at the end of both
     */
    private record Scenario(
            String name, Course before, Course during, JournalLimits limits, boolean power) {
        @Override
        public String toString() {
            String way = power ? ", power lost" : ", killed";
            return name + (limits.equals(WIDE) ? ", large batches" : "") + way;
        }
    }

    private record Workload(String name, Course before, Course during) {}

    private static final Course NOTHING = world -> {};

    private static final List<Workload> WORKLOADS =
            List.of(
                    new Workload("write", NOTHING, world -> writes(world, 1, 3_000)),
                    new Workload("overwrite", w -> writes(w, 1, 9_000), w -> writes(w, 1, 5_000)),
                    new Workload("append", NOTHING, FailNthJournalCallTest::appends),
                    new Workload("truncate", w -> writes(w, 1, 9_000), w -> truncates(w, 1)),
                    new Workload("create and unlink", NOTHING, w -> unlinks(w, 2)),
                    new Workload("unlink what was found", w -> writes(w, 2, 900), w -> forgets(w)),
                    new Workload("rename", w -> writes(w, 3, 2_000), w -> renames(w, 3)),
                    new Workload("several segments", NOTHING, w -> fills(w, 8)),
                    new Workload("reclaim", NOTHING, FailNthJournalCallTest::fillsAndLands),
                    new Workload(
                            "reclaim of what was found",
                            w -> fills(w, 8),
                            FailNthJournalCallTest::lands),
                    new Workload(
                            "copying forward",
                            w -> fills(w, 8),
                            FailNthJournalCallTest::landsAlmostAll),
                    new Workload("recovery of dirty data", w -> fills(w, 5), w -> w.check()),
                    new Workload("torn tail", FailNthJournalCallTest::tears, w -> fills(w, 2)),
                    new Workload("reading", w -> fills(w, 3), FailNthJournalCallTest::reads),
                    new Workload("several files", NOTHING, FailNthJournalCallTest::takesTurns),
                    new Workload(
                            "dropping what was sent", NOTHING, FailNthJournalCallTest::landsLate));

    static List<Scenario> scenarios() {
        List<Scenario> all = new ArrayList<>();
        for (Workload w : WORKLOADS) {
            all.add(new Scenario(w.name, w.before, w.during, SMALL, false));
            all.add(new Scenario(w.name, w.before, w.during, SMALL, true));
            all.add(new Scenario(w.name, w.before, w.during, WIDE, true));
        }
        return all;
    }

    // ---- workloads ----------------------------------------------------------------------------

    private static void writes(JournalWorld world, long file, int count) throws FsException {
        world.describe(file, count, world.bytes(100));
        world.write(file, 0, world.bytes(count));
        world.awaitWritten();
        world.write(file, count / 2, world.bytes(count));
        world.awaitForced();
    }

    private static void appends(JournalWorld world) throws FsException {
        for (int i = 0; i < 4; i++) {
            world.write(1, i * 700, world.bytes(700));
            world.awaitForced();
        }
    }

    private static void truncates(JournalWorld world, long file) throws FsException {
        world.drop(file, 4_000, 60_000, world.lastLsn());
        world.describe(file, 4_000, world.bytes(60));
        world.awaitForced();
        world.write(file, 5_000, world.bytes(100));
        world.awaitWritten();
    }

    private static void unlinks(JournalWorld world, long file) throws FsException {
        writes(world, file, 2_000);
        world.forget(file);
        world.awaitForced();
        world.describe(file + 1, 0, world.bytes(40));
        world.awaitWritten();
    }

    private static void forgets(JournalWorld world) throws FsException {
        world.forget(2);
        world.awaitForced();
    }

    private static void renames(JournalWorld world, long file) throws FsException {
        world.describe(file, 2_000, world.bytes(80));
        world.awaitForced();
        world.describe(file, 2_000, world.bytes(50));
        world.awaitForced();
    }

    private static void fills(JournalWorld world, int writes) throws FsException {
        for (int i = 0; i < writes; i++) {
            world.write(1 + i % 3, i * 100, world.bytes(40_000));
            if (i % 3 == 2) {
                world.awaitForced();
            }
        }
        world.awaitWritten();
    }

    private static void lands(JournalWorld world) throws FsException {
        for (int file = 1; file <= 3; file++) {
            world.drop(file, 0, 60_000, world.lastLsn());
        }
        world.awaitWritten();
        world.runForked();
        world.write(1, 0, world.bytes(20_000));
        world.awaitForced();
        world.runForked();
    }

    private static void fillsAndLands(JournalWorld world) throws FsException {
        fills(world, 8);
        lands(world);
        fills(world, 3);
    }

    /** A little that counts is left everywhere. */
    private static void landsAlmostAll(JournalWorld world) throws FsException {
        for (int file = 1; file <= 3; file++) {
            world.drop(file, 1_000, 60_000, world.lastLsn());
        }
        world.awaitForced();
        world.runForked();
        world.check();
        world.write(2, 500, world.bytes(3_000));
        world.awaitForced();
    }

    private static void tears(JournalWorld world) throws FsException {
        fills(world, 4);
        for (int i = 0; i < 4; i++) {
            world.write(2, i * 9_000, world.bytes(9_000));
            world.awaitWritten();
        }
    }

    private static void reads(JournalWorld world) throws FsException {
        world.check();
        world.write(1, 100, world.bytes(900));
        world.check();
    }

    private static void takesTurns(JournalWorld world) throws FsException {
        for (int i = 0; i < 9; i++) {
            long file = 1L + i % 3;
            world.describe(file, 50_000, world.bytes(30 + i));
            world.write(file, i * 1_000, world.bytes(1_500));
            if (i % 2 == 0) {
                world.awaitWritten();
            }
        }
        world.runForked();
        world.awaitForced();
    }

    private static void landsLate(JournalWorld world) throws FsException {
        world.write(1, 0, world.bytes(10_000));
        long sent = world.lastLsn();
        world.write(1, 2_000, world.bytes(3_000));
        world.drop(1, 0, 10_000, sent);
        world.awaitForced();
        world.runForked();
    }

    // ---- runs ---------------------------------------------------------------------------------

    @ParameterizedTest
    @MethodSource("scenarios")
    void callThatFailsOnce_isMadeUpFor(Scenario scenario) {
        int calls = run(scenario, Integer.MAX_VALUE, 0, "");
        assertThat(calls).isPositive();
        for (int call = 0; call < calls; call++) {
            run(scenario, call, call + 1, "Input/output error");
            run(scenario, call, call + 1, "No space left on device");
        }
    }

    @ParameterizedTest
    @MethodSource("scenarios")
    void callsThatFailForGood_loseNothingThatWasAcknowledged(Scenario scenario) {
        int calls = run(scenario, Integer.MAX_VALUE, 0, "");
        for (int call = 0; call < calls; call++) {
            run(scenario, call, Integer.MAX_VALUE, "Input/output error");
            run(scenario, call, Integer.MAX_VALUE, "No space left on device");
        }
    }

    /** Returns how many calls of the disk there were in the life in which it may fail. */
    private static int run(Scenario scenario, int from, int to, String error) {
        JournalWorld world = new JournalWorld(SEED, true, scenario.limits);
        try {
            live(world, scenario.before);
            world.die(scenario.power);
            int before = world.disk().calls();
            if (from < Integer.MAX_VALUE) {
                world.disk().failAt(from, to, error);
            }
            try {
                live(world, scenario.during);
            } catch (FsException e) {
                world.requireNeed(e);
                world.close();
                world.runForked();
            }
            requireClosed(world);
            int calls = world.disk().calls() - before;
            world.die(scenario.power);
            recover(world, scenario.power);
            return calls;
        } catch (AssertionError | RuntimeException | FsException e) {
            throw new AssertionError("call " + from + " to " + to + " with " + error, e);
        }
    }

    private static void live(JournalWorld world, Course course) throws FsException {
        world.open();
        course.run(world);
        world.runForked();
        world.close();
        world.runForked();
    }

    /** On a healthy disk: what was promised is there, more is taken, and that is there as well. */
    private static void recover(JournalWorld world, boolean power) throws FsException {
        live(world, w -> writes(w, 3, 4_000));
        requireClosed(world);
        world.die(power);
        live(world, NOTHING);
        requireClosed(world);
    }

    private static void requireClosed(JournalWorld world) {
        assertThat(world.disk().openFiles()).as("open files").isZero();
    }
}
