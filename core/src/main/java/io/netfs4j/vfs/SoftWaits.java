// SPDX-License-Identifier: Apache-2.0
package io.netfs4j.vfs;

import io.netfs4j.base.Completion;
import io.netfs4j.base.Environment;
import io.netfs4j.base.FsError;
import io.netfs4j.base.FsException;
import io.netfs4j.base.Scheduler;

import org.jspecify.annotations.Nullable;

/** Waits, for ever or with the mount's soft timeout. */
final class SoftWaits {
    private final Environment environment;
    private final long timeoutNanos;

    /**
     * @param timeoutNanos 0 for no limit
     */
    SoftWaits(Environment environment, long timeoutNanos) {
        this.environment = environment;
        this.timeoutNanos = timeoutNanos;
    }

    /**
     * Waits until done.
     *
     * @throws FsException what it failed with; EINTR; ETIMEDOUT, and what was waited for goes on
     */
    void await(Completion<@Nullable Void> completion) throws FsException {
        if (timeoutNanos == 0 || completion.isDone()) {
            environment.waits().await(completion);
            return;
        }
        Completion<@Nullable Void> either = new Completion<>();
        Scheduler.Cancellable timer =
                environment
                        .scheduler()
                        .schedule(
                                () ->
                                        either.fail(
                                                new FsException(
                                                        FsError.ETIMEDOUT,
                                                        "the server did not answer in time")),
                                timeoutNanos);
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
