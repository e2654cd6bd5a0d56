// SPDX-License-Identifier: Apache-2.0
package io.netfs4j;

import io.netfs4j.base.Environment;
import io.netfs4j.base.FsError;
import io.netfs4j.base.FsException;
import io.netfs4j.base.SystemRuntime;
import io.netfs4j.server.Remote;
import io.netfs4j.server.Server;
import io.netfs4j.server.ServerOptions;
import io.netfs4j.server.ServerProvider;
import io.netfs4j.vfs.CachedVfs;

import org.jspecify.annotations.Nullable;

import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.ServiceLoader;
import java.util.Set;
import java.util.TreeSet;

/**
 * Opens mounts: finds the back end by the remote's scheme, connects, puts the file system on top.
 */
public final class Netfs {
    private Netfs() {}

    /** The back ends on the class path. */
    public static List<ServerProvider> providers() {
        List<ServerProvider> all = new ArrayList<>();
        ServiceLoader.load(ServerProvider.class, Netfs.class.getClassLoader()).forEach(all::add);
        return all;
    }

    /**
     * The back end for a scheme.
     *
     * @throws FsException EINVAL, naming the schemes there are
     */
    public static ServerProvider provider(String scheme) throws FsException {
        Set<String> known = new TreeSet<>();
        for (ServerProvider provider : providers()) {
            if (provider.schemes().contains(scheme.toLowerCase(Locale.ROOT))) {
                return provider;
            }
            known.addAll(provider.schemes());
        }
        throw new FsException(
                FsError.EINVAL,
                "unknown scheme \"" + scheme + "\"; known: " + String.join(", ", known));
    }

    /**
     * Opens a mount, with threads and a clock of its own.
     *
     * <p>Waits for the server.
     *
     * @throws FsException as {@link ServerProvider#connect}
     */
    public static Mount open(Remote remote, MountOptions options, ServerOptions serverOptions)
            throws FsException {
        SystemRuntime runtime = new SystemRuntime();
        boolean opened = false;
        try {
            Mount mount = open(remote, options, serverOptions, runtime.environment(), runtime);
            opened = true;
            return mount;
        } finally {
            if (!opened) {
                runtime.close();
            }
        }
    }

    private static Mount open(
            Remote remote,
            MountOptions options,
            ServerOptions serverOptions,
            Environment environment,
            @Nullable SystemRuntime owned)
            throws FsException {
        ServerProvider provider = provider(remote.scheme());
        for (String name : serverOptions.values().keySet()) {
            if (!provider.optionNames().contains(name)) {
                throw new FsException(
                        FsError.EINVAL,
                        "unknown option \""
                                + name
                                + "\" for "
                                + remote.scheme()
                                + "; known: "
                                + String.join(", ", new TreeSet<>(provider.optionNames())));
            }
        }
        Server server = provider.connect(remote, serverOptions, environment);
        boolean opened = false;
        try {
            CachedVfs vfs =
                    new CachedVfs(environment, server, options.vfs(), ByteBuffer::allocateDirect);
            opened = true;
            return new Mount(remote, server, vfs, environment, owned);
        } finally {
            if (!opened) {
                server.close();
            }
        }
    }
}
