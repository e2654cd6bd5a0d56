// SPDX-License-Identifier: Apache-2.0
package io.netfs4j.testing.sim;

import org.jspecify.annotations.Nullable;

import java.util.List;
import java.util.random.RandomGenerator;

/** One application: draws an operation, does it, thinks, and so on; or does what is planned. */
final class Actor implements Runnable {
    private final World world;
    private final int number;
    private final RandomGenerator random;
    private final FileOps files;
    private final NameOps names;
    private final DirectoryOps directories;
    private final RangeOps ranges;
    private final LinkOps links;
    private final int operations;
    private final @Nullable List<Plan.Operation> planned;

    Actor(World world, int number, int operations, @Nullable List<Plan.Operation> planned) {
        this.world = world;
        this.number = number;
        this.random = world.random;
        this.operations = operations;
        this.planned = planned;
        files = new FileOps(world);
        names = new NameOps(world);
        links = new LinkOps(world, names);
        ranges = new RangeOps(world, files);
        directories = new DirectoryOps(world, files, names);
    }

    @Override
    public void run() {
        if (planned != null) {
            // For what is left out the time passes all the same, so that the others meet as before.
            int next = 0;
            for (Plan.Operation operation : planned) {
                for (; next < operation.number(); next++) {
                    think(next);
                }
                attempt(next++, operation.kind());
            }
            return;
        }
        // What cannot be done just now (nothing open, a claim in the way) counts as nothing done.
        int done = 0;
        for (int i = 0; done < operations && i - done < 50 * operations; i++) {
            done += attempt(i, null) ? 1 : 0;
        }
    }

    private boolean attempt(int i, Tuning.@Nullable Op instead) {
        think(i);
        Tuning.Op drawn = world.tuning.draw(random);
        Tuning.Op op = instead == null ? drawn : instead;
        world.trace.event(world.loop.nanoTime(), op.name(), i, 0, 0);
        boolean done = world.perform(new Plan.Operation(number, i, op), () -> perform(op));
        if (!done) {
            world.loop.sleep(1000);
        }
        return done;
    }

    private void think(int i) {
        world.loop.begin(new Origin(world.seed, number, i));
        if (random.nextInt(3) != 0) {
            world.loop.sleep(random.nextLong(world.tuning.thinkNanos) + 1);
        }
    }

    private boolean perform(Tuning.Op op) {
        // Who has nothing to write to sees to it that he has.
        return tried(op)
                || (op == Tuning.Op.WRITE && (tried(Tuning.Op.CREATE) || tried(Tuning.Op.OPEN)));
    }

    private boolean tried(Tuning.Op op) {
        world.tally.began(op);
        boolean done = false;
        try {
            done = doIt(op);
        } finally {
            world.tally.ended(op, done);
        }
        return done;
    }

    private boolean doIt(Tuning.Op op) {
        return switch (op) {
            case WRITE -> files.write(false);
            case APPEND -> files.write(true);
            case READ -> files.read();
            case TRUNCATE -> files.truncate();
            case FSYNC -> files.fsync();
            case CLOSE -> world.handles.size() > 2 && files.close();
            case STAT -> files.stat();
            case SET -> files.setAttributes();
            case CREATE -> names.create();
            case OPEN -> names.open();
            case RENAME -> names.rename();
            case UNLINK -> names.unlink();
            case MKDIR -> names.makeDirectory();
            case RMDIR -> names.removeDirectory();
            case LOOKUP -> names.lookup();
            case LIST -> directories.list();
            case SYNC_DIRECTORY -> directories.syncDirectory();
            case FORGET -> names.forget();
            case PUNCH -> ranges.punch();
            case ZERO -> ranges.zero();
            case ALLOCATE -> ranges.extend();
            case COPY -> ranges.copy();
            case SEEK -> ranges.seek();
            case LINK -> links.link();
            case SYMLINK -> links.makeSymlink();
            case READLINK -> links.readSymlink();
            case SQUEEZE -> world.memory.squeeze();
            case SET_DIRECTORY -> directories.setAttributes();
            case ELSEWHERE -> false;
        };
    }
}
