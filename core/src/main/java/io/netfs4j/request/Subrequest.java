// SPDX-License-Identifier: Apache-2.0
package io.netfs4j.request;

import io.netfs4j.base.FsError;
import io.netfs4j.base.FsException;
import io.netfs4j.base.Segment;

import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * One piece of a stream: a position in the file, a length, and the memory that holds (or, for a
 * read, receives) the bytes. A new subrequest is made for each attempt.
 *
 * <pre>
 *   OFFERED --take--> TAKEN --terminated--> TERMINATED
 * </pre>
 *
 * <p><b>Threads</b>: {@link #take} on the thread that was offered it, inside {@link
 * Destination#issue}; {@link #terminated} on any thread.
 */
public final class Subrequest {
    /** Who wants to know how it ended. Called on the terminating thread; must not wait. */
    public interface Listener {
        void onTerminated(Subrequest subrequest, Termination termination);
    }

    /** What a subrequest does. */
    public enum Direction {
        READ,
        WRITE
    }

    private static final int OFFERED = 0;
    private static final int TAKEN = 1;
    private static final int TERMINATED = 2;

    private final int request;
    private final int number;
    private final Direction direction;
    private final long position;
    private final List<Segment> segments;
    private final Listener listener;
    private final AtomicInteger state = new AtomicInteger(OFFERED);

    /** Set by {@link #take}; before that, the length offered. Published by the state's write. */
    private long length;

    /**
     * @param request the number of the request that it is of
     * @param number its own, in that request
     */
    public Subrequest(
            int request,
            int number,
            Direction direction,
            long position,
            List<Segment> segments,
            Listener listener) {
        this.request = request;
        this.number = number;
        this.direction = direction;
        this.position = position;
        this.segments = segments;
        this.listener = listener;
        long sum = 0;
        for (int i = 0; i < segments.size(); i++) {
            sum += segments.get(i).length();
        }
        this.length = sum;
    }

    /** Such as {@code R=0000002a[3]}: request and number, as in traces. */
    public String debugId() {
        return String.format("R=%08x[%d]", request, number);
    }

    /** The number of its request, which is its mount's alone. */
    public int request() {
        return request;
    }

    public Direction direction() {
        return direction;
    }

    /** The position in the file of the first byte. */
    public long position() {
        return position;
    }

    /** How many bytes: what was offered, and after {@link #take} what was taken. */
    public long length() {
        return length;
    }

    /**
     * The memory offered, in file order. After {@link #take} only the first {@link #length} bytes.
     */
    public List<Segment> segments() {
        return segments;
    }

    /**
     * Takes the first {@code bytes} bytes of what was offered.
     *
     * @throws IllegalStateException when called twice, or with less than 1 or more than offered
     */
    public void take(long bytes) {
        if (bytes < 1 || bytes > length) {
            throw new IllegalStateException(debugId() + ": takes " + bytes + " of " + length);
        }
        length = bytes;
        if (!state.compareAndSet(OFFERED, TAKEN)) {
            throw new IllegalStateException(debugId() + ": taken twice");
        }
    }

    /** Whether {@link #take} was called. */
    public boolean isTaken() {
        return state.get() != OFFERED;
    }

    /**
     * Ends the attempt. The memory must not be touched afterwards. A termination whose numbers
     * cannot be true is turned into a failure: a back end that miscounts must not make us lose
     * bytes.
     *
     * @return false when it had been terminated before; then this call changed nothing
     */
    public boolean terminated(Termination termination) {
        // Without a take, what was offered counts as taken: a back end that ends a piece at once
        // need not say so twice.
        if (!state.compareAndSet(TAKEN, TERMINATED) && !state.compareAndSet(OFFERED, TERMINATED)) {
            return false;
        }
        listener.onTerminated(this, checked(termination));
        return true;
    }

    private Termination checked(Termination t) {
        return switch (t) {
            case null ->
                    new Termination.Failed(
                            new FsException(FsError.EPROTO, debugId() + " ends with nothing"));
            case Termination.Short(long n) when n == length -> Termination.DONE;
            case Termination.Short(long n) when n < 1 || n > length -> miscounted(n);
            case Termination.EndOfFile(long n)
                    when n < 0 || n > length || direction == Direction.WRITE ->
                    miscounted(n);
            default -> t;
        };
    }

    private Termination miscounted(long n) {
        return new Termination.Failed(
                new FsException(FsError.EPROTO, debugId() + ": " + n + " bytes of " + length));
    }

    /**
     * Copies bytes of the piece into an array.
     *
     * @param offset from the beginning of the piece
     */
    public void copyOut(long offset, byte[] target, int at, int count) {
        walk(offset, at, count, (s, in, to, n) -> s.memory().get(in, target, to, n));
    }

    /**
     * Copies bytes from an array into the piece (for reads).
     *
     * @param offset from the beginning of the piece
     */
    public void copyIn(long offset, byte[] source, int at, int count) {
        walk(offset, at, count, (s, in, from, n) -> s.memory().put(in, source, from, n));
    }

    /** Copies one run between a segment's memory and an array. */
    private interface Copier {
        void copy(Segment segment, int inMemory, int inArray, int count);
    }

    private void walk(long offset, int at, int count, Copier copier) {
        long skip = offset;
        int array = at;
        int left = count;
        for (int i = 0; left > 0; i++) {
            Segment s = segments.get(i);
            if (skip >= s.length()) {
                skip -= s.length();
                continue;
            }
            int n = (int) Math.min(left, s.length() - skip);
            copier.copy(s, s.offset() + (int) skip, array, n);
            skip = 0;
            array += n;
            left -= n;
        }
    }

    @Override
    public String toString() {
        return debugId() + " " + direction + " [" + position + ", " + (position + length) + ")";
    }
}
