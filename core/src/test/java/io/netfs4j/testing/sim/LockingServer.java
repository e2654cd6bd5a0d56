// SPDX-License-Identifier: Apache-2.0
package io.netfs4j.testing.sim;

import io.netfs4j.base.FsError;
import io.netfs4j.base.FsException;
import io.netfs4j.cache.journal.Journal;
import io.netfs4j.server.Capabilities;
import io.netfs4j.server.Capability;
import io.netfs4j.server.RemotePath;
import io.netfs4j.server.RenameMode;
import io.netfs4j.server.ServerAttributes;
import io.netfs4j.testing.sim.FaultPlan.Fault;
import io.netfs4j.vfs.LocksPeek;
import io.netfs4j.vfs.OpenDirectory;
import io.netfs4j.vfs.Vfs;

import org.jspecify.annotations.Nullable;

import java.util.ArrayList;
import java.util.EnumSet;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.TreeMap;

/**
 * A server where mounts keep out of each other's uploads by names, which fail, are slow and lose
 * their answers as all names do. That a lock cannot be had is an error of the file that it is for.
 */
final class LockingServer extends SimServer {
    /** Where the locks are, which no mount shows. */
    static final RemotePath PLACE = RemotePath.ROOT.child(LocksPeek.DIRECTORY);

    /** The paths that locks have been asked for, by the names of these. */
    private final Map<String, RemotePath> paths = new HashMap<>();

    /** Whose locks have been asked for, by the names of these. */
    private final Map<String, Set<ModelFile>> wanted = new HashMap<>();

    /** All that a mount writes goes past the page cache, and so without a lock. */
    boolean isDirect;

    /** What lost a name, perhaps its last: nobody else can find it. */
    private final Set<ModelFile> nameless = new HashSet<>();

    LockingServer(SimLoop loop, FaultPlan faults, Trace trace, ModelFile.Sequence sequence) {
        super(loop, faults, trace, sequence);
    }

    /** One that is like others otherwise. */
    static SimServer make(
            boolean locks,
            SimLoop loop,
            FaultPlan faults,
            Trace trace,
            ModelFile.Sequence sequence) {
        return locks
                ? new LockingServer(loop, faults, trace, sequence)
                : new SimServer(loop, faults, trace, sequence);
    }

    @Override
    public Capabilities capabilities() {
        Capabilities drawn = super.capabilities();
        EnumSet<Capability> set = EnumSet.copyOf(drawn.set());
        set.add(Capability.NAMED_LOCKS);
        return new Capabilities(
                set, drawn.granuleBytes(), drawn.timeGranularityNanos(), drawn.nameBytesMax());
    }

    /**
     * Once all is saved, no lock is left, nor their directory: but for those of others that died,
     * and of a mount whose journal is no more, lost with the power or empty when the next one was
     * killed in its turn: nobody knows then that the lock is a dead one's. A file whose length is
     * in doubt keeps its lock over the end of a mount, and with it the directory.
     *
     * @param journal the one that the last mount has, where there may have been another; else null
     */
    static void requireNoneLeft(SimServer server, Subject subject, @Nullable Journal journal) {
        if (server.peek(PLACE) == null) {
            return;
        }
        Map<String, String> left = new TreeMap<>();
        for (String name : server.peekNames(PLACE).keySet()) {
            left.put(name, target(server, PLACE.child(name)));
        }
        boolean empty = left.isEmpty() && !subject.isClosedInDoubt();
        left.entrySet().removeIf(e -> isAnothers(e.getKey(), e.getValue(), journal));
        if (empty || !left.isEmpty()) {
            throw new Violation("uploads", "locks are left at the end: " + left);
        }
    }

    /** What the mount has moved aside to break it is its own to remove. */
    private static boolean isAnothers(String name, String target, @Nullable Journal journal) {
        return target.startsWith(RivalMount.OWNER)
                ? !name.contains(".")
                : journal != null && !target.contains(journal.identity());
    }

    private static String target(SimServer server, RemotePath lock) {
        try {
            return server.store.readSymlink(lock);
        } catch (FsException e) {
            throw new AssertionError(e);
        }
    }

    /** No mount shows where the locks are. */
    static void requireHidden(Vfs vfs) throws FsException {
        List<String> names = new ArrayList<>();
        OpenDirectory root = vfs.openDirectory(Vfs.ROOT_INO);
        try {
            vfs.readDirectory(root, 0, false, (name, ino, type, next, entry) -> names.add(name));
        } finally {
            vfs.releaseDirectory(root);
        }
        if (names.contains(LocksPeek.DIRECTORY)
                || vfs.lookup(Vfs.ROOT_INO, LocksPeek.DIRECTORY).attributes() != null) {
            throw new Violation("uploads", "the directory of locks is to be seen");
        }
    }

