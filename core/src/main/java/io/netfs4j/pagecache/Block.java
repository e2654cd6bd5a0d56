// SPDX-License-Identifier: Apache-2.0
package io.netfs4j.pagecache;

import io.netfs4j.base.GuardedBy;
import io.netfs4j.base.RangeSet;

import java.nio.ByteBuffer;

/**
 * The memory of a folio, or of an older version of one that a request still sends. Counted: the
 * folio holds one reference, each piece in flight and each reader that borrowed it another; the
 * last one gives it back to the pool.
 */
public final class Block {
    private ByteBuffer memory;
    private int page;
    private int offset;
    private int bytes;

    @GuardedBy("inode lock")
    private int references = 1;

    /** Bytes (from the block's beginning) that a transfer reads or fills now: not to be changed. */
    @GuardedBy("inode lock")
    RangeSet busy = RangeSet.NONE;

    /**
     * How many transfers that nobody waits for any more may still use it: while there are any it is
     * not to be changed at all.
     */
    @GuardedBy("inode lock")
    int orphans;

    /** Whether it counts as dirty memory. */
    @GuardedBy("inode lock")
    boolean charged;

    Block(ByteBuffer memory, int page, int offset, int bytes) {
        this.memory = memory;
        this.page = page;
        this.offset = offset;
        this.bytes = bytes;
    }

    /** One that serves again, for other memory. */
    void renew(ByteBuffer memory, int page, int offset, int bytes) {
        this.memory = memory;
        this.page = page;
        this.offset = offset;
        this.bytes = bytes;
        references = 1;
        busy.clear();
        orphans = 0;
        charged = false;
    }

    public ByteBuffer memory() {
        return memory;
    }

    /** Where in {@link #memory} the block begins. */
    public int offset() {
        return offset;
    }

    public int bytes() {
        return bytes;
    }

    int page() {
        return page;
    }

    int references() {
        return references;
    }

    void retain() {
        references++;
    }

    /** Drops a reference; true when it was the last one, and the memory is to be freed. */
    boolean release() {
        if (references <= 0) {
            throw new IllegalStateException("block released twice");
        }
        references--;
        return references == 0;
    }

    void markBusy(int from, int to) {
        busy = RangeSet.toAddTo(busy);
        busy.add(from, to);
    }

    void put(int at, ByteBuffer source, int count) {
        memory.put(offset + at, source, source.position(), count);
        source.position(source.position() + count);
    }

    void get(int at, ByteBuffer target, int count) {
        target.put(target.position(), memory, offset + at, count);
        target.position(target.position() + count);
    }

    void copyFrom(Block other, int at, int count) {
        memory.put(offset + at, other.memory, other.offset + at, count);
    }

    void zero(int at, int count) {
        int done = 0;
        while (done < count) {
            int n = Math.min(count - done, ZEROS.length);
            memory.put(offset + at + done, ZEROS, 0, n);
            done += n;
        }
    }

    static void zero(ByteBuffer target, int count) {
        for (int left = count; left > 0; ) {
            int n = Math.min(left, ZEROS.length);
            target.put(ZEROS, 0, n);
            left -= n;
        }
    }

    private static final byte[] ZEROS = new byte[64 << 10];
}
