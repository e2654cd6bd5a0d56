// SPDX-License-Identifier: Apache-2.0
package io.netfs4j.cli;

import org.jspecify.annotations.Nullable;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.attribute.BasicFileAttributes;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;

/** Directories to mount on: how they are named, and whether one may be used. */
final class MountPoint {
    private static final Path MOUNT_TABLE = Path.of("/proc/self/mountinfo");

    /** What the table shows as the type of our mounts. */
    private static final String TYPE = "fuse.netfs";

    /** The place of the mount point in a line of the table. */
    private static final int MOUNT_POINT_FIELD = 4;

    /** For so long all mounts together are asked whether their process has gone. */
    private static final long ASK_MILLIS_MAX = 2_000;

    private MountPoint() {}

    /** The names by which a mount point may be meant: as written, then with links followed. */
    static List<Path> namesOf(Path directory) {
        List<Path> names = new ArrayList<>();
        Path absolute = directory.toAbsolutePath().normalize();
        names.add(absolute);
        // The directory itself is asked last, and only if it is a link: asking a mount whose server
        // is silent would wait for it.
        Path parent = absolute.getParent();
        Path name = absolute.getFileName();
        if (parent != null && name != null) {
            try {
                names.add(parent.toRealPath().resolve(name));
            } catch (IOException e) {
                return names;
            }
        }
        return names;
    }

    /** The real path as far as it exists; the rest as written. */
    static Path real(Path path) {
        Path absolute = path.toAbsolutePath().normalize();
        Path parent = absolute.getParent();
        Path name = absolute.getFileName();
        if (parent == null || name == null) {
            return absolute;
        }
        try {
            return absolute.toRealPath();
        } catch (IOException e) {
            return real(parent).resolve(name);
        }
    }

    /** Where a link leads that stands for a mount point; null when it is none. */
    static @Nullable Path linkTarget(Path directory) {
        try {
            return Files.isSymbolicLink(directory) ? directory.toRealPath() : null;
        } catch (IOException e) {
            return null;
        }
    }

    /**
     * Checks that something can be mounted on a directory.
     *
     * @return its real path
     */
    static Path check(Path directory) throws CommandFailure {
        for (Path name : namesOf(directory)) {
            refuseIfMounted(name);
        }
        Path real;
        try {
            real = directory.toRealPath();
        } catch (NoSuchFileException e) {
            throw unusable(directory, "does not exist; make it with mkdir");
        } catch (FileSystemException e) {
            throw unusable(directory, reason(e));
        } catch (IOException e) {
            throw unusable(directory, String.valueOf(e.getMessage()));
        }
        refuseIfMounted(real);
        if (!Files.isDirectory(real)) {
            throw unusable(directory, "is not a directory");
        }
        if (real.getParent() == null) {
            throw unusable(directory, "is the root directory; mount on a directory below it");
        }
        refuseIfNotEmpty(directory, real);
        return real;
    }

    /** Refuses a directory that is to be mounted inside itself. */
    static void refuseNesting(Path remote, Path mountPoint) throws CommandFailure {
        if (remote.startsWith(mountPoint) || mountPoint.startsWith(remote)) {
            throw new CommandFailure(
                    ExitCode.MOUNT_POINT,
                    "the remote directory "
                            + remote
                            + " and the mount point "
                            + mountPoint
                            + " must not lie one inside the other; choose another mount point");
        }
    }

    private static void refuseIfMounted(Path directory) throws CommandFailure {
        String type = mountedType(directory);
        if (type != null && isDead(directory)) {
            throw unusable(
                    directory,
                    "belongs to a mount whose process is gone; free it with netfs umount");
        }
        if (type != null) {
            throw unusable(
                    directory,
                    "is busy: a file system ("
                            + type
                            + ") is mounted there; unmount it first, or choose another directory");
        }
    }

    private static void refuseIfNotEmpty(Path directory, Path real) throws CommandFailure {
        try (Stream<Path> entries = Files.list(real)) {
            if (entries.findAny().isPresent()) {
                throw unusable(directory, "is not empty; choose an empty directory");
            }
        } catch (IOException e) {
            throw unusable(directory, "cannot be read: " + e.getMessage());
        }
    }

