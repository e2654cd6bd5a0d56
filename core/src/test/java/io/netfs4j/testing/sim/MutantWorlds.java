// SPDX-License-Identifier: Apache-2.0
package io.netfs4j.testing.sim;

import io.netfs4j.cache.journal.JournalWorld;
import io.netfs4j.cache.store.StoreWorld;

import org.jspecify.annotations.Nullable;

import java.util.Locale;

/** The worlds in which a bug is looked for: by {@code worlds NAME} in its mutant, else all. */
enum MutantWorlds {
    /** What the simulator runs: each seed's world, and that in which its mount dies. */
    ALL,

    /**
     * Of these the ones in which the mount dies: they are few, and take a hundredth of the time.
     */
    CRASHES,

    /** A journal alone, and a disk that fails and forgets. */
    JOURNAL,

    /** A disk cache alone, and a disk that fails, hangs, forgets and rots. */
    STORE;

    static MutantWorlds of(String word) {
        for (MutantWorlds one : values()) {
            if (one.word().equals(word)) {
                return one;
            }
        }
        throw new IllegalArgumentException("no worlds \"" + word + "\"");
    }

    String word() {
        return name().toLowerCase(Locale.ROOT);
    }

    /**
     * What is wrong in the worlds of a seed, in a few words; null: nothing.
     *
     * @param shows whether to show what is left of it as a test
     */
    @Nullable String violation(long seed, boolean shows) {
        return switch (this) {
            case ALL -> {
                String found = living(seed, shows);
                yield found == null ? dying(seed) : found;
            }
            case CRASHES -> dying(seed);
            case JOURNAL -> asserted(() -> new JournalWorld(seed >> 1, (seed & 1) == 1).run());
            case STORE -> asserted(() -> new StoreWorld(seed >> 1, (seed & 1) == 1).run());
        };
    }

    private static @Nullable String living(long seed, boolean shows) {
        World.Outcome outcome = SimMain.world(seed, false).run(0);
        if (outcome.violation() == null) {
            return null;
        }
        ShrunkRun shrunk = ShrunkRun.of(outcome, CachedSubject::make);
        if (shows) {
            System.out.println(shrunk.asTest());
        }
        return shrunk.summary();
    }

    private static @Nullable String dying(long seed) {
        if (!CrashWorld.isDrawn(seed)) {
            return null;
        }
        Violation violation = new CrashWorld(seed, false).run(0).violation();
        return violation == null ? null : String.valueOf(violation.getMessage());
    }

    private static @Nullable String asserted(Runnable world) {
        try {
            world.run();
            return null;
        } catch (AssertionError | RuntimeException e) {
            return e.toString();
        }
    }
}
