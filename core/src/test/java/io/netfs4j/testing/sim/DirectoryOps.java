// SPDX-License-Identifier: Apache-2.0
package io.netfs4j.testing.sim;

import io.netfs4j.base.FsException;
import io.netfs4j.server.AttributeChange;
import io.netfs4j.server.FileType;
import io.netfs4j.vfs.Attributes;
import io.netfs4j.vfs.OpenDirectory;
import io.netfs4j.vfs.Vfs;

import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.random.RandomGenerator;

/** Operations on whole directories, each compared with the model. */
final class DirectoryOps {
    private final World world;
    private final FileOps files;
    private final NameOps names;
    private final RandomGenerator random;

    DirectoryOps(World world, FileOps files, NameOps names) {
        this.world = world;
        this.files = files;
        this.names = names;
        this.random = world.random;
    }

    private Vfs vfs() {
        return world.vfs();
    }

    boolean syncDirectory() {
        List<ModelNode> directories = new ArrayList<>();
        NameOps.collect(world.root, n -> n.isDirectory() && !n.isLeaving(), directories);
        ModelNode directory = directories.get(random.nextInt(directories.size()));
        List<ModelNode> before = new ArrayList<>(directory.children.values());
        before.removeIf(child -> directory.busy.contains(child.name));
        directory.pin(1);
        try {
            vfs().fsyncDirectory(names.ino(directory));
            for (ModelNode child : before) {
                if (world.server.isAwaited(child)) {
                    if (child.file == null || !child.file.unlinked) {
                        throw new Violation(
                                "I2", "after fsyncdir /" + child.path() + " is not on the server");
                    }
                }
            }
        } catch (FsException e) {
            files.requireInjected(e, "fsyncdir");
        } finally {
            directory.pin(-1);
        }
        return true;
    }

    boolean setAttributes() {
        List<ModelNode> directories = new ArrayList<>();
        NameOps.collect(
                world.root,
                n -> n.isDirectory() && n.parent != null && !n.isLeaving() && !n.set.beingSet,
                directories);
        if (directories.isEmpty()) {
            return false;
        }
        ModelNode directory = directories.get(random.nextInt(directories.size()));
        Integer mode = random.nextBoolean() ? mode() : null;
        Instant accessed = random.nextInt(3) == 0 ? files.time() : null;
        Instant modified = mode == null || random.nextBoolean() ? files.time() : null;
        AttributeChange change = new AttributeChange(mode, null, null, null, accessed, modified);
        SetOnDirectory set = directory.set;
        set.beingSet = true;
        directory.pin(1);
        try {
            int claims = set.claims();
            boolean quiet = directory.busy.isEmpty();
            long ino = names.ino(directory);
            Attributes before = vfs().getAttributes(ino);
            if (quiet && claims == set.claims()) {
                requireSet(directory, before, "getattr");
            }
            set.forget(change);
            int faults = world.server.nameFaults;
            Attributes after = vfs().setAttributes(ino, change, null);
            quiet &= directory.busy.isEmpty() && claims == set.claims();
            set.wasSet(change, quiet, faults);
            requireSet(directory, after, "setattr");
        } catch (FsException e) {
            files.requireInjected(e, "setattr of a directory");
        } finally {
            directory.pin(-1);
            set.beingSet = false;
        }
        return true;
    }

    /** Mostly some with which its owner can work in it. */
    private int mode() {
        return (random.nextInt(4) == 0 ? random.nextInt(0700) : 0700) | random.nextInt(0100);
    }

    private void requireSet(ModelNode directory, Attributes seen, String where) {
        directory.set.check(world, directory, seen.mode(), seen.accessed(), seen.modified(), where);
    }

    boolean list() {
        List<ModelNode> directories = new ArrayList<>();
        NameOps.collect(world.root, n -> n.isDirectory() && !n.isLeaving(), directories);
        ModelNode directory = directories.get(random.nextInt(directories.size()));
        int changes = directory.changes;
        boolean quiet = directory.busy.isEmpty();
        directory.pin(1);
        try {
            TreeMap<String, FileType> seen = read(directory);
            if (quiet && changes == directory.changes && directory.busy.isEmpty()) {
                requireListed(directory, seen);
            }
            if (directory.parent == null && world.server instanceof LockingServer) {
                LockingServer.requireHidden(vfs());
            }
        } catch (FsException e) {
            files.requireInjected(e, "readdir");
        } finally {
            directory.pin(-1);
        }
        return true;
    }

    private TreeMap<String, FileType> read(ModelNode directory) throws FsException {
        TreeMap<String, FileType> seen = new TreeMap<>();
        boolean plus = random.nextBoolean();
        OpenDirectory open = vfs().openDirectory(names.ino(directory));
        try {
            long[] cookie = {0};
            int[] given = {1};
            while (given[0] > 0) {
                given[0] = 0;
                int room = 1 + random.nextInt(6);
                List<Attributes> looked = new ArrayList<>();
                vfs().readDirectory(
                                open,
                                cookie[0],
                                plus,
                                (name, ino, type, next, entry) -> {
                                    if (given[0] == room) {
                                        return false;
                                    }
                                    given[0]++;
                                    cookie[0] = next;
                                    if (seen.put(name, type) != null) {
                                        throw new Violation("names", name + " is listed twice");
                                    }
                                    if (entry != null && entry.attributes() != null) {
                                        looked.add(entry.attributes());
                                    }
                                    return true;
                                });
                looked.forEach(a -> vfs().forget(a.ino(), 1));
            }
        } finally {
            vfs().releaseDirectory(open);
        }
        return seen;
    }

    private void requireListed(ModelNode directory, TreeMap<String, FileType> seen) {
        if (seen.remove(".") == null || seen.remove("..") == null) {
            throw new Violation("names", "\".\" or \"..\" is not listed");
        }
        TreeSet<String> expected = new TreeSet<>(directory.children.keySet());
        for (String name : directory.unsettled.keySet()) {
            if (world.isUnsettled(directory, name)) {
                seen.remove(name);
                expected.remove(name);
            }
        }
        if (!seen.keySet().equals(expected)) {
            throw new Violation(
                    "names",
                    "/" + directory.path() + " lists " + seen.keySet() + ", not " + expected);
        }
    }
}
