// SPDX-License-Identifier: Apache-2.0
package io.netfs4j.testing.sim;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

import java.util.ArrayList;
import java.util.List;
import java.util.function.Predicate;
import java.util.stream.IntStream;

/** Makes lists small: first of numbers, then of what a world does. */
class ShrinkerTest {
    private static final List<Integer> NUMBERS = IntStream.range(0, 200).boxed().toList();
    private static final Predicate<Integer> ALL = n -> true;

    private static Shrinker<Integer> shrinker(int runsMax, Predicate<List<Integer>> fails) {
        return new Shrinker<>(
                NUMBERS, items -> fails.test(items) ? items : null, runsMax, () -> false);
    }

    @Test
    void reduce_whenThreeItemsMatter_leavesThese() {
        Shrinker<Integer> shrinker = shrinker(400, s -> s.containsAll(List.of(3, 77, 199)));
        shrinker.reduce(ALL);
        assertThat(shrinker.smallest()).containsExactly(3, 77, 199);
        assertThat(shrinker.runs()).isLessThan(100);
    }

    @Test
    void reduce_whenItemsMatterInPairs_leavesNoneThatCanBeSpared() {
        Predicate<List<Integer>> fails = s -> s.stream().filter(n -> n % 7 == 0).count() >= 2;
        Shrinker<Integer> shrinker = shrinker(400, fails);
        shrinker.reduce(ALL);
        assertThat(shrinker.smallest()).hasSize(2).allMatch(n -> n % 7 == 0);
    }

    @Test
    void reduce_whenAnythingFails_leavesNothing() {
        Shrinker<Integer> shrinker = shrinker(400, s -> true);
        shrinker.reduce(ALL);
        assertThat(shrinker.smallest()).isEmpty();
    }

    @Test
    void reduce_whenNothingCanBeSpared_leavesAll() {
        Shrinker<Integer> shrinker = shrinker(4000, s -> s.size() == NUMBERS.size());
        shrinker.reduce(ALL);
        assertThat(shrinker.smallest()).isEqualTo(NUMBERS);
    }

    @Test
    void reduce_ofOneKind_leavesTheOthers() {
        Shrinker<Integer> shrinker = shrinker(400, s -> s.contains(50));
        shrinker.reduce(n -> n >= 20);
        assertThat(shrinker.smallest()).hasSize(21).contains(0, 19, 50);
    }

    @Test
    void reduce_whenTheTrialNamesWhatTookPart_dropsTheRest() {
        Shrinker<Integer> shrinker =
                new Shrinker<>(
                        NUMBERS,
                        s -> s.contains(5) ? s.subList(0, s.indexOf(5) + 1) : null,
                        12,
                        () -> false);
        shrinker.reduce(ALL);
        assertThat(shrinker.smallest()).containsExactly(5);
    }

    @Test
    void reduce_pastItsLimits_stopsWithTheSmallestSoFar() {
        Shrinker<Integer> shrinker = shrinker(10, s -> s.contains(150));
        shrinker.reduce(ALL);
        assertThat(shrinker.runs()).isEqualTo(10);
        assertThat(shrinker.smallest()).contains(150).hasSizeLessThan(NUMBERS.size());

        Shrinker<Integer> late = new Shrinker<>(NUMBERS, s -> s, 400, () -> true);
        late.reduce(ALL);
        assertThat(late.runs()).isZero();
        assertThat(late.smallest()).isEqualTo(NUMBERS);
    }

    @Test
    void plan_ofAllThatTookPlace_leavesTheSameTrace() {
        for (long seed = 1; seed <= 40; seed++) {
            World.Outcome drawn = SimMain.world(seed, false).run(0);
            List<Plan.Item> items = new ArrayList<>(drawn.struck());
            drawn.performed().forEach(p -> items.add(p.operation));
            World.Outcome replayed =
                    new World(Plan.drawn(seed, items), CachedSubject::make, false).run(0);
            assertThat(replayed.hash()).as("seed %s", seed).isEqualTo(drawn.hash());
        }
    }

    @Test
    void shrunkRun_ofAPlantedBug_isShortAndStillFails() {
        Subject.Factory factory = PlainSubject.with(PlainVfs.Bug.READS_STALE);
        // How short it gets depends on the run: here and there one has to do for many.
        int shortest = Integer.MAX_VALUE;
        int found = 0;
        for (long seed = 1; found < 4; seed++) {
            World.Outcome failed = new World(seed, factory, false).run(0);
            if (failed.violation() == null) {
                continue;
            }
            found++;
            ShrunkRun shrunk = ShrunkRun.of(failed, factory);
            shortest = Math.min(shortest, shrunk.operations());
            assertThat(shrunk.asTest())
                    .contains("KeptRun.of(" + seed + "L)")
                    .contains(".passes();");
            assertThat(shrunk.asTest().contains(".journalled()"))
                    .isEqualTo(Plan.drawsJournal(seed));
            assertThat(shrunk.asTest().contains(".stored()")).isEqualTo(Plan.drawsStore(seed));
            assertThat(shrunk.asTest().contains(".locks()")).isEqualTo(Plan.drawsLocks(seed));
        }
        assertThat(shortest).isBetween(1, 9);
    }
}
