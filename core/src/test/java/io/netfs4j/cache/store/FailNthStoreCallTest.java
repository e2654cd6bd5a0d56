// SPDX-License-Identifier: Apache-2.0
package io.netfs4j.cache.store;

import static org.assertj.core.api.Assertions.assertThat;

import io.netfs4j.base.Completion;
import io.netfs4j.cache.Cookie;
import io.netfs4j.testing.ForgetfulDisk;

import org.jspecify.annotations.Nullable;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.SplittableRandom;
import java.util.TreeMap;

/**
 * Each call of the disk that a disk cache makes fails, one run for each: once, or from there on for
 * good. What is served is what the server has, then and at later mounts; every piece ends, the
 * store ends, and no file stays open.
 */
class FailNthStoreCallTest {
    private static final int BLOCK = ContentMap.BLOCK_BYTES;
    private static final int FILE_BLOCKS = 12;
    private static final long SEED = 11;
    private static final int PAUSES = 20;
    private static final String NUMBER = "2a";
    private static final String OTHER = "2b";
    private static final String PATH = "/dir/file";

    /** What a mount does with its cache. */
    private interface Course {
        void run(Life life);
    }

    private record Workload(String name, StoreLimits limits, Course before, Course during) {}

    /**
     * A mount that goes well, and the one in which the disk fails.
     *
     * @param dies whether the first ends by a crash, with the power lost
     */
    private record Scenario(Workload workload, boolean dies) {
        @Override
        public String toString() {
            return workload.name + (dies ? ", after a crash" : "");
        }
    }

    private static final StoreLimits LARGE = StoreLimits.DEFAULT;

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

    private static final Course NOTHING = life -> {};
    private static final Course KEPT = life -> life.keep(NUMBER);

    private static final List<Workload> WORKLOADS =
            List.of(
                    new Workload("store and read", LARGE, NOTHING, FailNthStoreCallTest::readsBack),
                    new Workload("close and acquire", LARGE, NOTHING, l -> acquires(l, NUMBER)),
                    new Workload("read what was found", LARGE, KEPT, l -> l.readAll(NUMBER)),
                    new Workload("read in blocks", LARGE, KEPT, FailNthStoreCallTest::readsParts),
                    new Workload("overwrite", LARGE, KEPT, FailNthStoreCallTest::overwrites),
                    new Workload("append", LARGE, KEPT, FailNthStoreCallTest::appends),
                    new Workload("discard a part", LARGE, KEPT, l -> discards(l, 2, 5)),
                    new Workload("discard all", LARGE, KEPT, l -> discards(l, 0, 0)),
                    new Workload("another version", LARGE, KEPT, FailNthStoreCallTest::changes),
                    new Workload("rename over a path", LARGE, l -> l.keep(PATH), l -> renames(l)),
                    new Workload("move a directory", LARGE, l -> l.keep(PATH), l -> moves(l)),
                    new Workload("cull for space", limits(30, 100), KEPT, l -> crowds(l, 5)),
                    new Workload("cull for files", limits(900, 3), KEPT, l -> crowds(l, 4)),
                    new Workload("two files", LARGE, KEPT, FailNthStoreCallTest::takesTurns),
                    new Workload("close in flight", LARGE, KEPT, FailNthStoreCallTest::closesEarly),
                    new Workload("unmount at once", LARGE, KEPT, NOTHING));

    static List<Scenario> scenarios() {
        List<Scenario> all = new ArrayList<>();
        for (Workload workload : WORKLOADS) {
            all.add(new Scenario(workload, false));
            all.add(new Scenario(workload, true));
        }
        return all;
    }

    // ---- workloads ----------------------------------------------------------------------------

    private static void readsBack(Life life) {
        Cookie cookie = life.acquire(NUMBER);
        life.store(cookie, NUMBER, 0, FILE_BLOCKS);
        life.read(cookie, NUMBER, 100, 3 * BLOCK);
        life.close(cookie);
    }

    private static void acquires(Life life, String key) {
        life.keep(key);
        life.readAll(key);
        life.readAll(key);
    }

    private static void readsParts(Life life) {
        Cookie cookie = life.acquire(NUMBER);
        for (int at = 0; at < FILE_BLOCKS * BLOCK; at += 3 * BLOCK - 7) {
            life.read(cookie, NUMBER, at, Math.min(BLOCK + 9, FILE_BLOCKS * BLOCK - at));
        }
        life.close(cookie);
    }

    private static void overwrites(Life life) {
        Cookie cookie = life.acquire(NUMBER);
        life.change(cookie, NUMBER, 1, 4);
        life.store(cookie, NUMBER, 1, 4);
        life.read(cookie, NUMBER, 0, 6 * BLOCK);
        life.commit(cookie, NUMBER);
        life.close(cookie);
        life.readAll(NUMBER);
    }

