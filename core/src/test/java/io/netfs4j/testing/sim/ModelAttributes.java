// SPDX-License-Identifier: Apache-2.0
package io.netfs4j.testing.sim;

import io.netfs4j.server.AttributeChange;

import org.jspecify.annotations.Nullable;

import java.time.Instant;

/** What one file must show besides its content: permission bits and times, as far as known. */
final class ModelAttributes {
    private final ModelFile file;

    /** Permission bits that were set, null when unknown. */
    @Nullable Integer mode;

    /** Times that were set and stand, null when unknown. */
    private @Nullable Instant accessed;

    private @Nullable Instant modified;

    /** When the server last refused attributes for good. */
    private int refusedAt;

    ModelAttributes(ModelFile file) {
        this.file = file;
    }

    /** Judges permission bits, where the model knows them. */
    void checkMode(int seenMode, String where) {
        if (mode != null && mode != seenMode) {
            throw new Violation(
                    "attributes",
                    where
                            + " of file "
                            + file.number
                            + " shows mode "
                            + Integer.toOctalString(seenMode)
                            + ", not "
                            + Integer.toOctalString(mode));
        }
    }

    /** A change of the content moves its time to one that nobody knows. */
    void contentChanges() {
        modified = null;
    }

    /** Somebody sets times: until that has ended they are unknown. */
    void forgetTimes(AttributeChange change) {
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

    /** Permission bits were set: those of a file of this mount go with what else is on its way. */
    void modeWasSet(int bits, int since) {
        mode = refusedAt >= since ? null : bits;
    }

    /**
     * The server refused what a commit was to set for good, and will not be asked again.
     *
     * @return whether it is something that somebody set, who has to hear of it
     */
    boolean wereRefused(AttributeChange change, int now) {
        boolean ofMode = mode != null && mode.equals(change.mode());
        boolean ofAccess = accessed != null && accessed.equals(change.accessed());
        boolean ofContent = modified != null && modified.equals(change.modified());
        mode = ofMode ? null : mode;
        accessed = ofAccess ? null : accessed;
        modified = ofContent ? null : modified;
        refusedAt = now;
        return ofMode || ofAccess || ofContent;
    }

    /** Judges times, where the model knows them. */
    void checkTimes(Instant seenAccessed, Instant seenModified, String where) {
        checkTime("accessed", accessed, seenAccessed, where);
        checkTime("modified", modified, seenModified, where);
    }

    private void checkTime(String what, @Nullable Instant known, Instant seen, String where) {
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
