// SPDX-License-Identifier: Apache-2.0
package io.netfs4j.testing.sim;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.List;

/** Replays what is left of a run that once ended in a violation. */
final class KeptRun {
    private final long seed;
    private final List<Plan.Item> items = new ArrayList<>();
    private boolean journalled;
    private boolean stored;
    private boolean locks;

    private KeptRun(long seed) {
        this.seed = seed;
    }

    static KeptRun of(long seed) {
        return new KeptRun(seed);
    }

    KeptRun operation(int actor, int number, Tuning.Op kind) {
        items.add(new Plan.Operation(actor, number, kind));
        return this;
    }

    KeptRun strike(FaultPlan.Fault kind, int actor, int operation, int occurrence) {
        items.add(new Plan.Strike(kind, actor, operation, occurrence));
        return this;
    }

    /** With a journal, as half of the seeds have. */
    KeptRun journalled() {
        journalled = true;
        return this;
    }

    /** Its disk cache, if it has one, is the real one. */
    KeptRun stored() {
        stored = true;
        return this;
    }

    /** Against a server with locks, as a quarter of the seeds have. */
    KeptRun locks() {
        locks = true;
        return this;
    }

    World.Outcome run() {
        return new World(
                        Plan.of(seed, journalled, stored, locks, items), CachedSubject::make, false)
                .run(60);
    }

    void passes() {
        World.Outcome outcome = run();
        assertThat(outcome.violation())
                .as("seed %s %s %s", seed, outcome.description(), outcome.lastEvents())
                .isNull();
    }
}
