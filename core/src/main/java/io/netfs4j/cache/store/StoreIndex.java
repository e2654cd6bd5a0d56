// SPDX-License-Identifier: Apache-2.0
package io.netfs4j.cache.store;

import io.netfs4j.base.GuardedBy;

import org.jspecify.annotations.Nullable;

import java.util.ArrayList;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.TreeMap;

/**
 * The files of a store that can be found, by key and by when they were used last, and what all
 * files take and hold.
 *
 * <p><b>Threads</b>: with the store's lock held.
 */
final class StoreIndex {
    private static final int INITIAL_CAPACITY = 16;
    private static final float LOAD_FACTOR = 0.75f;

    @GuardedBy("store lock")
    private final TreeMap<String, StoredFile> byKey = new TreeMap<>();

    /** Least recently used first. */
    @GuardedBy("store lock")
    private final LinkedHashMap<Long, StoredFile> byUse =
            new LinkedHashMap<>(INITIAL_CAPACITY, LOAD_FACTOR, true);

    @GuardedBy("store lock")
    private long nextNumber = 1;

    /** On the disk, of dead files that were not removed yet as well. */
    @GuardedBy("store lock")
    private long usedBytes;

    /** In files that can be found. */
    @GuardedBy("store lock")
    private long heldBlocks;

    int size() {
        return byKey.size();
    }

    long usedBytes() {
        return usedBytes;
    }

    long heldBytes() {
        return heldBlocks << ContentMap.BLOCK_SHIFT;
    }

    long nextNumber() {
        return nextNumber;
    }

    /** Numbers up to this one are taken. */
    void isTaken(long number) {
        nextNumber = Math.max(nextNumber, number + 1);
    }

    long takeNumber() {
        return nextNumber++;
    }

    @Nullable StoredFile get(String key) {
        return byKey.get(key);
    }

    /** Least recently used first. */
    Collection<StoredFile> files() {
        return byUse.values();
    }

    /** Files whose keys begin with a text. */
    List<StoredFile> startingWith(String text) {
        List<StoredFile> found = new ArrayList<>();
        for (StoredFile file : byKey.tailMap(text, true).values()) {
            if (!file.key.startsWith(text)) {
                break;
            }
            found.add(file);
        }
        return found;
    }

    /** A file can be found; no other one of its key may be there. */
    void add(StoredFile file) {
        byKey.put(file.key, file);
        byUse.put(file.number, file);
        heldBlocks += file.heldBlocks;
        usedBytes += file.usedBytes();
    }

    /** It is used now. */
    void touch(StoredFile file) {
        byUse.get(file.number);
    }

    /** It cannot be found any more, and still takes its space. */
    void forget(StoredFile file) {
        byKey.remove(file.key, file);
        byUse.remove(file.number);
        heldBlocks -= file.heldBlocks;
        file.dead = true;
    }

    /** Its files have gone. */
    void removed(StoredFile file) {
        usedBytes -= file.usedBytes();
        file.removed = true;
    }

    /** What its map holds has changed. */
    void update(StoredFile file, ContentMap map) {
        long more = map.heldBlocks() - file.heldBlocks;
        file.heldBlocks += more;
        heldBlocks += file.dead ? 0 : more;
        long space = map.allocatedBlocks() - file.allocatedBlocks;
        file.allocatedBlocks += space;
        usedBytes += space << ContentMap.BLOCK_SHIFT;
        file.placedBlocks = map.placedBlocks();
    }

    /** Its map is so long on the disk, or about to be. */
    void setMapBytes(StoredFile file, long bytes) {
        usedBytes += bytes - file.mapBytes;
        file.mapBytes = bytes;
    }
}
