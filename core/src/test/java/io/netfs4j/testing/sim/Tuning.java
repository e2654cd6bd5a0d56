// SPDX-License-Identifier: Apache-2.0
package io.netfs4j.testing.sim;

import java.util.Arrays;
import java.util.random.RandomGenerator;

/** What the applications of one world do, how often and in which sizes: drawn by its seed. */
final class Tuning {
    /** What an application can do. */
    enum Op {
        WRITE(30, true),
        READ(14, true),
        APPEND(6, false),
        TRUNCATE(5, false),
        FSYNC(6, false),
        CREATE(5, true),
        OPEN(6, true),
        CLOSE(6, true),
        STAT(3, false),
        SET(3, false),
        RENAME(3, false),
        UNLINK(2, false),
        MKDIR(2, false),
        RMDIR(1, false),
        LOOKUP(3, false),
        LIST(4, false),
        SYNC_DIRECTORY(1, false),
        FORGET(2, false),
        PUNCH(2, false),
        ZERO(2, false),
        ALLOCATE(2, false),
        COPY(4, false),
        SEEK(1, false),

        /** Somebody else takes memory of the mount's for a while. */
        SQUEEZE(2, false),
        LINK(3, false),
        SYMLINK(2, false),
        READLINK(2, false),

        /** What another client does to the server's store. */
        ELSEWHERE(0, false),
        SET_DIRECTORY(3, false);

        /** Those up to here are drawn first: what else a seed draws does not depend on the rest. */
        private static final Op LAST_OF_OLD = FORGET;

        private final int weight;
        private final boolean always;

        Op(int weight, boolean always) {
            this.weight = weight;
            this.always = always;
        }
    }

    private static final int[] FILE_BYTES = {9_000, 70_000, 300_000, 1_200_000};
    private static final int[] EDGES = {1, 512, 4096, 8192, 16384, 65536, 1 << 18, 1 << 20};

    private final int[] weights = new int[Op.values().length];
    private final int weightsSum;
    final int fileBytesMax;
    final int writeBytesMax;
    final int filesMax;
    final long thinkNanos;
    final boolean syncOpens;

    Tuning(RandomGenerator random) {
        drawWeights(random, 0, Op.LAST_OF_OLD.ordinal() + 1);
        fileBytesMax = FILE_BYTES[random.nextInt(10) == 0 ? 3 : random.nextInt(3)];
        writeBytesMax = 1 + random.nextInt(Math.min(fileBytesMax, 1 << random.nextInt(8, 19)));
        filesMax = 1 + random.nextInt(8);
        thinkNanos = new long[] {1, 100_000, 10_000_000, 3_000_000_000L}[random.nextInt(4)];
        syncOpens = random.nextInt(4) == 0;
        drawWeights(random, Op.LAST_OF_OLD.ordinal() + 1, weights.length);
        // Two of five operations are to write, and some of these find nothing to write to.
        int sum = Arrays.stream(weights).sum();
        int writes = weights[Op.WRITE.ordinal()] + weights[Op.APPEND.ordinal()];
        int lacking = Math.max(0, (12 * sum - 25 * writes) / 13);
        weights[Op.WRITE.ordinal()] += lacking;
        weightsSum = sum + lacking;
    }

    private void drawWeights(RandomGenerator random, int from, int to) {
        for (int i = from; i < to; i++) {
            Op op = Op.values()[i];
            boolean drawn = op.always || random.nextInt(3) != 0;
            weights[i] = drawn ? op.weight * (1 + random.nextInt(3)) : 0;
        }
    }

    Op draw(RandomGenerator random) {
        int at = random.nextInt(weightsSum);
        for (Op op : Op.values()) {
            at -= weights[op.ordinal()];
            if (at < 0) {
                return op;
            }
        }
        return Op.WRITE;
    }

    /** A position, often at or near an edge of something. */
    int position(RandomGenerator random, int size) {
        int near =
                switch (random.nextInt(5)) {
                    case 0 -> size;
                    case 1 -> 0;
                    case 2 -> {
                        int edge = EDGES[random.nextInt(EDGES.length)];
                        yield edge * random.nextInt(fileBytesMax / edge + 1);
                    }
                    default -> random.nextInt(Math.max(1, size + size / 8));
                };
        int shift = random.nextInt(3) == 0 ? random.nextInt(-2, 3) : 0;
        return Math.clamp(near + shift, 0, fileBytesMax - 1);
    }

    int length(RandomGenerator random, int position) {
        int most = Math.min(writeBytesMax, fileBytesMax - position);
        int length =
                switch (random.nextInt(4)) {
                    case 0 -> EDGES[random.nextInt(EDGES.length)] + random.nextInt(-1, 2);
                    case 1 -> 1 + random.nextInt(100);
                    default -> 1 + random.nextInt(most);
                };
        return Math.clamp(length, 1, most);
    }

    @Override
    public String toString() {
        StringBuilder text =
                new StringBuilder(
                        "files<="
                                + filesMax
                                + " bytes<="
                                + fileBytesMax
                                + " writes<="
                                + writeBytesMax
                                + " think<"
                                + thinkNanos
                                + "ns");
        for (Op op : Op.values()) {
            if (weights[op.ordinal()] == 0) {
                text.append(" no ").append(op);
            }
        }
        return text.toString();
    }
}
