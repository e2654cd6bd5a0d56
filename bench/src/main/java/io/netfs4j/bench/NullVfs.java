// SPDX-License-Identifier: Apache-2.0
package io.netfs4j.bench;

import io.netfs4j.base.Completion;
import io.netfs4j.base.FsError;
import io.netfs4j.base.FsException;
import io.netfs4j.base.Segment;
import io.netfs4j.server.AttributeChange;
import io.netfs4j.server.FileType;
import io.netfs4j.server.RenameMode;
import io.netfs4j.server.Server;
import io.netfs4j.server.ServerFileSystemStatistics;
import io.netfs4j.vfs.AllocateMode;
import io.netfs4j.vfs.Attributes;
import io.netfs4j.vfs.CreatedFile;
import io.netfs4j.vfs.DirectorySink;
import io.netfs4j.vfs.Entry;
import io.netfs4j.vfs.KernelCache;
import io.netfs4j.vfs.OpenDirectory;
import io.netfs4j.vfs.OpenFile;
import io.netfs4j.vfs.OpenFlags;
import io.netfs4j.vfs.PinnedBytes;
import io.netfs4j.vfs.Vfs;

import org.jspecify.annotations.Nullable;

import java.nio.ByteBuffer;
import java.time.Instant;
import java.util.List;
import java.util.concurrent.atomic.AtomicLong;

/**
 * A file system that does nothing, so that what remains is the door's own cost. One file, "data";
 * what is written is thrown away, the size is kept, reads give zeros. The C program nullfuse.c does
 * the same.
 */
final class NullVfs implements Vfs {
    private static final String NAME = "data";
    private static final long DATA_INO = 2;
    private static final long VALID_NANOS = 3_600_000_000_000L;
    private static final int READ_BYTES_MAX = 1 << 20;
    private static final int DIRECTORY_MODE = 0755;
    private static final int FILE_MODE = 0644;

    private final ByteBuffer zeros = ByteBuffer.allocateDirect(READ_BYTES_MAX);
    private final AtomicLong size = new AtomicLong();

    private record Opened(long ino, OpenFlags flags, boolean keepsKernelCache)
            implements OpenFile {}

    private record Zeros(List<Segment> segments, int length) implements PinnedBytes {
        @Override
        public void close() {}
    }

    private static FsException nothing() {
        return new FsException(FsError.ENOSYS);
    }

    private Attributes attributes(long ino) {
        Instant then = Instant.EPOCH;
        return ino == ROOT_INO
                ? new Attributes(
                        ino, FileType.DIRECTORY, 0, DIRECTORY_MODE, 0, 0, 2, then, then, then)
                : new Attributes(
                        ino, FileType.REGULAR, size.get(), FILE_MODE, 0, 0, 1, then, then, then);
    }

    private Entry data() {
        return new Entry(attributes(DATA_INO), 1, VALID_NANOS, VALID_NANOS);
    }

    @Override
    public Entry lookup(long parent, String name) {
        return name.equals(NAME) ? data() : new Entry(null, 0, 0, 0);
    }

    @Override
    public Entry tryLookup(long parent, String name) {
        return lookup(parent, name);
    }

    @Override
    public void forget(long ino, long count) {}

    @Override
    public Attributes getAttributes(long ino) {
        return attributes(ino);
    }

    @Override
    public Attributes tryGetAttributes(long ino) {
        return attributes(ino);
    }

    @Override
    public long attributesValidNanos(long ino) {
        return VALID_NANOS;
    }

    @Override
    public Attributes setAttributes(long ino, AttributeChange change, @Nullable OpenFile file) {
        if (change.sizeBytes() != null) {
            size.set(change.sizeBytes());
        }
        return attributes(ino);
    }

    @Override
    public CreatedFile create(long parent, String name, int mode, OpenFlags flags)
            throws FsException {
        if (!name.equals(NAME)) {
            throw new FsException(FsError.EPERM);
        }
        return new CreatedFile(data(), open(DATA_INO, flags));
    }

