// SPDX-License-Identifier: Apache-2.0
package io.netfs4j.bench.engine;

import java.util.SplittableRandom;

/**
 * Random page-aligned positions in a file, in random order, no two of them the same page or
 * neighbours: in small and large files alike each is a span of its own.
 */
final class Spots {
    static final int PAGE_BYTES = 4096;

    /** A page and the gap behind it. */
    private static final int ROOM_BYTES = 2 * PAGE_BYTES;

    private Spots() {}

    static long[] random(long fileBytes, int count, SplittableRandom random) {
        // One position in each of as many equal parts of the file, in the order of a shuffle.
        int parts = (int) Math.min(fileBytes / ROOM_BYTES, Integer.highestOneBit(count) * 8L);
        long partRooms = fileBytes / parts / ROOM_BYTES;
        int[] order = new int[parts];
        for (int i = 0; i < parts; i++) {
            order[i] = i;
        }
        long[] spots = new long[count];
        for (int i = 0; i < count; i++) {
            int other = random.nextInt(i, parts);
            int part = order[other];
            order[other] = order[i];
            order[i] = part;
            spots[i] = (part * partRooms + random.nextLong(partRooms)) * ROOM_BYTES;
        }
        return spots;
    }
}
