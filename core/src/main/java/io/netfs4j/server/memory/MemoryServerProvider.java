// SPDX-License-Identifier: Apache-2.0
package io.netfs4j.server.memory;

import io.netfs4j.base.Environment;
import io.netfs4j.base.FsError;
import io.netfs4j.base.FsException;
import io.netfs4j.server.Remote;
import io.netfs4j.server.Server;
import io.netfs4j.server.ServerOptions;
import io.netfs4j.server.ServerProvider;

import java.util.Set;

/** Makes an empty store for each connection; it is forgotten when that ends. */
public final class MemoryServerProvider implements ServerProvider {
    private static final String CAPACITY = "memory_capacity_bytes";

    @Override
    public Set<String> schemes() {
        return Set.of("memory");
    }

    @Override
    public String words() {
        return "a store in memory";
    }

    @Override
    public String usage() {
        return "memory://NAME/  an empty store in this process, forgotten at unmount";
    }

    @Override
    public Set<String> optionNames() {
        return Set.of(CAPACITY);
    }

    @Override
    public Server connect(Remote remote, ServerOptions options, Environment environment)
            throws FsException {
        if (!remote.path().isEmpty() && !remote.path().equals("/")) {
            throw new FsException(
                    FsError.ENOENT,
                    remote.text() + ": a memory store begins empty; leave the path out");
        }
        long capacity =
                options.number(CAPACITY, 0, Long.MAX_VALUE, MemoryServer.CAPACITY_BYTES_DEFAULT);
        return new MemoryServer(environment.clock(), capacity);
    }
}
