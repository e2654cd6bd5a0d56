// SPDX-License-Identifier: Apache-2.0
package io.netfs4j.fuse;

import io.netfs4j.base.FsError;
import io.netfs4j.base.FsException;
import io.netfs4j.base.Segment;
import io.netfs4j.server.AttributeChange;
import io.netfs4j.vfs.AllocateMode;
import io.netfs4j.vfs.Attributes;
import io.netfs4j.vfs.CreatedFile;
import io.netfs4j.vfs.OpenFile;
import io.netfs4j.vfs.OpenFlags;
import io.netfs4j.vfs.PinnedBytes;
import io.netfs4j.vfs.Vfs;

import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.util.List;

/** Requests about open regular files: opening, reading, writing, syncing, closing. */
final class FileRequests {
    private static final int FOPEN_DIRECT_IO = 1;
    private static final int FOPEN_KEEP_CACHE = 1 << 1;
    private static final int FOPEN_NOFLUSH = 1 << 5;
    private static final int FOPEN_PARALLEL_DIRECT_WRITES = 1 << 6;

    private static final int FUSE_OPEN_KILL_SUIDGID = 1;
    private static final int FUSE_WRITE_CACHE = 1;
    private static final int FUSE_WRITE_KILL_SUIDGID = 1 << 2;
    private static final int FUSE_FSYNC_FDATASYNC = 1;

    private static final int FALLOC_FL_KEEP_SIZE = 1;
    private static final int FALLOC_FL_PUNCH_HOLE = 2;
    private static final int FALLOC_FL_ZERO_RANGE = 0x10;

    private static final int SEEK_DATA = 3;
    private static final int SEEK_HOLE = 4;

    private static final int PERMISSIONS = 07777;

    /** The reply to a copy has 32 bits; a caller that wanted more comes again. */
    private static final long COPY_BYTES_MAX = 1L << 30;

    private final Vfs vfs;
    private final AttributeEncoder encoder;
    private final Notifier notifier;
    private final OpenFlagsDecoder flags;
    private final OpenTable<OpenHandle> open = new OpenTable<>();
    private final BufferPool largeReads;
    private final BufferPool smallReads;

    FileRequests(Vfs vfs, AttributeEncoder encoder, Notifier notifier, FuseOptions options) {
        this.vfs = vfs;
        this.encoder = encoder;
        this.notifier = notifier;
        this.flags = new OpenFlagsDecoder(options.kernelWritebackCache());
        FuseOptions.Limits limits = options.limits();
        largeReads = new BufferPool(limits.readBytesMax(), limits.largeBuffersMax());
        smallReads = new BufferPool(FuseOptions.Limits.SMALL_BYTES, limits.smallBuffersMax());
    }

    /** The open file of a handle. */
    OpenFile file(long handle) throws FsException {
        return open.get(handle).file();
    }

    void open(FuseRequest request) throws FsException {
        OpenFlags wanted = flags.decode(request.u32(Wire.OPEN_IN_FLAGS));
        OpenFile file = vfs.open(request.nodeId(), wanted);
        long handle = put(file);
        boolean delivered = false;
        try {
            boolean kill = (request.u32(Wire.OPEN_IN_OPEN_FLAGS) & FUSE_OPEN_KILL_SUIDGID) != 0;
            if (kill && wanted.truncate()) {
                dropPrivileges(request.nodeId(), file);
            }
            openOut(request, 0, file, handle);
            notifier.settleOpen(request.nodeId());
            open.get(handle).opened();
            delivered = request.reply(Wire.OPEN_OUT_BYTES);
        } finally {
            if (!delivered) {
                open.remove(handle).release(vfs);
            }
        }
    }

    void create(FuseRequest request) throws FsException {
        OpenFlags wanted = flags.decode(request.u32(Wire.CREATE_IN_FLAGS));
        int mode = request.u32(Wire.CREATE_IN_MODE) & PERMISSIONS;
        String name = request.name(Wire.CREATE_IN_BYTES);
        CreatedFile created = vfs.create(request.nodeId(), name, mode, wanted);
        Attributes attributes = created.entry().attributes();
        if (attributes == null) {
            throw new IllegalStateException("created " + name + ", but it has no attributes");
        }
        boolean delivered = false;
        try {
            long handle = put(created.file());
            open.get(handle).opened();
            encoder.entry(request.body(), 0, created.entry());
            openOut(request, Wire.ENTRY_OUT_BYTES, created.file(), handle);
            delivered = request.reply(Wire.ENTRY_OUT_BYTES + Wire.OPEN_OUT_BYTES);
            if (!delivered) {
                open.remove(handle).release(vfs);
            }
        } finally {
            if (!delivered) {
                vfs.forget(attributes.ino(), 1);
            }
        }
    }

    private long put(OpenFile file) throws FsException {
        OpenHandle handle = new OpenHandle(file, notifier.reads().open(file.ino()));
        try {
            return open.put(handle);
        } catch (FsException e) {
            handle.release(vfs);
            throw e;
        }
    }

