// SPDX-License-Identifier: Apache-2.0
package io.netfs4j.testing.sim;

import io.netfs4j.base.FsException;
import io.netfs4j.server.FileType;
import io.netfs4j.testing.sim.CrashTree.Directory;
import io.netfs4j.testing.sim.CrashTree.Link;
import io.netfs4j.testing.sim.CrashTree.Seen;
import io.netfs4j.vfs.Attributes;
import io.netfs4j.vfs.OpenDirectory;
import io.netfs4j.vfs.OpenFile;
import io.netfs4j.vfs.OpenFlags;
import io.netfs4j.vfs.Vfs;

import java.nio.ByteBuffer;
import java.time.Instant;
import java.util.Arrays;
import java.util.Map;
import java.util.TreeMap;

/** Reads all that a mount shows below a directory, as often as it takes. */
final class CrashEyes {
    private static final int TRIES_MAX = 2_000;
    private static final long PAUSE_NANOS = 20_000_000;
    private static final int SAVING_TRIES_MAX = 400 * 3600;
    private static final long SAVING_PAUSE_NANOS = 1_000_000_000;

    private static final int READ_BYTES = 1 << 12;

    /** The server may have more of what was under way when the last mount died. */
    private static final int ROOM_BYTES = 200_000;

    private final CrashWorld world;
    private final String home;

    CrashEyes(CrashWorld world, String home) {
        this.world = world;
        this.home = home;
    }

    /** By path. */
    TreeMap<String, Seen> all() {
        TreeMap<String, Seen> seen = new TreeMap<>();
        list("", seen);
        return seen;
    }

    private interface Try<T> {
        T run() throws FsException;
    }

    /** What fails for a reason that was injected is tried again. */
    private <T> T again(Try<T> action) {
        for (int i = 0; ; i++) {
            try {
                return action.run();
            } catch (FsException e) {
                world.requireExcused(e, "looking");
                if (i > TRIES_MAX) {
                    throw new Violation("liveness", "still fails: " + e, e);
                }
                world.loop.sleep(PAUSE_NANOS);
            }
        }
    }

    private void list(String directory, TreeMap<String, Seen> seen) {
        String path = home + (directory.isEmpty() ? "" : "/" + directory);
        Map<String, FileType> names = again(() -> world.at(path, this::names));
        names.forEach((name, type) -> {
            String child = directory.isEmpty() ? name : directory + "/" + name;
            seen.put(child, again(() -> world.at(home + "/" + child, ino -> look(ino, type))));
            if (type == FileType.DIRECTORY) {
                list(child, seen);
            }
        });
    }

    /** What a removed file is called until it goes; an earlier mount may have left it. */
    static boolean isHidden(String name) {
        return name.startsWith(World.HIDDEN_PREFIX);
    }

    private Map<String, FileType> names(long ino) throws FsException {
        Map<String, FileType> names = new TreeMap<>();
        Vfs vfs = world.vfs();
        OpenDirectory directory = vfs.openDirectory(ino);
        try {
            vfs.readDirectory(
                    directory,
                    0,
                    false,
                    (name, child, type, next, entry) -> {
                        if (!name.equals(".") && !name.equals("..") && !isHidden(name)) {
                            names.put(name, type);
                        }
                        return true;
                    });
        } finally {
            vfs.releaseDirectory(directory);
        }
        return names;
    }

    private Seen look(long ino, FileType type) throws FsException {
        return switch (type) {
            case DIRECTORY -> new Seen(new Directory(), new byte[0], Instant.EPOCH);
            case SYMLINK -> {
                Link link = new Link(world.vfs().readSymlink(ino));
                yield new Seen(link, new byte[0], Instant.EPOCH);
            }
            default -> file(ino);
        };
    }

    private Seen file(long ino) throws FsException {
        Attributes a = world.vfs().getAttributes(ino);
        OpenFile file = world.vfs().open(ino, OpenFlags.READ);
        try {
            byte[] bytes = bytes(file, (int) a.sizeBytes() + ROOM_BYTES);
            a = world.vfs().getAttributes(ino);
            return new Seen(null, bytes, a.modified());
        } finally {
            world.vfs().release(file);
        }
    }

    /** Nothing shows of the locks that the mount has on the server. */
    void requireNoLocks() {
        again(() -> {
            LockingServer.requireHidden(world.vfs());
            return true;
        });
    }

    /** Saves a file to the server. */
    void save(String path) {
        again(() -> world.at(home + "/" + path, this::save));
        // Where fsync is the journal's alone, the server is heard of later.
        for (int i = 0; !world.isSaved(home + "/" + path); i++) {
            if (i > SAVING_TRIES_MAX) {
                throw new Violation("liveness", "/" + path + " is never saved");
            }
            world.loop.sleep(SAVING_PAUSE_NANOS);
        }
    }

    private boolean save(long ino) throws FsException {
        OpenFile file = world.vfs().open(ino, OpenFlags.READ_WRITE);
        try {
            world.vfs().fsync(file, false);
        } finally {
            world.vfs().release(file);
        }
        return true;
    }

    /** Up to so many bytes of an open file. */
    byte[] bytes(OpenFile file, int most) {
        ByteBuffer target = ByteBuffer.allocate(most);
        while (target.hasRemaining()) {
            // Little enough to come through where most pieces fail.
            int at = target.position();
            int length = Math.min(target.remaining(), READ_BYTES);
            ByteBuffer part = target.slice(at, length);
            int count = again(() -> world.vfs().read(file, at, part.clear()));
            target.position(at + count);
            if (count == 0) {
                break;
            }
        }
        return Arrays.copyOf(target.array(), target.position());
    }
}
