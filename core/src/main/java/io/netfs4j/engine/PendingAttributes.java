// SPDX-License-Identifier: Apache-2.0
package io.netfs4j.engine;

import io.netfs4j.server.AttributeChange;

import org.jspecify.annotations.Nullable;

import java.time.Instant;

/**
 * Times, permission bits and owners of a file that the next commit takes to the server. What
 * somebody set is owed: a commit that fails leaves it to the next. The time of a write goes along
 * with its data, and is not worth a request of its own.
 *
 * @param modifiedWasSet whether somebody set the modification time; else it is that of a write
 * @param mode permission bits that somebody set; null for none
 * @param uid owner that somebody set; null for none
 * @param gid group that somebody set; null for none
 */
public record PendingAttributes(
        @Nullable Instant accessed,
        @Nullable Instant modified,
        boolean modifiedWasSet,
        @Nullable Integer mode,
        @Nullable Integer uid,
        @Nullable Integer gid) {
    public static final PendingAttributes NONE =
            new PendingAttributes(null, null, false, null, null, null);

    public boolean isEmpty() {
        return equals(NONE);
    }

    /** Whether anything of it was set, and not only written. */
    public boolean isOwed() {
        return !owed().isEmpty();
    }

    /** After a write at that moment. */
    public PendingAttributes written(Instant now) {
        if (now.equals(modified) && !modifiedWasSet) {
            return this; // The clock has not moved since the write before.
        }
        return new PendingAttributes(accessed, now, false, mode, uid, gid);
    }

    /** After a truncate that the server dated itself. */
    public PendingAttributes withoutModified() {
        return new PendingAttributes(accessed, null, false, mode, uid, gid);
    }

    /** After somebody set what the change has, but for the size. */
    public PendingAttributes set(AttributeChange change) {
        return new PendingAttributes(
                        change.accessed(),
                        change.modified(),
                        change.modified() != null,
                        change.mode(),
                        change.uid(),
                        change.gid())
                .after(this);
    }

    /** This, and of an older one what this says nothing of. */
    PendingAttributes after(PendingAttributes older) {
        boolean mine = modified != null;
        return new PendingAttributes(
                accessed != null ? accessed : older.accessed,
                mine ? modified : older.modified,
                mine ? modifiedWasSet : older.modifiedWasSet,
                mode != null ? mode : older.mode,
                uid != null ? uid : older.uid,
                gid != null ? gid : older.gid);
    }

    /** Only what somebody set. */
    PendingAttributes owed() {
        return new PendingAttributes(
                accessed, modifiedWasSet ? modified : null, modifiedWasSet, mode, uid, gid);
    }

    /** Only the time of a write. */
    PendingAttributes notOwed() {
        Instant time = modifiedWasSet ? null : modified;
        return new PendingAttributes(null, time, false, null, null, null);
    }

    public AttributeChange change() {
        return new AttributeChange(mode, uid, gid, null, accessed, modified);
    }
}
