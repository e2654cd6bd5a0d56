// SPDX-License-Identifier: Apache-2.0
package io.netfs4j.cache.store;

import io.netfs4j.base.GuardedBy;

import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.locks.ReentrantLock;

/**
 * Sees that a store stays within its limits: nothing is stored when there is too little space, and
 * before it comes to that the files used least recently go, those that are in use excepted.
 *
 * <p><b>Threads</b>: methods with the store's lock held, but for what the keeper runs.
 */
final class StoreSpace {
    /** So much is stored before the disk is asked again how much is free, in bytes. */
    private static final long LOOK_BYTES = 16 << 20;

    private final ReentrantLock lock;
    private final StoreLimits limits;
    private final StoreFiles files;
    private final StoreIndex index;
    private final StoreSegments segments;
    private final StoreKeeper keeper;

    /** As the disk said last, less what was stored since. */
    @GuardedBy("lock")
    private long freeBytes = Long.MAX_VALUE;

    /** 0 until the disk has said. */
    @GuardedBy("lock")
    private long diskBytes;

    @GuardedBy("lock")
    private long storedSinceLook;

    @GuardedBy("lock")
    private boolean culling;

    @GuardedBy("lock")
    private boolean looking;

    @GuardedBy("lock")
    private long culled;

    StoreSpace(
            ReentrantLock lock,
            StoreLimits limits,
            StoreFiles files,
            StoreIndex index,
            StoreSegments segments,
            StoreKeeper keeper) {
        this.lock = lock;
        this.limits = limits;
        this.files = files;
        this.index = index;
        this.segments = segments;
        this.keeper = keeper;
    }

    long culled() {
        return culled;
    }

    /** What all of it takes on the disk, in bytes. */
    @GuardedBy("lock")
    long usedBytes() {
        return index.usedBytes() + segments.usedBytes();
    }

    /** Whether so many more bytes of a file may be stored; makes room where it is short. */
    @GuardedBy("lock")
    boolean admits(StoredFile file, long bytes) {
        return isSmall(file, bytes) && hasRoom(bytes);
    }

    @GuardedBy("lock")
    private boolean hasRoom(long bytes) {
        cullIfNeeded(bytes);
        return usedBytes() + bytes <= limits.usedStopBytes()
                && freeBytes - bytes >= StoreLimits.percent(diskBytes, limits.free().stopPercent());
    }

    /**
     * As {@link #admits}, of bytes in a segment, which may be new: the disk has that already, but
     * would have it back from the journal.
     */
    @GuardedBy("lock")
    boolean admitsIn(StoredFile file, long bytes, long segmentBytes) {
        return isSmall(file, bytes) && (segmentBytes == 0 || hasRoom(segmentBytes));
    }

    @GuardedBy("lock")
    private boolean isSmall(StoredFile file, long more) {
        long inSegments = file.placedBlocks << ContentMap.BLOCK_SHIFT;
        return file.usedBytes() + inSegments + more <= limits.fileBytesMax();
    }

    /** So many more bytes are about to be stored. */
    @GuardedBy("lock")
    void take(long bytes) {
        if (freeBytes != Long.MAX_VALUE) {
            freeBytes -= bytes;
        }
        storedSinceLook += bytes;
        if (storedSinceLook >= LOOK_BYTES) {
            look();
        }
    }

    /** The disk says that it is full, whatever else it says. */
    @GuardedBy("lock")
    void isFull() {
        freeBytes = 0;
        cullIfNeeded(0);
        look();
    }

    /** The disk is to be asked how much is free. */
    @GuardedBy("lock")
    void look() {
        storedSinceLook = 0;
        if (!looking) {
            looking = true;
            keeper.add(this::lookAtDisk);
        }
    }

    private void lookAtDisk() throws IOException {
        lock.lock();
        try {
            looking = false;
        } finally {
            lock.unlock();
        }
        long free = files.freeBytes();
        long total = files.totalBytes();
        lock.lock();
        try {
            freeBytes = free;
            diskBytes = total;
            cullIfNeeded(0);
        } finally {
            lock.unlock();
        }
    }

