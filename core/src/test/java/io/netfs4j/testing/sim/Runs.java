// SPDX-License-Identifier: Apache-2.0
package io.netfs4j.testing.sim;

import java.util.Arrays;

/** A number for each position, 0 at first: kept as runs of equal ones, of which there are few. */
final class Runs {
    /** Run i goes from its start to the start of the next; the last one has no end. */
    private int[] starts = new int[4];

    private int[] values = new int[4];
    private int count = 1;

    int at(int position) {
        return values[index(position)];
    }

    /** Where the run ends that a position is in. */
    int endOf(int position) {
        int next = index(position) + 1;
        return next < count ? starts[next] : Integer.MAX_VALUE;
    }

    private int index(int position) {
        int low = 0;
        int high = count - 1;
        while (low < high) {
            int middle = (low + high + 1) >>> 1;
            if (starts[middle] <= position) {
                low = middle;
            } else {
                high = middle - 1;
            }
        }
        return low;
    }

    void fill(int from, int to, int value) {
        if (from >= to) {
            return;
        }
        int first = index(from);
        int last = index(to - 1);
        int after = values[last];
        boolean endsThere = last + 1 < count && starts[last + 1] == to;
        // What stays before, the new run, and what stays of the last one.
        int keep = starts[first] == from ? first : first + 1;
        boolean joinsBefore = keep > 0 && values[keep - 1] == value;
        boolean joinsAfter = endsThere ? values[last + 1] == value : after == value;
        int put = (joinsBefore ? 0 : 1) + (joinsAfter || endsThere ? 0 : 1);
        int rest = last + 1 + (joinsAfter && endsThere ? 1 : 0);
        splice(keep, rest, put);
        int at = keep;
        if (!joinsBefore) {
            starts[at] = from;
            values[at++] = value;
        }
        if (!joinsAfter && !endsThere) {
            starts[at] = to;
            values[at] = after;
        }
    }

    /** Replaces the runs of a range by room for some. */
    private void splice(int from, int to, int room) {
        int size = count - (to - from) + room;
        if (size > starts.length) {
            starts = Arrays.copyOf(starts, size * 2);
            values = Arrays.copyOf(values, size * 2);
        }
        System.arraycopy(starts, to, starts, from + room, count - to);
        System.arraycopy(values, to, values, from + room, count - to);
        count = size;
    }

    /** Takes over what another has in a range. */
    void copy(Runs other, int from, int to) {
        for (int at = from; at < to; ) {
            int end = Math.min(to, other.endOf(at));
            fill(at, end, other.at(at));
            at = end;
        }
    }
}
