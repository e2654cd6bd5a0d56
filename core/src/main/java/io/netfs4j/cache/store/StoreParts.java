// SPDX-License-Identifier: Apache-2.0
package io.netfs4j.cache.store;

import io.netfs4j.base.Disk;
import io.netfs4j.base.Environment;
import io.netfs4j.base.GuardedBy;

import org.jspecify.annotations.Nullable;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.NoSuchFileException;
import java.util.ArrayList;
import java.util.Collections;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Set;
import java.util.concurrent.locks.ReentrantLock;

/**
 * What all cookies of a store share, and the life of its files.
 *
 * <p><b>Threads</b>: its lock is a leaf; the disk is never called with it held.
 */
final class StoreParts {
    final ReentrantLock lock = new ReentrantLock();
    final Environment environment;
    final StoreLimits limits;
    final StoreFiles files;
    final StoreHealth health;
    final StoreKeeper keeper;
    final StoreIndex index = new StoreIndex();
    final StoreSegments segments;
    final StoreSpace space;
    final StoreMemory memory;

    /** Transfers and loads under way. */
    @GuardedBy("lock")
    int pieces;

    @GuardedBy("lock")
    long inFlightBytes;

    /** Files of blocks that are open. */
    @GuardedBy("lock")
    private final Set<Disk.File> open = Collections.newSetFromMap(new IdentityHashMap<>());

    /** What comes when all is done, pieces under way included. */
    @GuardedBy("lock")
    private @Nullable Runnable end;

    @GuardedBy("lock")
    long hits;

    @GuardedBy("lock")
    long misses;

    @GuardedBy("lock")
    long storedBytes;

    @GuardedBy("lock")
    long adoptedBytes;

    @GuardedBy("lock")
    long badBlocks;

    StoreParts(Environment environment, Disk disk, StoreLimits limits) {
        this.environment = environment;
        this.limits = limits;
        files = new StoreFiles(disk);
        health = new StoreHealth(environment.clock());
        keeper = new StoreKeeper(lock, environment.scheduler(), files, health);
        segments = new StoreSegments(files, keeper);
        space = new StoreSpace(lock, limits, files, index, segments, keeper);
        memory = new StoreMemory(lock);
    }

    /** Does something last, once no piece is under way and the keeper has nothing to do. */
    @GuardedBy("lock")
    void endWith(Runnable last) {
        end = last;
        endIfIdle();
    }

    /** A piece or a load has ended. */
    @GuardedBy("lock")
    void pieceEnded() {
        pieces--;
        endIfIdle();
    }

    @GuardedBy("lock")
    private void endIfIdle() {
        Runnable last = end;
        if (last != null && pieces == 0) {
            end = null;
            keeper.endWith(last);
        }
    }

    /** What is held has changed: the map on the disk, if there is one, must not count. */
    @GuardedBy("lock")
    void changed(StoredFile file) {
        file.changed = true;
        if (file.hasMap) {
            file.hasMap = false;
            mapGoes(file);
        }
    }

    /** Its map is removed; but one that is being read says what it has in segments. */
    @GuardedBy("lock")
    private void mapGoes(StoredFile file) {
        file.mapGoes = file.loading;
        if (!file.loading) {
            keeper.add(() -> removeMap(file));
        }
    }

    private void removeMap(StoredFile file) throws IOException {
        boolean last;
        lock.lock();
        try {
            if (file.hasMap || file.removed) {
                return; // Another one was written over it, or all is gone.
            }
            keeper.oweForce();
            last = file.dead && file.map == null;
        } finally {
            lock.unlock();
        }
        if (last) {
            space.release(file); // Nobody can tell afterwards.
        }
        boolean done = false;
        try {
            files.deleteMap(file.number);
            done = true;
        } finally {
            if (!done) {
                lock.lock();
                try {
                    drop(file); // So it is not in the index, and the next mount removes it.
                } finally {
                    lock.unlock();
                }
            }
        }
    }

    /** A file is found no more; its files go when nothing of it is in flight. */
    @GuardedBy("lock")
    void drop(StoredFile file) {
        if (file.dead) {
            return;
        }
        index.forget(file);
        changed(file);
        used(file);
    }

    /** A cookie goes on with nothing held: what its file held, or is being stored, goes. */
    @GuardedBy("lock")
    void replace(StoreCookie cookie, StoredFile file) {
        boolean wasDead = file.dead;
        StoredFile fresh = new StoredFile(index.takeNumber(), file.key);
        fresh.version = file.version;
        fresh.versionHash = file.versionHash;
        fresh.map = new ContentMap(segments);
        fresh.changed = true;
        fresh.dead = wasDead;
        fresh.cookie = cookie;
        file.cookie = null;
        file.discardAll(segments);
        cookie.file = fresh;
        if (wasDead) {
            used(file);
        } else {
            drop(file);
            index.add(fresh);
        }
    }

    /** Something that used a file has ended. */
    @GuardedBy("lock")
    void used(StoredFile file) {
        if (file.isIdle()) {
            keeper.add(() -> settle(file));
        }
    }

