// SPDX-License-Identifier: Apache-2.0
package io.netfs4j.testing.sim;

/**
 * Runs seeds until the first violation, makes it small and says it in one line: what a mutant's
 * process does. With a second argument it shows what is left as a test.
 */
public final class MutantRun {
    private MutantRun() {}

    public static void main(String[] args) {
        long seeds = Long.parseLong(args[0]);
        for (long seed = 0; seed < seeds; seed++) {
            World.Outcome outcome = SimMain.world(seed, false).run(0);
            if (outcome.violation() != null) {
                ShrunkRun shrunk = ShrunkRun.of(outcome, CachedSubject::make);
                if (args.length > 1) {
                    System.out.println(shrunk.asTest());
                }
                String text = shrunk.summary().replace('\n', ' ');
                System.out.println("found " + (seed + 1) + " " + text);
                System.exit(0);
            }
            if (CrashWorld.isDrawn(seed)) {
                Violation violation = new CrashWorld(seed, false).run(0).violation();
                if (violation != null) {
                    String text = String.valueOf(violation.getMessage()).replace('\n', ' ');
                    System.out.println("found " + (seed + 1) + " " + text);
                    System.exit(0);
                }
            }
        }
        System.out.println("survived " + seeds);
        System.exit(0);
    }
}
