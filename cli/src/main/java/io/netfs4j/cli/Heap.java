// SPDX-License-Identifier: Apache-2.0
package io.netfs4j.cli;

import io.netfs4j.MountOptions;
import io.netfs4j.base.FsException;

import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/**
 * How large the Java heap of a mount's process must be: the page cache is not in it, its ledger is.
 */
final class Heap {
    /** What a mount needs whatever its page cache: classes, connections, buffers, names. */
    private static final long BASE_MIB = 160;

    /** Enough for small page caches too; what the command itself is started with. */
    static final long LEAST_MIB = 192;

    /** A folio of one page, 4 KiB, is described by about 450 bytes of objects. */
    private static final long PAGE_CACHE_SHARE = 9;

    private Heap() {}

    /** In MiB. */
    static long mebibytes(MountPlan plan) throws CommandFailure {
        Map<String, String> sizes = new TreeMap<>();
        for (String name : List.of("memory", "dirty")) {
            List<String> values = plan.options().get(name);
            if (values != null) {
                sizes.put(name, values.getLast());
            }
        }
        try {
            long bytes = MountOptions.parse(sizes).vfs().memory().memoryBytesMax();
            return Math.max(LEAST_MIB, BASE_MIB + (bytes >> 20) / PAGE_CACHE_SHARE);
        } catch (FsException e) {
            throw CommandFailure.of(e);
        }
    }
}
