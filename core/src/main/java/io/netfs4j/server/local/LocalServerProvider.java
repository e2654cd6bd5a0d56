// SPDX-License-Identifier: Apache-2.0
package io.netfs4j.server.local;

import io.netfs4j.base.Environment;
import io.netfs4j.base.FsError;
import io.netfs4j.base.FsException;
import io.netfs4j.server.Remote;
import io.netfs4j.server.Server;
import io.netfs4j.server.ServerOptions;
import io.netfs4j.server.ServerProvider;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Set;

/** Opens a directory of this machine; makes it when its parent exists. */
public final class LocalServerProvider implements ServerProvider {
    @Override
    public Set<String> schemes() {
        return Set.of("file");
    }

    @Override
    public String words() {
        return "a directory of this machine";
    }

    @Override
    public String usage() {
        return "./DIR, /DIR, file:///DIR  a directory of this machine; made if its parent exists";
    }

    @Override
    public Set<String> optionNames() {
        return Set.of();
    }

    @Override
    public Server connect(Remote remote, ServerOptions options, Environment environment)
            throws FsException {
        if (!remote.host().isEmpty() && !remote.host().equals("localhost")) {
            throw new FsException(
                    FsError.EINVAL,
                    remote.text()
                            + ": a file is on this machine; write file:///dir, or sftp://"
                            + remote.host()
                            + "/dir for another");
        }
        if (remote.path().isEmpty()) {
            throw new FsException(
                    FsError.EINVAL, remote.text() + ": names no directory; write file:///dir");
        }
        Path root = LocalPaths.target(remote.path()).toAbsolutePath();
        makeIfMissing(root);
        if (!Files.isDirectory(root)) {
            throw new FsException(
                    FsError.ENOTDIR, root + ": not a directory; give a directory to mount");
        }
        // The root itself may be reached over links; below it none is followed.
        Path real = LocalErrors.named(root, root::toRealPath);
        return new LocalServer(real, environment);
    }

    private static void makeIfMissing(Path root) throws FsException {
        if (Files.exists(root)) {
            return;
        }
        Path parent = root.getParent();
        if (parent == null || !Files.isDirectory(parent)) {
            throw new FsException(
                    FsError.ENOENT,
                    root + ": neither it nor its parent exists; make the parent directory first");
        }
        LocalErrors.named(root, () -> Files.createDirectory(root));
    }
}
