// SPDX-License-Identifier: Apache-2.0
package io.netfs4j.cache.store;

import io.netfs4j.cache.Cookie;
import io.netfs4j.testing.ForgetfulDisk;

import org.jspecify.annotations.Nullable;

import java.io.IOException;
import java.util.Arrays;
import java.util.List;
import java.util.Set;
import java.util.SplittableRandom;
import java.util.TreeMap;
import java.util.TreeSet;

/**
 * One store, one engine that uses it, a server, and a disk that forgets, from a seed: files are
 * read, changed, dropped, renamed over; the process is killed or the power lost anywhere, calls of
 * the disk fail or hang, bits turn. Whatever comes out of the store must be what the server has.
 */
public final class StoreWorld {
    private static final int BLOCK = ContentMap.BLOCK_BYTES;
    private static final int FILE_BLOCKS = 24;
    private static final int FILE_BYTES = FILE_BLOCKS * BLOCK;
    private static final int OPERATIONS_MAX = 300;
    private static final int LIVES_MAX = 5;
    private static final String FULL = "No space left on device";
    private static final String[] KEYS = {"1", "2f", "/d/a", "/d/b", "/e"};

    private final SplittableRandom random;
    private final ForgetfulDisk disk;
    private final LentSegments journal;
    private final Tasks tasks;
    private final Pieces pieces;
    private final StoreLimits limits;
    private final boolean faults;
    private final TreeMap<String, Content> server = new TreeMap<>();
    private final TreeMap<String, Handle> open = new TreeMap<>();
    private final Set<String> openedBefore = new TreeSet<>();
    private @Nullable DiskStore store;
    private int versions;
    private long mounts;

    /** Whether anything went wrong in this life. */
    private boolean troubled;

    /** Whether a life has ended in the middle of something. */
    private boolean hasted;

    /** Whether a life has ended so that nobody knows what counts in segments. */
    private boolean untidy;

    int deaths;
    long hits;
    long culled;
    long badBlocks;
    long adoptedBytes;

    /** How often something was read that an earlier life had left. */
    int found;

    public StoreWorld(long seed, boolean faults) {
        random = new SplittableRandom(seed);
        this.faults = faults;
        disk = new ForgetfulDisk(random.split());
        tasks = new Tasks(random.nextLong());
        pieces = new Pieces(random.nextLong());
        journal = new LentSegments(random.split());
        long most = (long) BLOCK * (random.nextBoolean() ? 1000 : 20 + random.nextInt(60));
        limits =
                new StoreLimits(
                        most,
                        random.nextBoolean() ? most : most / 2,
                        new StoreLimits.Used(60, 80, 95),
                        new StoreLimits.Free(10, 7, 3),
                        random.nextBoolean() ? 100 : 3,
                        random.nextBoolean() ? 100 : 2,
                        random.nextBoolean() ? 1 << 20 : BLOCK);
        for (String key : KEYS) {
            server.put(key, new Content(key));
        }
    }

    /** What the server has under a key. */
    private final class Content {
        final String key;
        byte[] bytes = bytes(FILE_BYTES);
        String version;

        /** What it was before changes that are on their way, of which it is not known yet. */
        byte @Nullable [] before;

        @Nullable String versionBefore;

        Content(String key) {
            this.key = key;
            version = nextVersion();
        }

        /** Times are so coarse, where paths are keys, that a version may look like the last. */
        String nextVersion() {
            boolean coarse = StoreOpening.isPath(key);
            return coarse ? "v" + random.nextInt(2) : "v" + ++versions;
        }

        void change() {
            if (before == null) {
                before = bytes.clone();
                versionBefore = version;
                version = nextVersion();
            }
        }
    }

    private static final class Handle {
        final Content content;
        final Cookie cookie;
        int storing;

        /** Nothing of it was stored in this life. */
        boolean untouched;

        Handle(Content content, Cookie cookie, boolean untouched) {
            this.content = content;
            this.cookie = cookie;
            this.untouched = untouched;
        }
    }

    private byte[] bytes(int count) {
        byte[] bytes = new byte[count];
        random.nextBytes(bytes);
        return bytes;
    }

    private DiskStore store() {
        DiskStore present = store;
        if (present == null) {
            throw new AssertionError("not open");
        }
        return present;
    }

