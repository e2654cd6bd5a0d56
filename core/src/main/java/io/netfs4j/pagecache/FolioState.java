// SPDX-License-Identifier: Apache-2.0
package io.netfs4j.pagecache;

/**
 * What a folio owes to the server. It follows from its spans and is assigned in one place, {@link
 * AddressSpace#settle}.
 *
 * <pre>
 *   CLEAN     --write-->  DIRTY          DIRTY     --take all-->   WRITEBACK
 *   DIRTY     --take part--> REDIRTIED   WRITEBACK --write-->      REDIRTIED
 *   WRITEBACK --end ok--> CLEAN          WRITEBACK --end failed--> DIRTY
 *   REDIRTIED --end-->    DIRTY          REDIRTIED --take rest-->  WRITEBACK
 *   DIRTY     --cut-->    CLEAN
 * </pre>
 */
public enum FolioState {
    /** Nothing to send; may be reclaimed when no read fills it. */
    CLEAN,
    /** Dirty spans, none in flight. */
    DIRTY,
    /** Spans in flight, none dirty. */
    WRITEBACK,
    /** Spans in flight and other (or newer) bytes dirty. */
    REDIRTIED;

    static FolioState of(boolean dirty, boolean writeback) {
        if (writeback) {
            return dirty ? REDIRTIED : WRITEBACK;
        }
        return dirty ? DIRTY : CLEAN;
    }

    public boolean isDirty() {
        return this == DIRTY || this == REDIRTIED;
    }

    public boolean isUnderWriteback() {
        return this == WRITEBACK || this == REDIRTIED;
    }
}
