// SPDX-License-Identifier: Apache-2.0
package io.netfs4j;

import io.netfs4j.base.FsError;
import io.netfs4j.base.FsException;
import io.netfs4j.base.SystemDisk;
import io.netfs4j.base.SystemErrors;
import io.netfs4j.vfs.LeftBehind;

import org.jspecify.annotations.Nullable;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.FileAttribute;
import java.nio.file.attribute.PosixFilePermissions;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.Deque;
import java.util.HexFormat;
import java.util.List;
import java.util.Set;
import java.util.stream.Stream;

/**
 * Where this machine keeps what servers have not got yet, or what it has of them for later: a
 * directory of one user, and in it one for each remote.
 *
 * <pre>
 *   ROOT/                       0700
 *     host-srv-data-1f2e.../    0700, one for each remote
 *       REMOTE                  which remote that is
 *       LOCK                    who has it mounted, see {@link StateLock}
 *       journal/                0700, what the server has not got yet
 *       journal.discarded/      a journal that was given up, until it is gone
 *       cache/                  0700, what was read and sent
 * </pre>
 *
 * <p>What lies here is somebody's files, and is sent with his rights: so nobody else may read,
 * write or replace it.
 *
 * <p><b>Threads</b>: any; waits for the disk.
 */
public final class StateDirectory {
    static final String REMOTE = "REMOTE";
    static final String JOURNAL = "journal";
    static final String CACHE = "cache";

    private static final String REMOTE_BEGUN = "REMOTE.new";

    /** What a journal is called that nobody wants any more, until its files are gone. */
    private static final String DISCARDED = "journal.discarded";

    /** Of the remote in the name of its directory, for people. */
    private static final int READABLE_CHARS_MAX = 48;

    /** Of the hash that tells remotes apart, in bytes. */
    private static final int HASH_BYTES = 8;

    private static final int PERMISSION_BITS = 07777;
    private static final int NOT_OWNER_BITS = 0077;
    private static final int STICKY_BIT = 01000;
    private static final int OTHERS_WRITE_BIT = 0002;

    private static final FileAttribute<?> OWNER_ONLY =
            PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rwx------"));

    static final FileAttribute<Set<java.nio.file.attribute.PosixFilePermission>> OWNER_ONLY_FILE =
            PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rw-------"));

    /**
     * What is kept of one remote.
     *
     * @param remote as {@link io.netfs4j.server.Remote#absoluteText}; null where nothing says which
     *     that is. A mount of it finds the directory all the same, by its name
     * @param holder who has it mounted now; null for nobody, as far as can be told
     */
    public record Entry(@Nullable String remote, Path directory, @Nullable StateHolder holder) {
        /** For people: the remote, or else the directory. */
        public String words() {
            return remote == null ? directory.toString() : remote;
        }

        /** The directory of its journal, which need not be there. */
        public Path journal() {
            return directory.resolve(JOURNAL);
        }

        /** Without one nothing is left: there never was any, or it was given up. */
        public boolean hasJournal() {
            return Files.isDirectory(journal());
        }

        /**
         * What the server has not got yet; somebody may be sending it meanwhile.
         *
         * @throws FsException when it cannot be read
         */
        public LeftBehind left() throws FsException {
            return hasJournal()
                    ? LeftBehind.in(new SystemDisk(journal()))
                    : new LeftBehind(List.of(), List.of());
        }

        /** As {@link #left}; that it cannot be read is a damage. */
        public LeftBehind leftOrDamage() {
            try {
                return left();
            } catch (FsException e) {
                return new LeftBehind(List.of(), List.of(String.valueOf(e.getMessage())));
            }
        }
    }

    private final Path root;

    /** That of {@link MountOptions} which names it: "state" or "cache". */
    private final String option;

    private StateDirectory(Path root, String option) {
        this.root = root;
        this.option = option;
    }

    /**
     * Makes the directory where it is not there, with those above it, and looks whether it is safe.
     *
     * @param root an absolute path
     * @throws FsException EINVAL when others could read, write or replace it; else what the disk
     *     says. Names the directory and the remedy
     */
    public static StateDirectory open(Path root) throws FsException {
        return open(root, MountOptions.STATE);
    }

    /** The same for what a mount can do without: the disk cache. */
    static StateDirectory openCache(Path root) throws FsException {
        return open(root, MountOptions.CACHE);
    }

    private static StateDirectory open(Path root, String option) throws FsException {
        StateDirectory state = new StateDirectory(root.toAbsolutePath().normalize(), option);
        try {
            makeWithParents(state.root);
            state.check();
        } catch (IOException e) {
            throw state.failure(state.words() + " cannot be used", e);
        }
        return state;
    }

    private String words() {
        return "the " + option + " directory " + root;
    }

    /** To look at only: nothing is made, and nothing need be there. */
    public static StateDirectory lookAt(Path root) {
        return new StateDirectory(root.toAbsolutePath().normalize(), MountOptions.STATE);
    }

