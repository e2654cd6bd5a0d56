// SPDX-License-Identifier: Apache-2.0
package io.netfs4j.server;

import java.time.Instant;

/**
 * What a server says of one file.
 *
 * @param sizeBytes for a symbolic link the length of its target; 0 for what has no size
 * @param mode the twelve permission bits
 * @param links number of names, 1 when the server does not tell
 * @param serverFileId the server's inode number, 0 when it does not tell
 */
public record ServerAttributes(
        FileType type,
        long sizeBytes,
        int mode,
        int uid,
        int gid,
        int links,
        Instant accessed,
        Instant modified,
        Instant changed,
        long serverFileId,
        CoherencyToken token) {}
