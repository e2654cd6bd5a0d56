// SPDX-License-Identifier: Apache-2.0
package io.netfs4j;

import io.netfs4j.base.Environment;
import io.netfs4j.base.FsError;
import io.netfs4j.base.FsException;
import io.netfs4j.base.SystemDisk;
import io.netfs4j.base.TimedWaits;
import io.netfs4j.cache.store.DiskStore;
import io.netfs4j.cache.store.StoreLimits;
import io.netfs4j.cache.store.Succession;
import io.netfs4j.server.Remote;

import org.jspecify.annotations.Nullable;

import java.nio.file.Path;

/**
 * The disk cache of a mount, in its remote's part of a directory, locked. A mount does without
 * where that cannot be: everything but a directory that is not safe.
 */
final class MountCache implements AutoCloseable {
    /** A disk that takes longer to say what there is has nobody waiting for it. */
    private static final long OPENING_NANOS = 5_000_000_000L;

    /** A disk that takes longer to end has nobody waiting for it: the cache is not whole then. */
    private static final long ENDING_NANOS = 10_000_000_000L;

    private final Environment environment;
    private final @Nullable StateLock lock;
    private final @Nullable DiskStore store;
    private final @Nullable FsException without;

    private MountCache(
            Environment environment,
            @Nullable StateLock lock,
            @Nullable DiskStore store,
            @Nullable FsException without) {
        this.environment = environment;
        this.lock = lock;
        this.store = store;
        this.without = without;
    }

    /**
     * Opens it; null where none was asked for.
     *
     * @param state what the mount has locked already, maybe in the same directory
     * @throws FsException EINVAL as {@link StateDirectory#open}
     */
    static @Nullable MountCache open(
            Environment environment,
            Remote remote,
            MountOptions options,
            String place,
            @Nullable MountState state)
            throws FsException {
        Path root = options.cache();
        if (root == null || !MountOptions.outlives(remote)) {
            return null;
        }
        StateLock taken = null;
        DiskStore store = null;
        try {
            StateDirectory directory = StateDirectory.openCache(root);
            StateLock lock = state == null ? null : state.lock();
            if (lock == null || !directory.isOf(lock)) {
                lock = directory.lock(remote.absoluteText(), place);
                taken = lock;
            }
            SystemDisk disk = directory.part(lock, StateDirectory.CACHE);
            StoreLimits limits = StoreLimits.DEFAULT.withBytesMax(options.cacheBytesMax());
            Succession succession =
                    state == null
                            ? LastMount.follow(environment, remote, options)
                            : state.succession();
            store = DiskStore.open(environment, disk, limits, succession);
            MountCache cache = new MountCache(environment, taken, store, null);
            cache.awaitOpened(store);
            return cache;
        } catch (FsException e) {
            if (e.error() == FsError.EINVAL) {
                throw e;
            }
            return new MountCache(environment, null, null, e);
        } finally {
            if (store == null && taken != null) {
                taken.close();
            }
        }
    }

    /** The files that are opened first would not be cached. */
    private void awaitOpened(DiskStore opening) {
        try {
            TimedWaits.await(
                    environment, opening.opened(), OPENING_NANOS, "the disk cache does not open");
        } catch (FsException e) {
            // It goes on in the background.
        }
    }

    /** Null where the mount does without. */
    @Nullable DiskStore store() {
        return store;
    }

    /** Why the mount does without; else null. */
    @Nullable FsException without() {
        return without;
    }

    /** Comes after the last cookie was closed. Waits for the disk, but not for ever. */
    @Override
    public void close() {
        DiskStore open = store;
        boolean ended = open == null;
        try {
            if (open != null) {
                String late = "the disk cache does not end";
                TimedWaits.await(environment, open.close(), ENDING_NANOS, late);
                ended = true;
            }
        } catch (FsException e) {
            // The next mount finds no index, and trusts nothing that it names.
        } finally {
            // What still writes there must not meet another mount: the lock ends with the process.
            if (ended && lock != null) {
                lock.close();
            }
        }
    }
}
