// SPDX-License-Identifier: Apache-2.0
package io.netfs4j.testing.sim;

import java.util.function.LongUnaryOperator;

/** Runs a seed's world and returns its trace; {@link Coverage} makes one of measured classes. */
public final class SampledWorld implements LongUnaryOperator {
    @Override
    public long applyAsLong(long seed) {
        return SimMain.world(seed, false).run(0).hash();
    }
}
