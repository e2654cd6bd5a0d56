// SPDX-License-Identifier: Apache-2.0
package io.netfs4j.testing.sim;

import org.jspecify.annotations.Nullable;

import java.util.Arrays;

/** Which change each byte of a file was last changed by, and which the server is known to have. */
final class Versions {
    static final int RUNNING = Integer.MAX_VALUE;

    /** So many random bytes are not the same as others by chance. */
    static final int TELLING_BYTES = 6;

    /** When the last change of each byte began and ended. */
    final Runs began = new Runs();

    final Runs ended = new Runs();

    /** The change (by its beginning) that the server is known to have; equal to began: clean. */
    final Runs acknowledged = new Runs();

    void begin(int from, int to, int moment) {
        began.fill(from, to, moment);
        ended.fill(from, to, RUNNING);
    }

    void end(int from, int to, int moment) {
        ended.fill(from, to, moment);
    }

    int endedAt(int position) {
        return ended.at(position);
    }

    /** Nothing of it has to be uploaded. */
    void clean(int from, int to) {
        acknowledged.copy(began, from, to);
    }

    /** The first granule of a range of which the server has everything, or -1. */
    int firstNotOwed(int from, int to, int granule) {
        int at = from;
        while (at < to) {
            // Runs that are owed are stepped over whole, which matters where granules are bytes.
            int owed = nextOwed(at, to);
            int end = Math.min(to, at + granule);
            if (owed >= end) {
                return at;
            }
            int runEnd = Math.min(began.endOf(owed), acknowledged.endOf(owed));
            int whole = from + (Math.min(runEnd, to) - from) / granule * granule;
            at = Math.max(end, whole);
        }
        return -1;
    }

    private int nextOwed(int from, int to) {
        int end;
        for (int i = from; i < to; i = end) {
            end = Math.min(began.endOf(i), acknowledged.endOf(i));
            if (began.at(i) != acknowledged.at(i)) {
                return i;
            }
        }
        return to;
    }

    /** The server has these bytes, as they were at or after a moment. */
    void acknowledge(int from, int to, int since, byte @Nullable [] sent, byte[] value) {
        int end;
        for (int i = from; i < to; i = end) {
            end = Math.min(to, ended.endOf(i));
            end = sent == null ? end : Math.min(end, began.endOf(i));
            if (ended.at(i) < since && (sent == null || isWhole(sent, value, i, end))) {
                acknowledged.copy(began, i, end);
            }
        }
    }

    /**
     * Whether a change is what was sent. What filled a granule was older than what is dirty there,
     * perhaps, and a few of its bytes may be the same by chance; zeros are what gaps hold.
     */
    private static boolean isWhole(byte[] sent, byte[] value, int from, int to) {
        if (to - from < TELLING_BYTES || !Arrays.equals(sent, from, to, value, from, to)) {
            return false;
        }
        for (int i = from; i < to; i++) {
            if (value[i] != 0) {
                return true;
            }
        }
        return false;
    }
}
