// SPDX-License-Identifier: Apache-2.0
package io.netfs4j;

import static org.assertj.core.api.Assertions.assertThat;

import io.netfs4j.base.SystemRuntime;
import io.netfs4j.cache.store.Succession;
import io.netfs4j.testing.ForgetfulDisk;

import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

import java.util.SplittableRandom;

/** Which mount came before. */
class LastMountTest {
    private final SystemRuntime runtime = new SystemRuntime();
    private final ForgetfulDisk disk = new ForgetfulDisk(new SplittableRandom(1));

    @AfterEach
    void close() {
        runtime.close();
    }

    private Succession succeed() {
        return LastMount.succeed(disk, runtime.environment());
    }

    @Test
    void aMount_isAfterTheOneBefore_alsoWhenThePowerWasLost() {
        Succession first = succeed();
        assertThat(first.before()).isZero();
        assertThat(first.present()).isNotZero();
        disk.losePower();
        Succession second = succeed();
        assertThat(second.before()).isEqualTo(first.present());
        assertThat(second.present()).isNotEqualTo(first.present());
    }

    /** Else the next one would take what the first has left for what stands. */
    @Test
    void afterAMountThatCannotSayThatItWas_isNone() {
        succeed();
        for (int call = 2; call <= 6; call++) {
            disk.failAt(call, call + 1, "Input/output error");
            assertThat(succeed()).isEqualTo(Succession.UNKNOWN);
            disk.restart();
            assertThat(succeed().before()).as("call " + call).isZero();
        }
    }
}
