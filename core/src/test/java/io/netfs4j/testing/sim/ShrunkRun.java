// SPDX-License-Identifier: Apache-2.0
package io.netfs4j.testing.sim;

import io.netfs4j.testing.sim.Plan.Item;
import io.netfs4j.testing.sim.Plan.Operation;
import io.netfs4j.testing.sim.Plan.Strike;

import org.jspecify.annotations.Nullable;

import java.util.ArrayList;
import java.util.EnumSet;
import java.util.List;
import java.util.Locale;
import java.util.Set;

/**
 * A run that ended in a violation, made as small as it gets: the fewest operations and faults that
 * still end in a violation of the same invariant.
 */
final class ShrunkRun {
    static final int RUNS_MAX = 400;
    static final long SECONDS_MAX = 60;

    /** So much of what was violated is put above the test. */
    private static final int COMMENT_MAX = 300;

    private final Subject.Factory factory;
    private final long seed;
    private final String invariant;
    private final List<Item> whole;
    private World.Outcome last;
    private int runs;

    private ShrunkRun(Subject.Factory factory, World.Outcome outcome) {
        this.factory = factory;
        this.seed = outcome.seed();
        this.last = outcome;
        this.invariant = violation(outcome).invariant();
        this.whole = items(outcome);
    }

    /** Shrinks a run that ended in a violation. */
    static ShrunkRun of(World.Outcome failed, Subject.Factory factory) {
        ShrunkRun run = new ShrunkRun(factory, failed);
        run.shrink(System.nanoTime() + SECONDS_MAX * 1_000_000_000L);
        return run;
    }

    private static Violation violation(World.Outcome outcome) {
        return java.util.Objects.requireNonNull(outcome.violation());
    }

    /** All that took part in a run; what could not be done is left out where the run allows it. */
    private static List<Item> items(World.Outcome outcome) {
        List<Item> items = new ArrayList<>(outcome.struck());
        outcome.performed().forEach(p -> items.add(p.operation));
        return items;
    }

    private void shrink(long end) {
        Shrinker<Item> shrinker =
                new Shrinker<>(whole, this::failing, RUNS_MAX, () -> System.nanoTime() >= end);
        Set<Operation> idle = new java.util.HashSet<>();
        last.performed().stream().filter(p -> !p.done).forEach(p -> idle.add(p.operation));
        // Those that the violation cut off look idle, too: they are what it is about.
        idle.removeAll(cutOff(last));
        shrinker.without(idle::contains);
        shrinker.without(Strike.class::isInstance);
        for (FaultPlan.Fault fault : kinds(shrinker.smallest())) {
            shrinker.without(item -> item instanceof Strike s && s.kind() == fault);
        }
        int before;
        do {
            before = shrinker.smallest().size();
            shrinker.reduce(Operation.class::isInstance);
            shrinker.reduce(Strike.class::isInstance);
        } while (shrinker.smallest().size() < before && !shrinker.isExhausted());
        runs = shrinker.runs();
    }

    /** The last operation of each application. */
    private static List<Operation> cutOff(World.Outcome outcome) {
        java.util.Map<Integer, Operation> lasts = new java.util.TreeMap<>();
        outcome.performed().forEach(p -> lasts.put(p.operation.actor(), p.operation));
        return List.copyOf(lasts.values());
    }

    private static Set<FaultPlan.Fault> kinds(List<Item> items) {
        Set<FaultPlan.Fault> kinds = EnumSet.noneOf(FaultPlan.Fault.class);
        for (Item item : items) {
            if (item instanceof Strike strike) {
                kinds.add(strike.kind());
            }
        }
        return kinds;
    }

    private @Nullable List<Item> failing(List<Item> items) {
        World.Outcome outcome = new World(Plan.drawn(seed, items), factory, false).run(0);
        if (outcome.violation() == null || !outcome.violation().invariant().equals(invariant)) {
            return null;
        }
        last = outcome;
        return items(outcome);
    }

    int operations() {
        return last.performed().size();
    }

    int faults() {
        return last.struck().size();
    }

    /** How small it got, in one line. */
    String summary() {
        long operations = whole.stream().filter(Operation.class::isInstance).count();
        return String.format(
                Locale.ROOT,
                "shrunk to %d of %d operations and %d of %d faults in %d runs: %s",
                operations(),
                operations,
                faults(),
                whole.size() - operations,
                runs,
                violation(last).getMessage());
    }

    private String comment() {
        String text = String.valueOf(violation(last).getMessage()).replaceAll("\\s+", " ");
        text = text.replace("*/", "* /").replace("@", "(at)").replace("<", "(");
        return text.length() > COMMENT_MAX ? text.substring(0, COMMENT_MAX) + "..." : text;
    }

    /** As a test, to be kept in {@link KeptRunsTest} or {@link KeptNameRunsTest}. */
    String asTest() {
        String name = invariant.replaceAll("\\W", "_");
        StringBuilder text = new StringBuilder();
        text.append("    /** ").append(comment()).append(". */\n");
        text.append("    @Test\n    void replay_").append(name).append("_seed").append(seed);
        text.append("() {\n        KeptRun.of(").append(seed).append("L)\n");
        for (World.Performed p : last.performed()) {
            Operation o = p.operation;
            text.append("                .operation(")
                    .append(o.actor() + ", " + o.number() + ", Op." + o.kind() + ")\n");
        }
        for (Strike s : last.struck()) {
            text.append("                .strike(Fault." + s.kind() + ", " + s.actor() + ", ")
                    .append(s.operation() + ", " + s.occurrence() + ")\n");
        }
        text.append(Plan.drawsJournal(seed) ? "                .journalled()\n" : "");
        text.append(Plan.drawsStore(seed) ? "                .stored()\n" : "");
        text.append(Plan.drawsLocks(seed) ? "                .locks()\n" : "");
        return text.append("                .passes();\n    }\n").toString();
    }
}
