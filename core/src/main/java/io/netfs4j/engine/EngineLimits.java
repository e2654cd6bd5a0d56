// SPDX-License-Identifier: Apache-2.0
package io.netfs4j.engine;

/**
 * The engine's limits, all of one mount.
 *
 * @param inFlightBytesMax bytes of subrequests issued and not ended; one is always let through
 * @param dirtyAgeNanos after so long dirty data is written back by itself
 * @param eagerBytes so many dirty bytes of one file are written back without waiting for age:
 *     enough for many full pieces, little enough to keep a link busy early
 * @param attemptsMax answers of a live server without progress before a piece fails
 * @param retryFirstNanos the first pause of the exponential back-off
 * @param retryMaxNanos its longest pause
 * @param parkFirstNanos after a failed upload, the first pause before it is tried again
 * @param parkMaxNanos and the longest
 * @param readaheadBytesMax the largest readahead window of one open file
 */
public record EngineLimits(
        long inFlightBytesMax,
        long dirtyAgeNanos,
        long eagerBytes,
        int attemptsMax,
        long retryFirstNanos,
        long retryMaxNanos,
        long parkFirstNanos,
        long parkMaxNanos,
        int readaheadBytesMax) {
    private static final long MILLI = 1_000_000L;
    private static final long SECOND = 1_000 * MILLI;

    /** 16 MiB in flight fill 100 ms at 160 MB/s; the rest is dirty memory's business. */
    public static final EngineLimits DEFAULT =
            new EngineLimits(
                    16L << 20,
                    SECOND,
                    512L << 10,
                    10,
                    50 * MILLI,
                    5 * SECOND,
                    SECOND,
                    60 * SECOND,
                    4 << 20);
}
