// SPDX-License-Identifier: Apache-2.0
package io.netfs4j;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.netfs4j.base.FsException;
import io.netfs4j.pagecache.PageCache;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

import java.util.Arrays;
import java.util.Map;
import java.util.TreeMap;

class MountOptionsTest {
    private static Map<String, String> options(String text) {
        Map<String, String> options = new TreeMap<>();
        Arrays.stream(text.split(" "))
                .map(one -> one.split("=", 2))
                .forEach(one -> options.put(one[0], one.length == 1 ? "" : one[1]));
        return options;
    }

    @Test
    void sizes_followFromOneAnother() throws FsException {
        PageCache.Limits limits = MountOptions.parse(options("dirty=64m")).vfs().memory();
        assertThat(limits).isEqualTo(new PageCache.Limits(72L << 20, 64L << 20, 16L << 20));
        limits = MountOptions.parse(options("memory=80m")).vfs().memory();
        assertThat(limits).isEqualTo(new PageCache.Limits(80L << 20, 70L << 20, 35L << 19));
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            textBlock =
                    """
                    dirty=100m memory=1m | option dirty=100m is more than memory, which is 1m; lower
                    dirty=8m background=9m | option background=9m is more than dirty, which is 8m;
                    memory=8m in_flight=1t | option in_flight=1t is more than memory, which is 8m;
                    dirty=2t | option dirty=2t: a size from 512k to 1t
                    dirty=-1 | option dirty=-1: a size
                    dirty=1x | option dirty=1x: a size
                    dirty=99999999999g | option dirty=99999999999g: a size
                    dirty_age=1e99 | option dirty_age=1e99: seconds, 0 to 31536000
                    dirty_age=NaN | option dirty_age=NaN: seconds
                    soft timeout=0 | option timeout=0: more than 0 seconds
                    timeout=5 | option timeout works with soft only
                    cache_size=1g | option cache_size works with cache only: add the option cache
                    close=never | option close=never: start or server
                    sync=perhaps | option sync=perhaps: yes or no
                    state=dir | option state=dir: a directory, from the root on, or none
                    journal=1m | option journal=1m: a size from 128m to 1t
                    nonsense | unknown option "nonsense"; known: ro, memory
                    """)
    void wrong_isRefusedWithItsNameAndTheRemedy(String given, String message) {
        assertThatThrownBy(() -> MountOptions.parse(options(given)))
                .isInstanceOf(FsException.class)
                .hasMessageContaining(message);
    }
}
