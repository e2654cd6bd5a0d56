// SPDX-License-Identifier: Apache-2.0
package io.netfs4j.pagecache;

import io.netfs4j.base.GuardedBy;

/**
 * Dirty data of one file that must be on the server before any later group's is sent, as before a
 * snapshot or a barrier. No folio holds unsent bytes of two groups.
 */
public final class WriteGroup {
    private final long number;

    // The tags of a folio that owes data of this group: made once, so that no transition allocates.
    final FolioTag.Dirty dirty = new FolioTag.Dirty(this);
    final FolioTag.Writeback writeback = new FolioTag.Writeback(this);
    final FolioTag.Redirtied redirtied = new FolioTag.Redirtied(this);

    /** Bytes dirty and bytes under write-back, together. */
    @GuardedBy("inode lock")
    long bytes;

    WriteGroup(long number) {
        this.number = number;
    }

    /** Later groups have higher numbers. */
    public long number() {
        return number;
    }

    @Override
    public String toString() {
        return "group " + number;
    }
}
