// SPDX-License-Identifier: Apache-2.0
package io.netfs4j.cache.store;

import static org.assertj.core.api.Assertions.assertThat;

import io.netfs4j.base.Disk;
import io.netfs4j.cache.Cookie;
import io.netfs4j.testing.ForgetfulDisk;

import org.junit.jupiter.api.Test;

import java.io.IOException;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Proxy;
import java.util.SplittableRandom;
import java.util.concurrent.atomic.AtomicReference;

/** Segments of a journal that a store has a name for, where things go otherwise. */
class AdoptedSegmentsTest {
    private static final int BLOCK = ContentMap.BLOCK_BYTES;

    private final ForgetfulDisk disk = new ForgetfulDisk(new SplittableRandom(1));
    private Tasks tasks = new Tasks(1);
    private final Pieces pieces = new Pieces(1);
    private DiskStore store;
    private long mounts;

    /** A disk on which others go on, once, while a map is read. */
    private Disk slow(Runnable duringMap) {
        AtomicReference<Runnable> once = new AtomicReference<>(duringMap);
        return twin(
                Disk.class,
                disk,
                (method, arguments, result) -> {
                    boolean reads =
                            method.equals("open")
                                    && ((String) arguments[0]).endsWith(".map")
                                    && arguments[1].equals(false);
                    if (!reads) {
                        return result;
                    }
                    return twin(
                            Disk.File.class,
                            (Disk.File) result,
                            (call, given, answer) -> {
                                Runnable first = call.equals("read") ? once.getAndSet(null) : null;
                                if (first != null) {
                                    first.run();
                                }
                                return answer;
                            });
                });
    }

    private interface After {
        Object of(String method, Object[] arguments, Object result);
    }

    private static <T> T twin(Class<T> type, T real, After after) {
        return type.cast(
                Proxy.newProxyInstance(
                        type.getClassLoader(),
                        new Class<?>[] {type},
                        (proxy, method, arguments) -> {
                            try {
                                Object result = method.invoke(real, arguments);
                                return after.of(method.getName(), arguments, result);
                            } catch (InvocationTargetException e) {
                                throw e.getCause();
                            }
                        }));
    }

    private void open(Disk on, StoreLimits limits) {
        store = DiskStore.open(tasks.environment, on, limits, new Succession(mounts, ++mounts));
        tasks.runAll();
        assertThat(store.opened().isDone()).isTrue();
    }

    private void close() {
        var ended = store.close();
        tasks.runAll();
        assertThat(ended.isDone()).isTrue();
    }

    private static byte[] bytes(int seed, int blocks) {
        byte[] bytes = new byte[blocks * BLOCK];
        new SplittableRandom(seed).nextBytes(bytes);
        return bytes;
    }

    private Pieces.Piece put(Cookie cookie, byte[] bytes) {
        Pieces.Piece piece = pieces.store(cookie, 0, bytes);
        assertThat(piece).isNotNull();
        tasks.runAll();
        assertThat(piece.isDone()).isTrue();
        return piece;
    }

    private void keep(String key, LentSegments journal, byte[] bytes) {
        journal.record(key, 0, bytes);
        Cookie cookie = store.acquire(key, "v1", journal.of(key));
        tasks.runAll();
        put(cookie, bytes);
        cookie.close();
        tasks.runAll();
    }

    private byte[] get(String key, int count) {
        Cookie cookie = store.acquire(key, "v1");
        assertThat(cookie).isNotNull();
        tasks.runAll();
        Pieces.Piece piece = pieces.load(cookie, 0, count);
        tasks.runAll();
        cookie.close();
        tasks.runAll();
        return piece == null || !piece.isDone() ? null : piece.bytes;
    }

