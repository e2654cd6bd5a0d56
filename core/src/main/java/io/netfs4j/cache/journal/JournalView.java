// SPDX-License-Identifier: Apache-2.0
package io.netfs4j.cache.journal;

import io.netfs4j.base.Disk;
import io.netfs4j.base.FsException;

import org.jspecify.annotations.Nullable;

import java.io.IOException;
import java.nio.file.NoSuchFileException;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.locks.ReentrantLock;

/**
 * What a journal held when it was looked at. Nothing is changed, and somebody else may be writing
 * it meanwhile: what comes then may be seen or not.
 */
public final class JournalView {
    /**
     * A journal in use moves on while it is read: segments go, and a record that was not there yet
     * may look damaged.
     */
    private static final int TRIES_MAX = 5;

    /**
     * A file that something is known of.
     *
     * @param facts what was last said of it; null where nothing was
     * @param ranges which of its bytes are there
     */
    @SuppressWarnings("ArrayRecordComponent") // Nobody compares it.
    public record File(
            long number, byte @Nullable [] facts, long sizeBytes, List<Journal.Range> ranges) {}

    private final List<File> files = new ArrayList<>();
    private final List<String> damages;

    private JournalView(Disk disk) throws IOException {
        ReentrantLock lock = new ReentrantLock();
        JournalIndex index = new JournalIndex(lock);
        JournalScan.Result found =
                new JournalScan(disk, JournalLimits.DEFAULT.segmentBytes(), index::replay).run();
        for (LogSegment segment : found.segments()) {
            Disk.File file = segment.file;
            if (file != null) {
                file.close();
            }
        }
        damages = found.damages().stream().map(JournalScan.Damage::words).toList();
        lock.lock();
        try {
            for (long number : index.numbers()) {
                JournalledFile known = index.known(number);
                files.add(new File(number, known.facts(), known.sizeBytes, known.ranges()));
            }
        } finally {
            lock.unlock();
        }
    }

    /**
     * Looks at what a directory holds.
     *
     * @throws FsException when it cannot be read, or a later version wrote it
     */
    public static JournalView of(Disk disk) throws FsException {
        Exception last = null;
        for (int i = 1; ; i++) {
            try {
                JournalView view = new JournalView(disk);
                if (view.damages.isEmpty() || i >= TRIES_MAX) {
                    return view;
                }
            } catch (NoSuchFileException e) {
                last = e;
            } catch (IOException | IllegalStateException e) {
                throw JournalErrors.of("the journal cannot be read", e);
            }
            if (i >= TRIES_MAX && last != null) {
                throw JournalErrors.of("the journal cannot be read", last);
            }
        }
    }

    public List<File> files() {
        return files;
    }

    /** As {@link Journal#damages}. */
    public List<String> damages() {
        return damages;
    }
}
