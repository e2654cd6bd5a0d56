// SPDX-License-Identifier: Apache-2.0
package io.netfs4j.sftp;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

import java.util.ArrayDeque;
import java.util.concurrent.atomic.AtomicInteger;

class FlightWindowTest {
    private final ArrayDeque<Runnable> steps = new ArrayDeque<>();
    private final AtomicInteger woken = new AtomicInteger();

    private FlightWindow window(long bytes, int requests) {
        return new FlightWindow(bytes, requests, steps::add);
    }

    private void run() {
        while (!steps.isEmpty()) {
            steps.remove().run();
        }
    }

    @Test
    void tryEnter_full_isToldOnceWhenRoomy() {
        FlightWindow window = window(100, 10);
        assertThat(window.tryEnter(60, woken::incrementAndGet)).isTrue();
        assertThat(window.tryEnter(40, woken::incrementAndGet)).isTrue();
        assertThat(window.tryEnter(1, woken::incrementAndGet)).isFalse();
        window.leave(40);
        run();
        assertThat(woken).hasValue(1);
        window.leave(60);
        run();
        assertThat(woken).hasValue(1);
        assertThat(window.bytesInFlight()).isZero();
    }

    @Test
    void tryEnter_pieceLargerThanWindow_goesAlone() {
        FlightWindow window = window(10, 10);
        assertThat(window.tryEnter(1000, woken::incrementAndGet)).isTrue();
        assertThat(window.tryEnter(1, woken::incrementAndGet)).isFalse();
        window.leave(1000);
        run();
        assertThat(woken).hasValue(1);
    }

    @Test
    void tryEnter_requests_areBoundedToo() {
        FlightWindow window = window(1000, 2);
        assertThat(window.tryEnter(1, woken::incrementAndGet)).isTrue();
        assertThat(window.tryEnter(1, woken::incrementAndGet)).isTrue();
        assertThat(window.tryEnter(1, woken::incrementAndGet)).isFalse();
        window.leave(1);
        window.leave(1);
        run();
        assertThat(woken).hasValue(1);
    }
}
