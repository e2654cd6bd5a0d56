// SPDX-License-Identifier: Apache-2.0
package io.netfs4j.fuse;

/**
 * Bytes of a file that the kernel is to forget, with the file's attributes.
 *
 * @param position in bytes; negative for the attributes alone
 * @param length in bytes; negative for all that follows
 */
record InvalidRange(long position, long length) {
    static final InvalidRange ATTRIBUTES_ALONE = new InvalidRange(-1, 0);

    /**
     * @param end behind the last byte; {@link Long#MAX_VALUE} for all that follows
     */
    static InvalidRange between(long position, long end) {
        return new InvalidRange(position, end == Long.MAX_VALUE ? -1 : end - position);
    }

    /** Behind the last byte; {@link Long#MAX_VALUE} for all that follows. */
    long end() {
        return length < 0 ? Long.MAX_VALUE : position + length;
    }

    /** Both, and what is between them. */
    InvalidRange and(InvalidRange other) {
        return between(Math.min(position, other.position), Math.max(end(), other.end()));
    }
}
