// SPDX-License-Identifier: Apache-2.0
package io.netfs4j.vfs;

import io.netfs4j.base.Environment;
import io.netfs4j.cache.DiskCache;
import io.netfs4j.engine.Engine;
import io.netfs4j.pagecache.PageCache;
import io.netfs4j.server.Server;

import org.jspecify.annotations.Nullable;

import java.util.concurrent.atomic.AtomicReference;

/** What the parts of a {@link CachedVfs} share. */
record VfsParts(
        Environment environment,
        Server server,
        VfsOptions options,
        PageCache cache,
        @Nullable DiskCache diskCache,
        Engine engine,
        InodeTable table,
        NamesGate gate,
        Coherency coherency,
        Journalling journalling,
        AtomicReference<VfsEvents> listener) {
    VfsEvents events() {
        return listener.get();
    }

    long nowNanos() {
        return environment.clock().nanoTime();
    }
}
