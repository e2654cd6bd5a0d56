// SPDX-License-Identifier: Apache-2.0
package io.netfs4j.testing.sim;

import io.netfs4j.base.FsException;
import io.netfs4j.base.Segment;
import io.netfs4j.request.Subrequest;
import io.netfs4j.server.Access;
import io.netfs4j.server.AttributeChange;
import io.netfs4j.server.RemotePath;
import io.netfs4j.server.RenameMode;
import io.netfs4j.server.ServerAttributes;
import io.netfs4j.server.ServerFile;
import io.netfs4j.server.WriteSession;
import io.netfs4j.server.memory.MemoryServer;

import org.jspecify.annotations.Nullable;

import java.nio.ByteBuffer;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.random.RandomGenerator;

/**
 * Somebody else who changes files on the server, behind the mount's back. What a mount promises is
 * close-to-open, so it touches only what nobody has open and of which nothing is unsaved; then
 * whoever opens it must see the change, and nothing of the mount's may undo it. Each change happens
 * in one moment, and moves the version that the server shows.
 */
final class SecondClient implements Runnable {
    private static final int ATTEMPTS_MAX = 400;
    private static final long THINKING_NANOS_MIN = 10_000;

    private final World world;
    private final MemoryServer store;
    private final RandomGenerator random;
    private final int number;
    private final @Nullable List<Plan.Operation> planned;

    SecondClient(World world, int number, @Nullable List<Plan.Operation> planned) {
        this.world = world;
        this.store = world.server.store;
        this.random = world.random;
        this.number = number;
        this.planned = planned;
    }

    @Override
    public void run() {
        for (int i = 0; i < ATTEMPTS_MAX && !world.actorsAreDone(); i++) {
            world.loop.begin(new Origin(world.seed, number, i));
            world.loop.sleep(
                    1 + random.nextLong(4 * Math.max(world.tuning.thinkNanos, THINKING_NANOS_MIN)));
            Plan.Operation operation = new Plan.Operation(number, i, Tuning.Op.ELSEWHERE);
            if (planned == null || planned.contains(operation)) {
                world.perform(operation, this::attempt);
            }
        }
    }

    private boolean attempt() {
        world.tally.began(Tuning.Op.ELSEWHERE);
        boolean done = false;
        try {
            done = change();
        } catch (FsException e) {
            throw new AssertionError(e);
        } finally {
            world.tally.ended(Tuning.Op.ELSEWHERE, done);
        }
        return done;
    }

    private boolean change() throws FsException {
        int deed = random.nextInt(10);
        if (deed == 0) {
            return create();
        }
        ModelNode node = pick();
        if (node == null || node.file == null) {
            return false;
        }
        return switch (deed) {
            case 1 -> remove(node, node.file);
            case 2 -> rename(node, node.file);
            case 3, 4 -> truncate(node, node.file);
            case 5, 6 -> write(node, node.file, node.file.size());
            default -> write(node, node.file, world.tuning.position(random, node.file.size()));
        };
    }

    private @Nullable ModelNode pick() {
        List<ModelNode> idle = new ArrayList<>();
        NameOps.collect(world.root, this::isIdle, idle);
        return idle.isEmpty() ? null : idle.get(random.nextInt(idle.size()));
    }

    private boolean isIdle(ModelNode node) {
        ModelFile file = node.file;
        return file != null
                && node.parent != null
                && isFree(node.parent, node.name)
                && file.opens == 0
                && file.names.size() == 1
                && !file.isChanging()
                && !file.beingSet
                && !world.server.isAwaited(file)
                && world.subject().isSaved(node.path());
    }

    /** Nobody works on the name, and what is there has been for so long that the mount knows. */
    private boolean isFree(ModelNode directory, String name) {
        return !directory.busy.contains(name)
                && !directory.isLeaving()
                && !world.isUnsettled(directory, name);
    }

    private void event(String what, ModelNode node, ModelFile file, long a) {
        world.trace.event(
                world.loop.nanoTime(), "elsewhere " + what + " /" + node.path(), file.number, a, 0);
    }

    // Content.

