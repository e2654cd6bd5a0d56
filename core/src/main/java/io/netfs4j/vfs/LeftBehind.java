// SPDX-License-Identifier: Apache-2.0
package io.netfs4j.vfs;

import io.netfs4j.base.Disk;
import io.netfs4j.base.FsException;
import io.netfs4j.cache.journal.Journal;
import io.netfs4j.cache.journal.JournalView;

import org.jspecify.annotations.Nullable;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;

/**
 * What a mount would take up of a journal, or has in it now, for people to look at.
 *
 * @param files by their paths
 * @param damages in words
 */
public record LeftBehind(List<PendingChange> files, List<String> damages) {
    /**
     * A file with anything that the server lacks.
     *
     * @param path below the remote; empty where nobody knows
     * @param state "new" before the server has the file, "changed" when it has it, "removed" where
     *     only a name is left to be taken away, "unknown" where that is damaged
     * @param bytes that the server lacks
     */
    public record PendingChange(String path, String state, long bytes) {}

    /**
     * Looks at a journal, which may be in use.
     *
     * @throws FsException when it cannot be read
     */
    public static LeftBehind in(Disk disk) throws FsException {
        JournalView view = JournalView.of(disk);
        List<PendingChange> files = new ArrayList<>();
        for (JournalView.File file : view.files()) {
            PendingChange change = change(file);
            if (change != null) {
                files.add(change);
            }
        }
        files.sort(Comparator.comparing(PendingChange::path));
        return new LeftBehind(List.copyOf(files), view.damages());
    }

    /** Null for a file that nobody wants any more. */
    private static @Nullable PendingChange change(JournalView.File file) {
        byte[] encoded = file.facts();
        FileFacts facts;
        try {
            facts = encoded == null ? null : FileFacts.decode(encoded);
        } catch (FsException e) {
            facts = null;
        }
        if (facts == null) {
            return new PendingChange("", "unknown", bytes(file, file.sizeBytes()));
        }
        String path = facts.path() == null ? "" : facts.path().toString();
        long size = facts.truncatingTo() >= 0 ? facts.truncatingTo() : file.sizeBytes();
        return switch (facts.state()) {
            case GONE -> null;
            case REMOVED -> new PendingChange(path, "removed", 0);
            case THERE -> new PendingChange(path, "changed", bytes(file, size));
            case NEW, NEW_OR_EMPTIED -> new PendingChange(path, "new", bytes(file, size));
        };
    }

    private static long bytes(JournalView.File file, long size) {
        long bytes = 0;
        for (Journal.Range range : file.ranges()) {
            bytes += Math.max(0, Math.min(size, range.to()) - range.from());
        }
        return bytes;
    }

    public boolean isEmpty() {
        return files.isEmpty() && damages.isEmpty();
    }

    /** All that the server lacks. */
    public long bytes() {
        return files.stream().mapToLong(PendingChange::bytes).sum();
    }
}