    /** Whether what is mounted there is ours and its process has gone without unmounting it. */
    static boolean isDead(Path directory) {
        if (!TYPE.equals(mountedType(directory))) {
            return false;
        }
        try {
            Files.readAttributes(directory, BasicFileAttributes.class);
            return false;
        } catch (IOException e) {
            return String.valueOf(e.getMessage()).contains("not connected");
        }
    }

    /**
     * Every mount of ours whose process has gone.
     *
     * @param alive those that need not be asked
     */
    static List<Path> allDead(Set<Path> alive) {
        List<Path> asked = new ArrayList<>();
        for (Mounted mounted : parse(table())) {
            if (mounted.type.equals(TYPE)) {
                try {
                    asked.add(Path.of(mounted.directory));
                } catch (InvalidPathException e) {
                    continue; // Mounted by a process that can name it; this one cannot.
                }
            }
        }
        asked.removeAll(alive);
        return deadOf(asked);
    }

    /**
     * Those of some directories that {@link #isDead}, as far as that can be told soon: a mount
     * whose process lives and is silent keeps whoever asks it waiting.
     */
    static List<Path> deadOf(List<Path> directories) {
        Set<Path> dead = ConcurrentHashMap.newKeySet();
        List<Thread> asking = new ArrayList<>();
        for (Path directory : directories) {
            Runnable ask =
                    () -> {
                        if (isDead(directory)) {
                            dead.add(directory);
                        }
                    };
            asking.add(Thread.ofPlatform().daemon().start(ask));
        }
        long deadline = System.nanoTime() + TimeUnit.MILLISECONDS.toNanos(ASK_MILLIS_MAX);
        try {
            for (Thread thread : asking) {
                long left = TimeUnit.NANOSECONDS.toMillis(deadline - System.nanoTime());
                thread.join(Math.max(1, left));
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
        return directories.stream().filter(dead::contains).toList();
    }

    /** The type of what is mounted exactly there; null when nothing is. */
    static @Nullable String mountedType(Path directory) {
        return mountedType(table(), directory);
    }

    static @Nullable String mountedType(String table, Path directory) {
        String type = null;
        for (Mounted mounted : parse(table)) {
            if (mounted.directory.equals(directory.toString())) {
                type = mounted.type; // The last one hides those before it.
            }
        }
        return type;
    }

    /** What the kernel says is mounted. */
    private static String table() {
        try {
            return Files.readString(MOUNT_TABLE, StandardCharsets.ISO_8859_1);
        } catch (IOException e) {
            // No table (not Linux, no /proc): then mounting itself says what is wrong.
            return "";
        }
    }

    private record Mounted(String directory, String type) {}

    /** Lines end with a newline alone: a carriage return stands in a name as it is. */
    private static List<Mounted> parse(String table) {
        List<Mounted> all = new ArrayList<>();
        for (String line : table.split("\n", -1)) {
            String[] fields = line.split(" ", -1);
            if (fields.length > MOUNT_POINT_FIELD) {
                int separator = line.indexOf(" - ");
                String after = separator < 0 ? "" : line.substring(separator + 3);
                int end = after.indexOf(' ');
                all.add(
                        new Mounted(
                                unescape(fields[MOUNT_POINT_FIELD]),
                                end < 0 ? after : after.substring(0, end)));
            }
        }
        return all;
    }

    /** The table writes space, tab, line end and backslash as \ooo, and other bytes as they are. */
    static String unescape(String field) {
        byte[] bytes = field.getBytes(StandardCharsets.ISO_8859_1);
        byte[] plain = new byte[bytes.length];
        int length = 0;
        for (int i = 0; i < bytes.length; i++) {
            if (bytes[i] == '\\' && i + 3 < bytes.length) {
                plain[length++] =
                        (byte)
                                Integer.parseInt(
                                        new String(bytes, i + 1, 3, StandardCharsets.ISO_8859_1),
                                        8);
                i += 3;
            } else {
                plain[length++] = bytes[i];
            }
        }
        return new String(plain, 0, length, StandardCharsets.UTF_8);
    }

    private static String reason(FileSystemException e) {
        String reason = e.getReason() == null ? "cannot be used" : e.getReason();
        if (reason.contains("not connected")) {
            return "belongs to a mount whose process is gone; free it with fusermount3 -u";
        }
        return "cannot be used: " + reason;
    }

    private static CommandFailure unusable(Path directory, String why) {
        return new CommandFailure(ExitCode.MOUNT_POINT, "the mount point " + directory + " " + why);
    }
}
