// SPDX-License-Identifier: Apache-2.0
package io.netfs4j.base;

import org.jspecify.annotations.Nullable;

/**
 * The only way in which a thread of this program waits for the engine. Production parks the thread;
 * the simulator runs something else meanwhile.
 *
 * <p><b>Threads</b>: never call it with a lock held.
 */
public interface Waits {
    /**
     * Waits until done.
     *
     * @throws FsException what the completion failed with; EINTR when the waiting thread was
     *     interrupted (the thing waited for goes on)
     */
    <T extends @Nullable Object> T await(Completion<T> completion) throws FsException;

    /** As {@link #await}, but an interrupt is kept for later. */
    <T extends @Nullable Object> T awaitUninterruptibly(Completion<T> completion)
            throws FsException;
}
