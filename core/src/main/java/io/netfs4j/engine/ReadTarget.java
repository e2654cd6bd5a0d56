// SPDX-License-Identifier: Apache-2.0
package io.netfs4j.engine;

import io.netfs4j.base.Segment;
import io.netfs4j.pagecache.AddressSpace;
import io.netfs4j.pagecache.LoadSpan;

/**
 * Memory that a read fills. Positions are the file's.
 *
 * <p><b>Threads</b>: with the inode's lock held.
 */
interface ReadTarget {
    long position();

    long end();

    Segment segment();

    /** Zeros a part: what lies past the end of the server's file. */
    void zero(long from, long to);

    /**
     * The read of a part has ended.
     *
     * @param usable false when the bytes did not come, or no longer count
     * @param uncached whether the disk cache lacks them and is to have them
     */
    void end(long from, long to, boolean usable, boolean uncached);

    /** All of it has ended. */
    void release();

    /**
     * A transfer into it is not waited for any more, and may still fill it; call before it ends.
     *
     * @return to be called with the inode's lock held when that transfer has ended
     */
    Runnable orphan();

    /** Absent bytes of a folio. */
    record Pages(AddressSpace pages, LoadSpan span) implements ReadTarget {
        @Override
        public long position() {
            return span.position();
        }

        @Override
        public long end() {
            return span.end();
        }

        @Override
        public Segment segment() {
            return span.segment();
        }

        private int offset(long position) {
            return span.from() + (int) (position - span.position());
        }

        @Override
        public void zero(long from, long to) {
            pages.zero(span, offset(from), offset(to));
        }

        @Override
        public void end(long from, long to, boolean usable, boolean uncached) {
            pages.endLoad(span, offset(from), offset(to), usable, uncached);
        }

        @Override
        public void release() {
            pages.release(span);
        }

        @Override
        public Runnable orphan() {
            pages.orphan(span);
            return () -> pages.releaseOrphan(span);
        }
    }

    /** A caller's memory, which is the caller's again when the read has ended. */
    record Memory(long position, Segment segment) implements ReadTarget {
        @Override
        public long end() {
            return position + segment.length();
        }

        @Override
        public void zero(long from, long to) {
            for (long at = from; at < to; at++) {
                segment.memory().put(segment.offset() + (int) (at - position), (byte) 0);
            }
        }

        @Override
        public void end(long from, long to, boolean usable, boolean uncached) {
            // Nobody else looks at it.
        }

        @Override
        public void release() {
            // It was lent.
        }

        @Override
        public Runnable orphan() {
            throw new IllegalStateException("the caller waits for all of its memory");
        }
    }
}
