// SPDX-License-Identifier: Apache-2.0
package io.netfs4j.base;

import org.jspecify.annotations.Nullable;

/** Waits that end. */
public final class TimedWaits {
    private TimedWaits() {}

    /**
     * Waits until done, or for so long.
     *
     * @param otherwise what is said when it takes longer; what was waited for goes on then
     * @throws FsException what it failed with; EINTR; ETIMEDOUT
     */
    public static void await(
            Environment environment,
            Completion<@Nullable Void> completion,
            long nanos,
            String otherwise)
            throws FsException {
        Completion<@Nullable Void> either = new Completion<>();
        Scheduler.Cancellable timer =
                environment
                        .scheduler()
                        .schedule(
                                () -> either.fail(new FsException(FsError.ETIMEDOUT, otherwise)),
                                nanos);
        completion.whenDone((value, failure) -> {
            if (failure == null) {
                either.complete(null);
            } else {
                either.fail(failure);
            }
        });
        try {
            environment.waits().await(either);
        } finally {
            timer.cancel();
        }
    }
}
