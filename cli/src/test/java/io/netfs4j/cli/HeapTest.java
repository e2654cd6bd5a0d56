// SPDX-License-Identifier: Apache-2.0
package io.netfs4j.cli;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

import java.nio.file.Path;
import java.util.List;
import java.util.Map;

/** The heap grows with the page cache that it describes. */
class HeapTest {
    @Test
    void mebibytes_ofALargePageCache_isMore() throws Exception {
        assertThat(of(Map.of())).isEqualTo(Heap.LEAST_MIB);
        assertThat(of(Map.of("memory", List.of("1m", "8g")))).isGreaterThan(900);
        assertThat(of(Map.of("dirty", List.of("4g")))).isGreaterThan(500);
    }

    private static long of(Map<String, List<String>> options) throws CommandFailure {
        return Heap.mebibytes(new MountPlan("./r", Path.of("/"), Path.of("/mnt"), options));
    }
}
