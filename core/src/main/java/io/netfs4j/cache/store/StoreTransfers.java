// SPDX-License-Identifier: Apache-2.0
package io.netfs4j.cache.store;

import io.netfs4j.base.Disk;
import io.netfs4j.base.FsError;
import io.netfs4j.base.FsException;
import io.netfs4j.base.GuardedBy;
import io.netfs4j.base.Segment;
import io.netfs4j.base.SystemErrors;
import io.netfs4j.request.Destination;
import io.netfs4j.request.Subrequest;
import io.netfs4j.request.Termination;

import org.jspecify.annotations.Nullable;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.NoSuchFileException;
import java.util.List;
import java.util.zip.CRC32C;

/**
 * The pieces of one file in one direction. Each is forked and has one call of the disk, whatever
 * number of blocks it has.
 *
 * <p>Blocks that are being written hold nothing, and no other piece is let in there until the disk
 * has answered, whether the first still counts or not: so of two writes of a block the later one is
 * the later one on the disk, too.
 */
final class StoreTransfers implements Destination {
    static final String NAME = "netfs-cache-piece";

    /** Of one piece: half a request's usual size, and a few milliseconds of a disk. */
    static final int PIECE_BYTES_MAX = 512 << 10;

    /** After so long a piece that was refused may be offered again. */
    private static final long RETRY_NANOS = 10_000_000;

    private static final int BLOCK_BYTES = ContentMap.BLOCK_BYTES;

    private final StoreParts parts;
    private final StoreCookie cookie;
    private final boolean write;

    StoreTransfers(StoreParts parts, StoreCookie cookie, boolean write) {
        this.parts = parts;
        this.cookie = cookie;
        this.write = write;
    }

    @Override
    public int estimateBytes(long position) {
        return PIECE_BYTES_MAX;
    }

    @Override
    public boolean issue(Subrequest offer, Runnable whenReady) {
        boolean taken;
        parts.lock.lock();
        try {
            long most = Math.min(offer.length(), PIECE_BYTES_MAX);
            taken =
                    !cookie.isClosed()
                            && !parts.health.isOff()
                            && hasCredit(most)
                            && (write ? beginWrite(offer, most) : beginRead(offer, most));
        } finally {
            parts.lock.unlock();
        }
        if (!taken) {
            parts.environment.scheduler().schedule(whenReady, RETRY_NANOS);
        }
        return taken;
    }

    @GuardedBy("parts.lock")
    private boolean hasCredit(long bytes) {
        boolean alone = parts.inFlightBytes == 0;
        return parts.pieces < parts.limits.piecesMax()
                && (alone || parts.inFlightBytes + bytes <= parts.limits.inFlightBytesMax());
    }

    private void fork(Runnable piece) {
        parts.environment.scheduler().forkBlocking(NAME, piece);
    }

    /** A piece has begun; its memory is the store's until it has ended. */
    @GuardedBy("parts.lock")
    private void begin(Subrequest offer, long bytes) {
        offer.take(bytes);
        parts.pieces++;
        parts.inFlightBytes += bytes;
    }

    @GuardedBy("parts.lock")
    private void end(Subrequest piece) {
        parts.inFlightBytes -= piece.length();
        parts.pieceEnded();
    }

    private static Termination failure(String what, @Nullable Exception cause) {
        return new Termination.Failed(
                new FsException(
                        FsError.EIO,
                        "the disk cache " + what + (cause == null ? "" : ": " + cause),
                        cause));
    }

    // ---- storing ------------------------------------------------------------------------------

