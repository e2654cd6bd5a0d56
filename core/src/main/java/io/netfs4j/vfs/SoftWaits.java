// SPDX-License-Identifier: Apache-2.0
package io.netfs4j.vfs;

import io.netfs4j.base.Completion;
import io.netfs4j.base.Environment;
import io.netfs4j.base.FsException;
import io.netfs4j.base.TimedWaits;

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
        TimedWaits.await(
                environment, completion, timeoutNanos, "the server did not answer in time");
    }
}
