// SPDX-License-Identifier: Apache-2.0
package io.netfs4j.pagecache;

import io.netfs4j.base.Segment;
import io.netfs4j.base.SortedLongMap;

import org.jspecify.annotations.Nullable;

import java.nio.ByteBuffer;
import java.util.List;
import java.util.concurrent.locks.ReentrantLock;

/**
 * The cached folios of one inode: copies in and out, spans taken for write-back and given back,
 * spans fetched, cuts.
 *
 * <p><b>Threads</b>: everything with the inode's lock held, which is the lock given here.
 */
public final class AddressSpace {
    private final ReentrantLock lock;
    private final PageCache cache;
    private final SortedLongMap<Folio> folios = new SortedLongMap<>();
    private final SortedLongMap<Folio> dirtyFolios = new SortedLongMap<>();
    private long dirtyBytes;
    private long writebackBytes;

    public AddressSpace(ReentrantLock lock, PageCache cache) {
        this.lock = lock;
        this.cache = cache;
    }

    ReentrantLock lock() {
        return lock;
    }

    /** Bytes in dirty spans, exactly. */
    public long dirtyBytes() {
        return dirtyBytes;
    }

    /** Bytes taken by write requests and not ended. */
    public long writebackBytes() {
        return writebackBytes;
    }

    public boolean isEmpty() {
        return folios.isEmpty();
    }

    // ---- copying in and out -------------------------------------------------------------------

    /**
     * Copies bytes in and marks them dirty. A folio whose bytes are in flight is forked, so that
     * the writer never waits for a server; absent bytes around the written ones stay absent.
     *
     * @return how many bytes; fewer than asked when memory or the dirty limit gave out
     */
    public int write(long position, ByteBuffer source, int count) {
        int done = 0;
        while (done < count) {
            long at = position + done;
            Folio folio = folioCovering(at);
            if (folio == null) {
                folio = allocateDirty(at, count - done);
                if (folio == null) {
                    break;
                }
            }
            int offset = (int) (at - folio.position());
            int n = Math.min(count - done, folio.bytes() - offset);
            if (!makeWritable(folio, offset, n)) {
                dropUnused(folio);
                break;
            }
            folio.block.put(offset, source, n);
            folio.present.add(offset, offset + n);
            dirtyBytes += folio.dirty.add(offset, offset + n);
            settle(folio);
            done += n;
        }
        return done;
    }

    /**
     * Copies bytes out, up to the first that is not here.
     *
     * @param zeroPoint from here on the server holds nothing, so that absent bytes are zeros
     * @return how many bytes
     */
    public int read(long position, ByteBuffer target, int count, long zeroPoint) {
        int done = 0;
        while (done < count) {
            long at = position + done;
            Folio folio = folioCovering(at);
            int left = count - done;
            int n;
            if (folio != null) {
                int offset = (int) (at - folio.position());
                n = (int) Math.min(left, folio.present.runEnd(offset) - offset);
                if (n > 0) {
                    folio.block.get(offset, target, n);
                    touch(folio);
                    done += n;
                    continue;
                }
            }
            if (at < zeroPoint) {
                break;
            }
            n = (int) Math.min(left, nextPresent(at, at + left) - at);
            Block.zero(target, n);
            done += n;
        }
        return done;
    }

    /**
     * Lends bytes that are all here, in file order, holding a reference to each block; null when
     * some are absent.
     */
    public boolean borrow(long position, int count, List<Segment> segments, List<Block> blocks) {
        long at = position;
        long end = position + count;
        while (at < end) {
            Folio folio = folioCovering(at);
            if (folio == null) {
                return false;
            }
            int offset = (int) (at - folio.position());
            int n = (int) (Math.min(end - folio.position(), folio.present.runEnd(offset)) - offset);
            if (n <= 0) {
                return false;
            }
            segments.add(new Segment(folio.block.memory(), folio.block.offset() + offset, n));
            blocks.add(folio.block);
            at += n;
        }
        for (Block block : blocks) {
            block.retain();
        }
        return true;
    }

    /** Ends a loan, with the lock held. */
    public void giveBack(List<Block> blocks) {
        for (Block block : blocks) {
            cache.release(block);
        }
    }

