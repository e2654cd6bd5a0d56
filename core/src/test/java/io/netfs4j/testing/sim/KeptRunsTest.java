// SPDX-License-Identifier: Apache-2.0
package io.netfs4j.testing.sim;

import io.netfs4j.testing.sim.FaultPlan.Fault;
import io.netfs4j.testing.sim.Tuning.Op;

import org.junit.jupiter.api.Test;

/**
 * What the simulator made of runs that ended in a violation, as it printed it. The sizes of a world
 * still come from its seed: when a seed draws something else, a run goes on passing but may no
 * longer meet what it was kept for.
 */
class KeptRunsTest {
    /** An older upload that arrives after a truncate: to 1 of file 1, whose size is 0. */
    @Test
    void replay_I14_seed1() {
        KeptRun.of(1L)
                .operation(1, 3, Op.WRITE)
                .operation(1, 4, Op.WRITE)
                .operation(1, 9, Op.READ)
                .operation(1, 10, Op.TRUNCATE)
                .strike(Fault.DISCONNECT, 1, 4, 1)
                .passes();
    }

    /** A short write of which all is sent again, of a piece that the server took a part of. */
    @Test
    void replay_I12_seed15() {
        KeptRun.of(15L)
                .operation(1, 0, Op.WRITE)
                .operation(2, 0, Op.WRITE)
                .strike(Fault.SLOW, 1, 0, 0)
                .strike(Fault.TAKES_LESS, 2, 0, 0)
                .strike(Fault.SHORT_WRITE, 2, 0, 0)
                .passes();
    }
}
