// SPDX-License-Identifier: Apache-2.0
package io.netfs4j.fuse;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Between which reads the kernel is told of a change, and which answers it understands. */
@Timeout(60)
final class ReadsInHandTest {
    private static final long INO = 7;
    private static final long LONG_NANOS = 3_600_000_000_000L;
    private static final int PAGE_BYTES = 4096;

    private final ReadsInHand reads = new ReadsInHand();
    private ReadsInHand.Count count;

    @BeforeEach
    void open() {
        count = reads.open(INO);
    }

    @Test
    void awaitNone_withoutReads_takesNoTime() {
        assertThat(reads.any(INO)).isFalse();
        assertThat(reads.awaitNone(INO, LONG_NANOS)).isPositive();
        assertThat(reads.awaitNone(INO + 1, LONG_NANOS)).isEqualTo(LONG_NANOS);
    }

    @Test
    void awaitNone_withAReadInHand_waitsForItsAnswer() throws Exception {
        count.began();
        count.began();
        count.answered();
        assertThat(reads.any(INO)).isTrue();
        Thread waits = Thread.ofVirtual().start(() -> reads.awaitNone(INO, LONG_NANOS));
        while (waits.getState() != Thread.State.TIMED_WAITING) {
            Thread.onSpinWait();
        }
        count.answered();
        waits.join();
        assertThat(reads.any(INO)).isFalse();
    }

    @Test
    void awaitNone_withAReadThatHangs_endsNevertheless() {
        count.began();
        assertThat(reads.awaitNone(INO, 1)).isNotPositive();
    }

    /** Else the kernel would be told just when it asks again, and not understand that answer. */
    @Test
    void awaitNone_afterAReadWasRefused_waitsForTheNext() {
        count.expectAgain(0, PAGE_BYTES);
        assertThat(reads.any(INO)).isTrue();
        count.endTold(false);
        assertThat(reads.any(INO)).isFalse();
        count.expectAgain(0, PAGE_BYTES);
        assertThat(reads.awaitNone(INO, LONG_NANOS)).isPositive();
    }

    @Test
    void attributes_ofTheOldSize_confuseTheKernel() {
        long before = System.nanoTime();
        reads.attributes(INO);
        assertThat(count.isConfusedSince(before)).isFalse();
        reads.shrank(INO);
        assertThat(count.hasShrunkSince(before)).isTrue();
        assertThat(count.isConfusedSince(before)).isTrue();
        assertThat(count.isConfusedSince(System.nanoTime() + 1)).isFalse();
    }

    @Test
    void attributes_ofTheNewSize_doNot() {
        long before = System.nanoTime();
        reads.shrank(INO);
        reads.attributes(INO);
        assertThat(count.isConfusedSince(before)).isFalse();
    }

    @Test
    void telling_confusesTheKernel_andSoDoesAnEndThatIsNotTheEnd() {
        long before = System.nanoTime();
        reads.telling(INO);
        assertThat(count.isConfusedSince(before)).isTrue();
        long later = System.nanoTime() + 1;
        assertThat(count.hasShrunkSince(later)).isFalse();
        count.endTold(true);
        assertThat(count.isConfusedSince(later)).isTrue();
        assertThat(count.hasShrunkSince(later)).isTrue();
    }

    /** Else no page of it would be read before its sending cannot have been older than the news. */
    @Test
    void sentAfter_ofAPageOfWhatWasRefused_isTheRefusal() {
        long before = System.nanoTime();
        reads.telling(INO);
        count.expectAgain(0, 4 * PAGE_BYTES);
        count.expectAgain(4 * PAGE_BYTES, 4 * PAGE_BYTES);
        assertThat(count.isConfusedSince(before)).isTrue();
        long page = count.sentAfter(before, PAGE_BYTES, PAGE_BYTES);
        assertThat(count.isConfusedSince(page)).isFalse();
        assertThat(count.sentAfter(before, 7 * PAGE_BYTES, PAGE_BYTES)).isEqualTo(page);
        assertThat(count.sentAfter(LONG_NANOS + page, 0, PAGE_BYTES)).isEqualTo(LONG_NANOS + page);
    }

    @Test
    void sentAfter_ofAnotherRead_isAsItWas() {
        long before = System.nanoTime();
        count.expectAgain(PAGE_BYTES, PAGE_BYTES);
        assertThat(count.sentAfter(before, PAGE_BYTES, PAGE_BYTES)).isEqualTo(before);
        count.expectAgain(4 * PAGE_BYTES, 4 * PAGE_BYTES);
        assertThat(count.sentAfter(before, PAGE_BYTES, PAGE_BYTES)).isEqualTo(before);
        assertThat(count.sentAfter(before, 8 * PAGE_BYTES, PAGE_BYTES)).isEqualTo(before);
    }

    @Test
    void close_ofTheLastOpen_forgetsTheInode() {
        ReadsInHand.Count again = reads.open(INO);
        assertThat(again).isSameAs(count);
        again.began();
        again.close();
        assertThat(reads.any(INO)).isTrue();
        again.close();
        assertThat(reads.any(INO)).isFalse();
        assertThat(reads.open(INO)).isNotSameAs(count);
    }
}
