// SPDX-License-Identifier: Apache-2.0
package io.netfs4j.cache.journal;

import java.util.SplittableRandom;

/**
 * What one writer of a journal does in one life of its process, from a seed: so that whoever knows
 * how far it came knows what should be there.
 */
final class JournalOperations {
    /** Each writer has files of its own, and the operations on one follow one another. */
    static final int FILES_OF_A_WRITER = 2;

    /** So many operations may follow one another before one is waited for. */
    static final int UNHEARD_MAX = 16;

    private static final int SMALL_BYTES_MAX = 3_000;
    private static final int LARGE_BYTES_MAX = 20_000;
    private static final int FACTS_BYTES_MAX = 200;

    /** What is done to a file. */
    enum Kind {
        WRITE,
        DESCRIBE,
        DROP,
        FORGET
    }

    /** What is waited for after it. */
    enum Awaited {
        NOTHING,
        WRITTEN,
        FORCED
    }

    /**
     * One of them.
     *
     * @param number in this life, from 1 on
     * @param bytes what is written or said
     * @param upTo the operation up to which bytes are dropped; 0: those of earlier lives
     */
    @SuppressWarnings("ArrayRecordComponent") // Nobody compares it.
    record Operation(
            int number,
            Kind kind,
            long file,
            int from,
            int end,
            byte[] bytes,
            int upTo,
            Awaited awaits) {
        /**
         * What a model holds afterwards.
         *
         * @param before how many operations there were before this life
         */
        void apply(JournalModel model, long before) {
            switch (kind) {
                case WRITE -> model.change(file).write(from, bytes, before + number);
                case DESCRIBE -> model.change(file).facts = bytes;
                case DROP -> model.change(file).drop(from, end, before + upTo);
                case FORGET -> model.files.remove(file);
            }
        }
    }

    private final SplittableRandom random;
    private final int writer;
    private int number;
    private int unheard;

    JournalOperations(long seed, int journal, int writer, long life) {
        this.random =
                new SplittableRandom(
                                ((seed * 1_000_003 + journal) * 31 + writer) * 1_000_003 + life)
                        .split();
        this.writer = writer;
    }

    /** The first file of a writer; the others follow. */
    static long firstFile(int writer) {
        return 1L + (long) writer * FILES_OF_A_WRITER;
    }

    Operation next() {
        number++;
        long file = firstFile(writer) + random.nextInt(FILES_OF_A_WRITER);
        int draw = random.nextInt(40);
        Kind kind = Kind.WRITE;
        int from = 0;
        int end = 0;
        int upTo = 0;
        byte[] bytes = new byte[0];
        if (draw < 28) {
            bytes = bytes(1 + random.nextInt(draw < 22 ? SMALL_BYTES_MAX : LARGE_BYTES_MAX));
            from = random.nextInt(JournalModel.FILE_BYTES_MAX - bytes.length);
            end = from + bytes.length;
        } else if (draw < 33) {
            kind = Kind.DESCRIBE;
            bytes = bytes(random.nextInt(FACTS_BYTES_MAX));
        } else if (draw < 39) {
            kind = Kind.DROP;
            from = random.nextBoolean() ? 0 : random.nextInt(JournalModel.FILE_BYTES_MAX);
            end = from + random.nextInt(JournalModel.FILE_BYTES_MAX);
            upTo = random.nextBoolean() ? number - 1 : random.nextInt(number);
        } else {
            kind = Kind.FORGET;
        }
        int patience = random.nextInt(60);
        Awaited awaits =
                patience == 0
                        ? Awaited.FORCED
                        : patience < 15 || unheard + 1 == UNHEARD_MAX
                                ? Awaited.WRITTEN
                                : Awaited.NOTHING;
        unheard = awaits == Awaited.NOTHING ? unheard + 1 : 0;
        return new Operation(number, kind, file, from, end, bytes, upTo, awaits);
    }

    private byte[] bytes(int count) {
        byte[] bytes = new byte[count];
        random.nextBytes(bytes);
        return bytes;
    }
}
