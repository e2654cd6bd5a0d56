// SPDX-License-Identifier: Apache-2.0
package io.netfs4j.testing.sim;

import static org.assertj.core.api.Assertions.assertThat;

import io.netfs4j.base.Environment;
import io.netfs4j.base.FsException;
import io.netfs4j.base.RangeSet;
import io.netfs4j.pagecache.PageCache;
import io.netfs4j.server.AttributeChange;
import io.netfs4j.server.RemotePath;
import io.netfs4j.server.memory.MemoryServer;
import io.netfs4j.vfs.CachedVfs;
import io.netfs4j.vfs.OpenFile;
import io.netfs4j.vfs.OpenFlags;
import io.netfs4j.vfs.Vfs;
import io.netfs4j.vfs.VfsOptions;

import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

import java.nio.ByteBuffer;

/** What is sent of a large file of which small parts were written: those, and not a byte more. */
class WriteAmplificationTest {
    private static final long FILE_BYTES = 1L << 30;
    private static final int WRITE_BYTES = 4096;

    /** Each write has a slot of its own, so that no byte is written twice. */
    private static final int SLOT_BYTES = 8192;

    private static final int WRITES = 3000;
    private static final RemotePath PATH = RemotePath.ROOT.child("f");

    private final SimLoop loop =
            new SimLoop(new Origin(1, Origin.WORLD, Origin.WORLD_BEGINNING), new Trace(false));
    private final Chance random = new Chance(1, 1);
    private final MemoryServer store = new MemoryServer(loop);
    private final CountingServer counting = new CountingServer(loop, store);
    private final RangeSet dirtied = new RangeSet();

    /** With little memory it is written back all the time, with much in one walk at the end. */
    @ParameterizedTest
    @ValueSource(longs = {1 << 20, 1 << 23, 1 << 26})
    void randomWrites_intoAGibibyte_sendEachDirtyByteOnce(long memoryBytes) throws Exception {
        store.create(() -> PATH, 0644).file().close();
        store.setAttributes(PATH, AttributeChange.size(FILE_BYTES));
        SimLoop.Task writer =
                loop.start(
                        "writer",
                        () -> {
                            try {
                                write(memoryBytes);
                            } catch (FsException e) {
                                throw new Violation("errors", e.toString(), e);
                            }
                        });
        loop.runUntil(writer::isDone, Long.MAX_VALUE / 2);
        assertThat(dirtied.total()).isEqualTo((long) WRITES * WRITE_BYTES);
        assertThat(counting.sentBytes).isEqualTo(dirtied.total());
        assertThat(counting.sent.toString()).isEqualTo(dirtied.toString());
    }

    private void write(long memoryBytes) throws FsException {
        Vfs vfs =
                new CachedVfs(
                        new Environment(loop, loop, loop, random::nextLong),
                        counting.server(),
                        VfsOptions.of(
                                new PageCache.Limits(
                                        memoryBytes, memoryBytes / 2, memoryBytes / 4)),
                        ByteBuffer::allocate);
        long ino = vfs.lookup(Vfs.ROOT_INO, "f").attributes().ino();
        OpenFile file = vfs.open(ino, OpenFlags.READ_WRITE);
        for (int done = 0; done < WRITES; ) {
            long slot = random.nextLong(FILE_BYTES / SLOT_BYTES) * SLOT_BYTES;
            if (dirtied.intersects(slot, slot + SLOT_BYTES)) {
                continue;
            }
            int within =
                    done % 2 == 0
                            ? random.nextInt(2) * WRITE_BYTES
                            : 1 + random.nextInt(WRITE_BYTES - 1);
            if (random.nextInt(3) == 0) {
                // Folios of any size that are clean, of which some bytes become dirty.
                int around = WRITE_BYTES << random.nextInt(10);
                vfs.read(file, slot & -around, ByteBuffer.allocate(around));
            }
            byte[] bytes = new byte[WRITE_BYTES];
            random.nextBytes(bytes);
            vfs.write(file, slot + within, ByteBuffer.wrap(bytes));
            dirtied.add(slot + within, slot + within + WRITE_BYTES);
            done++;
        }
        vfs.fsync(file, false);
        vfs.release(file);
    }
}
