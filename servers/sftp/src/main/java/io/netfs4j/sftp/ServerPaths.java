// SPDX-License-Identifier: Apache-2.0
package io.netfs4j.sftp;

import io.netfs4j.base.FsError;
import io.netfs4j.base.FsException;
import io.netfs4j.base.Names;
import io.netfs4j.server.RemotePath;

import java.io.ByteArrayOutputStream;

/** Paths of the mount as the server's bytes: below the root that was mounted. */
final class ServerPaths {
    private final byte[] root;

    /**
     * @param root absolute on the server, canonical
     */
    ServerPaths(byte[] root) {
        this.root = root.clone();
    }

    /**
     * The path on the server.
     *
     * @throws FsException ENAMETOOLONG
     */
    byte[] of(RemotePath path) throws FsException {
        ByteArrayOutputStream out = new ByteArrayOutputStream(128);
        out.writeBytes(root);
        boolean slashed = root.length > 0 && root[root.length - 1] == '/';
        for (String name : path.names()) {
            if (!slashed) {
                out.write('/');
            }
            slashed = false;
            out.writeBytes(Names.encode(name));
        }
        if (out.size() >= Protocol.PATH_BYTES_MAX) {
            throw new FsException(FsError.ENAMETOOLONG, "a path of " + out.size() + " bytes");
        }
        return out.toByteArray();
    }
}
