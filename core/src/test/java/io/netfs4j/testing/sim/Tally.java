// SPDX-License-Identifier: Apache-2.0
package io.netfs4j.testing.sim;

import io.netfs4j.testing.sim.FaultPlan.Fault;
import io.netfs4j.testing.sim.Tuning.Op;

/**
 * Counts what was done and what went wrong meanwhile. Of one world, or added up. Not thread-safe.
 */
final class Tally {
    private static final Op[] OPS = Op.values();
    private static final Fault[] FAULTS = Fault.values();

    private final long[] done = new long[OPS.length];
    private final long[] struck = new long[FAULTS.length];

    /** By fault, then by operation; the last column is for no operation at all. */
    private final long[][] met = new long[FAULTS.length][OPS.length + 1];

    private final int[] underWay = new int[OPS.length];
    private int underWayInAll;

    void began(Op op) {
        underWay[op.ordinal()]++;
        underWayInAll++;
    }

    void ended(Op op, boolean performed) {
        underWay[op.ordinal()]--;
        underWayInAll--;
        done[op.ordinal()] += performed ? 1 : 0;
    }

    void strikes(Fault fault) {
        struck[fault.ordinal()]++;
        long[] row = met[fault.ordinal()];
        if (underWayInAll == 0) {
            row[OPS.length]++;
            return;
        }
        for (int i = 0; i < OPS.length; i++) {
            row[i] += underWay[i] > 0 ? 1 : 0;
        }
    }

    void add(Tally other) {
        for (int i = 0; i < done.length; i++) {
            done[i] += other.done[i];
        }
        for (int f = 0; f < struck.length; f++) {
            struck[f] += other.struck[f];
            for (int i = 0; i < met[f].length; i++) {
                met[f][i] += other.met[f][i];
            }
        }
    }

    long done(Op op) {
        return done[op.ordinal()];
    }

    long done() {
        return java.util.Arrays.stream(done).sum();
    }

    long struck(Fault fault) {
        return struck[fault.ordinal()];
    }

    long struck() {
        return java.util.Arrays.stream(struck).sum();
    }

    /** How often a fault struck while such an operation was under way. */
    long met(Fault fault, Op op) {
        return met[fault.ordinal()][op.ordinal()];
    }

    /** How often a fault struck while no operation was under way. */
    long metNone(Fault fault) {
        return met[fault.ordinal()][OPS.length];
    }
}
