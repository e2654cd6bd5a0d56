// SPDX-License-Identifier: Apache-2.0
package io.netfs4j.testing;

import io.netfs4j.base.Completion;
import io.netfs4j.base.FsError;
import io.netfs4j.base.FsException;
import io.netfs4j.base.Segment;
import io.netfs4j.base.Waits;
import io.netfs4j.request.Destination;
import io.netfs4j.request.Subrequest;
import io.netfs4j.request.Termination;
import io.netfs4j.server.AttributeChange;
import io.netfs4j.server.ServerAttributes;
import io.netfs4j.server.ServerFile;
import io.netfs4j.server.WriteSession;

import org.jspecify.annotations.Nullable;

import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * Moves bytes to and from a {@link ServerFile} one piece at a time, as the engine does many at
 * once, and checks the back end's side of the bargain: what is taken, and how often it ends.
 */
public final class Transfers {
    /** Answers without progress before it gives up. */
    private static final int ATTEMPTS_MAX = 100;

    private final Waits waits;
    private final @Nullable Runnable pause;
    private final AtomicInteger pieces = new AtomicInteger();
    private final AtomicInteger sentBack = new AtomicInteger();

    public Transfers(Waits waits) {
        this(waits, null);
    }

    /**
     * @param pause what to do between attempts, of which there is then no end
     */
    public Transfers(Waits waits, @Nullable Runnable pause) {
        this.waits = waits;
        this.pause = pause;
    }

    /** How many pieces were to be sent again. */
    public int sentBack() {
        return sentBack.get();
    }

    /** Writes and commits. */
    public ServerAttributes write(ServerFile file, long position, byte[] bytes) throws FsException {
        WriteSession session = file.begin(null);
        put(session, position, bytes);
        return commit(session);
    }

    public ServerAttributes commit(WriteSession session) throws FsException {
        Completion<ServerAttributes> done = new Completion<>();
        session.commit(AttributeChange.NONE, done);
        return waits.await(done);
    }

    public void sync(ServerFile file) throws FsException {
        Completion<@Nullable Void> done = new Completion<>();
        file.sync(done);
        waits.await(done);
    }

    /** Sends all the bytes, following short writes. */
    public void put(Destination to, long position, byte[] bytes) throws FsException {
        int attempts = 0;
        for (int done = 0; done < bytes.length; ) {
            byte[] rest = Arrays.copyOfRange(bytes, done, bytes.length);
            Ended ended = piece(to, Subrequest.Direction.WRITE, position + done, segments(rest));
            int before = done;
            switch (ended.termination) {
                case Termination.Done d -> done += (int) ended.piece.length();
                case Termination.Short(long n) -> done += (int) n;
                case Termination.RetryLater later -> retry(++attempts, later.cause());
                case Termination.Failed(FsException cause) -> throw cause.copy();
                case Termination.Conflict(FsException cause) -> throw cause.copy();
                case Termination.EndOfFile e -> throw new AssertionError("end of a write");
            }
            attempts = done > before ? 0 : attempts;
        }
    }

    /** Asks for that many bytes; returns fewer only at the end of the file. */
    public byte[] get(ServerFile file, long position, int count) throws FsException {
        byte[] result = new byte[count];
        int attempts = 0;
        for (int done = 0; done < count; ) {
            List<Segment> room = segments(new byte[count - done]);
            Ended ended = piece(file.reads(), Subrequest.Direction.READ, position + done, room);
            int got = 0;
            boolean end = false;
            switch (ended.termination) {
                case Termination.Done d -> got = (int) ended.piece.length();
                case Termination.Short(long n) -> got = (int) n;
                case Termination.EndOfFile(long n) -> {
                    got = (int) n;
                    end = true;
                }
                case Termination.RetryLater later -> retry(++attempts, later.cause());
                case Termination.Failed(FsException cause) -> throw cause.copy();
                case Termination.Conflict(FsException cause) -> throw cause.copy();
            }
            copy(room, result, done, got);
            done += got;
            attempts = got > 0 ? 0 : attempts;
            if (end) {
                return Arrays.copyOf(result, done);
            }
        }
        return result;
    }

    /** One piece and how it ended. */
    public record Ended(Subrequest piece, Termination termination) {}

    /** Offers a piece until it is taken and waits for its one end. */
    public Ended piece(
            Destination to, Subrequest.Direction direction, long position, List<Segment> segments)
            throws FsException {
        Completion<Termination> end = new Completion<>();
        Subrequest piece =
                new Subrequest(
                        0,
                        pieces.incrementAndGet(),
                        direction,
                        position,
                        segments,
                        (s, t) -> end.complete(t));
        while (true) {
            Completion<@Nullable Void> ready = new Completion<>();
            if (to.issue(piece, () -> ready.complete(null))) {
                break;
            }
            if (piece.isTaken()) {
                throw new AssertionError("taken, yet not accepted");
            }
            waits.await(ready);
        }
        if (!piece.isTaken()) {
            throw new AssertionError("accepted, yet not taken");
        }
        return new Ended(piece, waits.await(end));
    }

    /** The bytes as segments of uneven lengths, off the heap as the page cache's are. */
    public static List<Segment> segments(byte[] bytes) {
        List<Segment> result = new ArrayList<>();
        int length = 1000;
        for (int at = 0; at < bytes.length; at += length, length = length * 3 + 1) {
            int n = Math.min(length, bytes.length - at);
            ByteBuffer memory = ByteBuffer.allocateDirect(n + 16);
            memory.put(8, bytes, at, n);
            result.add(new Segment(memory, 8, n));
        }
        return result;
    }

    private static void copy(List<Segment> from, byte[] to, int at, int count) {
        int left = count;
        int position = at;
        for (Segment s : from) {
            int n = Math.min(left, s.length());
            s.memory().get(s.offset(), to, position, n);
            position += n;
            left -= n;
        }
    }

    private void retry(int attempts, FsException cause) throws FsException {
        sentBack.incrementAndGet();
        if (pause != null) {
            pause.run();
        } else if (attempts > ATTEMPTS_MAX) {
            throw new FsException(FsError.EIO, "no progress: " + cause.getMessage(), cause);
        }
    }
}
