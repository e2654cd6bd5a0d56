// SPDX-License-Identifier: Apache-2.0
package io.netfs4j.pagecache;

import io.netfs4j.base.RangeSet;
import io.netfs4j.testing.Complaints;

import java.util.IdentityHashMap;
import java.util.Map;

/**
 * Looks over all folios of a mount, one address space after the other, and changes nothing: whether
 * what each knows of itself fits together, and whether the accounts are the sums of what there is.
 * The order of calls: {@link #begin}; for each address space {@link #lend} for what is in flight
 * and then {@link #check}; {@link #end}.
 */
public final class PagesPeek {
    /** Is shown the bytes of a file that are here, in ascending order. */
    public interface Visitor {
        /**
         * @param owed whether the server lacks them: dirty or under write-back
         * @param memory holds them from {@code offset} on
         */
        void run(long from, long to, boolean owed, byte[] memory, int offset);
    }

    private final Complaints complaints;

    /** How many spans in flight hold each block, of the address space that comes next. */
    private final Map<Block, Integer> lent = new IdentityHashMap<>();

    /** What is in flight of folios that were cut off, in bytes that were dirty. */
    private long detachedBytes;

    private long dirtySpanBytes;
    private long memoryBytes;
    private long chargedBytes;
    private int chargedBlocks;

    public PagesPeek(Complaints complaints) {
        this.complaints = complaints;
    }

    public void begin() {
        memoryBytes = 0;
        chargedBytes = 0;
        chargedBlocks = 0;
    }

    /** Others than folios have this. */
    public void add(MemoryHog hog) {
        for (Block block : hog.blocks) {
            memoryBytes += block.bytes();
            chargedBytes += block.charged ? block.bytes() : 0;
            chargedBlocks += block.charged ? 1 : 0;
        }
    }

    /** A write request has taken this and not ended it. */
    public void lend(WritebackSpan span) {
        lent.merge(span.block(), 1, Integer::sum);
        if (!span.block().busy.contains(span.from(), span.to())) {
            complaints.about("I3", "what is being sent may be changed: " + span.folio());
        }
        if (!span.dirty()) {
            return;
        }
        dirtySpanBytes += span.to() - span.from();
        detachedBytes += span.folio().attached ? 0 : span.to() - span.from();
        if (!span.folio().writeback.contains(span.from(), span.to())) {
            complaints.about("I5", "left write-back before it had ended: " + span.folio());
        }
    }

    /** A read request fills this. */
    public void lend(LoadSpan span) {
        lent.merge(span.block(), 1, Integer::sum);
    }

    /** Looks over one address space. */
    public void check(AddressSpace space) {
        Folios folios = space.folios;
        long dirty = 0;
        long writeback = detachedBytes;
        long end = 0;
        for (Folio f = folios.firstFrom(0); f != null; f = folios.firstFrom(f.end())) {
            if (f.position() < end || f.position() % f.bytes() != 0) {
                complaints.about("pages", "overlaps with the one before: " + f);
            }
            end = f.end();
            check(folios, f);
            dirty += f.dirty.total();
            writeback += f.writeback.total();
        }
        if (dirty != folios.dirtyBytes() || writeback != folios.writebackBytes()) {
            complaints.about(
                    "I8",
                    String.format(
                            "counts %d bytes dirty and %d in flight, there are %d and %d",
                            folios.dirtyBytes(), folios.writebackBytes(), dirty, writeback));
        }
        if (writeback != dirtySpanBytes) {
            complaints.about(
                    "I5", writeback + " bytes under write-back, requests have " + dirtySpanBytes);
        }
        checkGroups(folios);
        lent.forEach((block, count) -> countBlock(block, count, "an older version"));
        lent.clear();
        detachedBytes = 0;
        dirtySpanBytes = 0;
    }

    private void check(Folios folios, Folio f) {
        if (!contains(f.present, f.dirty)
                || !contains(f.present, f.writeback)
                || !contains(f.present, f.uncached)
                || meet(f.dirty, f.uncached)) {
            complaints.about("I3", "what is owed of it is not there: " + f);
        }
        FolioTag tag =
                FolioTag.of(
                        !f.dirty.isEmpty(), !f.writeback.isEmpty(), !f.uncached.isEmpty(), f.group);
        if (!f.attached || !tag.equals(f.tag)) {
            complaints.about("pages", "not settled: " + f);
        }
        if (!f.dirty.isEmpty() && !f.equals(folios.firstDirty(f.position()))) {
            complaints.about("I3", "no walk would find it: " + f);
        }
        if (f.isUncachedListed == f.uncached.isEmpty()) {
            complaints.about("pages", "what only the disk cache lacks of it: " + f);
        }
        boolean owes = tag.groupOrNull() != null;
        if (f.listed != (!owes && f.loading.isEmpty())) {
            complaints.about("I8", "may be reclaimed, or not: " + f.listed + " " + f);
        }
        if (f.block.charged != owes) {
            complaints.about("I8", "counts as dirty memory, or not: " + f);
        }
        Integer count = lent.remove(f.block);
        countBlock(f.block, 1 + (count == null ? 0 : count), f);
    }

