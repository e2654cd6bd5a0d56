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
 * Write-back of 1 GiB of dirty folios, of 1 MiB or of 4 KiB, and what it leaves to the collector.
 */
@SuppressWarnings("NullAway.Init") // set up by JMH
@State(Scope.Thread)
@BenchmarkMode(Mode.SingleShotTime)
public class WritebackBenchmark {
    private static final int SMALL_BYTES = 4096;

    @Param({"1048576", "4096"})
    int pieceBytes;

    private Rig rig;
    private Rig.Subject file;
    private ByteBuffer source;

    /** What one round took; JMH asks after each. */
    @State(Scope.Thread)
    @AuxCounters(AuxCounters.Type.EVENTS)
    public static class Figures {
        private long nanos;
        private long writeAllocated;
        private long writebackAllocated;

        public long nanos() {
            return nanos;
        }

        public long writeAllocated() {
            return writeAllocated;
        }

        public long writebackAllocated() {
            return writebackAllocated;
        }
    }

    @Setup
    public void setUp() throws FsException {
        rig = Rig.real(WriteBenchmark.MEMORY_BYTES);
        file = rig.create("data");
        source = Rig.source(pieceBytes);
        // Large folios are few: the compiler gets to see the calls here.
        file.writeDescending(Rig.source(SMALL_BYTES), WriteBenchmark.TOTAL_BYTES);
        file.save();
        rig.expectSwallowed(WriteBenchmark.TOTAL_BYTES);
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
        long allocated = Rig.allocatedBytes();
        if (pieceBytes == SMALL_BYTES) {
            file.writeDescending(source, WriteBenchmark.TOTAL_BYTES);
        } else {
            file.writeAscending(source, WriteBenchmark.TOTAL_BYTES);
        }
        figures.writeAllocated = Rig.allocatedBytes() - allocated;
        allocated = Rig.allocatedBytes();
        long began = System.nanoTime();
        file.save();
        figures.nanos = System.nanoTime() - began;
        figures.writebackAllocated = Rig.allocatedBytes() - allocated;
        rig.expectSwallowed(WriteBenchmark.TOTAL_BYTES);
    }
}
