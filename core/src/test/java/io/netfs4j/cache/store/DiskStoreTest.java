// SPDX-License-Identifier: Apache-2.0
package io.netfs4j.cache.store;

import static org.assertj.core.api.Assertions.assertThat;

import io.netfs4j.cache.Cookie;
import io.netfs4j.testing.ForgetfulDisk;

import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

import java.util.Arrays;
import java.util.SplittableRandom;

/** A store on its own, over a disk that forgets. */
class DiskStoreTest {
    private static final int BLOCK = ContentMap.BLOCK_BYTES;
    private static final String NUMBER = "2a";
    private static final String PATH = "/dir/file";

    private final ForgetfulDisk disk = new ForgetfulDisk(new SplittableRandom(1));
    private final Tasks tasks = new Tasks(1);
    private final Pieces pieces = new Pieces(1);
    private DiskStore store = opened(StoreLimits.DEFAULT);

    private long mounts;

    private Succession next() {
        return new Succession(mounts, ++mounts);
    }

    private DiskStore opened(StoreLimits limits) {
        store = DiskStore.open(tasks.environment, disk, limits, next());
        tasks.runAll();
        assertThat(store.opened().isDone()).isTrue();
        return store;
    }

    /** A mount that ends well, and the next one. */
    private void remount() {
        var ended = store.close();
        tasks.runAll();
        assertThat(ended.isDone()).isTrue();
        opened(StoreLimits.DEFAULT);
    }

    /** A process that dies, after what it has begun has been done. */
    private void die() {
        tasks.runAll();
        tasks.clear();
        opened(StoreLimits.DEFAULT);
    }

    private Cookie acquire(String key, @Nullable String version) {
        Cookie cookie = store.acquire(key, version);
        assertThat(cookie).isNotNull();
        tasks.runAll();
        return cookie;
    }

    private static byte[] bytes(int seed, int blocks) {
        byte[] bytes = new byte[blocks * BLOCK];
        new SplittableRandom(seed).nextBytes(bytes);
        return bytes;
    }

    private void put(Cookie cookie, long position, byte[] bytes) {
        Pieces.Piece piece = pieces.store(cookie, position, bytes);
        assertThat(piece).isNotNull();
        tasks.runAll();
        assertThat(piece.isDone()).isTrue();
        assertThat(piece.bytes).hasSameSizeAs(bytes);
    }

    private byte @Nullable [] get(Cookie cookie, long position, int count) {
        Pieces.Piece piece = pieces.load(cookie, position, count);
        tasks.runAll();
        return piece == null || !piece.isDone() ? null : piece.bytes;
    }

    private void keep(String key, String version, byte[] bytes) {
        Cookie cookie = acquire(key, version);
        put(cookie, 0, bytes);
        cookie.close();
        tasks.runAll();
    }

    private static StoreLimits limits(int blocks, int files) {
        return new StoreLimits(
                (long) blocks * BLOCK,
                (long) blocks * BLOCK,
                new StoreLimits.Used(50, 70, 90),
                new StoreLimits.Free(10, 7, 3),
                files,
                4,
                1 << 20);
    }

    /** It moved files, perhaps, and could not say so here. */
    @Test
    void storedUnderAPath_isNotServed_afterAMountWithoutACache() {
        byte[] bytes = bytes(1, 5);
        keep(NUMBER, "v1", bytes);
        keep(PATH, "v1", bytes);
        var ended = store.close();
        tasks.runAll();
        assertThat(ended.isDone()).isTrue();
        mounts++;
        opened(StoreLimits.DEFAULT);
        assertThat(get(acquire(NUMBER, "v1"), 0, bytes.length)).isEqualTo(bytes);
        assertThat(acquire(PATH, "v1").nextHeld(0, bytes.length)).isEqualTo(bytes.length);
    }

    private Cookie lent(String key, LentSegments journal) {
        Cookie cookie = store.acquire(key, "v1", journal.of(key));
        assertThat(cookie).isNotNull();
        tasks.runAll();
        return cookie;
    }

    @Test
    void whatTheJournalHas_isNotWritten_andIsServedAtTheNextMount_withoutTheJournal() {
        LentSegments journal = new LentSegments(new SplittableRandom(1));
        byte[] bytes = bytes(1, 5);
        journal.write(NUMBER, 0, bytes);
        Cookie cookie = lent(NUMBER, journal);
        for (int block = 0; block < 5; block++) {
            put(
                    cookie,
                    block * BLOCK,
                    Arrays.copyOfRange(bytes, block * BLOCK, (block + 1) * BLOCK));
        }
        cookie.close();
        assertThat(store.statistics().adoptedBytes()).isPositive();
        long both = store.statistics().adoptedBytes() + store.statistics().storedBytes();
        assertThat(both).isEqualTo(bytes.length);
        journal.write(PATH, 0, bytes(2, 20));
        journal.retire();
        remount();
        assertThat(get(acquire(NUMBER, "v1"), 0, bytes.length)).isEqualTo(bytes);
    }

