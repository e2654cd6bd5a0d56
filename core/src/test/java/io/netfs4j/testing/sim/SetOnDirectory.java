// SPDX-License-Identifier: Apache-2.0
package io.netfs4j.testing.sim;

import io.netfs4j.base.FsError;
import io.netfs4j.server.AttributeChange;
import io.netfs4j.server.Capability;

import org.jspecify.annotations.Nullable;

import java.time.Instant;

/**
 * Permission bits and times that were set on a directory, as far as the model knows that they stand
 * still: a name that comes or goes moves its modification time, and what the server refuses for
 * good is given up.
 */
final class SetOnDirectory {
    private @Nullable Integer mode;
    private @Nullable Instant accessed;
    private @Nullable Instant modified;

    /** Failures that were injected when the modification time was set. */
    private int faultsBefore;

    /** Operations on names in it, ever. */
    private int claims;

    boolean beingSet;

    /** An operation on a name in it begins. */
    void claimed() {
        claims++;
        modified = null;
    }

    int claims() {
        return claims;
    }

    /** Somebody sets something: until that has ended it is unknown. */
    void forget(AttributeChange change) {
        mode = change.mode() == null ? mode : null;
        accessed = change.accessed() == null ? accessed : null;
        modified = change.modified() == null ? modified : null;
    }

    /**
     * It was set.
     *
     * @param quiet whether no name in it was worked on meanwhile
     */
    void wasSet(AttributeChange change, boolean quiet, int faults) {
        mode = change.mode() == null ? mode : change.mode();
        accessed = change.accessed() == null ? accessed : change.accessed();
        if (change.modified() != null && quiet) {
            modified = change.modified();
            faultsBefore = faults;
        }
    }

    /** Judges what is seen of a directory. */
    void check(
            World world,
            ModelNode directory,
            int seenMode,
            Instant seenAccessed,
            Instant seenModified,
            String where) {
        if (world.server.injected.contains(FsError.EACCES)) {
            return; // Given up, perhaps.
        }
        check(directory, "mode", mode, seenMode, where);
        check(directory, "accessed", accessed, seenAccessed, where);
        // A name whose first attempts fail comes later; a hidden one goes later.
        if (faultsBefore == world.server.nameFaults
                && !world.hasOthers()
                && world.server.capabilities().has(Capability.UNLINKED_OPEN_FILES)) {
            check(directory, "modified", modified, seenModified, where);
        }
    }

    private static void check(
            ModelNode directory, String what, @Nullable Object known, Object seen, String where) {
        if (known != null && !known.equals(seen)) {
            throw new Violation(
                    "attributes",
                    where
                            + " of /"
                            + directory.path()
                            + " shows "
                            + what
                            + " "
                            + seen
                            + ", not "
                            + known);
        }
    }
}
