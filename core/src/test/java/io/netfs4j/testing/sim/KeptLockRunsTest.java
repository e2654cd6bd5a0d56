// SPDX-License-Identifier: Apache-2.0
package io.netfs4j.testing.sim;

import io.netfs4j.testing.sim.FaultPlan.Fault;
import io.netfs4j.testing.sim.Tuning.Op;

import org.junit.jupiter.api.Test;

/** As {@link KeptRunsTest}, of runs whose server has the locks of uploads. */
class KeptLockRunsTest {
    /** A question for the lock of a file that was unlinked while it was waited for fails (I17). */
    @Test
    void replay_I17_seed12013724() {
        KeptRun.of(12013724L)
                .operation(0, 2, Op.WRITE)
                .operation(1, 10, Op.WRITE)
                .operation(2, 15, Op.SYMLINK)
                .operation(0, 3, Op.LIST)
                .operation(1, 14, Op.WRITE)
                .operation(1, 15, Op.FSYNC)
                .operation(0, 4, Op.UNLINK)
                .strike(Fault.LOST_REPLY, 0, 3, 1)
                .strike(Fault.SLOW, 1, 15, 6)
                .strike(Fault.NAME_FAILS, 1, 15, 4)
                .stored()
                .locks()
                .passes();
    }

    /** As above, and another file has that name by then (I17). */
    @Test
    void replay_I17_seed60022236() {
        KeptRun.of(60022236L)
                .operation(0, 0, Op.WRITE)
                .operation(1, 2, Op.UNLINK)
                .operation(3, 1, Op.ELSEWHERE)
                .operation(0, 2, Op.WRITE)
                .operation(0, 3, Op.APPEND)
                .operation(0, 6, Op.WRITE)
                .operation(0, 8, Op.WRITE)
                .operation(1, 12, Op.CREATE)
                .operation(1, 19, Op.TRUNCATE)
                .strike(Fault.SLOW, 1, 2, 1)
                .strike(Fault.SLOW, 0, 3, 9)
                .strike(Fault.WRITE_MEETS_END, 0, 3, 2)
                .strike(Fault.NAME_FAILS, 0, 3, 11)
                .journalled()
                .locks()
                .passes();
    }
}