    @Test
    void droppedWhileLoading_takesNothingFromOthers() {
        LentSegments journal = new LentSegments(new SplittableRandom(1));
        open(
                slow(() -> {
                    store.drop("/d/a");
                    tasks.runAll(); // The keeper removes the map.
                }),
                StoreLimits.DEFAULT);
        byte[] b = bytes(2, 2);
        keep("/d/a", journal, bytes(1, 2));
        keep("/d/b", journal, b);
        assertThat(store.statistics().segments()).isEqualTo(1);
        Cookie a = store.acquire("/d/a", "v1");
        tasks.runAll(); // Loads the map.
        a.close();
        tasks.runAll();
        assertThat(get("/d/b", b.length)).isEqualTo(b);
    }

    @Test
    void discardedWhileLoading_leavesNoSegment() {
        for (int seed = 0; seed < 20; seed++) {
            tasks = new Tasks(seed);
            ForgetfulDisk own = new ForgetfulDisk(new SplittableRandom(1));
            mounts = 0;
            open(own, StoreLimits.DEFAULT);
            LentSegments journal = new LentSegments(new SplittableRandom(1));
            keep("2a", journal, bytes(1, 2));
            Cookie a = store.acquire("2a", "v1");
            a.discard(0, Long.MAX_VALUE);
            tasks.runAll();
            a.close();
            tasks.runAll();
            assertThat(store.statistics().segments()).as("seed " + seed).isZero();
        }
    }

    @Test
    void pathsOfAMountThatWasNotTheLast_leaveNoSegments() {
        open(disk, StoreLimits.DEFAULT);
        keep("/d/a", new LentSegments(new SplittableRandom(1)), bytes(1, 2));
        close();
        mounts++;
        open(disk, StoreLimits.DEFAULT);
        assertThat(store.statistics().heldBytes()).isZero();
        assertThat(store.statistics().segments()).isZero();
    }

    @Test
    void diskThatIsShort_getsSegmentsBack_afterACrash() {
        open(disk, StoreLimits.DEFAULT);
        keep("2a", new LentSegments(new SplittableRandom(1)), bytes(1, 2));
        keep("/d/b", new LentSegments(new SplittableRandom(1)), bytes(1, 2));
        tasks.clear();
        disk.setTotalBytes(1000L << 20);
        disk.setFreeBytes(1L << 20);
        open(disk, StoreLimits.DEFAULT);
        tasks.runAll();
        assertThat(store.statistics().heldBytes()).isZero();
        assertThat(store.statistics().segments()).isZero();
    }

    @Test
    void numberOfASegmentThatIsGone_isNoOthers_afterACrash() throws IOException {
        open(disk, StoreLimits.DEFAULT);
        LentSegments journal = new LentSegments(new SplittableRandom(1));
        Cookie c = store.acquire("2a", "v1", journal.of("2a")); // File 1.
        Cookie d = store.acquire("3b", "v1"); // File 2.
        tasks.runAll();
        put(d, bytes(3, 1));
        byte[] a = bytes(1, 2);
        journal.record("2a", 0, a);
        put(c, a); // Segment 3.
        c.close();
        d.close();
        tasks.runAll();
        disk.delete(StoreFiles.segmentName(3)); // As when room is made, or a link was not forced.
        tasks.clear();
        open(disk, StoreLimits.DEFAULT);
        byte[] b = bytes(2, 2);
        journal.record("3b", 0, b);
        d = store.acquire("3b", "v1", journal.of("3b"));
        tasks.runAll();
        put(d, b); // Segment 3 again.
        c = store.acquire("2a", "v1");
        tasks.runAll();
        c.discard(0, 2 * BLOCK); // What was in the other one.
        tasks.runAll();
        d.close();
        tasks.runAll();
        assertThat(get("3b", b.length)).isEqualTo(b);
    }

    @Test
    void whatIsBeingStored_doesNotCount_onceAllWasDiscarded() {
        open(disk, StoreLimits.DEFAULT);
        LentSegments journal = new LentSegments(new SplittableRandom(1));
        byte[] old = bytes(1, 2);
        journal.record("2a", 0, old);
        Cookie cookie = store.acquire("2a", "v1", journal.of("2a"));
        tasks.runAll();
        assertThat(pieces.store(cookie, 0, old)).isNotNull(); // On its way.
        cookie.discard(0, Long.MAX_VALUE); // Another client has changed the file.
        cookie.setVersion("v2");
        tasks.runAll();
        assertThat(cookie.nextHeld(0, old.length)).isEqualTo(old.length);
        cookie.close();
        tasks.runAll();
        close();
        open(disk, StoreLimits.DEFAULT);
        Cookie again = store.acquire("2a", "v2");
        tasks.runAll();
        assertThat(again.nextHeld(0, old.length)).isEqualTo(old.length);
    }

