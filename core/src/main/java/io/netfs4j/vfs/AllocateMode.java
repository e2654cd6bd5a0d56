// SPDX-License-Identifier: Apache-2.0
package io.netfs4j.vfs;

/** What fallocate(2) is asked to do with a range. */
public enum AllocateMode {
    /** Reserve; the file grows to hold the range. */
    EXTEND,
    /** Reserve without growing. */
    KEEP_SIZE,
    /** Make the range a hole; the size stays. */
    PUNCH_HOLE,
    /** Make the range zeros; the file grows to hold it. */
    ZERO_RANGE,
    /** Make the range zeros without growing. */
    ZERO_RANGE_KEEP_SIZE
}
