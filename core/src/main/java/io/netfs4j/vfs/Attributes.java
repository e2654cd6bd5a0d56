// SPDX-License-Identifier: Apache-2.0
package io.netfs4j.vfs;

import io.netfs4j.server.FileType;

import java.time.Instant;

/**
 * A file's attributes as the application sees them: the size and times include what is not on the
 * server yet.
 *
 * @param ino the number by which this mount knows the file; 1 is the root
 * @param mode the twelve permission bits
 */
public record Attributes(
        long ino,
        FileType type,
        long sizeBytes,
        int mode,
        int uid,
        int gid,
        int links,
        Instant accessed,
        Instant modified,
        Instant changed) {}
