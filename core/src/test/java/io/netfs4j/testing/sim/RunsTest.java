// SPDX-License-Identifier: Apache-2.0
package io.netfs4j.testing.sim;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

import java.util.Arrays;

/** Runs of equal numbers, compared with an array that has them one by one. */
class RunsTest {
    private static final int POSITIONS = 40;

    @Test
    void fillAndCopy_atRandom_matchArrays() {
        for (long seed = 0; seed < 200; seed++) {
            Chance random = new Chance(seed, 0);
            Runs[] runs = {new Runs(), new Runs()};
            int[][] arrays = new int[2][POSITIONS];
            for (int i = 0; i < 60; i++) {
                int which = random.nextInt(2);
                int from = random.nextInt(POSITIONS);
                int to = from + random.nextInt(POSITIONS - from + 1);
                if (random.nextInt(4) == 0) {
                    runs[which].copy(runs[1 - which], from, to);
                    System.arraycopy(arrays[1 - which], from, arrays[which], from, to - from);
                } else {
                    int value = random.nextInt(4);
                    runs[which].fill(from, to, value);
                    Arrays.fill(arrays[which], from, to, value);
                }
                requireEqual(runs[which], arrays[which]);
            }
        }
    }

    private static void requireEqual(Runs runs, int[] expected) {
        for (int i = 0; i < POSITIONS; i++) {
            assertThat(runs.at(i)).isEqualTo(expected[i]);
        }
        // Runs are as long as they can be.
        for (int at = 0; at < POSITIONS; at = runs.endOf(at)) {
            int end = Math.min(POSITIONS, runs.endOf(at));
            assertThat(end == POSITIONS || expected[end] != expected[at]).isTrue();
        }
    }
}