    /** The first byte in [from, to) that is here, or {@code to}. */
    public long nextPresent(long from, long to) {
        Folio folio = firstFrom(from);
        while (folio != null && folio.position() < to) {
            long offset = Math.max(0, from - folio.position());
            long next = folio.present.next(offset, -1);
            if (next >= 0) {
                return Math.min(to, folio.position() + next);
            }
            folio = folios.ceiling(folio.end());
        }
        return to;
    }

    /** The first byte in [from, to) that is not here, or {@code to}. */
    public long nextAbsent(long from, long to) {
        long at = from;
        while (at < to) {
            Folio folio = folioCovering(at);
            if (folio == null) {
                return at;
            }
            long offset = at - folio.position();
            long end = folio.present.runEnd(offset);
            if (end == offset) {
                return at;
            }
            at = folio.position() + end;
        }
        return to;
    }

    // ---- write-back ---------------------------------------------------------------------------

    /** The first folio with dirty bytes at or after a position, or null. */
    public @Nullable Folio nextDirty(long from) {
        Folio folio = dirtyFolios.floor(from);
        if (folio != null
                && folio.end() > from
                && folio.dirty.next(from - folio.position(), -1) >= 0) {
            return folio;
        }
        return folio != null && folio.position() == from
                ? dirtyFolios.ceiling(from + 1)
                : dirtyFolios.ceiling(from);
    }

    /**
     * Takes a part of a folio's dirty bytes for a write request: from now on they are in flight,
     * and stay as they are until {@link #endWriteback}.
     *
     * @param from relative to the folio; [from, to) is all dirty
     */
    public WritebackSpan takeDirty(Folio folio, int from, int to) {
        dirtyBytes -= folio.dirty.remove(from, to);
        writebackBytes += folio.writeback.add(from, to);
        folio.block.busy.add(from, to);
        folio.block.retain();
        settle(folio);
        return new WritebackSpan(folio, folio.block, from, to);
    }

    /**
     * Ends the write-back of a part of a span: the last thing that is done to a folio for a
     * request.
     *
     * @param failed whether these bytes are dirty again
     */
    public void endWriteback(WritebackSpan span, int from, int to, boolean failed) {
        Folio folio = span.folio();
        span.block().busy.remove(from, to);
        long ended = folio.writeback.remove(from, to);
        if (ended != to - from) {
            throw new IllegalStateException(
                    "ends write-back of " + (to - from) + ", in flight " + ended + ": " + folio);
        }
        writebackBytes -= ended;
        if (failed && folio.attached) {
            dirtyBytes += folio.dirty.add(from, to);
            cache.chargeAnyway(folio.block);
        }
        settle(folio);
    }

    /** Gives back the span's hold on the memory, once all of it has ended. */
    public void release(WritebackSpan span) {
        cache.release(span.block());
    }

    // ---- fetching -----------------------------------------------------------------------------

    /**
     * Prepares memory for the absent bytes of [from, to) that nobody fetches yet.
     *
     * @return true when all of the range is prepared; false when memory gave out on the way
     */
    public boolean prepareLoad(long from, long to, List<LoadSpan> spans) {
        long at = from;
        while (at < to) {
            Folio folio = folioCovering(at);
            if (folio == null) {
                folio = allocateFor(at, (int) Math.min(to - at, Integer.MAX_VALUE / 2));
                if (folio == null) {
                    return false;
                }
            }
            int offset = (int) (at - folio.position());
            int end = (int) Math.min(folio.bytes(), to - folio.position());
            while (offset < end) {
                int start = nextUncovered(folio, offset, end);
                if (start >= end) {
                    break;
                }
                int stop = (int) folio.present.next(start, end);
                stop = (int) Math.min(stop, folio.loading.next(start, end));
                stop = (int) Math.min(stop, folio.block.busy.next(start, end));
                stop = Math.min(stop, end);
                folio.loading.add(start, stop);
                folio.block.busy.add(start, stop);
                folio.block.retain();
                spans.add(new LoadSpan(folio, folio.block, start, stop, folio.epoch));
                offset = stop;
            }
            settle(folio);
            at = folio.end();
        }
        return true;
    }

