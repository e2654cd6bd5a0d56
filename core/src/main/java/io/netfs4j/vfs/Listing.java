// SPDX-License-Identifier: Apache-2.0
package io.netfs4j.vfs;

import io.netfs4j.server.FileType;
import io.netfs4j.server.ServerAttributes;

import org.jspecify.annotations.Nullable;

import java.util.Map;

/**
 * What a directory held when it was listed, kept true by our own changes since.
 *
 * <p><b>Threads</b>: with the table's lock held.
 *
 * @param fetchedNanos when the listing was asked for
 */
record Listing(Map<String, Listed> entries, long fetchedNanos) {
    /**
     * One entry.
     *
     * @param ino the number that it will have, or has
     * @param attributes null when the listing did not carry them
     */
    record Listed(long ino, FileType type, @Nullable ServerAttributes attributes) {}
}
