// SPDX-License-Identifier: Apache-2.0
package io.netfs4j.testing.sim;

import io.netfs4j.engine.EnginePeek;
import io.netfs4j.engine.InodeData;
import io.netfs4j.pagecache.PagesPeek;
import io.netfs4j.vfs.CachedVfs;
import io.netfs4j.vfs.InodePeek;

import org.jspecify.annotations.Nullable;

import java.util.Collection;
import java.util.HashMap;
import java.util.Map;

/**
 * Looks over everything that a mount holds between two steps, and changes nothing: each file byte
 * by byte ({@link FileState}), folios and their memory ({@link PagesPeek}), requests and what they
 * have in flight ({@link EnginePeek}).
 */
final class WholeState {
    private final World world;
    private final Collection<?> inodes;
    private final PagesPeek pages;
    private final EnginePeek engine;
    private final Map<Long, ModelFile> open = new HashMap<>();

    WholeState(World world, CachedVfs vfs, Collection<?> inodes) {
        this.world = world;
        this.inodes = inodes;
        pages = new PagesPeek(WholeState::violated);
        engine = new EnginePeek(vfs.engine(), pages, WholeState::violated);
    }

    private static void violated(String invariant, String what) {
        throw new Violation(invariant, what);
    }

    void check() {
        open.clear();
        for (Handle handle : world.handles) {
            open.put(handle.open.ino(), handle.file);
        }
        engine.begin();
        world.memory.hogs().forEach(pages::add);
        for (Object inode : inodes) {
            InodePeek known = InodePeek.of(inode);
            InodeData data = known.data();
            if (data != null) {
                engine.check(data);
                checkFile(known, data);
            }
        }
        SimCache cache = world.server.cache;
        SimStore store = world.server.realCache;
        boolean idle = (cache == null || cache.isIdle()) && (store == null || store.isIdle());
        engine.end(idle, !world.server.injected.isEmpty());
    }

    private void checkFile(InodePeek inode, InodeData data) {
        ModelFile file = open.get(inode.ino());
        file = file == null ? unopened(inode, data) : file;
        if (file != null && isSettled(file)) {
            FileState.check(file, data, world.server.peek(file));
        }
    }

    /** The file that nobody has open, or null where another inode may stand for it by now. */
    private @Nullable ModelFile unopened(InodePeek inode, InodeData data) {
        ModelFile file = world.server.fileOf(inode.serverFileId());
        if (file == null || file.opens > 0) {
            return null;
        }
        boolean known = data.isUnsaved();
        for (ModelNode name : file.names) {
            known |= name.lookups > 0 && name.ino == inode.ino();
        }
        return known ? file : null;
    }

    /**
     * Whether what the model knows of a file is what the mount shows: not before it is opened again
     * after another client changed it, and not while it may be given up with its name.
     */
    private static boolean isSettled(ModelFile file) {
        if (file.stale != null) {
            return false;
        }
        boolean kept = file.opens > 0;
        for (ModelNode name : file.names) {
            kept |= name.parent != null && !name.parent.busy.contains(name.name);
        }
        return kept;
    }
}
