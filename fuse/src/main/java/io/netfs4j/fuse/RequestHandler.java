// SPDX-License-Identifier: Apache-2.0
package io.netfs4j.fuse;

import io.netfs4j.base.FsException;

/**
 * Answers the kernel's requests: the file system behind a {@link FuseSession}.
 *
 * <p><b>Errors</b>: an {@link FsException} becomes the reply; anything else that is thrown is
 * logged and answered with EIO. A request that neither method answered is answered with EIO too.
 */
interface RequestHandler {
    /**
     * Answers what needs no waiting. Called on a reader thread, which must never wait: requests
     * behind this one would wait with it, the interrupts of others included.
     *
     * @return false when answering may need waiting; {@link #handle} is then called, and nothing
     *     may have been answered or changed
     */
    boolean tryHandle(FuseRequest request) throws FsException;

    /**
     * Answers a request for which {@link #tryHandle} returned false. Called on a virtual thread of
     * its own, which may wait and is interrupted when the application's call is (EINTR).
     */
    void handle(FuseRequest request) throws FsException;

    /**
     * The mount is gone and no reader runs any more; what the kernel did not close will not be
     * closed. Called once, on a thread of its own.
     */
    default void sessionEnded() {}
}
