// SPDX-License-Identifier: Apache-2.0
package io.netfs4j.engine;

import io.netfs4j.base.FsError;
import io.netfs4j.base.FsException;
import io.netfs4j.base.GuardedBy;
import io.netfs4j.request.Termination;

import org.jspecify.annotations.Nullable;

import java.util.List;

/**
 * How long one request waits for a server that asks for time, and when it has waited often enough.
 * An answer that asks for patience counts, until there is progress; a lost connection only makes
 * the pauses longer.
 *
 * <p><b>Threads</b>: with the inode's lock held.
 */
final class Patience {
    /** Answers of a live server without progress, in a row. */
    private int attempts;

    /** Lost connections in a row. */
    private int disconnects;

    private boolean pausing;

    /** Whether a pause is under way. */
    boolean isPausing() {
        return pausing;
    }

    void progress() {
        attempts = 0;
        disconnects = 0;
    }

    /** What pieces that have ended ask for together, or null when none wants to be waited for. */
    static Termination.@Nullable RetryLater askedBy(List<Piece> pieces) {
        Termination.RetryLater longest = null;
        boolean disconnected = false;
        for (Piece p : pieces) {
            if (p.termination instanceof Termination.RetryLater r) {
                disconnected |= r.disconnected();
                longest = longest == null || r.afterNanos() > longest.afterNanos() ? r : longest;
            }
        }
        return longest == null
                ? null
                : new Termination.RetryLater(disconnected, longest.afterNanos(), longest.cause());
    }

    /**
     * Pauses before the next attempt.
     *
     * @param over runs after the pause, with the inode's lock held
     * @return null; or why there is to be no other attempt, and no pause has begun
     */
    @GuardedBy("inode lock")
    @Nullable FsException pause(
            Engine engine, InodeData inode, Termination.RetryLater asked, Runnable over) {
        int attempt = asked.disconnected() ? ++disconnects : ++attempts;
        if (!asked.disconnected() && attempt > engine.limits().attemptsMax()) {
            attempts = 0;
            FsException cause = asked.cause();
            return new FsException(
                    cause.error() == FsError.EAGAIN ? FsError.EIO : cause.error(),
                    attempt - 1 + " attempts without progress: " + cause.getMessage(),
                    cause);
        }
        pausing = true;
        engine.after(
                Math.max(asked.afterNanos(), engine.retryPauseNanos(attempt)),
                () -> {
                    inode.lock().lock();
                    try {
                        pausing = false;
                        over.run();
                    } finally {
                        inode.lock().unlock();
                    }
                });
        return null;
    }
}
