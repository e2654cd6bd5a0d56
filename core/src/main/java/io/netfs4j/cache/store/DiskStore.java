// SPDX-License-Identifier: Apache-2.0
package io.netfs4j.cache.store;

import io.netfs4j.base.Completion;
import io.netfs4j.base.Disk;
import io.netfs4j.base.Environment;
import io.netfs4j.base.GuardedBy;
import io.netfs4j.cache.Cookie;
import io.netfs4j.cache.DiskCache;
import io.netfs4j.cache.Journalled;

import org.jspecify.annotations.Nullable;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;

/**
 * The disk cache in one directory of this machine. What it has of a file is served until the
 * server's file is of another version, at later mounts too; never anything that does not fit its
 * checksum. Whatever goes wrong with the disk makes it hold less, or nothing.
 *
 * <p><b>Ownership</b>: nobody else uses the directory. Closed after the last cookie.
 *
 * <p><b>Threads</b>: any; never waits. The disk is asked on threads of its own, as many as there
 * are pieces under way, and one more.
 *
 * <p><b>Limits</b>: {@link StoreLimits}. On a disk that has no holes in files one that is cached in
 * part may take more than is counted.
 *
 * <p><b>Errors</b>: none are thrown. After several in a row the disk is left alone for a while.
 */
public final class DiskStore implements DiskCache {
    /** Before it is tried again to open what could not be opened. */
    private static final long OPENING_PAUSE_NANOS = StoreHealth.PAUSE_NANOS;

    private final StoreParts parts;
    private final Completion<@Nullable Void> opened = new Completion<>();
    private final Completion<@Nullable Void> ended = new Completion<>();

    /** What there is is known. */
    @GuardedBy("parts.lock")
    private boolean ready;

    @GuardedBy("parts.lock")
    private boolean closing;

    /** A path was dropped before it was known what there is. */
    @GuardedBy("parts.lock")
    private boolean distrustsPaths;

    private final Succession succession;

    private DiskStore(
            Environment environment, Disk disk, StoreLimits limits, Succession succession) {
        this.succession = succession;
        parts = new StoreParts(environment, disk, limits);
    }

    /**
     * A store that opens in the background; until then it caches no file.
     *
     * @param disk a directory of its own, for its owner only
     * @param succession whose paths still are what they were: those of the mount before
     */
    public static DiskStore open(
            Environment environment, Disk disk, StoreLimits limits, Succession succession) {
        DiskStore store = new DiskStore(environment, disk, limits, succession);
        store.parts.lock.lock();
        try {
            store.parts.keeper.add(store::openNow);
        } finally {
            store.parts.lock.unlock();
        }
        return store;
    }

    /** Ends when it knows what it has; not while the disk does not answer, or fails. */
    public Completion<@Nullable Void> opened() {
        return opened;
    }

    private void openNow() throws IOException {
        StoreOpening opening = new StoreOpening(parts.files, parts.limits, succession);
        boolean done = false;
        try {
            opening.run();
            done = true;
        } finally {
            parts.lock.lock();
            try {
                parts.index.isTaken(opening.lastNumber);
                if (done) {
                    parts.segments.take(opening.segments);
                    take(opening.lines);
                    ready = true;
                    parts.space.look();
                } else if (!closing) {
                    parts.environment.scheduler().schedule(this::openLater, OPENING_PAUSE_NANOS);
                }
            } finally {
                parts.lock.unlock();
            }
        }
        opened.complete(null);
    }

    private void openLater() {
        parts.lock.lock();
        try {
            if (!closing) {
                parts.keeper.add(this::openNow);
            }
        } finally {
            parts.lock.unlock();
        }
    }

    @GuardedBy("parts.lock")
    private void take(List<IndexFormat.Line> lines) {
        for (IndexFormat.Line line : lines) {
            StoredFile file = new StoredFile(line.number(), line.key());
            file.versionHash = line.versionHash();
            file.heldBlocks = line.heldBlocks();
            file.heldEnd = line.heldEnd();
            file.allocatedBlocks = line.allocatedBlocks();
            file.placedBlocks = line.placedBlocks();
            file.mapBytes = line.mapBytes();
            file.hasMap = true;
            parts.index.add(file);
            if (distrustsPaths && StoreOpening.isPath(file.key)) {
                parts.drop(file);
            }
        }
        parts.space.cullIfNeeded(0);
    }

    @Override
    public @Nullable Cookie acquire(String key, @Nullable String version) {
        return acquire(key, version, null);
    }

