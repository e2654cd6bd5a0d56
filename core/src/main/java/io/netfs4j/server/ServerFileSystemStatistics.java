// SPDX-License-Identifier: Apache-2.0
package io.netfs4j.server;

/** statvfs(3): sizes in blocks of {@code blockBytes}. */
public record ServerFileSystemStatistics(
        long blockBytes,
        long blocks,
        long blocksFree,
        long blocksAvailable,
        long files,
        long filesFree,
        int nameBytesMax) {}
