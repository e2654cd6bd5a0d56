// SPDX-License-Identifier: Apache-2.0
package io.netfs4j.fuse;

import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;

/**
 * The native memory that one thread builds one reply in: header, body, the list of what is sent,
 * and the place of errno. Replies with file data list the data's own memory, so that it is not
 * copied before the kernel takes it.
 *
 * <p><b>Threads</b>: one at a time.
 */
final class ReplyBuffer {
    /** Room for pages of a directory and for extended attributes. */
    static final int LARGE_BODY_BYTES = 64 << 10;

    /** Room for all other bodies, the longest of which is a symbolic link's target (PATH_MAX). */
    static final int SMALL_BODY_BYTES = 4096;

    /** Header, body and 1 MiB in pieces of 4 KiB, with room for two cut ones. */
    private static final int IOV_MAX = 260;

    private static final int IOV_BYTES = 16;

    private final MemorySegment header;
    private final MemorySegment body;
    private final ByteBuffer bodyBytes;
    private final MemorySegment iov;
    private final MemorySegment state;

    private int iovCount;
    private long length;

    ReplyBuffer(boolean large) {
        Arena arena = Arena.ofAuto();
        long bodyBytesMax = large ? LARGE_BODY_BYTES : SMALL_BODY_BYTES;
        MemorySegment all = arena.allocate(Wire.OUT_HEADER_BYTES + bodyBytesMax, 8);
        header = all.asSlice(0, Wire.OUT_HEADER_BYTES);
        body = all.asSlice(Wire.OUT_HEADER_BYTES);
        bodyBytes = body.asByteBuffer();
        iov = arena.allocate((long) IOV_MAX * IOV_BYTES, 8);
        state = Libc.allocateState(arena);
    }

    /** Whether the reply to such a request may need the large body. */
    static boolean isLarge(int opcode) {
        return opcode == Opcode.READDIR
                || opcode == Opcode.READDIRPLUS
                || opcode == Opcode.GETXATTR
                || opcode == Opcode.LISTXATTR;
    }

    boolean isLarge() {
        return body.byteSize() == LARGE_BODY_BYTES;
    }

    MemorySegment body() {
        return body;
    }

    /** The body from its beginning, for putting bytes. */
    ByteBuffer bodyBytes() {
        return bodyBytes.clear();
    }

    MemorySegment state() {
        return state;
    }

    /** Begins anew with a header and {@code bytes} of the body. */
    void start(int bytes) {
        iovCount = 0;
        length = 0;
        append(header.address(), Wire.OUT_HEADER_BYTES + (long) bytes);
    }

    /** Adds memory that stays valid until the reply is sent; false when the list is full. */
    boolean append(long address, long bytes) {
        if (iovCount == IOV_MAX) {
            return false;
        }
        long at = (long) iovCount * IOV_BYTES;
        iov.set(JAVA_LONG, at, address);
        iov.set(JAVA_LONG, at + 8, bytes);
        iovCount++;
        length += bytes;
        return true;
    }

    /**
     * Sends what was started and appended.
     *
     * @param error the negative errno of a reply, 0 for success, or the code of a notification
     * @return 0, or the negative errno of the write
     */
    int send(FuseDevice device, long unique, int error) {
        Wire.u32(header, Wire.OUT_HEADER_LEN, (int) length);
        Wire.u32(header, Wire.OUT_HEADER_ERROR, error);
        Wire.u64(header, Wire.OUT_HEADER_UNIQUE, unique);
        long sent = device.write(state, iov, iovCount);
        return sent < 0 ? (int) sent : 0;
    }
}
