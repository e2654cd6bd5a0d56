// SPDX-License-Identifier: Apache-2.0
package io.netfs4j.testing.sim;

import java.util.random.RandomGenerator;

/** A generator that costs nothing to make: each operation of a world has a few of its own. */
final class Chance implements RandomGenerator {
    private static final long STEP = 0x9E3779B97F4A7C15L;

    private long state;

    Chance(long seed, long purpose) {
        state = Trace.mix(seed ^ Trace.mix(purpose * STEP));
    }

    @Override
    public long nextLong() {
        state += STEP;
        return Trace.mix(state);
    }
}
