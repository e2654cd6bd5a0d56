// SPDX-License-Identifier: Apache-2.0
package io.netfs4j.cache.store;

import java.io.IOException;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;

/**
 * Finds out what a store has: from its index after a clean end, else from the head of each map.
 * Files that nothing counts of are removed.
 *
 * <p><b>Threads</b>: the keeper's; waits for the disk, with no lock held.
 */
final class StoreOpening {
    private final StoreFiles files;
    private final StoreLimits limits;

    /** Least recently used first. */
    final List<IndexFormat.Line> lines = new ArrayList<>();

    /** All numbers up to this one may be taken. */
    long lastNumber;

    StoreOpening(StoreFiles files, StoreLimits limits) {
        this.files = files;
        this.limits = limits;
    }

    /** A path names another file after a rename, see the package. */
    static boolean isPath(String key) {
        return key.startsWith("/");
    }

    /** From here on the mount before is forgotten, but for what was found. */
    void run() throws IOException {
        IndexFormat.Index index = files.readIndex(IndexFormat.bytesMax(limits.filesMax()));
        files.removeIndex();
        Set<Long> maps = new HashSet<>();
        Set<Long> data = new HashSet<>();
        for (String name : files.list()) {
            long map = StoreFiles.numberOfMap(name);
            long block = StoreFiles.numberOfData(name);
            lastNumber = Math.max(lastNumber, Math.max(map, block));
            if (map >= 0) {
                maps.add(map);
            } else if (block >= 0) {
                data.add(block);
            }
        }
        if (index != null) {
            lastNumber = Math.max(lastNumber, index.nextNumber() - 1);
            for (IndexFormat.Line line : index.lines()) {
                if (maps.contains(line.number()) && data.contains(line.number())) {
                    lines.add(line);
                }
            }
        } else {
            scan(maps, data);
        }
        for (IndexFormat.Line line : lines) {
            maps.remove(line.number());
            data.remove(line.number());
        }
        for (long number : maps) {
            remove(StoreFiles.mapName(number));
        }
        for (long number : data) {
            remove(StoreFiles.dataName(number));
        }
    }

    /** What cannot be removed now is not found either, and may go the next time. */
    private void remove(String name) {
        try {
            files.delete(name);
        } catch (IOException e) {
            // Nothing depends on it.
        }
    }

    private record Found(IndexFormat.Line line, long usedSeconds) {}

    /** The mount before has died: what it has dropped of paths is not known. */
    private void scan(Set<Long> maps, Set<Long> data) throws IOException {
        Map<String, Found> byKey = new TreeMap<>();
        int failures = 0;
        for (long number : maps) {
            MapFormat.Header header = null;
            try {
                header = data.contains(number) ? files.readHeader(number) : null;
            } catch (IOException e) {
                if (++failures >= StoreHealth.FAILURES_MAX) {
                    throw e;
                }
            }
            if (header == null || isPath(header.key())) {
                continue;
            }
            Found before = byKey.get(header.key());
            // The later one replaced the other.
            if (before == null || before.line.number() < number) {
                byKey.put(header.key(), new Found(line(header), header.usedSeconds()));
            }
        }
        List<Found> all = new ArrayList<>(byKey.values());
        all.sort(Comparator.comparingLong(Found::usedSeconds));
        for (Found found : all) {
            lines.add(found.line);
        }
    }

    private static IndexFormat.Line line(MapFormat.Header header) {
        return new IndexFormat.Line(
                header.number(),
                header.key(),
                MapFormat.hash(header.version()),
                header.heldBlocks(),
                header.heldEnd(),
                header.allocatedBlocks(),
                header.mapBytes());
    }
}
