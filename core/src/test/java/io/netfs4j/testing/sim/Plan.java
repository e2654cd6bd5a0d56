// SPDX-License-Identifier: Apache-2.0
package io.netfs4j.testing.sim;

import io.netfs4j.testing.sim.FaultPlan.Fault;

import org.jspecify.annotations.Nullable;

import java.util.ArrayList;
import java.util.Collection;
import java.util.HashSet;
import java.util.List;
import java.util.Set;

/**
 * What of a seed's world takes place: all that the seed draws, or only the operations and strikes
 * that are listed. The full lists of a run replay it exactly.
 */
final class Plan {
    final long seed;
    private final @Nullable List<Operation> operations;
    private final @Nullable Set<Strike> strikes;

    /** Whether the mount has a journal. */
    final boolean journalled;

    /** Whether its disk cache, where it has one, is the real one. */
    final boolean stored;

    /** Whether mounts keep out of each other's uploads by names on the server. */
    final boolean locks;

    private Plan(
            long seed,
            boolean journalled,
            boolean stored,
            boolean locks,
            @Nullable List<Operation> operations,
            @Nullable Set<Strike> strikes) {
        this.seed = seed;
        this.journalled = journalled;
        this.stored = stored;
        this.locks = locks;
        this.operations = operations;
        this.strikes = strikes;
    }

    /** Something that can be left out of a run. */
    sealed interface Item {}

    /** An operation by the number of its attempt, which its draws depend on. */
    record Operation(int actor, int number, Tuning.Op kind) implements Item {}

    /** A fault that happens, by the operation in whose course its chance came. */
    record Strike(Fault kind, int actor, int operation, int occurrence) implements Item {}

    /** All that the seed draws. */
    static Plan drawn(long seed) {
        return new Plan(seed, drawsJournal(seed), drawsStore(seed), drawsLocks(seed), null, null);
    }

    /** Whether the world of a seed has a journal. */
    static boolean drawsJournal(long seed) {
        return (Trace.mix(seed) & 1) == 0;
    }

    /** Whether the world of a seed has the real disk cache, if it has any. */
    static boolean drawsStore(long seed) {
        return (Trace.mix(seed) & 2) == 0;
    }

    /** Whether the server of a seed's worlds has locks. */
    static boolean drawsLocks(long seed) {
        return (Trace.mix(seed + 0x4F1BBCDCBFA53E0BL) & 3) == 0;
    }

    /** Of what the seed draws these operations and strikes alone. */
    static Plan drawn(long seed, Collection<? extends Item> items) {
        return of(seed, drawsJournal(seed), drawsStore(seed), drawsLocks(seed), items);
    }

    static Plan of(
            long seed,
            boolean journalled,
            boolean stored,
            boolean locks,
            Collection<? extends Item> items) {
        List<Operation> operations = new ArrayList<>();
        Set<Strike> strikes = new HashSet<>();
        for (Item item : items) {
            switch (item) {
                case Operation o -> operations.add(o);
                case Strike s -> strikes.add(s);
            }
        }
        return new Plan(seed, journalled, stored, locks, operations, strikes);
    }

    /** What an application does, in its order; null: what it draws. */
    @Nullable List<Operation> operations(int actor) {
        return operations == null
                ? null
                : operations.stream().filter(o -> o.actor == actor).toList();
    }

    /** The faults that happen; null: those that are drawn. */
    @Nullable Set<Strike> strikes() {
        return strikes;
    }
}
