// SPDX-License-Identifier: Apache-2.0
package io.netfs4j.cache.store;

import io.netfs4j.base.Disk;
import io.netfs4j.base.FsError;
import io.netfs4j.base.FsException;
import io.netfs4j.base.GuardedBy;
import io.netfs4j.base.Segment;
import io.netfs4j.base.SystemErrors;
import io.netfs4j.cache.Journalled;
import io.netfs4j.cache.store.StoreSegments.Adopted;
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
 * number of blocks it has, but for blocks that lie in a journal's segments: those are read stretch
 * by stretch, and are not written at all where the store has that segment already.
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
    private final @Nullable Journalled journal;

    /**
     * @param journal of what is stored it may have some; null when it has not
     */
    StoreTransfers(
            StoreParts parts, StoreCookie cookie, boolean write, @Nullable Journalled journal) {
        this.parts = parts;
        this.cookie = cookie;
        this.write = write;
        this.journal = journal;
    }

    @Override
    public int estimateBytes(long position) {
        return PIECE_BYTES_MAX;
    }

    @Override
    public boolean issue(Subrequest offer, Runnable whenReady) {
        long most = Math.min(offer.length(), PIECE_BYTES_MAX);
        Journalled from = parts.segments.areRefused() ? null : journal;
        Run run = write ? Run.of(from, offer.position(), most) : null;
        boolean taken;
        parts.lock.lock();
        try {
            taken =
                    !cookie.isClosed()
                            && !parts.health.isOff()
                            && hasCredit(most)
                            && (run == null ? beginRead(offer, most) : beginWrite(offer, run));
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

    /**
     * Blocks side by side that one segment of the journal has, or none.
     *
     * @param segment {@link Journalled#NOWHERE} for none
     * @param positions of each in the segment
     */
    private record Run(int blocks, long segment, int[] positions) {
        private static final Run NONE = new Run(0, Journalled.NOWHERE, new int[0]);

        /** The first of so many bytes. */
        static Run of(@Nullable Journalled journal, long position, long bytes) {
            int count = (int) (bytes / BLOCK_BYTES);
            if (count == 0 || position % BLOCK_BYTES != 0) {
                return NONE;
            }
            if (journal == null) {
                return new Run(count, Journalled.NOWHERE, NONE.positions);
            }
            long[] segments = new long[count];
            int[] positions = new int[count];
            journal.find(position, BLOCK_BYTES, segments, positions);
            int same = 1;
            while (same < count && segments[same] == segments[0]) {
                same++;
            }
            return new Run(same, segments[0], positions);
        }
    }

    @GuardedBy("parts.lock")
    private boolean beginWrite(Subrequest offer, Run run) {
        StoredFile file = cookie.file;
        ContentMap map = file.map;
        long from = StoreCookie.block(offer.position());
        long to = from + run.blocks;
        if (map == null || run.blocks == 0 || file.isWritten(from, to)) {
            return false;
        }
        Adopted segment = run.segment == Journalled.NOWHERE ? null : adopt(file, run);
        long more = segment == null ? map.unallocated(from, to) * BLOCK_BYTES : 0;
        if (segment == null && !parts.space.admits(file, more)) {
            return false;
        }
        begin(offer, (long) run.blocks * BLOCK_BYTES);
        map.drop(from, to);
        if (segment == null) {
            map.allocate(from, to);
            parts.space.take(more);
        }
        parts.index.update(file, map);
        parts.changed(file);
        StoredFile.Writing writing = new StoredFile.Writing(from, to);
        file.writings.add(writing);
        fork(() -> write(offer, file, writing, run, segment));
        return true;
    }

    @GuardedBy("parts.lock")
    private @Nullable Adopted adopt(StoredFile file, Run run) {
        Journalled from = journal;
        if (from == null || !parts.segments.areTaken()) {
            return null;
        }
        long bytes = (long) run.blocks * BLOCK_BYTES;
        long more = parts.segments.moreBytes(run.segment, from);
        if (!parts.space.admitsIn(file, bytes, more)) {
            return null;
        }
        Adopted segment = parts.segments.begin(run.segment, from, parts.index);
        if (segment != null) {
            parts.space.take(more);
        }
        return segment;
    }

    private void write(
            Subrequest piece,
            StoredFile file,
            StoredFile.Writing writing,
            Run run,
            @Nullable Adopted segment) {
        int[] crcs = new int[(int) (writing.to - writing.from)];
        boolean linked = false;
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
            linked = segment != null && isLinked(segment);
            boolean writes = !linked && (segment == null || isAllocated(file, writing));
            if (writes) {
                parts.data(file, true).write(bytes, piece.position());
            }
        } catch (IOException | RuntimeException e) {
            failure = e;
        }
        parts.memory.giveBack(own);
        parts.lock.lock();
        try {
            end(piece);
            file.writings.remove(writing);
            long[] places = linked && segment != null ? places(run, segment) : null;
            boolean held = written(file, writing, crcs, places, failure);
            if (segment != null) {
                parts.segments.ended(segment, held && linked ? crcs.length : 0);
            }
            parts.used(file);
        } finally {
            parts.lock.unlock();
        }
        piece.terminated(failure == null ? Termination.DONE : failure("cannot store", failure));
    }

    /** Has the store's name for a segment there; false where it cannot be had. */
    private boolean isLinked(Adopted segment) {
        Journalled from = journal;
        try {
            if (from != null) {
                parts.segments.link(segment, from);
            }
            return from != null;
        } catch (IOException | RuntimeException e) {
            return false; // It is gone by now, or on another disk: the bytes are written then.
        }
    }

    /** Gets space for what was to need none; false where it comes to nothing anyway. */
    private boolean isAllocated(StoredFile file, StoredFile.Writing writing) throws IOException {
        parts.lock.lock();
        try {
            ContentMap map = file.map;
            if (map == null || writing.dropped) {
                return false;
            }
            long more = map.unallocated(writing.from, writing.to) * BLOCK_BYTES;
            if (!parts.space.admits(file, more)) {
                throw new NoRoomException();
            }
            map.allocate(writing.from, writing.to);
            parts.space.take(more);
            parts.index.update(file, map);
            return true;
        } finally {
            parts.lock.unlock();
        }
    }

    /** The disk has not failed: it was not asked. */
    private static final class NoRoomException extends IOException {
        private static final long serialVersionUID = 1L;

        NoRoomException() {
            super("there is no room for it");
        }
    }

    private static long[] places(Run run, Adopted segment) {
        long[] places = new long[run.blocks];
        for (int i = 0; i < places.length; i++) {
            places[i] = ContentMap.place(segment.number, run.positions[i]);
        }
        return places;
    }

    /** Returns whether its blocks are held from now on. */
    @GuardedBy("parts.lock")
    private boolean written(
            StoredFile file,
            StoredFile.Writing writing,
            int[] crcs,
            long @Nullable [] places,
            @Nullable Exception failure) {
        if (failure != null) {
            if (!(failure instanceof NoRoomException)) {
                parts.health.failed();
            }
            if (SystemErrors.isFull(failure)) {
                parts.space.isFull();
            }
            return false;
        }
        parts.health.succeeded();
        long bytes = (long) crcs.length * BLOCK_BYTES;
        parts.storedBytes += places == null ? bytes : 0;
        parts.adoptedBytes += places == null ? 0 : bytes;
        ContentMap map = file.map;
        if (writing.dropped || map == null) {
            return false;
        }
        map.hold(writing.from, crcs, places, crcs.length);
        parts.index.update(file, map);
        parts.changed(file);
        return true;
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
        long[] places = new long[crcs.length];
        Termination termination;
        if (!isHeld(file, from, crcs, places)) {
            termination = failure("does not have it any more", null);
        } else {
            termination = readBlocks(piece, file, from, crcs, places);
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

    private boolean isHeld(StoredFile file, long from, int[] crcs, long[] places) {
        parts.lock.lock();
        try {
            ContentMap map = file.map;
            return map != null && map.find(from, crcs, places, crcs.length);
        } finally {
            parts.lock.unlock();
        }
    }

    private Termination readBlocks(
            Subrequest piece, StoredFile file, long from, int[] crcs, long[] places) {
        int bytes = crcs.length * BLOCK_BYTES;
        boolean whole = bytes == piece.length();
        ByteBuffer direct = whole ? inOneRun(piece) : null;
        ByteBuffer own = direct == null ? parts.memory.take(bytes) : null;
        try {
            ByteBuffer into = direct == null ? own : direct;
            long position = from << ContentMap.BLOCK_SHIFT;
            if (into == null || !isRead(into, file, from, crcs, places)) {
                return failure("has lost or damaged it", null);
            }
            if (direct == null) {
                scatter(into, (int) (piece.position() - position), piece);
            }
            return Termination.DONE;
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

    /** Reads blocks from wherever they lie, those that lie side by side at once. */
    private boolean isRead(ByteBuffer into, StoredFile file, long from, int[] crcs, long[] places)
            throws IOException {
        int start = into.position();
        for (int at = 0; at < places.length; ) {
            int end = at + 1;
            while (end < places.length && places[end] == following(places[end - 1])) {
                end++;
            }
            ByteBuffer part = into.duplicate().limit(start + end * BLOCK_BYTES);
            part.position(start + at * BLOCK_BYTES);
            try {
                readRun(part, file, from + at, places[at]);
            } catch (NoSuchFileException e) {
                lost(file, from + at, end - at);
                return false;
            }
            while (part.hasRemaining()) {
                part.put(
                        (byte) 0); // The file was cut short; that fits no checksum but a right one.
            }
            at = end;
        }
        return fits(into, crcs.length * BLOCK_BYTES, file, from, crcs);
    }

    private static long following(long place) {
        return place == ContentMap.OWN ? ContentMap.OWN : place + BLOCK_BYTES;
    }

    private void readRun(ByteBuffer part, StoredFile file, long block, long place)
            throws IOException {
        if (place == ContentMap.OWN) {
            parts.data(file, false).read(part, block << ContentMap.BLOCK_SHIFT);
            return;
        }
        try (Disk.File segment = parts.files.openSegment(ContentMap.segment(place))) {
            segment.read(part, ContentMap.position(place));
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

    /** The file that they were in has gone. */
    private void lost(StoredFile file, long from, int count) {
        parts.lock.lock();
        try {
            ContentMap map = file.map;
            if (map != null && map.drop(from, from + count) > 0) {
                parts.index.update(file, map);
                parts.changed(file);
            }
        } finally {
            parts.lock.unlock();
        }
    }
}
