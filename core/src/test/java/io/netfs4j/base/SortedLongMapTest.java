// SPDX-License-Identifier: Apache-2.0
package io.netfs4j.base;

import static org.assertj.core.api.Assertions.assertThat;

import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

import java.util.Map;
import java.util.SplittableRandom;
import java.util.TreeMap;
import java.util.TreeSet;

/** The sorted map against the JDK's. */
class SortedLongMapTest {
    @Test
    void putAndRemove_anySequence_equalsTreeMap() {
        for (long seed = 0; seed < 60; seed++) {
            SplittableRandom random = new SplittableRandom(seed);
            SortedLongMap<Long> map = new SortedLongMap<>();
            TreeMap<Long, Long> model = new TreeMap<>();
            TreeSet<Long> marks = new TreeSet<>();
            int universe = 1 << (4 + random.nextInt(9));
            for (int step = 0; step < 3_000; step++) {
                long key = random.nextInt(universe);
                if (random.nextInt(3) > 0) {
                    long value = random.nextLong();
                    assertThat(map.put(key, value)).isEqualTo(model.put(key, value));
                } else {
                    assertThat(map.remove(key)).isEqualTo(model.remove(key));
                }
                marks.retainAll(model.keySet());
                Long some = model.ceilingKey((long) random.nextInt(universe));
                if (some != null) {
                    boolean on = random.nextInt(3) > 0;
                    map.mark(some, on);
                    marks.remove(some);
                    if (on) {
                        marks.add(some);
                    }
                }
                long probe = random.nextInt(universe + 2) - 1L;
                Long marked = marks.ceiling(probe);
                assertThat(map.ceilingMarked(probe))
                        .isEqualTo(marked == null ? null : model.get(marked));
                assertThat(map.size()).isEqualTo(model.size());
                assertThat(map.get(probe)).isEqualTo(model.get(probe));
                assertThat(map.floor(probe)).isEqualTo(value(model.floorEntry(probe)));
                assertThat(map.ceiling(probe)).isEqualTo(value(model.ceilingEntry(probe)));
                Long above = model.ceilingKey(probe);
                assertThat(map.ceilingKey(probe, -7)).isEqualTo(above == null ? -7 : above);
                assertThat(map.first()).isEqualTo(value(model.firstEntry()));
                assertThat(map.last()).isEqualTo(value(model.lastEntry()));
            }
        }
    }

    @Test
    void put_ascendingKeys_keepsThemAll() {
        SortedLongMap<Long> map = new SortedLongMap<>();
        for (long key = 0; key < 10_000; key++) {
            map.put(key, key);
        }
        for (long key = 0; key < 10_000; key++) {
            assertThat(map.get(key)).isEqualTo(key);
        }
    }

    @Test
    void remove_untilItIsEmpty_keepsTheOrder() {
        for (long seed = 0; seed < 10; seed++) {
            SplittableRandom random = new SplittableRandom(seed);
            SortedLongMap<Long> map = new SortedLongMap<>();
            TreeMap<Long, Long> model = new TreeMap<>();
            for (int round = 0; round < 3; round++) {
                // More leaves than are kept, once.
                int entries = round == 1 ? 40_000 : 1_000;
                while (model.size() < entries) {
                    long key = random.nextLong(1L << 40);
                    map.put(key, key);
                    model.put(key, key);
                }
                while (!model.isEmpty()) {
                    Long from = model.ceilingKey(random.nextLong(1L << 40));
                    long key = from == null ? model.lastKey() : from;
                    for (int i = 0; i < 150 && model.remove(key) != null; i++) {
                        assertThat(map.remove(key)).isEqualTo(key);
                        assertThat(map.floor(key)).isEqualTo(value(model.floorEntry(key)));
                        assertThat(map.ceiling(key)).isEqualTo(value(model.ceilingEntry(key)));
                        Long next = model.higherKey(key);
                        key = next == null ? -1 : next;
                    }
                }
                assertThat(map.isEmpty()).isTrue();
            }
        }
    }

    private static @Nullable Long value(Map.@Nullable Entry<Long, Long> entry) {
        return entry == null ? null : entry.getValue();
    }
}
