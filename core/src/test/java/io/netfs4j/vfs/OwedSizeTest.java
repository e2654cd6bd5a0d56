// SPDX-License-Identifier: Apache-2.0
package io.netfs4j.vfs;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.netfs4j.base.FsError;
import io.netfs4j.base.FsException;
import io.netfs4j.base.SystemRuntime;
import io.netfs4j.pagecache.PageCache;
import io.netfs4j.server.Access;
import io.netfs4j.server.AttributeChange;
import io.netfs4j.server.RemotePath;
import io.netfs4j.server.ServerFile;
import io.netfs4j.server.memory.MemoryServer;
import io.netfs4j.testing.DoubleServer;
import io.netfs4j.testing.Transfers;

import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;

/** A file is cut here at once, and on the server before anything else of it is sent. */
@Timeout(60)
class OwedSizeTest {
    private static final String BEFORE = "0123456789";
    private static final OpenFlags DIRECT =
            new OpenFlags(Access.READ_WRITE, false, false, false, false, false, true);

    private final SystemRuntime runtime = new SystemRuntime();
    private final MemoryServer store = new MemoryServer(runtime.environment().clock());

    /** The sizes that the server was asked to set. */
    private final List<Long> asked = Collections.synchronizedList(new ArrayList<>());

    private volatile boolean refuses;
    private CachedVfs vfs;
    private OpenFile file;

    @BeforeEach
    void open() throws FsException {
        vfs =
                new CachedVfs(
                        runtime.environment(),
                        DoubleServer.of(store, this::answer),
                        VfsOptions.of(new PageCache.Limits(1 << 20, 1 << 20, 1 << 20))
                                .withConflicts(
                                        new VfsOptions.Conflicts(
                                                VfsOptions.OnConflict.COPY, "here")),
                        ByteBuffer::allocate);
        file = vfs.create(Vfs.ROOT_INO, "f", 0644, OpenFlags.READ_WRITE).file();
        write(0, BEFORE);
        vfs.fsync(file, false);
    }

    @AfterEach
    void close() {
        runtime.close();
    }

    private @Nullable Object answer(DoubleServer.Call call) throws Throwable {
        if (call.is(ServerFile.class, "setAttributes")) {
            Long size = call.argument(0, AttributeChange.class).sizeBytes();
            if (size != null) {
                asked.add(size);
                if (refuses) {
                    throw new FsException(FsError.EIO, "no size");
                }
            }
        }
        return call.proceed();
    }

    private void write(long position, String text) throws FsException {
        vfs.write(file, position, ByteBuffer.wrap(text.getBytes(StandardCharsets.UTF_8)));
    }

    private void cut(long size) throws FsException {
        assertThat(vfs.setAttributes(file.ino(), AttributeChange.size(size), file).sizeBytes())
                .isEqualTo(size);
    }

    private String read(OpenFile from) throws FsException {
        ByteBuffer bytes = ByteBuffer.allocate(100);
        int count = vfs.read(from, 0, bytes);
        return new String(bytes.array(), 0, count, StandardCharsets.UTF_8);
    }

    private String stored(String name) throws FsException {
        ServerFile there = store.open(() -> RemotePath.ROOT.child(name), Access.READ).file();
        int size = (int) there.attributes().sizeBytes();
        byte[] bytes = new Transfers(runtime.environment().waits()).get(there, 0, size);
        there.close();
        return new String(bytes, StandardCharsets.UTF_8);
    }

    @Test
    void truncate_isAnsweredHere_andSentWithTheNextSave() throws Exception {
        cut(4);
        assertThat(read(file)).isEqualTo("0123");
        assertThat(asked).isEmpty();
        assertThat(stored("f")).isEqualTo(BEFORE);
        vfs.fsync(file, false);
        assertThat(asked).containsExactly(4L);
        assertThat(stored("f")).isEqualTo("0123");
    }

    @Test
    void whatIsWrittenBehindACut_leavesZerosBetween_hereAndThere() throws Exception {
        cut(2);
        write(6, "ab");
        assertThat(read(file)).isEqualTo("01\0\0\0\0ab");
        vfs.fsync(file, false);
        assertThat(stored("f")).isEqualTo("01\0\0\0\0ab");
    }

    @Test
    void twoCuts_areOneForTheServer() throws Exception {
        cut(6);
        cut(3);
        vfs.fsync(file, false);
        assertThat(asked).containsExactly(3L);
        assertThat(stored("f")).isEqualTo("012");
    }

    /** What was written and cut off again was never the server's: it makes the file as long. */
    @Test
    void aCutIntoWhatWasWrittenBehindTheEnd_makesTheServersFileLonger() throws Exception {
        write(20, "never sent");
        cut(15);
        vfs.fsync(file, false);
        assertThat(stored("f")).isEqualTo(BEFORE + "\0\0\0\0\0");
    }

    /** One size does not tell of both. */
    @Test
    void aCutBehindAnEarlierOne_isTheServersAtOnce() throws Exception {
        cut(2);
        write(8, "ab");
        cut(5);
        assertThat(asked).containsExactly(2L, 5L);
        assertThat(stored("f")).isEqualTo("01\0\0\0");
        vfs.fsync(file, false);
        assertThat(stored("f")).isEqualTo("01\0\0\0");
    }

    @Test
    void growing_comesAfterTheCut() throws Exception {
        cut(2);
        vfs.allocate(file, AllocateMode.EXTEND, 0, 8);
        assertThat(asked).containsExactly(2L, 8L);
        assertThat(stored("f")).isEqualTo("01\0\0\0\0\0\0");
    }

    @Test
    void readPastThePageCache_seesTheCut() throws Exception {
        OpenFile direct = vfs.open(file.ino(), DIRECT);
        cut(2);
        write(4, "x");
        assertThat(read(direct)).isEqualTo("01\0\0x");
        vfs.release(direct);
    }

    @Test
    void aCutThatTheServerRefuses_isToldAtFsync_andDoneLater() throws Exception {
        refuses = true;
        cut(4);
        write(1, "x");
        assertThatThrownBy(() -> vfs.fsync(file, false)).hasMessageContaining("no size");
        assertThat(read(file)).isEqualTo("0x23");
        assertThat(stored("f")).isEqualTo(BEFORE);
        refuses = false;
        vfs.fsync(file, false);
        assertThat(stored("f")).isEqualTo("0x23");
    }

    @Test
    void whatAnotherClientWroteMeanwhile_isNotCut() throws Exception {
        cut(4);
        ServerFile theirs = store.open(() -> RemotePath.ROOT.child("f"), Access.READ_WRITE).file();
        byte[] text = "another's version".getBytes(StandardCharsets.UTF_8);
        new Transfers(runtime.environment().waits()).write(theirs, 0, text);
        theirs.close();
        assertThatThrownBy(() -> vfs.fsync(file, false)).hasMessageContaining("another client");
        vfs.fsync(file, false);
        assertThat(stored("f")).isEqualTo("another's version");
        List<String> names = new ArrayList<>();
        store.list(RemotePath.ROOT, (name, type, attributes) -> names.add(name));
        names.remove("f");
        assertThat(names).hasSize(1);
        assertThat(stored(names.get(0))).isEqualTo("0123");
    }

    @Test
    void aNewFile_isCutBeforeTheServerHasIt() throws Exception {
        OpenFile before = file;
        file = vfs.create(Vfs.ROOT_INO, "new", 0644, OpenFlags.READ_WRITE).file();
        write(0, "much too long");
        cut(4);
        vfs.fsync(file, false);
        assertThat(stored("new")).isEqualTo("much");
        vfs.release(before);
    }
}
