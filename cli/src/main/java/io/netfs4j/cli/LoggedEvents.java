// SPDX-License-Identifier: Apache-2.0
package io.netfs4j.cli;

import io.netfs4j.base.FsException;
import io.netfs4j.vfs.VfsEvents;

import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Writes into the log what a person should know of a mount. */
final class LoggedEvents implements VfsEvents {
    private static final Logger LOG = LoggerFactory.getLogger(LoggedEvents.class);

    @Override
    public void conflict(String name, String copy) {
        LOG.warn("conflict: another client has changed {}; ours goes to {} beside it", name, copy);
    }

    @Override
    public void journalFailed(FsException why) {
        LOG.error(
                "the journal has failed: {}; writes wait for the server from now on, and what is"
                        + " not there yet would be lost with this process",
                why.getMessage());
    }
}
