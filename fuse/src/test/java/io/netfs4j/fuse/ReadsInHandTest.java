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

    /** Whether a read that was taken at a time, of a file that was opened long ago, is refused. */
    private boolean refuses(int page, int pages, long takenNanos) {
        return refuses(page, pages, takenNanos, takenNanos - LONG_NANOS);
    }

    private boolean refuses(int page, int pages, long takenNanos, long openedNanos) {
        long position = (long) page * PAGE_BYTES;
        return count.refuses(
                new ReadsInHand.ShortAnswer(
                        position, pages * PAGE_BYTES, false, takenNanos, openedNanos));
    }

    private boolean refusesBeyondTheEnd(int pages, long takenNanos) {
        return count.refuses(
                new ReadsInHand.ShortAnswer(
                        PAGE_BYTES, pages * PAGE_BYTES, true, takenNanos, takenNanos - LONG_NANOS));
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
        long before = System.nanoTime();
        reads.shrank(INO);
        reads.telling(INO);
        assertThat(refuses(0, 1, before)).isTrue();
        assertThat(reads.any(INO)).isTrue();
        assertThat(refuses(0, 1, before + LONG_NANOS)).isFalse();
        assertThat(reads.any(INO)).isFalse();
        assertThat(refuses(0, 1, before)).isTrue();
        assertThat(reads.awaitNone(INO, LONG_NANOS)).isPositive();
    }

    @Test
    void refuses_whatWasSentBeforeTheKernelHeardOfTheOldSize() {
        long before = System.nanoTime();
        reads.attributes(INO);
        assertThat(refuses(0, 1, before)).isFalse();
        reads.shrank(INO);
        long after = System.nanoTime() + 1;
        assertThat(refuses(0, 1, before)).isTrue();
        assertThat(refuses(0, 1, before + ReadsInHand.PAGE_UNDERWAY_NANOS)).isTrue();
        assertThat(refuses(0, 1, after + ReadsInHand.PAGE_UNDERWAY_NANOS)).isFalse();
        assertThat(refuses(0, 2, before)).isTrue();
    }

    @Test
    void refuses_nothing_whereItHeardOfTheNewSizeAlone() {
        long before = System.nanoTime();
        reads.shrank(INO);
        reads.attributes(INO);
        assertThat(refuses(0, 1, before)).isFalse();
        assertThat(refuses(0, 2, before)).isFalse();
    }

    @Test
    void refuses_nothing_ofAFileThatHasNotShrunk() {
        long before = System.nanoTime();
        reads.attributes(INO);
        reads.telling(INO);
        assertThat(refuses(0, 2, before)).isFalse();
    }

    /** What is read by a handle was not asked for before there was that handle. */
    @Test
    void refuses_nothing_ofAFileThatWasOpenedSince() {
        long before = System.nanoTime();
        reads.shrank(INO);
        reads.telling(INO);
        long after = System.nanoTime() + 1;
        assertThat(refuses(0, 2, after, after)).isFalse();
        assertThat(refuses(0, 2, before + ReadsInHand.UNDERWAY_NANOS, before)).isTrue();
    }

    @Test
    void refuses_whatBeginsBehindTheEnd_unlessItIsAPage_ofWhichTheKernelIsTold() {
        long later = System.nanoTime() + 1;
        assertThat(refusesBeyondTheEnd(2, later)).isTrue();
        assertThat(refuses(8, 2, later)).isFalse();
        assertThat(refusesBeyondTheEnd(1, later)).isFalse();
        assertThat(refuses(8, 2, later)).isTrue();
    }

    /** Else no page of it would be read before its sending cannot have been older than the news. */
    @Test
    void refuses_noPageOfWhatWasRefused_forWhatWasHeardBefore() {
        long ino = INO;
        long before;
        do {
            count = reads.open(++ino);
            before = System.nanoTime();
            reads.shrank(ino);
            reads.telling(ino);
            assertThat(refuses(0, 4, before)).isTrue();
            assertThat(refuses(4, 4, before)).isTrue();
        } while (System.nanoTime() - before >= ReadsInHand.AGAIN_NANOS);
        assertThat(refuses(1, 1, before)).isFalse();
        assertThat(refuses(7, 1, before)).isFalse();
        reads.telling(ino);
        assertThat(refuses(1, 1, before)).isTrue();
    }

    @Test
    void refuses_otherReads_asBefore() {
        long before = System.nanoTime();
        reads.shrank(INO);
        reads.telling(INO);
        assertThat(refuses(1, 1, before)).isTrue();
        assertThat(refuses(1, 1, before)).isTrue();
        assertThat(refuses(4, 2, before)).isTrue();
        assertThat(refuses(1, 1, before)).isTrue();
        assertThat(refuses(8, 1, before)).isTrue();
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