    @GuardedBy("parts.lock")
    private boolean beginWrite(Subrequest offer, long most) {
        StoredFile file = cookie.file;
        ContentMap map = file.map;
        long bytes = most - most % BLOCK_BYTES;
        if (map == null || bytes == 0 || offer.position() % BLOCK_BYTES != 0) {
            return false;
        }
        long from = StoreCookie.block(offer.position());
        long to = from + bytes / BLOCK_BYTES;
        long more = map.unallocated(from, to) * BLOCK_BYTES;
        if (file.isWritten(from, to) || !parts.space.admits(file, more)) {
            return false;
        }
        begin(offer, bytes);
        map.drop(from, to);
        map.allocate(from, to);
        parts.space.take(more);
        parts.index.update(file, map);
        parts.changed(file);
        StoredFile.Writing writing = new StoredFile.Writing(from, to);
        file.writings.add(writing);
        fork(() -> write(offer, file, writing));
        return true;
    }

    private void write(Subrequest piece, StoredFile file, StoredFile.Writing writing) {
        int[] crcs = new int[(int) (writing.to - writing.from)];
        ByteBuffer own = null;
        Exception failure = null;
        try {
            ByteBuffer bytes = inOneRun(piece);
            if (bytes == null) {
                own = parts.memory.take((int) piece.length());
                gather(piece, own);
                bytes = own;
            }
            checksums(bytes, file.seed, writing.from, crcs);
            parts.data(file, true).write(bytes, piece.position());
        } catch (IOException | RuntimeException e) {
            failure = e;
        }
        parts.memory.giveBack(own);
        parts.lock.lock();
        try {
            end(piece);
            file.writings.remove(writing);
            written(file, writing, crcs, failure);
            parts.used(file);
        } finally {
            parts.lock.unlock();
        }
        piece.terminated(failure == null ? Termination.DONE : failure("cannot store", failure));
    }

    @GuardedBy("parts.lock")
    private void written(
            StoredFile file, StoredFile.Writing writing, int[] crcs, @Nullable Exception failure) {
        if (failure != null) {
            parts.health.failed();
            if (SystemErrors.isFull(failure)) {
                parts.space.isFull();
            }
            return;
        }
        parts.health.succeeded();
        parts.storedBytes += (long) crcs.length * BLOCK_BYTES;
        ContentMap map = file.map;
        if (!writing.dropped && map != null) {
            map.hold(writing.from, crcs, crcs.length);
            parts.index.update(file, map);
            parts.changed(file);
        }
    }

    /** All bytes of a piece, where they lie side by side; else null. */
    private static @Nullable ByteBuffer inOneRun(Subrequest piece) {
        Segment first = piece.segments().get(0);
        return first.length() < piece.length()
                ? null
                : first.memory().slice(first.offset(), (int) piece.length());
    }

    private static void gather(Subrequest piece, ByteBuffer into) {
        int at = 0;
        List<Segment> segments = piece.segments();
        for (int i = 0; at < piece.length(); i++) {
            Segment s = segments.get(i);
            int count = (int) Math.min(s.length(), piece.length() - at);
            into.put(at, s.memory(), s.offset(), count);
            at += count;
        }
    }

    private static void scatter(ByteBuffer from, int offset, Subrequest piece) {
        int done = 0;
        List<Segment> segments = piece.segments();
        for (int i = 0; done < piece.length(); i++) {
            Segment s = segments.get(i);
            int count = (int) Math.min(s.length(), piece.length() - done);
            s.memory().put(s.offset(), from, offset + done, count);
            done += count;
        }
    }

    /** Of as many whole blocks as there is room for; leaves the buffer as it was. */
    private static void checksums(ByteBuffer of, long seed, long block, int[] into) {
        CRC32C crc = new CRC32C();
        ByteBuffer scratch = ByteBuffer.allocate(2 * Long.BYTES);
        ByteBuffer view = of.duplicate();
        int start = of.position();
        for (int i = 0; i < into.length; i++) {
            ContentMap.seed(crc, scratch, seed, block + i);
            int from = start + i * BLOCK_BYTES;
            view.limit(from + BLOCK_BYTES).position(from);
            crc.update(view);
            into[i] = (int) crc.getValue();
        }
    }

    // ---- reading ------------------------------------------------------------------------------

