// SPDX-License-Identifier: Apache-2.0
package io.netfs4j.cli;

/**
 * What a mount has counted so far; the names are those of {@code netfs status --json}.
 *
 * @param dirtyBytes acknowledged to applications and not on the server, those in flight included
 * @param inFlightBytes being sent at this moment
 * @param uploadedBytes acknowledged by the server since the mount began
 * @param uploadRequests pieces sent for them
 * @param downloadedBytes read from the server since the mount began
 * @param retries pieces sent again, whole or in part
 * @param errors uploads that failed
 * @param conflicts files that another client had changed when ours were to be sent
 * @param cacheReadBytes read from the disk cache
 * @param cachedBytes written to the disk cache
 * @param cacheErrors pieces that the disk cache could not read or write; they went past it
 */
record MountCounts(
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
        long cacheErrors) {}
