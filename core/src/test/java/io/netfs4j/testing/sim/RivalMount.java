// SPDX-License-Identifier: Apache-2.0
package io.netfs4j.testing.sim;

import io.netfs4j.base.FsError;
import io.netfs4j.base.FsException;
import io.netfs4j.server.RemotePath;
import io.netfs4j.server.memory.MemoryServer;
import io.netfs4j.vfs.LocksPeek;

import org.jspecify.annotations.Nullable;

import java.util.ArrayList;
import java.util.List;
import java.util.random.RandomGenerator;

/**
 * Another mount, as far as its locks show: it takes one of a file, for longer or shorter, and gives
 * it back; or it dies, and whoever wants the lock must find out. It sends nothing.
 */
final class RivalMount implements Runnable {
    /** What its locks begin with. */
    static final String OWNER = "rival-";

    private static final int ATTEMPTS_MAX = 100;

    /** A mount that holds a lock for longer, and sends nothing, counts as dead. */
    private static final long HELD_NANOS_MAX = 60_000_000_000L;

    private static final long[] PAUSES_NANOS = {1_000_000, 100_000_000, 5_000_000_000L};

    private final World world;
    private final MemoryServer store;
    private final RandomGenerator random;
    private final int number;
    private final @Nullable List<Plan.Operation> planned;

    RivalMount(World world, int number, @Nullable List<Plan.Operation> planned) {
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
                    1 + random.nextLong(PAUSES_NANOS[random.nextInt(PAUSES_NANOS.length)]));
            Plan.Operation operation = new Plan.Operation(number, i, Tuning.Op.ELSEWHERE);
            String owner = OWNER + i;
            if (planned == null || planned.contains(operation)) {
                world.perform(operation, () -> hold(owner));
            }
        }
    }

    /** The last one takes their directory away. */
    private void removePlace() {
        try {
            store.removeDirectory(LockingServer.PLACE);
        } catch (FsException e) {
            if (e.error() != FsError.ENOTEMPTY && e.error() != FsError.ENOENT) {
                throw new AssertionError(e);
            }
        }
    }

    private boolean hold(String owner) {
        List<ModelNode> files = new ArrayList<>();
        NameOps.collect(world.root, node -> node.file != null, files);
        if (files.isEmpty()) {
            return false;
        }
        ModelNode file = files.get(random.nextInt(files.size()));
        RemotePath lock = LocksPeek.name(file.path());
        try {
            if (world.server.peek(LockingServer.PLACE) == null) {
                store.makeDirectory(LockingServer.PLACE, 0755);
            }
            store.makeSymlink(lock, owner);
        } catch (FsException e) {
            if (e.error() == FsError.EEXIST) {
                return false;
            }
            throw new AssertionError(e);
        }
        event("rival locks /" + file.path(), lock);
        if (random.nextInt(4) == 0) {
            return true; // It dies.
        }
        long most = random.nextInt(4) == 0 ? HELD_NANOS_MAX : HELD_NANOS_MAX / 100;
        world.loop.sleep(1 + random.nextLong(most));
        try {
            if (store.readSymlink(lock).equals(owner)) {
                event("rival unlocks", lock);
                store.remove(lock);
                removePlace();
            }
        } catch (FsException e) {
            if (e.error() != FsError.ENOENT) {
                throw new AssertionError(e);
            }
        }
        return true;
    }

    private void event(String what, RemotePath lock) {
        world.trace.event(world.loop.nanoTime(), what, lock.hashCode(), 0, 0);
    }
}
