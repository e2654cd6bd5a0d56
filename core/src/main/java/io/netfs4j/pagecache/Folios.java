// SPDX-License-Identifier: Apache-2.0
package io.netfs4j.pagecache;

import io.netfs4j.base.RangeSet;
import io.netfs4j.base.SortedLongMap;

import org.jspecify.annotations.Nullable;

import java.util.ArrayDeque;

/**
 * The folios of one address space: which there are, which owe something to whom, how many bytes
 * that is, and how a folio comes, is forked and goes.
 *
 * <p><b>Threads</b>: everything with the inode's lock held.
 */
final class Folios {
    /** No folio is larger only because more is expected: above this it would save little. */
    private static final int EXPECTED_BYTES_MAX = 64 << 10;

    private final AddressSpace space;
    final PageCache cache;

    /** Every folio; marked are those with dirty bytes. */
    private final SortedLongMap<Folio> all = new SortedLongMap<>();

    /** Folios with bytes that the disk cache is to have. */
    final SortedLongMap<Folio> uncached = new SortedLongMap<>();

    /** Groups with anything unsent, oldest first; the last one is what is written into now. */
    final ArrayDeque<WriteGroup> groups = new ArrayDeque<>(1);

    private WriteGroup current = new WriteGroup(0);
    private long dirtyBytes;
    private long writebackBytes;

    Folios(AddressSpace space, PageCache cache) {
        this.space = space;
        this.cache = cache;
        groups.addLast(current);
    }

    // ---- which there are ----------------------------------------------------------------------

    boolean isEmpty() {
        return all.isEmpty();
    }

    @Nullable Folio covering(long position) {
        Folio folio = all.floor(position);
        return folio != null && folio.end() > position ? folio : null;
    }

    /** The folio that covers a position, or the first behind it. */
    @Nullable Folio firstFrom(long position) {
        Folio covering = covering(position);
        return covering == null ? all.ceiling(position) : covering;
    }

    /** The first folio with dirty bytes that ends behind a position. */
    @Nullable Folio firstDirty(long position) {
        Folio covering = covering(position);
        return covering != null && !covering.dirty.isEmpty()
                ? covering
                : all.ceilingMarked(position);
    }

    @Nullable Folio last() {
        return all.last();
    }

    // ---- what they owe ------------------------------------------------------------------------

    long dirtyBytes() {
        return dirtyBytes;
    }

    long writebackBytes() {
        return writebackBytes;
    }

    WriteGroup current() {
        return current;
    }

    /** The group whose data has to be sent first. */
    WriteGroup oldest() {
        while (groups.getFirst().bytes == 0 && groups.size() > 1) {
            groups.removeFirst();
        }
        return groups.getFirst();
    }

    /** What is written from now on is sent after everything written before. */
    void beginGroup() {
        oldest();
        if (current.bytes > 0) {
            current = new WriteGroup(current.number() + 1);
            groups.addLast(current);
        }
    }

    /** Whether a write into the folio has to wait until an older group's data has left it. */
    @SuppressWarnings("ReferenceEquality") // a group is one object
    boolean isOfOlderGroup(Folio folio) {
        WriteGroup of = folio.tag.groupOrNull();
        return of != null && of != current;
    }

    void addDirty(Folio folio, int from, int to) {
        if (folio.dirty.isEmpty() && folio.writeback.isEmpty()) {
            folio.group = current;
        }
        folio.dirty = RangeSet.toAddTo(folio.dirty);
        count(folio, folio.dirty.add(from, to), 0);
        folio.uncached.remove(from, to);
    }

    /** Bytes that were in flight and did not arrive: of the group that they were of. */
    void addDirtyAgain(Folio folio, int from, int to) {
        folio.dirty = RangeSet.toAddTo(folio.dirty);
        count(folio, folio.dirty.add(from, to), 0);
        folio.uncached.remove(from, to);
    }

