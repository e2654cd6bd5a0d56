// SPDX-License-Identifier: Apache-2.0
package io.netfs4j.fuse;

import io.netfs4j.base.FsError;
import io.netfs4j.base.FsException;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/**
 * Attaches a connection to a directory and detaches it: by mount(2) as root, else by the setuid
 * helper {@code fusermount3}, which opens /dev/fuse, mounts, and passes the descriptor back.
 * Set-user-id bits and device files on the mount never count (nosuid, nodev).
 */
final class Mounting {
    private static final String SUBTYPE = "netfs";

    private Mounting() {}

    /** Mounts on a checked directory; the kernel's INIT then waits in the returned device. */
    static FuseDevice mount(Path mountPoint, FuseOptions options) throws FsException {
        if (!java.nio.file.Files.exists(Path.of(FuseDevice.PATH))) {
            throw new FsException(
                    FsError.ENODEV,
                    FuseDevice.PATH
                            + " is missing: load the module with `modprobe fuse`, or give the"
                            + " container the device");
        }
        if (Libc.geteuid() != 0) {
            return Fusermount.mount(mountPoint, helperOptions(options));
        }
        int fd = Libc.open(FuseDevice.PATH, Libc.O_RDWR | Libc.O_CLOEXEC);
        if (fd < 0) {
            throw cannot("open " + FuseDevice.PATH, -fd);
        }
        long flags = Libc.MS_NOSUID | Libc.MS_NODEV | (options.readOnly() ? Libc.MS_RDONLY : 0);
        int result =
                Libc.mount(
                        options.source(),
                        mountPoint.toString(),
                        "fuse." + SUBTYPE,
                        flags,
                        kernelOptions(fd, options));
        if (result == 0) {
            return new FuseDevice(fd);
        }
        Libc.close(fd);
        if (result == -Libc.EPERM && Fusermount.isInstalled()) {
            // Root in a container without CAP_SYS_ADMIN: the helper may be allowed more.
            return Fusermount.mount(mountPoint, helperOptions(options));
        }
        throw cannot("mount " + mountPoint, -result);
    }

    /**
     * Detaches the topmost mount of a directory.
     *
     * @param lazily also when it is in use; it then goes away with the last user
     * @throws FsException EBUSY when in use, EINVAL when not mounted
     */
    static void unmount(Path mountPoint, boolean lazily) throws FsException {
        if (Libc.geteuid() != 0) {
            Fusermount.unmount(mountPoint, lazily);
            return;
        }
        int flags = Libc.UMOUNT_NOFOLLOW | (lazily ? Libc.MNT_DETACH : 0);
        int result = Libc.umount2(mountPoint.toString(), flags);
        if (result == -Libc.EBUSY) {
            throw busy(mountPoint);
        }
        if (result == -Libc.EINVAL) {
            throw new FsException(FsError.EINVAL, mountPoint + " is not mounted");
        }
        if (result < 0) {
            throw cannot("unmount " + mountPoint, -result);
        }
    }

    /** Cuts the connection of the topmost mount of a directory; the mount may stay. Root only. */
    static void abort(Path mountPoint) throws FsException {
        int result = Libc.umount2(mountPoint.toString(), Libc.MNT_FORCE | Libc.UMOUNT_NOFOLLOW);
        // Busy is what it may be: the connection was cut before that was looked at.
        if (result < 0 && result != -Libc.EBUSY) {
            throw cannot("abort the connection of " + mountPoint, -result);
        }
    }

    static FsException busy(Path mountPoint) {
        return new FsException(
                FsError.EBUSY,
                mountPoint + " is in use: `fuser -vm " + mountPoint + "` shows by whom");
    }

    /** The data of mount(2), see fuse_parse_param in the kernel's fs/fuse/inode.c. */
    private static String kernelOptions(int fd, FuseOptions options) {
        StringBuilder data = new StringBuilder();
        data.append("fd=").append(fd).append(",rootmode=40000");
        data.append(",user_id=").append(Libc.geteuid());
        data.append(",group_id=").append(Libc.getegid());
        common(options).forEach(o -> data.append(',').append(o));
        return data.toString();
    }

    private static String helperOptions(FuseOptions options) {
        List<String> all = new ArrayList<>();
        all.add(options.readOnly() ? "ro" : "rw");
        all.add("nosuid");
        all.add("nodev");
        all.add("fsname=" + escape(options.source()));
        all.add("subtype=" + SUBTYPE);
        all.addAll(common(options));
        return String.join(",", all);
    }

    private static List<String> common(FuseOptions options) {
        List<String> all = new ArrayList<>();
        all.add("max_read=" + options.limits().readBytesMax());
        if (options.defaultPermissions()) {
            all.add("default_permissions");
        }
        if (options.allowOther()) {
            all.add("allow_other");
        }
        return all;
    }

    private static String escape(String value) {
        return value.replace("\\", "\\\\").replace(",", "\\,");
    }

    private static FsException cannot(String act, int errno) {
        return switch (errno) {
            case Libc.EPERM, 13 ->
                    new FsException(
                            FsError.EPERM,
                            "no permission to "
                                    + act
                                    + ": run as root, or install fusermount3 (package fuse3) and"
                                    + " allow /dev/fuse");
            case Libc.ENODEV ->
                    new FsException(
                            FsError.ENODEV,
                            "the kernel has no FUSE: load the module with `modprobe fuse`");
            default -> new FsException(FsError.EIO, "cannot " + act + ": errno " + errno);
        };
    }
}
