// SPDX-License-Identifier: Apache-2.0
package io.netfs4j.base;

import java.nio.ByteBuffer;

/**
 * A run of bytes of memory: {@code length} bytes of {@code memory} from index {@code offset}. The
 * buffer's own position and limit mean nothing and are never moved; use absolute access or {@link
 * #view}.
 */
public record Segment(ByteBuffer memory, int offset, int length) {
    /** A buffer of just these bytes, for callers that want a position and a limit. */
    public ByteBuffer view() {
        return memory.slice(offset, length);
    }
}
