// SPDX-License-Identifier: Apache-2.0
package io.netfs4j.base;

import org.jspecify.annotations.Nullable;

import java.util.Arrays;

/**
 * A map from non-negative longs to objects, in ascending order of keys, without an object per
 * entry: a list of leaves of at most {@value #LEAF_MAX} entries. Looking up costs two binary
 * searches; inserting moves at most one leaf, and now and then the list of leaves.
 *
 * <p><b>Threads</b>: none of its own; the owner's lock guards it.
 */
public final class SortedLongMap<V> {
    private static final int LEAF_MAX = 128;

    private static final class Leaf {
        final long[] keys = new long[LEAF_MAX];
        final @Nullable Object[] values = new @Nullable Object[LEAF_MAX];
        int count;
    }

    private Leaf[] leaves = new Leaf[0];
    private int leafCount;
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
        Leaf leaf = leaves[l];
        int i = Arrays.binarySearch(leaf.keys, 0, leaf.count, key);
        return value(leaf, i >= 0 ? i : -i - 2);
    }

    /** The value of the least key that is not below {@code key}, or null. */
    public @Nullable V ceiling(long key) {
        int l = Math.max(0, leafIndex(key));
        if (leafCount == 0) {
            return null;
        }
        Leaf leaf = leaves[l];
        int i = Arrays.binarySearch(leaf.keys, 0, leaf.count, key);
        int at = i >= 0 ? i : -i - 1;
        if (at < leaf.count) {
            return value(leaf, at);
        }
        return l + 1 < leafCount ? value(leaves[l + 1], 0) : null;
    }

    public @Nullable V first() {
        return leafCount == 0 ? null : value(leaves[0], 0);
    }

    public @Nullable V last() {
        return leafCount == 0
                ? null
                : value(leaves[leafCount - 1], leaves[leafCount - 1].count - 1);
    }

    /** Puts a value; returns the one that was there, or null. */
    public @Nullable V put(long key, V value) {
        if (leafCount == 0) {
            insertLeaf(0, new Leaf());
        }
        int l = Math.max(0, leafIndex(key));
        Leaf leaf = leaves[l];
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
            }
        }
        System.arraycopy(leaf.keys, at, leaf.keys, at + 1, leaf.count - at);
        System.arraycopy(leaf.values, at, leaf.values, at + 1, leaf.count - at);
        leaf.keys[at] = key;
        leaf.values[at] = value;
        leaf.count++;
        size++;
        return null;
    }

    /** Removes a key; returns its value, or null. */
    public @Nullable V remove(long key) {
        int l = leafIndex(key);
        if (l < 0) {
            return null;
        }
        Leaf leaf = leaves[l];
        int i = Arrays.binarySearch(leaf.keys, 0, leaf.count, key);
        if (i < 0) {
            return null;
        }
        V old = value(leaf, i);
        leaf.count--;
        System.arraycopy(leaf.keys, i + 1, leaf.keys, i, leaf.count - i);
        System.arraycopy(leaf.values, i + 1, leaf.values, i, leaf.count - i);
        leaf.values[leaf.count] = null;
        size--;
        if (leaf.count == 0) {
            System.arraycopy(leaves, l + 1, leaves, l, leafCount - l - 1);
            leafCount--;
        }
        return old;
    }

    /**
     * Splits a full leaf. Keys mostly arrive in ascending order, so that a split at the end leaves
     * the lower leaf full.
     */
    private Leaf split(int l, int insertAt) {
        Leaf lower = leaves[l];
        int keep = insertAt == LEAF_MAX ? LEAF_MAX : LEAF_MAX / 2;
        Leaf upper = new Leaf();
        upper.count = LEAF_MAX - keep;
        System.arraycopy(lower.keys, keep, upper.keys, 0, upper.count);
        System.arraycopy(lower.values, keep, upper.values, 0, upper.count);
        Arrays.fill(lower.values, keep, LEAF_MAX, null);
        lower.count = keep;
        insertLeaf(l + 1, upper);
        return upper;
    }

    private void insertLeaf(int at, Leaf leaf) {
        if (leafCount == leaves.length) {
            leaves = Arrays.copyOf(leaves, Math.max(4, leafCount * 2));
        }
        System.arraycopy(leaves, at, leaves, at + 1, leafCount - at);
        leaves[at] = leaf;
        leafCount++;
    }

    private @Nullable Leaf leafOf(long key) {
        int l = leafIndex(key);
        return l < 0 ? null : leaves[l];
    }

    /** The last leaf whose first key is not above {@code key}; -1 if there is none. */
    private int leafIndex(long key) {
        int low = 0;
        int high = leafCount;
        while (low < high) {
            int mid = (low + high) >>> 1;
            if (leaves[mid].keys[0] <= key) {
                low = mid + 1;
            } else {
                high = mid;
            }
        }
        return low - 1;
    }

    @SuppressWarnings({"unchecked", "NullAway"}) // slots below count hold values
    private V value(Leaf leaf, int i) {
        return (V) leaf.values[i];
    }
}
