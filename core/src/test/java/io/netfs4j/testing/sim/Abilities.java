// SPDX-License-Identifier: Apache-2.0
package io.netfs4j.testing.sim;

import io.netfs4j.server.Capabilities;
import io.netfs4j.server.Capability;

import java.util.EnumSet;
import java.util.List;
import java.util.random.RandomGenerator;

/** Draws what a simulated server cannot do, and in which units it takes bytes and times. */
final class Abilities {
    private static final int[] GRANULES = {1, 512, 4096, 1 << 14, 1 << 17};

    private Abilities() {}

    static Capabilities draw(RandomGenerator random) {
        EnumSet<Capability> set = EnumSet.complementOf(EnumSet.of(Capability.NAMED_LOCKS));
        for (Capability capability :
                List.of(
                        Capability.UNLINKED_OPEN_FILES,
                        Capability.HARD_LINKS,
                        Capability.SERVER_COPY)) {
            if (random.nextInt(3) == 0) {
                set.remove(capability);
            }
        }
        if (!set.contains(Capability.UNLINKED_OPEN_FILES)) {
            // Without a second name an open file that is replaced cannot be kept.
            set.add(Capability.HARD_LINKS);
        }
        long granularity = random.nextInt(3) == 0 ? 1_000_000_000L : 1;
        int granule = 1;
        if (random.nextInt(3) == 0) {
            granule = GRANULES[random.nextInt(GRANULES.length)];
            if (random.nextInt(3) != 0) {
                set.remove(Capability.OFFSET_WRITES);
            }
        }
        return new Capabilities(set, granule, granularity, 255);
    }

    /** Draws what a server cannot do. */
    static void draw(SimServer server, RandomGenerator random) {
        server.capabilities = draw(random);
        if (!server.capabilities.has(Capability.OFFSET_WRITES)) {
            server.faults.haveWholeObjects();
        }
    }
}
