// SPDX-License-Identifier: Apache-2.0
package io.netfs4j.fuse;

import io.netfs4j.base.FsError;
import io.netfs4j.base.FsException;
import io.netfs4j.base.Names;
import io.netfs4j.base.Segment;

import org.jspecify.annotations.Nullable;

import java.lang.System.Logger;
import java.lang.System.Logger.Level;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteBuffer;
import java.util.List;

/**
 * One request of the kernel and its one reply.
 *
 * <p><b>Ownership</b>: of the thread that handles it, until the handler returns. A reader uses one
 * object for all its requests; {@link #detach} makes an own one for a request that has to wait.
 *
 * <p><b>Errors</b>: a second reply is refused with IllegalStateException before it is sent.
 */
final class FuseRequest {
    private static final Logger LOG = System.getLogger(FuseRequest.class.getName());

    private final FuseDevice device;
    private final ReplyBuffer out;
    private MemorySegment memory = MemorySegment.NULL;
    private @Nullable RequestBuffer buffer;
    private ReadsInHand.@Nullable Count reads;
    private long countedNanos;
    private boolean replied;

    /* The header, copied out of memory. */
    private int length;
    private int opcode;
    private long unique;
    private long nodeId;

    FuseRequest(FuseDevice device, ReplyBuffer out) {
        this.device = device;
        this.out = out;
    }

    /** Makes this the request that was just read. */
    void begin(RequestBuffer readInto, int bytes) {
        begin(readInto.memory(), readInto, bytes);
    }

    private void begin(MemorySegment from, @Nullable RequestBuffer readInto, int bytes) {
        memory = from;
        buffer = readInto;
        reads = null;
        replied = false;
        length = bytes;
        opcode = Wire.u32(from, Wire.IN_HEADER_OPCODE);
        unique = Wire.u64(from, Wire.IN_HEADER_UNIQUE);
        nodeId = Wire.u64(from, Wire.IN_HEADER_NODEID);
    }

    /** The same request in memory of its own: copied to the heap, or in {@code target} if given. */
    FuseRequest detach(@Nullable RequestBuffer target, ReplyBuffer reply) {
        FuseRequest own = new FuseRequest(device, reply);
        if (target == null) {
            byte[] copy = memory.asSlice(0, length).toArray(ValueLayout.JAVA_BYTE);
            own.begin(MemorySegment.ofArray(copy), null, length);
        } else {
            if (target != buffer) {
                MemorySegment.copy(memory, 0, target.memory(), 0, length);
            }
            own.begin(target.memory(), target, length);
        }
        own.reads = reads;
        own.countedNanos = countedNanos;
        return own;
    }

    /** Counts this among the reads of a file until {@link #ended}. */
    void countsAmong(ReadsInHand.Count readsOfFile) {
        reads = readsOfFile;
        countedNanos = System.nanoTime();
        readsOfFile.began();
    }

    /** When it was counted, as {@link System#nanoTime} has it. */
    long countedNanos() {
        return countedNanos;
    }

    /** It is answered, or never will be. Called once, for the request or what was detached. */
    void ended() {
        ReadsInHand.Count counted = reads;
        if (counted != null) {
            reads = null;
            counted.answered();
        }
    }

    FuseDevice device() {
        return device;
    }

    @Nullable RequestBuffer buffer() {
        return buffer;
    }

    ReplyBuffer answeredIn() {
        return out;
    }

    boolean replied() {
        return replied;
    }

    /** Which request: a number of {@link Opcode}. */
    int opcode() {
        return opcode;
    }

    /** The kernel's number of this request. */
    long unique() {
        return unique;
    }

    /** The inode that it is about. */
    long nodeId() {
        return nodeId;
    }

    /** How many bytes follow the header. */
    int argumentBytes() {
        return length - Wire.IN_HEADER_BYTES;
    }

    /** A number of the arguments, at a byte offset after the header. */
    int u32(int offset) {
        return Wire.u32(memory, Wire.IN_HEADER_BYTES + (long) offset);
    }

    /** A number of the arguments, at a byte offset after the header. */
    long u64(int offset) {
        return Wire.u64(memory, Wire.IN_HEADER_BYTES + (long) offset);
    }