    @GuardedBy("parts.lock")
    private boolean beginRead(Subrequest offer, long most) {
        StoredFile file = cookie.file;
        begin(offer, most);
        file.reads++;
        Runnable piece = () -> read(offer, file);
        if (file.loading) {
            file.afterLoading.add(piece);
        } else {
            fork(piece);
        }
        return true;
    }

    private void read(Subrequest piece, StoredFile file) {
        long from = StoreCookie.block(piece.position());
        long to = StoreCookie.blockEnd(piece.position() + piece.length());
        int[] crcs = new int[(int) (to - from)];
        Termination termination;
        if (!isHeld(file, from, crcs)) {
            termination = failure("does not have it any more", null);
        } else {
            termination = readBlocks(piece, file, from, crcs);
        }
        boolean done = termination instanceof Termination.Done;
        parts.lock.lock();
        try {
            end(piece);
            file.reads--;
            parts.hits += done ? 1 : 0;
            parts.misses += done ? 0 : 1;
            parts.used(file);
        } finally {
            parts.lock.unlock();
        }
        piece.terminated(termination);
    }

    private boolean isHeld(StoredFile file, long from, int[] crcs) {
        parts.lock.lock();
        try {
            ContentMap map = file.map;
            return map != null && map.checksums(from, crcs, crcs.length);
        } finally {
            parts.lock.unlock();
        }
    }

    private Termination readBlocks(Subrequest piece, StoredFile file, long from, int[] crcs) {
        int bytes = crcs.length * BLOCK_BYTES;
        boolean whole = bytes == piece.length();
        ByteBuffer direct = whole ? inOneRun(piece) : null;
        ByteBuffer own = direct == null ? parts.memory.take(bytes) : null;
        try {
            ByteBuffer into = direct == null ? own : direct;
            long position = from << ContentMap.BLOCK_SHIFT;
            Disk.File data = parts.data(file, false);
            int count = into == null ? 0 : data.read(into.duplicate(), position);
            if (into == null || !fits(into, count, file, from, crcs)) {
                return failure("has lost or damaged it", null);
            }
            if (direct == null) {
                scatter(into, (int) (piece.position() - position), piece);
            }
            return Termination.DONE;
        } catch (NoSuchFileException e) {
            lost(file, from, crcs);
            return failure("has lost it", e);
        } catch (IOException | RuntimeException e) {
            parts.lock.lock();
            try {
                parts.health.failed();
            } finally {
                parts.lock.unlock();
            }
            return failure("cannot read", e);
        } finally {
            parts.memory.giveBack(own);
        }
    }

    /** Whether what was read is what was stored, and still counts; what is damaged does not. */
    private boolean fits(ByteBuffer read, int count, StoredFile file, long from, int[] crcs) {
        int[] found = new int[count / BLOCK_BYTES];
        checksums(read, file.seed, from, found);
        parts.lock.lock();
        try {
            parts.health.succeeded();
            ContentMap map = file.map;
            if (map == null || !map.holds(from, crcs, crcs.length)) {
                return false; // Dropped, or stored anew, meanwhile.
            }
            int bad = 0;
            for (int i = 0; i < crcs.length; i++) {
                if (i >= found.length || found[i] != crcs[i]) {
                    map.drop(from + i, from + i + 1);
                    bad++;
                }
            }
            if (bad > 0) {
                parts.badBlocks += bad;
                parts.index.update(file, map);
                parts.changed(file);
            }
            return bad == 0;
        } finally {
            parts.lock.unlock();
        }
    }

    /** The data file has gone. */
    private void lost(StoredFile file, long from, int[] crcs) {
        parts.lock.lock();
        try {
            ContentMap map = file.map;
            if (map != null && map.drop(from, from + crcs.length) > 0) {
                parts.index.update(file, map);
                parts.changed(file);
            }
        } finally {
            parts.lock.unlock();
        }
    }
}
