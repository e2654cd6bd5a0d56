// SPDX-License-Identifier: Apache-2.0
package io.netfs4j.testing.sim;

import io.netfs4j.pagecache.MemoryHog;

import java.util.ArrayList;
import java.util.List;
import java.util.random.RandomGenerator;

/** Memory runs short: somebody else takes a part of the mount's, or all of it, for a while. */
final class MemoryOps {
    private static final int HOGS_MAX = 2;

    /** From a microsecond to some seconds. */
    private static final int NANOS_LOG_MIN = 10;

    private static final int NANOS_LOG_MAX = 33;

    private final World world;
    private final RandomGenerator random;

    /** Who has taken some and not given it back. */
    private final List<MemoryHog> hogs = new ArrayList<>();

    MemoryOps(World world) {
        this.world = world;
        this.random = world.random;
    }

    List<MemoryHog> hogs() {
        return hogs;
    }

    boolean squeeze() {
        if (hogs.size() >= HOGS_MAX) {
            return false;
        }
        double share = random.nextBoolean() ? 1 : random.nextDouble();
        boolean dirty = random.nextInt(3) == 0;
        long nanos = random.nextLong(1L << random.nextInt(NANOS_LOG_MIN, NANOS_LOG_MAX));
        MemoryHog hog = world.subject().squeeze(share, dirty);
        if (hog == null) {
            return false;
        }
        hogs.add(hog);
        world.trace.event(world.loop.nanoTime(), "squeeze", hog.bytes(), dirty ? 1 : 0, nanos);
        world.loop.schedule(() -> giveBack(hog), nanos);
        return true;
    }

    private void giveBack(MemoryHog hog) {
        if (hogs.remove(hog)) {
            world.trace.event(world.loop.nanoTime(), "squeezed", hog.bytes(), 0, 0);
            hog.giveBack();
        }
    }

    /** Nothing is taken any more. */
    void end() {
        List.copyOf(hogs).forEach(this::giveBack);
    }
}
