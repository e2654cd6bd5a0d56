// SPDX-License-Identifier: Apache-2.0
package io.netfs4j.testing.sim;

import io.netfs4j.base.FsError;
import io.netfs4j.base.FsException;
import io.netfs4j.server.Access;
import io.netfs4j.server.FileType;
import io.netfs4j.server.RenameMode;
import io.netfs4j.server.ServerAttributes;
import io.netfs4j.vfs.Attributes;
import io.netfs4j.vfs.CreatedFile;
import io.netfs4j.vfs.Entry;
import io.netfs4j.vfs.OpenFlags;
import io.netfs4j.vfs.Vfs;

import org.jspecify.annotations.Nullable;

import java.util.ArrayList;
import java.util.List;
import java.util.function.Predicate;
import java.util.random.RandomGenerator;

/** Operations on names, each compared with the model. */
final class NameOps {
    private static final int DEPTH_MAX = 3;

    private final World world;
    private final FileOps files;
    private final RandomGenerator random;

    NameOps(World world) {
        this.world = world;
        this.random = world.random;
        files = new FileOps(world);
    }

    private Vfs vfs() {
        return world.vfs();
    }

    private @Nullable Claim claim(ModelNode directory, String name) {
        if (directory.busy.contains(name) || directory.isLeaving()) {
            return null;
        }
        return new Claim(world, directory, name);
    }

    /** Null also when another client made or took away the name, and we may not know it yet. */
    private @Nullable Claim settled(@Nullable Claim claim) {
        if (claim != null && world.isUnsettled(claim.directory, claim.name)) {
            claim.close();
            return null;
        }
        return claim;
    }

    @Nullable Claim claimExisting(Predicate<ModelNode> wanted) {
        return settled(existingOrOld(wanted));
    }

    private @Nullable Claim existingOrOld(Predicate<ModelNode> wanted) {
        List<ModelNode> all = new ArrayList<>();
        collect(world.root, n -> n.parent != null && wanted.test(n), all);
        if (all.isEmpty()) {
            return null;
        }
        ModelNode node = all.get(random.nextInt(all.size()));
        return claim(java.util.Objects.requireNonNull(node.parent), node.name);
    }

    @Nullable Claim claimAny(boolean forDirectory) {
        return settled(anyOrOld(forDirectory));
    }

    private @Nullable Claim anyOrOld(boolean forDirectory) {
        List<ModelNode> directories = new ArrayList<>();
        collect(world.root, ModelNode::isDirectory, directories);
        ModelNode directory = directories.get(random.nextInt(directories.size()));
        String name = (forDirectory ? "d" : "f") + random.nextInt(world.tuning.filesMax);
        if (forDirectory && directory.path().names().size() >= DEPTH_MAX) {
            return null;
        }
        return claim(directory, name);
    }

    static void collect(ModelNode from, Predicate<ModelNode> wanted, List<ModelNode> to) {
        if (wanted.test(from)) {
            to.add(from);
        }
        for (ModelNode child : from.children.values()) {
            collect(child, wanted, to);
        }
    }

    /** The inode number of a node, looked up where it is not known. */
    long ino(ModelNode node) throws FsException {
        if (node.ino == 0) {
            look(java.util.Objects.requireNonNull(node.parent), node.name, node);
        }
        return node.ino;
    }

    private void look(ModelNode directory, String name, @Nullable ModelNode expected)
            throws FsException {
        long parent = ino(directory);
        ModelFile file = expected == null ? null : expected.file;
        ModelFile.Reading watch = file == null ? null : file.watch();
        try {
            Entry entry = random.nextInt(3) == 0 ? vfs().tryLookup(parent, name) : null;
            entry = entry == null ? vfs().lookup(parent, name) : entry;
            if (world.isUnsettled(directory, name) && showsOld(entry, expected)) {
                throw new FsException(FsError.ENOENT, name + " as it was before another's change");
            }
            found(entry, expected, name);
            if (file != null && watch != null && entry.attributes() != null) {
                if (world.isStale(file)) {
                    file.drop(watch);
                } else {
                    file.checkSize(entry.attributes().sizeBytes(), watch, "lookup");
                }
            }
        } catch (FsException e) {
            if (file != null && watch != null) {
                file.drop(watch);
            }
            throw e;
        }
    }

    /** Another client made the name, or took it away: it may show as it was before. */
    private boolean showsOld(Entry entry, @Nullable ModelNode expected) {
        Attributes attributes = entry.attributes();
        if (expected == null && attributes != null) {
            vfs().forget(attributes.ino(), 1);
        }
        return (expected == null) != (attributes == null);
    }

