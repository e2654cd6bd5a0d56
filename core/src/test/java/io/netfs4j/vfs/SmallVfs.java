// SPDX-License-Identifier: Apache-2.0
package io.netfs4j.vfs;

import io.netfs4j.base.FsException;
import io.netfs4j.base.SystemRuntime;
import io.netfs4j.pagecache.PageCache;
import io.netfs4j.server.Server;

import java.nio.ByteBuffer;

/** The vfs that a test of one thing needs. */
final class SmallVfs {
    /** All of it may be dirty: nothing is sent before a test says so. */
    private static final long MEMORY_BYTES = 1 << 20;

    private SmallVfs() {}

    static CachedVfs over(SystemRuntime runtime, Server server) throws FsException {
        return new CachedVfs(
                runtime.environment(),
                server,
                VfsOptions.of(new PageCache.Limits(MEMORY_BYTES, MEMORY_BYTES, MEMORY_BYTES)),
                ByteBuffer::allocate);
    }
}
