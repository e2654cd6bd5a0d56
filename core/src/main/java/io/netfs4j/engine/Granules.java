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
 * (read-modify-write). One granule at a time, of one request.
 *
 * <p><b>Threads</b>: with the inode's lock held.
 */
final class Granules {
    private static final ByteBuffer ZEROS = ByteBuffer.allocateDirect(64 << 10);

    private final WriteRequest request;

    /** What was read or is being read; null when nothing is. */
    private @Nullable Fill fill;

    private @Nullable Completion<@Nullable Void> reading;

    /** Memory with a part of a granule, counted while this class or a span uses it. */
    private final class Fill {
        final ByteBuffer memory;
        final long from;
        final long to;
        final long generation = request.inode().generation;
        private int uses = 1;

        Fill(long from, long to) {
            this.memory = ByteBuffer.allocate((int) (to - from));
            this.from = from;
            this.to = to;
        }

        WriteSpan span(long at, long end) {
            uses++;
            Segment segment = new Segment(memory, (int) (at - from), (int) (end - at));
            return new WriteSpan(at, end, segment, false, null, this::release, 0);
        }

        void release() {
            if (--uses == 0) {
                request.engine().fills().release(memory.capacity(), 1);
            }
        }
    }

    Granules(WriteRequest request) {
        this.request = request;
    }

    /** Zeros from {@code at}, at most up to {@code to}. */
    static WriteSpan zeros(long at, long to) {
        long end = Math.min(to, at + ZEROS.capacity());
        return new WriteSpan(
                at, end, new Segment(ZEROS, 0, (int) (end - at)), false, null, null, 0);
    }

    /** What was read from {@code at} on, at most up to {@code end}; null when it was not. */
    @GuardedBy("inode lock")
    @Nullable WriteSpan take(long at, long end) {
        Fill read = fill;
        if (read == null || reading != null || at < read.from || at >= read.to) {
            return null;
        }
        if (read.generation != request.inode().generation) {
            drop();
            return null;
        }
        return read.span(at, Math.min(end, read.to));
    }

    /**
     * Begins to read the rest of a granule; the request is posted when it is there, or fails.
     *
     * @return false when too much is read for granules now: the request is posted later
     */
    @GuardedBy("inode lock")
    boolean read(long start, long end) {
        InodeData inode = request.inode();
        ServerFile file = inode.file();
        if (file == null || !BackEnd.isReadable(file)) {
            request.fail(new FsException(FsError.EACCES, "no handle to read a granule with"));
            request.post();
            return true;
        }
        drop();
        if (request.isFilling()) {
            // What it has read of this granule waits for the rest: there is no end to waiting.
            request.engine().fills().acquireAnyway(end - start, 1);
        } else if (!request.fillTurn.tryAcquire(end - start, 1)) {
            return false;
        }
        Fill target = new Fill(start, end);
        fill = target;
        Completion<@Nullable Void> read =
                ReadRequest.intoMemory(
                        request.engine(),
                        inode,
                        file,
                        start,
                        List.of(new Segment(target.memory, 0, target.memory.capacity())));
        reading = read;
        read.whenDone((value, failure) -> request.post());
        return true;
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
            request.post();
        }
        return false;
    }

    /** Gives up what was read; what spans use of it stays until they are released. */
    @GuardedBy("inode lock")
    void drop() {
        Fill read = fill;
        if (read != null && reading == null) {
            fill = null;
            read.release();
        }
    }
}
