// SPDX-License-Identifier: Apache-2.0
package io.netfs4j.cache.journal;

import org.jspecify.annotations.Nullable;

import java.util.Arrays;
import java.util.BitSet;
import java.util.Map;
import java.util.TreeMap;

/**
 * What a journal should hold: files with facts and bytes, and for each byte the record that had it
 * first.
 */
final class JournalModel {
    static final int FILE_BYTES_MAX = 60_000;

    static final class File {
        byte @Nullable [] facts;
        byte[] bytes = new byte[0];
        long[] lsns = new long[0];
        final BitSet owed = new BitSet();

        File copy() {
            File copy = new File();
            copy.facts = facts;
            copy.bytes = bytes.clone();
            copy.lsns = lsns.clone();
            copy.owed.or(owed);
            return copy;
        }

        void write(int offset, byte[] written, long firstLsn) {
            int end = offset + written.length;
            if (end > bytes.length) {
                bytes = Arrays.copyOf(bytes, end);
                lsns = Arrays.copyOf(lsns, end);
            }
            System.arraycopy(written, 0, bytes, offset, written.length);
            for (int i = 0; i < written.length; i++) {
                lsns[offset + i] = firstLsn + i / JournalFormat.PAYLOAD_BYTES_MAX;
            }
            owed.set(offset, end);
        }

        void drop(int from, int to, long upToLsn) {
            for (int i = owed.nextSetBit(from); i >= 0 && i < to; i = owed.nextSetBit(i + 1)) {
                if (lsns[i] <= upToLsn) {
                    owed.clear(i);
                }
            }
        }
    }

    final Map<Long, File> files;

    JournalModel() {
        files = new TreeMap<>();
    }

    private JournalModel(Map<Long, File> files) {
        this.files = files;
    }

    /** Shares the files, which are copied when one is to change. */
    JournalModel copy() {
        return new JournalModel(new TreeMap<>(files));
    }

    /** A file that may be changed. */
    File change(long id) {
        File present = files.get(id);
        File changed = present == null ? new File() : present.copy();
        files.put(id, changed);
        return changed;
    }
}
