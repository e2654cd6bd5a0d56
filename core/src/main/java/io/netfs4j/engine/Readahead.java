// SPDX-License-Identifier: Apache-2.0
package io.netfs4j.engine;

import io.netfs4j.base.GuardedBy;
import io.netfs4j.request.Origin;

/**
 * How far ahead of one open file's reader to fetch. The window opens when reads follow on from each
 * other, doubles up to a limit, and closes on a jump. The next window is fetched when the reader
 * has come half way through the present one, so that it never catches up.
 *
 * <p><b>Threads</b>: with the inode's lock held.
 */
public final class Readahead {
    /** The first window: two full pieces of the usual 128 KiB to 256 KiB. */
    private static final int WINDOW_FIRST_BYTES = 512 << 10;

    /** The doors' readers may reorder requests by so much. */
    private static final int SLACK_BYTES = 1 << 20;

    private final int windowBytesMax;
    private long expected;
    private int window;
    private long fetchedTo;

    public Readahead(int windowBytesMax) {
        this.windowBytesMax = windowBytesMax;
    }

    /** A read of [position, end) was asked for; fetches what is likely to come next. */
    @GuardedBy("inode lock")
    public void onRead(Engine engine, InodeData inode, long position, long end) {
        boolean follows = Math.abs(position - expected) <= (window > 0 ? SLACK_BYTES : 0);
        expected = follows ? Math.max(expected, end) : end;
        if (!follows) {
            window = 0;
            fetchedTo = 0;
            return;
        }
        if (windowBytesMax == 0 || end >= inode.remoteSizeBytes()) {
            return;
        }
        if (window == 0) {
            window = Math.min(WINDOW_FIRST_BYTES, windowBytesMax);
            fetchedTo = end;
        }
        if (end + window / 2 < fetchedTo) {
            return;
        }
        long from = Math.max(end, fetchedTo);
        long to = Math.min(inode.remoteSizeBytes(), end + window);
        if (from < to) {
            engine.load(inode, from, to, Origin.READAHEAD);
            fetchedTo = to;
        }
        window = Math.min(windowBytesMax, window * 2);
    }
}
