// SPDX-License-Identifier: Apache-2.0
package io.netfs4j.vfs;

import io.netfs4j.engine.EngineLimits;
import io.netfs4j.pagecache.PageCache;

import org.jspecify.annotations.Nullable;

/**
 * How a {@link CachedVfs} behaves.
 *
 * @param memory the limits of the page cache
 * @param engine the limits of the engine
 * @param attributesValidNanos for how long names, attributes and listings are believed unasked
 * @param softTimeoutNanos 0 waits for a lost server for ever; else fsync and reads give up after so
 *     long with ETIMEDOUT, and what is dirty stays dirty
 * @param closeWaits whether close returns only when the data is on the server
 * @param syncWrites whether every write is synchronous
 * @param unbuffered whether every file is read and written past the page cache, as with O_DIRECT
 * @param metadataWriteback whether a new file is an application's before it is the server's
 * @param journalSyncs whether fsync returns once the journal is forced; else when the server has
 *     all
 * @param conflicts what is done where another client has changed a file that was changed here
 * @param readOnly whether changes are refused with EROFS
 * @param ownership what to show and drop of the server's owners and permission bits
 */
public record VfsOptions(
        PageCache.Limits memory,
        EngineLimits engine,
        long attributesValidNanos,
        long softTimeoutNanos,
        boolean closeWaits,
        boolean syncWrites,
        boolean unbuffered,
        boolean metadataWriteback,
        boolean journalSyncs,
        Conflicts conflicts,
        boolean readOnly,
        Ownership ownership) {
    /**
     * Owners as the user wants to see them.
     *
     * @param uid shown for every file; null shows the server's
     * @param gid likewise
     * @param umask permission bits that are hidden from every file; 0 shows the server's
     */
    public record Ownership(@Nullable Integer uid, @Nullable Integer gid, int umask) {
        public static final Ownership SERVERS = new Ownership(null, null, 0);
    }

    /** What is done where another client has changed a file that was changed here. */
    public enum OnConflict {
        /** What was changed here goes to a file beside it. */
        COPY,
        /** It stays here, and is not sent: a person decides. */
        FAIL,
        /** It is written over the other's, each range by the last writer. */
        OVERWRITE
    }

    /**
     * What is done about conflicts.
     *
     * @param host goes into the names of files that are made beside others
     */
    public record Conflicts(OnConflict policy, String host) {
        /** Whether the server is asked at all what it has. */
        boolean areLookedFor() {
            return policy != OnConflict.OVERWRITE;
        }
    }

    /** The same with a server that is asked before a new file is an application's. */
    public VfsOptions withMetadataSync() {
        return new VfsOptions(
                memory,
                engine,
                attributesValidNanos,
                softTimeoutNanos,
                closeWaits,
                syncWrites,
                unbuffered,
                false,
                journalSyncs,
                conflicts,
                readOnly,
                ownership);
    }

    /** The same with something else done about conflicts. */
    public VfsOptions withConflicts(Conflicts other) {
        return new VfsOptions(
                memory,
                engine,
                attributesValidNanos,
                softTimeoutNanos,
                closeWaits,
                syncWrites,
                unbuffered,
                metadataWriteback,
                journalSyncs,
                other,
                readOnly,
                ownership);
    }

    /** The defaults with another page cache. */
    public static VfsOptions of(PageCache.Limits memory) {
        return new VfsOptions(
                memory,
                EngineLimits.DEFAULT,
                5_000_000_000L,
                0,
                false,
                false,
                false,
                true,
                false,
                new Conflicts(OnConflict.OVERWRITE, ""),
                false,
                Ownership.SERVERS);
    }
}
