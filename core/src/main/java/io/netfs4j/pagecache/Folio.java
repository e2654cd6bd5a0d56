// SPDX-License-Identifier: Apache-2.0
package io.netfs4j.pagecache;

import io.netfs4j.base.GuardedBy;
import io.netfs4j.base.RangeSet;

import org.jspecify.annotations.Nullable;

/**
 * A power-of-two-sized, naturally aligned run of a file's bytes. It need not hold all of them:
 * {@code present} says which. Offsets in its sets are from its beginning.
 *
 * <p>INVARIANT: dirty, writeback and uncached are parts of present; dirty and uncached do not meet;
 * loading and present do not meet, unless a write overtook the read.
 *
 * <p>A folio that has left its address space serves again, in any other one, unless a request still
 * knows it.
 */
public final class Folio {
    /** Null while it is a spare one. Set with the lock of the inode that it comes to or leaves. */
    @Nullable AddressSpace space;

    private long position;

    /** Binary logarithm of its size, which is kept here to save a look at the block. */
    private byte sizeLog;

    /** Spans of it that requests have and have not given back. */
    @GuardedBy("inode lock")
    int spans;

    @GuardedBy("inode lock")
    Block block;

    @GuardedBy("inode lock")
    final RangeSet present = new RangeSet();

    @GuardedBy("inode lock")
    RangeSet dirty = RangeSet.NONE;

    /** What a write request has taken and not ended yet. */
    @GuardedBy("inode lock")
    RangeSet writeback = RangeSet.NONE;

    /** What read requests fetch. */
    @GuardedBy("inode lock")
    RangeSet loading = RangeSet.NONE;

    /** Present, not dirty, and not in the disk cache, which wants them. */
    @GuardedBy("inode lock")
    RangeSet uncached = RangeSet.NONE;

    /** Of which group its dirty bytes and those in flight are; means nothing without any. */
    @GuardedBy("inode lock")
    @Nullable WriteGroup group;

    @GuardedBy("inode lock")
    FolioTag tag = FolioTag.CLEAN;

    /** Whether it is among {@link Folios#uncached}. */
    @GuardedBy("inode lock")
    boolean isUncachedListed;

    /** False once it was cut off or reclaimed; what arrives for it then is dropped. */
    @GuardedBy("inode lock")
    boolean attached = true;

    /** Raised when bytes were dropped: a read begun before must not bring them back. */
    @GuardedBy("inode lock")
    int epoch;

    /** Links of the page cache's list of reclaimable folios. */
    @GuardedBy("PageCache.lock")
    @Nullable Folio newer;

    @GuardedBy("PageCache.lock")
    @Nullable Folio older;

    @GuardedBy("PageCache.lock")
    boolean listed;

    Folio(AddressSpace space, long position, Block block) {
        this.space = space;
        this.position = position;
        this.sizeLog = sizeLog(block);
        this.block = block;
    }

    private static byte sizeLog(Block block) {
        return (byte) Integer.numberOfTrailingZeros(block.bytes());
    }

    /** A spare one comes to an address space. */
    void attach(AddressSpace to, long at, Block memory) {
        space = to;
        position = at;
        sizeLog = sizeLog(memory);
        block = memory;
        attached = true;
    }

    /** It has left its address space, and no request knows it. */
    void becomeSpare() {
        present.clear();
        dirty.clear();
        writeback.clear();
        loading.clear();
        uncached.clear();
        group = null;
        tag = FolioTag.CLEAN;
        space = null;
    }

    /** Where in the file it begins. */
    public long position() {
        return position;
    }

    public int bytes() {
        return 1 << sizeLog;
    }

    public long end() {
        return position + bytes();
    }

    public FolioTag tag() {
        return tag;
    }

    @Override
    public String toString() {
        return "folio["
                + position
                + ", "
                + end()
                + ") "
                + tag
                + " present "
                + present
                + " dirty "
                + dirty
                + " writeback "
                + writeback
                + " loading "
                + loading;
    }
}