    public Path root() {
        return root;
    }

    /**
     * Takes what is kept of a remote for one mount.
     *
     * @param remote as {@link io.netfs4j.server.Remote#absoluteText}
     * @param place where it is mounted, for whoever is refused meanwhile
     * @throws FsException EBUSY while another mount has it, naming that one
     */
    StateLock lock(String remote, String place) throws FsException {
        Path directory = root.resolve(name(remote));
        try {
            make(directory);
            writeRemote(directory, remote);
            new SystemDisk(root).forceNames();
            return StateLock.take(directory, remote, place);
        } catch (IOException e) {
            throw failure("what is kept in " + directory + " cannot be used", e);
        }
    }

    /** The directory of a remote, for what is changed there in one step. */
    SystemDisk unlocked(String remote) throws FsException {
        Path directory = root.resolve(name(remote));
        try {
            make(directory);
            return new SystemDisk(directory);
        } catch (IOException e) {
            throw failure("what is kept in " + directory + " cannot be used", e);
        }
    }

    /** Whether something that is locked lies here. */
    boolean isOf(StateLock lock) {
        return lock.directory().startsWith(root);
    }

    /** Makes one of the directories in that of a remote, where it is not there. */
    SystemDisk part(StateLock lock, String name) throws FsException {
        Path part = lock.directory().resolve(name);
        try {
            make(part);
            new SystemDisk(lock.directory()).forceNames();
            return new SystemDisk(part);
        } catch (IOException e) {
            throw failure("what is kept in " + part + " cannot be used", e);
        }
    }

    /** What is kept of a remote, with or without a journal; null when nothing ever was. */
    public @Nullable Entry entry(String remote) throws FsException {
        Path directory = root.resolve(name(remote));
        return Files.isDirectory(directory) ? entryOf(directory, remote) : null;
    }

    /**
     * Gives up for good what a server has not got: the next mount of the remote finds nothing. What
     * the server has of it stays there as it is. In one step: after a crash all of it is there, or
     * nothing.
     *
     * @return what that was
     * @throws FsException EBUSY while a mount has it, naming that one; ENOENT when nothing was ever
     *     kept of the remote; else as {@link #open}
     */
    public LeftBehind discard(String remote) throws FsException {
        Entry entry = entry(remote);
        if (entry == null) {
            throw new FsException(FsError.ENOENT, "nothing is kept of " + remote + " in " + root);
        }
        return discard(entry);
    }

    /** The same for one of those that {@link #entries} has found, also of an unknown remote. */
    public LeftBehind discard(Entry entry) throws FsException {
        try {
            check();
            try (StateLock lock =
                    StateLock.take(entry.directory(), entry.words(), "netfs recover --discard")) {
                LeftBehind left = entry.leftOrDamage();
                Path discarded = lock.directory().resolve(DISCARDED);
                removeWithFiles(discarded);
                if (entry.hasJournal()) {
                    Files.move(entry.journal(), discarded, StandardCopyOption.ATOMIC_MOVE);
                    new SystemDisk(lock.directory()).forceNames();
                    removeWithFiles(discarded);
                }
                return left;
            }
        } catch (IOException e) {
            throw failure("what is kept in " + entry.directory() + " cannot be given up", e);
        }
    }

    private static void removeWithFiles(Path directory) throws IOException {
        if (Files.isDirectory(directory, LinkOption.NOFOLLOW_LINKS)) {
            SystemDisk disk = new SystemDisk(directory);
            for (String name : disk.list()) {
                disk.delete(name);
            }
            Files.delete(directory);
        }
    }

    /** What is kept of every remote, by their names; of an unknown one, where it has a journal. */
    public List<Entry> entries() throws FsException {
        List<Entry> found = new ArrayList<>();
        List<Path> directories;
        try (Stream<Path> all = Files.list(root)) {
            directories = all.toList();
        } catch (NoSuchFileException e) {
            return found;
        } catch (IOException e) {
            throw failure(words() + " cannot be read", e);
        }
        for (Path directory : directories) {
            String remote = remoteOf(directory);
            if (remote != null || Files.isDirectory(directory.resolve(JOURNAL))) {
                found.add(entryOf(directory, remote));
            }
        }
        found.sort(Comparator.comparing(Entry::words));
        return found;
    }

    private static Entry entryOf(Path directory, @Nullable String remote) {
        return new Entry(remote, directory, StateLock.holder(directory));
    }

    private static @Nullable String remoteOf(Path directory) {
        try {
            String text = Files.readString(directory.resolve(REMOTE)).strip();
            return text.isEmpty() ? null : text;
        } catch (IOException e) {
            return null; // Not one of ours, or only about to be, or damaged.
        }
    }

