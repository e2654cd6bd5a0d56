// SPDX-License-Identifier: Apache-2.0
package io.netfs4j.testing.sim;

import io.netfs4j.base.FsException;
import io.netfs4j.server.FileType;
import io.netfs4j.server.RemotePath;
import io.netfs4j.server.ServerAttributes;

import org.jspecify.annotations.Nullable;

/** A name in a directory that nobody else works on meanwhile. */
final class Claim implements AutoCloseable {
    private final World world;
    final ModelNode directory;
    final String name;
    final int faultsBefore;

    Claim(World world, ModelNode directory, String name) {
        this.world = world;
        this.directory = directory;
        this.name = name;
        faultsBefore = world.server.nameFaults;
        directory.pin(1);
        directory.busy.add(name);
        directory.set.claimed();
    }

    @Nullable ModelNode child() {
        return directory.children.get(name);
    }

    RemotePath path() {
        return directory.path().child(name);
    }

    /** Enters what the server has under the name. */
    void enter(ServerAttributes there) {
        ModelFile file = there.type() == FileType.REGULAR ? world.server.fileAt(path()) : null;
        String target = null;
        if (there.type() == FileType.SYMLINK) {
            try {
                target = world.server.store.readSymlink(path());
            } catch (FsException e) {
                throw new AssertionError(e);
            }
        }
        new ModelNode(directory, name, file, target).attach(directory, name);
    }

    @Override
    public void close() {
        directory.busy.remove(name);
        directory.pin(-1);
    }
}
