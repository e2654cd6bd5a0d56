// SPDX-License-Identifier: Apache-2.0
package io.netfs4j.cache.journal;

import io.netfs4j.base.GuardedBy;

import java.nio.ByteBuffer;

/** Records that go to the disk in one write: neighbours in one segment. */
final class Batch {
    final LogSegment segment;

    /** Where in the segment they go. */
    final long position;

    /** From 0 to its position; changes with the journal's lock held until the batch is written. */
    final ByteBuffer bytes;

    final long firstLsn;

    @GuardedBy("journal lock")
    long lastLsn;

    Batch(LogSegment segment, long position, ByteBuffer bytes, long firstLsn) {
        this.segment = segment;
        this.position = position;
        this.bytes = bytes;
        this.firstLsn = firstLsn;
        this.lastLsn = firstLsn - 1;
    }
}
