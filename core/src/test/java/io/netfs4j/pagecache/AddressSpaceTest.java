// SPDX-License-Identifier: Apache-2.0
package io.netfs4j.pagecache;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.ReentrantLock;

/**
 * One inode's folios against plain arrays: what was written is read back and sent, whatever is in
 * flight, fetched or reclaimed meanwhile.
 */
class AddressSpaceTest {
    private static final int SIZE = 64 << 10;

    private PageCache cache;
    private AddressSpace pages;
    private ReentrantLock lock;

    @BeforeEach
    void make() {
        cache =
                new PageCache(
                        new PageCache.Limits(1 << 20, 1 << 20, 1 << 20), ByteBuffer::allocate);
        lock = new ReentrantLock();
        pages = new AddressSpace(lock, cache);
        lock.lock();
    }

    @Test
    void write_intoFolioUnderWriteback_leavesWhatIsInFlightAlone() {
        write(0, filled(8192, 'a'));
        WritebackSpan span = pages.writeback().takeDirty(0, 8192);
        Folio folio = span.folio();
        assertThat(folio.tag()).isInstanceOf(FolioTag.Writeback.class);

        write(100, filled(50, 'b'));

        assertThat(folio.tag()).isInstanceOf(FolioTag.Redirtied.class);
        assertThat(bytes(span)).isEqualTo(filled(8192, 'a'));
        assertThat(pages.dirtyBytes()).isEqualTo(50);
        pages.writeback().end(span, 0, 8192, false);
        pages.writeback().release(span);
        assertThat(folio.tag()).isInstanceOf(FolioTag.Dirty.class);
        byte[] expected = filled(8192, 'a');
        Arrays.fill(expected, 100, 150, (byte) 'b');
        assertThat(read(0, 8192)).isEqualTo(expected);
    }

    @Test
    void endWriteback_failed_makesExactlyThoseBytesDirtyAgain() {
        write(0, filled(10_000, 'a'));
        WritebackSpan span = pages.writeback().takeDirty(0, 10_000);
        Folio folio = span.folio();
        pages.writeback().end(span, 0, 1000, false);
        pages.writeback().end(span, 1000, 3000, true);
        pages.writeback().end(span, 3000, folio.bytes(), false);
        pages.writeback().release(span);
        assertThat(folio.dirty).hasToString("{1000-3000}");
        assertThat(folio.tag()).isInstanceOf(FolioTag.Dirty.class);
    }

    @Test
    void endLoad_afterAWriteOvertookIt_keepsWhatWasWritten() {
        List<LoadSpan> spans = new ArrayList<>();
        assertThat(pages.prepareLoad(0, 8192, spans)).isTrue();
        LoadSpan span = spans.get(0);
        write(1000, filled(500, 'w'));
        fill(span, 'l');
        pages.endLoad(span, 0, span.to(), true, false);
        pages.release(span);
        byte[] expected = filled(span.to(), 'l');
        Arrays.fill(expected, 1000, 1500, (byte) 'w');
        assertThat(read(0, span.to())).isEqualTo(expected);
        assertThat(pages.dirtyBytes()).isEqualTo(500);
    }

    @Test
    void endLoad_afterInvalidate_bringsNothingBack() {
        List<LoadSpan> spans = new ArrayList<>();
        pages.prepareLoad(0, 4096, spans);
        pages.invalidate();
        fill(spans.get(0), 'o');
        pages.endLoad(spans.get(0), 0, 4096, true, false);
        pages.release(spans.get(0));
        assertThat(pages.nextPresent(0, 4096)).isEqualTo(4096);
        assertThat(pages.isEmpty()).isTrue();
        assertThat(cache.memoryBytes()).isZero();
    }

    @Test
    void write_smallPiecesInARow_makesLargerFoliosThatAreMostlyFilled() {
        for (int at = 0; at < 512 << 10; at += 4096) {
            write(at, filled(4096, (char) ('a' + at / 4096 % 7)));
            long written = at + 4096L;
            assertThat(cache.memoryBytes()).isBetween(written, written + written / 2);
        }
        WritebackSpan span = pages.writeback().takeDirty(256 << 10, 512 << 10);
        assertThat(span.folio().bytes()).isEqualTo(64 << 10);
        for (int at = 0; at < 512 << 10; at += 4096) {
            assertThat(read(at, 4096)).isEqualTo(filled(4096, (char) ('a' + at / 4096 % 7)));
        }
    }

