// SPDX-License-Identifier: Apache-2.0
package io.netfs4j.vfs;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.netfs4j.Mount;
import io.netfs4j.SimulatedMount;
import io.netfs4j.base.FsError;
import io.netfs4j.base.FsException;
import io.netfs4j.base.SystemRuntime;
import io.netfs4j.server.RemotePath;
import io.netfs4j.server.ServerFile;
import io.netfs4j.server.memory.MemoryServer;
import io.netfs4j.testing.DoubleServer;

import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

import java.nio.ByteBuffer;

/** A file of 100 bytes into which a copy of 1000 failed, so that nobody knows how long it is. */
@Timeout(60)
class SizeInDoubtTest {
    private static final int BYTES = 100;
    private static final int COPY_BYTES = 1000;

    private final SystemRuntime runtime = new SystemRuntime();
    private final MemoryServer store = new MemoryServer(runtime.environment().clock());

    /** The server answers no question about a file that is open. */
    private volatile boolean silent;

    private CachedVfs vfs;
    private OpenFile direct;
    private OpenFile buffered;

    @BeforeEach
    void open() throws FsException {
        vfs = SmallVfs.over(runtime, DoubleServer.of(store, this::failing));
        direct = make("f", BYTES, OpenFlags.READ_WRITE.pastThePageCache());
        buffered = vfs.open(direct.ino(), OpenFlags.READ_WRITE);
        OpenFile source = make("g", COPY_BYTES, OpenFlags.READ_WRITE);
        silent = true;
        assertThatThrownBy(() -> vfs.copyRange(source, 0, direct, 0, COPY_BYTES))
                .isInstanceOf(FsException.class);
        assertThat(shown()).isEqualTo(BYTES);
    }

    @AfterEach
    void close() {
        runtime.close();
    }

    private @Nullable Object failing(DoubleServer.Call call) throws Throwable {
        boolean isQuestion = silent && call.is(ServerFile.class, "attributes");
        if (isQuestion || call.is(ServerFile.class, "copyRange")) {
            throw new FsException(FsError.EIO, "no answer");
        }
        return call.proceed();
    }

    private OpenFile make(String name, int bytes, OpenFlags flags) throws FsException {
        OpenFile file = vfs.create(Vfs.ROOT_INO, name, 0644, flags).file();
        vfs.write(file, 0, ByteBuffer.allocate(bytes));
        vfs.fsync(file, false);
        return file;
    }

    private long shown() throws FsException {
        return vfs.getAttributes(direct.ino()).sizeBytes();
    }

    private long stored() throws FsException {
        return store.stat(RemotePath.ROOT.child("f")).sizeBytes();
    }

    @Test
    void allocate_makesItSoLong() throws Exception {
        vfs.allocate(buffered, AllocateMode.EXTEND, 0, 5 * BYTES);
        assertThat(shown()).isEqualTo(5 * BYTES);
        assertThat(stored()).isEqualTo(5 * BYTES);
    }

    @Test
    void allocate_behindItsEnd_cutsNothingOff() throws Exception {
        vfs.write(buffered, 2 * BYTES, ByteBuffer.allocate(BYTES));
        vfs.allocate(buffered, AllocateMode.EXTEND, 0, 2 * BYTES);
        assertThat(shown()).isEqualTo(3 * BYTES);
    }

    @Test
    void unmount_doesNotWaitForAnAnswer_forNothingIsLost() throws Exception {
        Mount mount = SimulatedMount.of(store, vfs, runtime.environment());
        assertThat(mount.drain()).isEmpty();
        assertThat(mount.unsaved()).isEmpty();
        vfs.write(buffered, 0, ByteBuffer.allocate(1));
        assertThat(mount.drain()).extracting(Mount.Unsaved::path).containsExactly("f");
        assertThat(mount.unsaved()).extracting(Mount.Unsaved::path).containsExactly("f");
    }

    @Test
    void directWrite_thatFails_doesNotShowWhatIsOnlyFeared() throws Exception {
        assertThatThrownBy(() -> vfs.write(direct, 0, ByteBuffer.allocate(10)))
                .isInstanceOf(FsException.class);
        assertThat(shown()).isEqualTo(BYTES);
        silent = false;
        vfs.write(buffered, 0, ByteBuffer.allocate(10));
        vfs.fsync(buffered, false);
        assertThat(shown()).isEqualTo(BYTES);
        assertThat(stored()).isEqualTo(BYTES);
    }
}
