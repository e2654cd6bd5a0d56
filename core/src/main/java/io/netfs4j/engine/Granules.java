// SPDX-License-Identifier: Apache-2.0
package io.netfs4j.engine;

import io.netfs4j.base.Completion;
import io.netfs4j.base.FsError;
import io.netfs4j.base.FsException;
import io.netfs4j.base.GuardedBy;
import io.netfs4j.base.Segment;
import io.netfs4j.server.ServerFile;

import org.jspecify.annotations.Nullable;

import java.nio.ByteBuffer;
import java.util.List;

/**
 * The bytes around what is written that fill a granule, when the page cache has not got them: zeros
 * where the server holds nothing, else read from the server into memory of their own
 * (read-modify-write). One range at a time, of one request.
 *
 * <p><b>Threads</b>: with the inode's lock held.
 */
final class Granules {
    private static final ByteBuffer ZEROS = ByteBuffer.allocateDirect(64 << 10);

    private final WriteRequest request;

    /** What was read or is being read; null when nothing is. */
    private @Nullable ByteBuffer memory;

    private long from;
    private long to;
    private long generation;
    private @Nullable Completion<@Nullable Void> reading;

    Granules(WriteRequest request) {
        this.request = request;
    }

    /** Zeros from {@code at}, at most up to {@code to}. */
    static WriteSpan zeros(long at, long to) {
        long end = Math.min(to, at + ZEROS.capacity());
        return new WriteSpan(at, end, new Segment(ZEROS, 0, (int) (end - at)), false, null, null);
    }

    /** What was read from {@code at} on, at most up to {@code end}; null when it was not. */
    @GuardedBy("inode lock")
    @Nullable WriteSpan take(long at, long end) {
        ByteBuffer read = memory;
        if (read == null || reading != null || at < from || at >= to) {
            return null;
        }
        if (generation != request.inode().generation) {
            memory = null;
            request.engine().fills().release(read.capacity(), 1);
            return null;
        }
        long stop = Math.min(end, to);
        Segment segment = new Segment(read, (int) (at - from), (int) (stop - at));
        Runnable release = null;
        if (stop == to) {
            memory = null;
            release = () -> request.engine().fills().release(read.capacity(), 1);
        }
        return new WriteSpan(at, stop, segment, false, null, release);
    }

    /** Begins to read a range; the request is posted when it is there, or fails. */
    @GuardedBy("inode lock")
    void read(long start, long end) {
        InodeData inode = request.inode();
        ServerFile file = inode.file();
        if (file == null || !file.isReadable()) {
            request.fail(new FsException(FsError.EACCES, "no handle to read a granule with"));
            request.post();
            return;
        }
        int bytes = (int) (end - start);
        drop();
        if (!request.engine().fills().tryAcquire(bytes, 1, request)) {
            return;
        }
        ByteBuffer target = ByteBuffer.allocate(bytes);
        memory = target;
        from = start;
        to = end;
        generation = inode.generation;
        Completion<@Nullable Void> read =
                ReadRequest.intoMemory(
                        request.engine(),
                        inode,
                        file,
                        start,
                        List.of(new Segment(target, 0, bytes)));
        reading = read;
        read.whenDone((value, failure) -> request.post());
    }

    /** Whether a read is under way; one that has failed fails the request. */
    @GuardedBy("inode lock")
    boolean isReading() {
        Completion<@Nullable Void> read = reading;
        if (read == null) {
            return false;
        }
        if (!read.isDone()) {
            return true;
        }
        reading = null;
        FsException failure = read.failure();
        if (failure != null) {
            drop();
            request.fail(failure);
        }
        return false;
    }

    /** Gives up what was read and not taken. */
    @GuardedBy("inode lock")
    void drop() {
        ByteBuffer read = memory;
        if (read != null && reading == null) {
            memory = null;
            request.engine().fills().release(read.capacity(), 1);
        }
    }
}