    @Test
    void write_smallPiecesHereAndThere_makesSmallFolios() {
        for (int at = 252 << 10; at >= 0; at -= 4096) {
            write(at, filled(4096, 'a'));
            assertThat(cache.memoryBytes()).isEqualTo((256 << 10) - at);
        }
    }

    @Test
    void write_inARowUpToTheBackgroundLimit_isNotChargedForMoreThanIsWritten() {
        cache =
                new PageCache(
                        new PageCache.Limits(1 << 20, 1 << 20, 64 << 10), ByteBuffer::allocate);
        pages = new AddressSpace(lock, cache);
        for (int at = 0; at < 256 << 10; at += 4096) {
            write(at, filled(4096, 'a'));
        }
        assertThat(cache.dirtyMemoryBytes()).isEqualTo(256 << 10);
    }

    @Test
    void write_inARowBehindABarrier_neverMeetsAFolioOfBeforeTheNextOne() {
        for (int at = 0; at < 256 << 10; at += 4096) {
            write(at, filled(4096, 'a'));
        }
        pages.beginGroup();
        for (int at = 256 << 10; at < 512 << 10; at += 4096) {
            write(at, filled(4096, 'b'));
            pages.beginGroup();
        }
    }

    @Test
    void truncate_insideASpan_dropsTheTailOfDirtyAndPresent() {
        for (int cut = 0; cut <= 8; cut++) {
            AddressSpace each = new AddressSpace(lock, cache);
            each.write(2, ByteBuffer.wrap(filled(4, 'x')), 4);
            each.truncate(cut);
            assertThat(each.dirtyBytes()).isEqualTo(Math.max(0, Math.min(6, cut) - 2));
            each.clear();
        }
    }

    @Test
    void borrow_countsAsUse() {
        for (int at = 0; at < 1 << 20; at += 4096) {
            load(at);
        }
        List<Block> blocks = new ArrayList<>();
        assertThat(pages.borrow(0, 4096, new ArrayList<>(), blocks)).isTrue();
        pages.giveBack(blocks);
        load(1 << 20);
        assertThat(pages.nextPresent(0, 4096)).as("what was just read").isZero();
        assertThat(pages.nextPresent(4096, 8192)).as("what was used least").isEqualTo(8192);
    }

    @Test
    void reclaim_behindManyPinnedFolios_findsTheOneThatMayGo() {
        List<Block> pinned = fillAndBorrow(2 << 20);
        pages.giveBack(List.of(pinned.removeLast()));
        assertThat(triesUntilRoom(4096)).isOne();
    }

    @Test
    void reclaim_whenAllIsPinned_restsUntilSomethingIsFreed() {
        List<Block> pinned = fillAndBorrow(2 << 20);
        assertThat(triesUntilRoom(64 << 10)).isNegative();
        pages.giveBack(pinned);
        assertThat(triesUntilRoom(64 << 10)).isZero();
    }

    /** Fills the memory of a mount with pages that readers hold. */
    private List<Block> fillAndBorrow(int bytes) {
        cache = new PageCache(new PageCache.Limits(bytes, 1 << 20, 1 << 20), ByteBuffer::allocate);
        pages = new AddressSpace(lock, cache);
        List<Block> pinned = new ArrayList<>();
        for (int at = 0; at < bytes; at += 4096) {
            load(at);
            List<Block> blocks = new ArrayList<>();
            assertThat(pages.borrow(at, 4096, new ArrayList<>(), blocks)).isTrue();
            pinned.addAll(blocks);
        }
        return pinned;
    }

    /**
     * Tries as a reader does who waits at the turnstile, and the flusher on its behalf.
     *
     * @return how many tries failed first; negative when it waits for something to be freed
     */
    private int triesUntilRoom(int bytes) {
        long far = 1L << 30;
        try (Turnstile.Ticket ticket = cache.readers().enter()) {
            for (int i = 0; i < 64; i++) {
                if (ticket.beforeTry() != null) {
                    return -1;
                }
                if (pages.prepareLoad(far, far + bytes, new ArrayList<>())) {
                    return i;
                }
                ticket.failed();
                cache.retryContended();
            }
            throw new AssertionError("tries again and again");
        }
    }