    private static void appends(Life life) {
        Cookie cookie = life.acquire(NUMBER);
        for (int block = 8; block < FILE_BLOCKS; block++) {
            life.change(cookie, NUMBER, block, block + 1);
            life.store(cookie, NUMBER, block, block + 1);
            life.commit(cookie, NUMBER);
        }
        life.close(cookie);
        life.readAll(NUMBER);
    }

    /** Up to block 0: all. */
    private static void discards(Life life, int from, int to) {
        Cookie cookie = life.acquire(NUMBER);
        life.change(cookie, NUMBER, from, to == 0 ? FILE_BLOCKS : to);
        if (cookie != null) {
            cookie.discard((long) from * BLOCK, to == 0 ? Long.MAX_VALUE : (long) to * BLOCK);
        }
        life.commit(cookie, NUMBER);
        life.read(cookie, NUMBER, 0, 3 * BLOCK);
        life.store(cookie, NUMBER, from, from + 1);
        life.close(cookie);
        life.readAll(NUMBER);
    }

    /** Somebody else changes it on the server. */
    private static void changes(Life life) {
        life.change(null, NUMBER, 0, FILE_BLOCKS);
        life.commit(null, NUMBER);
        life.readAll(NUMBER);
        life.keep(NUMBER);
        life.readAll(NUMBER);
    }

    /** The path names a file that looks the same and is another. */
    private static void renames(Life life) {
        life.store.drop(PATH);
        life.change(null, PATH, 0, FILE_BLOCKS);
        life.readAll(PATH);
        life.keep(PATH);
        life.readAll(PATH);
    }

    private static void moves(Life life) {
        life.store.dropBelow("/dir");
        life.change(null, PATH, 0, FILE_BLOCKS);
        life.readAll(PATH);
    }

    private static void crowds(Life life, int files) {
        for (int i = 0; i < files; i++) {
            life.keep("3" + i);
        }
        life.readAll(NUMBER);
        life.readAll("30");
    }

    private static void takesTurns(Life life) {
        Cookie one = life.acquire(NUMBER);
        Cookie two = life.acquire(OTHER);
        for (int block = 0; block < 4; block++) {
            life.store(two, OTHER, block, block + 1);
            life.read(one, NUMBER, block * BLOCK, BLOCK);
        }
        life.close(one);
        life.read(two, OTHER, 0, 4 * BLOCK);
        life.close(two);
        life.readAll(OTHER);
    }

    private static void closesEarly(Life life) {
        Cookie cookie = life.acquire(NUMBER);
        life.change(cookie, NUMBER, 0, 3);
        life.issue(cookie, NUMBER, 0, 3);
        if (cookie != null) {
            life.pieces.load(cookie, 5 * BLOCK, BLOCK);
        }
        life.commit(cookie, NUMBER);
        if (cookie != null) {
            cookie.close();
        }
        life.tasks.runAll();
    }

    // ---- a server, and a mount ----------------------------------------------------------------

    /** What the server has. */
    private static final class Served {
        long mounts;

        private final SplittableRandom random = new SplittableRandom(SEED);
        private final TreeMap<String, byte[]> files = new TreeMap<>();
        private final TreeMap<String, Integer> versions = new TreeMap<>();

        byte[] bytes(String key) {
            return files.computeIfAbsent(key, k -> drawn(FILE_BLOCKS));
        }

        private byte[] drawn(int blocks) {
            byte[] bytes = new byte[blocks * BLOCK];
            random.nextBytes(bytes);
            return bytes;
        }

        String version(String key) {
            return "v" + versions.getOrDefault(key, 1);
        }

        void change(String key, int from, int to) {
            System.arraycopy(drawn(to - from), 0, bytes(key), from * BLOCK, (to - from) * BLOCK);
        }
    }

    /** One mount. */
    private static final class Life {
        final Tasks tasks = new Tasks(SEED);
        final Pieces pieces = new Pieces(SEED);
        final Served server;
        final DiskStore store;
        int hits;

        Life(ForgetfulDisk disk, Served server, StoreLimits limits) {
            this.server = server;
            store =
                    DiskStore.open(
                            tasks.environment,
                            disk,
                            limits,
                            new Succession(server.mounts, ++server.mounts));
            settle();
        }

        /** All that can be done is; whoever waits for a pause of the disk to end is served. */
        void settle() {
            for (int i = 0; i < PAUSES; i++) {
                tasks.runAll();
                tasks.pass(StoreHealth.PAUSE_NANOS);
            }
            tasks.runAll();
            assertThat(pieces.inFlight).as("pieces in flight").isZero();
            assertThat(store.inFlight()).as("transfers in flight").isZero();
        }

        @Nullable Cookie acquire(String key) {
            Cookie cookie = store.acquire(key, server.version(key));
            tasks.runAll();
            return cookie;
        }

        void close(@Nullable Cookie cookie) {
            tasks.runAll();
            if (cookie != null) {
                cookie.close();
            }
            tasks.runAll();
        }

        void keep(String key) {
            Cookie cookie = acquire(key);
            store(cookie, key, 0, FILE_BLOCKS);
            close(cookie);
        }

