// SPDX-License-Identifier: Apache-2.0
package io.netfs4j.engine;

import io.netfs4j.base.Segment;
import io.netfs4j.pagecache.WriteGroup;
import io.netfs4j.pagecache.WritebackPages;
import io.netfs4j.pagecache.WritebackSpan;

import org.jspecify.annotations.Nullable;

import java.nio.ByteBuffer;

/**
 * Where a write request takes its bytes from: the page cache, or memory of a caller. The issuer
 * deals in positions alone, so that all kinds of writes share it.
 *
 * <p><b>Threads</b>: with the inode's lock held.
 */
interface WriteSource {
    /** The first byte at or after a position that is to be sent; Long.MAX_VALUE when none is. */
    long nextDirty(long from);

    /** The same for bytes that only the disk cache lacks. */
    long nextUncached(long from);

    /** The end of the file once all of it is sent. */
    long fileEnd();

    /** Takes the run of bytes to be sent that begins at {@code at}, up to {@code to}. */
    WriteSpan takeDirty(long at, long to);

    /** Takes the run of bytes that only the disk cache lacks that begins at {@code at}. */
    WriteSpan takeUncached(long at, long to);

    /**
     * Takes the run of clean bytes that begins at {@code at}; null when the byte there is absent.
     */
    @Nullable WriteSpan takeClean(long at, long to);

    /** The page cache: what is dirty there, of one group. */
    final class Pages implements WriteSource {
        private final InodeData inode;
        private final WriteGroup group;

        Pages(InodeData inode, WriteGroup group) {
            this.inode = inode;
            this.group = group;
        }

        private WritebackPages pages() {
            return inode.pages().writeback();
        }

        @Override
        public long nextDirty(long from) {
            return pages().nextDirty(from, group);
        }

        @Override
        public long nextUncached(long from) {
            return pages().nextUncached(from);
        }

        @Override
        public long fileEnd() {
            return inode.sizeBytes();
        }

        @Override
        public WriteSpan takeDirty(long at, long to) {
            return WriteSpan.of(pages().takeDirty(at, to), inode.journalLsn());
        }

        @Override
        public WriteSpan takeUncached(long at, long to) {
            return WriteSpan.of(pages().takeUncached(at, to));
        }

        @Override
        public @Nullable WriteSpan takeClean(long at, long to) {
            WritebackSpan span = pages().takeClean(at, to);
            return span == null ? null : WriteSpan.of(span);
        }
    }

    /** What only the disk cache lacks. */
    final class Copies implements WriteSource {
        private final InodeData inode;

        Copies(InodeData inode) {
            this.inode = inode;
        }

        @Override
        public long nextDirty(long from) {
            return Long.MAX_VALUE;
        }

        @Override
        public long nextUncached(long from) {
            return inode.pages().writeback().nextUncached(from);
        }

        @Override
        public long fileEnd() {
            return inode.sizeBytes();
        }

        @Override
        public WriteSpan takeDirty(long at, long to) {
            throw new IllegalStateException("nothing here is dirty");
        }

        @Override
        public WriteSpan takeUncached(long at, long to) {
            return WriteSpan.of(inode.pages().writeback().takeUncached(at, to));
        }

        @Override
        public @Nullable WriteSpan takeClean(long at, long to) {
            WritebackSpan span = inode.pages().writeback().takeClean(at, to);
            return span == null ? null : WriteSpan.of(span);
        }
    }

    /** A caller's memory, over what the page cache has around it. */
    final class Memory implements WriteSource {
        private final InodeData inode;
        private final long from;
        private final long end;
        private final ByteBuffer memory;
        private final int offset;

        /** The memory from the buffer's position to its limit; neither is moved. */
        Memory(InodeData inode, long from, ByteBuffer memory) {
            this.inode = inode;
            this.from = from;
            this.end = from + memory.remaining();
            this.memory = memory;
            this.offset = memory.position();
        }

        @Override
        public long nextDirty(long position) {
            return position < end ? Math.max(position, from) : Long.MAX_VALUE;
        }

        @Override
        public long nextUncached(long position) {
            return Long.MAX_VALUE;
        }

        @Override
        public long fileEnd() {
            return Math.max(inode.sizeBytes(), end);
        }

        @Override
        public WriteSpan takeDirty(long at, long to) {
            long stop = Math.min(to, end);
            Segment segment = new Segment(memory, offset + (int) (at - from), (int) (stop - at));
            return new WriteSpan(at, stop, segment, true, null, null, 0);
        }

        @Override
        public WriteSpan takeUncached(long at, long to) {
            throw new IllegalStateException("nothing here is in the page cache only");
        }

        @Override
        public @Nullable WriteSpan takeClean(long at, long to) {
            long stop = at < from ? Math.min(to, from) : to;
            WritebackSpan span = inode.pages().writeback().takeClean(at, stop);
            return span == null ? null : WriteSpan.of(span);
        }
    }
}