    /**
     * Bytes were fetched into a span's memory (or could not be). What a write has put there
     * meanwhile stands; what was cut off meanwhile stays away.
     *
     * @param from relative to the folio
     * @param usable false when the bytes did not come, or no longer count
     */
    public void endLoad(LoadSpan span, int from, int to, boolean usable) {
        Folio folio = span.folio();
        span.block().busy.remove(from, to);
        if (!folio.attached) {
            return;
        }
        if (folio.epoch == span.epoch()) {
            folio.loading.remove(from, to);
            if (usable) {
                merge(folio, span.block(), from, to);
            }
        }
        dropIfEmpty(folio);
        settle(folio);
    }

    public void release(LoadSpan span) {
        cache.release(span.block());
    }

    /** Zeros a part of a span's memory: what lies past the end of the server's file. */
    public void zero(LoadSpan span, int from, int to) {
        span.block().zero(from, to - from);
    }

    private void merge(Folio folio, Block block, int from, int to) {
        if (folio.block == block) {
            folio.present.add(from, to);
            return;
        }
        // A write forked the folio while the read was under way: take only what it left absent.
        int at = from;
        while (at < to) {
            int end = (int) Math.min(to, folio.present.next(at, to));
            if (end > at) {
                folio.block.copyFrom(block, at, end - at);
                folio.present.add(at, end);
            }
            at = (int) Math.max(end, folio.present.runEnd(end));
        }
    }

    /**
     * The first byte in [from, to) that is absent and that nobody fetches. Memory that an overtaken
     * read may still fill (busy, though no longer wanted) is left alone until that has ended.
     */
    private static int nextUncovered(Folio folio, int from, int to) {
        int at = from;
        while (at < to) {
            long next = Math.max(folio.present.runEnd(at), folio.loading.runEnd(at));
            next = Math.max(next, folio.block.busy.runEnd(at));
            if (next == at) {
                return at;
            }
            at = (int) next;
        }
        return to;
    }

    // ---- cutting ------------------------------------------------------------------------------

    /**
     * Drops everything from a position on, dirty bytes too. No span there is under write-back (the
     * caller owns the write-back lock).
     */
    public void truncate(long size) {
        Folio folio;
        while ((folio = folios.last()) != null && folio.position() >= size) {
            cut(folio, 0, folio.bytes());
            detach(folio);
        }
        if (folio != null && folio.end() > size) {
            cut(folio, (int) (size - folio.position()), folio.bytes());
            dropIfEmpty(folio);
            settle(folio);
        }
    }

    /** Drops the bytes of a range, dirty ones too, as {@link #truncate}. */
    public void drop(long from, long to) {
        Folio folio = firstFrom(from);
        while (folio != null && folio.position() < to) {
            long next = folio.end();
            int a = (int) Math.max(0, from - folio.position());
            int b = (int) Math.min(folio.bytes(), to - folio.position());
            cut(folio, a, b);
            dropIfEmpty(folio);
            settle(folio);
            folio = folios.ceiling(next);
        }
    }

    /** Drops every byte that the server has: the server's file is another version now. */
    public void invalidate() {
        Folio folio = folios.first();
        while (folio != null) {
            long next = folio.end();
            folio.epoch++;
            folio.loading.clear();
            folio.present.clear();
            folio.present.addAll(folio.dirty);
            folio.present.addAll(folio.writeback);
            dropIfEmpty(folio);
            settle(folio);
            folio = folios.ceiling(next);
        }
    }

    /** Drops all, for a file that is gone. Spans in flight end by themselves. */
    public void clear() {
        Folio folio;
        while ((folio = folios.first()) != null) {
            cut(folio, 0, folio.bytes());
            detach(folio);
        }
    }

    private void cut(Folio folio, int from, int to) {
        folio.epoch++;
        folio.loading.clear();
        dirtyBytes -= folio.dirty.remove(from, to);
        folio.present.remove(from, to);
    }

