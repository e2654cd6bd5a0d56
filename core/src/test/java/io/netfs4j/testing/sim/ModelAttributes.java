// SPDX-License-Identifier: Apache-2.0
package io.netfs4j.testing.sim;

import io.netfs4j.server.AttributeChange;
import io.netfs4j.vfs.Attributes;

import org.jspecify.annotations.Nullable;

import java.time.Instant;

/** What one file must show besides its content: bits, owners and times, as far as known. */
final class ModelAttributes {
    private final ModelFile file;

    /** Permission bits that were set, null when unknown. */
    private @Nullable Integer mode;

    /** User and group that were set, which are the same; null when unknown. */
    private @Nullable Integer owner;

    /** Times that were set and stand, null when unknown. */
    private @Nullable Instant accessed;

    private @Nullable Instant modified;

    /** When the server last refused attributes for good. */
    private int refusedAt;

    ModelAttributes(ModelFile file) {
        this.file = file;
    }

    /** Judges permission bits and owners, where the model knows them. */
    void checkBits(Attributes seen, String where) {
        check("mode", mode, seen.mode(), where);
        check("user", owner, seen.uid(), where);
        check("group", owner, seen.gid(), where);
    }

    /** A change of the content moves its time to one that nobody knows. */
    void contentChanges() {
        modified = null;
    }

    /** Somebody sets them: until that has ended they are unknown. */
    void forget(AttributeChange change) {
        mode = change.mode() == null ? mode : null;
        owner = change.uid() == null ? owner : null;
        accessed = change.accessed() == null ? accessed : null;
        modified = change.modified() == null ? modified : null;
    }

    /** They were set; but a change that came in between moved the file's modification time. */
    void timesWereSet(AttributeChange change, int since) {
        if (refusedAt >= since) {
            return;
        }
        accessed = change.accessed() == null ? accessed : change.accessed();
        if (change.modified() != null && !file.isChanging() && file.lastBegan < since) {
            modified = change.modified();
        }
    }

    /** Bits and owners were set: those of a file of this mount go with what is on its way. */
    void bitsWereSet(AttributeChange change, int since) {
        if (refusedAt < since) {
            mode = change.mode() == null ? mode : change.mode();
            owner = change.uid() == null ? owner : change.uid();
        }
    }

    /**
     * The server refused what a commit was to set for good, and will not be asked again.
     *
     * @return whether it is something that somebody set, who has to hear of it
     */
    boolean wereRefused(AttributeChange change, int now) {
        boolean ofMode = mode != null && mode.equals(change.mode());
        boolean ofOwner = owner != null && owner.equals(change.uid());
        boolean ofAccess = accessed != null && accessed.equals(change.accessed());
        boolean ofContent = modified != null && modified.equals(change.modified());
        mode = ofMode ? null : mode;
        owner = ofOwner ? null : owner;
        accessed = ofAccess ? null : accessed;
        modified = ofContent ? null : modified;
        refusedAt = now;
        return ofMode || ofOwner || ofAccess || ofContent;
    }

    /** Judges times, where the model knows them. */
    void checkTimes(Instant seenAccessed, Instant seenModified, String where) {
        check("accessed", accessed, seenAccessed, where);
        check("modified", modified, seenModified, where);
    }

    private void check(String what, @Nullable Object known, Object seen, String where) {
        if (known != null && !known.equals(seen)) {
            throw new Violation(
                    "attributes",
                    where
                            + " of file "
                            + file.number
                            + " shows "
                            + what
                            + " "
                            + seen
                            + ", not "
                            + known);
        }
    }
}
