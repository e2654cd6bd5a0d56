// SPDX-License-Identifier: Apache-2.0
package io.netfs4j.testing.sim;

import org.jspecify.annotations.Nullable;

import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.AtomicReferenceArray;

/**
 * Runs many seeds' worlds and reports. The last line of stdout is {@code seeds=N operations=N
 * faults=N violations=N trace=HASH}; exit 0 only without a violation, 1 with one, 2 on arguments
 * that it does not understand.
 */
public final class SimMain {
    private static final int EVENTS_SHOWN = 60;
    private static final int VIOLATIONS_SHOWN = 5;

    /** One seed in this many is run twice, and must leave the same trace (I20). */
    private static final int TWICE_EVERY = 100;

    /** So many violations are made small; the others are likely to be of the same bug. */
    private static final int VIOLATIONS_SHRUNK = 2;

    /** One seed in this many, but enough of them, is run again to see which branches it takes. */
    private static final int SAMPLED_EVERY = 20;

    private static final int SAMPLED_MIN = 50;

    private static final long SEEDS_DEFAULT = 500;

    private final Arguments arguments;
    private final AtomicLong next = new AtomicLong();
    private final AtomicLong violations = new AtomicLong();
    private final AtomicLong again = new AtomicLong();
    private final AtomicLong sampled = new AtomicLong();
    private final long sampledEvery;
    private final Coverage coverage = new Coverage();
    private final long began = System.nanoTime();
    private final Tally tally = new Tally();
    private CrashWorld.Counts crashes = CrashWorld.Counts.NONE;

    /** Hashes in rows of this many seeds, so that they are combined in the seeds' order. */
    private final List<AtomicReferenceArray<@Nullable Long>> rows = new ArrayList<>();

    private static final int ROW = 1 << 12;

    private SimMain(Arguments arguments) {
        this.arguments = arguments;
        sampledEvery = Math.clamp(arguments.seeds / SAMPLED_MIN, 1, SAMPLED_EVERY);
    }

    /** What was asked for. */
    private record Arguments(long seeds, long minutes, long first, boolean trace) {
        static Arguments parse(String[] args) {
            long seeds = -1;
            long minutes = -1;
            long first = -1;
            long one = -1;
            boolean trace = false;
            for (int i = 0; i < args.length; i++) {
                String name = args[i];
                if (name.equals("--trace")) {
                    trace = true;
                    continue;
                }
                String value = i + 1 < args.length ? args[++i] : "";
                switch (name) {
                    case "--seeds" -> seeds = number(name, value, 1);
                    case "--minutes" -> minutes = number(name, value, 1);
                    case "--first" -> first = number(name, value, 0);
                    case "--seed" -> one = number(name, value, 0);
                    default -> throw new IllegalArgumentException("unknown argument " + name);
                }
            }
            if (one >= 0 && (seeds >= 0 || minutes >= 0 || first >= 0)) {
                throw new IllegalArgumentException("--seed stands alone, or with --trace");
            }
            if (seeds >= 0 && minutes >= 0) {
                throw new IllegalArgumentException("either --seeds or --minutes");
            }
            if (trace && one < 0) {
                throw new IllegalArgumentException("--trace needs --seed");
            }
            if (one >= 0) {
                return new Arguments(1, -1, one, trace);
            }
            long count = minutes >= 0 ? Long.MAX_VALUE : seeds >= 0 ? seeds : SEEDS_DEFAULT;
            return new Arguments(count, minutes, Math.max(first, 0), false);
        }

        private static long number(String name, String text, long least) {
            try {
                long n = Long.parseLong(text);
                if (n >= least) {
                    return n;
                }
            } catch (NumberFormatException e) {
                // Falls through to the one message for both.
            }
            throw new IllegalArgumentException(
                    name + " needs a whole number from " + least + ", not \"" + text + "\"");
        }
    }

    public static void main(String[] args) throws InterruptedException, IOException {
        Arguments arguments;
        try {
            arguments = Arguments.parse(args);
        } catch (IllegalArgumentException e) {
            System.err.println(
                    "sim: "
                            + e.getMessage()
                            + "; [--seeds N | --minutes N] [--first S] | --seed S [--trace]");
            System.exit(2);
            return;
        }
        System.exit(new SimMain(arguments).run() ? 0 : 1);
    }

