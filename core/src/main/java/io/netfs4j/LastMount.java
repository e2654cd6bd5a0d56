// SPDX-License-Identifier: Apache-2.0
package io.netfs4j;

import io.netfs4j.base.Disk;
import io.netfs4j.base.Environment;
import io.netfs4j.base.FsException;
import io.netfs4j.cache.store.Succession;
import io.netfs4j.server.Remote;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Path;

/**
 * Which mount of a remote was the last that could change anything there, in its state directory.
 */
final class LastMount {
    private static final String LAST = "LAST";
    private static final String LAST_BEGUN = "LAST.new";

    private LastMount() {}

    /**
     * Of a mount without a state of its own: one that changes nothing is as good as the last. It
     * does without where the directory cannot be used.
     */
    static Succession follow(Environment environment, Remote remote, MountOptions options) {
        Path root = options.state();
        if (root == null || !options.vfs().readOnly()) {
            return Succession.UNKNOWN;
        }
        try {
            return follow(environment, remote, StateDirectory.open(root));
        } catch (FsException e) {
            return Succession.UNKNOWN;
        }
    }

    private static Succession follow(Environment environment, Remote remote, StateDirectory state)
            throws FsException {
        StateDirectory.Entry entry = state.entry(remote.absoluteText());
        if (entry != null && entry.holder() != null) {
            return Succession.UNKNOWN; // Another one may change something now.
        }
        Disk disk = state.unlocked(remote.absoluteText());
        long last = read(disk);
        if (last != 0) {
            return new Succession(last, last);
        }
        long present = environment.random().nextLong();
        return write(disk, present) ? new Succession(0, present) : Succession.UNKNOWN;
    }

    /**
     * A mount is the last from now on. What it will be known by afterwards is said by {@link #end}:
     * until then nobody is after it. One that cannot say so is after none, nor is another.
     */
    static Succession succeed(Disk disk, Environment environment) {
        long before = read(disk);
        return write(disk, environment.random().nextLong())
                ? new Succession(before, environment.random().nextLong())
                : Succession.UNKNOWN;
    }

    /** A mount has ended: what it has left counts. */
    static void end(Disk disk, Succession succession) {
        write(disk, succession.present());
    }

    private static boolean write(Disk disk, long last) {
        try {
            try (Disk.File file = disk.open(LAST_BEGUN, true)) {
                file.write(ByteBuffer.allocate(Long.BYTES).putLong(0, last), 0);
                file.force();
            }
            disk.rename(LAST_BEGUN, LAST);
            disk.forceNames();
            return true;
        } catch (IOException e) {
            try {
                disk.delete(LAST);
                disk.forceNames();
            } catch (IOException worse) {
                // It stands as it was: nothing can be done on such a disk, nor can a journal.
            }
            return false;
        }
    }

    private static long read(Disk disk) {
        ByteBuffer bytes = ByteBuffer.allocate(Long.BYTES);
        try (Disk.File file = disk.open(LAST, false)) {
            return file.read(bytes, 0) == Long.BYTES ? bytes.getLong(0) : 0;
        } catch (IOException e) {
            return 0;
        }
    }
}
