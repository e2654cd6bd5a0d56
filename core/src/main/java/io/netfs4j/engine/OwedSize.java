// SPDX-License-Identifier: Apache-2.0
package io.netfs4j.engine;

/**
 * The size that the server is to give its file before anything else of it is sent: what it has
 * behind that is not the file's any more.
 *
 * <pre>
 *   applications cut to 10, write [20, 30):   ##########..........NNNNNNNNNN
 *   the server, until the next upload:        ######################    (22 bytes: 12 do not count)
 * </pre>
 *
 * <p><b>Threads</b>: with the inode's lock held.
 */
public final class OwedSize {
    private static final long NOTHING = Long.MAX_VALUE;

    private long bytes = NOTHING;

    public boolean isOwed() {
        return bytes != NOTHING;
    }

    /** In bytes; -1 where nothing is owed. */
    public long bytes() {
        return isOwed() ? bytes : -1;
    }

    /** Whether one size does for what is owed already and for a cut to this one after it. */
    public boolean mayBe(long size) {
        return size <= bytes;
    }

    /**
     * Owes a size.
     *
     * @throws IllegalArgumentException unless it {@link #mayBe}
     */
    public void set(long size) {
        if (!mayBe(size)) {
            throw new IllegalArgumentException("size " + size + " after " + bytes);
        }
        bytes = size;
    }

    /** The server has set it, or nobody wants that any more. */
    public void settle() {
        bytes = NOTHING;
    }

    /** How much of so many bytes that the server has is the file's. */
    public long limit(long remoteBytes) {
        return Math.min(remoteBytes, bytes);
    }
}