    /** Whether another file may be taken on; makes room for the next ones where not. */
    @GuardedBy("lock")
    boolean admitsFile() {
        cullIfNeeded(0);
        return index.size() < limits.filesMax();
    }

    @GuardedBy("lock")
    void cullIfNeeded(long bytes) {
        boolean needed =
                usedBytes() + bytes > limits.usedCullBytes()
                        || freeBytes - bytes < percentOfDisk(limits.free().cullPercent())
                        || index.size() >= limits.filesMax();
        if (needed && !culling) {
            culling = true;
            keeper.add(this::cull);
        }
    }

    @GuardedBy("lock")
    private long percentOfDisk(int percent) {
        return StoreLimits.percent(diskBytes, percent);
    }

    private void cull() throws IOException {
        List<StoredFile> victims = new ArrayList<>();
        lock.lock();
        try {
            long freeTooLittle = percentOfDisk(limits.free().runPercent()) - freeBytes;
            long tooMuch = Math.max(usedBytes() - limits.usedRunBytes(), freeTooLittle);
            int filesRun = (int) StoreLimits.percent(limits.filesMax(), limits.used().runPercent());
            int left = index.size();
            for (StoredFile file : index.files()) {
                if (tooMuch <= 0 && left <= filesRun) {
                    break;
                }
                if (file.isIdle()) {
                    tooMuch -= file.usedBytes() + (file.placedBlocks << ContentMap.BLOCK_SHIFT);
                    left--;
                    victims.add(file);
                }
            }
            for (StoredFile file : victims) {
                index.forget(file);
            }
            culled += victims.size();
        } finally {
            lock.unlock();
        }
        IOException failure = null;
        for (StoredFile file : victims) {
            try {
                remove(file);
            } catch (IOException e) {
                failure = e;
            }
        }
        lock.lock();
        try {
            // Of segments as much may be left as one block of each that counts.
            long before = segments.usedBytes();
            boolean more = true;
            while (more && isShort(before - segments.usedBytes())) {
                more = segments.removeOldest();
            }
            culling = false;
            if (!victims.isEmpty() || segments.usedBytes() < before) {
                look();
            }
        } finally {
            lock.unlock();
        }
        if (failure != null) {
            throw failure;
        }
    }

    /**
     * Whether there is less space than is to be, once files are gone.
     *
     * @param freed what is about to come free of segments, where the journal has them no more
     */
    @GuardedBy("lock")
    private boolean isShort(long freed) {
        return usedBytes() > limits.usedRunBytes()
                || freeBytes + freed < percentOfDisk(limits.free().runPercent());
    }

    /**
     * Removes the files of one that nobody finds or uses any more. What cannot be removed is not in
     * the index, and so the next mount tries again.
     */
    void remove(StoredFile file) throws IOException {
        release(file);
        try {
            files.deleteMap(file.number);
            files.deleteData(file.number);
        } finally {
            lock.lock();
            try {
                if (!file.removed) {
                    index.removed(file);
                }
            } finally {
                lock.unlock();
            }
        }
    }

    /**
     * What a file that nobody finds any more has in segments does not count. Where its map must be
     * read for that and cannot be, those segments stay until they are the oldest.
     */
    void release(StoredFile file) {
        boolean reads;
        lock.lock();
        try {
            reads = file.map == null && file.placedBlocks > 0;
        } finally {
            lock.unlock();
        }
        StoreFiles.Map read = null;
        if (reads) {
            try {
                read = files.readMap(file.number, file.mapBytes, segments);
            } catch (IOException e) {
                read = null;
            }
        }
        lock.lock();
        try {
            ContentMap map = read == null ? file.map : read.content();
            if (map != null && file.placedBlocks > 0) {
                segments.release(map);
            }
            file.placedBlocks = 0;
        } finally {
            lock.unlock();
        }
    }
}
