// SPDX-License-Identifier: Apache-2.0
package io.netfs4j.bench.engine;

import io.netfs4j.base.Environment;
import io.netfs4j.base.FsException;
import io.netfs4j.base.SystemRuntime;
import io.netfs4j.engine.EngineLimits;
import io.netfs4j.pagecache.PageCache;
import io.netfs4j.server.AttributeChange;
import io.netfs4j.vfs.CachedVfs;
import io.netfs4j.vfs.CreatedFile;
import io.netfs4j.vfs.OpenFile;
import io.netfs4j.vfs.OpenFlags;
import io.netfs4j.vfs.Vfs;
import io.netfs4j.vfs.VfsOptions;

import org.jspecify.annotations.Nullable;

import java.lang.management.ManagementFactory;
import java.nio.ByteBuffer;
import java.util.Objects;

/**
 * A vfs over a {@link SwallowingServer} whose limits are out of reach: nothing is written back but
 * by fsync. Its memory was touched before anything is measured.
 */
final class Rig implements AutoCloseable {
    /** As the page cache's memory is cut, so far. */
    static final int SLAB_BYTES = 32 << 20;

    /** 2 MiB: the largest folio. */
    private static final int TOUCH_BYTES = 2 << 20;

    /** No timer of the engine comes within a run. */
    private static final long NEVER_NANOS = 24 * 3_600_000_000_000L;

    private static final int FILE_MODE = 0644;

    private static final com.sun.management.ThreadMXBean THREADS =
            Objects.requireNonNull(
                    ManagementFactory.getPlatformMXBean(com.sun.management.ThreadMXBean.class));

    private final @Nullable SystemRuntime runtime;
    private final SwallowingServer server = new SwallowingServer();
    private final CachedVfs vfs;
    private long swallowedBytes;

    /** One file, open for writing. */
    final class Subject {
        private final String name;
        private final long ino;
        private final OpenFile file;

        private Subject(String name, CreatedFile created) {
            this.name = name;
            ino = Objects.requireNonNull(created.entry().attributes()).ino();
            file = created.file();
        }

        /** Writes all of the source, from its beginning, and leaves it ready for the next time. */
        void write(long position, ByteBuffer source) throws FsException {
            source.position(0);
            vfs.write(file, position, source);
        }

        /** Writes {@code total} bytes from the beginning of the file, ascending. */
        void writeAscending(ByteBuffer source, long total) throws FsException {
            int piece = source.limit();
            for (long at = 0; at < total; at += piece) {
                write(at, source);
            }
        }

        /** As {@link #writeAscending}, from the end: small pieces stay small folios. */
        void writeDescending(ByteBuffer source, long total) throws FsException {
            int piece = source.limit();
            for (long at = total - piece; at >= 0; at -= piece) {
                write(at, source);
            }
        }

        void save() throws FsException {
            vfs.fsync(file, false);
        }

        /** Drops everything, dirty or not; then the file is one hole of that size. */
        void reset(long sizeBytes) throws FsException {
            resize(0);
            if (sizeBytes > 0) {
                resize(sizeBytes);
            }
        }

        /** Removes it, with everything that is known of it. */
        void remove() throws FsException {
            reset(0);
            vfs.release(file);
            vfs.unlink(Vfs.ROOT_INO, name);
            vfs.forget(ino, 1);
        }

        private void resize(long bytes) throws FsException {
            vfs.setAttributes(ino, AttributeChange.size(bytes), file);
        }
    }

    private Rig(@Nullable SystemRuntime runtime, Environment environment, long memoryBytes)
            throws FsException {
        this.runtime = runtime;
        long most = Long.MAX_VALUE / 2;
        EngineLimits usual = EngineLimits.DEFAULT;
        EngineLimits limits =
                new EngineLimits(
                        usual.throttle(),
                        NEVER_NANOS,
                        most,
                        usual.attemptsMax(),
                        usual.retryFirstNanos(),
                        usual.retryMaxNanos(),
                        usual.parkFirstNanos(),
                        usual.parkMaxNanos(),
                        usual.readaheadBytesMax(),
                        usual.cachePatienceNanos());
        VfsOptions options =
                new VfsOptions(
                        new PageCache.Limits(memoryBytes, most, most),
                        limits,
                        NEVER_NANOS,
                        0,
                        false,
                        false,
                        false,
                        false,
                        false,
                        new VfsOptions.Conflicts(VfsOptions.OnConflict.OVERWRITE, ""),
                        false,
                        VfsOptions.Ownership.SERVERS);
        vfs = new CachedVfs(environment, server, options, ByteBuffer::allocateDirect);
        touch(memoryBytes);
    }

    /** Steps on the pool of threads that production uses. */
    static Rig real(long memoryBytes) throws FsException {
        SystemRuntime runtime = new SystemRuntime();
        return new Rig(runtime, runtime.environment(), memoryBytes);
    }

    /** Steps on the thread that waits for them. */
    static Rig onWaiter(long memoryBytes) throws FsException {
        return new Rig(null, new WaiterRuntime().environment(), memoryBytes);
    }

    Subject create(String name) throws FsException {
        return new Subject(name, vfs.create(Vfs.ROOT_INO, name, FILE_MODE, OpenFlags.READ_WRITE));
    }

    /** Bytes of folios, of all files. */
    long folioBytes() {
        return vfs.cache().memoryBytes();
    }

    /**
     * Sees to it that the server got so many bytes since the last call, and no other: what was
     * timed is what was meant.
     */
    void expectSwallowed(long bytes) {
        long now = server.swallowedBytes();
        if (now - swallowedBytes != bytes) {
            throw new IllegalStateException(
                    "the server got " + (now - swallowedBytes) + " bytes, not " + bytes);
        }
        swallowedBytes = now;
    }

    /** Takes every slab from the system. */
    private void touch(long memoryBytes) throws FsException {
        Subject all = create("touch");
        all.writeAscending(source(TOUCH_BYTES), memoryBytes / SLAB_BYTES * SLAB_BYTES);
        all.reset(0);
        // Where some of the budget goes elsewhere, what did not fit has been written back.
        swallowedBytes = server.swallowedBytes();
    }

    /** Off-heap bytes to write, as a door has them. */
    static ByteBuffer source(int bytes) {
        ByteBuffer source = ByteBuffer.allocateDirect(bytes);
        for (int i = 0; i < bytes; i++) {
            source.put(i, (byte) i);
        }
        return source;
    }

    /** Heap bytes that all threads together have allocated so far. */
    static long allocatedBytes() {
        return THREADS.getTotalThreadAllocatedBytes();
    }

    @Override
    public void close() {
        if (runtime != null) {
            runtime.close();
        }
    }
}
