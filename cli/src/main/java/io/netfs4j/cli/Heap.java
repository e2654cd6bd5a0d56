// SPDX-License-Identifier: Apache-2.0
package io.netfs4j.cli;

import io.netfs4j.MountOptions;
import io.netfs4j.base.FsException;

import java.lang.management.ManagementFactory;
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

    /** In MiB; a page cache that this machine has no memory for is refused. */
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
            if (!sizes.isEmpty()) {
                refuseMoreThanThereIs(bytes);
            }
            return Math.max(LEAST_MIB, BASE_MIB + (bytes >> 20) / PAGE_CACHE_SHARE);
        } catch (FsException e) {
            throw CommandFailure.of(e);
        }
    }

    private static void refuseMoreThanThereIs(long bytes) throws CommandFailure {
        var machine =
                ManagementFactory.getPlatformMXBean(com.sun.management.OperatingSystemMXBean.class);
        if (machine != null && bytes > machine.getTotalMemorySize()) {
            throw new CommandFailure(
                    ExitCode.USAGE,
                    "a page cache of "
                            + Quantity.bytes(bytes)
                            + " is more than the memory of this machine, "
                            + Quantity.bytes(machine.getTotalMemorySize())
                            + "; lower the option memory or dirty");
        }
    }
}
