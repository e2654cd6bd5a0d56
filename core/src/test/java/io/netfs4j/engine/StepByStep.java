// SPDX-License-Identifier: Apache-2.0
package io.netfs4j.engine;

import io.netfs4j.base.Environment;
import io.netfs4j.base.Scheduler;
import io.netfs4j.base.SystemRuntime;
import io.netfs4j.pagecache.PageCache;
import io.netfs4j.server.ServerAttributes;
import io.netfs4j.trace.Counters;

import java.nio.ByteBuffer;
import java.util.ArrayDeque;

/** An engine whose steps and timers a test runs by hand, on its own thread. */
final class StepByStep implements Scheduler, AutoCloseable {
    private final SystemRuntime runtime = new SystemRuntime();
    private final ArrayDeque<Runnable> steps = new ArrayDeque<>();
    private final ArrayDeque<Runnable> timers = new ArrayDeque<>();

    /** With a page cache of 1 MiB. */
    Engine engine(EngineLimits limits) {
        Environment real = runtime.environment();
        return new Engine(
                new Environment(real.clock(), this, real.waits(), real.random()),
                new PageCache(
                        new PageCache.Limits(1 << 20, 1 << 20, 1 << 20), ByteBuffer::allocate),
                limits,
                new Counters());
    }

    @Override
    public void execute(Runnable step) {
        steps.add(step);
    }

    @Override
    public Cancellable schedule(Runnable step, long delayNanos) {
        timers.add(step);
        return () -> {};
    }

    @Override
    public void fork(String name, Runnable task) {
        throw new AssertionError("nothing is to wait");
    }

    /** Runs the next step. */
    void runOne() {
        steps.remove().run();
    }

    /** Runs steps until there are none. */
    void run() {
        Runnable step;
        while ((step = steps.poll()) != null) {
            step.run();
        }
    }

    /** Runs steps until there are none, but so many at most; returns how many. */
    int run(int most) {
        int count = 0;
        Runnable step;
        while (count < most && (step = steps.poll()) != null) {
            step.run();
            count++;
        }
        return count;
    }

    /** Lets every timer run out, in the order in which they were set, and those that come of it. */
    void runTimers() {
        Runnable timer;
        while ((timer = timers.poll()) != null) {
            timer.run();
            run();
        }
    }

    /** Lets the timer that was set last run out before all others. */
    void runLastTimer() {
        timers.removeLast().run();
    }

    @Override
    public void close() {
        runtime.close();
    }

    /** A file that nobody needs to be told of. */
    static class QuietFile implements InodeListener {
        @Override
        public void create() {}

        @Override
        public void onGivenUp() {}

        @Override
        public void onCommitting() {}

        @Override
        public void onCommitted(ServerAttributes attributes) {}

        @Override
        public void onClean() {}

        @Override
        public String name() {
            return "f";
        }
    }
}
