// SPDX-License-Identifier: Apache-2.0
package io.netfs4j.base;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

import java.util.BitSet;
import java.util.SplittableRandom;

/** The set of ranges against a set of bits. */
class RangeSetTest {
    private static final int UNIVERSE = 48;

    @Test
    void addAndRemove_anySequence_equalsBits() {
        for (long seed = 0; seed < 2_000; seed++) {
            SplittableRandom random = new SplittableRandom(seed);
            RangeSet set = new RangeSet();
            BitSet bits = new BitSet();
            for (int step = 0; step < 40; step++) {
                int from = random.nextInt(UNIVERSE);
                int to = from + random.nextInt(UNIVERSE - from + 1);
                int before = bits.cardinality();
                long changed;
                if (random.nextInt(5) < 3) {
                    bits.set(from, to);
                    changed = set.add(from, to);
                } else {
                    bits.clear(from, to);
                    changed = set.remove(from, to);
                }
                assertThat(changed)
                        .as("seed %d step %d", seed, step)
                        .isEqualTo(Math.abs(bits.cardinality() - before));
                check(set, bits, "seed " + seed + " step " + step);
            }
        }
    }

    private static void check(RangeSet set, BitSet bits, String where) {
        assertThat(set.total()).as(where).isEqualTo(bits.cardinality());
        int expected = 0;
        for (int at = bits.nextSetBit(0); at >= 0; at = bits.nextSetBit(bits.nextClearBit(at))) {
            assertThat(set.start(expected)).as(where).isEqualTo(at);
            assertThat(set.end(expected)).as(where).isEqualTo(bits.nextClearBit(at));
            expected++;
        }
        assertThat(set.count()).as(where).isEqualTo(expected);
        for (int at = 0; at <= UNIVERSE; at++) {
            int run = bits.get(at) ? bits.nextClearBit(at) : at;
            assertThat(set.runEnd(at)).as(where).isEqualTo(run);
            assertThat(set.next(at, -1)).as(where).isEqualTo(bits.nextSetBit(at));
            int to = Math.min(UNIVERSE, at + 5);
            assertThat(set.contains(at, to))
                    .as(where)
                    .isEqualTo(at >= to || bits.nextClearBit(at) >= to);
            int next = bits.nextSetBit(at);
            assertThat(set.intersects(at, to)).as(where).isEqualTo(next >= 0 && next < to);
        }
    }
}
