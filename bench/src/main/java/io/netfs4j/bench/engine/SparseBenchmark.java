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
import org.openjdk.jmh.annotations.TearDown;

import java.nio.ByteBuffer;
import java.util.SplittableRandom;

/** Random writes of a page and their write-back in sparse files of three sizes, in turn. */
@SuppressWarnings("NullAway.Init") // set up by JMH
@State(Scope.Thread)
@BenchmarkMode(Mode.SingleShotTime)
public class SparseBenchmark {
    static final int WRITES = 20_000;

    private static final int WARMUPS = 5;
    private static final long MEMORY_BYTES = 256L << 20;
    private static final long GIB = 1L << 30;
    private static final long[] SIZES = {GIB, 100 * GIB, 10 * 1024 * GIB};

    private final SplittableRandom random = new SplittableRandom(1);
    private Rig rig;
    private Rig.Subject file;
    private ByteBuffer source;
    private int first;

    /** What one round took; JMH asks after each. */
    @State(Scope.Thread)
    @AuxCounters(AuxCounters.Type.EVENTS)
    public static class Figures {
        private final long[] nanos = new long[SIZES.length];
        private long writebackAllocated;

        public long gib1() {
            return nanos[0];
        }

        public long gib100() {
            return nanos[1];
        }

        public long tib10() {
            return nanos[2];
        }

        /** By the write-back of one of them. */
        public long writebackAllocated() {
            return writebackAllocated;
        }
    }

    @Setup
    public void setUp() throws FsException {
        rig = Rig.real(MEMORY_BYTES);
        file = rig.create("data");
        source = Rig.source(Spots.PAGE_BYTES);
        Figures unused = new Figures();
        for (int i = 0; i < WARMUPS; i++) {
            round(unused);
        }
    }

    @TearDown
    public void tearDown() {
        rig.close();
    }

    /** The parts are timed one by one, into the figures; JMH's own time is of all together. */
    @Benchmark
    public void round(Figures figures) throws FsException {
        first++;
        for (int i = 0; i < SIZES.length; i++) {
            int which = (first + i) % SIZES.length;
            long[] spots = Spots.random(SIZES[which], WRITES, random);
            file.reset(SIZES[which]);
            long began = System.nanoTime();
            for (long spot : spots) {
                file.write(spot, source);
            }
            long allocated = Rig.allocatedBytes();
            file.save();
            figures.nanos[which] = System.nanoTime() - began;
            figures.writebackAllocated = Rig.allocatedBytes() - allocated;
            rig.expectSwallowed((long) WRITES * Spots.PAGE_BYTES);
        }
        file.reset(0);
    }
}
