// SPDX-License-Identifier: Apache-2.0
package io.netfs4j.server;

import io.netfs4j.base.FsException;

/** Where an open file is now: renames move it while it is open, and a reconnect must find it. */
@FunctionalInterface
public interface PathSource {
    /**
     * The file's present path. Must not wait.
     *
     * @throws FsException ESTALE when it has no name any more
     */
    RemotePath path() throws FsException;
}
