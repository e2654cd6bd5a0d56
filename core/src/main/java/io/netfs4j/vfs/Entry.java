// SPDX-License-Identifier: Apache-2.0
package io.netfs4j.vfs;

import org.jspecify.annotations.Nullable;

/**
 * What a name was found to be, and for how long the caller may believe it without asking again.
 *
 * @param attributes null when there is no such name (a negative entry)
 * @param generation together with the inode number unique for the life of the mount
 */
public record Entry(
        @Nullable Attributes attributes,
        long generation,
        long entryValidNanos,
        long attributesValidNanos) {
    public boolean isNegative() {
        return attributes == null;
    }
}
