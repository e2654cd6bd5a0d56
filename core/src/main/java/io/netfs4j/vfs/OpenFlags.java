// SPDX-License-Identifier: Apache-2.0
package io.netfs4j.vfs;

import io.netfs4j.server.Access;

/**
 * The flags of open(2) that mean something here.
 *
 * @param append every write goes to the end of the file
 * @param exclusive with create: the name must not exist
 * @param sync every write returns when it is on the server, with attributes (O_SYNC)
 * @param dataSync as {@code sync}, for what is needed to read the data back (O_DSYNC)
 * @param direct past the page cache (O_DIRECT)
 */
public record OpenFlags(
        Access access,
        boolean append,
        boolean truncate,
        boolean exclusive,
        boolean sync,
        boolean dataSync,
        boolean direct) {
    public static final OpenFlags READ = plain(Access.READ);
    public static final OpenFlags READ_WRITE = plain(Access.READ_WRITE);

    /** The same, past the page cache. */
    public OpenFlags pastThePageCache() {
        return direct
                ? this
                : new OpenFlags(access, append, truncate, exclusive, sync, dataSync, true);
    }

    public static OpenFlags plain(Access access) {
        return new OpenFlags(access, false, false, false, false, false, false);
    }
}