    private static void openOut(FuseRequest request, int at, OpenFile file, long handle) {
        int how = file.keepsKernelCache() ? FOPEN_KEEP_CACHE : 0;
        if (!file.flags().access().writes()) {
            // Closing it has nothing to write: the kernel may leave the request out.
            how |= FOPEN_NOFLUSH;
        }
        if (file.flags().direct()) {
            how |= FOPEN_DIRECT_IO | FOPEN_PARALLEL_DIRECT_WRITES;
        }
        Wire.u64(request.body(), at + Wire.OPEN_OUT_FH, handle);
        Wire.u64(request.body(), at + Wire.OPEN_OUT_OPEN_FLAGS, how);
    }

    boolean tryRead(FuseRequest request) throws FsException {
        OpenHandle handle = open.get(request.u64(Wire.READ_IN_FH));
        request.countsAmong(handle.reads());
        OpenFile file = handle.file();
        int size = request.u32(Wire.READ_IN_SIZE);
        try (PinnedBytes pinned = vfs.tryRead(file, request.u64(Wire.READ_IN_OFFSET), size)) {
            if (pinned == null || !isDirect(pinned.segments())) {
                return false;
            }
            if (mustBeAskedAgain(request, handle, pinned.length())) {
                request.replyError(FsError.EINTR);
            } else {
                request.replySegments(pinned.segments());
            }
            return true;
        }
    }

    /** Whether the kernel would not take an answer for what it is, see {@link ReadsInHand}. */
    private boolean mustBeAskedAgain(FuseRequest request, OpenHandle handle, int count)
            throws FsException {
        int size = request.u32(Wire.READ_IN_SIZE);
        if (count >= size || handle.file().flags().direct()) {
            return false;
        }
        long position = request.u64(Wire.READ_IN_OFFSET);
        boolean beyond = count == 0 && !endsAt(request, handle);
        long taken = request.countedNanos();
        return handle.reads()
                .refuses(
                        new ReadsInHand.ShortAnswer(
                                position, size, beyond, taken, handle.openedNanos()));
    }

    /**
     * Whether the file ends where a read begins. Where it ends before, the kernel takes that for
     * the end, and does not hear of the true one from another read.
     */
    private boolean endsAt(FuseRequest request, OpenHandle handle) throws FsException {
        long position = request.u64(Wire.READ_IN_OFFSET);
        Attributes known = vfs.tryGetAttributes(handle.file().ino());
        return position == 0 || known == null || known.sizeBytes() == position;
    }

    private static boolean isDirect(List<Segment> segments) {
        for (int i = 0; i < segments.size(); i++) {
            if (!segments.get(i).memory().isDirect()) {
                return false;
            }
        }
        return true;
    }

    void read(FuseRequest request) throws FsException {
        OpenHandle handle = open.get(request.u64(Wire.READ_IN_FH));
        int size = request.u32(Wire.READ_IN_SIZE);
        BufferPool pool = size <= smallReads.payloadBytes() ? smallReads : largeReads;
        if (size < 0 || size > pool.payloadBytes()) {
            throw new FsException(FsError.EINVAL, "a read of " + size + " bytes");
        }
        OpenFile file = handle.file();
        if (file.flags().direct()) {
            read(request, handle, size, pool); // It locks no pages in the kernel.
            return;
        }
        WaitingReads.Read waiting =
                notifier.waiting().begin(file.ino(), request.u64(Wire.READ_IN_OFFSET), size);
        try {
            read(request, handle, size, pool);
        } finally {
            waiting.ended();
        }
    }

    private void read(FuseRequest request, OpenHandle handle, int size, BufferPool pool)
            throws FsException {
        RequestBuffer buffer = pool.takeInterruptibly();
        try {
            ByteBuffer target = buffer.payload().clear().limit(size);
            int count = vfs.read(handle.file(), request.u64(Wire.READ_IN_OFFSET), target);
            if (mustBeAskedAgain(request, handle, count)) {
                request.replyError(FsError.EINTR);
            } else {
                request.replyDirect(buffer.payload().clear().limit(count));
            }
        } finally {
            pool.give(buffer);
        }
    }

    boolean tryWrite(FuseRequest request) throws FsException {
        OpenFile file = file(request.u64(Wire.WRITE_IN_FH));
        int writeFlags = request.u32(Wire.WRITE_IN_WRITE_FLAGS);
        boolean cachePage = (writeFlags & FUSE_WRITE_CACHE) != 0;
        if (file.flags().append() && cachePage) {
            return false;
        }
        if ((writeFlags & FUSE_WRITE_KILL_SUIDGID) != 0) {
            Attributes known = vfs.tryGetAttributes(file.ino());
            if (known == null || AttributeRequests.modeWithoutPrivileges(known) != null) {
                return false;
            }
        }
        int size = request.u32(Wire.WRITE_IN_SIZE);
        long position = request.u64(Wire.WRITE_IN_OFFSET);
        boolean strays = strays(file, position);
        if (!vfs.tryWrite(file, position, request.payload(size))) {
            return false;
        }
        written(request, file, strays, size);
        return true;
    }

