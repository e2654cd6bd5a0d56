// SPDX-License-Identifier: Apache-2.0
package io.netfs4j.pagecache;

import org.jspecify.annotations.Nullable;

/**
 * An address space as a write request sees it: bytes that are dirty, or that the disk cache lacks,
 * found in file order, taken, and given back. What is taken stays as it is until it is given back;
 * who writes there meanwhile writes into a fork.
 *
 * <p><b>Threads</b>: everything with the inode's lock held.
 */
public final class WritebackPages {
    private final Folios folios;
    private final StoredBytes stored;

    WritebackPages(Folios folios, StoredBytes stored) {
        this.folios = folios;
        this.stored = stored;
    }

    /** The group whose data has to be on the server before any other's is sent. */
    public WriteGroup oldestGroup() {
        return folios.oldest();
    }

    /** Whether any byte of [from, to) is dirty. */
    public boolean isDirty(long from, long to) {
        if (stored.next(from, to) < to) {
            return true;
        }
        Folio folio = folios.firstDirty(from);
        while (folio != null && folio.position() < to) {
            long base = folio.position();
            if (folio.dirty.intersects(Math.max(0, from - base), to - base)) {
                return true;
            }
            folio = folios.firstDirty(folio.end());
        }
        return false;
    }

    /** The group that is written into now. */
    public WriteGroup currentGroup() {
        return folios.current();
    }

    /**
     * The first dirty byte of a group at or after a position; Long.MAX_VALUE when there is none.
     */
    @SuppressWarnings("ReferenceEquality") // a group is one object
    public long nextDirty(long from, WriteGroup group) {
        Folio folio = folios.firstDirty(from);
        while (folio != null) {
            if (folio.group == group) {
                long offset = Math.max(0, from - folio.position());
                long next = folio.dirty.next(offset, -1);
                if (next >= 0) {
                    return folio.position() + next;
                }
            }
            folio = folios.firstDirty(folio.end());
        }
        return Long.MAX_VALUE;
    }

    /** The first byte at or after a position that only the disk cache lacks; or Long.MAX_VALUE. */
    public long nextUncached(long from) {
        Folio folio = folios.uncached.floor(from);
        if (folio == null || folio.end() <= from) {
            folio = folios.uncached.ceiling(from);
        }
        while (folio != null) {
            long next = folio.uncached.next(Math.max(0, from - folio.position()), -1);
            if (next >= 0) {
                return folio.position() + next;
            }
            folio = folios.uncached.ceiling(folio.end());
        }
        return Long.MAX_VALUE;
    }

    /**
     * Takes dirty bytes: from now on they are in flight.
     *
     * @param at a dirty byte
     * @return the run of dirty bytes of its folio that begins there, up to {@code to}
     */
    public WritebackSpan takeDirty(long at, long to) {
        Folio folio = covering(at);
        int from = (int) (at - folio.position());
        int end = (int) Math.min(folio.dirty.runEnd(from), to - folio.position());
        if (folios.removeDirty(folio, from, end) != end - from || end <= from) {
            throw new IllegalStateException("takes what is not dirty at " + at + ": " + folio);
        }
        folios.addWriteback(folio, from, end);
        lend(folio, from, end);
        folios.settle(folio);
        return new WritebackSpan(folio, folio.block, folio.position() + from, from, end, true);
    }

    /**
     * Lends bytes that are here and not dirty, so that some destination can be sent them.
     *
     * @return the run of them that begins at a position and lies in one folio, up to {@code to};
     *     null when the byte there is absent
     */
    public @Nullable WritebackSpan takeClean(long at, long to) {
        Folio folio = folios.covering(at);
        if (folio == null) {
            return null;
        }
        int from = (int) (at - folio.position());
        long end = Math.min(folio.present.runEnd(from), to - folio.position());
        end = Math.min(end, folio.dirty.next(from, end));
        end = Math.min(end, stored.next(at, to) - folio.position());
        return end <= from ? null : takeClean(folio, from, (int) end);
    }

    /**
     * Lends bytes that only the disk cache lacks.
     *
     * @param at the first of them
     * @return the run of them that begins there and lies in one folio, up to {@code to}
     */
    public WritebackSpan takeUncached(long at, long to) {
        Folio folio = covering(at);
        int from = (int) (at - folio.position());
        int end = (int) Math.min(folio.uncached.runEnd(from), to - folio.position());
        return takeClean(folio, from, end);
    }

    private WritebackSpan takeClean(Folio folio, int from, int end) {
        folio.uncached.remove(from, end);
        lend(folio, from, end);
        folios.settle(folio);
        return new WritebackSpan(folio, folio.block, folio.position() + from, from, end, false);
    }

    private Folio covering(long at) {
        Folio folio = folios.covering(at);
        if (folio == null) {
            throw new IllegalStateException("no folio at " + at);
        }
        return folio;
    }

    private static void lend(Folio folio, int from, int to) {
        folio.block.markBusy(from, to);
        folio.block.retain();
        folio.spans++;
    }

    /**
     * Ends the write-back of a part of a span: the last thing that is done to a folio for a
     * request.
     *
     * @param from relative to the folio
     * @param failed whether these bytes are dirty again
     */
    public void end(WritebackSpan span, int from, int to, boolean failed) {
        Folio folio = span.folio();
        span.block().busy.remove(from, to);
        if (!span.dirty()) {
            return;
        }
        long ended = folios.removeWriteback(folio, from, to);
        if (ended != to - from) {
            throw new IllegalStateException(
                    "ends write-back of " + (to - from) + ", in flight " + ended + ": " + folio);
        }
        if (failed && folio.attached) {
            // Memory has what was written over them since, too.
            stored.remove(folio.position() + from, folio.position() + to);
            folios.addDirtyAgain(folio, from, to);
            folios.cache.chargeAnyway(folio.block);
        }
        folios.settle(folio);
    }

    /** Gives back the span's hold on the memory, once all of it has ended. */
    public void release(WritebackSpan span) {
        span.folio().spans--;
        folios.cache.release(span.block());
    }

    /**
     * A transfer that is not waited for any more goes on using a span's memory, which nobody may
     * change until {@link #releaseOrphan}; call before the span ends.
     */
    public void orphan(WritebackSpan span) {
        folios.cache.leave(span.block());
        span.block().retain();
    }

    public void releaseOrphan(WritebackSpan span) {
        folios.cache.rejoin(span.block());
        folios.cache.release(span.block());
    }
}
