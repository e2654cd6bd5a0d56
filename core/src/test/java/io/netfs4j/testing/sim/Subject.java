// SPDX-License-Identifier: Apache-2.0
package io.netfs4j.testing.sim;

import io.netfs4j.base.Environment;
import io.netfs4j.base.FsException;
import io.netfs4j.pagecache.MemoryHog;
import io.netfs4j.server.RemotePath;
import io.netfs4j.server.Server;
import io.netfs4j.vfs.Vfs;

import org.jspecify.annotations.Nullable;

import java.util.Map;
import java.util.random.RandomGenerator;

/** What a world tests: a file system over a server. */
interface Subject {
    Vfs vfs();

    /** As unmounting: returns when everything is on the server and given back. Waits. */
    void close() throws FsException;

    /**
     * What is held, by name: at the end each must be 0 (I18), and always at most its limit (I8).
     */
    Map<String, Long> accounts();

    /** Fails with a {@link Violation} when a lock is held, or an account is past its limit. */
    void check();

    /** Looks over everything that it holds, between two steps; a world hands itself in. */
    default void checkWhole(World world) {}

    /**
     * Takes a share of its memory from it, from 0 to 1; null when it has none.
     *
     * @param dirty whether that counts as dirty
     */
    default @Nullable MemoryHog squeeze(double share, boolean dirty) {
        return null;
    }

    /** Whether a file's length was not known when it was closed: the server answers later. */
    default boolean isClosedInDoubt() {
        return false;
    }

    /** Whether every write is synchronous. */
    default boolean isSynchronous() {
        return false;
    }

    /** Whether every file is written past the page cache. */
    default boolean isUnbuffered() {
        return false;
    }

    /** Whether it knows fallocate, lseek and copy_file_range, and exchanges names. */
    default boolean knowsRanges() {
        return true;
    }

    /** Whether it knows links, hard and symbolic ones. */
    default boolean knowsLinks() {
        return true;
    }

    /** Whether another client may change what the server stores. */
    default boolean bearsOthers() {
        return false;
    }

    /** For how long names and attributes count without being asked for again. */
    default long attributesValidNanos() {
        return 0;
    }

    /** Whether everything of the file under a path is on the server. */
    default boolean isSaved(RemotePath path) {
        return true;
    }

    /** Whether it knows how long a file is, after a write that failed. */
    default boolean knowsSize(long ino) {
        return true;
    }

    /** How many applications it bears at once. */
    default int applicationsMax() {
        return 4;
    }

    /** Makes one. The generator decides its limits. */
    interface Factory {
        Subject make(Environment environment, Server server, RandomGenerator limits)
                throws FsException;
    }
}