    @Test
    void diskThatBecomesShort_isNoticed_whereNothingIsWritten() {
        disk.setTotalBytes(1000L << 20);
        disk.setFreeBytes(500L << 20);
        open(disk, StoreLimits.DEFAULT);
        disk.setFreeBytes(1L << 20);
        LentSegments journal = new LentSegments(new SplittableRandom(1));
        for (int i = 0; i < 500; i++) {
            byte[] bytes = bytes(i, 11);
            journal.record("f" + i, 0, bytes); // A segment each.
            Cookie cookie = store.acquire("f" + i, "v1", journal.of("f" + i));
            tasks.runAll();
            pieces.store(cookie, 0, bytes);
            tasks.runAll();
            cookie.close();
            tasks.runAll();
            tasks.pass(20_000_000);
        }
        assertThat(store.statistics().segments()).isLessThan(400);
    }

    @Test
    void end_comesAfterTheLastCallOfTheDisk() {
        open(disk, StoreLimits.DEFAULT);
        LentSegments journal = new LentSegments(new SplittableRandom(1));
        journal.record("2a", 0, bytes(1, 2));
        Cookie open = store.acquire("2a", "v1", journal.of("2a"));
        put(open, bytes(1, 2));
        var ended = store.close();
        while (!ended.isDone()) {
            assertThat(tasks.runOne()).isTrue();
        }
        int calls = disk.calls();
        tasks.runAll();
        assertThat(disk.calls()).isEqualTo(calls);
    }

    @Test
    void whatComesToNothing_takesNoSpaceUnseen() {
        open(disk, StoreLimits.DEFAULT);
        LentSegments journal = new LentSegments(new SplittableRandom(1));
        byte[] bytes = bytes(1, 2);
        journal.record("2a", 0, bytes);
        journal.record("3b", 0, bytes(3, 11));
        Cookie a = store.acquire("2a", "v1", journal.of("2a"));
        tasks.runAll();
        assertThat(pieces.store(a, 0, bytes)).isNotNull();
        journal.retire();
        a.discard(0, BLOCK);
        tasks.runAll();
        long onDisk =
                disk.names().stream()
                        .filter(name -> name.endsWith(".data"))
                        .mapToLong(disk::length)
                        .sum();
        assertThat(store.statistics().usedBytes()).isGreaterThanOrEqualTo(onDisk);
    }

    @Test
    void smallCache_storesWhatTheJournalHas() {
        open(disk, StoreLimits.DEFAULT.withBytesMax(10L * BLOCK)); // Segments have 12.
        LentSegments journal = new LentSegments(new SplittableRandom(1));
        byte[] bytes = bytes(1, 2);
        journal.record("2a", 0, bytes);
        Cookie a = store.acquire("2a", "v1", journal.of("2a"));
        tasks.runAll();
        assertThat(pieces.store(a, 0, bytes)).isNotNull();
    }

    @Test
    void diskThatIsShort_isKeptNoSegmentsOf() {
        disk.setTotalBytes(1000L << 20);
        disk.setFreeBytes(1L << 20); // 0.1 %
        open(disk, StoreLimits.DEFAULT);
        LentSegments journal = new LentSegments(new SplittableRandom(1));
        byte[] bytes = bytes(1, 2);
        Cookie plain = store.acquire("3b", "v1");
        tasks.runAll();
        assertThat(pieces.store(plain, 0, bytes)).as("written").isNull();
        journal.record("2a", 0, bytes);
        Cookie a = store.acquire("2a", "v1", journal.of("2a"));
        tasks.runAll();
        assertThat(pieces.store(a, 0, bytes)).as("in a segment").isNull();
    }
}