    private boolean run() throws InterruptedException, IOException {
        int count = (int) Math.min(arguments.seeds, Runtime.getRuntime().availableProcessors());
        List<Thread> threads = new ArrayList<>();
        for (int i = 0; i < count; i++) {
            Thread thread = new Thread(this::work, "sim-" + i);
            thread.start();
            threads.add(thread);
        }
        for (Thread thread : threads) {
            thread.join();
        }
        long done = Math.min(next.get(), arguments.seeds);
        double seconds = (System.nanoTime() - began) / 1e9;
        SimReport report = new SimReport(tally);
        report.lines().forEach(System.out::println);
        if (sampled.get() > 0) {
            coverage.report(sampled.get()).forEach(System.out::println);
        }
        System.out.println(crashes);
        System.out.println(report.speed(again.get(), seconds));
        System.out.printf(
                Locale.ROOT,
                "seeds=%d operations=%d faults=%d violations=%d trace=%016x%n",
                done,
                tally.done(),
                tally.struck(),
                violations.get(),
                combined(done));
        return violations.get() == 0;
    }

    private void work() {
        long end = arguments.minutes < 0 ? Long.MAX_VALUE : arguments.minutes * 60_000_000_000L;
        while (System.nanoTime() - began < end) {
            long index = next.getAndIncrement();
            if (index >= arguments.seeds) {
                next.decrementAndGet();
                return;
            }
            runSeed(index);
        }
    }

    private void runSeed(long index) {
        long seed = arguments.first + index;
        World.Outcome outcome = world(seed, arguments.trace).run(EVENTS_SHOWN);
        World.Outcome crashed = CrashWorld.isDrawn(seed) ? crash(seed, arguments.trace) : null;
        keep(index, outcome, crashed);
        if (crashed != null && crashed.violation() != null) {
            report(crashed, false);
        }
        if (outcome.violation() != null) {
            report(outcome, true);
            return;
        }
        if (seed % TWICE_EVERY == 0) {
            requireSame(outcome, world(seed, false).run(EVENTS_SHOWN).hash());
        }
        if (index % sampledEvery == 0 && arguments.seeds > 1) {
            sampled.incrementAndGet();
            requireSame(outcome, coverage.run(seed));
        }
    }

    private void requireSame(World.Outcome outcome, long hash) {
        again.addAndGet(outcome.tally().done());
        if (hash != outcome.hash()) {
            violations.incrementAndGet();
            say(
                    String.format(
                            Locale.ROOT,
                            "seed %d: I20: two runs left the traces %016x and %016x",
                            outcome.seed(),
                            outcome.hash(),
                            hash));
        }
    }

    /** Runs the world of a seed in which the mount dies. */
    private World.Outcome crash(long seed, boolean aloud) {
        CrashWorld world = new CrashWorld(seed, aloud);
        World.Outcome outcome = world.run(EVENTS_SHOWN);
        synchronized (this) {
            crashes = crashes.plus(world.counts());
        }
        if (seed % TWICE_EVERY == 0 && outcome.violation() == null) {
            requireSame(outcome, new CrashWorld(seed, false).run(0).hash());
        }
        return outcome;
    }

    static World world(long seed, boolean aloud) {
        return new World(seed, CachedSubject::make, aloud);
    }

    private void report(World.Outcome outcome, boolean shrinks) {
        long count = violations.incrementAndGet();
        Violation violation = java.util.Objects.requireNonNull(outcome.violation());
        StringBuilder text = new StringBuilder("seed " + outcome.seed() + ": " + violation);
        if (count <= VIOLATIONS_SHOWN) {
            text.append("\n  ").append(outcome.description());
            outcome.lastEvents().forEach(e -> text.append("\n  ").append(e));
            java.io.StringWriter stack = new java.io.StringWriter();
            violation.printStackTrace(new java.io.PrintWriter(stack));
            text.append('\n').append(stack);
        }
        say(text.toString());
        if (shrinks && count <= VIOLATIONS_SHRUNK) {
            ShrunkRun shrunk = ShrunkRun.of(outcome, CachedSubject::make);
            say("seed " + outcome.seed() + ": " + shrunk.summary() + "\n\n" + shrunk.asTest());
        }
    }

    private static synchronized void say(String text) {
        System.out.println(text);
    }

    private synchronized void keep(
            long index, World.Outcome outcome, World.@Nullable Outcome crashed) {
        while (rows.size() <= index / ROW) {
            rows.add(new AtomicReferenceArray<>(ROW));
        }
        rows.get((int) (index / ROW))
                .set((int) (index % ROW), outcome.hash() ^ (crashed == null ? 0 : crashed.hash()));
        tally.add(outcome.tally());
        if (crashed != null) {
            tally.add(crashed.tally());
        }
    }

    private synchronized long combined(long count) {
        long hash = 0;
        for (long i = 0; i < count; i++) {
            Long one = rows.get((int) (i / ROW)).get((int) (i % ROW));
            hash = Trace.mix(hash * 31 + (one == null ? 0 : one));
        }
        return hash;
    }
}
