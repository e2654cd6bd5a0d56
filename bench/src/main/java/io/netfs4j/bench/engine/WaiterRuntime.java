// SPDX-License-Identifier: Apache-2.0
package io.netfs4j.bench.engine;

import io.netfs4j.base.Clock;
import io.netfs4j.base.Completion;
import io.netfs4j.base.Environment;
import io.netfs4j.base.FsException;
import io.netfs4j.base.Scheduler;
import io.netfs4j.base.Waits;

import org.jspecify.annotations.Nullable;

import java.time.Instant;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.random.RandomGenerator;

/**
 * The engine's steps run by whoever waits for them, so that a write-back of a few spans is not
 * drowned by two threads waking each other. Timers never come: every limit of age is out of reach
 * here, and this server never asks for patience.
 */
final class WaiterRuntime implements Scheduler, Waits, Clock {
    private final Queue<Runnable> steps = new ConcurrentLinkedQueue<>();

    Environment environment() {
        return new Environment(this, this, this, RandomGenerator.of("L64X128MixRandom"));
    }

    @Override
    public void execute(Runnable step) {
        steps.add(step);
    }

    @Override
    public Cancellable schedule(Runnable step, long delayNanos) {
        return () -> {};
    }

    @Override
    public void fork(String name, Runnable task) {
        Thread.ofVirtual().name(name).start(task);
    }

    @Override
    public <T extends @Nullable Object> T await(Completion<T> completion) throws FsException {
        while (!completion.isDone()) {
            Runnable step = steps.poll();
            if (step == null) {
                Thread.onSpinWait();
            } else {
                step.run();
            }
        }
        return completion.get();
    }

    @Override
    public <T extends @Nullable Object> T awaitUninterruptibly(Completion<T> completion)
            throws FsException {
        return await(completion);
    }

    @Override
    public long nanoTime() {
        return System.nanoTime();
    }

    @Override
    public Instant now() {
        return Instant.now();
    }
}
