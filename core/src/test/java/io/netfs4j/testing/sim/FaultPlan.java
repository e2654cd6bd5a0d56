// SPDX-License-Identifier: Apache-2.0
package io.netfs4j.testing.sim;

import io.netfs4j.base.FsError;

import org.jspecify.annotations.Nullable;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Set;
import java.util.function.Supplier;
import java.util.random.RandomGenerator;

/**
 * Which faults one world has and how often: each seed draws its own subset, since a world with
 * everything in it hides what only shows with little.
 */
final class FaultPlan {
    /** What may go wrong; each has its share of the chances at which it could. */
    enum Fault {
        SHORT_WRITE,
        SHORT_READ,
        BUSY,
        DISCONNECT,
        WRITE_FAILS,
        READ_FAILS,
        NAME_FAILS,
        COMMIT_FAILS,
        SYNC_FAILS,
        ENDS_AT_ONCE,
        ENDS_TWICE,
        TAKES_LESS,
        NO_CREDITS,
        RESET,
        SLOW,
        LOST_REPLY,
        SCRIBBLE,
        INTERRUPT,
        CACHE_FULL,
        CACHE_SLOW,
        CACHE_WRITE_FAILS,
        CACHE_WRITE_SHORT,
        CACHE_READ_FAILS,
        CACHE_DAMAGED,
        CACHE_GONE,

        // What no server may do by the contract of a Destination.
        ODD_ESTIMATE,
        MISCOUNTS,
        WRITE_MEETS_END,
        ENDS_UNTAKEN,
        TRUE_UNTAKEN,
        READY_EARLY;

        /** Those up to here are drawn first: what else a seed draws does not depend on the rest. */
        private static final Fault LAST_OF_OLD = CACHE_GONE;
    }

    private static final int[] ODD_ESTIMATES = {
        0, -1, Integer.MIN_VALUE, 1, 4097, Integer.MAX_VALUE
    };

    private static final double[] RATES = {0.003, 0.02, 0.1, 0.3};
    private static final FsError[] PERMANENT = {FsError.EIO, FsError.ENOSPC, FsError.EACCES};

    private final Supplier<Origin> origin;
    private final Tally tally;
    private final @Nullable Set<Plan.Strike> planned;
    private final List<Plan.Strike> struck = new ArrayList<>();
    private final double[] rates = new double[Fault.values().length];
    private final long latencyNanos;
    private final int credits;
    private boolean quiet = true;

    /**
     * @param random decides which faults there are
     * @param origin tells in whose course a chance comes, which decides whether it is taken
     * @param planned the chances that are taken; null: those that are drawn
     */
    FaultPlan(
            RandomGenerator random,
            Supplier<Origin> origin,
            Tally tally,
            @Nullable Set<Plan.Strike> planned) {
        this.origin = origin;
        this.tally = tally;
        this.planned = planned;
        boolean none = random.nextInt(8) == 0;
        int kindsOf = 1 + random.nextInt(4);
        drawRates(random, none ? 0 : kindsOf, 0, Fault.LAST_OF_OLD.ordinal() + 1);
        limit(Fault.RESET, 0.02);
        limit(Fault.NO_CREDITS, 0.05);
        limit(Fault.INTERRUPT, 0.1);
        limit(Fault.NAME_FAILS, 0.1);
        latencyNanos = new long[] {10_000, 200_000, 5_000_000, 80_000_000}[random.nextInt(4)];
        credits = new int[] {1, 2, 4, 16, 64}[random.nextInt(5)];
        // Most servers keep to the contract.
        boolean honest = none || random.nextInt(3) != 0;
        drawRates(random, honest ? 0 : kindsOf, Fault.LAST_OF_OLD.ordinal() + 1, rates.length);
    }

