// SPDX-License-Identifier: Apache-2.0
package io.netfs4j.cache.store;

import io.netfs4j.base.GuardedBy;

import org.jspecify.annotations.Nullable;

import java.nio.ByteBuffer;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.concurrent.locks.ReentrantLock;

/**
 * Buffers for pieces whose memory is not in one run, or not in whole blocks. A few are kept.
 *
 * <p><b>Threads</b>: any.
 */
final class StoreMemory {
    /** A piece, and the blocks that it begins and ends within. */
    private static final int BUFFER_BYTES =
            StoreTransfers.PIECE_BYTES_MAX + 2 * ContentMap.BLOCK_BYTES;

    private static final int SPARES_MAX = 4;

    private final ReentrantLock lock;

    @GuardedBy("lock")
    private final Deque<ByteBuffer> spares = new ArrayDeque<>();

    StoreMemory(ReentrantLock lock) {
        this.lock = lock;
    }

    /** A buffer of so many bytes at least; what was in it is still there. */
    ByteBuffer take(int bytes) {
        ByteBuffer spare;
        lock.lock();
        try {
            spare = spares.poll();
        } finally {
            lock.unlock();
        }
        ByteBuffer taken = spare == null ? ByteBuffer.allocateDirect(BUFFER_BYTES) : spare;
        return taken.clear().limit(bytes);
    }

    void giveBack(@Nullable ByteBuffer taken) {
        if (taken == null) {
            return;
        }
        lock.lock();
        try {
            if (spares.size() < SPARES_MAX) {
                spares.push(taken);
            }
        } finally {
            lock.unlock();
        }
    }
}