    private void load(long position) {
        List<LoadSpan> spans = new ArrayList<>();
        assertThat(pages.prepareLoad(position, position + 4096, spans)).isTrue();
        fill(spans.getFirst(), 'l');
        pages.endLoad(spans.getFirst(), 0, 4096, true, false);
        pages.release(spans.getFirst());
    }

    @Test
    void dirtyingWhatIsHere_goesInSteps_andShowsOnceWhatWasClean() {
        int size = 16 * 4096;
        for (int at = 0; at < size; at += 4096) {
            load(at);
        }
        write(5000, filled(100, 'w'));
        byte[] shown = new byte[size];
        AtomicInteger bytes = new AtomicInteger();
        int steps = 0;
        for (long at = 0; at < size; steps++) {
            int before = bytes.get();
            at =
                    pages.dirtyPresent(
                            at,
                            size,
                            10_000,
                            (position, some) -> {
                                bytes.addAndGet(some.remaining());
                                some.get(shown, (int) position, some.remaining());
                            });
            assertThat(bytes.get() - before).isBetween(1, 10_000 + 4096);
        }
        assertThat(steps).isGreaterThan(4);
        assertThat(bytes.get()).isEqualTo(size - 100);
        byte[] expected = filled(size, 'l');
        Arrays.fill(expected, 5000, 5100, (byte) 0);
        assertThat(shown).isEqualTo(expected);
        assertThat(pages.dirtyBytes()).isEqualTo(size);
    }

    /** Between what is here and what is dirty further on are bytes that only the server has. */
    @Test
    void dirtyingWhatIsHere_leavesWhatIsNot() {
        write(0, filled(100, 'c'));
        WritebackPages writeback = pages.writeback();
        WritebackSpan sent = writeback.takeDirty(0, 100);
        writeback.end(sent, 0, 100, false);
        writeback.release(sent);
        write(200, filled(100, 'w'));
        AtomicInteger shown = new AtomicInteger();
        pages.dirtyPresent(0, 300, 1000, (position, some) -> shown.addAndGet(some.remaining()));
        assertThat(shown.get()).isEqualTo(100);
        assertThat(pages.dirtyBytes()).isEqualTo(200);
    }

    @Test
    void randomTraffic_equalsTheModel() {
        for (long seed = 0; seed < 300; seed++) {
            new Traffic(seed).run();
        }
    }

    /** Random writes, loads, write-backs and cuts over one address space. */
    private final class Traffic {
        private final SplittableRandom random;
        private final long seed;
        private final byte[] model = new byte[SIZE];
        private final byte[] server = new byte[SIZE];
        private final PageCache.Limits limits = new PageCache.Limits(256 << 10, 160 << 10, 1 << 20);
        private final PageCache own = new PageCache(limits, ByteBuffer::allocate);
        private final AddressSpace space = new AddressSpace(lock, own);
        private final List<WritebackSpan> sending = new ArrayList<>();
        private final List<LoadSpan> loading = new ArrayList<>();
        private final Map<WritebackSpan, byte[]> lent = new IdentityHashMap<>();
        private int rowEnd;

        Traffic(long seed) {
            this.seed = seed;
            random = new SplittableRandom(seed);
            random.nextBytes(server);
            System.arraycopy(server, 0, model, 0, SIZE);
        }

        void run() {
            for (int step = 0; step < 200; step++) {
                switch (random.nextInt(7)) {
                    case 0, 1 -> write();
                    case 2 -> take();
                    case 6 -> lend();
                    case 3 -> end();
                    case 4 -> load();
                    default -> arrive();
                }
                compare(step);
            }
            while (!loading.isEmpty()) {
                arrive();
            }
            while (!sending.isEmpty() || space.dirtyBytes() > 0) {
                take();
                end();
            }
            assertThat(server).as("seed %d", seed).isEqualTo(model);
            assertThat(own.dirtyMemoryBytes()).as("seed %d", seed).isZero();
            space.clear();
            assertThat(own.memoryBytes()).as("seed %d", seed).isZero();
        }

        private void write() {
            int from = random.nextBoolean() ? rowEnd % SIZE : random.nextInt(SIZE);
            byte[] bytes = new byte[1 + random.nextInt(Math.min(20_000, SIZE - from))];
            random.nextBytes(bytes);
            int n = space.write(from, ByteBuffer.wrap(bytes), bytes.length);
            System.arraycopy(bytes, 0, model, from, n);
            rowEnd = from + n;
        }

