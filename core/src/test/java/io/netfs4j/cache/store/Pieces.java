// SPDX-License-Identifier: Apache-2.0
package io.netfs4j.cache.store;

import io.netfs4j.base.Segment;
import io.netfs4j.cache.Cookie;
import io.netfs4j.request.Destination;
import io.netfs4j.request.Subrequest;
import io.netfs4j.request.Termination;

import org.jspecify.annotations.Nullable;

import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.SplittableRandom;

/** Pieces as an engine offers them: in memory of several segments, none of which it may keep. */
final class Pieces {
    private final SplittableRandom random;
    private int number;

    /** Pieces that were taken and have not ended. */
    int inFlight;

    /** Refusals after which nobody was told yet that another offer may be made. */
    int refused;

    Pieces(long seed) {
        random = new SplittableRandom(seed);
    }

    /** How one ended. */
    static final class Piece {
        final long position;
        final byte[] bytes;
        private final List<Segment> segments = new ArrayList<>();
        @Nullable Termination end;
        Runnable onEnd = () -> {};

        Piece(long position, byte[] bytes) {
            this.position = position;
            this.bytes = bytes;
        }

        boolean isDone() {
            return end instanceof Termination.Done;
        }
    }

    /** Stores bytes; null when that was refused. What was taken may be less. */
    @Nullable Piece store(Cookie cookie, long position, byte[] bytes) {
        return offer(cookie.writes(), Subrequest.Direction.WRITE, position, bytes);
    }

    /** Reads bytes; null when that was refused. */
    @Nullable Piece load(Cookie cookie, long position, int count) {
        return offer(cookie.reads(), Subrequest.Direction.READ, position, new byte[count]);
    }

    private @Nullable Piece offer(
            Destination to, Subrequest.Direction direction, long position, byte[] bytes) {
        boolean write = direction == Subrequest.Direction.WRITE;
        Piece[] made = new Piece[1];
        Piece whole = new Piece(position, bytes);
        cut(whole);
        Subrequest subrequest =
                new Subrequest(
                        1,
                        number++,
                        direction,
                        position,
                        whole.segments,
                        (sub, end) -> {
                            Piece piece = made[0];
                            if (piece == null || piece.end != null) {
                                throw new AssertionError("ends out of turn: " + sub);
                            }
                            inFlight--;
                            piece.end = end;
                            ended(piece, whole.segments, write);
                        });
        int[] calls = new int[1];
        boolean taken =
                to.issue(
                        subrequest,
                        () -> {
                            refused--;
                            if (calls[0]++ > 0) {
                                throw new AssertionError("told twice that it is ready");
                            }
                        });
        if (!taken) {
            refused++;
            return null;
        }
        inFlight++;
        made[0] = new Piece(position, Arrays.copyOf(bytes, (int) subrequest.length()));
        return made[0];
    }

    private void cut(Piece piece) {
        for (int at = 0; at < piece.bytes.length; ) {
            int count =
                    random.nextBoolean()
                            ? piece.bytes.length - at
                            : 1 + random.nextInt(piece.bytes.length - at);
            int before = random.nextInt(20);
            ByteBuffer memory =
                    random.nextBoolean()
                            ? ByteBuffer.allocate(before + count + 7)
                            : ByteBuffer.allocateDirect(before + count + 7);
            memory.put(before, piece.bytes, at, count);
            piece.segments.add(new Segment(memory, before, count));
            at += count;
        }
    }

    /** What was read is looked at; then the memory is somebody else's. */
    private static void ended(Piece piece, List<Segment> segments, boolean write) {
        int at = 0;
        for (Segment s : segments) {
            int count = Math.min(s.length(), piece.bytes.length - at);
            if (!write && count > 0) {
                s.memory().get(s.offset(), piece.bytes, at, count);
            }
            at += count;
            for (int i = 0; i < s.memory().capacity(); i++) {
                s.memory().put(i, (byte) 0x5A);
            }
        }
        piece.onEnd.run();
    }
}
