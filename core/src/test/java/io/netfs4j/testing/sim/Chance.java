// SPDX-License-Identifier: Apache-2.0
package io.netfs4j.testing.sim;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.nio.ByteOrder;
import java.util.random.RandomGenerator;

/** A generator that costs nothing to make: each operation of a world has a few of its own. */
final class Chance implements RandomGenerator {
    private static final long STEP = 0x9E3779B97F4A7C15L;

    private static final VarHandle LONGS =
            MethodHandles.byteArrayViewVarHandle(long[].class, ByteOrder.LITTLE_ENDIAN);

    private long state;

    Chance(long seed, long purpose) {
        state = Trace.mix(seed ^ Trace.mix(purpose * STEP));
    }

    @Override
    public long nextLong() {
        state += STEP;
        return Trace.mix(state);
    }

    @Override
    public void nextBytes(byte[] bytes) {
        int at = 0;
        for (; at <= bytes.length - Long.BYTES; at += Long.BYTES) {
            LONGS.set(bytes, at, nextLong());
        }
        for (long rest = nextLong(); at < bytes.length; at++) {
            bytes[at] = (byte) rest;
            rest >>>= Byte.SIZE;
        }
    }
}