        private void take() {
            long at = space.writeback().nextDirty(random.nextInt(SIZE), group());
            if (at == Long.MAX_VALUE) {
                at = space.writeback().nextDirty(0, group());
            }
            long to = at + 1 + random.nextInt(20_000);
            if (at == Long.MAX_VALUE || isSent(at, to)) {
                return;
            }
            sending.add(space.writeback().takeDirty(at, to));
        }

        private WriteGroup group() {
            return space.writeback().oldestGroup();
        }

        /** One write in flight for a byte at a time, as the write-back lock has it. */
        private boolean isSent(long from, long to) {
            return sending.stream().anyMatch(s -> s.position() < to && s.end() > from);
        }

        /** Clean bytes lent to fill a granule, or to go to the disk cache, stay as they are. */
        private void lend() {
            long at = random.nextInt(SIZE);
            long to = at + 1 + random.nextInt(20_000);
            if (isSent(at, to)) {
                return;
            }
            long uncached = space.writeback().nextUncached(at);
            WritebackSpan span =
                    uncached >= at && uncached < to
                            ? space.writeback().takeUncached(uncached, to)
                            : space.writeback().takeClean(at, to);
            if (span != null) {
                sending.add(span);
                lent.put(span, bytes(span));
            }
        }

        private void end() {
            if (sending.isEmpty()) {
                return;
            }
            WritebackSpan span = sending.remove(random.nextInt(sending.size()));
            boolean failed = random.nextInt(4) == 0;
            byte[] before = lent.remove(span);
            if (before != null) {
                assertThat(bytes(span)).as("seed %d", seed).isEqualTo(before);
            } else if (!failed) {
                span.segment()
                        .memory()
                        .get(
                                span.segment().offset(),
                                server,
                                (int) span.position(),
                                span.segment().length());
            }
            space.writeback().end(span, span.from(), span.to(), failed);
            space.writeback().release(span);
        }

        private void load() {
            int from = random.nextInt(SIZE) & -4096;
            space.prepareLoad(
                    from, Math.min(SIZE, from + 4096L * (1 + random.nextInt(6))), loading);
        }

        private void arrive() {
            if (loading.isEmpty()) {
                return;
            }
            LoadSpan span = loading.remove(random.nextInt(loading.size()));
            boolean usable = random.nextInt(5) > 0;
            if (usable) {
                span.segment()
                        .memory()
                        .put(
                                span.segment().offset(),
                                server,
                                (int) span.position(),
                                span.segment().length());
            }
            space.endLoad(span, span.from(), span.to(), usable, random.nextBoolean());
            space.release(span);
        }

        private void compare(int step) {
            long at = space.nextPresent(0, SIZE);
            while (at < SIZE) {
                long end = space.nextAbsent(at, SIZE);
                ByteBuffer seen = ByteBuffer.allocate((int) (end - at));
                assertThat(space.read(at, seen, seen.capacity(), SIZE)).isEqualTo(seen.capacity());
                assertThat(seen.array())
                        .as("seed %d step %d at %d", seed, step, at)
                        .isEqualTo(Arrays.copyOfRange(model, (int) at, (int) end));
                at = space.nextPresent(end, SIZE);
            }
            assertThat(own.dirtyMemoryBytes())
                    .as("seed %d step %d", seed, step)
                    .isLessThanOrEqualTo(limits.dirtyBytesMax() + (128 << 10));
        }
    }

    private void write(long position, byte[] bytes) {
        assertThat(pages.write(position, ByteBuffer.wrap(bytes), bytes.length))
                .isEqualTo(bytes.length);
    }

    private byte[] read(long position, int count) {
        ByteBuffer target = ByteBuffer.allocate(count);
        assertThat(pages.read(position, target, count, 0)).isEqualTo(count);
        return target.array();
    }

    private static byte[] bytes(WritebackSpan span) {
        byte[] bytes = new byte[span.segment().length()];
        span.segment().memory().get(span.segment().offset(), bytes);
        return bytes;
    }

    private static void fill(LoadSpan span, char c) {
        for (int i = 0; i < span.segment().length(); i++) {
            span.segment().memory().put(span.segment().offset() + i, (byte) c);
        }
    }

    private static byte[] filled(int count, char c) {
        byte[] bytes = new byte[count];
        Arrays.fill(bytes, (byte) c);
        return bytes;
    }
}
