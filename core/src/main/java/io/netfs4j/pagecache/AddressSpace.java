// SPDX-License-Identifier: Apache-2.0
package io.netfs4j.pagecache;

import io.netfs4j.base.RangeSet;
import io.netfs4j.base.Segment;

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
    /** A new folio that is written past the dirty limit is at most so large, in bytes. */
    private static final int ANYWAY_BYTES_MAX = 64 << 10;

    private final ReentrantLock lock;
    final Folios folios;
    private final WritebackPages writeback;

    private final StoredBytes stored;

    /** Where the last write ended, and how many bytes were written up to there in a row. */
    private long rowEnd;

    private long rowBytes;

    public AddressSpace(ReentrantLock lock, PageCache cache) {
        this.lock = lock;
        this.folios = new Folios(this, cache);
        this.stored = new StoredBytes(this, folios);
        this.writeback = new WritebackPages(folios, stored);
    }

    ReentrantLock lock() {
        return lock;
    }

    /** The side that write requests use. */
    public WritebackPages writeback() {
        return writeback;
    }

    /** Bytes that the server lacks, exactly: in dirty spans, or in the journal alone. */
    public long dirtyBytes() {
        return folios.dirtyBytes() + stored.bytes();
    }

    /** Those of them that the journal alone keeps. */
    public StoredBytes stored() {
        return stored;
    }

    /** Bytes taken by write requests and not ended. */
    public long writebackBytes() {
        return folios.writebackBytes();
    }

    public boolean isEmpty() {
        return folios.isEmpty();
    }

    /** Whether some bytes are here that the disk cache is to have. */
    public boolean hasUncached() {
        return !folios.uncached.isEmpty();
    }

    // ---- copying in and out -------------------------------------------------------------------

    /**
     * Copies bytes in and marks them dirty. A folio whose bytes are in flight is forked, so that
     * the writer never waits for a server; absent bytes around the written ones stay absent.
     *
     * @return how many bytes; fewer than asked when memory or the dirty limit gave out, or when
     *     {@link #isOlderGroupAt} the next one
     */
    public int write(long position, ByteBuffer source, int count) {
        if (position != rowEnd) {
            rowBytes = 0;
        }
        int done = write(position, source, count, rowBytes);
        rowEnd = position + done;
        rowBytes += done;
        return done;
    }

    /** As {@link #write}, of bytes that nobody has just written: more of them are not expected. */
    int writeStored(long position, ByteBuffer source, int count) {
        return write(position, source, count, 0);
    }

    private int write(long position, ByteBuffer source, int count, long inARow) {
        int done = 0;
        while (done < count) {
            long at = position + done;
            Folio folio = folios.covering(at);
            if (folio == null) {
                folio = folios.allocateDirty(at, count - done, inARow);
                if (folio == null) {
                    break;
                }
            }
            int n = put(folio, at, source, count - done, false);
            if (n == 0) {
                break;
            }
            done += n;
        }
        return done;
    }

    /**
     * As {@link #write}, but of one folio only, and whatever is dirty already: for when nothing is
     * under way that would make room.
     *
     * @return how many bytes; 0 when not even memory is left
     */
    public int writeAnyway(long position, ByteBuffer source, int count) {
        Folio folio = folios.covering(position);
        if (folio == null) {
            folio = folios.allocate(position, Math.min(count, ANYWAY_BYTES_MAX));
        }
        int done = folio == null ? 0 : put(folio, position, source, count, true);
        folios.cache.press();
        return done;
    }

    /** The size in bytes of the least block that a write at a position may need. */
    public int blockBytesAt(long position) {
        Folio folio = folios.covering(position);
        return folio == null ? MemoryPool.PAGE_BYTES : folio.bytes();
    }

    private int put(Folio folio, long at, ByteBuffer source, int count, boolean anyway) {
        int offset = (int) (at - folio.position());
        int n = Math.min(count, folio.bytes() - offset);
        if (folios.isOfOlderGroup(folio)) {
            return 0;
        }
        if (!folios.makeWritable(folio, offset, n, anyway)) {
            folios.dropUnused(folio);
            return 0;
        }
        folio.block.put(offset, source, n);
        folio.present.add(offset, offset + n);
        if (!stored.isEmpty()) {
            stored.remove(at, at + n);
        }
        folios.addDirty(folio, offset, offset + n);
        folios.settle(folio);
        return n;
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
            Folio folio = folios.covering(at);
            int left = count - done;
            int n;
            if (folio != null) {
                int offset = (int) (at - folio.position());
                n = (int) Math.min(left, folio.present.runEnd(offset) - offset);
                if (n > 0) {
                    folio.block.get(offset, target, n);
                    folios.touch(folio);
                    done += n;
                    continue;
                }
            }
            if (at < zeroPoint) {
                break;
            }
            n = (int) Math.min(left, nextPresent(at, at + left) - at);
            n = (int) Math.min(n, stored.next(at, at + n) - at);
            if (n == 0) {
                break;
            }
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
            Folio folio = folios.covering(at);
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
            folios.touch(folio);
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
            folios.cache.release(block);
        }
    }

    /** The first byte in [from, to) that is here, or {@code to}. */
    public long nextPresent(long from, long to) {
        Folio folio = folios.firstFrom(from);
        while (folio != null && folio.position() < to) {
            long offset = Math.max(0, from - folio.position());
            long next = folio.present.next(offset, -1);
            if (next >= 0) {
                return Math.min(to, folio.position() + next);
            }
            folio = folios.firstFrom(folio.end());
        }
        return to;
    }

    /** The first byte in [from, to) that is not here, or {@code to}. */
    public long nextAbsent(long from, long to) {
        long at = from;
        while (at < to) {
            Folio folio = folios.covering(at);
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

    // ---- groups -------------------------------------------------------------------------------

    /** What is written from now on is sent after everything written before. */
    public void beginGroup() {
        folios.beginGroup();
    }

    /** How many groups have unsent data. */
    public int groups() {
        folios.oldest();
        return folios.groups.size();
    }

    /**
     * Whether a write at a position finds unsent data of an older group in its folio: data of two
     * groups never mixes, so that this has to be sent first.
     */
    public boolean isOlderGroupAt(long position) {
        Folio folio = folios.covering(position);
        return folio != null && folios.isOfOlderGroup(folio);
    }

    // ---- fetching -----------------------------------------------------------------------------

    /**
     * Prepares memory for the absent bytes of [from, to) that nobody fetches yet, and that the
     * server has.
     *
     * @return true when all of the range is prepared; false when memory gave out on the way
     */
    public boolean prepareLoad(long from, long to, List<LoadSpan> spans) {
        long at = from;
        while (at < to) {
            // The server has older bytes there.
            long end = stored.next(at, to);
            if (end > at && !prepareRun(at, Math.min(to, end), spans)) {
                return false;
            }
            at = Math.max(end, stored.runEnd(end, to));
        }
        return true;
    }

    private boolean prepareRun(long from, long to, List<LoadSpan> spans) {
        long at = from;
        while (at < to) {
            Folio folio = folios.covering(at);
            if (folio == null) {
                folio = folios.allocate(at, (int) Math.min(to - at, Integer.MAX_VALUE / 2));
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
                if (!folios.makeLoadable(folio)) {
                    folios.settle(folio);
                    return false;
                }
                int stop = (int) folio.present.next(start, end);
                stop = (int) Math.min(stop, folio.loading.next(start, end));
                stop = (int) Math.min(stop, folio.block.busy.next(start, end));
                stop = Math.min(stop, end);
                folio.loading = RangeSet.toAddTo(folio.loading);
                folio.loading.add(start, stop);
                folio.block.markBusy(start, stop);
                folio.block.retain();
                folio.spans++;
                spans.add(
                        new LoadSpan(
                                folio,
                                folio.block,
                                folio.position() + start,
                                start,
                                stop,
                                folio.epoch));
                offset = stop;
            }
            folios.settle(folio);
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
     * @param uncached whether the disk cache lacks them and is to have them
     */
    public void endLoad(LoadSpan span, int from, int to, boolean usable, boolean uncached) {
        Folio folio = span.folio();
        span.block().busy.remove(from, to);
        if (!folio.attached) {
            return;
        }
        if (folio.epoch == span.epoch()) {
            folio.loading.remove(from, to);
            if (usable) {
                merge(folio, span.block(), from, to, uncached);
            }
        }
        folios.settleOrDrop(folio);
    }

    public void release(LoadSpan span) {
        span.folio().spans--;
        folios.cache.release(span.block());
    }

    /**
     * A transfer that is not waited for any more may still fill a span's memory, which nobody may
     * use for anything else until {@link #releaseOrphan}; call before the span ends.
     */
    public void orphan(LoadSpan span) {
        folios.cache.leave(span.block());
        span.block().retain();
    }

    public void releaseOrphan(LoadSpan span) {
        folios.cache.rejoin(span.block());
        folios.cache.release(span.block());
    }

    /** Zeros a part of a span's memory: what lies past the end of the server's file. */
    public void zero(LoadSpan span, int from, int to) {
        span.block().zero(from, to - from);
    }

    private static void merge(Folio folio, Block block, int from, int to, boolean uncached) {
        if (folio.block == block) {
            arrived(folio, from, to, uncached);
            return;
        }
        // A write forked the folio while the read was under way: take only what it left absent.
        int at = from;
        while (at < to) {
            int end = (int) Math.min(to, folio.present.next(at, to));
            if (end > at) {
                folio.block.copyFrom(block, at, end - at);
                arrived(folio, at, end, uncached);
            }
            at = (int) Math.max(end, folio.present.runEnd(end));
        }
    }

    private static void arrived(Folio folio, int from, int to, boolean uncached) {
        folio.present.add(from, to);
        if (uncached) {
            folio.uncached = RangeSet.toAddTo(folio.uncached);
            folio.uncached.add(from, to);
        }
    }

    /**
     * The first byte in [from, to) that is absent and that nobody fetches. Memory that an overtaken
     * read may still fill (busy, though no longer wanted) is left alone until that has ended; what
     * is orphaned is not waited for, but exchanged.
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

    /** Is shown bytes that are here: what remains of the buffer. */
    public interface Visitor {
        void bytes(long position, ByteBuffer bytes);
    }

    /**
     * Makes dirty what is here, whatever the dirty limit says: the server is to get it anew.
     * Nothing is under write-back (the caller owns the write-back lock).
     *
     * @param from where to begin
     * @param size where the file ends
     * @param bytesMax after so many bytes (and those of their folio) it stops
     * @param visitor is shown what was not dirty before
     * @return where to go on; at or after the size when all is dirty
     */
    public long dirtyPresent(long from, long size, int bytesMax, Visitor visitor) {
        long shown = 0;
        Folio folio = folios.firstFrom(from);
        while (folio != null && folio.position() < size) {
            if (shown >= bytesMax) {
                return folio.position();
            }
            int end = (int) Math.min(folio.bytes(), size - folio.position());
            int at = (int) folio.present.next(0, end);
            while (at < end) {
                int run = (int) Math.min(end, folio.present.runEnd(at));
                int dirty = (int) Math.min(run, folio.dirty.next(at, run));
                dirty =
                        (int)
                                (stored.next(folio.position() + at, folio.position() + dirty)
                                        - folio.position());
                if (dirty > at) {
                    int start = folio.block.offset() + at;
                    ByteBuffer memory = folio.block.memory().duplicate();
                    memory.limit(start + dirty - at).position(start);
                    visitor.bytes(folio.position() + at, memory);
                    shown += dirty - at;
                    folios.cache.chargeAnyway(folio.block);
                    folios.addDirty(folio, at, dirty);
                    at = dirty;
                } else {
                    long kept = stored.runEnd(folio.position() + at, folio.position() + run);
                    at = (int) Math.max(folio.dirty.runEnd(at), kept - folio.position());
                }
                at = (int) folio.present.next(at, end);
            }
            folios.settle(folio);
            folio = folios.firstFrom(folio.end());
        }
        return Math.max(from, size);
    }

    /** Whether every byte up to a size is here, or kept by the journal. */
    public boolean hasAll(long size) {
        long at = 0;
        while (at < size) {
            long next = Math.max(nextAbsent(at, size), stored.runEnd(at, size));
            if (next == at) {
                return false;
            }
            at = next;
        }
        return true;
    }

    // ---- cutting ------------------------------------------------------------------------------

    /**
     * Drops everything from a position on, dirty bytes too. No span there is under write-back (the
     * caller owns the write-back lock).
     */
    public void truncate(long size) {
        stored.remove(size, Long.MAX_VALUE);
        Folio folio;
        while ((folio = folios.last()) != null && folio.position() >= size) {
            cut(folio, 0, folio.bytes());
            folios.settle(folio);
            folios.detach(folio);
        }
        if (folio != null && folio.end() > size) {
            cut(folio, (int) (size - folio.position()), folio.bytes());
            folios.settleOrDrop(folio);
        }
    }

    /** Drops the bytes of a range, dirty ones too, as {@link #truncate}. */
    public void drop(long from, long to) {
        stored.remove(from, to);
        Folio folio = folios.firstFrom(from);
        while (folio != null && folio.position() < to) {
            long next = folio.end();
            int a = (int) Math.max(0, from - folio.position());
            int b = (int) Math.min(folio.bytes(), to - folio.position());
            cut(folio, a, b);
            folios.settleOrDrop(folio);
            folio = folios.firstFrom(next);
        }
    }

    /** Drops the clean bytes of a range: the server has other ones by now. */
    public void dropClean(long from, long to) {
        Folio folio = folios.firstFrom(from);
        while (folio != null && folio.position() < to) {
            long next = folio.end();
            int a = (int) Math.max(0, from - folio.position());
            int b = (int) Math.min(folio.bytes(), to - folio.position());
            folio.epoch++;
            folio.loading.clear();
            folio.uncached.remove(a, b);
            folio.present.remove(a, b);
            folio.present.addAll(folio.dirty);
            folio.present.addAll(folio.writeback);
            folios.settleOrDrop(folio);
            folio = folios.firstFrom(next);
        }
    }

    /** Drops every byte that the server has: the server's file is another version now. */
    public void invalidate() {
        Folio folio = folios.firstFrom(0);
        while (folio != null) {
            long next = folio.end();
            folio.epoch++;
            folio.loading.clear();
            folio.present.clear();
            folio.present.addAll(folio.dirty);
            folio.present.addAll(folio.writeback);
            folio.uncached.clear();
            folios.settleOrDrop(folio);
            folio = folios.firstFrom(next);
        }
    }

    /** Drops all, for a file that is gone. Spans in flight end by themselves. */
    public void clear() {
        stored.remove(0, Long.MAX_VALUE);
        Folio folio;
        while ((folio = folios.firstFrom(0)) != null) {
            cut(folio, 0, folio.bytes());
            folios.settle(folio);
            folios.detach(folio);
        }
    }

    private void cut(Folio folio, int from, int to) {
        folio.epoch++;
        folio.loading.clear();
        folios.removeDirty(folio, from, to);
        folio.present.remove(from, to);
        folio.uncached.remove(from, to);
    }

    /** Reclaims a clean folio; returns the bytes it freed. Called by the page cache. */
    long reclaim(Folio folio) {
        return folios.reclaim(folio);
    }
}
