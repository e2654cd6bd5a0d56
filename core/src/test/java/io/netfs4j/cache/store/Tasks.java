// SPDX-License-Identifier: Apache-2.0
package io.netfs4j.cache.store;

import io.netfs4j.base.Clock;
import io.netfs4j.base.Completion;
import io.netfs4j.base.Environment;
import io.netfs4j.base.FsException;
import io.netfs4j.base.Scheduler;
import io.netfs4j.base.Waits;

import org.jspecify.annotations.Nullable;

import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;

/**
 * The world of a store under test: what it forks and schedules is kept, and run when the test says
 * so, in an order of chance. A task that is not run is a call of the disk that hangs.
 */
final class Tasks implements Scheduler {
    private static final long BEGINNING_SECONDS = 1_700_000_000L;

    private record Timer(long at, Runnable step) {}

    final Environment environment;
    private final SplittableRandom random;
    private final List<Runnable> forked = new ArrayList<>();
    private final List<Timer> timers = new ArrayList<>();
    private final List<Runnable> hung = new ArrayList<>();
    private long now;

    Tasks(long seed) {
        random = new SplittableRandom(seed);
        environment = new Environment(new Still(), this, new Never(), random.split()::nextLong);
    }

    private final class Still implements Clock {
        @Override
        public long nanoTime() {
            return now;
        }

        @Override
        public Instant now() {
            return Instant.ofEpochSecond(BEGINNING_SECONDS).plusNanos(now);
        }
    }

    /** A store never waits for anything but the disk. */
    private static final class Never implements Waits {
        @Override
        public <T extends @Nullable Object> T await(Completion<T> completion) throws FsException {
            throw new AssertionError("waits");
        }

        @Override
        public <T extends @Nullable Object> T awaitUninterruptibly(Completion<T> completion)
                throws FsException {
            throw new AssertionError("waits");
        }
    }

    @Override
    public void execute(Runnable step) {
        timers.add(new Timer(now, step));
    }

    @Override
    public Cancellable schedule(Runnable step, long delayNanos) {
        timers.add(new Timer(now + delayNanos, step));
        return () -> {};
    }

    @Override
    public void fork(String name, Runnable task) {
        forked.add(task);
    }

    /** Lets time pass; runs what has come due. */
    void pass(long nanos) {
        now += nanos;
        List<Timer> due = new ArrayList<>(timers);
        due.removeIf(timer -> timer.at > now);
        timers.removeAll(due);
        due.forEach(timer -> timer.step.run());
    }

    /** Runs one of the tasks that there are; false when there is none. */
    boolean runOne() {
        if (forked.isEmpty()) {
            return false;
        }
        forked.remove(random.nextInt(forked.size())).run();
        return true;
    }

    /** One of the tasks does not go on until it is released. */
    void hangOne() {
        if (!forked.isEmpty()) {
            hung.add(forked.remove(random.nextInt(forked.size())));
        }
    }

    void release() {
        forked.addAll(hung);
        hung.clear();
    }

    /** Runs all that can be run without time passing. */
    void runAll() {
        int runs = 0;
        while (runOne()) {
            if (++runs > 100_000) {
                throw new AssertionError("goes round in circles");
            }
        }
    }

    /** As after the end of the process. */
    void clear() {
        forked.clear();
        timers.clear();
        hung.clear();
    }

    boolean isIdle() {
        return forked.isEmpty() && hung.isEmpty();
    }

    int forkedCount() {
        return forked.size();
    }
}
