// SPDX-License-Identifier: Apache-2.0
package io.netfs4j.base;

import org.jspecify.annotations.Nullable;

import java.util.Arrays;

/**
 * A map from non-negative longs to objects, in ascending order of keys, without an object per
 * entry: a list of leaves of at most {@value #LEAF_MAX} entries. Looking up costs two binary
 * searches; inserting moves at most one leaf, and now and then the list of leaves. What is looked
 * up is mostly near what was looked up before: the leaf of the last time is tried first. Entries
 * may be marked, and the marked ones looked for without a look at the others.
 *
 * <p><b>Threads</b>: none of its own; the owner's lock guards it.
 */
public final class SortedLongMap<V> {
    /** As many as two words of marks have bits. */
    private static final int LEAF_MAX = 2 * Long.SIZE;

    /** Leaves that became empty and are kept for those needed next: about 400 KiB of them. */
    private static final int SPARES_MAX = 256;

    private static final class Leaf {
        final long[] keys = new long[LEAF_MAX];
        final @Nullable Object[] values = new @Nullable Object[LEAF_MAX];
        int count;

        /** Which entries are marked: those below 64, and the others. */
        long marksLow;

        long marksHigh;

        boolean isMarked() {
            return (marksLow | marksHigh) != 0;
        }

        boolean isMarked(int i) {
            return (((i < Long.SIZE ? marksLow : marksHigh) >>> i) & 1) != 0;
        }

        void flipMark(int i) {
            if (i < Long.SIZE) {
                marksLow ^= 1L << i;
            } else {
                marksHigh ^= 1L << i;
            }
        }

        /** The first marked entry from an index on, or -1. */
        int nextMarked(int from) {
            if (from < Long.SIZE) {
                long low = marksLow & -1L << from;
                if (low != 0) {
                    return Long.numberOfTrailingZeros(low);
                }
            }
            long high = from <= Long.SIZE ? marksHigh : marksHigh & -1L << from;
            return high == 0 || from >= LEAF_MAX
                    ? -1
                    : Long.SIZE + Long.numberOfTrailingZeros(high);
        }

        /** Moves the marks from an index on up by one; that entry is unmarked. */
        void insertMark(int at) {
            long kept = (1L << at) - 1; // counts modulo 64
            if (at < Long.SIZE) {
                marksHigh = (marksHigh << 1) | (marksLow >>> (Long.SIZE - 1));
                marksLow = (marksLow & kept) | ((marksLow & ~kept) << 1);
            } else {
                marksHigh = (marksHigh & kept) | ((marksHigh & ~kept) << 1);
            }
        }

        /** Moves the marks behind an index down by one. */
        void removeMark(int at) {
            long kept = (1L << at) - 1; // counts modulo 64
            if (at < Long.SIZE) {
                marksLow =
                        (marksLow & kept)
                                | ((marksLow >>> 1) & ~kept)
                                | (marksHigh << (Long.SIZE - 1));
                marksHigh >>>= 1;
            } else {
                marksHigh = (marksHigh & kept) | ((marksHigh >>> 1) & ~kept);
            }
        }
    }

    private @Nullable Leaf[] leaves = new @Nullable Leaf[0];

    /** The first key of each leaf, side by side: a search among many leaves touches few lines. */
    private long[] firsts = new long[0];

    /** Whether a leaf has marked entries. */
    private boolean[] marked = new boolean[0];

    private int leafCount;

    /** The leaf found last. */
    private int hint;

    /** How many leaves behind the last one in use are empty, for the next ones needed. */
    private int spares;

    private int size;

    public int size() {
        return size;
    }

    public boolean isEmpty() {
        return size == 0;
    }

    public @Nullable V get(long key) {
        Leaf leaf = leafOf(key);
        if (leaf == null) {
            return null;
        }
        int i = Arrays.binarySearch(leaf.keys, 0, leaf.count, key);
        return i < 0 ? null : value(leaf, i);
    }