    @Test
    void segment_goesWithTheLastBlockThatCounts() {
        LentSegments journal = new LentSegments(new SplittableRandom(1));
        byte[] bytes = bytes(1, 2);
        journal.record(NUMBER, 0, bytes);
        Cookie cookie = lent(NUMBER, journal);
        put(cookie, 0, bytes);
        cookie.discard(0, 1);
        assertThat(get(cookie, BLOCK, BLOCK))
                .isEqualTo(Arrays.copyOfRange(bytes, BLOCK, 2 * BLOCK));
        assertThat(disk.names()).anyMatch(name -> StoreFiles.numberOfSegment(name) >= 0);
        cookie.discard(BLOCK, BLOCK + 1);
        tasks.runAll();
        assertThat(disk.names()).noneMatch(name -> StoreFiles.numberOfSegment(name) >= 0);
        assertThat(store.statistics().segments()).isZero();
    }

    @Test
    void stored_isServed_atTheNextMount_whileTheVersionIsTheSame() {
        byte[] bytes = bytes(1, 5);
        keep(NUMBER, "v1", bytes);
        keep(PATH, "v1", bytes);
        remount();
        for (String key : new String[] {NUMBER, PATH}) {
            Cookie cookie = acquire(key, "v1");
            assertThat(cookie.nextHeld(0, bytes.length)).isZero();
            assertThat(cookie.nextMissing(0, 1 << 20)).isEqualTo(bytes.length);
            assertThat(get(cookie, 100, 9_000)).isEqualTo(Arrays.copyOfRange(bytes, 100, 9_100));
            cookie.close();
        }
        assertThat(store.statistics().hits()).isEqualTo(2);
        remount();
        Cookie other = acquire(NUMBER, "v2");
        assertThat(other.nextHeld(0, 1 << 20)).isEqualTo(1 << 20);
        other.close();
        remount();
        assertThat(acquire(NUMBER, "v1").nextHeld(0, 1 << 20)).isEqualTo(1 << 20);
    }

    @Test
    void stored_isServed_afterADeath_underANumberAndNotUnderAPath() {
        byte[] bytes = bytes(1, 5);
        keep(NUMBER, "v1", bytes);
        keep(PATH, "v1", bytes);
        die();
        assertThat(get(acquire(NUMBER, "v1"), 0, 20)).isEqualTo(Arrays.copyOf(bytes, 20));
        assertThat(acquire(PATH, "v1").nextHeld(0, BLOCK)).isEqualTo(BLOCK);
    }

    @Test
    void firstRead_waitsForTheMap() {
        byte[] bytes = bytes(1, 3);
        keep(NUMBER, "v1", bytes);
        remount();
        Cookie cookie = store.acquire(NUMBER, "v1");
        assertThat(cookie).isNotNull();
        assertThat(cookie.nextHeld(0, BLOCK)).isZero();
        assertThat(cookie.nextMissing(0, 1 << 20)).isEqualTo(3 * BLOCK);
        assertThat(get(cookie, 0, bytes.length)).isEqualTo(bytes);
    }

    @Test
    void changedFile_hasNoMap_untilItIsClosed() {
        keep(NUMBER, "v1", bytes(1, 3));
        Cookie cookie = acquire(NUMBER, "v1");
        cookie.discard(0, BLOCK);
        die();
        assertThat(acquire(NUMBER, "v1").nextHeld(0, 1 << 20)).isEqualTo(1 << 20);
    }

    @Test
    void setVersion_saysOfWhichVersionItIs() {
        byte[] bytes = bytes(1, 1);
        Cookie cookie = acquire(NUMBER, null);
        put(cookie, 0, bytes);
        cookie.setVersion("v7");
        cookie.close();
        tasks.runAll();
        remount();
        assertThat(get(acquire(NUMBER, "v7"), 0, BLOCK)).isEqualTo(bytes);
    }

    @Test
    void drop_counts_atOnceAndAtTheNextMount() {
        keep(PATH, "v1", bytes(1, 3));
        store.drop(PATH);
        Cookie cookie = acquire(PATH, "v1");
        assertThat(cookie.nextHeld(0, 1 << 20)).isEqualTo(1 << 20);
        cookie.close();
        remount();
        assertThat(acquire(PATH, "v1").nextHeld(0, 1 << 20)).isEqualTo(1 << 20);
    }

