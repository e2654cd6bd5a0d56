// SPDX-License-Identifier: Apache-2.0
package io.netfs4j.cli;

import org.jspecify.annotations.Nullable;

import java.io.IOException;
import java.util.List;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.FutureTask;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;

/** A drain that goes on while somebody watches it. One thread uses it. */
final class DrainWatch implements AutoCloseable {
    /** How often the watcher looks. */
    static final long LOOK_MILLIS = 200;

    /** Called at each look; throws when nobody watches any more. */
    @FunctionalInterface
    interface Look {
        void look() throws IOException;
    }

    private final FutureTask<List<Unsaved>> task;
    private final Thread thread;

    DrainWatch(LiveMount mount) {
        task = new FutureTask<>(mount::drain);
        thread = Thread.ofVirtual().name("netfs-drain").start(task);
    }

    /**
     * Waits a moment for the end.
     *
     * @return what was refused, or null while it goes on
     */
    @Nullable List<Unsaved> poll() throws InterruptedException {
        try {
            return task.get(LOOK_MILLIS, TimeUnit.MILLISECONDS);
        } catch (TimeoutException e) {
            return null;
        } catch (ExecutionException e) {
            throw new IllegalStateException("draining failed", e.getCause());
        }
    }

    /** Waits no longer; what is being sent goes on being sent. */
    @Override
    public void close() {
        thread.interrupt();
    }
}
