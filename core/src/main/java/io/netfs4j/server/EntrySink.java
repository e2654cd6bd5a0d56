// SPDX-License-Identifier: Apache-2.0
package io.netfs4j.server;

import io.netfs4j.base.FsException;

import org.jspecify.annotations.Nullable;

/** Takes the entries of a listing one by one, so that a long one is never held twice. */
@FunctionalInterface
public interface EntrySink {
    /**
     * One entry; "." and ".." are left out by the back end, and names that cannot be file names.
     *
     * @param attributes null when the listing does not carry them
     * @throws FsException to end the listing (the limit is reached)
     */
    void entry(String name, FileType type, @Nullable ServerAttributes attributes)
            throws FsException;
}
