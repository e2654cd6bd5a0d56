// SPDX-License-Identifier: Apache-2.0
package io.netfs4j.pagecache;

import io.netfs4j.base.RangeSet;
import io.netfs4j.base.SortedLongMap;

import org.jspecify.annotations.Nullable;

import java.nio.ByteBuffer;

/**
 * Bytes of one file that the server lacks and that the journal alone keeps: more may be dirty than
 * memory holds. Where memory has a copy of them, that may go at any time. They are in no dirty
 * span; before they are sent they are taken back ({@link #restore}).
 *
 * <p><b>Threads</b>: everything with the inode's lock held.
 */
public final class StoredBytes {
    /** Ranges are kept by stretches of so many bytes, so that none has very many. */
    private static final int STRETCH_BYTES = 2 << 20;

    private final AddressSpace space;
    private final Folios folios;

    /** By where the stretch begins, none of them empty. */
    private final SortedLongMap<RangeSet> stretches = new SortedLongMap<>();

    private long bytes;

    /** How often anything was left to the journal. */
    private long storings;

    StoredBytes(AddressSpace space, Folios folios) {
        this.space = space;
        this.folios = folios;
    }

    public long bytes() {
        return bytes;
    }

    public boolean isEmpty() {
        return bytes == 0;
    }

    /** The first of them at or after a position; {@code to} when there is none before that. */
    public long next(long from, long to) {
        if (bytes == 0) {
            return to;
        }
        RangeSet stretch = stretches.get(begin(from));
        long next = stretch == null ? Long.MAX_VALUE : stretch.next(from, Long.MAX_VALUE);
        if (next == Long.MAX_VALUE) {
            RangeSet behind = stretches.ceiling(begin(from) + STRETCH_BYTES);
            next = behind == null ? Long.MAX_VALUE : behind.start(0);
        }
        return Math.min(to, next);
    }

    /** The end of a run of them, {@code to} at most; {@code from} when it is none. */
    public long runEnd(long from, long to) {
        long at = from;
        while (at < to) {
            RangeSet stretch = stretches.get(begin(at));
            long end = stretch == null ? at : stretch.runEnd(at);
            if (end == at) {
                break;
            }
            at = end;
        }
        return Math.min(at, to);
    }

    /** Bytes are in the journal that the server lacks, and of which no other copy is known. */
    public void add(long from, long to) {
        long at = from;
        while (at < to) {
            long begin = begin(at);
            long end = Math.min(to, begin + STRETCH_BYTES);
            RangeSet stretch = stretches.get(begin);
            if (stretch == null) {
                stretch = new RangeSet();
                stretches.put(begin, stretch);
            }
            bytes += stretch.add(at, end);
            at = end;
        }
    }

    /** Bytes are written over, or cut off, or taken back. */
    void remove(long from, long to) {
        long at = next(from, to);
        while (at < to) {
            long begin = begin(at);
            RangeSet stretch = stretches.get(begin);
            if (stretch == null) {
                return;
            }
            bytes -= stretch.remove(at, Math.min(to, begin + STRETCH_BYTES));
            if (stretch.isEmpty()) {
                stretches.remove(begin);
            }
            at = next(at, to);
        }
    }

    private static long begin(long position) {
        return position & -STRETCH_BYTES;
    }

    /**
     * Leaves to the journal what is dirty and not in flight: its memory may go. The journal must
     * have all of it. Where barriers are in use nothing is left to it, for it knows no order.
     */
    public void store() {
        if (space.groups() > 1) {
            return;
        }
        storings++;
        Folio folio = folios.firstDirty(0);
        while (folio != null) {
            for (int i = 0; i < folio.dirty.count(); i++) {
                long base = folio.position();
                add(base + folio.dirty.start(i), base + folio.dirty.end(i));
            }
            folios.removeDirty(folio, 0, folio.bytes());
            folios.settle(folio);
            folio = folios.firstDirty(folio.end());
        }
    }

    /**
     * Takes back bytes that were read from the journal: they are dirty, as if they had just been
     * written. What was written over them or cut off meanwhile stays so.
     *
     * @param run found before they were read
     * @param source bytes of the file from the run's beginning on; its position is left anywhere
     * @return how many bytes are done with, fewer than there are when memory or the dirty limit
     *     gave out; -1 when they have to be read again
     */
    public int restore(Run run, ByteBuffer source) {
        if (run.storings != storings) {
            return -1;
        }
        int start = source.position();
        long end = run.from + source.remaining();
        long at = next(run.from, end);
        while (at < end) {
            int count = (int) (runEnd(at, end) - at);
            ByteBuffer part = source.duplicate().position(start + (int) (at - run.from));
            int n = space.writeStored(at, part, count);
            at += n;
            if (n < count) {
                break;
            }
            at = next(at, end);
        }
        return (int) (at - run.from);
    }

    /**
     * Copies bytes that were read from the journal into memory, for readers: as many of them as are
     * absent, still the journal's, and find room.
     *
     * @param run found before they were read
     * @param source bytes of the file from the run's beginning on
     */
    public void show(Run run, ByteBuffer source) {
        if (run.storings != storings) {
            return;
        }
        int start = source.position();
        long end = run.from + source.remaining();
        long at = next(run.from, end);
        while (at < end) {
            long stop = runEnd(at, end);
            Folio folio = folios.covering(at);
            if (folio == null) {
                folio = folios.allocate(at, (int) (stop - at));
            }
            if (folio == null || !folios.makeLoadable(folio)) {
                return;
            }
            stop = Math.min(stop, folio.end());
            fill(folio, at, stop, source.duplicate().position(start + (int) (at - run.from)));
            folios.settleOrDrop(folio);
            at = next(stop, end);
        }
    }

    /** How many of the first bytes of a run are still those that were read from the journal. */
    public int stillHas(Run run, int count) {
        return run.storings == storings ? (int) (runEnd(run.from, run.from + count) - run.from) : 0;
    }

    /** Copies the absent bytes of a range; memory that an overtaken read may fill is left alone. */
    private static void fill(Folio folio, long from, long to, ByteBuffer source) {
        int first = source.position();
        int base = (int) (from - folio.position());
        int end = (int) (to - folio.position());
        int at = base;
        while (at < end) {
            long kept = Math.max(folio.present.runEnd(at), folio.block.busy.runEnd(at));
            if (kept > at) {
                at = (int) Math.min(end, kept);
                continue;
            }
            int gap = (int) folio.present.next(at, end);
            gap = (int) Math.min(Math.min(gap, end), folio.block.busy.next(at, end));
            folio.block.put(at, source.position(first + at - base), gap - at);
            folio.present.add(at, gap);
            at = gap;
        }
    }

    /** The first run at or after a position; null when there is none. */
    public @Nullable Run first(long position) {
        long from = next(position, Long.MAX_VALUE);
        return from == Long.MAX_VALUE
                ? null
                : new Run(from, runEnd(from, Long.MAX_VALUE), storings);
    }

    /**
     * Bytes from an offset up to another.
     *
     * @param storings tells later whether others may have been left to the journal in their place
     */
    public record Run(long from, long to, long storings) {}
}
