// SPDX-License-Identifier: Apache-2.0
package io.netfs4j.server;

/** What a server can do beyond the least that the SPI asks of all. */
public enum Capability {
    /** Bytes can be written at any offset of an existing file. */
    OFFSET_WRITES,
    /** Permission bits are kept. */
    MODES,
    /** Owner and group are kept and can be set by those who may. */
    OWNERS,
    SYMLINKS,
    HARD_LINKS,
    XATTRS,
    /** {@link Server#statistics} tells the truth. */
    STATISTICS,
    /** {@link ServerFile#sync} reaches the server's stable storage. */
    SYNC,
    /** Rename replaces its target atomically. */
    ATOMIC_RENAME,
    /** Rename can refuse to replace, atomically. */
    RENAME_NOREPLACE,
    /** Rename can exchange two names, atomically. */
    RENAME_EXCHANGE,
    /** {@link ServerFile#copyRange} copies without the bytes passing through us. */
    SERVER_COPY,
    /**
     * Nothing but names that are made exclusively keeps two clients from writing one file at once:
     * a commit has no precondition, and versions are told apart by coarse times.
     */
    NAMED_LOCKS,
    /** An open file stays usable, over reconnects too, after its last name is removed. */
    UNLINKED_OPEN_FILES
}
