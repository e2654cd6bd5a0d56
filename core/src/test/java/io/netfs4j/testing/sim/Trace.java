// SPDX-License-Identifier: Apache-2.0
package io.netfs4j.testing.sim;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

/** All that happened in one world, as a hash, and its last events in words. */
final class Trace {
    private static final int KEPT = 1 << 8;

    private final String[] what = new String[KEPT];
    private final long[] when = new long[KEPT];
    private final long[] numbers = new long[KEPT * 3];
    private final boolean aloud;
    private long hash = 0x9E3779B97F4A7C15L;
    private int events;

    Trace(boolean aloud) {
        this.aloud = aloud;
    }

    void event(long now, String name, long a, long b, long c) {
        // String.hashCode is specified, so that the hash is the same in every JVM.
        hash = mix(hash ^ name.hashCode());
        hash = mix(hash ^ now);
        hash = mix(hash ^ a);
        hash = mix(hash + b);
        hash = mix(hash ^ c);
        int i = events++ & (KEPT - 1);
        what[i] = name;
        when[i] = now;
        numbers[3 * i] = a;
        numbers[3 * i + 1] = b;
        numbers[3 * i + 2] = c;
        if (aloud) {
            System.out.println(line(i));
        }
    }

    /** A step that was picked up: part of the hash, too many to show. */
    void pick(long now, long number) {
        hash = mix(hash ^ now);
        hash = mix(hash + number);
    }

    long hash() {
        return hash;
    }

    static long mix(long z) {
        long x = (z ^ (z >>> 30)) * 0xBF58476D1CE4E5B9L;
        x = (x ^ (x >>> 27)) * 0x94D049BB133111EBL;
        return x ^ (x >>> 31);
    }

    /** The last events, oldest first. */
    List<String> last(int count) {
        List<String> lines = new ArrayList<>();
        for (int e = Math.max(0, events - Math.min(count, KEPT)); e < events; e++) {
            lines.add(line(e & (KEPT - 1)));
        }
        return lines;
    }

    private String line(int i) {
        return String.format(
                Locale.ROOT,
                "%14.6f ms  %-28s %d %d %d",
                when[i] / 1e6,
                what[i],
                numbers[3 * i],
                numbers[3 * i + 1],
                numbers[3 * i + 2]);
    }
}