        void issue(@Nullable Cookie cookie, String key, int from, int to) {
            if (cookie == null) {
                return;
            }
            byte[] part = Arrays.copyOfRange(server.bytes(key), from * BLOCK, to * BLOCK);
            Pieces.Piece piece = pieces.store(cookie, (long) from * BLOCK, part);
            if (piece != null) {
                piece.onEnd =
                        () -> {
                            if (!piece.isDone()) {
                                cookie.discard((long) from * BLOCK, (long) to * BLOCK);
                            }
                        };
            }
        }

        void store(@Nullable Cookie cookie, String key, int from, int to) {
            issue(cookie, key, from, to);
            tasks.runAll();
        }

        /** Bytes of the server are about to be changed; what the cache holds of them is not. */
        void change(@Nullable Cookie cookie, String key, int from, int to) {
            if (cookie != null) {
                cookie.discard((long) from * BLOCK, (long) to * BLOCK);
            }
            server.change(key, from, to);
        }

        void commit(@Nullable Cookie cookie, String key) {
            server.versions.merge(key, 2, (before, two) -> before + 1);
            if (cookie != null) {
                cookie.setVersion(server.version(key));
            }
        }

        void read(@Nullable Cookie cookie, String key, int from, int count) {
            Pieces.Piece piece = cookie == null ? null : pieces.load(cookie, from, count);
            tasks.runAll();
            if (piece != null && piece.isDone()) {
                hits++;
                int end = from + piece.bytes.length;
                assertThat(piece.bytes)
                        .as("%s from %d on", key, from)
                        .isEqualTo(Arrays.copyOfRange(server.bytes(key), from, end));
            }
        }

        void readAll(String key) {
            Cookie cookie = acquire(key);
            long length = (long) FILE_BLOCKS * BLOCK;
            long at = cookie == null ? length : cookie.nextHeld(0, length);
            while (cookie != null && at < length) {
                long end = cookie.nextMissing(at, length);
                read(cookie, key, (int) at, (int) (end - at));
                at = cookie.nextHeld(Math.max(end, at + 1), length);
            }
            close(cookie);
        }

        void end() {
            Completion<@Nullable Void> ended = store.close();
            settle();
            assertThat(ended.isDone()).as("the store has ended").isTrue();
        }
    }

    // ---- runs ---------------------------------------------------------------------------------

    @ParameterizedTest
    @MethodSource("scenarios")
    void callThatFailsOnce_costsAHitAtMost(Scenario scenario) {
        int calls = run(scenario, Integer.MAX_VALUE, 0, "");
        assertThat(calls).isPositive();
        for (int call = 0; call < calls; call++) {
            run(scenario, call, call + 1, "Input/output error");
            run(scenario, call, call + 1, "No space left on device");
        }
    }

    @ParameterizedTest
    @MethodSource("scenarios")
    void callsThatFailForGood_leaveTheServersBytes(Scenario scenario) {
        int calls = run(scenario, Integer.MAX_VALUE, 0, "");
        for (int call = 0; call < calls; call++) {
            run(scenario, call, Integer.MAX_VALUE, "Input/output error");
            run(scenario, call, Integer.MAX_VALUE, "No space left on device");
        }
    }

    /** Returns how many calls of the disk there were in the mount in which it may fail. */
    private static int run(Scenario scenario, int from, int to, String error) {
        ForgetfulDisk disk = new ForgetfulDisk(new SplittableRandom(SEED));
        Served server = new Served();
        StoreLimits limits = scenario.workload.limits;
        try {
            Life first = new Life(disk, server, limits);
            scenario.workload.before.run(first);
            first.settle();
            if (scenario.dies) {
                disk.losePower();
            } else {
                first.end();
            }
            int left = disk.openFiles();
            int before = disk.calls();
            if (from < Integer.MAX_VALUE) {
                disk.failAt(from, to, error);
            }
            Life failing = new Life(disk, server, limits);
            scenario.workload.during.run(failing);
            failing.end();
            int calls = disk.calls() - before;
            assertThat(disk.openFiles()).as("open files").isEqualTo(left);
            disk.restart();
            if (!failing.store.opened().isDone()) {
                // It could not even remove the mark of the clean end before it: of paths that were
                // dropped then nothing can be known.
                server.files.remove(PATH);
            }
            recover(disk, server, limits);
            assertThat(disk.openFiles()).as("open files").isEqualTo(left);
            return calls;
        } catch (AssertionError | RuntimeException e) {
            throw new AssertionError("call " + from + " to " + to + " with " + error, e);
        }
    }

    /** On a healthy disk: what it has is what the server has, and it caches again. */
    private static void recover(ForgetfulDisk disk, Served server, StoreLimits limits) {
        Life next = new Life(disk, server, limits);
        List.copyOf(server.files.keySet()).forEach(next::readAll);
        next.keep(OTHER);
        int before = next.hits;
        next.readAll(OTHER);
        assertThat(next.hits).as("hits").isGreaterThan(before);
        next.end();
    }
}
