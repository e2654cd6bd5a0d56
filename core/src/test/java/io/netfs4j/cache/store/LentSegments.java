// SPDX-License-Identifier: Apache-2.0
package io.netfs4j.cache.store;

import io.netfs4j.base.Disk;
import io.netfs4j.cache.Journalled;
import io.netfs4j.testing.ForgetfulDisk;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.ArrayDeque;
import java.util.Arrays;
import java.util.Deque;
import java.util.HashMap;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.TreeMap;

/** What a journal lends to a store: records in segments, which it lets go of whenever it likes. */
final class LentSegments {
    private static final int BLOCK = ContentMap.BLOCK_BYTES;
    private static final int SEGMENT_BYTES = 12 * BLOCK;
    private static final int HEADER_BYTES = 72;

    private record Place(long segment, int position) {}

    private final SplittableRandom random;
    private final ForgetfulDisk disk;
    private final Map<String, TreeMap<Long, Place>> files = new HashMap<>();
    private final Deque<Long> segments = new ArrayDeque<>();
    private long last;
    private int end = SEGMENT_BYTES;

    LentSegments(SplittableRandom random) {
        this.random = random;
        disk = new ForgetfulDisk(random.split());
    }

    private static String name(long segment) {
        return "seg-" + segment;
    }

    /** Bytes are written to a file, in records of any length. */
    void write(String key, long position, byte[] bytes) {
        forget(key, position, position + bytes.length);
        for (int at = 0; at < bytes.length; ) {
            int most = Math.min(bytes.length - at, SEGMENT_BYTES - HEADER_BYTES);
            int count = random.nextBoolean() ? most : 1 + random.nextInt(most);
            record(key, position + at, Arrays.copyOfRange(bytes, at, at + count));
            at += count;
        }
    }

    /** As {@link #write}, in one record. */
    void record(String key, long position, byte[] record) {
        if (end + HEADER_BYTES + record.length > SEGMENT_BYTES) {
            segments.add(++last);
            end = 0;
        }
        int at = end + HEADER_BYTES;
        try (Disk.File file = disk.open(name(last), true)) {
            file.write(ByteBuffer.wrap(record), at);
        } catch (IOException e) {
            throw new AssertionError(e);
        }
        end = at + record.length;
        TreeMap<Long, Place> of = files.computeIfAbsent(key, k -> new TreeMap<>());
        long block = (position + BLOCK - 1) / BLOCK * BLOCK;
        for (; block + BLOCK <= position + record.length; block += BLOCK) {
            of.put(block, new Place(last, at + (int) (block - position)));
        }
    }

    /** The server has them, or they are others by now. */
    void forget(String key, long from, long to) {
        TreeMap<Long, Place> of = files.get(key);
        if (of != null) {
            of.subMap(from - BLOCK + 1, to).clear();
        }
    }

    /** What is in the oldest segment is of no use to the journal any more. */
    void retire() {
        Long oldest = segments.size() > 1 ? segments.poll() : null;
        if (oldest == null) {
            return;
        }
        files.values().forEach(of -> of.values().removeIf(place -> place.segment() == oldest));
        try {
            disk.delete(name(oldest));
        } catch (IOException e) {
            throw new AssertionError(e);
        }
    }

    /** Another process has the journal, which owes nothing any more. */
    void restart(boolean powerLost) {
        if (powerLost) {
            disk.losePower();
        }
        files.clear();
        segments.clear();
        end = SEGMENT_BYTES;
    }

    /** For whoever opens a file. */
    Journalled of(String key) {
        return new Journalled() {
            @Override
            public void find(long position, int blockBytes, long[] numbers, int[] positions) {
                TreeMap<Long, Place> of = files.getOrDefault(key, new TreeMap<>());
                for (int i = 0; i < numbers.length; i++) {
                    Place place = of.get(position + (long) i * blockBytes);
                    numbers[i] = place == null ? NOWHERE : place.segment();
                    positions[i] = place == null ? 0 : place.position();
                }
            }

            @Override
            public int segmentBytes() {
                return SEGMENT_BYTES;
            }

            @Override
            public void link(long segment, Disk into, String as) throws IOException {
                into.link(disk, name(segment), as);
            }
        };
    }
}
