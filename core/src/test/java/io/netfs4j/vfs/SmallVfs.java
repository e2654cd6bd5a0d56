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
        return over(runtime, server, options());
    }

    /** One whose truncations are the server's at once. */
    static CachedVfs withMetadataSync(SystemRuntime runtime, Server server) throws FsException {
        return over(runtime, server, options().withMetadataSync());
    }

    private static VfsOptions options() {
        return VfsOptions.of(new PageCache.Limits(MEMORY_BYTES, MEMORY_BYTES, MEMORY_BYTES));
    }

    private static CachedVfs over(SystemRuntime runtime, Server server, VfsOptions options)
            throws FsException {
        return new CachedVfs(runtime.environment(), server, options, ByteBuffer::allocate);
    }
}
