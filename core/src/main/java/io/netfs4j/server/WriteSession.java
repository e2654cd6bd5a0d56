// SPDX-License-Identifier: Apache-2.0
package io.netfs4j.server;

import io.netfs4j.base.Completion;
import io.netfs4j.request.Destination;

/**
 * One pass of writing over one file: pieces are issued in ascending order, then the whole is
 * committed.
 *
 * <p><b>Threads</b>: called by engine steps; never waits.
 */
public interface WriteSession extends Destination {
    /**
     * The unit of pieces, in bytes: each begins on a multiple of it, and ends on one or at the end
     * of the file. 1 for a server that writes at any offset.
     */
    default int granuleBytes() {
        return 1;
    }

    /**
     * Whether what was sent counts only from {@link #commit} on, all of it at once, as with a
     * server of whole objects. Then pieces and {@link #keep} together cover the file from its
     * beginning to its new end, in ascending order.
     */
    default boolean isAtomic() {
        return false;
    }

    /**
     * States that this range stays as the server has it. Servers that write at offsets need do
     * nothing; object stores copy it on their side.
     */
    void keep(long position, long length);

    /**
     * Makes what was issued visible, and sets times where asked. Every piece has been terminated.
     * Completes with the attributes afterwards, whose token is the version that now stands. Fails
     * with ESTALE when the base version no longer stood, and with ENOTCONN when the connection was
     * lost since its pieces were sent, so that another client may have gone on: it is looked for,
     * and a session that is not atomic is followed by one that only commits.
     */
    void commit(AttributeChange times, Completion<ServerAttributes> done);

    /** Gives up; leaves no trace beyond the pieces an offset writer has written already. */
    void abort();
}
