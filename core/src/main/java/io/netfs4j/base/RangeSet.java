// SPDX-License-Identifier: Apache-2.0
package io.netfs4j.base;

import org.jspecify.annotations.Nullable;

import java.util.Arrays;

/**
 * A set of byte positions, kept as disjoint ranges that do not touch, in ascending order. Adding
 * and removing cost a binary search and a move of the ranges behind; the usual set has one range,
 * which needs no array.
 *
 * <p><b>Threads</b>: none of its own; the owner's lock guards it.
 */
public final class RangeSet {
    /** What stands for any set that is empty and was never added to; nothing can be added to it. */
    public static final RangeSet NONE = new RangeSet();

    private static final int BOUNDS_MIN = 8;

    /** start, end, start, end, ...: strictly ascending. Null until there are two ranges. */
    private long @Nullable [] bounds;

    /**
     * Without an array the only range, empty where there is none; with one, how much of it counts.
     */
    private long startOrUsed;

    private long end;

    /** The set, or a new one in the place of {@link #NONE}. */
    @SuppressWarnings("ReferenceEquality") // NONE is one object
    public static RangeSet toAddTo(RangeSet set) {
        return set == NONE ? new RangeSet() : set;
    }

    public boolean isEmpty() {
        return startOrUsed == 0 && end == 0;
    }

    /** How many ranges. */
    public int count() {
        if (bounds == null) {
            return end == 0 ? 0 : 1;
        }
        return (int) startOrUsed >> 1;
    }

    public long start(int index) {
        return bounds == null ? startOrUsed : bounds[index << 1];
    }

    public long end(int index) {
        return bounds == null ? end : bounds[(index << 1) + 1];
    }

    /** How many positions. */
    public long total() {
        long sum = 0;
        for (int i = 0; i < count(); i++) {
            sum += end(i) - start(i);
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
            replace(first, last, headStart, from, 1);
            replace(first + 1, first + 1, to, tailEnd, 1);
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
        if (!isEmpty()) {
            bounds = null;
            startOrUsed = 0;
            end = 0;
        }
    }

    /** Replaces ranges first..last-1 by [start, end), or by nothing. */
    @SuppressWarnings("ReferenceEquality") // NONE is one object
    private void replace(int first, int last, long start, long end, int count) {
        if (this == NONE) {
            throw new IllegalStateException("adds to the set that stands for empty ones");
        }
        int before = count();
        int after = before + count - (last - first);
        if (after == 0) {
            clear();
            return;
        }
        long[] all = bounds;
        if (all == null && after == 1) {
            this.startOrUsed = start;
            this.end = end;
            return;
        }
        int used = before << 1;
        if (all == null) {
            all = new long[BOUNDS_MIN];
            all[0] = startOrUsed;
            all[1] = this.end;
            this.end = 0;
            bounds = all;
        }
        int shift = (after - before) << 1;
        if (used + shift > all.length) {
            all = Arrays.copyOf(all, used * 2);
            bounds = all;
        }
        if (shift != 0) {
            System.arraycopy(all, last << 1, all, (last << 1) + shift, used - (last << 1));
        }
        startOrUsed = (long) used + shift;
        if (count > 0) {
            all[first << 1] = start;
            all[(first << 1) + 1] = end;
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