    /** Reclaims a clean folio; returns the bytes it freed. Called by the page cache. */
    long reclaim(Folio folio) {
        if (!folio.attached || folio.state != FolioState.CLEAN || !folio.loading.isEmpty()) {
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

    // ---- folios -------------------------------------------------------------------------------

    private @Nullable Folio folioCovering(long position) {
        Folio folio = folios.floor(position);
        return folio != null && folio.end() > position ? folio : null;
    }

    /** The folio that covers a position, or the first behind it. */
    private @Nullable Folio firstFrom(long position) {
        Folio covering = folioCovering(position);
        return covering == null ? folios.ceiling(position) : covering;
    }

    /**
     * A new folio for an uncovered position, as large as {@code count} and the alignment allow
     * without meeting the next folio.
     */
    private @Nullable Folio allocateFor(long position, int count) {
        long start = position & -MemoryPool.PAGE_BYTES;
        Block block = cache.allocate(sizeFor(position, count), MemoryPool.PAGE_BYTES);
        Folio folio = block == null ? null : new Folio(this, start, block);
        if (folio != null) {
            folios.put(start, folio);
        }
        return folio;
    }

    private int sizeFor(long position, int count) {
        long start = position & -MemoryPool.PAGE_BYTES;
        long end = position + count + MemoryPool.PAGE_BYTES - 1 & -MemoryPool.PAGE_BYTES;
        Folio next = folios.ceiling(start);
        if (next != null) {
            end = Math.min(end, next.position());
        }
        long aligned = start == 0 ? Long.MAX_VALUE : Long.lowestOneBit(start);
        long size = Long.highestOneBit(Math.min(end - start, Math.min(aligned, Long.MAX_VALUE)));
        return (int) Math.min(Math.min(size, aligned), cache.blockBytesMax());
    }

    /** A new folio to write into: no larger than the dirty limit leaves room for. */
    private @Nullable Folio allocateDirty(long position, int count) {
        int most = count;
        while (!cache.hasDirtyRoom(sizeFor(position, most))) {
            if (sizeFor(position, most) == MemoryPool.PAGE_BYTES) {
                return null;
            }
            most >>= 1;
        }
        return allocateFor(position, most);
    }

    /** Makes sure that [from, from+n) may be changed: charged, and not in flight. */
    private boolean makeWritable(Folio folio, int from, int n) {
        if (folio.block.busy.intersects(from, from + n)) {
            return fork(folio);
        }
        return cache.charge(folio.block);
    }

    /**
     * Copy on write: the requests in flight keep the old block, the folio goes on with a new one.
     */
    private boolean fork(Folio folio) {
        boolean room = cache.hasDirtyRoom(folio.bytes());
        Block fresh = room ? cache.allocate(folio.bytes(), folio.bytes()) : null;
        if (fresh == null) {
            return false;
        }
        if (!cache.charge(fresh)) {
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

    /**
     * The one transition function of {@link FolioState}: derives the state from the spans and
     * carries out what its change means.
     */
    private void settle(Folio folio) {
        FolioState to = FolioState.of(!folio.dirty.isEmpty(), !folio.writeback.isEmpty());
        FolioState from = folio.state;
        folio.state = to;
        if (!folio.attached) {
            return;
        }
        if (from.isDirty() != to.isDirty()) {
            if (to.isDirty()) {
                dirtyFolios.put(folio.position(), folio);
            } else {
                dirtyFolios.remove(folio.position());
            }
        }
        if (to == FolioState.CLEAN) {
            cache.uncharge(folio.block);
            if (folio.loading.isEmpty()) {
                if (!folio.listed) {
                    cache.list(folio);
                    cache.freed();
                }
                return;
            }
        }
        if (folio.listed) {
            cache.unlist(folio);
        }
    }

    private void touch(Folio folio) {
        if (folio.listed) {
            cache.list(folio);
        }
    }

    private void dropIfEmpty(Folio folio) {
        if (folio.attached
                && folio.present.isEmpty()
                && folio.loading.isEmpty()
                && folio.writeback.isEmpty()) {
            detach(folio);
        }
    }

    /** Drops a folio that was made for a write which then found no room. */
    private void dropUnused(Folio folio) {
        if (folio.present.isEmpty() && folio.loading.isEmpty() && !folio.listed) {
            folios.remove(folio.position());
            folio.attached = false;
            cache.giveBack(folio.block);
        }
    }

    private void detach(Folio folio) {
        if (!folio.dirty.isEmpty()) {
            throw new IllegalStateException("drops dirty bytes: " + folio);
        }
        folios.remove(folio.position());
        dirtyFolios.remove(folio.position());
        folio.attached = false;
        cache.unlist(folio);
        cache.uncharge(folio.block);
        cache.release(folio.block);
    }
}
