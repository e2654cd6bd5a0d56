// SPDX-License-Identifier: Apache-2.0
package io.netfs4j.testing.sim;

import io.netfs4j.testing.sim.Tuning.Op;

import org.junit.jupiter.api.Test;

/** As {@link KeptRunsTest}, of runs whose violation was one of names. */
class KeptNameRunsTest {
    /**
     * A directory is moved while one in it, and a file in that, are still to be made: creates
     * /d3/d3/f1 unasked.
     */
    @Test
    void replay_names_seed1003509() {
        KeptRun.of(1003509L)
                .operation(0, 113, Op.LIST)
                .operation(0, 114, Op.WRITE)
                .operation(0, 131, Op.UNLINK)
                .operation(0, 171, Op.WRITE)
                .operation(0, 173, Op.MKDIR)
                .operation(0, 174, Op.MKDIR)
                .operation(0, 175, Op.CREATE)
                .operation(0, 182, Op.RENAME)
                .journalled()
                .passes();
    }
}
