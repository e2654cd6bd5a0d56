// SPDX-License-Identifier: Apache-2.0
package io.netfs4j.pagecache;

import io.netfs4j.base.Segment;

/**
 * Bytes of a folio that a write request has taken, in the memory that holds them as they were then.
 * Holds a reference to the memory.
 *
 * @param from relative to the folio
 * @param dirty whether the server lacks them; else they are clean bytes that some destination needs
 *     all the same: to fill a granule, or because the disk cache has not got them
 */
public record WritebackSpan(Folio folio, Block block, int from, int to, boolean dirty) {
    /** The position in the file of the first byte. */
    public long position() {
        return folio.position() + from;
    }

    /** The position in the file after the last byte. */
    public long end() {
        return folio.position() + to;
    }

    public Segment segment() {
        return new Segment(block.memory(), block.offset() + from, to - from);
    }
}
