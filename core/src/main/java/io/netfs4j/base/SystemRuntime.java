// SPDX-License-Identifier: Apache-2.0
package io.netfs4j.base;

import org.jspecify.annotations.Nullable;

import java.time.Instant;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ScheduledThreadPoolExecutor;
import java.util.concurrent.SynchronousQueue;
import java.util.concurrent.ThreadFactory;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import java.util.concurrent.locks.LockSupport;
import java.util.random.RandomGenerator;

/**
 * The real world: the JDK's clock, a small pool of platform threads for engine steps and timers,
 * virtual threads for tasks that wait for completions and sockets, platform threads for those that
 * wait for a disk. The only class of this module that touches any of them.
 *
 * <p>A virtual thread in a call of a file system keeps its carrier, of which there are as many as
 * processors: a disk that hangs would stop everything else.
 *
 * <p><b>Ownership</b>: whoever makes one closes it, after the last mount that uses it has ended.
 */
public final class SystemRuntime implements AutoCloseable {
    /** Engine steps are short; two threads keep two cores busy, more only adds contention. */
    private static final int STEP_THREADS_MAX = 4;

    /** An idle thread of those that wait for disks is kept so long. */
    private static final long IDLE_SECONDS = 10;

    private final ScheduledThreadPoolExecutor steps;
    private final Environment environment;

    public SystemRuntime() {
        int threads =
                Math.min(STEP_THREADS_MAX, Math.max(2, Runtime.getRuntime().availableProcessors()));
        steps = new ScheduledThreadPoolExecutor(threads, stepThreads());
        steps.setRemoveOnCancelPolicy(true);
        environment =
                new Environment(
                        new SystemClock(),
                        new PoolScheduler(steps, blockingThreads()),
                        new ParkingWaits(),
                        RandomGenerator.of("L64X128MixRandom"));
    }

    public Environment environment() {
        return environment;
    }

    @Override
    public void close() {
        steps.shutdownNow();
    }

    private static ThreadFactory stepThreads() {
        AtomicInteger number = new AtomicInteger();
        return step -> {
            Thread thread = new Thread(step, "netfs-engine-" + number.incrementAndGet());
            thread.setDaemon(true);
            return thread;
        };
    }

    /** Their number is bounded by those who fork: each says how many calls of its disk it makes. */
    private static ThreadPoolExecutor blockingThreads() {
        return new ThreadPoolExecutor(
                0,
                Integer.MAX_VALUE,
                IDLE_SECONDS,
                TimeUnit.SECONDS,
                new SynchronousQueue<>(),
                Thread.ofPlatform().daemon().name("netfs-disk-", 1).factory());
    }

    private static final class SystemClock implements Clock {
        @Override
        public long nanoTime() {
            return System.nanoTime();
        }

        @Override
        public Instant now() {
            return Instant.now();
        }
    }

    private record PoolScheduler(ScheduledThreadPoolExecutor steps, ThreadPoolExecutor blocking)
            implements Scheduler {
        @Override
        public void execute(Runnable step) {
            try {
                steps.execute(guarded(step));
            } catch (RejectedExecutionException e) {
                // Closed: what still ends somewhere has nobody left to tell.
                if (!steps.isShutdown()) {
                    throw e;
                }
            }
        }

        @Override
        public Cancellable schedule(Runnable step, long delayNanos) {
            try {
                var future = steps.schedule(guarded(step), delayNanos, TimeUnit.NANOSECONDS);
                return () -> future.cancel(false);
            } catch (RejectedExecutionException e) {
                if (!steps.isShutdown()) {
                    throw e;
                }
                return () -> {};
            }
        }

        @Override
        public void fork(String name, Runnable task) {
            Thread.ofVirtual().name(name).start(task);
        }

        /** The threads end by themselves, so that what is under way when all ends is done. */
        @Override
        public void forkBlocking(String name, Runnable task) {
            blocking.execute(
                    guarded(() -> {
                        Thread thread = Thread.currentThread();
                        String idle = thread.getName();
                        thread.setName(name);
                        try {
                            task.run();
                        } finally {
                            thread.setName(idle);
                        }
                    }));
        }

        /** A step that throws is a bug; the pool would swallow it. */
        private static Runnable guarded(Runnable step) {
            return () -> {
                try {
                    step.run();
                } catch (RuntimeException | Error e) {
                    Thread t = Thread.currentThread();
                    t.getUncaughtExceptionHandler().uncaughtException(t, e);
                }
            };
        }
    }

    private static final class ParkingWaits implements Waits {
        @Override
        public <T extends @Nullable Object> T await(Completion<T> completion) throws FsException {
            if (!completion.isDone()) {
                park(completion, true);
            }
            return completion.get();
        }

        @Override
        public <T extends @Nullable Object> T awaitUninterruptibly(Completion<T> completion)
                throws FsException {
            if (!completion.isDone()) {
                park(completion, false);
            }
            return completion.get();
        }

        private static <T extends @Nullable Object> void park(
                Completion<T> completion, boolean interruptible) throws FsException {
            AtomicReference<@Nullable Thread> waiter =
                    new AtomicReference<>(Thread.currentThread());
            completion.whenDone((value, failure) -> LockSupport.unpark(waiter.get()));
            boolean interrupted = false;
            try {
                while (!completion.isDone()) {
                    LockSupport.park(completion);
                    if (Thread.interrupted()) {
                        if (interruptible && !completion.isDone()) {
                            throw new FsException(FsError.EINTR);
                        }
                        interrupted = true;
                    }
                }
            } finally {
                waiter.set(null);
                if (interrupted) {
                    Thread.currentThread().interrupt();
                }
            }
        }
    }
}