    /** The value of the greatest key that is not above {@code key}, or null. */
    public @Nullable V floor(long key) {
        int l = leafIndex(key);
        if (l < 0) {
            return null;
        }
        Leaf leaf = leaf(l);
        int i = Arrays.binarySearch(leaf.keys, 0, leaf.count, key);
        return value(leaf, i >= 0 ? i : -i - 2);
    }

    /** The value of the least key that is not below {@code key}, or null. */
    public @Nullable V ceiling(long key) {
        int l = Math.max(0, leafIndex(key));
        if (leafCount == 0) {
            return null;
        }
        Leaf leaf = leaf(l);
        int i = Arrays.binarySearch(leaf.keys, 0, leaf.count, key);
        int at = i >= 0 ? i : -i - 1;
        if (at < leaf.count) {
            return value(leaf, at);
        }
        return l + 1 < leafCount ? value(leaf(l + 1), 0) : null;
    }

    /** The least key that is not below {@code key}, or {@code otherwise}. */
    public long ceilingKey(long key, long otherwise) {
        int l = Math.max(0, leafIndex(key));
        if (leafCount == 0) {
            return otherwise;
        }
        Leaf leaf = leaf(l);
        int i = Arrays.binarySearch(leaf.keys, 0, leaf.count, key);
        int at = i >= 0 ? i : -i - 1;
        if (at < leaf.count) {
            return leaf.keys[at];
        }
        return l + 1 < leafCount ? firsts[l + 1] : otherwise;
    }

    /** Marks an entry, or no longer; the key has to be there. A new entry is not marked. */
    public void mark(long key, boolean on) {
        int l = leafIndex(key);
        Leaf leaf = leafOf(key);
        int i = leaf == null ? -1 : Arrays.binarySearch(leaf.keys, 0, leaf.count, key);
        if (leaf == null || i < 0) {
            throw new IllegalArgumentException("no entry " + key);
        }
        if (leaf.isMarked(i) != on) {
            leaf.flipMark(i);
            marked[l] = leaf.isMarked();
        }
    }

    /** The value of the least marked key that is not below {@code key}, or null. */
    public @Nullable V ceilingMarked(long key) {
        int l = Math.max(0, leafIndex(key));
        if (l < leafCount && marked[l]) {
            Leaf leaf = leaf(l);
            int i = Arrays.binarySearch(leaf.keys, 0, leaf.count, key);
            int at = leaf.nextMarked(i >= 0 ? i : -i - 1);
            if (at >= 0) {
                return value(leaf, at);
            }
        }
        for (l++; l < leafCount; l++) {
            if (marked[l]) {
                return value(leaf(l), leaf(l).nextMarked(0));
            }
        }
        return null;
    }

    public @Nullable V first() {
        return leafCount == 0 ? null : value(leaf(0), 0);
    }

    public @Nullable V last() {
        if (leafCount == 0) {
            return null;
        }
        Leaf leaf = leaf(leafCount - 1);
        return value(leaf, leaf.count - 1);
    }

    /** Puts a value; returns the one that was there, or null. */
    public @Nullable V put(long key, V value) {
        if (leafCount == 0) {
            insertLeaf(0, newLeaf(), key);
        }
        int l = Math.max(0, leafIndex(key));
        Leaf leaf = leaf(l);
        int i = Arrays.binarySearch(leaf.keys, 0, leaf.count, key);
        if (i >= 0) {
            V old = value(leaf, i);
            leaf.values[i] = value;
            return old;
        }
        int at = -i - 1;
        if (leaf.count == LEAF_MAX) {
            Leaf upper = split(l, at);
            if (at >= leaf.count && upper != leaf) {
                at -= leaf.count;
                leaf = upper;
                l++;
            }
        }
        System.arraycopy(leaf.keys, at, leaf.keys, at + 1, leaf.count - at);
        System.arraycopy(leaf.values, at, leaf.values, at + 1, leaf.count - at);
        leaf.insertMark(at);
        leaf.keys[at] = key;
        leaf.values[at] = value;
        leaf.count++;
        size++;
        if (at == 0) {
            firsts[l] = key;
        }
        return null;
    }

