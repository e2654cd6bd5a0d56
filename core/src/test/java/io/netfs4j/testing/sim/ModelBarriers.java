// SPDX-License-Identifier: Apache-2.0
package io.netfs4j.testing.sim;

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

    /** A piece is sent: what of it was written after a barrier may not overtake what was before. */
    void check(long from, byte[] sent, byte[] there) {
        int to = (int) from + sent.length;
        int newest = newestUnsent((int) from, sent);
        int before = 0;
        for (int[] moment : moments) {
            if (moment[1] < newest) {
                before = Math.max(before, moment[0]);
            }
        }
        int end;
        int size = file.size();
        for (int i = 0; before > 0 && i < size; i = end) {
            end = Math.min(file.versions.ended.endOf(i), file.versions.acknowledged.endOf(i));
            end = Math.min(size, Math.min(end, file.versions.began.endOf(i)));
            boolean unsent = file.versions.began.at(i) != file.versions.acknowledged.at(i);
            boolean older = file.versions.began.at(i) > 0 && file.versions.ended.at(i) < before;
            if (unsent && older && (i < from || i >= to) && differs(there, i, end)) {
                throw new Violation(
                        "I13",
                        "file "
                                + file.number
                                + " sends ["
                                + from
                                + ", "
                                + to
                                + ") of after a barrier, and the server lacks "
                                + i
                                + " of before it");
            }
        }
    }

    /** Whether the server lacks any of these bytes; where it has none, they are zeros. */
    private boolean differs(byte[] there, int from, int to) {
        for (int i = from; i < to; i++) {
            if (!file.wild.get(i) && file.value[i] != (i < there.length ? there[i] : 0)) {
                return true;
            }
        }
        return false;
    }

    private boolean holds(int position, byte seen) {
        return file.value[position] == seen && !file.wild.get(position);
    }

    /** When the newest change began that is certainly in what is sent, and not of before it. */
    private int newestUnsent(int from, byte[] sent) {
        int newest = 0;
        for (int i = from; i < from + sent.length; i++) {
            if (file.versions.began.at(i) != file.versions.acknowledged.at(i)
                    && file.versions.ended.at(i) < Integer.MAX_VALUE
                    && holds(i, sent[i - from])) {
                newest = Math.max(newest, file.versions.began.at(i));
            }
        }
        return newest;
    }
}