    private boolean write(ModelNode node, ModelFile file, int position) throws FsException {
        if (position >= world.tuning.fileBytesMax) {
            return false;
        }
        byte[] data = new byte[world.tuning.length(random, position)];
        random.nextBytes(data);
        ModelFile.Change change = file.write(position, data);
        if (change == null) {
            return false;
        }
        event("write at " + position, node, file, data.length);
        ServerAttributes before = store.stat(node.path());
        store(node.path(), position, data);
        file.wroteElsewhere(change);
        changed(node, file, before);
        return true;
    }

    private boolean truncate(ModelNode node, ModelFile file) throws FsException {
        int size = world.tuning.position(random, file.size());
        ModelFile.Change change = file.truncate(size);
        if (change == null) {
            return false;
        }
        event("truncate", node, file, size);
        ServerAttributes before = store.stat(node.path());
        store.setAttributes(node.path(), AttributeChange.size(size));
        file.truncated(change);
        changed(node, file, before);
        return true;
    }

    /** Sees to it that the version is another one, also to a server that tells only seconds. */
    private void changed(ModelNode node, ModelFile file, ServerAttributes before)
            throws FsException {
        ServerAttributes after = store.stat(node.path());
        Duration granule = Duration.ofNanos(world.server.capabilities().timeGranularityNanos());
        Duration moved = Duration.between(before.modified(), after.modified()).abs();
        if (after.sizeBytes() == before.sizeBytes() && moved.compareTo(granule) <= 0) {
            Instant later = before.modified().plus(granule.multipliedBy(2));
            store.setAttributes(
                    node.path(), new AttributeChange(null, null, null, null, null, later));
        }
        file.stale = world.server.answers.changed(world.loop.nanoTime());
    }

    private void store(RemotePath path, int position, byte[] data) throws FsException {
        ServerFile open = store.open(() -> path, Access.READ_WRITE).file();
        WriteSession session = open.begin(null);
        session.issue(
                new Subrequest(
                        0,
                        0,
                        Subrequest.Direction.WRITE,
                        position,
                        List.of(new Segment(ByteBuffer.wrap(data), 0, data.length)),
                        (s, t) -> {}),
                () -> {});
        session.abort();
        open.close();
    }

    // Names.

    private boolean create() throws FsException {
        ModelNode directory = directory();
        String name = name();
        if (directory.children.containsKey(name) || !isFree(directory, name)) {
            return false;
        }
        ModelFile file = world.newFile();
        ModelNode node = new ModelNode(directory, name, file, null);
        event("create", node, file, 0);
        store.create(() -> node.path(), 0644).file().close();
        world.server.adopt(node.path(), file);
        node.attach(directory, name);
        unsettle(directory, name);
        return write(node, file, 0);
    }

    private boolean remove(ModelNode node, ModelFile file) throws FsException {
        event("remove", node, file, 0);
        store.remove(node.path());
        file.unlinked = true;
        leave(node);
        return true;
    }

    private boolean rename(ModelNode node, ModelFile file) throws FsException {
        ModelNode directory = directory();
        String name = name();
        if (directory.children.containsKey(name) || !isFree(directory, name)) {
            return false;
        }
        ModelNode moved = new ModelNode(directory, name, file, null);
        event("rename to /" + moved.path(), node, file, 0);
        store.rename(node.path(), moved.path(), RenameMode.NOREPLACE);
        leave(node);
        moved.attach(directory, name);
        unsettle(directory, name);
        file.stale = world.server.answers.changed(world.loop.nanoTime());
        return true;
    }

    /** The name is gone; whoever looked it up may keep that for a while. */
    private void leave(ModelNode node) {
        ModelNode directory = java.util.Objects.requireNonNull(node.parent);
        node.detach();
        unsettle(directory, node.name);
        if (node.lookups == 0) {
            return;
        }
        if (random.nextBoolean()) {
            world.forget(node);
        } else {
            world.orphans.add(node);
        }
    }

    private void unsettle(ModelNode directory, String name) {
        directory.unsettled.put(name, world.server.answers.changed(world.loop.nanoTime()));
    }

    private ModelNode directory() {
        List<ModelNode> directories = new ArrayList<>();
        NameOps.collect(
                world.root,
                n -> n.isDirectory() && !n.isLeaving() && world.server.peek(n.path()) != null,
                directories);
        return directories.get(random.nextInt(directories.size()));
    }

    private String name() {
        return "f" + random.nextInt(world.tuning.filesMax);
    }
}
