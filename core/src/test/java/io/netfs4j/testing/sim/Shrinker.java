// SPDX-License-Identifier: Apache-2.0
package io.netfs4j.testing.sim;

import org.jspecify.annotations.Nullable;

import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.function.BooleanSupplier;
import java.util.function.Predicate;

/**
 * Finds a small part of a list that still fails, by leaving out ever smaller pieces of it (delta
 * debugging). Without a limit the result cannot spare any single item.
 */
final class Shrinker<T> {
    /** Whether a part of the list still fails. */
    interface Trial<T> {
        /** Returns the items that had a part in the failure, in their order; null: none. */
        @Nullable List<T> failing(List<T> items);
    }

    private final Trial<T> trial;
    private final int runsMax;
    private final BooleanSupplier outOfTime;
    private List<T> smallest;
    private int runs;

    Shrinker(List<T> failing, Trial<T> trial, int runsMax, BooleanSupplier outOfTime) {
        this.smallest = failing;
        this.trial = trial;
        this.runsMax = runsMax;
        this.outOfTime = outOfTime;
    }

    List<T> smallest() {
        return smallest;
    }

    int runs() {
        return runs;
    }

    boolean isExhausted() {
        return runs >= runsMax || outOfTime.getAsBoolean();
    }

    /** Tries to leave out all of a kind at once. */
    void without(Predicate<T> unwanted) {
        attempt(unwanted);
    }

    /** Leaves out what can be spared of a kind. */
    void reduce(Predicate<T> kind) {
        int size = count(kind);
        for (int piece = Math.max(1, size / 2); piece > 0 && !isExhausted(); piece = next(piece)) {
            boolean smaller;
            do {
                smaller = pass(kind, piece);
                // Single items are tried until none can be spared any more.
            } while (smaller && piece == 1 && !isExhausted());
        }
    }

    private static int next(int piece) {
        return piece == 1 ? 0 : Math.max(1, piece / 2);
    }

    private int count(Predicate<T> kind) {
        return (int) smallest.stream().filter(kind).count();
    }

    /** From the end, as later items rest on earlier ones. */
    private boolean pass(Predicate<T> kind, int piece) {
        boolean smaller = false;
        int end = count(kind);
        while (end > 0 && !isExhausted()) {
            int from = Math.max(0, end - piece);
            List<T> candidates = smallest.stream().filter(kind).toList();
            Set<T> unwanted = new HashSet<>(candidates.subList(from, end));
            smaller |= attempt(unwanted::contains);
            // What had no part in the failure is gone, too, wherever it stood.
            end = Math.min(from, count(kind));
        }
        return smaller;
    }

    private boolean attempt(Predicate<T> unwanted) {
        List<T> rest = new ArrayList<>(smallest);
        if (!rest.removeIf(unwanted) || isExhausted()) {
            return false;
        }
        runs++;
        List<T> failing = trial.failing(rest);
        if (failing == null) {
            return false;
        }
        smallest = List.copyOf(failing);
        return true;
    }
}
