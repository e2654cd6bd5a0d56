// SPDX-License-Identifier: Apache-2.0
package io.netfs4j.vfs;

import io.netfs4j.base.Segment;

import java.util.List;

/**
 * Bytes of the page cache lent to a reader, without a copy. They may change under a concurrent
 * write, as any shared memory; they are not freed until {@link #close}, which must come soon.
 */
public interface PinnedBytes extends AutoCloseable {
    /** The bytes in file order; read-only by agreement. */
    List<Segment> segments();

    /** How many; fewer than asked only at the end of the file. */
    int length();

    /** Gives them back; once more does nothing. */
    @Override
    void close();
}