    long removeDirty(Folio folio, int from, int to) {
        long removed = folio.dirty.remove(from, to);
        count(folio, -removed, 0);
        return removed;
    }

    void addWriteback(Folio folio, int from, int to) {
        folio.writeback = RangeSet.toAddTo(folio.writeback);
        count(folio, 0, folio.writeback.add(from, to));
    }

    long removeWriteback(Folio folio, int from, int to) {
        long removed = folio.writeback.remove(from, to);
        count(folio, 0, -removed);
        return removed;
    }

    private void count(Folio folio, long dirtyMore, long writebackMore) {
        dirtyBytes += dirtyMore;
        writebackBytes += writebackMore;
        WriteGroup group = folio.group;
        if (group != null) {
            group.bytes += dirtyMore + writebackMore;
        }
    }

    /**
     * Derives the folio's tag from its spans and carries out what its change means: the one place
     * where a tag is assigned.
     */
    void settle(Folio folio) {
        FolioTag from = folio.tag;
        FolioTag to =
                from.to(
                        FolioTag.of(
                                !folio.dirty.isEmpty(),
                                !folio.writeback.isEmpty(),
                                !folio.uncached.isEmpty(),
                                folio.group));
        folio.tag = to;
        if (!folio.attached) {
            return;
        }
        if (from.isDirty() != to.isDirty()) {
            all.mark(folio.position(), to.isDirty());
        }
        if (folio.isUncachedListed == folio.uncached.isEmpty()) {
            folio.isUncachedListed = !folio.uncached.isEmpty();
            if (folio.isUncachedListed) {
                uncached.put(folio.position(), folio);
            } else {
                uncached.remove(folio.position());
            }
        }
        if (to.groupOrNull() == null) {
            boolean freed = cache.uncharge(folio.block);
            boolean reclaimable = folio.loading.isEmpty();
            if (reclaimable && !folio.listed) {
                cache.list(folio);
                freed = true;
            }
            if (freed) {
                cache.freed();
            }
            if (reclaimable) {
                return;
            }
        }
        cache.unlist(folio);
    }

    // ---- how they come and go -----------------------------------------------------------------

    /**
     * A new folio for an uncovered position, as large as {@code count} and the alignment allow
     * without meeting the next folio; null when memory gave out.
     */
    @Nullable Folio allocate(long position, int count) {
        long start = position & -MemoryPool.PAGE_BYTES;
        Block block = cache.allocate(sizeFor(position, count), MemoryPool.PAGE_BYTES);
        if (block == null) {
            return null;
        }
        Folio folio = cache.spares.take();
        if (folio == null) {
            folio = new Folio(space, start, block);
        } else {
            folio.attach(space, start, block);
        }
        all.put(start, folio);
        return folio;
    }

    private int sizeFor(long position, int count) {
        long start = position & -MemoryPool.PAGE_BYTES;
        long end = position + count + MemoryPool.PAGE_BYTES - 1 & -MemoryPool.PAGE_BYTES;
        end = Math.min(end, all.ceilingKey(start, Long.MAX_VALUE));
        long aligned = start == 0 ? Long.MAX_VALUE : Long.lowestOneBit(start);
        long size = Long.highestOneBit(Math.min(end - start, aligned));
        return (int) Math.min(Math.min(size, aligned), cache.blockBytesMax());
    }

    /**
     * A new folio to write into: no larger than the dirty limit leaves room for. Behind bytes that
     * were written in a row it is made for those that will follow, too, so that small pieces do not
     * make small folios; for half as many at most, so that little is left over where none follow.
     *
     * @param rowBytes how many bytes were written in a row up to the position
     */
    @Nullable Folio allocateDirty(long position, int count, long rowBytes) {
        int expected = (int) Math.min(rowBytes / 2, EXPECTED_BYTES_MAX);
        // Where barriers are in use, what follows the next one must not find a folio of before it.
        boolean grows = expected > count && current.number() == 0 && cache.isCalm(expected);
        int most = grows ? expected : count;
        while (!cache.hasDirtyRoom(sizeFor(position, most))) {
            if (sizeFor(position, most) == MemoryPool.PAGE_BYTES) {
                return null;
            }
            most >>= 1;
        }
        return allocate(position, most);
    }

