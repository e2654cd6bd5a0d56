// SPDX-License-Identifier: Apache-2.0
package io.netfs4j.cache.journal;

import io.netfs4j.base.FsException;

import org.jspecify.annotations.Nullable;

import java.nio.ByteBuffer;
import java.util.zip.CRC32C;

/** What a journal holds of a file, or a model says that it should, as one number. */
final class JournalDigest {
    private final CRC32C crc = new CRC32C();
    private long count;

    /** What a journal holds, read from its disk. */
    static long of(Journal journal, long file) throws FsException {
        JournalDigest digest = new JournalDigest();
        digest.facts(journal.facts(file));
        for (Journal.Range range : journal.ranges(file)) {
            ByteBuffer bytes = ByteBuffer.allocate((int) (range.to() - range.from()));
            while (bytes.hasRemaining()
                    && journal.read(file, range.from() + bytes.position(), bytes) > 0) {
                continue;
            }
            digest.range(range.from(), range.to(), bytes.array(), 0);
        }
        return digest.value();
    }

    /** What a model says. */
    static long of(JournalModel model, long file) {
        JournalDigest digest = new JournalDigest();
        JournalModel.File known = model.files.get(file);
        if (known != null) {
            digest.facts(known.facts);
            int from = known.owed.nextSetBit(0);
            while (from >= 0) {
                int to = known.owed.nextClearBit(from);
                digest.range(from, to, known.bytes, from);
                from = known.owed.nextSetBit(to);
            }
        } else {
            digest.facts(null);
        }
        return digest.value();
    }

    private void facts(byte @Nullable [] facts) {
        number(facts == null ? -1 : facts.length);
        if (facts != null) {
            crc.update(facts);
        }
    }

    private void range(long from, long to, byte[] bytes, int at) {
        number(from);
        number(to);
        crc.update(bytes, at, (int) (to - from));
        count += to - from;
    }

    private void number(long value) {
        crc.update(ByteBuffer.allocate(Long.BYTES).putLong(0, value));
    }

    private long value() {
        return count << Integer.SIZE | crc.getValue();
    }
}
