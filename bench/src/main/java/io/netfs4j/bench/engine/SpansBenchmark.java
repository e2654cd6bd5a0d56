// SPDX-License-Identifier: Apache-2.0
package io.netfs4j.bench.engine;

import io.netfs4j.base.FsException;

import org.openjdk.jmh.annotations.AuxCounters;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;

import java.lang.management.BufferPoolMXBean;
import java.lang.management.ManagementFactory;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;

/**
 * One more random write of a page, and the write-back of a span, with 10 to 1,000,000 dirty spans
 * in the file; and the memory of the million.
 *
 * <p>Files with few spans are many, so that each case writes about as often, into memory as cold:
 * what is compared is the structures, not the caches of the CPU.
 */
@SuppressWarnings("NullAway.Init") // set up by JMH
@State(Scope.Thread)
@BenchmarkMode(Mode.SingleShotTime)
public class SpansBenchmark {
    static final int[] COUNTS = {10, 1_000, 100_000, 1_000_000};

    private static final int WARMUPS = 2;
    private static final int EXTRA_MAX = 25_000;

    /** So many more writes are timed in each case, where memory allows. */
    private static final int WRITES = 50_000;

    private static final long FILE_BYTES = 1L << 40;
    private static final long SLACK_BYTES = 64 << 20;
    private static final long MEMORY_BYTES =
            (long) (COUNTS[COUNTS.length - 1] + EXTRA_MAX) * Spots.PAGE_BYTES + SLACK_BYTES;

    private final SplittableRandom random = new SplittableRandom(1);
    private final List<Rig.Subject> files = new ArrayList<>();
    private Rig rig;
    private ByteBuffer source;

    /** What one round took; JMH asks after each. */
    @State(Scope.Thread)
    @AuxCounters(AuxCounters.Type.EVENTS)
    public static class Figures {
        private final long[] write = new long[COUNTS.length];
        private final long[] writeback = new long[COUNTS.length];
        private long heap;
        private long folios;
        private long direct;

        /** Picoseconds, since a counter is a whole number. */
        public long write10() {
            return write[0];
        }

        public long write1000() {
            return write[1];
        }

        public long write100000() {
            return write[2];
        }

        public long write1000000() {
            return write[3];
        }

        public long writeback10() {
            return writeback[0];
        }

        public long writeback1000() {
            return writeback[1];
        }

        public long writeback100000() {
            return writeback[2];
        }

        public long writeback1000000() {
            return writeback[3];
        }

        /** Heap bytes that the million holds. */
        public long heap() {
            return heap;
        }

        /** Its bytes of folios. */
        public long folios() {
            return folios;
        }

        /** Direct memory of the process that came with it. */
        public long direct() {
            return direct;
        }
    }

    @Setup
    public void setUp() throws FsException {
        rig = Rig.onWaiter(MEMORY_BYTES);
        source = Rig.source(Spots.PAGE_BYTES);
        for (int i = 0; i < WRITES / COUNTS[0]; i++) {
            files.add(rig.create("data" + i));
        }
        // Rounds are few and long: the compiler gets to see all but the million here.
        Figures unused = new Figures();
        for (int i = 0; i < WARMUPS * (COUNTS.length - 1); i++) {
            measure(unused, i % (COUNTS.length - 1));
        }
    }

    /** The parts are timed one by one, into the figures; JMH's own time is of all together. */
    @Benchmark
    public void round(Figures figures) throws FsException {
        for (int i = 0; i < COUNTS.length; i++) {
            measure(figures, i);
        }
    }

    private void measure(Figures figures, int which) throws FsException {
        int count = COUNTS[which];
        int extra = Math.min(count, EXTRA_MAX);
        int rounds = isMost(count) ? 1 : WRITES / extra;
        long writeNanos = 0;
        long writebackNanos = 0;
        for (int i = 0; i < rounds; i++) {
            Rig.Subject file = isMost(count) ? rig.create("most") : files.get(i);
            long[] spots = Spots.random(FILE_BYTES, count + extra, random);
            file.reset(FILE_BYTES);
            fill(figures, file, spots, count);
            long began = System.nanoTime();
            for (int k = count; k < spots.length; k++) {
                file.write(spots[k], source);
            }
            writeNanos += System.nanoTime() - began;
            began = System.nanoTime();
            file.save();
            writebackNanos += System.nanoTime() - began;
            rig.expectSwallowed((long) spots.length * Spots.PAGE_BYTES);
            if (isMost(count)) {
                // The next million is weighed without what this one leaves.
                file.remove();
            }
        }
        figures.write[which] = writeNanos * 1000 / ((long) rounds * extra);
        figures.writeback[which] = writebackNanos * 1000 / ((long) rounds * (count + extra));
        for (int i = 0; i < rounds; i++) {
            files.get(i).reset(0);
        }
    }

    private void fill(Figures figures, Rig.Subject file, long[] spots, int count)
            throws FsException {
        boolean weighed = isMost(count);
        long heap = weighed ? heapBytes() : 0;
        long folios = rig.folioBytes();
        long direct = directBytes();
        for (int k = 0; k < count; k++) {
            file.write(spots[k], source);
        }
        if (weighed) {
            figures.heap = heapBytes() - heap;
            figures.folios = rig.folioBytes() - folios;
            // What else was freed meanwhile is not its merit.
            figures.direct = Math.max(0, directBytes() - direct);
        }
    }

    private static boolean isMost(int count) {
        return count == COUNTS[COUNTS.length - 1];
    }

    /** What is reachable. */
    private static long heapBytes() {
        System.gc();
        return ManagementFactory.getMemoryMXBean().getHeapMemoryUsage().getUsed();
    }

    private static long directBytes() {
        return ManagementFactory.getPlatformMXBeans(BufferPoolMXBean.class).stream()
                .filter(pool -> pool.getName().equals("direct"))
                .mapToLong(BufferPoolMXBean::getMemoryUsed)
                .sum();
    }
}
