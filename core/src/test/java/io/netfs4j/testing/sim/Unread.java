// SPDX-License-Identifier: Apache-2.0
package io.netfs4j.testing.sim;

import java.util.ArrayList;
import java.util.List;

/** Ranges of a file that the server failed to read, and when. */
final class Unread {
    private record Range(long from, long to, int moment) {}

    private final List<Range> ranges = new ArrayList<>();

    void add(long from, long to, int moment) {
        ranges.add(new Range(from, to, moment));
    }

    /** Whether reading some byte of a range failed at or after a moment. */
    boolean meets(long from, long to, int since) {
        for (Range range : ranges) {
            if (range.moment >= since && range.from < to && from < range.to) {
                return true;
            }
        }
        return false;
    }
}