    /**
     * The NUL-terminated name at a byte offset after the header.
     *
     * @throws FsException ENAMETOOLONG past 255 bytes, which the kernel leaves to us
     */
    String name(int offset) throws FsException {
        int bytes = nameBytes(offset);
        if (bytes > Names.NAME_BYTES_MAX) {
            throw new FsException(FsError.ENAMETOOLONG, "a name of " + bytes + " bytes");
        }
        return Names.decode(bytes(offset, bytes));
    }

    /** Where the name at an offset ends and what follows it begins. */
    int after(int offset) {
        return offset + nameBytes(offset) + 1;
    }

    /** A NUL-terminated text that may be longer than a name: the target of a symbolic link. */
    String text(int offset) {
        return Names.decode(bytes(offset, nameBytes(offset)));
    }

    int nameBytes(int offset) {
        int from = Wire.IN_HEADER_BYTES + offset;
        for (int i = from; i < length; i++) {
            if (memory.get(ValueLayout.JAVA_BYTE, i) == 0) {
                return i - from;
            }
        }
        return length - from;
    }

    byte[] bytes(int offset, int count) {
        return memory.asSlice(Wire.IN_HEADER_BYTES + (long) offset, count)
                .toArray(ValueLayout.JAVA_BYTE);
    }

    /**
     * The data of a write, off the heap and page aligned. Valid until the handler returns.
     *
     * @param count at most what the kernel sent
     */
    ByteBuffer payload(int count) throws FsException {
        if (buffer == null || count < 0 || count > argumentBytes() - Wire.WRITE_IN_BYTES) {
            throw new FsException(FsError.EINVAL, "a write of " + count + " bytes without them");
        }
        return buffer.payload().clear().limit(count);
    }

    /** Where a reply is put together before {@link #reply}; its size is {@link ReplyBuffer}'s. */
    MemorySegment body() {
        return out.body();
    }

    ByteBuffer bodyBytes() {
        return out.bodyBytes();
    }

    /** Replies success without a word. */
    boolean replyEmpty() {
        out.start(0);
        return send(0);
    }

    /**
     * Replies success with the first bytes of {@link #body}.
     *
     * @return false when the kernel no longer waits for it (the call was interrupted): what the
     *     reply handed out must then be taken back
     */
    boolean reply(int bodyBytes) {
        out.start(bodyBytes);
        return send(0);
    }

    /** Replies with the bytes themselves, without copying them; they must be direct memory. */
    boolean replySegments(List<Segment> segments) {
        out.start(0);
        for (int i = 0; i < segments.size(); i++) {
            Segment segment = segments.get(i);
            long address = MemorySegment.ofBuffer(segment.view()).address();
            if (!out.append(address, segment.length())) {
                throw new IllegalStateException("more than 1 MiB, or in too many pieces");
            }
        }
        return send(0);
    }

    /** Replies with the remaining bytes of direct memory, without copying them. */
    boolean replyDirect(ByteBuffer data) {
        out.start(0);
        if (data.hasRemaining()) {
            out.append(MemorySegment.ofBuffer(data).address(), data.remaining());
        }
        return send(0);
    }

    /** Replies with an error. */
    void replyError(FsError error) {
        replyErrno(error.errno());
    }

    /** Replies with an error by number. */
    void replyErrno(int errno) {
        out.start(0);
        send(-errno);
    }

    private boolean send(int error) {
        if (replied) {
            throw new IllegalStateException(this + " was answered before");
        }
        replied = true;
        int result = out.send(device, unique, error);
        if (result == 0) {
            return true;
        }
        boolean gone =
                result == -Libc.ENOENT
                        || result == -Libc.ENODEV
                        || result == -Libc.ECONNABORTED
                        || result == -Libc.ENOTCONN;
        if (!gone) {
            LOG.log(Level.ERROR, "the kernel refused the reply to {0}: errno {1}", this, -result);
        }
        return false;
    }

    @Override
    public String toString() {
        return "request " + unique + " (opcode " + opcode + ", inode " + nodeId + ")";
    }
}
