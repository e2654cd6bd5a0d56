// SPDX-License-Identifier: Apache-2.0
package io.netfs4j;

/**
 * What a mount holds and has done.
 *
 * @param dirtyBytes not on the server yet, those in flight among them
 * @param inFlightBytes sent and not answered
 * @param memoryBytes of the page cache in use
 * @param errors write requests that failed
 * @param conflicts files that another client had changed when ours were to be sent
 * @param cacheReadBytes read from the disk cache
 * @param cachedBytes written to the disk cache
 * @param cacheErrors pieces that the disk cache could not read or write
 * @param connected false while the connection to the server is lost; see {@link
 *     io.netfs4j.server.Server#isConnected}
 */
public record MountStatus(
        long dirtyBytes,
        long inFlightBytes,
        long uploadedBytes,
        long uploadRequests,
        long downloadedBytes,
        long retries,
        long errors,
        long conflicts,
        long cacheReadBytes,
        long cachedBytes,
        long cacheErrors,
        long memoryBytes,
        int dirtyFiles,
        boolean connected) {}
