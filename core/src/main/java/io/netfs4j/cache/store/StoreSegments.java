// SPDX-License-Identifier: Apache-2.0
package io.netfs4j.cache.store;

import io.netfs4j.base.GuardedBy;
import io.netfs4j.cache.Journalled;

import org.jspecify.annotations.Nullable;

import java.io.IOException;
import java.nio.file.NoSuchFileException;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.locks.ReentrantLock;

/**
 * Segments that a journal wrote and the store has a name for as well: blocks in them need not be
 * written once more. Each stays until no block of it counts, or until there is no more room; the
 * journal does with its own name what it likes.
 *
 * <pre>
 *   journal: seg-...12 ----+
 *                          +--> one file; the journal removes its name when the server has it all
 *   store:   ...7f.log ----+
 * </pre>
 *
 * <p><b>Threads</b>: methods with the store's lock held, but for {@link #link} and what the keeper
 * runs.
 */
final class StoreSegments implements ContentMap.Released {
    /** So many at once, whatever their size. */
    static final int SEGMENTS_MAX = 1 << 16;

    /** How many blocks of one count is not known: whoever knew has died. */
    static final long UNKNOWN = -1;

    /** Places have room for no larger numbers. */
    static final long NUMBER_MAX = Integer.MAX_VALUE;

    /** One that the store has, or is about to have. */
    static final class Adopted {
        final long number;
        final long bytes;

        /** Its number in the journal of this mount; {@link Journalled#NOWHERE} of an earlier. */
        final long inJournal;

        @GuardedBy("store lock")
        private long liveBlocks;

        /** Pieces that are about to count on it. */
        @GuardedBy("store lock")
        private int pieces;

        /** Its name is there; written with the lock of linking held. */
        private boolean linked;

        private Adopted(long number, long bytes, long inJournal, long liveBlocks) {
            this.number = number;
            this.bytes = bytes;
            this.inJournal = inJournal;
            this.liveBlocks = liveBlocks;
        }
    }

    /** Who links one segment has all others wait; held while the disk is asked. */
    private final ReentrantLock linking = new ReentrantLock();

    private final StoreFiles files;
    private final StoreKeeper keeper;

    /** Oldest first. */
    @GuardedBy("store lock")
    private final TreeMap<Long, Adopted> byNumber = new TreeMap<>();

    @GuardedBy("store lock")
    private final Map<Long, Adopted> byJournal = new HashMap<>();

    @GuardedBy("store lock")
    private long usedBytes;

    /** The disk is not asked any more: the next mount removes what is in no index. */
    @GuardedBy("store lock")
    private boolean ended;

    /** The journal is on another disk, or this one has no links; for good, whatever it was. */
    private volatile boolean refused;

    StoreSegments(StoreFiles files, StoreKeeper keeper) {
        this.files = files;
        this.keeper = keeper;
    }

    long usedBytes() {
        return usedBytes;
    }

    int count() {
        return byNumber.size();
    }

    boolean has(long number) {
        return byNumber.containsKey(number);
    }

    /** What an earlier mount has left. */
    void take(List<IndexFormat.SegmentLine> lines) {
        for (IndexFormat.SegmentLine line : lines) {
            add(new Adopted(line.number(), line.bytes(), Journalled.NOWHERE, line.liveBlocks()));
        }
    }

    /** For the index. */
    List<IndexFormat.SegmentLine> lines() {
        List<IndexFormat.SegmentLine> lines = new ArrayList<>();
        for (Adopted one : byNumber.values()) {
            lines.add(new IndexFormat.SegmentLine(one.number, one.bytes, one.liveBlocks));
        }
        return lines;
    }

    private void add(Adopted one) {
        byNumber.put(one.number, one);
        if (one.inJournal != Journalled.NOWHERE) {
            byJournal.put(one.inJournal, one);
        }
        usedBytes += one.bytes;
    }

    // ---- adopting -----------------------------------------------------------------------------

    /** Whether it is of no use to look for blocks in segments; wants no lock. */
    boolean areRefused() {
        return refused;
    }

    /** Whether there may be one more. */
    boolean areTaken() {
        return byNumber.size() < SEGMENTS_MAX;
    }

    /** How much more space a segment of the journal would take. */
    long moreBytes(long inJournal, Journalled journal) {
        return byJournal.containsKey(inJournal) ? 0 : journal.segmentBytes();
    }

    /** A piece is about to count on a segment; {@link #ended} comes after it. Null: not on it. */
    @Nullable Adopted begin(long inJournal, Journalled journal, StoreIndex index) {
        Adopted known = byJournal.get(inJournal);
        if (known == null) {
            long number = index.takeNumber();
            if (number > NUMBER_MAX) {
                return null;
            }
            known = new Adopted(number, journal.segmentBytes(), inJournal, 0);
            add(known);
        }
        known.pieces++;
        return known;
    }

    /** Has a segment's file there; waits for the disk, with no lock of the store held. */
    void link(Adopted one, Journalled journal) throws IOException {
        linking.lock();
        try {
            if (!one.linked) {
                files.link(journal, one.inJournal, one.number);
                one.linked = true;
            }
        } catch (NoSuchFileException e) {
            throw e; // The server has all of it, and the journal has let it go.
        } catch (IOException e) {
            refused = true;
            throw e;
        } finally {
            linking.unlock();
        }
    }

    /** A piece has ended that counted on it; so many of its blocks count from now on. */
    void ended(Adopted one, int blocks) {
        one.pieces--;
        one.liveBlocks += blocks;
        removeIfDead(one);
    }

    @Override
    public void released(long segment) {
        Adopted one = byNumber.get(segment);
        if (one != null && one.liveBlocks != UNKNOWN) {
            one.liveBlocks--;
            removeIfDead(one);
        }
    }

    /** What comes to nothing from now on is left where it is. */
    void end() {
        ended = true;
    }

    /** Nothing that a map names counts any more. */
    void release(ContentMap map) {
        map.dropUnless(this::has);
        map.drop(0, Long.MAX_VALUE >> ContentMap.BLOCK_SHIFT);
    }

    // ---- letting go ---------------------------------------------------------------------------

    private void removeIfDead(Adopted one) {
        if (one.liveBlocks == 0 && one.pieces == 0) {
            remove(one);
        }
    }

    /** Takes the oldest away, whatever counts on it; false when there is none to be taken. */
    boolean removeOldest() {
        for (Adopted one : byNumber.values()) {
            if (one.pieces == 0) {
                remove(one);
                return true;
            }
        }
        return false;
    }

    private void remove(Adopted one) {
        if (!byNumber.remove(one.number, one)) {
            return;
        }
        byJournal.remove(one.inJournal, one);
        usedBytes -= one.bytes;
        if (!ended) {
            keeper.add(() -> files.delete(StoreFiles.segmentName(one.number)));
        }
    }
}
