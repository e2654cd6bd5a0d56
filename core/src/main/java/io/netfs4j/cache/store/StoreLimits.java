// SPDX-License-Identifier: Apache-2.0
package io.netfs4j.cache.store;

/**
 * How much disk and memory a store takes.
 *
 * @param bytesMax of all that it has on the disk, in bytes
 * @param fileBytesMax of one file, in bytes: what is beyond is not cached
 * @param used when room is made, in percent of {@code bytesMax} that are used
 * @param free when room is made, in percent of the disk that are free
 * @param filesMax kept in memory, each with its key, and on the disk
 * @param piecesMax transfers under way
 * @param inFlightBytesMax of all transfers under way, in bytes; one is let in whatever its size
 */
public record StoreLimits(
        long bytesMax,
        long fileBytesMax,
        Used used,
        Free free,
        int filesMax,
        int piecesMax,
        long inFlightBytesMax) {
    public static final StoreLimits DEFAULT =
            new StoreLimits(
                    10L << 30,
                    5L << 30,
                    new Used(85, 90, 98),
                    new Free(10, 7, 3),
                    100_000,
                    32,
                    16L << 20);

    /**
     * Of the store's own bytes.
     *
     * @param runPercent up to here nothing is removed: who makes room stops
     * @param cullPercent above, files used least recently are removed
     * @param stopPercent above, nothing is stored
     */
    public record Used(int runPercent, int cullPercent, int stopPercent) {
        public Used {
            if (runPercent < 0
                    || runPercent > cullPercent
                    || cullPercent > stopPercent
                    || stopPercent > 100) {
                throw new IllegalArgumentException(
                        runPercent + " <= " + cullPercent + " <= " + stopPercent + " <= 100");
            }
        }
    }

    /**
     * Of the disk.
     *
     * @param runPercent from here on nothing is removed: who makes room stops
     * @param cullPercent below, files used least recently are removed
     * @param stopPercent below, nothing is stored
     */
    public record Free(int runPercent, int cullPercent, int stopPercent) {
        public Free {
            if (runPercent > 100
                    || runPercent < cullPercent
                    || cullPercent < stopPercent
                    || stopPercent < 0) {
                throw new IllegalArgumentException(
                        "100 >= " + runPercent + " >= " + cullPercent + " >= " + stopPercent);
            }
        }
    }

    /** The same with another size; one file may take half of it. */
    public StoreLimits withBytesMax(long bytes) {
        long fileBytes = Math.max(ContentMap.BLOCK_BYTES, bytes / 2);
        return new StoreLimits(bytes, fileBytes, used, free, filesMax, piecesMax, inFlightBytesMax);
    }

    public StoreLimits {
        if (bytesMax < ContentMap.BLOCK_BYTES || fileBytesMax < ContentMap.BLOCK_BYTES) {
            throw new IllegalArgumentException("less than a block");
        }
        if (filesMax < 1 || piecesMax < 1 || inFlightBytesMax < 1) {
            throw new IllegalArgumentException("no file, piece or byte in flight");
        }
    }

    long usedRunBytes() {
        return percent(bytesMax, used.runPercent);
    }

    long usedCullBytes() {
        return percent(bytesMax, used.cullPercent);
    }

    long usedStopBytes() {
        return percent(bytesMax, used.stopPercent);
    }

    /** Rounded down, of numbers that may be too large to be multiplied first. */
    static long percent(long of, int percent) {
        return of / 100 * percent + of % 100 * percent / 100;
    }
}
