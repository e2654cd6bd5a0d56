// SPDX-License-Identifier: Apache-2.0
package io.netfs4j.engine;

import io.netfs4j.base.GuardedBy;
import io.netfs4j.trace.Counters.Counter;

import java.util.List;

/**
 * Watches the pieces that one request has with the disk cache: one that does not end is waited for
 * as long as the mount has patience with its cache, and then the request leaves the cache behind.
 *
 * <p><b>Threads</b>: with the inode's lock held, which its own looks take.
 */
final class CacheWatch {
    private final Engine engine;
    private final InodeData inode;
    private final IoStream stream;
    private final Runnable abandon;

    @GuardedBy("inode lock")
    private boolean looks;

    /**
     * @param abandon called with the inode's lock held when patience has run out; it calls {@link
     *     #leave}
     */
    CacheWatch(Engine engine, InodeData inode, IoStream stream, Runnable abandon) {
        this.engine = engine;
        this.inode = inode;
        this.stream = stream;
        this.abandon = abandon;
    }

    /** Looks after a while whether the first piece of now has ended. */
    @GuardedBy("inode lock")
    void watch() {
        Piece front = stream.pieces.first();
        if (front != null && !looks) {
            looks = true;
            engine.after(engine.limits().cachePatienceNanos(), () -> look(front));
        }
    }

    private void look(Piece front) {
        inode.lock().lock();
        try {
            looks = false;
            if (stream.pieces.first() == front && front.termination == null) {
                abandon.run();
            } else {
                watch();
            }
        } finally {
            inode.lock().unlock();
        }
    }

    /**
     * Stops waiting. The pieces may still use the memory that they were given, and what they store
     * may be older than what comes next: until they have ended the file is not cached at all.
     *
     * @param releases give that memory back, with the inode's lock held, once they have ended
     */
    @GuardedBy("inode lock")
    void leave(List<Runnable> releases) {
        looks = true; // Nobody is waited for any more.
        engine.counters().add(Counter.CACHE_ERRORS, 1);
        inode.suspendCookie();
        engine.cacheBreaker().abandoned();
        Runnable over =
                () -> {
                    engine.cacheBreaker().ended();
                    inode.lock().lock();
                    try {
                        releases.forEach(Runnable::run);
                        inode.resumeCookie();
                    } finally {
                        inode.lock().unlock();
                    }
                };
        stream.onIdle(() -> engine.scheduler().execute(over));
    }
}
