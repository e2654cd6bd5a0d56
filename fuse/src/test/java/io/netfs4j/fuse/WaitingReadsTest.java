// SPDX-License-Identifier: Apache-2.0
package io.netfs4j.fuse;

import static org.assertj.core.api.Assertions.assertThat;

import io.netfs4j.vfs.KernelCache;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.locks.LockSupport;

/** Of which pages the kernel is told while reads wait. */
@Timeout(60)
final class WaitingReadsTest {
    private static final long INO = 7;
    private static final int PAGE = 4096;
    private static final long LONG_NANOS = 3_600_000_000_000L;
    private static final InvalidRange ALL = new InvalidRange(0, -1);

    private final List<InvalidRange> later = new ArrayList<>();
    private final WaitingReads reads = reads(LONG_NANOS);

    private WaitingReads reads(long patienceNanos) {
        return new WaitingReads(
                new KernelCache() {
                    @Override
                    public void invalidate(long ino, long position, long length) {
                        assertThat(ino).isEqualTo(INO);
                        later.add(new InvalidRange(position, length));
                    }

                    @Override
                    public void invalidateEntry(long parent, String name) {
                        throw new AssertionError(name);
                    }
                },
                patienceNanos);
    }

    private List<InvalidRange> tell(InvalidRange range) {
        List<InvalidRange> parts = reads.tell(INO, range);
        reads.told();
        return parts;
    }

    private static InvalidRange pages(int from, int count) {
        return new InvalidRange((long) from * PAGE, (long) count * PAGE);
    }

    @Test
    void tell_withoutReads_isOfTheWholeRange() {
        assertThat(tell(ALL)).containsExactly(ALL);
        reads.begin(INO + 1, 0, PAGE);
        reads.begin(INO, 0, PAGE).ended();
        assertThat(tell(ALL)).containsExactly(ALL);
        assertThat(later).isEmpty();
    }

    @Test
    void tell_aroundReads_leavesOutTheirPages_untilTheyAreAnswered() {
        WaitingReads.Read second = reads.begin(INO, 8 * PAGE + 1, PAGE);
        WaitingReads.Read first = reads.begin(INO, 2 * PAGE, 2 * PAGE);
        WaitingReads.Read within = reads.begin(INO, 3 * PAGE, PAGE);
        assertThat(tell(ALL))
                .containsExactly(pages(0, 2), pages(4, 4), new InvalidRange(10L * PAGE, -1));
        assertThat(later).isEmpty();
        second.ended();
        assertThat(later).containsExactly(pages(8, 2));
        within.ended();
        first.ended();
        assertThat(later).containsExactly(pages(8, 2), pages(3, 1), pages(2, 2));
    }

    @Test
    void tell_ofARangeThatIsBeingRead_isOfAttributesAlone() {
        reads.begin(INO, PAGE, PAGE);
        assertThat(tell(pages(1, 1))).containsExactly(InvalidRange.ATTRIBUTES_ALONE);
        assertThat(tell(new InvalidRange(PAGE + 1, 1)))
                .containsExactly(InvalidRange.ATTRIBUTES_ALONE);
    }

    @Test
    void tell_ofPagesBesideARead_leavesItAlone() {
        WaitingReads.Read read = reads.begin(INO, PAGE, PAGE);
        assertThat(tell(pages(0, 1))).containsExactly(pages(0, 1));
        assertThat(tell(pages(2, 1))).containsExactly(pages(2, 1));
        read.ended();
        assertThat(later).isEmpty();
    }

    @Test
    void tell_again_leavesOutTheSameReads_andTheyAreToldOnce() {
        WaitingReads.Read read = reads.begin(INO, 0, PAGE);
        tell(ALL);
        assertThat(tell(ALL)).containsExactly(new InvalidRange(PAGE, -1));
        read.ended();
        assertThat(later).containsExactly(pages(0, 1));
        assertThat(tell(ALL)).containsExactly(ALL);
    }

    @Test
    void tell_aroundAReadOfTheLastPageThatThereCanBe_hasNothingBehindIt() {
        long last = Long.MAX_VALUE & -PAGE;
        reads.begin(INO, last, PAGE);
        assertThat(tell(ALL)).containsExactly(new InvalidRange(0, last));
    }

    /** Else the kernel would wait for it, and an unmount for the kernel. */
    @Test
    void begin_whileTheKernelIsBeingTold_isInterruptedWhenItTakesTooLong() throws Exception {
        WaitingReads impatient = reads(1);
        impatient.tell(INO, pages(0, 4));
        Thread reader =
                Thread.ofVirtual()
                        .start(() -> {
                            impatient.begin(INO, 3 * PAGE, PAGE);
                            while (!Thread.currentThread().isInterrupted()) {
                                LockSupport.park();
                            }
                        });
        reader.join();
        assertThat(reader.isInterrupted()).isTrue();
    }

    @Test
    void begin_whileTheKernelHasBeenTold_isNotInterrupted() {
        reads.tell(INO, pages(0, 4));
        WaitingReads.Read read = reads.begin(INO, 0, PAGE);
        WaitingReads.Read answered = reads.begin(INO, 0, PAGE);
        answered.ended();
        reads.told();
        read.patience.complete(null);
        assertThat(Thread.interrupted()).isFalse();
    }

    @Test
    void begin_ofWhatIsNotBeingTold_isNotInterrupted() {
        reads.begin(INO, 0, PAGE).patience.complete(null);
        reads.tell(INO, pages(0, 4));
        reads.begin(INO, 4 * PAGE, PAGE).patience.complete(null);
        reads.begin(INO + 1, 0, PAGE).patience.complete(null);
        assertThat(Thread.interrupted()).isFalse();
        reads.begin(INO, 0, PAGE).patience.complete(null);
        assertThat(Thread.interrupted()).isTrue();
    }
}
