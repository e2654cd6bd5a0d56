// SPDX-License-Identifier: Apache-2.0
package io.netfs4j.testing.sim;

import io.netfs4j.testing.sim.FaultPlan.Fault;

/**
 * In whose course a step runs: one operation of one application, and what was posted on its
 * account. Whatever is drawn there comes from generators of its own, so that leaving an operation
 * or a fault out of a run does not change what the others draw.
 */
final class Origin {
    /** Not an application: the world itself, whose operations are the {@code WORLD_} numbers. */
    static final int WORLD = -1;

    static final int WORLD_BEGINNING = 0;
    static final int WORLD_INTERRUPTS = 1;
    static final int WORLD_ENDING = 2;

    final int actor;
    final int operation;

    /** What the application does. */
    final Chance deeds;

    /** Which step runs when. */
    final Chance order;

    /** Usual delays. */
    final Chance delays;

    /** How bad a fault is. */
    final Chance badness;

    private final long key;
    private final int[] occurrences = new int[Fault.values().length];

    Origin(long seed, int actor, int operation) {
        this.actor = actor;
        this.operation = operation;
        key = Trace.mix(Trace.mix(seed) + actor * 0x632BE59BD9B4E019L + operation);
        deeds = new Chance(key, 1);
        order = new Chance(key, 2);
        delays = new Chance(key, 3);
        badness = new Chance(key, 4);
    }

    /** Numbers the chances of a fault. */
    int occurrence(Fault fault) {
        return occurrences[fault.ordinal()]++;
    }

    /** From 0 to 1: drawn for one chance of one fault, whatever else was drawn. */
    double drawn(Fault fault, int occurrence) {
        long at = ((long) fault.ordinal() << 32) + occurrence;
        return (new Chance(key, ~at).nextLong() >>> 11) * 0x1p-53;
    }
}