    @Test
    void dropBelow_sparesWhatOnlyBeginsTheSame() {
        for (String path : new String[] {"/dir/a", "/dir/sub/b", "/dir2/c", "/dir.x"}) {
            keep(path, "v1", bytes(1, 1));
        }
        store.dropBelow("/dir");
        tasks.runAll();
        assertThat(store.statistics().files()).isEqualTo(2);
        assertThat(acquire("/dir2/c", "v1").nextHeld(0, BLOCK)).isZero();
        assertThat(acquire("/dir.x", "v1").nextHeld(0, BLOCK)).isZero();
    }

    @Test
    void cookieOfADroppedFile_goesOn_andLeavesNothing() {
        byte[] bytes = bytes(1, 2);
        Cookie cookie = acquire(PATH, "v1");
        put(cookie, 0, bytes);
        store.drop(PATH);
        Cookie next = acquire(PATH, "v1");
        assertThat(next.nextHeld(0, BLOCK)).isEqualTo(BLOCK);
        assertThat(get(cookie, 0, bytes.length)).isEqualTo(bytes);
        cookie.close();
        next.close();
        tasks.runAll();
        assertThat(disk.names()).isEmpty();
        assertThat(store.statistics().usedBytes()).isZero();
    }

    @Test
    void damagedBlock_isDropped_andTheOthersAreServed() {
        byte[] bytes = bytes(1, 3);
        keep(NUMBER, "v1", bytes);
        disk.rot(StoreFiles.dataName(1), BLOCK + 7);
        Cookie cookie = acquire(NUMBER, "v1");
        assertThat(get(cookie, 0, bytes.length)).isNull();
        assertThat(cookie.nextMissing(0, bytes.length)).isEqualTo(BLOCK);
        assertThat(cookie.nextHeld(BLOCK, bytes.length)).isEqualTo(2 * BLOCK);
        assertThat(get(cookie, 0, BLOCK)).isEqualTo(Arrays.copyOf(bytes, BLOCK));
        assertThat(store.statistics().badBlocks()).isOne();
    }

    @Test
    void damagedMap_orIndex_isAMiss() {
        keep(NUMBER, "v1", bytes(1, 3));
        String map = StoreFiles.mapName(1);
        for (int at = 0; at < disk.length(map); at += 3) {
            disk.rot(map, at);
            Cookie cookie = acquire(NUMBER, "v1");
            assertThat(get(cookie, 0, BLOCK)).isNull();
            cookie.close();
            tasks.runAll();
            keep(NUMBER, "v1", bytes(1, 3));
            map = disk.names().stream().filter(n -> n.endsWith(".map")).findAny().orElseThrow();
        }
        tasks.runAll();
        store.close();
        tasks.runAll();
        disk.rot(StoreFiles.INDEX, 30);
        opened(StoreLimits.DEFAULT);
        assertThat(get(acquire(NUMBER, "v1"), 0, BLOCK)).isEqualTo(bytes(1, 1));
    }

    @Test
    void leastRecentlyUsed_goes_atTheNextMountToo() {
        opened(limits(100, 100));
        for (int i = 0; i < 6; i++) {
            keep(Integer.toHexString(i), "v1", bytes(i, 10));
        }
        acquire("0", "v1").close();
        store.close();
        tasks.runAll();
        opened(limits(100, 100));
        keep("9", "v1", bytes(9, 12));
        // 72 blocks and the maps are too much; below 50 there are these four.
        assertThat(store.statistics().files()).isEqualTo(4);
        assertThat(store.statistics().culled()).isEqualTo(3);
        assertThat(acquire("0", "v1").nextHeld(0, BLOCK)).isZero();
        assertThat(acquire("1", "v1").nextHeld(0, BLOCK)).isEqualTo(BLOCK);
        assertThat(acquire("9", "v1").nextHeld(0, BLOCK)).isZero();
    }

    @Test
    void openFile_isNotCulled_andNothingIsStoredAboveTheStop() {
        opened(limits(100, 100));
        Cookie cookie = acquire(NUMBER, "v1");
        for (int i = 0; i < 9; i++) {
            put(cookie, (long) i * 10 * BLOCK, bytes(i, 10));
        }
        assertThat(pieces.store(cookie, 90L * BLOCK, bytes(9, 1))).isNull();
        put(cookie, 0, bytes(0, 10)); // Takes no more space.
        assertThat(get(cookie, 0, BLOCK)).isEqualTo(bytes(0, 1));
        tasks.pass(1_000_000_000);
        assertThat(pieces.refused).isZero();
    }

