// SPDX-License-Identifier: Apache-2.0
package io.netfs4j.cli;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFileAttributes;
import java.nio.file.attribute.PosixFilePermission;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Stream;

/**
 * Where the processes of one user's mounts leave their control sockets: a directory that nobody
 * else can enter, one socket in it for each process, {@code PID.sock}.
 *
 * <p>{@code $XDG_RUNTIME_DIR/netfs}, else {@code /run/user/UID/netfs}, else {@code /tmp/netfs-UID}.
 * A command may run in an environment other than the mount's, so it looks in all of them.
 */
final class RuntimeDirectory {
    /** What the kernel takes as a socket's path is 108 bytes with the zero; PID.sock needs 16. */
    private static final int PATH_BYTES_MAX = 90;

    private static final Set<PosixFilePermission> OWNER_ONLY =
            PosixFilePermissions.fromString("rwx------");

    private final List<Path> candidates;

    RuntimeDirectory(List<Path> candidates) {
        this.candidates = List.copyOf(candidates);
    }

    static RuntimeDirectory ofUser(Map<String, String> environment) {
        int uid = userId();
        List<Path> candidates = new ArrayList<>();
        String xdg = environment.get("XDG_RUNTIME_DIR");
        if (xdg != null && xdg.startsWith("/") && xdg.length() <= PATH_BYTES_MAX) {
            candidates.add(Path.of(xdg, "netfs"));
        }
        candidates.add(Path.of("/run/user/" + uid, "netfs"));
        candidates.add(Path.of("/tmp/netfs-" + uid));
        return new RuntimeDirectory(candidates.stream().distinct().toList());
    }

    /** The user that this process acts as, read from the kernel's account of it. */
    static int userId() {
        try {
            return (Integer) Files.getAttribute(Path.of("/proc/self"), "unix:uid");
        } catch (IOException | UnsupportedOperationException e) {
            throw new IllegalStateException("cannot tell the user of this process", e);
        }
    }

    /** The first directory that can be made and is ours alone. */
    Path create() throws CommandFailure {
        String why = "";
        for (Path candidate : candidates) {
            Path parent = candidate.getParent();
            if (parent == null || !Files.isDirectory(parent) || !Files.isWritable(parent)) {
                continue;
            }
            try {
                if (!Files.exists(candidate, LinkOption.NOFOLLOW_LINKS)) {
                    Files.createDirectory(
                            candidate, PosixFilePermissions.asFileAttribute(OWNER_ONLY));
                }
            } catch (java.nio.file.FileAlreadyExistsException e) {
                // Another mount made it between the question and the answer.
            } catch (IOException e) {
                why = e.toString();
                continue;
            }
            if (isOurs(candidate)) {
                return candidate;
            }
            why = candidate + " belongs to somebody else or lets others in; remove it";
        }
        throw new CommandFailure(
                ExitCode.FAILED,
                "no directory for the control socket ("
                        + (why.isEmpty() ? "tried " + candidates : why)
                        + "); set XDG_RUNTIME_DIR to a directory of your own");
    }

    /** The sockets of all mounts of this user, those of processes that are gone included. */
    List<Path> sockets() {
        List<Path> sockets = new ArrayList<>();
        for (Path directory : existing()) {
            try (Stream<Path> files = Files.list(directory)) {
                files.filter(file -> file.toString().endsWith(".sock"))
                        .sorted()
                        .forEach(sockets::add);
            } catch (IOException e) {
                // Gone meanwhile: no mounts there.
                continue;
            }
        }
        return sockets;
    }

    /** Those of the directories that are there and ours alone. */
    List<Path> existing() {
        return candidates.stream().filter(RuntimeDirectory::isOurs).toList();
    }

    /** Where the process {@code pid} listens. */
    static Path socket(Path directory, long pid) {
        return directory.resolve(pid + ".sock");
    }

    /** The process whose socket this is; -1 when the name is not one of ours. */
    static long pid(Path socket) {
        Path name = socket.getFileName();
        String digits = name == null ? "" : name.toString().replace(".sock", "");
        return digits.matches("[0-9]{1,18}") ? Long.parseLong(digits) : -1;
    }

    private static boolean isOurs(Path directory) {
        try {
            PosixFileAttributes attributes =
                    Files.readAttributes(
                            directory, PosixFileAttributes.class, LinkOption.NOFOLLOW_LINKS);
            int owner =
                    (Integer) Files.getAttribute(directory, "unix:uid", LinkOption.NOFOLLOW_LINKS);
            return attributes.isDirectory()
                    && attributes.permissions().equals(OWNER_ONLY)
                    && owner == userId();
        } catch (IOException e) {
            return false;
        }
    }
}
