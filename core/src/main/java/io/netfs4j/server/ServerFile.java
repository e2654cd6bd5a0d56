// SPDX-License-Identifier: Apache-2.0
package io.netfs4j.server;

import io.netfs4j.base.Completion;
import io.netfs4j.base.FsError;
import io.netfs4j.base.FsException;
import io.netfs4j.request.Destination;

import org.jspecify.annotations.Nullable;

/**
 * The data of one file on a server, from open to close. It outlives connections: after a reconnect
 * the back end opens it again, by its {@link PathSource}.
 *
 * <p><b>Threads</b>: any; nothing here waits except {@link #copyRange}.
 */
public interface ServerFile {
    /** The source of reads. A piece past the end ends as {@code EndOfFile}. */
    Destination reads();

    /**
     * Begins a writing session. At most one is open per file at a time.
     *
     * @param base the version it builds on, null when there is none (a file made by us)
     */
    WriteSession begin(@Nullable CoherencyToken base);

    /**
     * Forces what was committed to the server's stable storage (fsync@openssh.com, COMMIT). A
     * server without such a thing completes at once.
     */
    void sync(Completion<@Nullable Void> done);

    /**
     * Asks for the file's attributes by its handle, so that it works without a name. Waits, as the
     * methods of {@link Server} do.
     */
    ServerAttributes attributes() throws FsException;

    /** Sets attributes by the handle. Waits. Returns the attributes after it. */
    ServerAttributes setAttributes(AttributeChange change) throws FsException;

    /**
     * Copies bytes from another file of the same server. Waits.
     *
     * @return how many bytes were copied; fewer than asked at the end of the source
     * @throws FsException ENOTSUP without {@link Capability#SERVER_COPY}
     */
    default long copyRange(ServerFile source, long from, long to, long count) throws FsException {
        throw new FsException(FsError.ENOTSUP, "the server does not copy");
    }

    /** Whether {@link #reads} can give anything: it was opened for reading. */
    boolean isReadable();

    /** Whether {@link #begin} may be called: it was opened for writing. */
    boolean isWritable();

    /** Gives the handle back, in the background. Pieces still in flight end first. */
    void close();
}
