// SPDX-License-Identifier: Apache-2.0
package io.netfs4j.vfs;

import io.netfs4j.base.FsException;
import io.netfs4j.cache.journal.Journal;

/** Shows what the journal says of files. */
public final class FactsPeek {
    private FactsPeek() {}

    /** How many files it has that somebody wants; not names of ours that failed to go. */
    public static long wanted(Journal journal) {
        return journal.files().stream().filter(file -> isWanted(journal.facts(file))).count();
    }

    private static boolean isWanted(byte[] facts) {
        try {
            return FileFacts.decode(facts).state() != FileFacts.State.REMOVED;
        } catch (FsException e) {
            throw new AssertionError(e);
        }
    }
}