    void write(FuseRequest request) throws FsException {
        OpenHandle handle = open.get(request.u64(Wire.WRITE_IN_FH));
        int writeFlags = request.u32(Wire.WRITE_IN_WRITE_FLAGS);
        OpenFile file = handle.file();
        if (file.flags().append() && (writeFlags & FUSE_WRITE_CACHE) != 0) {
            // A page of a memory mapping, sent by whatever handle the kernel found: it belongs
            // where
            // the kernel says, though the handle appends.
            file = handle.positional(vfs);
        }
        if ((writeFlags & FUSE_WRITE_KILL_SUIDGID) != 0) {
            dropPrivileges(file.ino(), file);
        }
        int size = request.u32(Wire.WRITE_IN_SIZE);
        long position = request.u64(Wire.WRITE_IN_OFFSET);
        boolean strays = strays(file, position);
        int count = vfs.write(file, position, request.payload(size));
        written(request, file, strays, count);
    }

    /**
     * Whether an append will go elsewhere than the kernel thinks, whose idea of the size is old:
     * its page cache then has the bytes in the wrong place.
     */
    private boolean strays(OpenFile file, long position) throws FsException {
        if (!file.flags().append()) {
            return false;
        }
        Attributes known = vfs.tryGetAttributes(file.ino());
        return known == null || known.sizeBytes() != position;
    }

    private void written(FuseRequest request, OpenFile file, boolean strays, int count) {
        Wire.u64(request.body(), Wire.WRITE_OUT_SIZE, count);
        request.reply(Wire.WRITE_OUT_BYTES);
        if (strays) {
            notifier.invalidate(file.ino(), 0, -1);
        }
    }

    private void dropPrivileges(long ino, OpenFile file) throws FsException {
        Integer mode = AttributeRequests.modeWithoutPrivileges(vfs, ino);
        if (mode != null) {
            AttributeChange change = new AttributeChange(mode, null, null, null, null, null);
            vfs.setAttributes(ino, change, file);
        }
    }

    void flush(FuseRequest request) throws FsException {
        vfs.flush(file(request.u64(Wire.FLUSH_IN_FH)));
        request.replyEmpty();
    }

    void fsync(FuseRequest request) throws FsException {
        boolean dataOnly = (request.u32(Wire.FSYNC_IN_FLAGS) & FUSE_FSYNC_FDATASYNC) != 0;
        vfs.fsync(file(request.u64(Wire.FSYNC_IN_FH)), dataOnly);
        request.replyEmpty();
    }

    void release(FuseRequest request) throws FsException {
        open.remove(request.u64(Wire.RELEASE_IN_FH)).release(vfs);
        request.replyEmpty();
    }

    void releaseAll() {
        open.removeAll().forEach(handle -> handle.release(vfs));
    }

    void fallocate(FuseRequest request) throws FsException {
        AllocateMode mode =
                switch (request.u32(Wire.FALLOCATE_IN_MODE)) {
                    case 0 -> AllocateMode.EXTEND;
                    case FALLOC_FL_KEEP_SIZE -> AllocateMode.KEEP_SIZE;
                    case FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE -> AllocateMode.PUNCH_HOLE;
                    case FALLOC_FL_ZERO_RANGE -> AllocateMode.ZERO_RANGE;
                    case FALLOC_FL_ZERO_RANGE | FALLOC_FL_KEEP_SIZE ->
                            AllocateMode.ZERO_RANGE_KEEP_SIZE;
                    default -> throw new FsException(FsError.ENOTSUP);
                };
        vfs.allocate(
                file(request.u64(Wire.FALLOCATE_IN_FH)),
                mode,
                request.u64(Wire.FALLOCATE_IN_OFFSET),
                request.u64(Wire.FALLOCATE_IN_LENGTH));
        request.replyEmpty();
    }

    void lseek(FuseRequest request) throws FsException {
        OpenFile file = file(request.u64(Wire.LSEEK_IN_FH));
        long from = request.u64(Wire.LSEEK_IN_OFFSET);
        long found =
                switch (request.u32(Wire.LSEEK_IN_WHENCE)) {
                    case SEEK_DATA -> vfs.seekData(file, from);
                    case SEEK_HOLE -> vfs.seekHole(file, from);
                    default -> throw new FsException(FsError.EINVAL);
                };
        Wire.u64(request.body(), 0, found);
        request.reply(Wire.LSEEK_OUT_BYTES);
    }

    /** Both forms: the older reply has the count in 32 bits and padding, which is 64 bits alike. */
    void copyRange(FuseRequest request) throws FsException {
        long count =
                vfs.copyRange(
                        file(request.u64(Wire.COPY_IN_FH_IN)),
                        request.u64(Wire.COPY_IN_OFF_IN),
                        file(request.u64(Wire.COPY_IN_FH_OUT)),
                        request.u64(Wire.COPY_IN_OFF_OUT),
                        Math.min(request.u64(Wire.COPY_IN_LEN), COPY_BYTES_MAX));
        MemorySegment body = request.body();
        Wire.u64(body, 0, count);
        request.reply(Wire.COPY_OUT_BYTES);
    }
}
