// SPDX-License-Identifier: Apache-2.0
package io.netfs4j.base;

import java.util.Arrays;

/**
 * A set of byte positions, kept as disjoint ranges that do not touch, in ascending order. Adding
 * and removing cost a binary search and a move of the ranges behind; the usual set has one range.
 *
 * <p><b>Threads</b>: none of its own; the owner's lock guards it.
 */
public final class RangeSet {
    private static final long[] NONE = new long[0];

    /** start, end, start, end, ...: strictly ascending. */
    private long[] bounds = NONE;

    private int used;

    public boolean isEmpty() {
        return used == 0;
    }

    /** How many ranges. */
    public int count() {
        return used >> 1;
    }

    public long start(int index) {
        return bounds[index << 1];
    }

    public long end(int index) {
        return bounds[(index << 1) + 1];
    }

    /** How many positions. */
    public long total() {
        long sum = 0;
        for (int i = 0; i < used; i += 2) {
            sum += bounds[i + 1] - bounds[i];
        }
        return sum;
    }

    /** The index of the first range that ends after {@code position}; {@link #count} if none. */
    public int indexAfter(long position) {
        int low = 0;
        int high = count();
        while (low < high) {
            int mid = (low + high) >>> 1;
            if (end(mid) > position) {
                high = mid;
            } else {
                low = mid + 1;
            }
        }
        return low;
    }

    public boolean contains(long from, long to) {
        if (from >= to) {
            return true;
        }
        int i = indexAfter(from);
        return i < count() && start(i) <= from && end(i) >= to;
    }

    public boolean intersects(long from, long to) {
        if (from >= to) {
            return false;
        }
        int i = indexAfter(from);
        return i < count() && start(i) < to;
    }

    /**
     * The end of the run of positions that begins at {@code from}; {@code from} if it is not in.
     */
    public long runEnd(long from) {
        int i = indexAfter(from);
        return i < count() && start(i) <= from ? end(i) : from;
    }

    /** The first position at or after {@code from} that is in, or {@code otherwise}. */
    public long next(long from, long otherwise) {
        int i = indexAfter(from);
        return i < count() ? Math.max(from, start(i)) : otherwise;
    }

    /** Adds a range; returns how many positions were not in before. */
    public long add(long from, long to) {
        if (from >= to) {
            return 0;
        }
        // The first range that touches or follows [from, to): ends at or after from.
        int first = from == 0 ? 0 : indexAfter(from - 1);
        int last = first;
        long start = from;
        long end = to;
        long merged = 0;
        while (last < count() && start(last) <= end) {
            start = Math.min(start, start(last));
            end = Math.max(end, end(last));
            merged += end(last) - start(last);
            last++;
        }
        replace(first, last, start, end, 1);
        return end - start - merged;
    }

    /** Removes a range; returns how many positions were in before. */
    public long remove(long from, long to) {
        if (from >= to) {
            return 0;
        }
        int first = indexAfter(from);
        int last = first;
        long removed = 0;
        while (last < count() && start(last) < to) {
            removed += Math.min(to, end(last)) - Math.max(from, start(last));
            last++;
        }
        if (first == last) {
            return 0;
        }
        long headStart = start(first);
        long tailEnd = end(last - 1);
        boolean head = headStart < from;
        boolean tail = tailEnd > to;
        if (head && tail) {
            replace(first, last, headStart, from, 2);
            bounds[(first << 1) + 2] = to;
            bounds[(first << 1) + 3] = tailEnd;
        } else if (head) {
            replace(first, last, headStart, from, 1);
        } else if (tail) {
            replace(first, last, to, tailEnd, 1);
        } else {
            replace(first, last, 0, 0, 0);
        }
        return removed;
    }

    public void addAll(RangeSet other) {
        for (int i = 0; i < other.count(); i++) {
            add(other.start(i), other.end(i));
        }
    }

    public void clear() {
        used = 0;
    }

    /** Replaces ranges first..last-1 by {@code count} ranges, the first of them [start, end). */
    private void replace(int first, int last, long start, long end, int count) {
        int shift = (count - (last - first)) << 1;
        if (used + shift > bounds.length) {
            bounds = Arrays.copyOf(bounds, Math.max(2, Math.max(used + shift, used * 2)));
        }
        if (shift != 0) {
            System.arraycopy(bounds, last << 1, bounds, (last << 1) + shift, used - (last << 1));
        }
        used += shift;
        if (count > 0) {
            bounds[first << 1] = start;
            bounds[(first << 1) + 1] = end;
        }
    }

    @Override
    public String toString() {
        StringBuilder text = new StringBuilder("{");
        for (int i = 0; i < count(); i++) {
            text.append(i == 0 ? "" : " ").append(start(i)).append('-').append(end(i));
        }
        return text.append('}').toString();
    }
}
