// SPDX-License-Identifier: Apache-2.0
package io.netfs4j.engine;

import io.netfs4j.base.GuardedBy;
import io.netfs4j.cache.journal.FileJournal;

/**
 * Tells the journal which bytes the server has, a run at a time.
 *
 * <p><b>Threads</b>: with the inode's lock held.
 */
final class Landing {
    private final InodeData inode;

    @GuardedBy("inode lock")
    private long from;

    @GuardedBy("inode lock")
    private long to;

    @GuardedBy("inode lock")
    private long lsn;

    Landing(InodeData inode) {
        this.inode = inode;
    }

    /**
     * The server has bytes.
     *
     * @param takenAtLsn what was written in later records has not been sent; 0 where the journal
     *     has nothing of it
     */
    @GuardedBy("inode lock")
    void landed(long position, long end, long takenAtLsn) {
        if (takenAtLsn == 0) {
            return;
        }
        if (position != to || takenAtLsn != lsn) {
            tell();
            from = position;
            lsn = takenAtLsn;
        }
        to = end;
    }

    /** Nothing more lands for now. */
    @GuardedBy("inode lock")
    void tell() {
        FileJournal journal = inode.journal();
        if (journal != null && from < to) {
            journal.landed(from, to, lsn);
        }
        from = to;
    }
}
