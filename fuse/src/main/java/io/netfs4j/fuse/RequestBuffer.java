// SPDX-License-Identifier: Apache-2.0
package io.netfs4j.fuse;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;

/**
 * Off-heap memory that a request is read into, placed so that the data of a write begins on a page:
 *
 * <pre>
 *   |............| in_header | write_in | data ...
 *   ^ page                              ^ page
 * </pre>
 *
 * <p><b>Ownership</b>: of one reader, or of the one request that it was handed over with. The
 * memory goes with the last reference to it.
 */
final class RequestBuffer {
    private static final int PAGE_BYTES = 4096;
    private static final int IN_FRONT_BYTES = Wire.IN_HEADER_BYTES + Wire.WRITE_IN_BYTES;

    private final MemorySegment memory;
    private final ByteBuffer payload;

    RequestBuffer(int payloadBytes) {
        MemorySegment all = Arena.ofAuto().allocate(PAGE_BYTES + (long) payloadBytes, PAGE_BYTES);
        memory = all.asSlice(PAGE_BYTES - IN_FRONT_BYTES);
        payload = all.asSlice(PAGE_BYTES).asByteBuffer();
    }

    /** The whole of it, from the in_header on. */
    MemorySegment memory() {
        return memory;
    }

    /** The page-aligned data of a write; the caller may move position and limit. */
    ByteBuffer payload() {
        return payload;
    }
}
