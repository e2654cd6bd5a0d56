// SPDX-License-Identifier: Apache-2.0
package io.netfs4j.fuse;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.netfs4j.base.FsError;
import io.netfs4j.base.FsException;

import org.junit.jupiter.api.Test;

import java.util.ArrayList;
import java.util.List;

/** The table of what is open. */
final class OpenTableTest {
    private final OpenTable<String> table = new OpenTable<>();

    @Test
    void get_ofWhatWasPut_returnsIt() throws Exception {
        List<Long> handles = new ArrayList<>();
        for (int i = 0; i < 1000; i++) {
            handles.add(table.put("file " + i));
        }
        for (int i = 0; i < 1000; i++) {
            assertThat(table.get(handles.get(i))).isEqualTo("file " + i);
        }
        assertThat(handles).doesNotHaveDuplicates();
    }

    @Test
    void get_ofWhatWasRemoved_isABadHandle() throws Exception {
        long handle = table.put("a");
        assertThat(table.remove(handle)).isEqualTo("a");
        assertThatThrownBy(() -> table.get(handle))
                .isInstanceOfSatisfying(
                        FsException.class, e -> assertThat(e.error()).isEqualTo(FsError.EBADF));
        assertThatThrownBy(() -> table.remove(handle)).isInstanceOf(FsException.class);
        assertThatThrownBy(() -> table.get(-1)).isInstanceOf(FsException.class);
        assertThatThrownBy(() -> table.get(1L << 40)).isInstanceOf(FsException.class);
    }

    @Test
    void put_afterRemove_usesTheSlotAgain() throws Exception {
        long first = table.put("a");
        String unused = table.remove(first);
        assertThat(table.put("b")).isEqualTo(first);
    }

    @Test
    void removeAll_leavesNothing() throws Exception {
        long a = table.put("a");
        long b = table.put("b");
        assertThat(table.removeAll()).containsExactlyInAnyOrder("a", "b");
        assertThat(table.removeAll()).isEmpty();
        assertThatThrownBy(() -> table.get(a)).isInstanceOf(FsException.class);
        assertThatThrownBy(() -> table.get(b)).isInstanceOf(FsException.class);
    }
}
