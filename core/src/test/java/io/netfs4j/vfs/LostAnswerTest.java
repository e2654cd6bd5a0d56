// SPDX-License-Identifier: Apache-2.0
package io.netfs4j.vfs;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.netfs4j.base.FsError;
import io.netfs4j.base.FsException;
import io.netfs4j.base.SystemRuntime;
import io.netfs4j.engine.InodeData;
import io.netfs4j.request.Origin;
import io.netfs4j.server.Access;
import io.netfs4j.server.AttributeChange;
import io.netfs4j.server.RemotePath;
import io.netfs4j.server.Server;
import io.netfs4j.server.ServerFile;
import io.netfs4j.server.memory.MemoryServer;
import io.netfs4j.testing.DoubleServer;
import io.netfs4j.testing.Transfers;

import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

import java.nio.ByteBuffer;
import java.time.Instant;
import java.util.Arrays;

/** The server changes a file of which something is cached, and says otherwise or nothing. */
@Timeout(value = 60, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
class LostAnswerTest {
    private static final int BYTES = 100;
    private static final AttributeChange MODE =
            new AttributeChange(0600, null, null, null, null, null);

    private final SystemRuntime runtime = new SystemRuntime();
    private final MemoryServer store = new MemoryServer(runtime.environment().clock());
    private final ToldKernel kernel = new ToldKernel();
    private volatile DoubleServer.Instead server = DoubleServer.Call::proceed;
    private CachedVfs vfs;
    private OpenFile file;

    @BeforeEach
    void open() throws FsException {
        vfs = SmallVfs.withMetadataSync(runtime, DoubleServer.of(store, call -> server.of(call)));
        vfs.setKernelCache(kernel);
        file = make("f", BYTES, 'a');
        assertThat(read(file, 50)).isEqualTo('a');
        kernel.inodes.clear();
    }

    @AfterEach
    void close() {
        server = DoubleServer.Call::proceed;
        runtime.close();
    }

    private OpenFile make(String name, int bytes, char with) throws FsException {
        OpenFile made = vfs.create(Vfs.ROOT_INO, name, 0644, OpenFlags.READ_WRITE).file();
        vfs.write(made, 0, filled(bytes, with));
        vfs.fsync(made, false);
        return made;
    }

    private static ByteBuffer filled(int bytes, char with) {
        byte[] content = new byte[bytes];
        Arrays.fill(content, (byte) with);
        return ByteBuffer.wrap(content);
    }

    private char read(OpenFile open, long position) throws FsException {
        ByteBuffer one = ByteBuffer.allocate(1);
        vfs.read(open, position, one);
        return (char) one.get(0);
    }

    private void writeElsewhere(long position, ByteBuffer content) throws FsException {
        ServerFile theirs = store.open(() -> RemotePath.ROOT.child("f"), Access.READ_WRITE).file();
        new Transfers(runtime.environment().waits()).write(theirs, position, content.array());
        theirs.close();
    }

    private OpenFile reopened() throws FsException {
        vfs.release(file);
        return vfs.open(file.ino(), OpenFlags.READ_WRITE);
    }

    private long stored() throws FsException {
        return store.stat(RemotePath.ROOT.child("f")).sizeBytes();
    }

    private static FsException lost() {
        return new FsException(FsError.EIO, "the answer was lost");
    }

    /** Attributes are set by the server, which then throws instead of answering. */
    private void setThenThrow(Class<?> where, Exception thrown) {
        server =
                call -> {
                    Object answer = call.proceed();
                    if (call.is(where, "setAttributes")) {
                        throw thrown;
                    }
                    return answer;
                };
    }

    @Test
    void truncate_whoseAnswerIsLost_showsNoBytesThatWereCutOff() throws Exception {
        setThenThrow(ServerFile.class, lost());
        assertThatThrownBy(() -> vfs.setAttributes(file.ino(), AttributeChange.size(0), file))
                .hasMessageContaining("lost");
        server = DoubleServer.Call::proceed;
        vfs.write(file, 60, filled(10, 'b'));
        vfs.fsync(file, false);
        OpenFile again = reopened();
        assertThat(vfs.getAttributes(file.ino()).sizeBytes()).isEqualTo(70).isEqualTo(stored());
        assertThat(read(again, 50)).isEqualTo('\0');
        assertThat(read(again, 60)).isEqualTo('b');
    }

    @Test
    void truncate_byAServerThatThrows_isInDoubt() throws Exception {
        setThenThrow(ServerFile.class, new IllegalStateException("bug in setAttributes"));
        assertThatThrownBy(() -> vfs.setAttributes(file.ino(), AttributeChange.size(0), file))
                .isInstanceOf(FsException.class)
                .hasMessageContaining("bug in");
        server = DoubleServer.Call::proceed;
        assertThat(read(file, 50)).isEqualTo('\0');
    }

    @Test
    void truncate_thatIsRefused_changesNothing() throws Exception {
        server =
                call -> {
                    if (call.is(ServerFile.class, "setAttributes")) {
                        throw new FsException(FsError.EPERM, "append-only");
                    }
                    return call.proceed();
                };
        assertThatThrownBy(() -> vfs.setAttributes(file.ino(), AttributeChange.size(0), file))
                .hasMessageContaining("append-only");
        assertThat(read(file, 50)).isEqualTo('a');
        vfs.fsync(file, false);
        assertThat(vfs.getAttributes(file.ino()).sizeBytes()).isEqualTo(BYTES).isEqualTo(stored());
        assertThat(vfs.engine().flusher().isClean()).isTrue();
    }

    /** The owner of a file that he may not write may date it. */
    @Test
    void times_afterATruncateThatIsRefusedOfAFileOpenForReading_arrive() throws Exception {
        vfs.release(file);
        OpenFile open = vfs.open(file.ino(), OpenFlags.READ);
        server =
                call -> {
                    if (call.is(Server.class, "setAttributes")
                            && call.argument(1, AttributeChange.class).sizeBytes() != null) {
                        throw new FsException(FsError.EACCES, "not to be written");
                    }
                    return call.proceed();
                };
        assertThatThrownBy(() -> vfs.setAttributes(file.ino(), AttributeChange.size(0), null))
                .hasMessageContaining("not to be written");
        Instant then = Instant.ofEpochSecond(1_000_000_000);
        vfs.setAttributes(file.ino(), AttributeChange.times(null, then), null);
        while (!vfs.engine().flusher().isClean()) {
            Thread.onSpinWait();
        }
        vfs.release(open);
        assertThat(store.stat(RemotePath.ROOT.child("f")).modified()).isEqualTo(then);
    }

    /** As over a connection that was lost with the answer, and on the next one it may not. */
    @Test
    void truncate_thatWasDoneAndThenRefused_showsNoBytesThatWereCutOff() throws Exception {
        setThenThrow(ServerFile.class, new FsException(FsError.EROFS, "read-only by now"));
        assertThatThrownBy(() -> vfs.setAttributes(file.ino(), AttributeChange.size(0), file))
                .hasMessageContaining("read-only");
        server = DoubleServer.Call::proceed;
        assertThat(stored()).isZero();
        assertThat(read(file, 50)).isEqualTo('\0');
    }

    @Test
    void allocate_afterATruncateWhoseAnswerIsLost_makesItAsLongAsItIsShown() throws Exception {
        setThenThrow(ServerFile.class, lost());
        assertThatThrownBy(() -> vfs.setAttributes(file.ino(), AttributeChange.size(0), file))
                .hasMessageContaining("lost");
        server = DoubleServer.Call::proceed;
        vfs.allocate(file, AllocateMode.EXTEND, 0, 80);
        vfs.fsync(file, false);
        long shown = vfs.getAttributes(file.ino()).sizeBytes();
        assertThat(shown).isGreaterThanOrEqualTo(80).isEqualTo(stored());
    }

    @Test
    void truncate_ofAClosedFile_whoseAnswerIsLost_isSeenByTheNextOpen() throws Exception {
        vfs.release(file);
        setThenThrow(Server.class, lost());
        assertThatThrownBy(() -> vfs.setAttributes(file.ino(), AttributeChange.size(10), null))
                .hasMessageContaining("lost");
        server = DoubleServer.Call::proceed;
        OpenFile again = vfs.open(file.ino(), OpenFlags.READ_WRITE);
        assertThat(vfs.getAttributes(file.ino()).sizeBytes()).isEqualTo(10);
        vfs.write(again, 60, filled(10, 'b'));
        assertThat(read(again, 50)).isEqualTo('\0');
        vfs.fsync(again, false);
        assertThat(vfs.engine().flusher().isClean()).isTrue();
    }

    @ParameterizedTest
    @ValueSource(strings = {"copyRange", "attributes"})
    void copy_thatThrows_showsWhatTheServerHas(String where) throws Exception {
        OpenFile source = make("s", 2 * BYTES, 'c');
        boolean[] copied = new boolean[1];
        server =
                call -> {
                    if (call.is(ServerFile.class, "copyRange")) {
                        writeElsewhere(0, filled(2 * BYTES, 'c'));
                        copied[0] = true;
                    } else if (!copied[0]) {
                        return call.proceed();
                    }
                    if (call.is(ServerFile.class, where)) {
                        throw new IllegalStateException("bug in " + where);
                    }
                    return call.is(ServerFile.class, "copyRange")
                            ? (Object) (long) (2 * BYTES)
                            : call.proceed();
                };
        if (where.equals("copyRange")) {
            assertThatThrownBy(() -> vfs.copyRange(source, 0, file, 0, 2 * BYTES))
                    .isInstanceOf(FsException.class)
                    .hasMessageContaining("bug in");
        } else {
            assertThat(vfs.copyRange(source, 0, file, 0, 2 * BYTES)).isEqualTo(2 * BYTES);
        }
        assertThat(kernel.inodes).contains(file.ino());
        server = DoubleServer.Call::proceed;
        assertThat(read(file, 50)).isEqualTo('c');
        vfs.engine().flusher().unsaved().forEach(this::save);
        vfs.fsync(file, false);
        assertThat(vfs.getAttributes(file.ino()).sizeBytes()).isEqualTo(2 * BYTES);
    }

    private void save(InodeData data) {
        data.lock().lock();
        try {
            vfs.engine().writeback(data, Origin.SYNC);
        } finally {
            data.lock().unlock();
        }
    }

    @Test
    void chmod_overAnotherClientsChange_doesNotHideThat() throws Exception {
        writeElsewhere(50, filled(1, 'z'));
        vfs.setAttributes(file.ino(), MODE, file);
        assertThat(kernel.inodes).contains(file.ino());
        assertThat(read(reopened(), 50)).isEqualTo('z');
    }

    @Test
    void chmod_alone_keepsWhatIsCached() throws Exception {
        vfs.setAttributes(file.ino(), MODE, file);
        server =
                call -> {
                    assertThat(call.is(ServerFile.class, "reads")).as("asked again").isFalse();
                    return call.proceed();
                };
        assertThat(read(file, 50)).isEqualTo('a');
    }

    @Test
    void times_setOverAnotherClientsChange_doNotHideThat() throws Exception {
        writeElsewhere(50, filled(1, 'z'));
        AttributeChange old = AttributeChange.times(null, Instant.ofEpochSecond(1));
        vfs.setAttributes(file.ino(), old, file);
        assertThat(read(reopened(), 50)).isEqualTo('z');
    }

    @Test
    void chmod_afterAnotherClientCutTheFile_doesNotBringBackWhatItCut() throws Exception {
        store.setAttributes(RemotePath.ROOT.child("f"), AttributeChange.size(10));
        vfs.setAttributes(file.ino(), MODE, file);
        assertThat(vfs.getAttributes(file.ino()).sizeBytes()).isEqualTo(10);
        vfs.write(file, 90, filled(1, 'b'));
        vfs.fsync(file, false);
        assertThat(read(reopened(), 50)).isEqualTo('\0');
    }
}
