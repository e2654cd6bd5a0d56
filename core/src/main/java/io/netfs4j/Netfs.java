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
import io.netfs4j.vfs.VfsOptions;

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
     * <p>Waits for the server. With a state directory ({@link MountOptions#state}) what is written
     * survives this process, and the next mount of the same remote takes it up; without one new
     * files are not an application's before they are the server's.
     *
     * @throws FsException as {@link ServerProvider#connect}; EBUSY when another mount keeps its
     *     state of the same remote in the same directory
     */
    public static Mount open(Remote remote, MountOptions options, ServerOptions serverOptions)
            throws FsException {
        return open(remote, options, serverOptions, "a program");
    }

    /**
     * As above.
     *
     * @param place what the mount is called towards others: its mount point
     */
    public static Mount open(
            Remote remote, MountOptions options, ServerOptions serverOptions, String place)
            throws FsException {
        SystemRuntime runtime = new SystemRuntime();
        Server server = null;
        MountState state = null;
        MountCache cache = null;
        boolean opened = false;
        try {
            server = connect(remote, serverOptions, runtime.environment());
            state = MountState.open(runtime.environment(), remote, options, place);
            cache = MountCache.open(runtime.environment(), remote, options, place, state);
            CachedVfs vfs =
                    new CachedVfs(
                            runtime.environment(),
                            server,
                            vfsOptions(remote, options, state),
                            ByteBuffer::allocateDirect,
                            cache == null ? null : cache.store(),
                            state == null ? null : state.journal());
            opened = true;
            return new Mount(
                    remote,
                    server,
                    vfs,
                    runtime.environment(),
                    new Mount.Owned(runtime, state, cache));
        } finally {
            if (!opened) {
                if (server != null) {
                    server.close();
                }
                new Mount.Owned(runtime, state, cache).close();
            }
        }
    }

    private static VfsOptions vfsOptions(
            Remote remote, MountOptions options, @Nullable MountState state) throws FsException {
        VfsOptions vfs = options.vfs();
        if (state == null && vfs.journalSyncs() && !vfs.readOnly()) {
            throw new FsException(
                    FsError.EINVAL,
                    "option fsync=journal: this mount has no journal; name a directory for it with"
                            + " the option state");
        }
        return MountState.allowsNewFiles(remote, state) ? vfs : vfs.withMetadataSync();
    }

    private static Server connect(
            Remote remote, ServerOptions serverOptions, Environment environment)
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
        return provider.connect(remote, serverOptions, environment);
    }
}
