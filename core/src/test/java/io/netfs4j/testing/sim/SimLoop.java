// SPDX-License-Identifier: Apache-2.0
package io.netfs4j.testing.sim;

import io.netfs4j.base.Clock;
import io.netfs4j.base.Completion;
import io.netfs4j.base.FsError;
import io.netfs4j.base.FsException;
import io.netfs4j.base.Scheduler;
import io.netfs4j.base.Waits;

import jdk.internal.vm.Continuation;
import jdk.internal.vm.ContinuationScope;

import org.jspecify.annotations.Nullable;

import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.PriorityQueue;

/**
 * One loop that is a world's clock, executor, threads and waiting. Steps run in the order of their
 * virtual time, steps of the same time in an order drawn from the seed. Each step runs in the
 * course of what posted it (see {@link Origin}). A task that waits is a continuation: it gives way
 * in {@link #await} and nowhere else.
 */
final class SimLoop implements Clock, Scheduler, Waits {
    private static final ContinuationScope SCOPE = new ContinuationScope("netfs-sim");

    /** A step is picked up within this; two steps posted at once run in either order. */
    private static final int PICK_NANOS_MAX = 20_000;

    /** Past this many steps a world is going round in circles, */
    private static final int STEPS_MAX = 3_000_000;

    /** unless it is old: timers go off however slow the server is. */
    private static final long TIMER_NANOS = 10_000_000;

    private static final Instant BEGINNING = Instant.ofEpochSecond(1_700_000_000L);

    private final Trace trace;
    private final PriorityQueue<Step> queue = new PriorityQueue<>();
    private final List<Task> tasks = new ArrayList<>();

    /** Called before a task gives way: no lock may be held there. */
    private Runnable yieldCheck = () -> {};

    /** Called between two steps, not less often than after so many. */
    private Runnable wholeCheck = () -> {};

    private static final int WHOLE_STEPS = 64;

    private long now = 1;
    private int steps;
    private @Nullable Task current;

    /** What the process has died of. */
    private @Nullable Error death;

    private Origin origin;

    SimLoop(Origin beginning, Trace trace) {
        this.origin = beginning;
        this.trace = trace;
    }

    /** In whose course things happen now. */
    Origin origin() {
        return origin;
    }

    /** What happens from now on is in the course of something else; for the calling task alone. */
    void begin(Origin next) {
        origin = next;
        if (current != null) {
            current.origin = next;
        }
    }

    private static final class Step implements Comparable<Step>, Cancellable {
        final long time;
        final int tie;
        final int number;
        final Origin origin;
        private @Nullable Runnable action;

        Step(long time, int number, Origin origin, Runnable action) {
            this.time = time;
            this.tie = origin.order.nextInt();
            this.number = number;
            this.origin = origin;
            this.action = action;
        }

        @Override
        public int compareTo(Step o) {
            int byTime = Long.compare(time, o.time);
            int byTie = byTime != 0 ? byTime : Integer.compare(tie, o.tie);
            return byTie != 0 ? byTie : Integer.compare(number, o.number);
        }

        @Override
        public void cancel() {
            action = null;
        }
    }

    /** What a thread is elsewhere. */
    static final class Task {
        final String name;
        private final Continuation continuation;
        private Origin origin;
        private int ticket;
        private boolean interrupted;
        private boolean interruptible;
        private @Nullable Throwable failure;

        Task(String name, Origin origin, Runnable body) {
            this.name = name;
            this.origin = origin;
            continuation =
                    new Continuation(
                            SCOPE,
                            () -> {
                                try {
                                    body.run();
                                } catch (Throwable t) {
                                    failure = t;
                                }
                            });
        }

        boolean isDone() {
            return continuation.isDone();
        }
    }

    private int numbered;

    /** The latest steps, to tell what goes round in circles. */
    private final Runnable[] latest = new Runnable[64];

    void onYield(Runnable check) {
        yieldCheck = check;
    }

    void onWhole(Runnable check) {
        wholeCheck = check;
    }

    private Step post(Runnable action, long delayNanos) {
        Step step = new Step(now + delayNanos, ++numbered, origin, action);
        if (death == null) {
            queue.add(step);
        }
        return step;
    }

    @Override
    public void execute(Runnable step) {
        post(step, origin.order.nextInt(PICK_NANOS_MAX));
    }

    @Override
    public Cancellable schedule(Runnable step, long delayNanos) {
        return post(step, Math.max(0, delayNanos) + origin.order.nextInt(PICK_NANOS_MAX));
    }

    @Override
    public void fork(String name, Runnable body) {
        start(name, body);
    }

    Task start(String name, Runnable body) {
        Task task = new Task(name, origin, body);
        tasks.add(task);
        execute(() -> resume(task));
        return task;
    }

