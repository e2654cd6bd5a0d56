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
import java.util.TreeSet;

/**
 * Finds out what a store has: from its index after a clean end, else from the head of each map.
 * Files that nothing counts of are removed.
 *
 * <p><b>Threads</b>: the keeper's; waits for the disk, with no lock held.
 */
final class StoreOpening {
    private final StoreFiles files;
    private final StoreLimits limits;
    private final Succession succession;

    /** Least recently used first. */
    final List<IndexFormat.Line> lines = new ArrayList<>();

    /** Segments of a journal that blocks are in. */
    final List<IndexFormat.SegmentLine> segments = new ArrayList<>();

    /** All numbers up to this one may be taken. */
    long lastNumber;

    StoreOpening(StoreFiles files, StoreLimits limits, Succession succession) {
        this.files = files;
        this.succession = succession;
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
        Set<Long> logs = new TreeSet<>();
        for (String name : files.list()) {
            long map = StoreFiles.numberOfMap(name);
            long block = StoreFiles.numberOfData(name);
            long log = StoreFiles.numberOfSegment(name);
            lastNumber = Math.max(lastNumber, Math.max(log, Math.max(map, block)));
            if (map >= 0) {
                maps.add(map);
            } else if (log >= 0) {
                logs.add(log);
            } else if (block >= 0) {
                data.add(block);
            }
        }
        if (index != null) {
            lastNumber = Math.max(lastNumber, index.nextNumber() - 1);
            // A mount in between has perhaps moved what is there, and could not say so here.
            boolean last = succession.isAfter(index.mount());
            boolean leavesOut = false;
            for (IndexFormat.Line line : index.lines()) {
                boolean whole = line.allocatedBlocks() == 0 || data.contains(line.number());
                if (maps.contains(line.number()) && whole && (last || !isPath(line.key()))) {
                    lines.add(line);
                } else {
                    leavesOut |= line.placedBlocks() > 0;
                }
            }
            for (IndexFormat.SegmentLine segment : index.segments()) {
                if (logs.remove(segment.number())) {
                    segments.add(leavesOut ? segment.ofUnknown() : segment);
                }
            }
        } else {
            scan(maps, data);
            scanSegments(logs);
        }
        for (IndexFormat.Line line : lines) {
            maps.remove(line.number());
            data.remove(line.number());
        }
        if (lines.stream().allMatch(line -> line.placedBlocks() == 0)) {
            segments.forEach(segment -> logs.add(segment.number()));
            segments.clear();
        }
        for (long number : maps) {
            remove(StoreFiles.mapName(number));
        }
        for (long number : data) {
            remove(StoreFiles.dataName(number));
        }
        for (long number : logs) {
            remove(StoreFiles.segmentName(number));
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
                header = files.readHeader(number);
                long segment = header == null ? 0 : header.lastSegment();
                lastNumber = Math.max(lastNumber, segment);
                boolean whole =
                        header != null && (header.allocatedBlocks() == 0 || data.contains(number));
                header = whole ? header : null;
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

    /** Which blocks of them count only all maps together could tell. */
    private void scanSegments(Set<Long> logs) throws IOException {
        int failures = 0;
        for (long number : List.copyOf(logs)) {
            try {
                long bytes = files.segmentBytes(number);
                if (bytes <= Integer.MAX_VALUE && segments.size() < StoreSegments.SEGMENTS_MAX) {
                    logs.remove(number);
                    segments.add(new IndexFormat.SegmentLine(number, bytes, StoreSegments.UNKNOWN));
                }
            } catch (IOException e) {
                if (++failures >= StoreHealth.FAILURES_MAX) {
                    throw e;
                }
            }
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
                header.placedBlocks(),
                header.mapBytes());
    }
}
