// SPDX-License-Identifier: Apache-2.0
package io.netfs4j.server.memory;

import io.netfs4j.base.FsError;
import io.netfs4j.base.FsException;
import io.netfs4j.request.Subrequest;

import java.util.Arrays;
import java.util.Iterator;
import java.util.Map;
import java.util.TreeMap;

/**
 * The bytes of one file: chunks, those that were never written missing. Everything at and past the
 * size is zero, so that a file that grows shows zeros.
 *
 * <p><b>Threads</b>: guarded by the store's lock.
 */
final class MemoryContent {
    static final int CHUNK_BYTES = 1 << 14;

    private final TreeMap<Long, byte[]> chunks = new TreeMap<>();
    private final MemorySpace space;
    private long sizeBytes;

    MemoryContent(MemorySpace space) {
        this.space = space;
    }

    long sizeBytes() {
        return sizeBytes;
    }

    /** Reads into a piece; returns how many bytes there were. */
    long read(Subrequest into) {
        long count = Math.clamp(sizeBytes - into.position(), 0, into.length());
        byte[] zeros = new byte[0];
        for (long done = 0; done < count; ) {
            long at = into.position() + done;
            int within = (int) (at % CHUNK_BYTES);
            int n = (int) Math.min(CHUNK_BYTES - within, count - done);
            byte[] chunk = chunks.get(at / CHUNK_BYTES);
            if (chunk == null) {
                zeros = zeros.length == 0 ? new byte[CHUNK_BYTES] : zeros;
                chunk = zeros;
            }
            into.copyIn(done, chunk, within, n);
            done += n;
        }
        return count;
    }

    /** Writes the first bytes of a piece, which may be all of it. */
    void write(Subrequest from, long count) throws FsException {
        reserve(from.position(), count);
        for (long done = 0; done < count; ) {
            long at = from.position() + done;
            int within = (int) (at % CHUNK_BYTES);
            int n = (int) Math.min(CHUNK_BYTES - within, count - done);
            from.copyOut(done, chunk(at), within, n);
            done += n;
        }
        sizeBytes = Math.max(sizeBytes, from.position() + count);
    }

    /** Copies within the store; returns how many bytes the source had. */
    long copy(MemoryContent source, long from, long to, long count) throws FsException {
        long n = Math.clamp(source.sizeBytes - from, 0, count);
        byte[] bytes = new byte[CHUNK_BYTES];
        reserve(to, n);
        for (long done = 0; done < n; ) {
            int part = (int) Math.min(CHUNK_BYTES, n - done);
            source.get(from + done, bytes, part);
            put(to + done, bytes, part);
            done += part;
        }
        sizeBytes = Math.max(sizeBytes, n == 0 ? 0 : to + n);
        return n;
    }

    void setSize(long newSizeBytes) {
        if (newSizeBytes < sizeBytes) {
            long kept = newSizeBytes / CHUNK_BYTES;
            int within = (int) (newSizeBytes % CHUNK_BYTES);
            byte[] last = chunks.get(kept);
            if (within > 0 && last != null) {
                Arrays.fill(last, within, CHUNK_BYTES, (byte) 0);
            }
            drop(chunks.tailMap(kept, within == 0));
        }
        sizeBytes = newSizeBytes;
    }

    /** Gives all memory back; the file is gone. */
    void free() {
        drop(chunks);
        sizeBytes = 0;
    }

    private void drop(Map<Long, byte[]> gone) {
        for (Iterator<byte[]> i = gone.values().iterator(); i.hasNext(); ) {
            i.next();
            i.remove();
            space.give();
        }
    }

    /** All or nothing, so that a full store leaves a file as it was. */
    private void reserve(long position, long count) throws FsException {
        if (count == 0) {
            return;
        }
        long missing = 0;
        long last = (position + count - 1) / CHUNK_BYTES;
        for (long i = position / CHUNK_BYTES; i <= last; i++) {
            missing += chunks.containsKey(i) ? 0 : 1;
        }
        if (!space.has(missing)) {
            throw new FsException(FsError.ENOSPC, "the memory store is full");
        }
    }

    private byte[] chunk(long position) {
        return chunks.computeIfAbsent(
                position / CHUNK_BYTES,
                index -> {
                    space.take();
                    return new byte[CHUNK_BYTES];
                });
    }

    private void get(long position, byte[] into, int count) {
        for (int done = 0; done < count; ) {
            int within = (int) ((position + done) % CHUNK_BYTES);
            int n = Math.min(CHUNK_BYTES - within, count - done);
            byte[] chunk = chunks.get((position + done) / CHUNK_BYTES);
            if (chunk == null) {
                Arrays.fill(into, done, done + n, (byte) 0);
            } else {
                System.arraycopy(chunk, within, into, done, n);
            }
            done += n;
        }
    }

    private void put(long position, byte[] from, int count) {
        for (int done = 0; done < count; ) {
            int within = (int) ((position + done) % CHUNK_BYTES);
            int n = Math.min(CHUNK_BYTES - within, count - done);
            System.arraycopy(from, done, chunk(position + done), within, n);
            done += n;
        }
    }
}
