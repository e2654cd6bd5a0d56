// SPDX-License-Identifier: Apache-2.0
package io.netfs4j.engine;

import io.netfs4j.server.AttributeChange;

import org.jspecify.annotations.Nullable;

import java.time.Instant;

/**
 * Times of a file that the next commit takes to the server. Those that somebody set are owed: a
 * commit that fails leaves them to the next. The time of a write goes along with its data, and is
 * not worth a request of its own.
 *
 * @param modifiedWasSet whether somebody set the modification time; else it is that of a write
 */
public record PendingTimes(
        @Nullable Instant accessed, @Nullable Instant modified, boolean modifiedWasSet) {
    public static final PendingTimes NONE = new PendingTimes(null, null, false);

    public boolean isEmpty() {
        return accessed == null && modified == null;
    }

    /** Whether anything of it was set, and not only written. */
    boolean isOwed() {
        return accessed != null || modifiedWasSet;
    }

    /** After a write at that moment. */
    public PendingTimes written(Instant now) {
        if (now.equals(modified) && !modifiedWasSet) {
            return this; // The clock has not moved since the write before.
        }
        return new PendingTimes(accessed, now, false);
    }

    /** After a truncate that the server dated itself. */
    public PendingTimes withoutModified() {
        return new PendingTimes(accessed, null, false);
    }

    /** After somebody set what the change has of times. */
    public PendingTimes set(AttributeChange change) {
        return new PendingTimes(change.accessed(), change.modified(), change.modified() != null)
                .after(this);
    }

    /** This, and of an older one what this says nothing of. */
    PendingTimes after(PendingTimes older) {
        boolean mine = modified != null;
        return new PendingTimes(
                accessed != null ? accessed : older.accessed,
                mine ? modified : older.modified,
                mine ? modifiedWasSet : older.modifiedWasSet);
    }

    /** Only what somebody set. */
    PendingTimes owed() {
        return new PendingTimes(accessed, modifiedWasSet ? modified : null, modifiedWasSet);
    }

    /** Only the time of a write. */
    PendingTimes notOwed() {
        return new PendingTimes(null, modifiedWasSet ? null : modified, false);
    }

    AttributeChange change() {
        return AttributeChange.times(accessed, modified);
    }
}
