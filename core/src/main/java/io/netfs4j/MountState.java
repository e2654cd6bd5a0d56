// SPDX-License-Identifier: Apache-2.0
package io.netfs4j;

import io.netfs4j.base.Environment;
import io.netfs4j.base.FsException;
import io.netfs4j.base.SystemDisk;
import io.netfs4j.cache.journal.Journal;
import io.netfs4j.cache.journal.JournalLimits;
import io.netfs4j.cache.store.Succession;
import io.netfs4j.server.Remote;

import org.jspecify.annotations.Nullable;

/** What a mount keeps on this machine: its remote's part of the state directory, locked. */
record MountState(StateLock lock, Journal journal, Succession succession) implements AutoCloseable {
    /** Whether new files may be on this machine alone for a while. */
    static boolean allowsNewFiles(Remote remote, @Nullable MountState state) {
        return state != null || !MountOptions.outlives(remote);
    }

    /**
     * Opens it; null where there is to be none.
     *
     * @throws FsException as {@link StateDirectory} and {@link Journal#open}
     */
    static @Nullable MountState open(
            Environment environment, Remote remote, MountOptions options, String place)
            throws FsException {
        if (options.state() == null || !options.isOfState(remote)) {
            return null;
        }
        StateDirectory directory = StateDirectory.open(options.state());
        StateLock lock = directory.lock(remote.absoluteText(), place);
        boolean opened = false;
        try {
            JournalLimits limits = JournalLimits.DEFAULT.withBytesMax(options.journalBytesMax());
            SystemDisk disk = directory.part(lock, StateDirectory.JOURNAL);
            Journal journal = Journal.open(environment, disk, limits);
            Succession succession =
                    LastMount.succeed(new SystemDisk(lock.directory()), environment);
            opened = true;
            return new MountState(lock, journal, succession);
        } finally {
            if (!opened) {
                lock.close();
            }
        }
    }

    /** Comes after the server has ended: until then something may be appended. */
    @Override
    public void close() {
        journal.close();
        LastMount.end(new SystemDisk(lock.directory()), succession);
        lock.close();
    }
}