    /** One in {@code kindsOf + 1} happens; with 0 none does. */
    private void drawRates(RandomGenerator random, int kindsOf, int from, int to) {
        for (int i = from; i < to; i++) {
            boolean drawn = kindsOf > 0 && random.nextInt(kindsOf + 1) == 0;
            rates[i] = drawn ? RATES[random.nextInt(RATES.length)] : 0;
        }
    }

    private void limit(Fault fault, double most) {
        rates[fault.ordinal()] = Math.min(rates[fault.ordinal()], most);
    }

    /** Whether the fault happens this time. */
    boolean strikes(Fault fault) {
        double rate = rates[fault.ordinal()];
        if (quiet || (rate == 0 && planned == null)) {
            return false;
        }
        Origin now = origin.get();
        int occurrence = now.occurrence(fault);
        if (planned == null && now.drawn(fault, occurrence) >= rate) {
            return false;
        }
        Plan.Strike strike = new Plan.Strike(fault, now.actor, now.operation, occurrence);
        if (planned != null && !planned.contains(strike)) {
            return false;
        }
        struck.add(strike);
        tally.strikes(fault);
        return true;
    }

    boolean has(Fault fault) {
        return rates[fault.ordinal()] > 0
                || (planned != null && planned.stream().anyMatch(s -> s.kind() == fault));
    }

    /** Each piece of an object has to arrive: with many failures a large one never would. */
    void haveWholeObjects() {
        limit(Fault.WRITE_FAILS, RATES[1]);
        limit(Fault.MISCOUNTS, RATES[1]);
        limit(Fault.WRITE_MEETS_END, RATES[1]);
    }

    /** The server does nothing that none may do. */
    void keepToTheContract() {
        Arrays.fill(rates, Fault.LAST_OF_OLD.ordinal() + 1, rates.length, 0);
    }

    /** From now on things go wrong. */
    void loud() {
        quiet = false;
    }

    /** From now on nothing goes wrong. */
    void quiet() {
        quiet = true;
    }

    boolean isQuiet() {
        return quiet;
    }

    FsError permanent() {
        return PERMANENT[origin.get().badness.nextInt(PERMANENT.length)];
    }

    /** A usual delay. */
    long latency() {
        return origin.get().delays.nextLong(latencyNanos) + 1;
    }

    /** How long something stays bad: mostly short, at times an hour. */
    long badNanos() {
        Chance random = origin.get().badness;
        return switch (random.nextInt(8)) {
            case 0 -> 0;
            case 1, 2, 3 -> random.nextLong(20_000_000);
            case 4, 5 -> random.nextLong(2_000_000_000L);
            case 6 -> random.nextLong(90_000_000_000L);
            default -> random.nextLong(3_600_000_000_000L);
        };
    }

    /** An estimate, or nonsense in its place. */
    int estimate(int honest) {
        return strikes(Fault.ODD_ESTIMATE)
                ? ODD_ESTIMATES[origin.get().badness.nextInt(ODD_ESTIMATES.length)]
                : honest;
    }

    /** How many bytes a server says that it took of some, which cannot be true. */
    long miscount(long length) {
        return switch (origin.get().badness.nextInt(5)) {
            case 0 -> 0;
            case 1 -> -1;
            case 2 -> length + 1;
            case 3 -> Long.MAX_VALUE;
            default -> Long.MIN_VALUE;
        };
    }

    /** Bits that decide about a part. */
    long part() {
        return origin.get().badness.nextLong();
    }

    int credits() {
        return quiet ? 64 : credits;
    }

    int total() {
        return struck.size();
    }

    /** The faults that happened, in their order. */
    List<Plan.Strike> struck() {
        return struck;
    }

    @Override
    public String toString() {
        StringBuilder text = new StringBuilder("latency<" + latencyNanos + "ns credits=" + credits);
        for (Fault fault : Fault.values()) {
            if (rates[fault.ordinal()] > 0) {
                text.append(' ').append(fault).append('=').append(rates[fault.ordinal()]);
            }
        }
        return text.toString();
    }
}