    /**
     * Runs it.
     *
     * @throws AssertionError when something is not as it should be
     */
    public void run() {
        int lives = 1 + random.nextInt(LIVES_MAX);
        for (int life = 0; life < lives; life++) {
            boolean power = faults && random.nextBoolean();
            try {
                live();
            } catch (ForgetfulDisk.Killed e) {
                deaths++;
                untidy = true;
            }
            die();
            journal.restart(power);
            if (random.nextInt(5) == 0) {
                mountWithoutACache();
            }
            if (power) {
                disk.losePower();
            } else {
                disk.restart();
            }
            rot();
        }
    }

    private void live() {
        troubled = false;
        if (faults) {
            plan();
        }
        store = DiskStore.open(tasks.environment, disk, limits, new Succession(mounts, ++mounts));
        if (random.nextInt(4) != 0) {
            lookAround();
        }
        int operations = random.nextInt(OPERATIONS_MAX);
        for (int i = 0; i < operations; i++) {
            operate();
        }
        end(random.nextBoolean());
    }

    /** Reads what is there from before, or a part of it. */
    private void lookAround() {
        tasks.runAll();
        for (String key : KEYS) {
            open(key);
            if (random.nextBoolean()) {
                tasks.runAll();
            }
            for (int i = random.nextInt(8); i >= 0; i--) {
                read(open.get(key));
                if (random.nextBoolean()) {
                    tasks.runAll();
                }
            }
        }
    }

    private void plan() {
        if (random.nextBoolean()) {
            disk.killAt(random.nextInt(random.nextBoolean() ? 30 : 300));
        }
        if (random.nextInt(3) == 0) {
            int from = random.nextInt(random.nextBoolean() ? 20 : 200);
            int[] lengths = {1, 2, 10, Integer.MAX_VALUE - from};
            int length = lengths[random.nextInt(lengths.length)];
            disk.failAt(from, from + length, random.nextBoolean() ? "I/O error" : FULL);
            troubled = true;
        }
        disk.setFreeBytes(random.nextInt(4) == 0 ? random.nextInt(3 * FILE_BYTES) : Long.MAX_VALUE);
        disk.setTotalBytes(random.nextInt(4) == 0 ? 5L * FILE_BYTES : Long.MAX_VALUE);
    }

    /** The process has ended: what was under way has reached the server, or has not. */
    private void die() {
        DiskStore died = store;
        if (died != null) {
            StoreStatistics statistics = died.statistics();
            hits += statistics.hits();
            culled += statistics.culled();
            badBlocks += statistics.badBlocks();
            adoptedBytes += statistics.adoptedBytes();
        }
        store = null;
        hasted |= !tasks.isIdle();
        tasks.clear();
        open.clear();
        openedBefore.clear();
        pieces.inFlight = 0;
        pieces.refused = 0;
        for (Content content : server.values()) {
            byte[] before = content.before;
            String version = content.versionBefore;
            if (before != null && version != null && random.nextBoolean()) {
                content.bytes = before;
                content.version = version;
            }
            content.before = null;
            if (random.nextInt(8) == 0) {
                // Another client.
                content.bytes = bytes(FILE_BYTES);
                content.version = "v" + ++versions + "x";
            }
        }
    }

    private void rot() {
        List<String> names = disk.names();
        while (faults && !names.isEmpty() && random.nextInt(3) == 0) {
            String name = names.get(random.nextInt(names.size()));
            if (disk.length(name) > 0) {
                disk.rot(name, random.nextInt(disk.length(name)));
            }
        }
    }

    private void operate() {
        String key = KEYS[random.nextInt(KEYS.length)];
        Handle handle = open.get(key);
        switch (random.nextInt(18)) {
            case 0, 1 -> {
                if (handle == null) {
                    open(key);
                } else {
                    close(key, handle);
                }
            }
            case 2, 3, 4, 5 -> read(handle);
            case 6, 7, 8 -> download(handle);
            case 9 -> change(handle, random.nextInt(4) != 0);
            case 10 -> commit(handle);
            case 11 -> {
                if (handle != null && random.nextInt(4) == 0) {
                    handle.cookie.discard(0, Long.MAX_VALUE);
                    if (random.nextBoolean()) {
                        changeElsewhere(handle);
                    }
                }
            }
            case 12 -> drop(key);
            case 13 -> {
                if (faults && random.nextInt(6) == 0) {
                    tasks.hangOne();
                    troubled = true;
                } else if (random.nextInt(6) == 0) {
                    tasks.release();
                }
            }
            case 15 -> journal.retire();
            case 14 -> tasks.pass(random.nextInt(4) == 0 ? 6_000_000_000L : 10_000_000);
            default -> {
                for (int i = random.nextInt(5); i >= 0; i--) {
                    tasks.runOne();
                }
            }
        }
    }

