// SPDX-License-Identifier: Apache-2.0
package io.netfs4j.engine;

import io.netfs4j.base.FsException;
import io.netfs4j.cache.Cookie;
import io.netfs4j.server.AttributeChange;
import io.netfs4j.server.ServerAttributes;
import io.netfs4j.server.ServerFile;

import org.jspecify.annotations.Nullable;

/** Hears what the engine learns of the file. Called with the inode's lock held; must not wait. */
public interface InodeListener {
    /**
     * The server is to make the file, in the background; {@link InodeData#endCreation} tells how
     * that ended.
     */
    void create();

    /** The server will not get the file: nobody wants it any more. */
    void onGivenUp();

    /** Whether {@link #beforeSending} has anything to do. */
    default boolean checksBase() {
        return false;
    }

    /**
     * Something is about to be sent: makes sure that the server has the version that it builds on.
     * Waits; called without a lock.
     *
     * @throws FsException ESTALE when it has another: nothing may be sent
     */
    default void beforeSending(ServerFile handle) throws FsException {}

    /** Whether {@link #beforeSending} is to be asked again after a lost connection. */
    default boolean checksAfterLoss() {
        return false;
    }

    /** Nothing of it is being sent any more, and which version the server has is known. */
    default void onSettled() {}

    /** What a commit sets: its times may have to differ from those of other versions. */
    default AttributeChange toCommit(PendingAttributes pending) {
        return pending.change();
    }

    /** A write request is about to be committed. */
    void onCommitting();

    /** A write request was committed; these are the server's attributes after it. */
    void onCommitted(ServerAttributes attributes);

    /** A caller's bytes were written past the page cache; the size is set already. */
    default void onWritten(long position, int count) {}

    /** What was read of it may be of an old version, wherever it is kept. */
    default void onInvalidated() {}

    /** No bytes are dirty or in flight any more. */
    void onClean();

    /** The disk cache's handle for it; null when it is not to be cached. */
    default @Nullable Cookie openCookie() {
        return null;
    }

    /** Whether its last name is being taken away: what is refused then is soon of no account. */
    default boolean isBeingRemoved() {
        return false;
    }

    /** For messages. */
    String name();
}