    /**
     * Makes sure that [from, from+n) may be changed: charged, and not in flight.
     *
     * @param anyway whatever the dirty limit says
     */
    boolean makeWritable(Folio folio, int from, int n, boolean anyway) {
        if (folio.block.orphans > 0 || folio.block.busy.intersects(from, from + n)) {
            return fork(folio, true, anyway);
        }
        if (anyway) {
            cache.chargeAnyway(folio.block);
            return true;
        }
        return cache.charge(folio.block);
    }

    /** Makes sure that absent bytes may be fetched into its memory. */
    boolean makeLoadable(Folio folio) {
        boolean charged = folio.block.charged;
        return folio.block.orphans == 0 || fork(folio, charged, charged);
    }

    /**
     * Copy on write: the requests in flight keep the old block, the folio goes on with a new one.
     *
     * @param charged whether the new one counts as dirty memory
     * @param anyway whatever the dirty limit says
     */
    private boolean fork(Folio folio, boolean charged, boolean anyway) {
        boolean room = !charged || anyway || cache.hasDirtyRoom(folio.bytes());
        Block fresh = room ? cache.allocate(folio.bytes(), folio.bytes()) : null;
        if (fresh == null) {
            return false;
        }
        if (anyway) {
            cache.chargeAnyway(fresh);
        } else if (charged && !cache.charge(fresh)) {
            cache.giveBack(fresh);
            return false;
        }
        for (int i = 0; i < folio.present.count(); i++) {
            int from = (int) folio.present.start(i);
            fresh.copyFrom(folio.block, from, (int) folio.present.end(i) - from);
        }
        Block old = folio.block;
        folio.block = fresh;
        cache.release(old);
        return true;
    }

    void touch(Folio folio) {
        if (folio.listed) {
            cache.list(folio);
        }
    }

    /** Settles a folio, or drops it when nothing is left of it. */
    void settleOrDrop(Folio folio) {
        boolean empty =
                folio.present.isEmpty() && folio.loading.isEmpty() && folio.writeback.isEmpty();
        if (folio.attached && empty) {
            detach(folio);
        } else {
            settle(folio);
        }
    }

    /** Drops a folio that was made for a write which then found no room. */
    void dropUnused(Folio folio) {
        if (folio.present.isEmpty() && folio.loading.isEmpty() && !folio.listed) {
            all.remove(folio.position());
            folio.attached = false;
            cache.giveBack(folio.block);
            keepSpare(folio);
        }
    }

    /** Drops a folio: the caller does not touch it any more. */
    void detach(Folio folio) {
        if (!folio.dirty.isEmpty()) {
            throw new IllegalStateException("drops dirty bytes: " + folio);
        }
        all.remove(folio.position());
        if (folio.isUncachedListed) {
            uncached.remove(folio.position());
            folio.isUncachedListed = false;
        }
        folio.uncached.clear();
        folio.attached = false;
        cache.unlist(folio);
        boolean freed = cache.uncharge(folio.block);
        cache.release(folio.block);
        keepSpare(folio);
        if (freed) {
            cache.freed();
        }
    }

    /** One that a request still knows is left to the collector of garbage. */
    private void keepSpare(Folio folio) {
        if (folio.spans == 0) {
            folio.becomeSpare();
            cache.spares.put(folio);
        }
    }

    /** Reclaims a clean folio; returns the bytes it freed. */
    long reclaim(Folio folio) {
        if (!folio.attached || folio.tag.groupOrNull() != null || !folio.loading.isEmpty()) {
            return 0;
        }
        if (folio.block.references() > 1) {
            cache.list(folio);
            return 0;
        }
        long bytes = folio.bytes();
        detach(folio);
        return bytes;
    }
}
