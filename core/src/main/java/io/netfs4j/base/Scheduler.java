// SPDX-License-Identifier: Apache-2.0
package io.netfs4j.base;

/**
 * The only source of threads.
 *
 * <p><b>Threads</b>: every method may be called from any thread and returns at once; nothing runs
 * inside the call.
 */
public interface Scheduler {
    /** Runs a bounded step that never waits, soon. */
    void execute(Runnable step);

    /** Runs a step that never waits, {@code delayNanos} from now. */
    Cancellable schedule(Runnable step, long delayNanos);

    /** Runs a task that may wait, on a thread of its own that nobody interrupts. */
    void fork(String name, Runnable task);

    /**
     * As {@link #fork}, for a task that calls the operating system where that may hold it up: a
     * disk. However many hang there, others run.
     */
    default void forkBlocking(String name, Runnable task) {
        fork(name, task);
    }

    /** Something that may be called off. */
    interface Cancellable {
        /** Calls it off if it has not begun; harmless otherwise. */
        void cancel();
    }
}
