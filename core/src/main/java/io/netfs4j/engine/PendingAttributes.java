// SPDX-License-Identifier: Apache-2.0
package io.netfs4j.engine;

import io.netfs4j.server.AttributeChange;

import org.jspecify.annotations.Nullable;

import java.time.Instant;

/**
 * Times and permission bits of a file that the next commit takes to the server. What somebody set
 * is owed: a commit that fails leaves it to the next. The time of a write goes along with its data,
 * and is not worth a request of its own.
 *
 * @param modifiedWasSet whether somebody set the modification time; else it is that of a write
 * @param mode permission bits that somebody set; null for none
 */
public record PendingAttributes(
        @Nullable Instant accessed,
        @Nullable Instant modified,
        boolean modifiedWasSet,
        @Nullable Integer mode) {
    public static final PendingAttributes NONE = new PendingAttributes(null, null, false, null);

    public boolean isEmpty() {
        return accessed == null && modified == null && mode == null;
    }

    /** Whether anything of it was set, and not only written. */
    boolean isOwed() {
        return accessed != null || modifiedWasSet || mode != null;
    }

    /** After a write at that moment. */
    public PendingAttributes written(Instant now) {
        if (now.equals(modified) && !modifiedWasSet) {
            return this; // The clock has not moved since the write before.
        }
        return new PendingAttributes(accessed, now, false, mode);
    }

    /** After a truncate that the server dated itself. */
    public PendingAttributes withoutModified() {
        return new PendingAttributes(accessed, null, false, mode);
    }

    /** After somebody set what the change has of times and permission bits. */
    public PendingAttributes set(AttributeChange change) {
        boolean sets = change.modified() != null;
        return new PendingAttributes(change.accessed(), change.modified(), sets, change.mode())
                .after(this);
    }

    /** This, and of an older one what this says nothing of. */
    PendingAttributes after(PendingAttributes older) {
        boolean mine = modified != null;
        return new PendingAttributes(
                accessed != null ? accessed : older.accessed,
                mine ? modified : older.modified,
                mine ? modifiedWasSet : older.modifiedWasSet,
                mode != null ? mode : older.mode);
    }

    /** Only what somebody set. */
    PendingAttributes owed() {
        return new PendingAttributes(
                accessed, modifiedWasSet ? modified : null, modifiedWasSet, mode);
    }

    /** Only the time of a write. */
    PendingAttributes notOwed() {
        return new PendingAttributes(null, modifiedWasSet ? null : modified, false, null);
    }

    public AttributeChange change() {
        return new AttributeChange(mode, null, null, null, accessed, modified);
    }
}