    @Override
    public @Nullable Cookie acquire(
            String key, @Nullable String version, @Nullable Journalled journal) {
        parts.lock.lock();
        try {
            if (!ready || closing || parts.health.isOff() || parts.keeper.isBehind()) {
                return null;
            }
            boolean fits = version == null || MapFormat.mayBeText(version);
            if (!fits || !MapFormat.mayBeText(key)) {
                return null;
            }
            return acquireFile(key, version, journal);
        } finally {
            parts.lock.unlock();
        }
    }

    @GuardedBy("parts.lock")
    private @Nullable Cookie acquireFile(
            String key, @Nullable String version, @Nullable Journalled journal) {
        StoredFile file = parts.index.get(key);
        if (file != null && file.cookie != null) {
            return null; // Two names of the server's for one file, of which it does not tell.
        }
        if (file != null && !isOf(file, version)) {
            parts.drop(file);
            file = null;
        }
        boolean mustLoad = file != null && file.map == null && !file.loading;
        if (mustLoad && parts.pieces >= parts.limits.piecesMax()) {
            return null;
        }
        if (file == null) {
            if (!parts.space.admitsFile()) {
                return null;
            }
            file = new StoredFile(parts.index.takeNumber(), key);
            file.map = new ContentMap(parts.segments);
            file.changed = true;
            parts.index.add(file);
        }
        if (version != null) {
            file.version = version;
            file.versionHash = MapFormat.hash(version);
        }
        StoreCookie cookie = new StoreCookie(parts, file, journal);
        file.cookie = cookie;
        parts.index.touch(file);
        if (mustLoad) {
            parts.load(file);
        }
        return cookie;
    }

    /** Whether what is stored of a file may be of a version; its map says for sure. */
    private static boolean isOf(StoredFile file, @Nullable String version) {
        if (version == null || file.versionHash != MapFormat.hash(version)) {
            return false;
        }
        String known = file.version;
        return known == null || known.equals(version);
    }

    @Override
    public void drop(String key) {
        parts.lock.lock();
        try {
            distrustsPaths |= !ready;
            StoredFile file = parts.index.get(key);
            if (file != null) {
                parts.drop(file);
            }
        } finally {
            parts.lock.unlock();
        }
    }

    @Override
    public void dropBelow(String directory) {
        parts.lock.lock();
        try {
            distrustsPaths |= !ready;
            String below = directory.endsWith("/") ? directory : directory + "/";
            for (StoredFile file : parts.index.startingWith(below)) {
                parts.drop(file);
            }
        } finally {
            parts.lock.unlock();
        }
    }

    /**
     * Ends the store: what was not stored yet is, and the index is written, without which the next
     * mount takes this one for one that has died. Cookies have been closed before.
     *
     * @return ends when the disk is not used any more; never, when a call of it never ends
     */
    public Completion<@Nullable Void> close() {
        parts.lock.lock();
        try {
            if (!closing) {
                closing = true;
                parts.endWith(this::endNow);
            }
        } finally {
            parts.lock.unlock();
        }
        return ended;
    }

    /** Only what has been done in full may be followed by an index. */
    private void endNow() {
        ByteBuffer bytes = null;
        parts.lock.lock();
        try {
            parts.segments.end();
            if (ready && !parts.health.isOff()) {
                List<IndexFormat.Line> lines = new ArrayList<>();
                for (StoredFile file : parts.index.files()) {
                    ContentMap map = file.map;
                    if (file.hasMap && !file.changed) {
                        lines.add(file.line());
                    } else if (map != null) {
                        parts.segments.release(map);
                    }
                }
                IndexFormat.Index index =
                        new IndexFormat.Index(
                                parts.index.nextNumber(),
                                succession.present(),
                                parts.segments.lines(),
                                lines);
                bytes = IndexFormat.encode(index);
            }
            ready = false;
        } finally {
            parts.lock.unlock();
        }
        if (bytes != null) {
            try {
                parts.files.writeIndex(bytes);
            } catch (IOException | RuntimeException e) {
                parts.lock.lock();
                try {
                    parts.health.failed();
                } finally {
                    parts.lock.unlock();
                }
            }
        }
        parts.closeAll();
        ended.complete(null);
    }

    /** What it has done, and holds now. */
    public StoreStatistics statistics() {
        parts.lock.lock();
        try {
            return new StoreStatistics(
                    parts.hits,
                    parts.misses,
                    parts.storedBytes,
                    parts.adoptedBytes,
                    parts.segments.count(),
                    parts.index.heldBytes(),
                    parts.space.usedBytes(),
                    parts.index.size(),
                    parts.space.culled(),
                    parts.badBlocks,
                    parts.health.errors());
        } finally {
            parts.lock.unlock();
        }
    }

    /** Transfers under way, those that wait for a map included. */
    int inFlight() {
        parts.lock.lock();
        try {
            return parts.pieces;
        } finally {
            parts.lock.unlock();
        }
    }
}