    /**
     * What is sent of a file is sent under its lock, but for the first upload of one that is made.
     */
    @Override
    void began(SimPiece piece) {
        super.began(piece);
        ModelFile file = piece.file.model;
        if (piece.isWrite()
                && nameFaults == 0
                && !isDirect
                && file.unbuffered == 0
                && !nameless.contains(file)
                && isWanted(file)
                && !isLocked(file)) {
            throw new Violation("uploads", piece + " is sent without a lock");
        }
    }

    private boolean isWanted(ModelFile file) {
        return wanted.values().stream().anyMatch(files -> files.contains(file));
    }

    /** A file may share the lock of the one that had its name before. */
    private boolean isLocked(ModelFile file) {
        return wanted.entrySet().stream()
                .filter(e -> isOurs(PLACE.child(e.getKey())))
                .anyMatch(e ->
                        e.getValue().contains(file)
                                || file.equals(fileAsKnown(pathOf(e.getKey()))));
    }

    private RemotePath pathOf(String lock) {
        return Objects.requireNonNull(paths.get(lock));
    }

    private boolean isOurs(RemotePath lock) {
        return peek(lock) != null && !target(this, lock).startsWith(RivalMount.OWNER);
    }

    private interface Asking<T> {
        T run() throws FsException;
    }

    /** That it failed is an error of the files whose locks a path is about. */
    private <T> T asking(RemotePath path, Asking<T> action) throws FsException {
        int before = nameFaults;
        try {
            return action.run();
        } catch (FsException e) {
            if (nameFaults != before) {
                files(path).forEach(file -> file.error(false));
            }
            throw e;
        }
    }

    private Set<ModelFile> files(RemotePath path) {
        Set<ModelFile> files = new LinkedHashSet<>();
        Set<ModelFile> known = wanted.get(path.name().split("\\.")[0]);
        boolean isLock = !path.isRoot() && path.parent().equals(PLACE);
        if (isLock && known != null) {
            files.addAll(known);
        } else if (isLock || path.isRoot() || path.equals(PLACE)) {
            // Also of a name that a file got while its lock was being asked for.
            wanted.values().forEach(files::addAll);
        } else {
            // A file that was there has been unlinked while its lock was being asked for.
            wanted.forEach((name, those) -> {
                if (path.equals(paths.get(name))) {
                    those.stream().filter(file -> file.unlinked).forEach(files::add);
                }
            });
        }
        return files;
    }

    /** The name may be looked at in vain after the link was made, as over SFTP. */
    @Override
    public @Nullable ServerAttributes makeSymlinkAndStat(
            RemotePath link, String target, RemotePath path) throws FsException {
        paths.put(link.name(), path);
        ModelFile file = fileAsKnown(path);
        if (file != null) {
            wanted.computeIfAbsent(link.name(), n -> new LinkedHashSet<>()).add(file);
        }
        return asking(
                link,
                () ->
                        call(
                                "lock",
                                link,
                                () -> {
                                    store.makeSymlink(link, target);
                                    return seen(path);
                                }));
    }

    private @Nullable ServerAttributes seen(RemotePath path) throws FsException {
        if (faults.strikes(Fault.NAME_FAILS)) {
            nameFaults++;
            throw inject(faults.permanent(), "look /" + path);
        }
        if (injected.contains(FsError.ETIMEDOUT) && faults.strikes(Fault.LOST_REPLY)) {
            nameFaults++;
            throw inject(FsError.ETIMEDOUT, "look /" + path);
        }
        return peek(path);
    }

    @Override
    public ServerAttributes stat(RemotePath path) throws FsException {
        return asking(path, () -> super.stat(path));
    }

    @Override
    public ServerAttributes makeDirectory(RemotePath path, int mode) throws FsException {
        return asking(path, () -> super.makeDirectory(path, mode));
    }

    @Override
    public String readSymlink(RemotePath path) throws FsException {
        return asking(path, () -> super.readSymlink(path));
    }

    @Override
    public void remove(RemotePath path) throws FsException {
        losesName(path);
        asking(
                path,
                () -> {
                    super.remove(path);
                    return true;
                });
    }

    @Override
    public void rename(RemotePath from, RemotePath to, RenameMode mode) throws FsException {
        if (mode == RenameMode.REPLACE) {
            losesName(to);
        }
        if (to.name().startsWith(World.HIDDEN_PREFIX)) {
            losesName(from);
        }
        asking(
                from,
                () -> {
                    super.rename(from, to, mode);
                    return true;
                });
    }

    private void losesName(RemotePath path) {
        ModelFile file = fileAsKnown(path);
        if (file != null) {
            nameless.add(file);
        }
    }
}
