// SPDX-License-Identifier: Apache-2.0
package io.netfs4j.pagecache;

import io.netfs4j.base.Segment;

/**
 * Bytes of a folio that a write request has taken, in the memory that holds them as they were then.
 * Holds a reference to the memory, and to the folio, until it was released.
 *
 * @param position where in the file they begin
 * @param from relative to the folio
 * @param dirty whether the server lacks them; else they are clean bytes that some destination needs
 *     all the same: to fill a granule, or because the disk cache has not got them
 */
public record WritebackSpan(
        Folio folio, Block block, long position, int from, int to, boolean dirty) {
    /** The position in the file after the last byte. */
    public long end() {
        return position + to - from;
    }

    public Segment segment() {
        return new Segment(block.memory(), block.offset() + from, to - from);
    }
}
