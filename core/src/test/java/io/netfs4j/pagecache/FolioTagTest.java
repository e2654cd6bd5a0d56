// SPDX-License-Identifier: Apache-2.0
package io.netfs4j.pagecache;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;

class FolioTagTest {
    private final WriteGroup one = new WriteGroup(1);
    private final WriteGroup two = new WriteGroup(2);

    private final Map<String, FolioTag> tags =
            Map.of(
                    "clean", FolioTag.CLEAN,
                    "copy", FolioTag.COPY_TO_CACHE,
                    "dirty1", one.dirty,
                    "writeback1", one.writeback,
                    "redirtied1", one.redirtied,
                    "dirty2", two.dirty,
                    "writeback2", two.writeback,
                    "redirtied2", two.redirtied);

    /** Where a folio may go from each tag in one step; everywhere else it may not. */
    private static final Map<String, Set<String>> LEGAL =
            Map.of(
                    "clean", Set.of("clean", "copy", "dirty1", "dirty2"),
                    "copy", Set.of("clean", "copy", "dirty1", "dirty2"),
                    "dirty1", Set.of("clean", "copy", "dirty1", "writeback1", "redirtied1"),
                    "dirty2", Set.of("clean", "copy", "dirty2", "writeback2", "redirtied2"),
                    "writeback1", Set.of("clean", "copy", "dirty1", "writeback1", "redirtied1"),
                    "writeback2", Set.of("clean", "copy", "dirty2", "writeback2", "redirtied2"),
                    "redirtied1", Set.of("dirty1", "writeback1", "redirtied1"),
                    "redirtied2", Set.of("dirty2", "writeback2", "redirtied2"));

    @TestFactory
    List<DynamicTest> to_everyPairOfTags_isAllowedOrRefused() {
        List<DynamicTest> pairs = new ArrayList<>();
        tags.forEach((from, a) ->
                tags.forEach((to, b) ->
                        pairs.add(
                                DynamicTest.dynamicTest(
                                        from + " to " + to, () -> judge(from, a, to, b)))));
        assertThat(pairs).hasSize(64);
        return pairs;
    }

    private static void judge(String from, FolioTag a, String to, FolioTag b) {
        if (LEGAL.getOrDefault(from, Set.of()).contains(to)) {
            assertThat(a.to(b)).isSameAs(b);
        } else {
            assertThatThrownBy(() -> a.to(b))
                    .isInstanceOf(IllegalStateException.class)
                    .hasMessageContaining("goes from " + a + " to " + b);
        }
    }

    @Test
    void of_spans_namesWhatTheFolioOwes() {
        assertThat(FolioTag.of(false, false, false, null)).isSameAs(FolioTag.CLEAN);
        assertThat(FolioTag.of(false, false, false, one)).isSameAs(FolioTag.CLEAN);
        assertThat(FolioTag.of(false, false, true, one)).isSameAs(FolioTag.COPY_TO_CACHE);
        assertThat(FolioTag.of(true, false, true, one)).isSameAs(one.dirty);
        assertThat(FolioTag.of(false, true, false, one)).isSameAs(one.writeback);
        assertThat(FolioTag.of(true, true, true, two)).isSameAs(two.redirtied);
        assertThatThrownBy(() -> FolioTag.of(true, false, false, null))
                .isInstanceOf(IllegalStateException.class);
    }
}
