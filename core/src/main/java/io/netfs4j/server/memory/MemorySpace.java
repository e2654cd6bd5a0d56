// SPDX-License-Identifier: Apache-2.0
package io.netfs4j.server.memory;

/**
 * How many chunks of content a store may hold, and how many it does.
 *
 * <p><b>Threads</b>: guarded by the store's lock.
 */
final class MemorySpace {
    private final long chunksMax;
    private long chunksUsed;

    MemorySpace(long capacityBytes) {
        chunksMax = capacityBytes / MemoryContent.CHUNK_BYTES;
    }

    boolean has(long chunks) {
        return chunksUsed + chunks <= chunksMax;
    }

    void take() {
        chunksUsed++;
    }

    void give() {
        chunksUsed--;
    }

    long max() {
        return chunksMax;
    }

    long used() {
        return chunksUsed;
    }
}
