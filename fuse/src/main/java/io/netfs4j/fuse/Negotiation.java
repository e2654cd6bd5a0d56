// SPDX-License-Identifier: Apache-2.0
package io.netfs4j.fuse;

import io.netfs4j.base.FsError;
import io.netfs4j.base.FsException;

import org.jspecify.annotations.Nullable;

import java.lang.foreign.MemorySegment;

/**
 * The INIT exchange: what the kernel offers, what we take, and the sizes both keep to.
 *
 * <p>Left out on purpose: POSIX_LOCKS and FLOCK_LOCKS (the kernel then keeps locks itself, among
 * the processes of this machine), POSIX_ACL, EXPORT_SUPPORT, SECURITY_CTX, splice (a reply out of
 * our memory by writev is as fast), NO_OPEN_SUPPORT and NO_OPENDIR_SUPPORT (an open is where files
 * are revalidated), PASSTHROUGH and DONT_MASK (without access lists the kernel's own umask is
 * right). AUTO_INVAL_DATA is left out for EXPLICIT_INVAL_DATA: our own writes move the modification
 * time, and the kernel would throw its pages away after each; changes made elsewhere it is told of.
 */
final class Negotiation {
    static final long ASYNC_READ = 1L << 0;
    static final long ATOMIC_O_TRUNC = 1L << 3;
    static final long BIG_WRITES = 1L << 5;
    static final long AUTO_INVAL_DATA = 1L << 12;
    static final long DO_READDIRPLUS = 1L << 13;
    static final long READDIRPLUS_AUTO = 1L << 14;
    static final long ASYNC_DIO = 1L << 15;
    static final long WRITEBACK_CACHE = 1L << 16;
    static final long PARALLEL_DIROPS = 1L << 18;
    static final long ABORT_ERROR = 1L << 21;
    static final long MAX_PAGES = 1L << 22;
    static final long CACHE_SYMLINKS = 1L << 23;
    static final long EXPLICIT_INVAL_DATA = 1L << 25;
    static final long HANDLE_KILLPRIV_V2 = 1L << 28;
    static final long INIT_EXT = 1L << 30;
    static final long DIRECT_IO_ALLOW_MMAP = 1L << 36;

    private static final long WANTED =
            ASYNC_READ
                    | ATOMIC_O_TRUNC
                    | BIG_WRITES
                    | DO_READDIRPLUS
                    | READDIRPLUS_AUTO
                    | ASYNC_DIO
                    | PARALLEL_DIROPS
                    | ABORT_ERROR
                    | MAX_PAGES
                    | CACHE_SYMLINKS
                    | HANDLE_KILLPRIV_V2
                    | INIT_EXT
                    | DIRECT_IO_ALLOW_MMAP;

    /** The oldest protocol that has the fields we rely on: FUSE_INIT with max_pages, Linux 4.20. */
    private static final int MINOR_MIN = 28;

    /** The first protocol with FUSE_NOTIFY_INC_EPOCH. */
    private static final int MINOR_WITH_EPOCH = 44;

    /** Asynchronous requests (readahead, direct I/O) that the kernel may have outstanding. */
    private static final int BACKGROUND_MAX = 64;

    /** Three quarters of {@link #BACKGROUND_MAX}: from here on the kernel slows readahead down. */
    private static final int CONGESTION_THRESHOLD = 48;

    private static final int READAHEAD_BYTES = 1 << 20;
    private static final int PAGE_BYTES = 4096;
    private static final int TIME_GRANULARITY_NANOS = 1;

    /**
     * What both sides keep to.
     *
     * @param minor of the protocol
     * @param flags FUSE_* bits that are on
     */
    record Agreement(int minor, long flags) {
        boolean has(long flag) {
            return (flags & flag) != 0;
        }

        boolean hasEpoch() {
            return minor >= MINOR_WITH_EPOCH;
        }
    }

    private Negotiation() {}

    /**
     * Answers an INIT.
     *
     * @return what was agreed, or null when the kernel asks again
     * @throws FsException EPROTO, for the kernel too, when it is too old
     */
    static @Nullable Agreement answer(FuseRequest request, FuseOptions options) throws FsException {
        int major = request.u32(Wire.INIT_IN_MAJOR);
        int kernelMinor = request.u32(Wire.INIT_IN_MINOR);
        MemorySegment out = request.body().asSlice(0, Wire.INIT_OUT_BYTES).fill((byte) 0);
        Wire.u32(out, Wire.INIT_OUT_MAJOR, Wire.MAJOR);
        Wire.u32(out, Wire.INIT_OUT_MINOR, Wire.MINOR);
        if (major > Wire.MAJOR) {
            // The kernel asks again with our major number.
            request.reply(Wire.INIT_OUT_BYTES);
            return null;
        }
        if (major < Wire.MAJOR || kernelMinor < MINOR_MIN) {
            throw new FsException(
                    FsError.EPROTO,
                    "the kernel's FUSE is too old (" + kernelMinor + "): Linux 4.20 is needed");
        }
        long offered = Integer.toUnsignedLong(request.u32(Wire.INIT_IN_FLAGS));
        if ((offered & INIT_EXT) != 0 && request.argumentBytes() >= Wire.INIT_IN_BYTES) {
            offered |= Integer.toUnsignedLong(request.u32(Wire.INIT_IN_FLAGS2)) << 32;
        }
        long flags = take(offered, options);
        Wire.u32(
                out,
                Wire.INIT_OUT_MAX_READAHEAD,
                Math.min(request.u32(Wire.INIT_IN_MAX_READAHEAD), READAHEAD_BYTES));
        Wire.u32(out, Wire.INIT_OUT_FLAGS, (int) flags);
        Wire.u32(out, Wire.INIT_OUT_FLAGS2, (int) (flags >>> 32));
        Wire.u16(out, Wire.INIT_OUT_MAX_BACKGROUND, BACKGROUND_MAX);
        Wire.u16(out, Wire.INIT_OUT_CONGESTION_THRESHOLD, CONGESTION_THRESHOLD);
        int writeBytesMax = options.limits().writeBytesMax();
        int bytesMax = Math.max(writeBytesMax, options.limits().readBytesMax());
        Wire.u32(out, Wire.INIT_OUT_MAX_WRITE, writeBytesMax);
        Wire.u32(out, Wire.INIT_OUT_TIME_GRAN, TIME_GRANULARITY_NANOS);
        Wire.u16(out, Wire.INIT_OUT_MAX_PAGES, (bytesMax + PAGE_BYTES - 1) / PAGE_BYTES);
        request.reply(Wire.INIT_OUT_BYTES);
        return new Agreement(Math.min(kernelMinor, Wire.MINOR), flags);
    }

    private static long take(long offered, FuseOptions options) {
        long wanted = WANTED;
        // A kernel from before 5.2 knows the automatic way only: correct, and slower.
        wanted |= (offered & EXPLICIT_INVAL_DATA) != 0 ? EXPLICIT_INVAL_DATA : AUTO_INVAL_DATA;
        if (options.kernelWritebackCache()) {
            wanted |= WRITEBACK_CACHE;
        }
        return offered & wanted;
    }
}
