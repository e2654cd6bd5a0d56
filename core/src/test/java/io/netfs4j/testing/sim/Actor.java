// SPDX-License-Identifier: Apache-2.0
package io.netfs4j.testing.sim;

import java.util.random.RandomGenerator;

/** One application: draws an operation, does it, thinks, and so on. */
final class Actor implements Runnable {
    private final World world;
    private final RandomGenerator random;
    private final FileOps files;
    private final NameOps names;
    private final DirectoryOps directories;
    private final int operations;

    Actor(World world, int operations) {
        this.world = world;
        this.random = world.random;
        this.operations = operations;
        files = new FileOps(world);
        names = new NameOps(world);
        directories = new DirectoryOps(world, files, names);
    }

    @Override
    public void run() {
        // What cannot be done just now (nothing open, a claim in the way) counts as nothing done.
        int idle = 0;
        for (int done = 0; done < operations && idle < 50 * operations; ) {
            if (random.nextInt(3) != 0) {
                world.loop.sleep(random.nextLong(world.tuning.thinkNanos) + 1);
            }
            Tuning.Op op = world.tuning.draw(random);
            world.trace.event(world.loop.nanoTime(), op.name(), done, 0, 0);
            if (perform(op)) {
                done++;
                world.operation();
            } else {
                idle++;
                world.loop.sleep(1000);
            }
        }
    }

    private boolean perform(Tuning.Op op) {
        return switch (op) {
            case WRITE -> files.write(false) || names.createOrOpen();
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
        };
    }
}