    void found(Entry entry, @Nullable ModelNode expected, String name) {
        Attributes attributes = entry.attributes();
        if (expected == null) {
            if (attributes != null) {
                throw new Violation("names", name + " is there, and should not");
            }
            return;
        }
        if (attributes == null) {
            throw new Violation("names", "/" + expected.path() + " is not there");
        }
        FileType type = expected.type();
        if (attributes.type() != type) {
            throw new Violation("names", "/" + expected.path() + " is a " + attributes.type());
        }
        known(expected, attributes.ino());
    }

    private void known(ModelNode node, long ino) {
        List<ModelNode> names = node.file == null ? List.of(node) : node.file.names;
        for (ModelNode other : names.contains(node) ? names : List.of(node)) {
            if (other.lookups > 0 && other.ino != ino) {
                if (other.isInoStale) {
                    world.forget(other);
                    continue;
                }
                throw new Violation(
                        "names", "/" + other.path() + " had inode " + other.ino + ", now " + ino);
            }
        }
        node.isInoStale = node.parent != null && world.isUnsettled(node.parent, node.name);
        node.ino = ino;
        node.lookups++;
    }

    /** What an operation on names does. */
    interface Action {
        void run() throws FsException;
    }

    /**
     * Does it and judges how it ended. Returns whether it took place; when a fault made it fail the
     * model takes over what the server has.
     */
    boolean judge(String what, @Nullable FsError expected, Action action, Claim... claims) {
        event(what, claims[0]);
        try {
            action.run();
        } catch (FsException e) {
            event(what + " " + e.error(), claims[0]);
            boolean faulty = world.server.nameFaults != claims[0].faultsBefore;
            // A soft mount gives up waiting for a file to be made before its name is touched.
            boolean gaveUp =
                    e.error() == FsError.ETIMEDOUT && world.server.injected.contains(e.error());
            boolean old =
                    (e.error() == FsError.ENOENT && isOld(claims[0]))
                            || (e.error() == FsError.ENOTEMPTY && mayHold(claims));
            if (e.error() == expected || gaveUp || old || world.isInterrupt(e)) {
                return false;
            }
            if (!faulty || !world.server.injected.contains(e.error())) {
                throw new Violation(
                        "names",
                        what
                                + " /"
                                + claims[0].path()
                                + ": "
                                + e
                                + ", not "
                                + (expected == null ? "success" : expected),
                        e);
            }
            return false;
        }
        event(what + " done", claims[0]);
        if (expected != null) {
            throw new Violation(
                    "names", what + " /" + claims[0].path() + " succeeds, not " + expected);
        }
        return true;
    }

    /** Whether what is to go is a directory that held, a moment ago, what another took away. */
    private boolean mayHold(Claim... claims) {
        ModelNode directory = claims[claims.length - 1].child();
        if (directory == null) {
            return false;
        }
        for (String name : directory.unsettled.keySet()) {
            if (world.isUnsettled(directory, name)) {
                return true;
            }
        }
        return false;
    }

    private boolean isOld(Claim claim) {
        return world.isUnsettled(claim.directory, claim.name);
    }

    private void event(String what, Claim claim) {
        world.trace.event(
                world.loop.nanoTime(),
                what + " /" + claim.path(),
                claim.directory.children.size(),
                0,
                0);
    }

    private OpenFlags flags(boolean exclusive) {
        boolean append = random.nextInt(5) == 0;
        boolean sync = world.tuning.syncOpens && random.nextInt(4) == 0;
        Access access = random.nextInt(6) == 0 ? Access.READ : Access.READ_WRITE;
        boolean truncate = access.writes() && random.nextInt(6) == 0;
        boolean direct = world.tuning.syncOpens && random.nextInt(6) == 0;
        return new OpenFlags(
                access, append, truncate, exclusive, sync, random.nextInt(8) == 0 && sync, direct);
    }

    boolean createOrOpen() {
        return create() || open();
    }

