// SPDX-License-Identifier: Apache-2.0
package io.netfs4j.pagecache;

import io.netfs4j.base.Segment;

/**
 * Absent bytes of a folio that a read request fetches, and the memory they come into. Holds a
 * reference to the memory.
 *
 * @param from relative to the folio
 * @param epoch of the folio when the read began
 */
public record LoadSpan(Folio folio, Block block, int from, int to, int epoch) {
    public long position() {
        return folio.position() + from;
    }

    public long end() {
        return folio.position() + to;
    }

    public Segment segment() {
        return new Segment(block.memory(), block.offset() + from, to - from);
    }
}