    private void resume(Task task) {
        if (task.isDone()) {
            return;
        }
        Origin before = origin;
        current = task;
        origin = task.origin;
        try {
            task.continuation.run();
        } finally {
            current = null;
            origin = before;
        }
        if (task.isDone()) {
            tasks.remove(task);
            if (task.failure instanceof Violation v) {
                throw v;
            }
            requireAlive();
            if (task.failure != null) {
                throw new Violation("crash", task.name + ": " + task.failure, task.failure);
            }
        }
    }

    /** The process dies of this: nothing that is posted from now on happens. */
    void die(Error cause) {
        death = cause;
    }

    /** What unwinds in a process that is dead does nothing more. */
    void requireAlive() {
        if (death != null) {
            throw death;
        }
    }

    /** Another process begins, of which nothing is left of the one before. */
    void restart() {
        queue.clear();
        tasks.clear();
        death = null;
        current = null;
        yieldCheck = () -> {};
        wholeCheck = () -> {};
    }

    /** Runs until a condition holds. */
    void runUntil(java.util.function.BooleanSupplier condition, long withinNanos) {
        Origin before = origin;
        try {
            runSteps(condition, withinNanos);
        } finally {
            origin = before;
        }
    }

    private void runSteps(java.util.function.BooleanSupplier condition, long withinNanos) {
        long end = now + withinNanos;
        while (!condition.getAsBoolean()) {
            Step step = queue.poll();
            if (step == null) {
                throw new Violation("deadlock", "nothing is left to do; waiting: " + waiting());
            }
            if (step.action == null) {
                continue;
            }
            now = Math.max(now, step.time);
            if (now > end) {
                throw new Violation("liveness", "still waiting after all that time: " + waiting());
            }
            if (++steps > STEPS_MAX + now / TIMER_NANOS) {
                throw new Violation(
                        "livelock",
                        steps + " steps, over and over " + latest() + "; waiting: " + waiting());
            }
            trace.pick(now, step.number);
            latest[steps % latest.length] = step.action;
            origin = step.origin;
            step.action.run();
            requireAlive();
            if (steps % WHOLE_STEPS == 0) {
                wholeCheck.run();
            }
        }
    }

    /** A task's name and the methods in which it waits, innermost first. */
    private static String where(Task task) {
        return task.name
                + java.util.Arrays.stream(task.continuation.getStackTrace())
                        .filter(f -> f.getClassName().startsWith("io.netfs4j."))
                        .filter(f -> !f.getClassName().startsWith(SimLoop.class.getName()))
                        .limit(6)
                        .map(f -> f.getFileName() + ":" + f.getLineNumber())
                        .toList();
    }

    private List<String> latest() {
        return java.util.Arrays.stream(latest)
                .map(r -> r.getClass().getSimpleName().replaceAll("/0x.*", ""))
                .distinct()
                .toList();
    }

    private List<String> waiting() {
        return tasks.stream().map(SimLoop::where).toList();
    }

    int tasks() {
        return tasks.size();
    }

    /** Lets time pass for the calling task. */
    void sleep(long nanos) {
        Completion<Boolean> over = new Completion<>();
        schedule(() -> over.complete(true), nanos);
        try {
            awaitUninterruptibly(over);
        } catch (FsException e) {
            throw new AssertionError(e);
        }
    }

    /** Interrupts a task if it waits where that counts; returns whether it did. */
    boolean interrupt(Task task) {
        if (task.isDone() || !task.interruptible || task.interrupted) {
            return false;
        }
        task.interrupted = true;
        int ticket = task.ticket;
        execute(() -> wake(task, ticket));
        return true;
    }

    @Nullable Task current() {
        return current;
    }

    @Override
    public <T extends @Nullable Object> T await(Completion<T> completion) throws FsException {
        return await(completion, true);
    }

    @Override
    public <T extends @Nullable Object> T awaitUninterruptibly(Completion<T> completion)
            throws FsException {
        return await(completion, false);
    }

    private <T extends @Nullable Object> T await(Completion<T> completion, boolean interruptible)
            throws FsException {
        Task task = current;
        if (task == null) {
            throw new Violation("waiting", "an engine step waits");
        }
        if (!completion.isDone() || origin.order.nextInt(4) == 0) {
            int ticket = ++task.ticket;
            completion.whenDone((value, failure) -> execute(() -> wake(task, ticket)));
            task.interruptible = interruptible;
            do {
                giveWay();
                if (interruptible && task.interrupted && !completion.isDone()) {
                    task.interrupted = false;
                    task.ticket++;
                    task.interruptible = false;
                    throw new FsException(FsError.EINTR);
                }
            } while (!completion.isDone());
            task.interrupted = false;
            task.interruptible = false;
            task.ticket++;
        }
        return completion.get();
    }

    private void giveWay() {
        yieldCheck.run();
        Continuation.yield(SCOPE);
    }

    private void wake(Task task, int ticket) {
        if (task.ticket == ticket) {
            resume(task);
        }
    }

    @Override
    public long nanoTime() {
        return now;
    }

    @Override
    public Instant now() {
        return BEGINNING.plusNanos(now);
    }
}
