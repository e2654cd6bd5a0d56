// SPDX-License-Identifier: Apache-2.0
package io.netfs4j;

import io.netfs4j.base.Disk;
import io.netfs4j.base.Environment;
import io.netfs4j.base.FsException;
import io.netfs4j.cache.store.Succession;
import io.netfs4j.server.Remote;

import java.io.IOException;
import java.nio.ByteBuffer;

/**
 * Which mount of a remote was the last that could change anything there, in its state directory.
 */
final class LastMount {
    private static final String LAST = "LAST";
    private static final String LAST_BEGUN = "LAST.new";

    private LastMount() {}

    /**
     * Of a mount without a state of its own: one that changes nothing is as good as the last.
     *
     * @throws FsException EINVAL as {@link StateDirectory#open}
     */
    static Succession follow(Environment environment, Remote remote, MountOptions options)
            throws FsException {
        if (options.state() == null || !options.vfs().readOnly()) {
            return Succession.UNKNOWN;
        }
        Disk disk = StateDirectory.open(options.state()).unlocked(remote.absoluteText());
        long last = read(disk);
        return last == 0 ? succeed(disk, environment) : new Succession(last, last);
    }

    /** A mount is the last from now on. One that cannot say so is after none, nor is another. */
    static Succession succeed(Disk disk, Environment environment) {
        long before = read(disk);
        long present = environment.random().nextLong();
        try {
            try (Disk.File file = disk.open(LAST_BEGUN, true)) {
                file.write(ByteBuffer.allocate(Long.BYTES).putLong(0, present), 0);
                file.force();
            }
            disk.rename(LAST_BEGUN, LAST);
            disk.forceNames();
            return new Succession(before, present);
        } catch (IOException e) {
            try {
                disk.delete(LAST);
            } catch (IOException worse) {
                e.addSuppressed(worse);
            }
            return Succession.UNKNOWN;
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
