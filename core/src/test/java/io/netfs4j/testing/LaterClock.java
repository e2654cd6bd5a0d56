// SPDX-License-Identifier: Apache-2.0
package io.netfs4j.testing;

import io.netfs4j.base.Clock;
import io.netfs4j.base.Environment;

import java.time.Instant;
import java.util.concurrent.atomic.AtomicLong;

/** The clock of an environment, moved on where a test says so; what is on the wall stays. */
public final class LaterClock implements Clock {
    private final Clock of;
    private final AtomicLong later = new AtomicLong();

    private LaterClock(Clock of) {
        this.of = of;
    }

    public static LaterClock of(Environment environment) {
        return new LaterClock(environment.clock());
    }

    /** The environment with this clock. */
    public Environment in(Environment environment) {
        return new Environment(
                this, environment.scheduler(), environment.waits(), environment.random());
    }

    public void pass(long nanos) {
        later.addAndGet(nanos);
    }

    @Override
    public long nanoTime() {
        return of.nanoTime() + later.get();
    }

    @Override
    public Instant now() {
        return of.now();
    }
}
