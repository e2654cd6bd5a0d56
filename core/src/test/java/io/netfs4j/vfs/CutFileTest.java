// SPDX-License-Identifier: Apache-2.0
package io.netfs4j.vfs;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import static java.nio.charset.StandardCharsets.US_ASCII;

import io.netfs4j.base.FsError;
import io.netfs4j.base.FsException;
import io.netfs4j.base.SystemRuntime;
import io.netfs4j.pagecache.PageCache;
import io.netfs4j.request.Destination;
import io.netfs4j.request.Subrequest;
import io.netfs4j.request.Termination;
import io.netfs4j.server.AttributeChange;
import io.netfs4j.server.RemotePath;
import io.netfs4j.server.ServerFile;
import io.netfs4j.server.memory.MemoryServer;
import io.netfs4j.testing.DoubleServer;
import io.netfs4j.vfs.VfsOptions.OnConflict;

import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicReference;

/** Another client has given a file another size than is believed here. */
@Timeout(60)
class CutFileTest {
    private static final RemotePath PATH = RemotePath.ROOT.child("f");
    private static final int BEFORE_BYTES = 20_000;
    private static final int AFTER_BYTES = 5_000;

    private final SystemRuntime runtime = new SystemRuntime();
    private final MemoryServer store = new MemoryServer(runtime.environment().clock());

    private final CountDownLatch cut = new CountDownLatch(1);
    private final CountDownLatch isHeard = new CountDownLatch(1);

    /** Whether the next read of the server is kept without an answer. */
    private final AtomicBoolean holdsRead = new AtomicBoolean();

    private final AtomicReference<Subrequest> heldRead = new AtomicReference<>();

    /** Whether the answer to a change of size is held up. */
    private volatile boolean isHeld;

    @AfterEach
    void close() {
        isHeard.countDown();
        runtime.close();
    }

    private CachedVfs vfs(OnConflict policy) throws FsException {
        PageCache.Limits memory = new PageCache.Limits(1 << 20, 1 << 20, 1 << 20);
        VfsOptions options =
                VfsOptions.of(memory)
                        .withMetadataSync()
                        .withConflicts(new VfsOptions.Conflicts(policy, "here"));
        return new CachedVfs(
                runtime.environment(),
                DoubleServer.of(store, this::heldUp),
                options,
                ByteBuffer::allocate);
    }

    private Object heldUp(DoubleServer.Call call) throws Throwable {
        Object answer = call.proceed();
        if (call.is(ServerFile.class, "reads")) {
            return new Reads((Destination) answer);
        }
        if (isHeld && call.is(ServerFile.class, "setAttributes")) {
            cut.countDown();
            isHeard.await();
        }
        return answer;
    }

    /** Those of the server, but for one that is kept. */
    private final class Reads implements Destination {
        private final Destination real;

        Reads(Destination real) {
            this.real = real;
        }

        @Override
        public int estimateBytes(long position) {
            return real.estimateBytes(position);
        }

        @Override
        public boolean issue(Subrequest offer, Runnable whenReady) {
            if (!holdsRead.getAndSet(false)) {
                return real.issue(offer, whenReady);
            }
            offer.take(offer.length());
            heldRead.set(offer);
            cut.countDown();
            return true;
        }
    }

    private static void full(CachedVfs vfs) throws FsException {
        OpenFile file = vfs.create(Vfs.ROOT_INO, "f", 0644, OpenFlags.READ_WRITE).file();
        byte[] bytes = new byte[BEFORE_BYTES];
        Arrays.fill(bytes, (byte) 'b');
        vfs.write(file, 0, ByteBuffer.wrap(bytes));
        vfs.fsync(file, false);
        vfs.release(file);
    }

    private void cut(long bytes) throws FsException {
        store.setAttributes(PATH, AttributeChange.size(bytes));
    }

    private static String read(CachedVfs vfs, OpenFile file, long position) throws FsException {
        ByteBuffer target = ByteBuffer.allocate(BEFORE_BYTES);
        int count = vfs.read(file, position, target);
        return new String(target.array(), 0, count, US_ASCII);
    }

    @Test
    void read_ofWhatIsCutOffMeanwhile_meetsTheNewEnd() throws Exception {
        full(vfs(OnConflict.COPY));
        CachedVfs vfs = vfs(OnConflict.COPY);
        OpenFile file = open(vfs);
        cut(AFTER_BYTES);
        assertThat(read(vfs, file, 4096)).isEqualTo("b".repeat(AFTER_BYTES - 4096));
        assertThat(vfs.getAttributes(file.ino()).sizeBytes()).isEqualTo(AFTER_BYTES);
    }

    @Test
    void read_ofWhatIsCutOffOfAChangedFile_isRefused() throws Exception {
        full(vfs(OnConflict.COPY));
        CachedVfs vfs = vfs(OnConflict.COPY);
        OpenFile file = open(vfs);
        vfs.write(file, 0, ByteBuffer.wrap(new byte[] {'w'}));
        cut(AFTER_BYTES);
        assertThatThrownBy(() -> read(vfs, file, 8192))
                .isInstanceOfSatisfying(
                        FsException.class, e -> assertThat(e.error()).isEqualTo(FsError.ESTALE))
                .hasMessageContaining("f: another client has cut it");
    }