    /** Readable as far as that goes, and never the same for two remotes. */
    static String name(String remote) {
        String words = remote.replaceFirst("^[a-z][a-z0-9+.-]*://", "");
        String readable = words.replaceAll("[^A-Za-z0-9._-]+", "-").replaceAll("^[-.]+|[-.]+$", "");
        String end = readable.substring(Math.max(0, readable.length() - READABLE_CHARS_MAX));
        try {
            byte[] hash =
                    MessageDigest.getInstance("SHA-256")
                            .digest(remote.getBytes(StandardCharsets.UTF_8));
            String hex = HexFormat.of().formatHex(hash, 0, HASH_BYTES);
            return end.isEmpty() ? hex : end.replaceAll("^[-.]+", "") + "-" + hex;
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException(e); // Every JDK has it.
        }
    }

    /** In one step, so that nobody finds half a name. */
    private static void writeRemote(Path directory, String remote) throws IOException {
        if (remote.equals(remoteOf(directory))) {
            return;
        }
        Path begun = directory.resolve(REMOTE_BEGUN);
        Files.deleteIfExists(begun);
        Files.createFile(begun, OWNER_ONLY_FILE);
        try (FileChannel file = FileChannel.open(begun, StandardOpenOption.WRITE)) {
            ByteBuffer text = ByteBuffer.wrap((remote + "\n").getBytes(StandardCharsets.UTF_8));
            while (text.hasRemaining()) {
                file.write(text);
            }
            file.force(true); // A name for something empty would survive a loss of power else.
        }
        Files.move(begun, directory.resolve(REMOTE), StandardCopyOption.ATOMIC_MOVE);
        new SystemDisk(directory).forceNames();
    }

    private static void makeWithParents(Path place) throws IOException {
        Deque<Path> missing = new ArrayDeque<>();
        for (Path at = place;
                at != null && !Files.exists(at, LinkOption.NOFOLLOW_LINKS);
                at = at.getParent()) {
            missing.push(at);
        }
        for (Path directory : missing) {
            make(directory);
            Path parent = directory.getParent();
            if (parent != null) {
                new SystemDisk(parent).forceNames();
            }
        }
    }

    private static void make(Path directory) throws IOException {
        try {
            Files.createDirectory(directory, OWNER_ONLY);
        } catch (FileAlreadyExistsException e) {
            if (!Files.isDirectory(directory, LinkOption.NOFOLLOW_LINKS)) {
                throw e;
            }
        }
    }

    // ---- whether it is safe -------------------------------------------------------------------

    private void check() throws IOException {
        if (Files.isSymbolicLink(root)) {
            throw refused("is a symbolic link", "name what it leads to");
        }
        if (!Files.isDirectory(root, LinkOption.NOFOLLOW_LINKS)) {
            throw refused("is not a directory", "name one");
        }
        int mode = mode(root);
        if ((mode & NOT_OWNER_BITS) != 0) {
            throw refused(
                    String.format("is open to others (mode %04o)", mode), "chmod 700 " + root);
        }
        if (!isOurs()) {
            throw refused("belongs to " + Files.getOwner(root), "name one of your own");
        }
        // Both ways to it: as it is written, and as it is behind the links on that way.
        checkAbove(root);
        checkAbove(root.toRealPath());
    }

    /** Whoever may write above it could put another in its place. */
    private void checkAbove(Path place) throws IOException {
        for (Path above = place.getParent(); above != null; above = above.getParent()) {
            int mode = mode(above);
            if ((mode & OTHERS_WRITE_BIT) != 0 && (mode & STICKY_BIT) == 0) {
                throw refused(
                        String.format("lies in %s, which anyone may write (%04o)", above, mode),
                        "chmod o-w " + above);
            }
        }
    }

    private static int mode(Path path) throws IOException {
        return (Integer) Files.getAttribute(path, "unix:mode") & PERMISSION_BITS;
    }

    /** A file of ours has the owner that it should have. */
    private boolean isOurs() throws IOException {
        Path probe = Files.createTempFile(root, "owner", "", OWNER_ONLY_FILE);
        try {
            return Files.getOwner(probe).equals(Files.getOwner(root));
        } finally {
            Files.delete(probe);
        }
    }

    private FsException refused(String what, String remedy) {
        return new FsException(
                FsError.EINVAL,
                words()
                        + " "
                        + what
                        + "; "
                        + remedy
                        + ", or give another with the option "
                        + option);
    }

    private FsException failure(String what, IOException e) {
        if (e instanceof FsException known) {
            return known;
        }
        FsError error = SystemErrors.of(e);
        String told = e instanceof FileSystemException of ? of.getReason() : e.getMessage();
        String reason = error == FsError.EIO ? told : error.words();
        return new FsException(
                error,
                what
                        + ": "
                        + (reason == null ? e.getClass().getSimpleName() : reason)
                        + "; give another directory with the option "
                        + option
                        + ", or "
                        + option
                        + "=none",
                e);
    }
}
