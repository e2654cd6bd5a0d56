// SPDX-License-Identifier: Apache-2.0
package io.netfs4j;

import io.netfs4j.base.Environment;
import io.netfs4j.base.FsException;
import io.netfs4j.server.Remote;
import io.netfs4j.server.Server;
import io.netfs4j.vfs.CachedVfs;

import java.nio.file.Path;

/** Opens a mount over a server and in an environment that a test made. */
public final class SimulatedMount {
    private SimulatedMount() {}

    public static Mount of(Server server, CachedVfs vfs, Environment environment)
            throws FsException {
        Remote remote = Remote.parse("memory://simulated/", Path.of("/"));
        return new Mount(remote, server, vfs, environment, Mount.Owned.NOTHING);
    }
}
