// SPDX-License-Identifier: Apache-2.0
package io.netfs4j.cache.journal;

import org.jspecify.annotations.Nullable;

/** What a record says. The numbers are on disk and never change their meaning. */
enum RecordType {
    /** Bytes of a file, at an offset; how long it is afterwards. */
    WRITE(1),

    /** All that is known of a file but its bytes; what an earlier one said counts no more. */
    FILE(2),

    /** Bytes from an offset to another, of records up to the one referred to, count no more. */
    DROP(3),

    /** Nothing that was said of a file before counts any more. */
    FORGET(4),

    /**
     * What counts of the records from the one referred to on has been appended once more, from the
     * record at the offset up to this one: those in between may be missing.
     */
    REPEATED(5);

    private static final RecordType[] BY_CODE = new RecordType[6];

    static {
        for (RecordType type : values()) {
            BY_CODE[type.code] = type;
        }
    }

    final byte code;

    RecordType(int code) {
        this.code = (byte) code;
    }

    /** The type of that number; null when this version knows none. */
    static @Nullable RecordType of(byte code) {
        return code < 0 || code >= BY_CODE.length ? null : BY_CODE[code];
    }
}