    /** Each range is the last writer's then: nobody has written there since. */
    @Test
    void read_ofWhatIsCutOffOfAChangedFileThatOverwrites_readsZeros() throws Exception {
        full(vfs(OnConflict.OVERWRITE));
        CachedVfs vfs = vfs(OnConflict.OVERWRITE);
        OpenFile file = open(vfs);
        vfs.write(file, 0, ByteBuffer.wrap(new byte[] {'w'}));
        cut(AFTER_BYTES);
        assertThat(read(vfs, file, 8192)).isEqualTo("\0".repeat(BEFORE_BYTES - 8192));
    }

    /** The server may have done so while nobody has heard of it. */
    @Test
    void read_ofWhatIsBeingCutOffHere_isNoMatterOfOthers() throws Exception {
        full(vfs(OnConflict.COPY));
        CachedVfs vfs = vfs(OnConflict.COPY);
        OpenFile file = open(vfs);
        vfs.write(file, 0, ByteBuffer.wrap(new byte[] {'w'}));
        isHeld = true;
        Thread truncates = Thread.ofVirtual().start(() -> truncateOrFail(vfs, file));
        cut.await();
        assertThat(read(vfs, file, 8192)).isEqualTo("\0".repeat(BEFORE_BYTES - 8192));
        isHeard.countDown();
        truncates.join();
        assertThat(read(vfs, file, 4096)).isEqualTo("b".repeat(AFTER_BYTES - 4096));
    }

    /** A time of whole seconds does not tell what was still being written when it was looked at. */
    @Test
    void open_ofWhatIsLongerThanWasSaid_withTheSameTime_tellsTheKernel() throws Exception {
        full(vfs(OnConflict.COPY));
        CachedVfs vfs = vfs(OnConflict.COPY);
        ToldKernel kernel = new ToldKernel();
        vfs.setKernelCache(kernel);
        Attributes before = vfs.lookup(Vfs.ROOT_INO, "f").attributes();
        store.setAttributes(PATH, AttributeChange.size(BEFORE_BYTES + 1));
        store.setAttributes(PATH, AttributeChange.times(null, before.modified()));
        OpenFile file = vfs.open(before.ino(), OpenFlags.READ_WRITE);
        assertThat(kernel.inodes).containsExactly(before.ino());
        assertThat(vfs.getAttributes(file.ino()).sizeBytes()).isEqualTo(BEFORE_BYTES + 1);
        vfs.release(vfs.open(before.ino(), OpenFlags.READ_WRITE));
        assertThat(kernel.inodes).hasSize(1);
    }

    /** It was sent when the file was as long as it is now, and met an end in between. */
    @Test
    void read_thatBeganBeforeTheFileWasCutHere_isNoMatterOfOthers() throws Exception {
        full(vfs(OnConflict.COPY));
        CachedVfs vfs = vfs(OnConflict.COPY);
        OpenFile file = open(vfs);
        holdsRead.set(true);
        Thread reads = Thread.ofVirtual().start(() -> readOrFail(vfs, file));
        cut.await();
        vfs.setAttributes(file.ino(), AttributeChange.size(AFTER_BYTES), file);
        vfs.setAttributes(file.ino(), AttributeChange.size(BEFORE_BYTES), file);
        vfs.write(file, 0, ByteBuffer.wrap(new byte[] {'w'}));
        assertThat(heldRead.get().terminated(new Termination.EndOfFile(0))).isTrue();
        reads.join();
        assertThat(read(vfs, file, 12_288)).isEqualTo("\0".repeat(BEFORE_BYTES - 12_288));
    }

    @Test
    void read_ofWhatIsLeftOfAChangedFile_showsIt() throws Exception {
        full(vfs(OnConflict.COPY));
        CachedVfs vfs = vfs(OnConflict.COPY);
        OpenFile file = open(vfs);
        vfs.write(file, BEFORE_BYTES - 1, ByteBuffer.wrap(new byte[] {'w'}));
        cut(AFTER_BYTES);
        assertThatThrownBy(() -> read(vfs, file, 8192)).isInstanceOf(FsException.class);
        ByteBuffer target = ByteBuffer.allocate(AFTER_BYTES);
        assertThat(vfs.read(file, 0, target)).isEqualTo(AFTER_BYTES);
        assertThat(new String(target.array(), US_ASCII)).isEqualTo("b".repeat(AFTER_BYTES));
    }

    @Test
    void directRead_ofWhatIsCutOffMeanwhile_meetsTheNewEnd() throws Exception {
        full(vfs(OnConflict.COPY));
        CachedVfs vfs = vfs(OnConflict.COPY);
        long ino = open(vfs).ino();
        OpenFile file = vfs.open(ino, OpenFlags.READ.pastThePageCache());
        cut(AFTER_BYTES);
        ByteBuffer target = ByteBuffer.allocate(8192);
        int count = vfs.read(file, 4096, target);
        assertThat(new String(target.array(), 0, count, US_ASCII))
                .isEqualTo("b".repeat(AFTER_BYTES - 4096));
    }

    private static void readOrFail(CachedVfs vfs, OpenFile file) {
        try {
            vfs.read(file, 8192, ByteBuffer.allocate(4096));
        } catch (FsException e) {
            throw new AssertionError(e);
        }
    }

    private static void truncateOrFail(CachedVfs vfs, OpenFile file) {
        try {
            vfs.setAttributes(file.ino(), AttributeChange.size(AFTER_BYTES), file);
        } catch (FsException e) {
            throw new AssertionError(e);
        }
    }

    private static OpenFile open(CachedVfs vfs) throws FsException {
        long ino = vfs.lookup(Vfs.ROOT_INO, "f").attributes().ino();
        return vfs.open(ino, OpenFlags.READ_WRITE);
    }
}
