// SPDX-License-Identifier: Apache-2.0
package io.netfs4j.cache.store;

import io.netfs4j.base.Disk;
import io.netfs4j.base.GuardedBy;
import io.netfs4j.base.RangeSet;

import org.jspecify.annotations.Nullable;

import java.util.ArrayList;
import java.util.List;

/**
 * One file of the store, from the moment that it is acquired first until it has left the disk.
 *
 * <pre>
 *   closed --acquire--> loading --> open --close, pieces ended--> being settled --> closed
 * </pre>
 *
 * A file that was dropped, replaced or culled is dead: nobody finds it any more, its cookie, if it
 * has one, goes on, and its files are removed when nothing of it is in flight. What is stored under
 * the same key then is another file, with another number: nothing late can change it.
 *
 * <p><b>Threads</b>: with the store's lock held.
 */
final class StoredFile {
    final long number;
    final String key;

    /** What the checksums of its blocks begin with. */
    final long seed;

    /** Null until one was told, or while only its hash is known. */
    @GuardedBy("store lock")
    @Nullable String version;

    @GuardedBy("store lock")
    long versionHash;

    /** Null while it is closed, or being loaded. */
    @GuardedBy("store lock")
    @Nullable ContentMap map;

    /** As in the map; of files that are closed it is all that is known. */
    @GuardedBy("store lock")
    long heldBlocks;

    @GuardedBy("store lock")
    long heldEnd;

    @GuardedBy("store lock")
    long allocatedBlocks;

    @GuardedBy("store lock")
    long placedBlocks;

    /** What its map takes on the disk, 0 for none. */
    @GuardedBy("store lock")
    long mapBytes;

    /** There may be a map on the disk, which says what is held now, or is being written. */
    @GuardedBy("store lock")
    boolean hasMap;

    /** What is held now is in no map on the disk. */
    @GuardedBy("store lock")
    boolean changed;

    @GuardedBy("store lock")
    boolean dead;

    /** All that it held was discarded: what is in flight of it comes to nothing. */
    @GuardedBy("store lock")
    boolean voided;

    /** Its files have been removed. */
    @GuardedBy("store lock")
    boolean removed;

    /** Through which it is used now. */
    @GuardedBy("store lock")
    @Nullable StoreCookie cookie;

    /** Its map is being read. */
    @GuardedBy("store lock")
    boolean loading;

    /** It has ceased to count meanwhile: it is removed once it has been read. */
    @GuardedBy("store lock")
    boolean mapGoes;

    /** What was dropped meanwhile. */
    @GuardedBy("store lock")
    final RangeSet droppedWhileLoading = new RangeSet();

    /** What begins once it has been loaded. */
    @GuardedBy("store lock")
    final List<Runnable> afterLoading = new ArrayList<>();

    @GuardedBy("store lock")
    int reads;

    @GuardedBy("store lock")
    final List<Writing> writings = new ArrayList<>();

    /** Open from the first piece on until it is closed. */
    @GuardedBy("store lock")
    Disk.@Nullable File data;

    StoredFile(long number, String key) {
        this.number = number;
        this.key = key;
        this.seed = MapFormat.hash(key);
    }

    /** A piece that is being stored; in blocks. */
    static final class Writing {
        final long from;
        final long to;

        /** What it stores does not count. */
        boolean dropped;

        Writing(long from, long to) {
            this.from = from;
            this.to = to;
        }
    }

    /** Nothing that it holds, or that is being stored, counts. */
    void discardAll(ContentMap.Released segments) {
        voided = true;
        ContentMap present = map;
        if (present != null) {
            present.drop(0, Long.MAX_VALUE >> ContentMap.BLOCK_SHIFT);
        }
        map = new ContentMap(segments);
        for (Writing writing : writings) {
            writing.dropped = true;
        }
    }

    /** Whether any piece is being stored there. */
    boolean isWritten(long from, long to) {
        for (Writing writing : writings) {
            if (writing.from < to && from < writing.to) {
                return true;
            }
        }
        return false;
    }

    /** Whether nothing was ever stored in it, nor is being. */
    boolean isBare() {
        ContentMap present = map;
        return writings.isEmpty()
                && present != null
                && present.allocatedBlocks() + present.placedBlocks() == 0;
    }

    /** Whether nothing uses it, so that its files may go. */
    boolean isIdle() {
        return cookie == null && !loading && reads == 0 && writings.isEmpty();
    }

    /** Whether all up to the last block that is held is held. */
    boolean isUnbroken() {
        return heldBlocks == heldEnd;
    }

    /** What it takes on the disk besides what it has in segments. */
    long usedBytes() {
        return (allocatedBlocks << ContentMap.BLOCK_SHIFT) + mapBytes;
    }

    IndexFormat.Line line() {
        return new IndexFormat.Line(
                number,
                key,
                versionHash,
                heldBlocks,
                heldEnd,
                allocatedBlocks,
                placedBlocks,
                mapBytes);
    }

    @Override
    public String toString() {
        return "file " + number + " of " + key + " holds " + heldBlocks + " blocks";
    }
}