    @Test
    void manyFiles_areCulledByNumber() {
        opened(limits(1000, 10));
        for (int i = 0; i < 30; i++) {
            keep(Integer.toHexString(i), "v1", bytes(i, 1));
        }
        assertThat(store.statistics().files()).isLessThanOrEqualTo(10);
        assertThat(store.statistics().culled()).isGreaterThanOrEqualTo(20);
    }

    @Test
    void fullDisk_makesRoomForWhatIsUsed() {
        disk.setTotalBytes(1000L * BLOCK);
        disk.setFreeBytes(105L * BLOCK);
        opened(limits(1000, 100));
        for (int i = 0; i < 20; i++) {
            keep(Integer.toHexString(i), "v1", bytes(i, 5));
        }
        assertThat(store.statistics().culled()).isPositive();
        assertThat(acquire("13", "v1").nextHeld(0, BLOCK)).isZero();
        assertThat(store.statistics().errors()).isZero();
    }

    @Test
    void diskThatFails_isLeftAlone_forAWhile() {
        Cookie cookie = acquire(NUMBER, "v1");
        disk.failAt(0, Integer.MAX_VALUE, "I/O error");
        for (int i = 0; i < StoreHealth.FAILURES_MAX; i++) {
            assertThat(pieces.store(cookie, 0, bytes(1, 1))).isNotNull();
            tasks.runAll();
        }
        int calls = disk.calls();
        assertThat(pieces.store(cookie, 0, bytes(1, 1))).isNull();
        assertThat(store.acquire("77", "v1")).isNull();
        tasks.runAll();
        assertThat(disk.calls()).isEqualTo(calls);
        disk.restart();
        tasks.pass(StoreHealth.PAUSE_NANOS);
        put(cookie, 0, bytes(1, 1));
    }

    @Test
    void pieceThatHangs_keepsNobodyElseFromAnything() {
        Cookie cookie = acquire(NUMBER, "v1");
        assertThat(pieces.store(cookie, 0, bytes(1, 2))).isNotNull();
        tasks.hangOne();
        assertThat(pieces.store(cookie, BLOCK, bytes(2, 1))).isNull();
        put(cookie, 2 * BLOCK, bytes(3, 1));
        cookie.close();
        Cookie again = acquire(NUMBER, "v1");
        assertThat(again.nextHeld(0, 2 * BLOCK)).isEqualTo(2 * BLOCK);
        assertThat(pieces.store(again, 0, bytes(4, 1))).isNull();
        again.discard(0, Long.MAX_VALUE);
        put(again, 0, bytes(4, 2));
        tasks.release();
        tasks.runAll();
        assertThat(get(again, 0, 2 * BLOCK)).isEqualTo(bytes(4, 2));
        keep("77", "v1", bytes(5, 1));
    }

    @Test
    void keeperThatHangs_keepsNobodyFromStoring() {
        Cookie cookie = acquire(NUMBER, "v1");
        put(cookie, 0, bytes(1, 2));
        cookie.close();
        tasks.hangOne(); // The map is being written.
        Cookie again = acquire(NUMBER, "v1");
        assertThat(get(again, 0, BLOCK)).isEqualTo(bytes(1, 1));
        Cookie other = acquire("77", "v1");
        put(other, 0, bytes(2, 1));
        assertThat(get(other, 0, BLOCK)).isEqualTo(bytes(2, 1));
    }

    @Test
    void transfers_areBounded() {
        opened(limits(100, 100));
        Cookie cookie = acquire(NUMBER, "v1");
        for (int i = 0; i < 4; i++) {
            assertThat(pieces.store(cookie, (long) i * BLOCK, bytes(i, 1))).isNotNull();
        }
        assertThat(pieces.store(cookie, 9 * BLOCK, bytes(9, 1))).isNull();
        tasks.runAll();
        put(cookie, 9 * BLOCK, bytes(9, 1));
    }

    @Test
    void storeThatCannotOpen_cachesNothing_andTriesAgain() {
        tasks.clear();
        disk.failAt(0, Integer.MAX_VALUE, "Input/output error");
        DiskStore late = DiskStore.open(tasks.environment, disk, StoreLimits.DEFAULT, next());
        tasks.runAll();
        assertThat(late.acquire(NUMBER, "v1")).isNull();
        disk.restart();
        tasks.pass(StoreHealth.PAUSE_NANOS);
        tasks.runAll();
        assertThat(late.acquire(NUMBER, "v1")).isNotNull();
    }

    @Test
    void manyPiecesInARow_takeOneCallEach() {
        Cookie cookie = acquire(NUMBER, "v1");
        put(cookie, 0, bytes(1, 1));
        int calls = disk.calls();
        put(cookie, BLOCK, bytes(2, 128));
        assertThat(disk.calls()).isEqualTo(calls + 1);
    }
}
