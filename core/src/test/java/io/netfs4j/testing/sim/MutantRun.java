// SPDX-License-Identifier: Apache-2.0
package io.netfs4j.testing.sim;

import org.jspecify.annotations.Nullable;

/**
 * Runs so many seeds from one on in some worlds until the first violation, makes it small and says
 * it in one line: what a mutant's process does. With a fourth argument it shows what is left as a
 * test.
 */
public final class MutantRun {
    private MutantRun() {}

    public static void main(String[] args) {
        long seeds = Long.parseLong(args[0]);
        long first = Long.parseLong(args[1]);
        MutantWorlds worlds = MutantWorlds.of(args[2]);
        for (long seed = first; seed < first + seeds; seed++) {
            @Nullable String violation = worlds.violation(seed, args.length > 3);
            if (violation != null) {
                String text = violation.replace('\n', ' ');
                System.out.println("found " + (seed - first + 1) + " " + text);
                System.exit(0);
            }
        }
        System.out.println("survived " + seeds);
        System.exit(0);
    }
}
