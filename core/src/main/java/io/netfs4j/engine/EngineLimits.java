// SPDX-License-Identifier: Apache-2.0
package io.netfs4j.engine;

/**
 * The engine's limits, all of one mount.
 *
 * @param throttle what may be under way at once
 * @param dirtyAgeNanos after so long dirty data is written back by itself
 * @param eagerBytes so many dirty bytes of one file are written back without waiting for age:
 *     enough for many full pieces, little enough to keep a link busy early
 * @param attemptsMax answers of a live server without progress before a piece fails
 * @param retryFirstNanos the first pause of the exponential back-off
 * @param retryMaxNanos its longest pause
 * @param parkFirstNanos after a failed upload, the first pause before it is tried again
 * @param parkMaxNanos and the longest
 * @param readaheadBytesMax the largest readahead window of one open file
 * @param cachePatienceNanos a disk cache that has not answered for so long is left behind
 */
public record EngineLimits(
        Throttle throttle,
        long dirtyAgeNanos,
        long eagerBytes,
        int attemptsMax,
        long retryFirstNanos,
        long retryMaxNanos,
        long parkFirstNanos,
        long parkMaxNanos,
        int readaheadBytesMax,
        long cachePatienceNanos) {
    private static final long MILLI = 1_000_000L;
    private static final long SECOND = 1_000 * MILLI;

    /**
     * What may be under way at once. One piece of each kind is always let through, whatever its
     * size.
     *
     * @param bytesMax bytes of all pieces to the server that were issued and have not ended
     * @param piecesMax their number
     * @param requestBytesMax bytes of one request's pieces: a file is not to keep all others
     *     waiting
     * @param requestPiecesMax and their number: nor to take every credit
     * @param cacheBytesMax bytes of pieces to the disk cache; more are not cached
     * @param fillBytesMax bytes read to fill granules
     */
    public record Throttle(
            long bytesMax,
            int piecesMax,
            long requestBytesMax,
            int requestPiecesMax,
            long cacheBytesMax,
            long fillBytesMax) {
        public static final Throttle DEFAULT =
                new Throttle(16L << 20, 4096, 12L << 20, 2048, 16L << 20, 16L << 20);
    }

    /** 16 MiB in flight fill 100 ms at 160 MB/s; the rest is dirty memory's business. */
    public static final EngineLimits DEFAULT =
            new EngineLimits(
                    Throttle.DEFAULT,
                    SECOND,
                    512L << 10,
                    10,
                    50 * MILLI,
                    5 * SECOND,
                    SECOND,
                    60 * SECOND,
                    4 << 20,
                    SECOND);
}
