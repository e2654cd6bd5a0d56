// SPDX-License-Identifier: Apache-2.0
package io.netfs4j.vfs;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.netfs4j.base.FsError;
import io.netfs4j.base.FsException;
import io.netfs4j.base.SystemRuntime;
import io.netfs4j.server.Access;
import io.netfs4j.server.PathSource;
import io.netfs4j.server.RemotePath;
import io.netfs4j.server.Server;
import io.netfs4j.server.memory.MemoryServer;
import io.netfs4j.testing.Transfers;

import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Proxy;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;

/** Opening files of a server that does not let everybody read. */
class OpenOperationsTest {
    private static final byte[] OLD = "what was there before".getBytes(StandardCharsets.UTF_8);

    private final SystemRuntime runtime = new SystemRuntime();
    private boolean refusesReading;
    private MemoryServer store;
    private Vfs vfs;
    private long ino;

    @BeforeEach
    void open() throws Exception {
        store = new MemoryServer(runtime.environment().clock());
        var made = store.create(() -> RemotePath.ROOT.child("f"), 0600).file();
        new Transfers(runtime.environment().waits()).write(made, 0, OLD);
        made.close();
        vfs = SmallVfs.over(runtime, guarded());
        ino = vfs.lookup(Vfs.ROOT_INO, "f").attributes().ino();
    }

    @AfterEach
    void close() {
        runtime.close();
    }

    /** The store, which refuses to open for reading while it is told to. */
    private Server guarded() {
        return (Server)
                Proxy.newProxyInstance(
                        Server.class.getClassLoader(),
                        new Class<?>[] {Server.class},
                        (proxy, method, arguments) -> {
                            if (method.getName().equals("open")
                                    && refusesReading
                                    && ((Access) arguments[1]).reads()) {
                                throw new FsException(
                                        FsError.EACCES, "/" + ((PathSource) arguments[0]).path());
                            }
                            try {
                                return method.invoke(store, arguments);
                            } catch (InvocationTargetException e) {
                                throw e.getCause();
                            }
                        });
    }

    @Test
    void open_toReadWhatIsOpenForWritingOnly_isRefused() throws Exception {
        refusesReading = true;
        OpenFile writer = vfs.open(ino, OpenFlags.plain(Access.WRITE));
        assertThatThrownBy(() -> vfs.open(ino, OpenFlags.READ))
                .isInstanceOfSatisfying(
                        FsException.class, e -> assertThat(e.error()).isEqualTo(FsError.EACCES));
        assertThat(vfs.write(writer, 4, ByteBuffer.wrap(new byte[] {'X'}))).isEqualTo(1);
        vfs.fsync(writer, false);
        vfs.release(writer);
    }

    @Test
    void open_toReadOnceThatIsAllowed_readsPastAWriterWhoMayNot() throws Exception {
        refusesReading = true;
        OpenFile writer = vfs.open(ino, OpenFlags.plain(Access.WRITE));
        vfs.write(writer, 0, ByteBuffer.wrap(new byte[] {'W'}));
        refusesReading = false;
        OpenFile reader = vfs.open(ino, OpenFlags.READ);
        ByteBuffer got = ByteBuffer.allocate(100);
        assertThat(vfs.read(reader, 0, got)).isEqualTo(OLD.length);
        assertThat(new String(got.array(), 0, OLD.length, StandardCharsets.UTF_8))
                .isEqualTo("What was there before");
        vfs.release(reader);
        vfs.fsync(writer, false);
        vfs.release(writer);
    }

    @Test
    void open_toWriteOnlyAgain_afterAChangeElsewhere_stillWorks() throws Exception {
        refusesReading = true;
        OpenFile first = vfs.open(ino, OpenFlags.plain(Access.WRITE));
        var elsewhere = store.open(() -> RemotePath.ROOT.child("f"), Access.READ_WRITE).file();
        new Transfers(runtime.environment().waits()).write(elsewhere, 0, new byte[] {'E'});
        elsewhere.close();
        OpenFile second = vfs.open(ino, OpenFlags.plain(Access.WRITE));
        vfs.release(second);
        vfs.release(first);
    }
}
