// SPDX-License-Identifier: Apache-2.0
package io.netfs4j.vfs;

import static org.assertj.core.api.Assertions.assertThat;

import io.netfs4j.base.SystemDisk;
import io.netfs4j.base.SystemRuntime;
import io.netfs4j.cache.journal.Journal;
import io.netfs4j.cache.journal.JournalLimits;
import io.netfs4j.pagecache.PageCache;
import io.netfs4j.server.AttributeChange;
import io.netfs4j.server.RemotePath;
import io.netfs4j.server.Server;
import io.netfs4j.server.WriteSession;
import io.netfs4j.server.memory.MemoryServer;
import io.netfs4j.testing.DoubleServer;

import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.stream.Stream;

/** What was set, while a commit that takes it along is under way. */
@Timeout(60)
class OwedAttributesTest {
    private static final JournalLimits LIMITS = new JournalLimits(64L << 20, 1 << 20, 1 << 20);

    @TempDir private Path temp;
    private final SystemRuntime runtime = new SystemRuntime();
    private final MemoryServer store = new MemoryServer(runtime.environment().clock());
    private final CountDownLatch committing = new CountDownLatch(1);
    private volatile boolean hangs;

    @AfterEach
    void close() {
        runtime.close();
    }

    private Object hanging(DoubleServer.Call call) throws Throwable {
        if (hangs && call.is(WriteSession.class, "commit")) {
            committing.countDown();
            return null; // It never gets there: the process is killed before.
        }
        return call.proceed();
    }

    private CachedVfs vfs(Server server, Path directory) throws Exception {
        return new CachedVfs(
                runtime.environment(),
                server,
                VfsOptions.of(new PageCache.Limits(4 << 20, 2 << 20, 1 << 20)),
                ByteBuffer::allocateDirect,
                null,
                Journal.open(runtime.environment(), new SystemDisk(directory), LIMITS));
    }

    /** Killed while they are on their way, after something else was said of the file. */
    @Test
    void ownersThatAreOnTheirWay_survive() throws Exception {
        Path first = Files.createDirectory(temp.resolve("first"));
        CachedVfs vfs = vfs(DoubleServer.of(store, this::hanging), first);
        long made = vfs.makeDirectory(Vfs.ROOT_INO, "made", 0755).attributes().ino();
        OpenFile file = vfs.create(made, "a", 0644, OpenFlags.READ_WRITE).file();
        vfs.write(file, 0, ByteBuffer.wrap(new byte[] {1}));
        vfs.fsync(file, false);
        hangs = true;
        vfs.write(file, 0, ByteBuffer.wrap(new byte[] {2}));
        vfs.setAttributes(file.ino(), new AttributeChange(null, 12, 34, null, null, null), file);
        committing.await();
        vfs.setAttributes(
                file.ino(), AttributeChange.times(Instant.EPOCH, Instant.ofEpochSecond(1)), file);
        Path second = Files.createDirectory(temp.resolve("second"));
        try (Stream<Path> segments = Files.list(first)) {
            for (Path segment : segments.toList()) {
                Files.copy(segment, second.resolve(segment.getFileName()));
            }
        }

        CachedVfs next = vfs(store, second);
        long dir = next.lookup(Vfs.ROOT_INO, "made").attributes().ino();
        long ino = next.lookup(dir, "a").attributes().ino();
        OpenFile again = next.open(ino, OpenFlags.READ_WRITE);
        next.fsync(again, false);
        assertThat(store.stat(new RemotePath(List.of("made", "a"))).modified())
                .isEqualTo(Instant.ofEpochSecond(1));
        assertThat(store.stat(new RemotePath(List.of("made", "a"))).uid()).isEqualTo(12);
    }
}
