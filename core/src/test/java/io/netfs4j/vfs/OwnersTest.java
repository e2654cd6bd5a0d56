// SPDX-License-Identifier: Apache-2.0
package io.netfs4j.vfs;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.netfs4j.base.Completion;
import io.netfs4j.base.FsError;
import io.netfs4j.base.FsException;
import io.netfs4j.base.SystemRuntime;
import io.netfs4j.pagecache.PageCache;
import io.netfs4j.server.AttributeChange;
import io.netfs4j.server.OpenedFile;
import io.netfs4j.server.RemotePath;
import io.netfs4j.server.Server;
import io.netfs4j.server.ServerAttributes;
import io.netfs4j.server.ServerFile;
import io.netfs4j.server.WriteSession;
import io.netfs4j.server.memory.MemoryServer;
import io.netfs4j.testing.DoubleServer;

import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

import java.nio.ByteBuffer;
import java.util.List;
import java.util.concurrent.CountDownLatch;

/** Owners that applications set before the server has them, of whatever user it runs us as. */
@Timeout(60)
class OwnersTest {
    private static final int ROOT = 0;
    private static final int USER = 1000;
    private static final int OTHER = 12;

    private final SystemRuntime runtime = new SystemRuntime();
    private final MemoryServer store = new MemoryServer(runtime.environment().clock());

    /** What making files and setting attributes by path wait for. */
    private volatile CountDownLatch gate = new CountDownLatch(0);

    private int user;
    private CachedVfs vfs;
    private long made;

    @AfterEach
    void close() {
        gate.countDown();
        vfs.close();
        runtime.close();
    }

    /** Mounts it for a user of the server. */
    private void mount(int uid) throws FsException {
        user = uid;
        Server server = DoubleServer.of(store, this::asUser);
        vfs =
                new CachedVfs(
                        runtime.environment(),
                        server,
                        VfsOptions.of(new PageCache.Limits(8 << 20, 4 << 20, 1 << 20)),
                        ByteBuffer::allocateDirect);
        made = vfs.makeDirectory(Vfs.ROOT_INO, "made", 0755).attributes().ino();
    }

    private Object asUser(DoubleServer.Call call) throws Throwable {
        boolean sets = call.is(Server.class, "setAttributes");
        if (sets || call.is(Server.class, "create")) {
            gate.await();
        }
        if (sets) {
            requireAllowed(call.argument(1, AttributeChange.class));
        } else if (call.is(ServerFile.class, "setAttributes")) {
            requireAllowed(call.argument(0, AttributeChange.class));
        }
        if (call.is(WriteSession.class, "commit")) {
            return commit(call);
        }
        return switch (call.proceed()) {
            case ServerAttributes a -> owned(a);
            case OpenedFile o -> new OpenedFile(o.file(), owned(o.attributes()));
            case null -> null;
            case Object other -> other;
        };
    }

    @SuppressWarnings("unchecked")
    private Object commit(DoubleServer.Call call) throws Throwable {
        AttributeChange change = call.argument(0, AttributeChange.class);
        requireAllowed(change);
        Completion<ServerAttributes> done = call.argument(1, Completion.class);
        Completion<ServerAttributes> fine = new Completion<>();
        fine.whenDone((a, failure) -> {
            if (failure == null) {
                done.complete(owned(a));
            } else {
                done.fail(failure);
            }
        });
        return call.proceedWith(change, fine);
    }

    private void requireAllowed(AttributeChange change) throws FsException {
        if (user != ROOT && change.uid() != null && change.uid() != user) {
            throw new FsException(FsError.EPERM, "not yours to give");
        }
    }

    private ServerAttributes owned(ServerAttributes a) {
        return new ServerAttributes(
                a.type(),
                a.sizeBytes(),
                a.mode(),
                a.uid() == ROOT ? user : a.uid(),
                a.gid(),
                a.links(),
                a.accessed(),
                a.modified(),
                a.changed(),
                a.serverFileId(),
                a.token());
    }

    private OpenFile newFile() throws FsException {
        OpenFile file = vfs.create(made, "a", 0644, OpenFlags.READ_WRITE).file();
        vfs.write(file, 0, ByteBuffer.wrap(new byte[] {1}));
        return file;
    }