    private void open(String key) {
        Content content = server.get(key);
        if (content == null) {
            throw new AssertionError(key);
        }
        String version = random.nextInt(20) == 0 ? null : content.version;
        Cookie cookie =
                random.nextBoolean()
                        ? store().acquire(key, version)
                        : store().acquire(key, version, journal.of(key));
        if (cookie != null) {
            if (version == null) {
                cookie.setVersion(content.version);
            }
            open.put(key, new Handle(content, cookie, openedBefore.add(key)));
        }
    }

    private void close(String key, Handle handle) {
        // While what is stored is on its way to the server the file is kept open.
        if (handle.content.before == null) {
            handle.cookie.close();
            open.remove(key);
        }
    }

    private void read(@Nullable Handle handle) {
        if (handle == null) {
            return;
        }
        long from = random.nextInt(FILE_BYTES);
        long held = handle.cookie.nextHeld(from, FILE_BYTES);
        long stop = handle.cookie.nextMissing(held, FILE_BYTES);
        if (held < from || stop < held || stop > FILE_BYTES) {
            throw new AssertionError("holds " + held + " to " + stop + " from " + from);
        }
        if (held == stop) {
            return;
        }
        int count = 1 + random.nextInt((int) (stop - held));
        byte[] then = Arrays.copyOfRange(handle.content.bytes, (int) held, (int) held + count);
        Pieces.Piece piece = pieces.load(handle.cookie, held, count);
        if (piece != null) {
            boolean untouched = handle.untouched;
            piece.onEnd =
                    () -> {
                        check(handle, piece, then);
                        found += untouched && piece.isDone() ? 1 : 0;
                    };
        }
    }

    /** What was read is what the server had when that was begun, or has now. */
    private static void check(Handle handle, Pieces.Piece piece, byte[] then) {
        if (!piece.isDone()) {
            return;
        }
        for (int i = 0; i < piece.bytes.length; i++) {
            byte now = handle.content.bytes[(int) piece.position + i];
            if (piece.bytes[i] != now && piece.bytes[i] != then[i]) {
                throw new AssertionError(
                        "other bytes of " + handle.content.key + " at " + (piece.position + i));
            }
        }
    }

    private void download(@Nullable Handle handle) {
        if (handle == null) {
            return;
        }
        int from = random.nextInt(FILE_BLOCKS);
        int to = from + 1 + random.nextInt(FILE_BLOCKS - from);
        store(handle, from * BLOCK, to * BLOCK);
    }

    private void store(Handle handle, int from, int to) {
        byte[] bytes = Arrays.copyOfRange(handle.content.bytes, from, to);
        Pieces.Piece piece = pieces.store(handle.cookie, from, bytes);
        if (piece == null) {
            handle.cookie.discard(from, to);
            return;
        }
        int end = from + piece.bytes.length;
        if (handle.cookie.nextHeld(from, end) != end) {
            throw new AssertionError("holds what is being written");
        }
        if (end < to) {
            handle.cookie.discard(end, to);
        }
        handle.untouched = false;
        handle.storing++;
        piece.onEnd =
                () -> {
                    handle.storing--;
                    if (!piece.isDone()) {
                        boolean full = String.valueOf(piece.end).contains("no room");
                        if (!troubled && disk.failures() == 0 && !faults && !full) {
                            throw new AssertionError("fails without need: " + piece.end);
                        }
                        handle.cookie.discard(from, end);
                    }
                };
    }

    private void change(@Nullable Handle handle, boolean stores) {
        // One writer at a time: the pieces of what is changed have ended.
        if (handle == null || handle.storing > 0) {
            return;
        }
        int from = random.nextInt(FILE_BLOCKS);
        int to = Math.min(FILE_BLOCKS, from + 1 + random.nextInt(6));
        handle.content.change();
        byte[] fresh = bytes((to - from) * BLOCK);
        if (!stores) {
            handle.cookie.discard(from * BLOCK, to * BLOCK);
        }
        System.arraycopy(fresh, 0, handle.content.bytes, from * BLOCK, fresh.length);
        if (random.nextBoolean()) {
            journal.write(handle.content.key, (long) from * BLOCK, fresh);
        } else {
            journal.forget(handle.content.key, (long) from * BLOCK, (long) to * BLOCK);
        }
        if (stores) {
            store(handle, from * BLOCK, to * BLOCK);
        }
    }

