// SPDX-License-Identifier: Apache-2.0
package io.netfs4j.bench.engine;

import io.netfs4j.base.FsException;

import org.openjdk.jmh.annotations.AuxCounters;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;

import java.nio.ByteBuffer;

/**
 * Buffered writes of 1 GiB beside a plain copy of the same pieces, in the same order, into memory
 * of the same kind. No write-back runs.
 */
@SuppressWarnings("NullAway.Init") // set up by JMH
@State(Scope.Thread)
@BenchmarkMode(Mode.SingleShotTime)
public class WriteBenchmark {
    static final long TOTAL_BYTES = 1L << 30;
    static final long MEMORY_BYTES = 3L << 29;

    private static final int SMALL_BYTES = 4096;

    @Param({"1048576", "4096"})
    int pieceBytes;

    private Rig rig;
    private Rig.Subject file;
    private ByteBuffer source;
    private ByteBuffer[] slabs;
    private boolean copyFirst;

    /** What one round took; JMH asks after each. */
    @State(Scope.Thread)
    @AuxCounters(AuxCounters.Type.EVENTS)
    public static class Figures {
        private long copyNanos;
        private long newNanos;
        private long newAllocated;
        private long againNanos;
        private long againAllocated;

        public long copyNanos() {
            return copyNanos;
        }

        public long newNanos() {
            return newNanos;
        }

        public long newAllocated() {
            return newAllocated;
        }

        public long againNanos() {
            return againNanos;
        }

        public long againAllocated() {
            return againAllocated;
        }
    }

    @Setup
    public void setUp() throws FsException {
        rig = Rig.real(MEMORY_BYTES);
        file = rig.create("data");
        source = Rig.source(pieceBytes);
        slabs = new ByteBuffer[(int) (TOTAL_BYTES / Rig.SLAB_BYTES)];
        for (int i = 0; i < slabs.length; i++) {
            slabs[i] = ByteBuffer.allocateDirect(Rig.SLAB_BYTES);
        }
        // Large pieces are few: the compiler gets to see the calls here.
        file.writeAscending(Rig.source(SMALL_BYTES), TOTAL_BYTES);
        file.reset(0);
    }

    @TearDown
    public void tearDown() {
        rig.close();
    }

    /** The parts are timed one by one, into the figures; JMH's own time is of all together. */
    @Benchmark
    public void round(Figures figures) throws FsException {
        file.reset(0);
        copyFirst = !copyFirst;
        if (copyFirst) {
            copy(figures);
        }
        long allocated = Rig.allocatedBytes();
        long began = System.nanoTime();
        file.writeAscending(source, TOTAL_BYTES);
        figures.newNanos = System.nanoTime() - began;
        figures.newAllocated = Rig.allocatedBytes() - allocated;
        if (!copyFirst) {
            copy(figures);
        }
        allocated = Rig.allocatedBytes();
        began = System.nanoTime();
        file.writeAscending(source, TOTAL_BYTES);
        figures.againNanos = System.nanoTime() - began;
        figures.againAllocated = Rig.allocatedBytes() - allocated;
        rig.expectSwallowed(0);
    }

    private void copy(Figures figures) {
        long began = System.nanoTime();
        for (ByteBuffer slab : slabs) {
            for (int at = 0; at < Rig.SLAB_BYTES; at += pieceBytes) {
                slab.put(at, source, 0, pieceBytes);
            }
        }
        figures.copyNanos = System.nanoTime() - began;
    }
}
