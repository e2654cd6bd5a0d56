// SPDX-License-Identifier: Apache-2.0
package io.netfs4j.testing.sim;

import io.netfs4j.testing.sim.FaultPlan.Fault;
import io.netfs4j.testing.sim.Tuning.Op;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

/** Says in words what many worlds did: operations, faults, and which met which. */
final class SimReport {
    private final Tally tally;

    SimReport(Tally tally) {
        this.tally = tally;
    }

    List<String> lines() {
        List<String> lines = new ArrayList<>();
        StringBuilder ops = new StringBuilder("operations by kind:");
        for (Op op : Op.values()) {
            ops.append(' ').append(op).append('=').append(tally.done(op));
        }
        lines.add(ops.toString());
        StringBuilder faults = new StringBuilder("faults by kind:");
        for (Fault fault : Fault.values()) {
            faults.append(' ').append(fault).append('=').append(tally.struck(fault));
        }
        lines.add(faults.toString());
        lines.add("");
        addMatrix(lines);
        lines.add("");
        long writes = tally.done(Op.WRITE) + tally.done(Op.APPEND);
        lines.add(
                String.format(
                        Locale.ROOT,
                        "writes and appends: %.1f %% of operations",
                        100.0 * writes / Math.max(1, tally.done())));
        return lines;
    }

    /**
     * How fast that was.
     *
     * @param again operations of worlds that were run once more, which took their time, too
     */
    String speed(long again, double seconds) {
        long all = tally.done() + again;
        return String.format(
                Locale.ROOT,
                "operations a second: %.0f (%d in %.1f s, %d of them in runs once more)",
                all / seconds,
                all,
                seconds,
                again);
    }

    /** How often a fault struck while such an operation was under way; "-": while none was. */
    private void addMatrix(List<String> lines) {
        lines.add("faults (rows) while an operation (columns) was under way:");
        StringBuilder head = new StringBuilder(String.format(Locale.ROOT, "%-13s", ""));
        for (Op op : Op.values()) {
            head.append(cell(op, column(op)));
        }
        lines.add(head.append(String.format(Locale.ROOT, " %5s", "-")).toString());
        for (Fault fault : Fault.values()) {
            StringBuilder row = new StringBuilder(String.format(Locale.ROOT, "%-13s", fault));
            for (Op op : Op.values()) {
                row.append(cell(op, brief(tally.met(fault, op))));
            }
            row.append(String.format(Locale.ROOT, " %5s", brief(tally.metNone(fault))));
            lines.add(row.toString());
        }
    }

    private static String cell(Op op, String text) {
        return String.format(Locale.ROOT, " %" + Math.max(5, column(op).length()) + "s", text);
    }

    private static String column(Op op) {
        return op == Op.SYNC_DIRECTORY ? "SYNCD" : op.name();
    }

    /** At most five characters, until there are very many. */
    private static String brief(long n) {
        return n < 100_000
                ? Long.toString(n)
                : n < 10_000_000 ? n / 1000 + "k" : n / 1_000_000 + "M";
    }
}
