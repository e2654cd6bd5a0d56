// SPDX-License-Identifier: Apache-2.0
package io.netfs4j.cache.journal;

import io.netfs4j.base.GuardedBy;
import io.netfs4j.base.SortedLongMap;
import io.netfs4j.cache.journal.JournalTail.Place;

import org.jspecify.annotations.Nullable;

import java.util.ArrayList;
import java.util.List;

/**
 * What the journal holds of one file: what was last said of it, and the bytes that the server
 * lacks. Each byte of a record counts in its segment until a later record replaces it.
 *
 * <p><b>Threads</b>: with the journal's lock held.
 */
final class JournalledFile {
    final long id;

    /** How long it is by the last record that said so. */
    @GuardedBy("journal lock")
    long sizeBytes;

    /** The last record over it. */
    @GuardedBy("journal lock")
    long lastLsn;

    /** What was last said of it, and where that stands; null before anything was. */
    @GuardedBy("journal lock")
    private byte @Nullable [] facts;

    @GuardedBy("journal lock")
    private @Nullable LogSegment factsSegment;

    @GuardedBy("journal lock")
    private long factsLsn;

    /** By offset; none meets another. */
    @GuardedBy("journal lock")
    private final SortedLongMap<Extent> extents = new SortedLongMap<>();

    JournalledFile(long id) {
        this.id = id;
    }

    byte @Nullable [] facts() {
        return facts;
    }

    /** Something new is said of it, in a record that has come to a segment. */
    @GuardedBy("journal lock")
    void setFacts(byte @Nullable [] said, @Nullable LogSegment where, long lsn) {
        byte[] before = facts;
        LogSegment segment = factsSegment;
        if (before != null && segment != null) {
            segment.die(JournalFormat.recordBytes(before.length), lsn);
        }
        facts = said;
        factsSegment = where;
        factsLsn = lsn;
        if (said != null && where != null) {
            where.liveBytes += JournalFormat.recordBytes(said.length);
        }
    }

    /** Bytes have come to a segment: they replace what was there. */
    @GuardedBy("journal lock")
    void put(Extent extent) {
        drop(extent.offset(), extent.end(), Long.MAX_VALUE, extent.lsn());
        extents.put(extent.offset(), extent);
        extent.segment().liveBytes += cost(extent.length());
    }

    /**
     * Bytes count no longer.
     *
     * @param upToLsn only those of records up to this one
     * @param becauseOfLsn the record that says so
     */
    @GuardedBy("journal lock")
    void drop(long from, long to, long upToLsn, long becauseOfLsn) {
        for (Extent met : between(from, to)) {
            if (met.since() > upToLsn) {
                continue;
            }
            extents.remove(met.offset());
            int kept = 0;
            if (met.offset() < from) {
                Extent before = met.slice(met.offset(), from);
                extents.put(before.offset(), before);
                kept += cost(before.length());
            }
            if (to < met.end()) {
                Extent after = met.slice(to, met.end());
                extents.put(after.offset(), after);
                kept += cost(after.length());
            }
            met.segment().die(cost(met.length()) - kept, becauseOfLsn);
        }
    }

    /** Those that a range meets, ascending. */
    @GuardedBy("journal lock")
    List<Extent> between(long from, long to) {
        List<Extent> met = new ArrayList<>();
        Extent first = extents.floor(from);
        if (first != null && first.end() > from) {
            met.add(first);
        }
        Extent next = extents.ceiling(first == null ? from : Math.max(from, first.offset() + 1));
        while (next != null && next.offset() < to) {
            met.add(next);
            next = extents.ceiling(next.offset() + 1);
        }
        return met;
    }

    /**
     * As {@link io.netfs4j.cache.Journalled#find}.
     *
     * @param writtenLsn the last record that is on the disk
     */
    @GuardedBy("journal lock")
    void lend(long writtenLsn, long from, int blockBytes, long[] segments, int[] positions) {
        for (Extent met : between(from, from + (long) segments.length * blockBytes)) {
            LogSegment segment = met.segment();
            if (met.lsn() > writtenLsn || segment.poisoned) {
                continue;
            }
            long before = Math.max(0, met.offset() - from);
            int first = (int) ((before + blockBytes - 1) / blockBytes);
            for (int i = first; i < segments.length; i++) {
                long block = from + (long) i * blockBytes;
                if (block + blockBytes > met.end()) {
                    break;
                }
                segments[i] = segment.number;
                positions[i] = (int) (met.payloadAt() + block - met.offset());
            }
        }
    }

    /** Where bytes of a range begin that came after a record; the end of the range if none did. */
    @GuardedBy("journal lock")
    long firstSince(long lsn, long from, long to) {
        Extent first = extents.floor(from);
        Extent next = first != null && first.end() > from ? first : extents.ceiling(from);
        while (next != null && next.offset() < to) {
            if (next.since() > lsn) {
                return Math.max(from, next.offset());
            }
            next = extents.ceiling(next.offset() + 1);
        }
        return to;
    }

    /** A record of it has come to another place. */
    @GuardedBy("journal lock")
    void moved(long lsn, LogSegment from, Place to) {
        if (facts != null && from.equals(factsSegment) && factsLsn == lsn) {
            from.liveBytes -= cost(facts.length);
            to.segment().liveBytes += cost(facts.length);
            factsSegment = to.segment();
        }
        for (Extent extent : between(0, Long.MAX_VALUE)) {
            if (extent.lsn() == lsn) {
                from.liveBytes -= cost(extent.length());
                to.segment().liveBytes += cost(extent.length());
                extents.put(
                        extent.offset(),
                        new Extent(
                                extent.offset(),
                                extent.length(),
                                extent.since(),
                                lsn,
                                to.segment(),
                                to.position(),
                                extent.skip()));
            }
        }
    }

    /** The first part of it that counts in a segment, from an offset on; or null. */
    @GuardedBy("journal lock")
    @Nullable Extent firstIn(LogSegment segment, long from) {
        Extent next = extents.ceiling(from);
        while (next != null && !next.segment().equals(segment)) {
            next = extents.ceiling(next.offset() + 1);
        }
        return next;
    }

    /** Whether these bytes still are in that record. */
    @GuardedBy("journal lock")
    boolean has(Extent extent) {
        return extent.equals(extents.get(extent.offset()));
    }

    @GuardedBy("journal lock")
    boolean hasFactsIn(LogSegment segment) {
        return facts != null && segment.equals(factsSegment);
    }

    /** Nothing of it counts any more. */
    @GuardedBy("journal lock")
    void clear(long becauseOfLsn) {
        setFacts(null, null, becauseOfLsn);
        drop(0, Long.MAX_VALUE, Long.MAX_VALUE, becauseOfLsn);
    }

    /** A part of a record costs what it would cost alone. */
    private static int cost(int payloadBytes) {
        return JournalFormat.recordBytes(payloadBytes);
    }

    /** Which bytes it has, ascending, neighbours joined. */
    List<Journal.Range> ranges() {
        List<Journal.Range> ranges = new ArrayList<>();
        for (Extent extent : between(0, Long.MAX_VALUE)) {
            int last = ranges.size() - 1;
            if (last >= 0 && ranges.get(last).to() == extent.offset()) {
                ranges.set(last, new Journal.Range(ranges.get(last).from(), extent.end()));
            } else {
                ranges.add(new Journal.Range(extent.offset(), extent.end()));
            }
        }
        return ranges;
    }
}
