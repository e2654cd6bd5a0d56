// SPDX-License-Identifier: Apache-2.0
package io.netfs4j.vfs;

import static org.assertj.core.api.Assertions.assertThat;

import io.netfs4j.base.FsException;
import io.netfs4j.base.SystemRuntime;
import io.netfs4j.pagecache.PageCache;
import io.netfs4j.server.AttributeChange;
import io.netfs4j.server.OpenedFile;
import io.netfs4j.server.RemotePath;
import io.netfs4j.server.RenameMode;
import io.netfs4j.server.Server;
import io.netfs4j.server.ServerAttributes;
import io.netfs4j.server.memory.MemoryServer;
import io.netfs4j.testing.DoubleServer;

import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

import java.nio.ByteBuffer;

/**
 * How many names a file has, mostly over a server that neither counts nor numbers: the kernel
 * counts down when a name goes, and makes no more names of a file that has none.
 */
@Timeout(value = 60, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
class LinkCountTest {
    private final SystemRuntime runtime = new SystemRuntime();
    private final MemoryServer store = new MemoryServer(runtime.environment().clock());
    private CachedVfs vfs;
    private OpenFile file;

    @BeforeEach
    void open() throws FsException {
        vfs = SmallVfs.over(runtime, DoubleServer.of(store, LinkCountTest::uncounted));
        file = vfs.create(Vfs.ROOT_INO, "a", 0644, OpenFlags.READ_WRITE).file();
        vfs.fsync(file, false);
    }

    @AfterEach
    void close() {
        runtime.close();
    }

    private static @Nullable Object uncounted(DoubleServer.Call call) throws Throwable {
        return switch (call.proceed()) {
            case ServerAttributes a -> uncounted(a);
            case OpenedFile opened -> new OpenedFile(opened.file(), uncounted(opened.attributes()));
            case null -> null;
            case Object other -> other;
        };
    }

    private static ServerAttributes uncounted(ServerAttributes a) {
        return new ServerAttributes(
                a.type(),
                a.sizeBytes(),
                a.mode(),
                a.uid(),
                a.gid(),
                1,
                a.accessed(),
                a.modified(),
                a.changed(),
                0,
                a.token());
    }

    @Test
    void links_ofAServerThatCounts_areWhatItSays() throws Exception {
        CachedVfs counted = SmallVfs.over(runtime, store);
        OpenFile open = counted.create(Vfs.ROOT_INO, "x", 0644, OpenFlags.READ_WRITE).file();
        counted.fsync(open, false);
        counted.link(open.ino(), Vfs.ROOT_INO, "y");
        assertThat(counted.getAttributes(open.ino()).links()).isEqualTo(2);
        store.remove(RemotePath.ROOT.child("y"));
        counted.release(open);
        counted.open(open.ino(), OpenFlags.READ_WRITE);
        assertThat(counted.getAttributes(open.ino()).links()).isEqualTo(1);
    }

    /** A mount that asks for every name anew. */
    private CachedVfs askingAlways(boolean counted) throws FsException {
        VfsOptions usual = VfsOptions.of(new PageCache.Limits(1 << 20, 1 << 20, 1 << 20));
        VfsOptions options =
                new VfsOptions(
                        usual.memory(),
                        usual.engine(),
                        0,
                        usual.softTimeoutNanos(),
                        usual.closeWaits(),
                        usual.syncWrites(),
                        usual.unbuffered(),
                        usual.metadataWriteback(),
                        usual.journalSyncs(),
                        usual.conflicts(),
                        usual.readOnly(),
                        usual.ownership());
        return new CachedVfs(
                runtime.environment(),
                counted ? store : DoubleServer.of(store, LinkCountTest::uncounted),
                options,
                ByteBuffer::allocate);
    }

    @ParameterizedTest
    @CsvSource({"true, true", "true, false", "false, true", "false, false"})
    void unsavedBytes_ofAFileOneOfWhoseNamesAnotherMoved_areSaved(boolean counted, boolean first)
            throws Exception {
        CachedVfs mount = askingAlways(counted);
        OpenFile open = mount.create(Vfs.ROOT_INO, "x", 0644, OpenFlags.READ_WRITE).file();
        mount.fsync(open, false);
        mount.link(open.ino(), Vfs.ROOT_INO, "y");
        RemotePath moved = RemotePath.ROOT.child("z");
        if (first) {
            mount.unlink(Vfs.ROOT_INO, "x");
        }
        store.rename(RemotePath.ROOT.child("y"), moved, RenameMode.NOREPLACE);
        assertThat(mount.lookup(Vfs.ROOT_INO, "y").attributes()).isNull();
        if (!first) {
            mount.unlink(Vfs.ROOT_INO, "x");
        }
        mount.write(open, 0, ByteBuffer.allocate(10));
        assertThat(mount.getAttributes(open.ino()).links()).isEqualTo(1);
        mount.release(open);
        while (!mount.engine().flusher().isClean()) {
            Thread.onSpinWait();
        }
        assertThat(store.stat(moved).sizeBytes()).isEqualTo(10);
    }

    private int links() throws FsException {
        return vfs.getAttributes(file.ino()).links();
    }

    @Test
    void links_areTheNamesThatAreKnown() throws Exception {
        assertThat(links()).isEqualTo(1);
        Entry linked = vfs.link(file.ino(), Vfs.ROOT_INO, "b");
        assertThat(linked.attributes().links()).isEqualTo(2);
        assertThat(links()).isEqualTo(2);
        vfs.rename(Vfs.ROOT_INO, "b", Vfs.ROOT_INO, "c", RenameMode.REPLACE);
        assertThat(links()).isEqualTo(2);
        vfs.unlink(Vfs.ROOT_INO, "c");
        assertThat(links()).isEqualTo(1);
        vfs.unlink(Vfs.ROOT_INO, "a");
        assertThat(links()).isZero();
    }

    /** What a link is answered with may be from before something that was sent with data. */
    @Test
    void link_answeredAfterPermissionsWereSet_leavesThem() throws Exception {
        CachedVfs[] mount = new CachedVfs[1];
        OpenFile[] open = new OpenFile[1];
        Server late =
                DoubleServer.of(
                        store,
                        call -> {
                            Object answer = call.proceed();
                            if (call.is(Server.class, "link")) {
                                mount[0].fsync(open[0], false);
                            }
                            return answer;
                        });
        mount[0] = SmallVfs.over(runtime, late);
        long ours = mount[0].makeDirectory(Vfs.ROOT_INO, "d", 0755).attributes().ino();
        open[0] = mount[0].create(ours, "x", 0644, OpenFlags.READ_WRITE).file();
        mount[0].fsync(open[0], false);
        mount[0].write(open[0], 0, ByteBuffer.allocate(10));
        AttributeChange mode = new AttributeChange(0750, null, null, null, null, null);
        mount[0].setAttributes(open[0].ino(), mode, open[0]);
        mount[0].link(open[0].ino(), Vfs.ROOT_INO, "y");

        assertThat(mount[0].getAttributes(open[0].ino()).mode()).isEqualTo(0750);
        assertThat(store.stat(RemotePath.ROOT.child("y")).mode()).isEqualTo(0750);
    }

    /** Whoever is to decide about it is told which file it is. */
    @Test
    void fileWithoutAName_isCalledByItsLastOne() throws Exception {
        CachedVfs mount = askingAlways(true);
        long above = mount.makeDirectory(Vfs.ROOT_INO, "d", 0755).attributes().ino();
        long directory = mount.makeDirectory(above, "e", 0755).attributes().ino();
        OpenFile open = mount.create(directory, "x", 0644, OpenFlags.READ_WRITE).file();
        mount.fsync(open, false);
        mount.write(open, 0, ByteBuffer.allocate(10));
        store.rename(
                RemotePath.ROOT.child("d"), RemotePath.ROOT.child("other"), RenameMode.REPLACE);
        assertThat(mount.lookup(Vfs.ROOT_INO, "d").attributes()).isNull();
        assertThat(mount.engine().flusher().unsaved().get(0).listener().name()).isEqualTo("d/e/x");
    }
}
