// SPDX-License-Identifier: Apache-2.0
package io.netfs4j.testing.sim;

import io.netfs4j.base.FsException;

import java.util.ArrayList;

/** Closes every open file, gives back every look-up, and unmounts. */
final class Ending implements Runnable {
    private final World world;

    Ending(World world) {
        this.world = world;
    }

    @Override
    public void run() {
        world.memory.end();
        FileOps files = new FileOps(world);
        for (Handle handle : new ArrayList<>(world.handles)) {
            if (world.random.nextInt(3) == 0) {
                files.fsync(handle);
            }
            files.close(handle);
        }
        forget(world.root);
        world.orphans.forEach(this::forget);
        try {
            world.subject().close();
        } catch (FsException e) {
            throw new Violation("I3", "unmounting fails without faults: " + e, e);
        }
    }

    private void forget(ModelNode node) {
        for (ModelNode child : node.children.values()) {
            forget(child);
        }
        world.forget(node);
    }
}