    /** Removes a key; returns its value, or null. */
    public @Nullable V remove(long key) {
        int l = leafIndex(key);
        if (l < 0) {
            return null;
        }
        Leaf leaf = leaf(l);
        int i = Arrays.binarySearch(leaf.keys, 0, leaf.count, key);
        if (i < 0) {
            return null;
        }
        V old = value(leaf, i);
        leaf.count--;
        System.arraycopy(leaf.keys, i + 1, leaf.keys, i, leaf.count - i);
        System.arraycopy(leaf.values, i + 1, leaf.values, i, leaf.count - i);
        leaf.values[leaf.count] = null;
        leaf.removeMark(i);
        marked[l] = leaf.isMarked();
        size--;
        if (leaf.count == 0) {
            System.arraycopy(leaves, l + 1, leaves, l, leafCount - l - 1);
            System.arraycopy(firsts, l + 1, firsts, l, leafCount - l - 1);
            System.arraycopy(marked, l + 1, marked, l, leafCount - l - 1);
            leafCount--;
            leaves[leafCount] = leaf;
            if (spares < SPARES_MAX) {
                spares++;
            } else {
                leaves[leafCount + SPARES_MAX] = null;
            }
        } else if (i == 0) {
            firsts[l] = leaf.keys[0];
        }
        return old;
    }

    /**
     * Splits a full leaf. Keys mostly arrive in ascending order, so that a split at the end leaves
     * the lower leaf full.
     */
    private Leaf split(int l, int insertAt) {
        Leaf lower = leaf(l);
        int keep = insertAt == LEAF_MAX ? LEAF_MAX : LEAF_MAX / 2;
        Leaf upper = newLeaf();
        upper.count = LEAF_MAX - keep;
        System.arraycopy(lower.keys, keep, upper.keys, 0, upper.count);
        System.arraycopy(lower.values, keep, upper.values, 0, upper.count);
        Arrays.fill(lower.values, keep, LEAF_MAX, null);
        lower.count = keep;
        if (keep < LEAF_MAX) {
            upper.marksLow = lower.marksHigh;
            lower.marksHigh = 0;
            marked[l] = lower.isMarked();
        }
        insertLeaf(l + 1, upper, upper.keys[0]);
        return upper;
    }

    /** A leaf to be inserted next. */
    private Leaf newLeaf() {
        if (spares == 0) {
            return new Leaf();
        }
        spares--;
        return leaf(leafCount);
    }

    private void insertLeaf(int at, Leaf leaf, long first) {
        if (leafCount == leaves.length) {
            leaves = Arrays.copyOf(leaves, Math.max(4, leafCount * 2));
            firsts = Arrays.copyOf(firsts, leaves.length);
            marked = Arrays.copyOf(marked, leaves.length);
        }
        // Over the place of the spare that this one was, if it was one.
        System.arraycopy(leaves, at, leaves, at + 1, leafCount - at);
        System.arraycopy(firsts, at, firsts, at + 1, leafCount - at);
        System.arraycopy(marked, at, marked, at + 1, leafCount - at);
        leaves[at] = leaf;
        firsts[at] = first;
        marked[at] = leaf.isMarked();
        leafCount++;
    }

    private @Nullable Leaf leafOf(long key) {
        int l = leafIndex(key);
        return l < 0 ? null : leaf(l);
    }

    /** The last leaf whose first key is not above {@code key}; -1 if there is none. */
    private int leafIndex(long key) {
        int near = hint;
        if (near < leafCount
                && firsts[near] <= key
                && (near + 1 == leafCount || key < firsts[near + 1])) {
            return near;
        }
        int low = 0;
        int high = leafCount;
        while (low < high) {
            int mid = (low + high) >>> 1;
            if (firsts[mid] <= key) {
                low = mid + 1;
            } else {
                high = mid;
            }
        }
        hint = Math.max(0, low - 1);
        return low - 1;
    }

    @SuppressWarnings("NullAway") // below leafCount there are leaves, and spares behind them
    private Leaf leaf(int l) {
        return leaves[l];
    }

    @SuppressWarnings({"unchecked", "NullAway"}) // slots below count hold values
    private V value(Leaf leaf, int i) {
        return (V) leaf.values[i];
    }
}
