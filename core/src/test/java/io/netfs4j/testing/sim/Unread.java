// SPDX-License-Identifier: Apache-2.0
package io.netfs4j.testing.sim;

import java.util.ArrayList;
import java.util.List;

/** Ranges of a file that the server failed to read, and when. */
final class Unread {
    /** A range, and the last moment at which a read of it may begin and fail. */
    static final class Range {
        private final long from;
        private final long to;
        private int last = Integer.MAX_VALUE;

        private Range(long from, long to) {
            this.from = from;
            this.to = to;
        }

        /** Reads that begin from now on do not join one that failed. */
        void end(int moment) {
            last = moment;
        }
    }

    private final List<Range> ranges = new ArrayList<>();

    Range add(long from, long to) {
        Range range = new Range(from, to);
        ranges.add(range);
        return range;
    }

    /** Whether reading some byte of a range failed at or after a moment. */
    boolean meets(long from, long to, int since) {
        for (Range range : ranges) {
            if (range.last >= since && range.from < to && from < range.to) {
                return true;
            }
        }
        return false;
    }
}
