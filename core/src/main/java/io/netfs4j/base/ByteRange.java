// SPDX-License-Identifier: Apache-2.0
package io.netfs4j.base;

/** The bytes from {@code start} up to, not including, {@code end} of a file. */
public record ByteRange(long start, long end) {
    public ByteRange {
        if (start < 0 || end < start) {
            throw new IllegalArgumentException("range [" + start + ", " + end + ")");
        }
    }

    public long length() {
        return end - start;
    }

    public boolean isEmpty() {
        return start == end;
    }

    public boolean overlaps(ByteRange other) {
        return start < other.end && other.start < end;
    }
}
