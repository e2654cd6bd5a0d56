// SPDX-License-Identifier: Apache-2.0
package io.netfs4j.vfs;

import static org.assertj.core.api.Assertions.assertThat;

import io.netfs4j.base.Completion;
import io.netfs4j.base.FsException;
import io.netfs4j.base.SystemRuntime;
import io.netfs4j.cache.journal.Journal;
import io.netfs4j.cache.journal.JournalLimits;
import io.netfs4j.pagecache.PageCache;
import io.netfs4j.server.RemotePath;
import io.netfs4j.server.memory.MemoryServer;
import io.netfs4j.testing.ForgetfulDisk;

import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

import java.nio.ByteBuffer;
import java.util.SplittableRandom;

/** A journal whose disk fails for good: what is acknowledged is on the server then. */
@Timeout(60)
class BrokenJournalTest {
    private static final JournalLimits LIMITS = new JournalLimits(6L << 18, 1 << 18, 1 << 18);

    private final SystemRuntime runtime = new SystemRuntime();
    private final MemoryServer store = new MemoryServer(runtime.environment().clock());
    private final ForgetfulDisk disk = new ForgetfulDisk(new SplittableRandom(1));
    private final Completion<FsException> told = new Completion<>();
    private CachedVfs vfs;
    private OpenFile file;

    @BeforeEach
    void open() throws FsException {
        vfs =
                new CachedVfs(
                        runtime.environment(),
                        store,
                        VfsOptions.of(new PageCache.Limits(1 << 20, 1 << 20, 1 << 20)),
                        ByteBuffer::allocate,
                        null,
                        Journal.open(runtime.environment(), disk, LIMITS));
        vfs.setEvents(
                new VfsEvents() {
                    @Override
                    public void conflict(String name, String copy) {}

                    @Override
                    public void journalFailed(FsException why) {
                        told.complete(why);
                    }
                });
        file = vfs.create(Vfs.ROOT_INO, "f", 0644, OpenFlags.READ_WRITE).file();
        vfs.fsync(file, false);
        disk.failAt(0, Integer.MAX_VALUE, "Input/output error");
    }

    @AfterEach
    void close() {
        runtime.close();
    }

    private long onServer() throws FsException {
        return store.stat(RemotePath.ROOT.child("f")).sizeBytes();
    }

    @Test
    void write_returnsOnceTheServerHasIt_andAPersonIsTold() throws Exception {
        assertThat(vfs.write(file, 0, ByteBuffer.allocate(100))).isEqualTo(100);
        assertThat(onServer()).isEqualTo(100);
        runtime.environment().waits().await(told);
        assertThat(vfs.write(file, 100, ByteBuffer.allocate(100))).isEqualTo(100);
        assertThat(onServer()).isEqualTo(200);
    }

    /** It may wait for the disk, and not for the server: that is left to another thread. */
    @Test
    void tryWrite_isLeftToWhoMayWait() throws Exception {
        ByteBuffer bytes = ByteBuffer.allocate(100);
        assertThat(vfs.tryWrite(file, 0, bytes)).isFalse();
        assertThat(bytes.remaining()).isEqualTo(100);
        vfs.write(file, 0, bytes);
        assertThat(onServer()).isEqualTo(100);
    }

    @Test
    void fsyncAndRelease_leaveNothingUnsaved() throws Exception {
        vfs.write(file, 0, ByteBuffer.allocate(100));
        vfs.fsync(file, false);
        vfs.release(file);
        assertThat(onServer()).isEqualTo(100);
        assertThat(vfs.engine().flusher().isClean()).isTrue();
    }
}
