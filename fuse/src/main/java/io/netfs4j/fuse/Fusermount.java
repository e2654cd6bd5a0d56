// SPDX-License-Identifier: Apache-2.0
package io.netfs4j.fuse;

import io.netfs4j.base.FsError;
import io.netfs4j.base.FsException;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/**
 * The setuid helper {@code fusermount3} of the package fuse3, by which users who are not root
 * mount. It is started with one end of a socket, whose number is in {@code _FUSE_COMMFD}, and sends
 * the mounted descriptor of /dev/fuse over it (SCM_RIGHTS). Java's ProcessBuilder closes every
 * descriptor in the child, so it is started by posix_spawn.
 */
final class Fusermount {
    private static final String PROGRAM = "fusermount3";
    private static final String SOCKET_VARIABLE = "_FUSE_COMMFD";

    /** The number under which the helper finds its socket: the first after the standard three. */
    private static final int SOCKET_IN_CHILD = 3;

    private static final int STDOUT = 1;
    private static final int STDERR = 2;
    private static final int MESSAGE_BYTES_MAX = 4096;

    private Fusermount() {}

    static boolean isInstalled() {
        String path = System.getenv().getOrDefault("PATH", "/usr/bin:/bin");
        for (String directory : path.split(":")) {
            if (!directory.isEmpty() && Files.isExecutable(Path.of(directory, PROGRAM))) {
                return true;
            }
        }
        return false;
    }

    /** Mounts, and returns the device that the helper opened. */
    static FuseDevice mount(Path mountPoint, String options) throws FsException {
        requireInstalled();
        Libc.Pair socket = Libc.socketpair();
        Libc.Pair words = Libc.pipe();
        if (socket.failed() || words.failed()) {
            closeAll(socket, words);
            throw new FsException(FsError.EMFILE, "no file descriptors left for " + PROGRAM);
        }
        List<String> command = List.of(PROGRAM, "-o", options, "--", mountPoint.toString());
        int pid =
                Libc.spawn(
                        command,
                        environment(),
                        List.of(
                                // Standard ones first: the socket's number may be in their way.
                                new Libc.Inherited(words.second(), STDOUT),
                                new Libc.Inherited(words.second(), STDERR),
                                new Libc.Inherited(socket.second(), SOCKET_IN_CHILD)));
        Libc.close(socket.second());
        Libc.close(words.second());
        if (pid < 0) {
            Libc.close(socket.first());
            Libc.close(words.first());
            throw new FsException(FsError.EIO, "cannot start " + PROGRAM + ": errno " + -pid);
        }
        int fd = Libc.receiveDescriptor(socket.first());
        String said = read(words.first());
        int status = Libc.waitFor(pid);
        Libc.close(socket.first());
        if (fd >= 0) {
            return new FuseDevice(fd);
        }
        throw refused(mountPoint, said, status);
    }

    /** Detaches a mount of this user. */
    static void unmount(Path mountPoint, boolean lazily) throws FsException {
        requireInstalled();
        List<String> command = new ArrayList<>(List.of(PROGRAM, "-u"));
        if (lazily) {
            command.add("-z");
        }
        command.addAll(List.of("--", mountPoint.toString()));
        String said;
        int status;
        try {
            ProcessBuilder builder = new ProcessBuilder(command).redirectErrorStream(true);
            builder.environment().put("LC_ALL", "C");
            Process process = builder.start();
            process.getOutputStream().close();
            said = text(process.getInputStream().readNBytes(MESSAGE_BYTES_MAX));
            status = process.waitFor();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new FsException(FsError.EINTR, "interrupted while unmounting", e);
        } catch (IOException e) {
            throw new FsException(FsError.EIO, "cannot run " + PROGRAM + ": " + e, e);
        }
        if (status == 0) {
            return;
        }
        if (said.contains("busy")) {
            throw Mounting.busy(mountPoint);
        }
        if (said.contains("not found in") || said.contains("Invalid argument")) {
            throw new FsException(FsError.EINVAL, mountPoint + " is not mounted");
        }
        throw refused(mountPoint, said, status);
    }

    private static void requireInstalled() throws FsException {
        if (!isInstalled()) {
            throw new FsException(
                    FsError.ENODEV,
                    PROGRAM + " is not on PATH: install the package fuse3, or mount as root");
        }
    }

    /** What the helper's words mean, with the remedy where there is one. */
    static FsException refused(Path mountPoint, String said, int status) {
        String words = said.isEmpty() ? PROGRAM + " ended with status " + status : said;
        if (said.contains("user_allow_other")) {
            return new FsException(
                    FsError.EPERM,
                    "allow_other is not allowed to users here: add the line user_allow_other to"
                            + " /etc/fuse.conf");
        }
        if (said.contains("failed to open " + FuseDevice.PATH + ": Permission denied")) {
            return new FsException(
                    FsError.EPERM,
                    FuseDevice.PATH
                            + " lets this user not in: let everybody use it, as is usual (as root:"
                            + " chmod 666 "
                            + FuseDevice.PATH
                            + "), or mount as root");
        }
        if (said.contains("not owned by user") || said.contains("no write access to mountpoint")) {
            return new FsException(
                    FsError.EACCES,
                    "the mount point "
                            + mountPoint
                            + " belongs to another user, or may not be written by this one: choose"
                            + " a directory of your own");
        }
        boolean permission = said.contains("ermission") || said.contains("not permitted");
        return new FsException(permission ? FsError.EPERM : FsError.EIO, mountPoint + ": " + words);
    }

    private static List<String> environment() {
        List<String> all = new ArrayList<>();
        for (Map.Entry<String, String> e : System.getenv().entrySet()) {
            if (!e.getKey().equals(SOCKET_VARIABLE) && !e.getKey().startsWith("LC_")) {
                all.add(e.getKey() + "=" + e.getValue());
            }
        }
        all.add("LC_ALL=C");
        all.add(SOCKET_VARIABLE + "=" + SOCKET_IN_CHILD);
        return all;
    }

    /** Reads what was said until the helper ends, and closes the pipe. */
    private static String read(int fd) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment state = Libc.allocateState(arena);
            MemorySegment buffer = arena.allocate(MESSAGE_BYTES_MAX);
            long length = 0;
            long n;
            do {
                n = Libc.read(state, fd, buffer.asSlice(length), MESSAGE_BYTES_MAX - length);
                length += Math.max(n, 0);
            } while (n > 0 || n == -Libc.EINTR);
            return text(buffer.asSlice(0, length).toArray(ValueLayout.JAVA_BYTE));
        } finally {
            Libc.close(fd);
        }
    }

    private static String text(byte[] bytes) {
        return new String(bytes, StandardCharsets.UTF_8).strip();
    }

    private static void closeAll(Libc.Pair... pairs) {
        for (Libc.Pair pair : pairs) {
            if (!pair.failed()) {
                Libc.close(pair.first());
                Libc.close(pair.second());
            }
        }
    }
}