    /** Writes the map of a file that nobody uses now, or removes what is of no use. */
    private void settle(StoredFile file) throws IOException {
        Disk.File data;
        ByteBuffer written = null;
        lock.lock();
        try {
            if (!file.isIdle()) {
                return;
            }
            data = file.data;
            file.data = null;
            ContentMap map = file.map;
            String version = file.version;
            if (file.removed) {
                file.map = null;
            } else if (!file.dead && map != null && file.changed) {
                if (map.heldBlocks() == 0 || version == null) {
                    index.forget(file);
                } else {
                    written = encode(file, map, version);
                }
            } else if (!file.dead) {
                file.map = null;
            }
        } finally {
            lock.unlock();
        }
        if (data != null) {
            close(data);
        }
        if (written != null) {
            writeMap(file, written);
        } else if (isDead(file)) {
            space.remove(file);
        }
    }

    private boolean isDead(StoredFile file) {
        lock.lock();
        try {
            return file.dead && !file.removed && file.isIdle();
        } finally {
            lock.unlock();
        }
    }

    @GuardedBy("lock")
    private ByteBuffer encode(StoredFile file, ContentMap map, String version) {
        long seconds = environment.clock().now().getEpochSecond();
        ByteBuffer bytes = MapFormat.encode(file.number, file.key, version, seconds, map);
        file.heldEnd = map.heldEnd();
        file.versionHash = MapFormat.hash(version);
        file.changed = false;
        file.hasMap = true;
        index.setMapBytes(file, bytes.limit());
        return bytes;
    }

    private void writeMap(StoredFile file, ByteBuffer bytes) throws IOException {
        boolean done = false;
        try {
            files.writeMap(file.number, bytes);
            done = true;
        } finally {
            lock.lock();
            try {
                if (!done) {
                    drop(file);
                } else if (file.isIdle() && !file.changed) {
                    file.map = null;
                }
            } finally {
                lock.unlock();
            }
        }
    }

    /** Reads the map of a file that was acquired, on a thread of its own. */
    @GuardedBy("lock")
    void load(StoredFile file) {
        file.loading = true;
        pieces++;
        String wanted = file.version;
        long bytes = file.mapBytes;
        environment
                .scheduler()
                .forkBlocking("netfs-cache-load", () -> loadNow(file, wanted, bytes));
    }

    private void loadNow(StoredFile file, @Nullable String wanted, long bytes) {
        StoreFiles.Map read = null;
        boolean failed = false;
        try {
            read = files.readMap(file.number, bytes, segments);
        } catch (NoSuchFileException e) {
            // Somebody has tidied up.
        } catch (IOException | RuntimeException e) {
            failed = true;
        }
        List<Runnable> next;
        lock.lock();
        try {
            if (failed) {
                health.failed();
            } else {
                health.succeeded();
            }
            file.loading = false;
            MapFormat.Header header = read == null ? null : read.header();
            boolean right =
                    header != null
                            && header.key().equals(file.key)
                            && header.version().equals(wanted);
            if (read != null && (file.voided || !right)) {
                segments.release(read.content());
            }
            if (!file.voided) {
                loaded(file, read == null || !right ? null : read.content(), wanted);
            }
            if (file.mapGoes) {
                mapGoes(file);
            }
            next = new ArrayList<>(file.afterLoading);
            file.afterLoading.clear();
            used(file);
            pieceEnded();
        } finally {
            lock.unlock();
        }
        for (Runnable piece : next) {
            environment.scheduler().forkBlocking(StoreTransfers.NAME, piece);
        }
    }

    @GuardedBy("lock")
    private void loaded(StoredFile file, @Nullable ContentMap content, @Nullable String wanted) {
        StoreCookie cookie = file.cookie;
        if (content == null) {
            if (cookie == null) {
                file.discardAll(segments);
                drop(file);
            } else {
                replace(cookie, file);
            }
            return;
        }
        file.map = content;
        long before = content.placedBlocks();
        content.dropUnless(segments::has);
        boolean lost = content.placedBlocks() < before;
        for (int i = 0; i < file.droppedWhileLoading.count(); i++) {
            content.drop(file.droppedWhileLoading.start(i), file.droppedWhileLoading.end(i));
        }
        boolean otherVersion = wanted == null || !wanted.equals(file.version);
        if (!file.droppedWhileLoading.isEmpty() || otherVersion || lost) {
            changed(file);
        }
        file.droppedWhileLoading.clear();
        index.update(file, content);
    }

    private void close(Disk.File data) {
        lock.lock();
        try {
            open.remove(data);
        } finally {
            lock.unlock();
        }
        data.close();
    }

    /**
     * What is still open when the store ends: the disk was left alone, and files were not settled.
     */
    void closeAll() {
        List<Disk.File> left;
        lock.lock();
        try {
            left = new ArrayList<>(open);
            open.clear();
        } finally {
            lock.unlock();
        }
        left.forEach(Disk.File::close);
    }

    /** The file that holds the blocks, opened by the first who needs it. */
    Disk.File data(StoredFile file, boolean create) throws IOException {
        lock.lock();
        try {
            Disk.File present = file.data;
            if (present != null) {
                return present;
            }
        } finally {
            lock.unlock();
        }
        Disk.File opened = files.openData(file.number, create);
        Disk.File first;
        lock.lock();
        try {
            first = file.data;
            if (first == null) {
                file.data = opened;
                open.add(opened);
                return opened;
            }
        } finally {
            lock.unlock();
        }
        opened.close();
        return first;
    }
}
