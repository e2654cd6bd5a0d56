// SPDX-License-Identifier: Apache-2.0
package io.netfs4j.cache;

import org.jspecify.annotations.Nullable;

/**
 * A mount's local cache of file content. Advisory: whatever goes wrong in it makes reads slower and
 * nothing else.
 *
 * <p><b>Threads</b>: any; never waits.
 */
public interface DiskCache {
    /**
     * The cookie of one file, until it is closed. One file has one cookie at a time.
     *
     * @param key names the file on its server, the same at the next mount: its number there, or,
     *     where the server does not tell one, its path, which begins with a slash
     * @param version the text of the coherency token under which content counts; what was stored
     *     under another is dropped. Null: nothing stored counts
     * @return null when this file is not cached
     */
    @Nullable Cookie acquire(String key, @Nullable String version);

    /**
     * As {@link #acquire(String, String)}, of a file that a journal has bytes of: what is stored
     * while it has them need not be written.
     */
    default @Nullable Cookie acquire(
            String key, @Nullable String version, @Nullable Journalled journal) {
        return acquire(key, version);
    }

    /**
     * The path names another file from now on, or none: it was removed, replaced or moved. No later
     * {@link #acquire} is served what was stored before, at later mounts neither. A cookie that is
     * open goes on, and what it has stored goes with it.
     *
     * <p>Must have been called before the change can be seen in the version of another file.
     */
    default void drop(String key) {}

    /** As {@link #drop}, for every path below a directory: that was removed or moved. */
    default void dropBelow(String directory) {}
}
