// SPDX-License-Identifier: Apache-2.0
package io.netfs4j.testing.sim;

import io.netfs4j.base.RangeSet;

import org.jspecify.annotations.Nullable;

import java.util.ArrayList;
import java.util.List;

/**
 * The barriers of one file: what was written before one must be on the server before anything is
 * sent that was written after it (I13).
 */
final class ModelBarriers {
    private final ModelFile file;

    /** When each began and ended. */
    private final List<int[]> moments = new ArrayList<>();

    ModelBarriers(ModelFile file) {
        this.file = file;
    }

    void add(int began, int ended) {
        moments.add(new int[] {began, ended});
    }

    boolean isEmpty() {
        return moments.isEmpty();
    }

    /** Of bytes that are not known nobody knows what they are older than. */
    void forget() {
        moments.clear();
    }

    /**
     * A piece is sent to a server that writes at offsets: what of it was written after a barrier
     * may not overtake what was written before, be that in the same piece.
     *
     * @param granule what fills one comes from the server, and is older than what is dirty there
     */
    void check(long from, byte[] sent, int granule, byte[] there) {
        int to = (int) from + sent.length;
        int newest = newestSent((int) from, to, sent, (int) from, granule == 1 ? null : there);
        requireOlder(newest, there, "sends [" + from + ", " + to + ")");
    }

    /**
     * A whole object takes the place of another, all at once: when anything in it was written after
     * a barrier, so must be everything that was written before.
     *
     * @param sent what of it was sent; the rest is the old object's
     */
    void checkObject(RangeSet sent, byte[] object, byte[] before) {
        int newest = 0;
        for (int i = 0; i < sent.count(); i++) {
            int from = (int) sent.start(i);
            newest = Math.max(newest, newestSent(from, (int) sent.end(i), object, 0, before));
        }
        requireOlder(newest, object, "publishes " + sent);
    }

    private void requireOlder(int newest, byte[] there, String what) {
        int before = 0;
        for (int[] moment : moments) {
            if (moment[1] < newest) {
                before = Math.max(before, moment[0]);
            }
        }
        int end;
        int size = file.size();
        for (int i = 0; before > 0 && i < size; i = end) {
            end = Math.min(size, endOfRun(i));
            boolean older = file.versions.began.at(i) > 0 && file.versions.ended.at(i) < before;
            if (isUnsent(i) && older && differs(there, i, end)) {
                throw new Violation(
                        "I13",
                        "file "
                                + file.number
                                + " "
                                + what
                                + " of after a barrier, and the server lacks "
                                + i
                                + " of before it");
            }
        }
    }

    /** Where the bytes end that were last changed by the same change as one, and sent with it. */
    private int endOfRun(int i) {
        int end = Math.min(file.versions.ended.endOf(i), file.versions.acknowledged.endOf(i));
        return Math.min(end, file.versions.began.endOf(i));
    }

    private boolean isUnsent(int i) {
        return file.versions.began.at(i) != file.versions.acknowledged.at(i);
    }

    /** Whether the server lacks any of these bytes; where it has none, they are zeros. */
    private boolean differs(byte[] there, int from, int to) {
        for (int i = from; i < to; i++) {
            if (!file.wild.get(i) && file.value[i] != at(there, i)) {
                return true;
            }
        }
        return false;
    }

    private static byte at(byte[] bytes, int i) {
        return i < bytes.length ? bytes[i] : 0;
    }

    /**
     * When the newest change began that is certainly in what is sent, and not of before it.
     *
     * @param old where some bytes are sent to fill granules: what the server has, which these are;
     *     then so many bytes in a row must be new that they are not the same by chance
     */
    private int newestSent(int from, int to, byte[] sent, int shift, byte @Nullable [] old) {
        int newest = 0;
        int end;
        for (int i = from; i < to; i = end) {
            end = Math.min(to, endOfRun(i));
            int began = file.versions.began.at(i);
            if (began > newest
                    && isUnsent(i)
                    && file.versions.ended.at(i) < Versions.RUNNING
                    && isSent(i, end, sent, shift, old)) {
                newest = began;
            }
        }
        return newest;
    }

    private boolean isSent(int from, int to, byte[] sent, int shift, byte @Nullable [] old) {
        int row = 0;
        for (int i = from; i < to; i++) {
            byte value = file.value[i];
            boolean is = sent[i - shift] == value && !file.wild.get(i);
            row = is && (old == null || at(old, i) != value) ? row + 1 : 0;
            if (row >= (old == null ? 1 : Versions.TELLING_BYTES)) {
                return true;
            }
        }
        return false;
    }
}
