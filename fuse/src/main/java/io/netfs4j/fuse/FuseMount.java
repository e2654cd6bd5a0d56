// SPDX-License-Identifier: Apache-2.0
package io.netfs4j.fuse;

import io.netfs4j.base.Completion;
import io.netfs4j.base.FsException;
import io.netfs4j.vfs.KernelCache;
import io.netfs4j.vfs.Vfs;

import org.jspecify.annotations.Nullable;

import java.io.IOException;
import java.lang.System.Logger;
import java.lang.System.Logger.Level;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;

/**
 * A file system mounted on a directory.
 *
 * <p><b>Ownership</b>: whoever mounts it waits for {@link #ended} before it drains and closes the
 * file system behind it. The kernel does not wait for us when a mount is removed, so what is dirty
 * then still has to be written back.
 *
 * <p><b>Threads</b>: any. None of the methods may be called by a thread that answers requests of
 * the same mount.
 */
public final class FuseMount implements AutoCloseable {
    private static final Logger LOG = System.getLogger(FuseMount.class.getName());
    private static final Path CONNECTIONS = Path.of("/sys/fs/fuse/connections");

    /** Reads of 1 MiB ahead; with the kernel's 128 KiB sequential reads are a third slower. */
    private static final String READAHEAD_KIB = "1024";

    private final Path mountPoint;
    private final FuseSession session;
    private final Notifier notifier;
    private final MountTable.@Nullable Line mounted;

    /** Cut off by us: the session has ended, and the mount may be there still. */
    private volatile boolean aborted;

    private FuseMount(
            Path mountPoint,
            FuseSession session,
            Notifier notifier,
            MountTable.@Nullable Line mounted) {
        this.mountPoint = mountPoint;
        this.session = session;
        this.notifier = notifier;
        this.mounted = mounted;
    }

    /**
     * Mounts a file system, and returns when the directory shows it.
     *
     * @throws FsException in one line with the remedy: ENODEV no FUSE here, EPERM, ENOENT, ENOTDIR,
     *     ENOTEMPTY, EBUSY a live mount is there, ENOTCONN a dead one is; nothing is left mounted
     */
    public static FuseMount mount(Vfs vfs, Path directory, FuseOptions options) throws FsException {
        Notifier notifier = new Notifier();
        FuseMount mount =
                mount(new VfsHandler(vfs, options, notifier), notifier, directory, options);
        vfs.setKernelCache(mount.kernelCache());
        return mount;
    }

    static FuseMount mount(
            RequestHandler handler, Notifier notifier, Path directory, FuseOptions options)
            throws FsException {
        Path real = MountPoint.check(directory);
        FuseDevice device = Mounting.mount(real, options);
        // Held until the notifier holds it too: the session may end at any moment.
        device.retain();
        try {
            FuseSession session = new FuseSession(device, handler, options);
            session.start();
            Negotiation.Agreement agreement = session.awaitReady();
            notifier.start(device, agreement.hasEpoch());
            session.ended().whenDone((done, failure) -> notifier.end());
            FuseMount mount = new FuseMount(real, session, notifier, find(real));
            mount.raiseReadahead();
            return mount;
        } catch (Throwable t) {
            giveUp(real);
            throw t;
        } finally {
            device.release();
        }
    }

    /** Where it is mounted, without symbolic links. */
    public Path mountPoint() {
        return mountPoint;
    }

    /**
     * Done when the mount is gone, unmounted by whomever or cut off, and every file that was still
     * open has been released. Listeners run on a thread that is there for them; they may wait.
     */
    public Completion<Void> ended() {
        return session.ended();
    }

    /** Tells the kernel what it may no longer believe. */
    public KernelCache kernelCache() {
        return notifier;
    }

    /** How many requests wait for the file system now. */
    public int requestsInHand() {
        return session.inHandCount();
    }

    /**
     * Unmounts.
     *
     * @param lazily also when it is in use: the name disappears at once, the session ends with the
     *     last user
     * @throws FsException EBUSY when it is in use, with how to find out by whom
     */
    public void unmount(boolean lazily) throws FsException {
        if (isMounted()) {
            Mounting.unmount(mountPoint, lazily);
        }
    }

    /** Detaches a directory that some process of netfs serves or served. */
    public static void unmount(Path directory, boolean lazily) throws FsException {
        Mounting.unmount(directory.toAbsolutePath().normalize(), lazily);
    }

    /**
     * Cuts the connection: every waiting call fails with ECONNABORTED, later ones with ENOTCONN
     * until the mount is removed. The last resort; it needs the mount to be there still, or the
     * control file system of FUSE.
     */
    public void abort() throws FsException {
        aborted = true;
        if (mounted != null) {
            Path control = CONNECTIONS.resolve(mounted.deviceMinor() + "/abort");
            if (Files.isWritable(control)) {
                try {
                    Files.writeString(control, "1", StandardOpenOption.WRITE);
                    return;
                } catch (IOException e) {
                    LOG.log(Level.WARNING, "cannot abort by {0}: {1}", control, e.getMessage());
                }
            }
        }
        Mounting.abort(mountPoint);
    }

    /** Removes the mount whatever it takes: unmounts, or detaches it lazily. Never fails. */
    @Override
    public void close() {
        try {
            unmount(false);
        } catch (FsException inUse) {
            try {
                unmount(true);
            } catch (FsException e) {
                LOG.log(Level.WARNING, "{0} stays mounted: {1}", mountPoint, e.getMessage());
            }
        }
    }

    /** Whether what is mounted there is still this, and not something mounted later. */
    private boolean isMounted() {
        if (session.isUnmounted() && !aborted) {
            // The next one to be mounted there may have got the same device number.
            return false;
        }
        MountTable.Line now = find(mountPoint);
        return now != null && (mounted == null || now.device().equals(mounted.device()));
    }

    private static MountTable.@Nullable Line find(Path mountPoint) {
        try {
            return MountTable.at(mountPoint);
        } catch (IOException e) {
            LOG.log(Level.WARNING, "cannot read the mount table", e);
            return null;
        }
    }

    private static void giveUp(Path mountPoint) {
        try {
            Mounting.unmount(mountPoint, true);
        } catch (FsException e) {
            LOG.log(Level.DEBUG, "nothing was left to unmount: {0}", e.getMessage());
        }
    }

    /**
     * The kernel caps what a file system may ask for at INIT at 128 KiB; root may ask for more
     * afterwards. Others do without.
     */
    private void raiseReadahead() {
        if (mounted == null) {
            return;
        }
        Path setting = Path.of("/sys/class/bdi", mounted.device(), "read_ahead_kb");
        if (Files.isWritable(setting)) {
            try {
                Files.writeString(setting, READAHEAD_KIB, StandardOpenOption.WRITE);
            } catch (IOException e) {
                LOG.log(Level.DEBUG, "readahead stays as it is: {0}", e.getMessage());
            }
        }
    }
}
