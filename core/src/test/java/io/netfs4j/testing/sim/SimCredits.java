// SPDX-License-Identifier: Apache-2.0
package io.netfs4j.testing.sim;

import io.netfs4j.testing.sim.FaultPlan.Fault;

import java.util.ArrayDeque;

/** How many pieces the simulated server takes at once, and who waits for room. */
final class SimCredits {
    private final SimServer server;
    private final ArrayDeque<Runnable> waiters = new ArrayDeque<>();
    private boolean poking;
    private boolean gone;

    SimCredits(SimServer server) {
        this.server = server;
    }

    /** Whether a piece may come now; else it is told later. */
    boolean admits(Runnable whenReady) {
        if (server.faults.strikes(Fault.NO_CREDITS)) {
            gone = true;
            server.trace.event(server.loop.nanoTime(), "credits gone", 0, 0, 0);
            server.loop.schedule(
                    () -> {
                        gone = false;
                        server.trace.event(server.loop.nanoTime(), "credits back", 0, 0, 0);
                        poke();
                    },
                    server.faults.badNanos());
        }
        if (areLeft()) {
            return true;
        }
        server.trace.event(server.loop.nanoTime(), "refused", server.inFlight(), waiters.size(), 0);
        waiters.add(whenReady);
        return false;
    }

    private boolean areLeft() {
        return !gone && server.inFlight() < server.faults.credits();
    }

    void giveBack() {
        gone = false;
    }

    /** Nobody waits any more. */
    void forgetAll() {
        waiters.clear();
        poking = false;
    }

    /** Tells those who wait, later and one by one, that they may try again. */
    void poke() {
        if (poking || waiters.isEmpty()) {
            return;
        }
        poking = true;
        server.loop.execute(() -> {
            poking = false;
            if (areLeft()) {
                Runnable next = waiters.poll();
                if (next != null) {
                    next.run();
                }
                poke();
            }
        });
    }
}
