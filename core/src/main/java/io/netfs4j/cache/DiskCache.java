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
     * @param key names the file on its server, the same at the next mount
     * @param version the text of the coherency token under which content counts; what was stored
     *     under another is dropped. Null: nothing stored counts
     * @return null when this file is not cached
     */
    @Nullable Cookie acquire(String key, @Nullable String version);
}