    /** Another client has written all of it, while anything may be on its way here. */
    private void changeElsewhere(Handle handle) {
        Content content = handle.content;
        journal.forget(content.key, 0, FILE_BYTES);
        content.bytes = bytes(FILE_BYTES);
        content.before = null;
        content.version = "v" + ++versions + "y";
        handle.cookie.setVersion(content.version);
    }

    private static void commit(@Nullable Handle handle) {
        if (handle != null && handle.storing == 0 && handle.content.before != null) {
            handle.content.before = null;
            handle.cookie.setVersion(handle.content.version);
        }
    }

    /** Another file gets the name, which may look the same. */
    private void drop(String key) {
        if (!StoreOpening.isPath(key) || random.nextInt(3) != 0) {
            return;
        }
        if (random.nextInt(4) == 0) {
            renew("/d/a");
            renew("/d/b");
            store().dropBelow("/d");
        } else {
            renew(key);
            store().drop(key);
        }
    }

    private void renew(String key) {
        journal.forget(key, 0, FILE_BYTES);
        Handle handle = open.remove(key);
        if (handle != null) {
            handle.content.before = null;
            handle.cookie.close();
        }
        server.put(key, new Content(key));
    }

    /** It does what it likes to paths, and the store hears nothing of it. */
    private void mountWithoutACache() {
        mounts++;
        untidy = true;
        for (String key : KEYS) {
            if (StoreOpening.isPath(key) && random.nextBoolean()) {
                renew(key);
            }
        }
    }

    /** What the index says of segments is what the maps say that they have there. */
    private void requireCounted() {
        TreeMap<Long, Long> counted = new TreeMap<>();
        StoreFiles files = new StoreFiles(disk);
        try {
            IndexFormat.Index index = files.readIndex(Integer.MAX_VALUE);
            if (index == null) {
                return;
            }
            for (IndexFormat.Line line : index.lines()) {
                StoreFiles.Map map =
                        files.readMap(
                                line.number(),
                                line.mapBytes(),
                                segment -> counted.merge(segment, 1L, Long::sum));
                if (map != null) {
                    map.content().drop(0, FILE_BLOCKS);
                }
            }
            for (IndexFormat.SegmentLine segment : index.segments()) {
                long blocks = counted.getOrDefault(segment.number(), 0L);
                if (segment.liveBlocks() != StoreSegments.UNKNOWN
                        && segment.liveBlocks() != blocks) {
                    throw new AssertionError(segment + " of which " + blocks + " count");
                }
            }
        } catch (IOException e) {
            throw new AssertionError(e);
        }
    }

    /** Nothing hangs for good, and nothing is left over. */
    private void end(boolean tidily) {
        if (!tidily) {
            untidy = true;
            return;
        }
        for (String key : KEYS) {
            Handle handle = open.get(key);
            if (handle != null && random.nextInt(10) != 0) {
                tasks.release();
                tasks.runAll();
                commit(handle);
                close(key, handle);
            }
        }
        if (!open.isEmpty()) {
            untidy = true;
            return;
        }
        var ended = store().close();
        tasks.release();
        tasks.runAll();
        if (!ended.isDone()) {
            throw new AssertionError("does not end");
        }
        tasks.pass(1_000_000_000);
        if (pieces.inFlight != 0 || pieces.refused != 0 || store().inFlight() != 0) {
            throw new AssertionError(
                    pieces.inFlight + " pieces and " + pieces.refused + " refusals are left");
        }
        if (!faults) {
            requireCounted();
        }
        StoreStatistics statistics = store().statistics();
        if (statistics.usedBytes() > limits.bytesMax() + limits.filesMax() * 1000L) {
            throw new AssertionError("takes too much: " + statistics);
        }
        if (statistics.heldBytes() == 0 && statistics.segments() > 0 && !untidy && !faults) {
            throw new AssertionError("segments of which nothing is held: " + statistics);
        }
        // What a dead mount had begun to store is found under the map that it had not removed yet.
        long bad = hasted ? 0 : statistics.badBlocks();
        if (!faults && statistics.errors() + bad > 0) {
            throw new AssertionError("without need: " + statistics);
        }
    }
}