    private static AttributeChange owners(int uid, int gid) {
        return new AttributeChange(null, uid, gid, null, null, null);
    }

    private ServerAttributes onServer(String... names) throws FsException {
        return store.stat(new RemotePath(List.of(names)));
    }

    @Test
    void ownersOfANewFile_areShownBeforeTheServerHasThem_ofItsRoot() throws Exception {
        mount(ROOT);
        gate = new CountDownLatch(1);
        OpenFile file = newFile();
        Attributes shown = vfs.setAttributes(file.ino(), owners(OTHER, 34), file);
        assertThat(shown.uid()).isEqualTo(OTHER);
        assertThat(shown.gid()).isEqualTo(34);

        gate.countDown();
        vfs.fsync(file, false);
        assertThat(onServer("made", "a").uid()).isEqualTo(OTHER);
        assertThat(onServer("made", "a").gid()).isEqualTo(34);
        assertThat(vfs.getAttributes(file.ino()).uid()).isEqualTo(OTHER);
        vfs.release(file);
    }

    /** As tar sets them for every file. */
    @Test
    void ownersThatANewFileHas_areNotWaitedFor() throws Exception {
        mount(USER);
        gate = new CountDownLatch(1);
        OpenFile file = newFile();
        assertThat(vfs.setAttributes(file.ino(), owners(USER, 0), file).uid()).isEqualTo(USER);
        gate.countDown();
        vfs.fsync(file, false);
        vfs.release(file);
    }

    @Test
    void ownersThatAUserMayNotGive_areRefusedAtOnce() throws Exception {
        mount(USER);
        OpenFile file = newFile();
        assertThatThrownBy(() -> vfs.setAttributes(file.ino(), owners(OTHER, 34), file))
                .isInstanceOfSatisfying(
                        FsException.class, e -> assertThat(e.error()).isEqualTo(FsError.EPERM));
        assertThat(vfs.getAttributes(file.ino()).uid()).isEqualTo(USER);
        vfs.fsync(file, false);
        vfs.release(file);
    }

    /** Which a server takes away from what is given to others, whatever comes last. */
    @Test
    void ownersOfAFileThatRunsAsItsOwner_areSetAtOnce() throws Exception {
        mount(ROOT);
        OpenFile file = newFile();
        vfs.setAttributes(
                file.ino(), new AttributeChange(04755, null, null, null, null, null), file);
        vfs.setAttributes(file.ino(), owners(OTHER, 34), file);
        assertThat(onServer("made", "a").uid()).isEqualTo(OTHER);
        vfs.release(file);
    }

    /** What was kept before is sent before: else it would come last. */
    @Test
    void ownersThatAreSetAtOnce_areTheLastOnes() throws Exception {
        mount(ROOT);
        OpenFile file = newFile();
        vfs.setAttributes(file.ino(), owners(OTHER, 34), file);
        AttributeChange both = new AttributeChange(04755, 13, 35, null, null, null);
        Attributes shown = vfs.setAttributes(file.ino(), both, file);
        assertThat(shown.uid()).isEqualTo(13);
        vfs.fsync(file, false);
        assertThat(onServer("made", "a").uid()).isEqualTo(13);
        assertThat(onServer("made", "a").mode()).isEqualTo(04755);
        assertThat(vfs.getAttributes(file.ino()).gid()).isEqualTo(35);
        vfs.release(file);
    }

    @Test
    void ownersOfADirectory_areShownBeforeTheServerHasThem_ofItsRoot() throws Exception {
        mount(ROOT);
        long inner = vfs.makeDirectory(made, "inner", 0755).attributes().ino();
        vfs.fsyncDirectory(made);
        gate = new CountDownLatch(1);
        assertThat(vfs.setAttributes(inner, owners(OTHER, 34), null).uid()).isEqualTo(OTHER);
        gate.countDown();
        vfs.fsyncDirectory(inner);
        assertThat(onServer("made", "inner").uid()).isEqualTo(OTHER);
        assertThat(vfs.getAttributes(inner).gid()).isEqualTo(34);
    }
}