    @Override
    public OpenFile open(long ino, OpenFlags flags) {
        return new Opened(ino, flags, true);
    }

    @Override
    public int read(OpenFile file, long position, ByteBuffer target) {
        int count = (int) Math.clamp(size.get() - position, 0, target.remaining());
        target.put(zeros.slice(0, count));
        return count;
    }

    @Override
    public PinnedBytes tryRead(OpenFile file, long position, int count) {
        int length = (int) Math.clamp(size.get() - position, 0, count);
        return new Zeros(List.of(new Segment(zeros, 0, length)), length);
    }

    @Override
    public int write(OpenFile file, long position, ByteBuffer source) {
        long end = position + source.remaining();
        if (end > size.get()) {
            size.accumulateAndGet(end, Math::max);
        }
        return source.remaining();
    }

    @Override
    public boolean tryWrite(OpenFile file, long position, ByteBuffer source) {
        return write(file, position, source) >= 0;
    }

    @Override
    public Completion<Integer> writeUnbuffered(OpenFile file, long position, ByteBuffer source) {
        Completion<Integer> done = new Completion<>();
        done.complete(write(file, position, source));
        return done;
    }

    @Override
    public void flush(OpenFile file) {}

    @Override
    public void fsync(OpenFile file, boolean dataOnly) {}

    @Override
    public void barrier(OpenFile file) {}

    @Override
    public void release(OpenFile file) {}

    @Override
    public void fsyncDirectory(long ino) {}

    @Override
    public OpenDirectory openDirectory(long ino) {
        return () -> ino;
    }

    @Override
    public void readDirectory(
            OpenDirectory directory, long cookie, boolean plus, DirectorySink sink) {
        if (cookie == 0) {
            boolean unused = sink.entry(NAME, DATA_INO, FileType.REGULAR, 1, null);
        }
    }

    @Override
    public void releaseDirectory(OpenDirectory directory) {}

    @Override
    public Entry makeDirectory(long parent, String name, int mode) throws FsException {
        throw nothing();
    }

    @Override
    public Entry makeSymlink(long parent, String name, String target) throws FsException {
        throw nothing();
    }

    @Override
    public String readSymlink(long ino) throws FsException {
        throw nothing();
    }

    @Override
    public Entry link(long ino, long parent, String name) throws FsException {
        throw nothing();
    }

    @Override
    public void unlink(long parent, String name) throws FsException {
        throw nothing();
    }

    @Override
    public void removeDirectory(long parent, String name) throws FsException {
        throw nothing();
    }

    @Override
    public void rename(long parent, String name, long newParent, String newName, RenameMode mode)
            throws FsException {
        throw nothing();
    }

    @Override
    public ServerFileSystemStatistics statistics() throws FsException {
        throw nothing();
    }

    @Override
    public byte[] getXattr(long ino, String name) throws FsException {
        throw nothing();
    }

    @Override
    public void setXattr(long ino, String name, byte[] value, Server.XattrMode mode)
            throws FsException {
        throw nothing();
    }

    @Override
    public List<String> listXattrs(long ino) throws FsException {
        throw nothing();
    }

    @Override
    public void removeXattr(long ino, String name) throws FsException {
        throw nothing();
    }

    @Override
    public void allocate(OpenFile file, AllocateMode mode, long position, long length)
            throws FsException {
        throw nothing();
    }

    @Override
    public long seekData(OpenFile file, long position) throws FsException {
        throw nothing();
    }

    @Override
    public long seekHole(OpenFile file, long position) throws FsException {
        throw nothing();
    }

    @Override
    public long copyRange(OpenFile source, long from, OpenFile target, long to, long count)
            throws FsException {
        throw nothing();
    }

    @Override
    public void setKernelCache(KernelCache cache) {}
}
