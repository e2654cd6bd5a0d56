// SPDX-License-Identifier: Apache-2.0
package io.netfs4j.fuse;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

/** Who an INTERRUPT reaches. */
final class InHandTest {
    private final InHand inHand = new InHand(4);

    /** Never started: an interrupt is noted on it all the same. */
    private static Thread thread() {
        return Thread.ofVirtual().unstarted(() -> {});
    }

    @Test
    void interrupt_ofARequestInHand_interruptsItsThread() {
        Thread asked = thread();
        Thread other = thread();
        inHand.began(1, asked);
        inHand.began(2, other);
        inHand.interrupt(1);
        assertThat(asked.isInterrupted()).isTrue();
        assertThat(other.isInterrupted()).isFalse();
    }

    @Test
    void interrupt_beforeTheRequest_isKeptForIt() {
        inHand.interrupt(7);
        Thread thread = thread();
        inHand.began(7, thread);
        assertThat(thread.isInterrupted()).isTrue();
    }

    @Test
    void interrupt_afterTheRequest_reachesNobody() {
        Thread thread = thread();
        inHand.began(7, thread);
        inHand.finished(7);
        inHand.interrupt(7);
        assertThat(thread.isInterrupted()).isFalse();
    }

    @Test
    void interrupt_manyInVain_areForgottenOldestFirst() {
        for (int i = 1; i <= 1000; i++) {
            inHand.interrupt(i);
        }
        Thread old = thread();
        Thread recent = thread();
        inHand.began(1, old);
        inHand.began(1000, recent);
        assertThat(old.isInterrupted()).isFalse();
        assertThat(recent.isInterrupted()).isTrue();
    }

    @Test
    void interruptAll_reachesAllAndLaterOnes() {
        Thread before = thread();
        Thread after = thread();
        inHand.began(1, before);
        inHand.interruptAll();
        inHand.began(2, after);
        assertThat(before.isInterrupted()).isTrue();
        assertThat(after.isInterrupted()).isTrue();
    }

    @Test
    void count_followsEnterAndLeave() {
        inHand.enter();
        inHand.enter();
        assertThat(inHand.count()).isEqualTo(2);
        inHand.leave();
        assertThat(inHand.count()).isEqualTo(1);
    }
}