    boolean create() {
        try (Claim claim = claimAny(false)) {
            if (claim == null) {
                return false;
            }
            OpenFlags flags = flags(random.nextInt(3) == 0);
            ModelNode existing = claim.child();
            if (existing != null && !flags.exclusive()) {
                return openExisting(claim, existing, flags, true);
            }
            ModelFile file = world.newFile();
            if (existing == null) {
                world.server.announced.put(claim.path(), file);
            }
            CreatedFile[] made = new CreatedFile[1];
            boolean done =
                    judge(
                            "create",
                            existing == null ? null : FsError.EEXIST,
                            () ->
                                    made[0] =
                                            vfs().create(
                                                            ino(claim.directory),
                                                            claim.name,
                                                            0644,
                                                            flags),
                            claim);
            if (done) {
                ModelNode node = new ModelNode(claim.directory, claim.name, file, null);
                node.attach(claim.directory, claim.name);
                found(made[0].entry(), node, claim.name);
                world.handles.add(new Handle(made[0].file(), flags, node, file));
            } else if (existing == null) {
                adopt(claim);
            }
            return true;
        }
    }

    boolean open() {
        try (Claim claim = existingOrOld(n -> !n.isDirectory())) {
            ModelNode node = claim == null ? null : claim.child();
            return claim != null && node != null && openExisting(claim, node, flags(false), false);
        }
    }

    private boolean openExisting(Claim claim, ModelNode node, OpenFlags flags, boolean create) {
        ModelFile file = node.file;
        if (file == null) {
            return false; // Doors follow symbolic links themselves.
        }
        ModelFile.Change truncation = flags.truncate() ? file.truncate(0) : null;
        if (flags.truncate() && truncation == null) {
            return false;
        }
        Handle[] opened = new Handle[1];
        boolean done =
                judge(
                        create ? "create existing" : "open",
                        null,
                        () -> {
                            long ino = ino(create ? claim.directory : node);
                            if (create) {
                                CreatedFile c = vfs().create(ino, claim.name, 0644, flags);
                                known(node, attributes(c.entry()).ino());
                                opened[0] = new Handle(c.file(), flags, node, file);
                            } else {
                                opened[0] = new Handle(vfs().open(ino, flags), flags, node, file);
                            }
                        },
                        claim);
        if (truncation != null) {
            if (done) {
                file.truncated(truncation);
            } else {
                file.failed(truncation, sizeOrServer(node, file));
            }
        }
        if (done) {
            world.handles.add(opened[0]);
            if (file.stale != null && !file.stale.isAwaiting()) {
                file.stale = null; // It was asked for.
            }
        }
        return true;
    }

    private static Attributes attributes(Entry entry) {
        if (entry.attributes() == null) {
            throw new Violation("names", "created, and not there");
        }
        return entry.attributes();
    }

    private long sizeOrServer(ModelNode node, ModelFile file) {
        boolean old = node.parent != null && world.isUnsettled(node.parent, node.name);
        boolean saved = world.subject().isSaved(node.path());
        if (saved && (old || world.isStale(file))) {
            return world.server.peek(file).length;
        }
        while (node.ino == 0) {
            try {
                ino(node);
            } catch (FsException e) {
                files.requireInjected(e, "lookup");
            }
        }
        return files.sizeNow(node, file);
    }

    boolean unlink() {
        try (Claim claim = claimExisting(n -> !n.isDirectory() || random.nextInt(10) == 0)) {
            ModelNode node = claim == null ? null : claim.child();
            if (claim == null || node == null) {
                return false;
            }
            FsError expected = node.isDirectory() ? FsError.EISDIR : null;
            boolean done =
                    judge(
                            "unlink",
                            expected,
                            () -> vfs().unlink(ino(claim.directory), claim.name),
                            claim);
            if (done) {
                removed(node);
            } else if (expected == null) {
                adopt(claim);
            }
            return true;
        }
    }

    private void removed(ModelNode node) {
        node.detach();
        ModelFile file = node.file;
        if (file != null) {
            file.unlinked = file.names.isEmpty();
        }
        if (file == null || file.opens == 0) {
            world.forget(node);
        } else {
            world.orphans.add(node);
        }
    }

    boolean makeDirectory() {
        try (Claim claim = claimAny(true)) {
            if (claim == null) {
                return false;
            }
            ModelNode existing = claim.child();
            Entry[] made = new Entry[1];
            boolean done =
                    judge(
                            "mkdir",
                            existing == null ? null : FsError.EEXIST,
                            () ->
                                    made[0] =
                                            vfs().makeDirectory(
                                                            ino(claim.directory), claim.name, 0755),
                            claim);
            if (done) {
                ModelNode node = new ModelNode(claim.directory, claim.name, null, null);
                node.attach(claim.directory, claim.name);
                world.server.names.putUnmade(claim.path(), node);
                found(made[0], node, claim.name);
            } else if (existing == null) {
                adopt(claim);
            }
            return true;
        }
    }

