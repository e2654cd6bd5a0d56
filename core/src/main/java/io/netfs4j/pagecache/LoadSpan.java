// SPDX-License-Identifier: Apache-2.0
package io.netfs4j.pagecache;

import io.netfs4j.base.Segment;

/**
 * Absent bytes of a folio that a read request fetches, and the memory they come into. Holds a
 * reference to the memory, and to the folio, until it was released.
 *
 * @param position where in the file they begin
 * @param from relative to the folio
 * @param epoch of the folio when the read began
 */
public record LoadSpan(Folio folio, Block block, long position, int from, int to, int epoch) {
    public long end() {
        return position + to - from;
    }

    public Segment segment() {
        return new Segment(block.memory(), block.offset() + from, to - from);
    }
}
