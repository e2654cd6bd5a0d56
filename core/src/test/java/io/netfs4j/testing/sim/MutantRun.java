// SPDX-License-Identifier: Apache-2.0
package io.netfs4j.testing.sim;

/** Runs seeds until the first violation and says it in one line: what a mutant's process does. */
public final class MutantRun {
    private MutantRun() {}

    public static void main(String[] args) {
        long seeds = Long.parseLong(args[0]);
        for (long seed = 0; seed < seeds; seed++) {
            Violation violation = SimMain.world(seed, false).run(0).violation();
            if (violation != null) {
                String text = String.valueOf(violation.getMessage()).replace('\n', ' ');
                System.out.println("found " + (seed + 1) + " " + text);
                System.exit(0);
            }
        }
        System.out.println("survived " + seeds);
        System.exit(0);
    }
}
