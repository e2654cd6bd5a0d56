// SPDX-License-Identifier: Apache-2.0
package io.netfs4j.cache.store;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Whatever happens to the disk, what comes out of a store is what the server has. */
class StoreWorldTest {
    /** Worlds of one run; more with -Dstore.seeds, from another seed on with -Dstore.first. */
    private static final int SEEDS = Integer.getInteger("store.seeds", 400);

    private static final long FIRST = Long.getLong("store.first", 0);

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void whatIsServed_isWhatTheServerHas(boolean faults) {
        long deaths = 0;
        long hits = 0;
        long culled = 0;
        long badBlocks = 0;
        long adopted = 0;
        for (long seed = FIRST; seed < FIRST + SEEDS; seed++) {
            StoreWorld world = new StoreWorld(seed, faults);
            try {
                world.run();
            } catch (AssertionError | RuntimeException e) {
                throw new AssertionError(
                        "-Dstore.seeds=1 -Dstore.first=" + seed + ": " + e.getMessage(), e);
            }
            deaths += world.deaths;
            hits += world.hits;
            culled += world.culled;
            badBlocks += world.badBlocks;
            adopted += world.adoptedBytes;
        }
        if (SEEDS > 100) {
            assertThat(hits).isGreaterThan(SEEDS * 3L);
            assertThat(culled).isPositive();
            assertThat(adopted).isGreaterThan(SEEDS * 100L);
            assertThat(deaths > SEEDS / 4).isEqualTo(faults);
            assertThat(faults && badBlocks == 0).isFalse();
        }
    }
}