    boolean removeDirectory() {
        try (Claim claim = claimExisting(n -> n.isDirectory() && n.pins == 0)) {
            ModelNode node = claim == null ? null : claim.child();
            if (claim == null || node == null || node.pins > 0) {
                return false;
            }
            node.leaving = true;
            FsError expected = node.children.isEmpty() ? null : FsError.ENOTEMPTY;
            boolean done =
                    judge(
                            "rmdir",
                            expected,
                            () -> vfs().removeDirectory(ino(claim.directory), claim.name),
                            claim);
            node.leaving = false;
            if (done) {
                removed(node);
            } else if (expected == null) {
                adopt(claim);
            }
            return true;
        }
    }

    boolean rename() {
        try (Claim from = claimExisting(n -> !n.isDirectory() || n.pins == 0)) {
            ModelNode node = from == null ? null : from.child();
            if (from == null || node == null || (node.isDirectory() && node.pins > 0)) {
                return false;
            }
            node.leaving = node.isDirectory();
            try (Claim to = claimAny(node.isDirectory())) {
                ModelNode target = to == null ? null : to.child();
                if (to == null || (target != null && target.pins > 0)) {
                    return false;
                }
                rename(from, node, to, target);
                return true;
            } finally {
                node.leaving = false;
            }
        }
    }

    private void rename(Claim from, ModelNode node, Claim to, @Nullable ModelNode target) {
        RenameMode mode = random.nextInt(4) == 0 ? RenameMode.NOREPLACE : RenameMode.REPLACE;
        if (target != null && random.nextInt(4) == 0 && world.subject().knowsRanges()) {
            mode = RenameMode.EXCHANGE;
        }
        RenameMode drawn = mode;
        FsError expected = null;
        if (target != null && mode == RenameMode.NOREPLACE) {
            expected = FsError.EEXIST;
        } else if (target != null && mode == RenameMode.REPLACE && !target.children.isEmpty()) {
            expected = FsError.ENOTEMPTY;
        }
        if (target != null) {
            target.leaving = target.isDirectory();
        }
        boolean done =
                judge(
                        "rename to /" + to.path(),
                        expected,
                        () ->
                                vfs().rename(
                                                ino(from.directory),
                                                from.name,
                                                ino(to.directory),
                                                to.name,
                                                drawn),
                        from,
                        to);
        if (target != null) {
            target.leaving = false;
        }
        if (done && target != null && node.file != null && node.file.equals(target.file)) {
            return; // Two names of one file: both stay, or change places.
        }
        boolean exchanges = mode == RenameMode.EXCHANGE;
        if (done || (expected == null && !exchanges && serverRenamed(from, to))) {
            if (target != null && !exchanges) {
                removed(target);
            } else if (target != null) {
                target.detach();
            }
            node.detach();
            if (target != null && exchanges) {
                target.attach(from.directory, from.name);
            }
            node.attach(to.directory, to.name);
        }
    }

    /** Whether a rename that failed took place on the server all the same. */
    private boolean serverRenamed(Claim from, Claim to) {
        ModelNode node = from.child();
        if (node != null && world.server.isAwaited(node)) {
            return false;
        }
        ServerAttributes source = world.server.peek(from.path());
        return source == null && world.server.peek(to.path()) != null;
    }

    /** After a fault the model takes over what the server has of a name. */
    void adopt(Claim claim) {
        ServerAttributes there = world.server.peek(claim.path());
        ModelNode node = claim.child();
        if (there == null && node != null) {
            if (!world.server.isAwaited(node)) {
                removed(node);
            }
        } else if (there != null && node == null) {
            claim.enter(there);
        }
    }

    boolean lookup() {
        try (Claim claim = random.nextBoolean() ? existingOrOld(n -> true) : anyOrOld(false)) {
            if (claim == null) {
                return false;
            }
            judge("lookup", null, () -> look(claim.directory, claim.name, claim.child()), claim);
            return true;
        }
    }

    /** Gives back the look-ups of something that nobody uses. */
    boolean forget() {
        try (Claim claim = claimExisting(n -> n.lookups > 0 && isUnused(n))) {
            ModelNode node = claim == null ? null : claim.child();
            if (node == null || !isUnused(node)) {
                return false;
            }
            world.forget(node);
            return true;
        }
    }

    private static boolean isUnused(ModelNode node) {
        return node.pins == 0
                && (node.file == null || node.file.opens == 0)
                && node.children.values().stream().allMatch(c -> c.ino == 0);
    }
}