    private void countBlock(Block block, int holders, Object whose) {
        memoryBytes += block.bytes();
        chargedBytes += block.charged ? block.bytes() : 0;
        chargedBlocks += block.charged ? 1 : 0;
        if (block.references() != holders + block.orphans) {
            complaints.about(
                    "I18",
                    block.references()
                            + " references to the memory of "
                            + whose
                            + ", "
                            + holders
                            + " known and "
                            + block.orphans
                            + " of transfers left behind");
        }
        if (block.references() == 1
                && block.orphans == 0
                && holders == 1
                && isFolio(whose)
                && !block.busy.isEmpty()) {
            complaints.about("I18", "nothing is in flight, and " + block.busy + " are busy");
        }
    }

    private static boolean isFolio(Object whose) {
        return whose instanceof Folio;
    }

    /** Each group counts what is unsent of it, and none that has anything is left out. */
    private void checkGroups(Folios folios) {
        long counted = 0;
        long last = -1;
        for (WriteGroup group : folios.groups) {
            counted += group.bytes;
            if (group.number() <= last) {
                complaints.about("I13", group + " comes after group " + last);
            }
            last = group.number();
        }
        if (counted != folios.dirtyBytes() + folios.writebackBytes()) {
            complaints.about(
                    "I13",
                    "groups count "
                            + counted
                            + " unsent bytes, there are "
                            + (folios.dirtyBytes() + folios.writebackBytes()));
        }
    }

    private static boolean contains(RangeSet all, RangeSet part) {
        for (int i = 0; i < part.count(); i++) {
            if (!all.contains(part.start(i), part.end(i))) {
                return false;
            }
        }
        return true;
    }

    private static boolean meet(RangeSet a, RangeSet b) {
        for (int i = 0; i < b.count(); i++) {
            if (a.intersects(b.start(i), b.end(i))) {
                return true;
            }
        }
        return false;
    }

    /**
     * Compares the sums with the accounts.
     *
     * @param exact false while transfers that nobody waits for any more hold memory unseen
     * @param refused whether the server has ever refused anything: then files that it takes go on
     *     in spite of what is dirty of others
     */
    public void end(PageCache cache, boolean exact, boolean refused) {
        if (cache.memoryBytes() != memoryBytes && (exact || cache.memoryBytes() < memoryBytes)) {
            complaints.about(
                    "I8",
                    "folios count " + cache.memoryBytes() + " bytes, there are " + memoryBytes);
        }
        long dirty = cache.dirtyMemoryBytes();
        if (dirty != chargedBytes) {
            complaints.about(
                    "I8", "dirty memory counts " + dirty + " bytes, there are " + chargedBytes);
        }
        // One block is always let in.
        if (dirty > cache.limits().dirtyBytesMax() && chargedBlocks > 1 && !refused) {
            complaints.about(
                    "I8",
                    "dirty memory of "
                            + dirty
                            + " bytes in "
                            + chargedBlocks
                            + " blocks; limit "
                            + cache.limits().dirtyBytesMax());
        }
    }

    /** Shows the bytes that are here. */
    public static void visit(AddressSpace space, Visitor visitor) {
        Folios folios = space.folios;
        for (Folio f = folios.firstFrom(0); f != null; f = folios.firstFrom(f.end())) {
            byte[] memory = f.block.memory().array();
            for (int i = 0; i < f.present.count(); i++) {
                long end = f.present.end(i);
                long at = f.present.start(i);
                while (at < end) {
                    long base = f.position();
                    StoredBytes stored = space.stored();
                    long owed = Math.min(f.dirty.next(at, end), f.writeback.next(at, end));
                    owed = Math.min(owed, stored.next(base + at, base + end) - base);
                    boolean isOwed = owed <= at;
                    long kept = stored.runEnd(base + at, base + end) - base;
                    long inMemory = Math.max(f.dirty.runEnd(at), f.writeback.runEnd(at));
                    if (kept > at && f.dirty.runEnd(at) > at) {
                        throw new AssertionError("dirty, and the journal's alone: " + f);
                    }
                    long stop = isOwed ? Math.max(kept, inMemory) : Math.min(owed, end);
                    int offset = f.block.offset() + (int) at;
                    visitor.run(f.position() + at, f.position() + stop, isOwed, memory, offset);
                    at = stop;
                }
            }
        }
    }
}
