// SPDX-License-Identifier: Apache-2.0
package io.netfs4j.cli;

import org.jspecify.annotations.Nullable;

import java.util.List;

/**
 * One mount as {@code netfs status --json} shows it; the names of the components are the names in
 * the JSON and do not change.
 *
 * @param pid the process that serves the mount
 * @param mountPoint the directory's real path
 * @param remote as its user wrote it; a directory of this machine from its root on
 * @param state "mounted", or "draining" once the kernel has let go of it
 * @param connection to the server: "up", or "lost" while it is made again; null from a process of
 *     an earlier build, which does not tell
 * @param journalFailure why the journal takes nothing any more, so that each write waits for the
 *     server; null while it works, where there is none, and from a process of an earlier build
 * @param refused files whose upload was refused for good, their bytes kept
 * @param log the file that the process writes its log to; empty when that is stderr
 */
record MountStatus(
        long pid,
        String mountPoint,
        String remote,
        String state,
        @Nullable String connection,
        @Nullable String journalFailure,
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
        List<Unsaved> refused,
        String log) {

    static final String MOUNTED = "mounted";
    static final String DRAINING = "draining";

    static final String UP = "up";
    static final String LOST = "lost";

    /** What {@code netfs status --json} prints. */
    record Listing(List<MountStatus> mounts) {}

    boolean isMounted() {
        return state.equals(MOUNTED);
    }

    /** A few lines for people. */
    String text() {
        StringBuilder text = new StringBuilder();
        text.append(Printable.of(mountPoint)).append("  ").append(Printable.of(remote));
        text.append("  (").append(state).append(", pid ").append(pid).append(")\n");
        if (connection != null) {
            text.append("  connection         ").append(connection);
            text.append(connection.equals(LOST) ? ", connecting again\n" : "\n");
        }
        if (journalFailure != null) {
            text.append("  journal            failed: ").append(Printable.of(journalFailure));
            text.append("; each write waits for the server, until it is unmounted and mounted");
            text.append(" again\n");
        }
        text.append("  not on the server  ").append(Quantity.bytes(dirtyBytes));
        text.append(" (in flight ").append(Quantity.bytes(inFlightBytes)).append(")\n");
        text.append("  uploaded           ").append(Quantity.bytes(uploadedBytes));
        text.append(" in ").append(uploadRequests).append(" requests\n");
        text.append("  downloaded         ").append(Quantity.bytes(downloadedBytes)).append('\n');
        if (cacheReadBytes + cachedBytes + cacheErrors > 0) {
            text.append("  disk cache         ").append(Quantity.bytes(cacheReadBytes));
            text.append(" read, ").append(Quantity.bytes(cachedBytes)).append(" kept");
            text.append(cacheErrors > 0 ? ", " + cacheErrors + " errors\n" : "\n");
        }
        text.append("  retries, errors    ").append(retries).append(", ").append(errors);
        if (conflicts > 0) {
            text.append("\n  conflicts          ").append(conflicts).append(", see the log");
        }
        for (Unsaved file : refused) {
            text.append("\n  refused            ").append(file.line());
        }
        if (!log.isEmpty()) {
            text.append("\n  log                ").append(Printable.of(log));
        }
        return text.toString();
    }
}
