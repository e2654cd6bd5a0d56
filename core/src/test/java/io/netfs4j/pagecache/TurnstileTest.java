// SPDX-License-Identifier: Apache-2.0
package io.netfs4j.pagecache;

import static org.assertj.core.api.Assertions.assertThat;

import io.netfs4j.base.Completion;
import io.netfs4j.base.FsException;
import io.netfs4j.base.SystemRuntime;
import io.netfs4j.base.Waits;

import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;

/** Real threads that pass room to each other: nobody sleeps beside free room. */
class TurnstileTest {
    private static final int THREADS = 4;
    private static final int ROUNDS = 20_000;

    @Test
    @Timeout(60)
    void freed_whileOthersAreAboutToWait_wakesOne() throws Exception {
        Turnstile turnstile = new Turnstile();
        AtomicInteger room = new AtomicInteger(1);
        List<Thread> threads = new ArrayList<>();
        AtomicInteger done = new AtomicInteger();
        try (SystemRuntime runtime = new SystemRuntime()) {
            Waits waits = runtime.environment().waits();
            for (int i = 0; i < THREADS; i++) {
                threads.add(
                        Thread.startVirtualThread(() -> {
                            for (int n = 0; n < ROUNDS; n++) {
                                take(turnstile, room, waits);
                                room.incrementAndGet();
                                turnstile.freed();
                                turnstile.stir();
                            }
                            done.incrementAndGet();
                        }));
            }
            for (Thread thread : threads) {
                thread.join();
            }
        }
        assertThat(done).hasValue(THREADS);
        assertThat(turnstile.waiting()).isZero();
    }

    private static void take(Turnstile turnstile, AtomicInteger room, Waits waits) {
        try (Turnstile.Ticket ticket = turnstile.enter()) {
            while (true) {
                Completion<@Nullable Void> turn = ticket.beforeTry();
                if (turn != null) {
                    waits.awaitUninterruptibly(turn);
                } else if (room.getAndUpdate(n -> Math.max(0, n - 1)) > 0) {
                    return;
                } else {
                    ticket.failed();
                }
            }
        } catch (FsException e) {
            throw new IllegalStateException(e);
        }
    }
}
