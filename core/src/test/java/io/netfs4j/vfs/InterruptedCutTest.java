// SPDX-License-Identifier: Apache-2.0
package io.netfs4j.vfs;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.netfs4j.base.FsError;
import io.netfs4j.base.FsException;
import io.netfs4j.base.SystemDisk;
import io.netfs4j.base.SystemRuntime;
import io.netfs4j.cache.DiskCache;
import io.netfs4j.cache.journal.Journal;
import io.netfs4j.cache.journal.JournalLimits;
import io.netfs4j.cache.store.DiskStore;
import io.netfs4j.cache.store.StoreLimits;
import io.netfs4j.cache.store.Succession;
import io.netfs4j.engine.PendingAttributes;
import io.netfs4j.pagecache.PageCache;
import io.netfs4j.request.Subrequest;
import io.netfs4j.request.Termination;
import io.netfs4j.server.Access;
import io.netfs4j.server.AttributeChange;
import io.netfs4j.server.FileType;
import io.netfs4j.server.RemotePath;
import io.netfs4j.server.RenameMode;
import io.netfs4j.server.Server;
import io.netfs4j.server.ServerAttributes;
import io.netfs4j.server.ServerFile;
import io.netfs4j.server.WriteSession;
import io.netfs4j.server.memory.MemoryServer;
import io.netfs4j.testing.DoubleServer;
import io.netfs4j.testing.ForgetfulDisk;
import io.netfs4j.testing.Transfers;

import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import java.util.concurrent.CountDownLatch;

/** Cuts that the server has not made yet, and what comes in between: others, refusals, crashes. */
@Timeout(60)
class InterruptedCutTest {
    private static final JournalLimits LIMITS = new JournalLimits(64L << 20, 1 << 20, 1 << 20);
    private static final OpenFlags DIRECT =
            new OpenFlags(Access.READ_WRITE, false, false, false, false, false, true);
    private final SystemRuntime runtime = new SystemRuntime();
    private final MemoryServer store = new MemoryServer(runtime.environment().clock());
    private volatile boolean refuses;
    private volatile CountDownLatch back;
    private volatile boolean refusesBytes;
    private volatile CountDownLatch creates = new CountDownLatch(0);

    @AfterEach
    void close() {
        runtime.close();
    }

    private Server server() {
        return DoubleServer.of(
                store,
                call -> {
                    if (call.is(ServerFile.class, "setAttributes")
                            && call.argument(0, AttributeChange.class).sizeBytes() != null
                            && refuses) {
                        throw new FsException(FsError.EIO, "no size");
                    }
                    if (call.is(WriteSession.class, "issue") && refusesBytes) {
                        Subrequest piece = call.argument(0, Subrequest.class);
                        piece.take(piece.length());
                        piece.terminated(
                                new Termination.Failed(new FsException(FsError.EIO, "no bytes")));
                        return true;
                    }
                    if (call.is(Server.class, "isConnected")) {
                        return back == null;
                    }
                    CountDownLatch until = back;
                    if (until != null && call.is(Server.class, "stat")) {
                        until.await();
                    }
                    if (call.is(Server.class, "create")) {
                        creates.await();
                    }
                    return call.proceed();
                });
    }

    private CachedVfs vfs(SystemRuntime process, Journal journal) throws FsException {
        return vfs(process, journal, null);
    }

    private CachedVfs vfs(SystemRuntime process, Journal journal, DiskCache cache)
            throws FsException {
        return new CachedVfs(
                process.environment(),
                server(),
                VfsOptions.of(new PageCache.Limits(1 << 20, 1 << 20, 1 << 20))
                        .withConflicts(
                                new VfsOptions.Conflicts(VfsOptions.OnConflict.COPY, "here")),
                ByteBuffer::allocate,
                cache,
                journal);
    }

    private static ByteBuffer text(String t) {
        return ByteBuffer.wrap(t.getBytes(StandardCharsets.UTF_8));
    }

    private String stored(String name) throws FsException {
        ServerFile there = store.open(() -> RemotePath.ROOT.child(name), Access.READ).file();
        int size = (int) there.attributes().sizeBytes();
        byte[] bytes = new Transfers(runtime.environment().waits()).get(there, 0, size);
        there.close();
        return new String(bytes, StandardCharsets.UTF_8);
    }

    private void another(String name, String content) throws FsException {
        ServerFile theirs = store.open(() -> RemotePath.ROOT.child(name), Access.READ_WRITE).file();
        new Transfers(runtime.environment().waits())
                .write(theirs, 0, content.getBytes(StandardCharsets.UTF_8));
        theirs.close();
    }

    private List<String> names() throws FsException {
        List<String> names = new ArrayList<>();
        store.list(RemotePath.ROOT, (name, type, attributes) -> names.add(name));
        return names;
    }

    private static void fsyncToldOrNot(CachedVfs vfs, OpenFile file) {
        try {
            vfs.fsync(file, false);
        } catch (FsException e) {
            assertThat(e.error()).isEqualTo(FsError.ESTALE);
        }
    }

    private static String read(CachedVfs vfs, OpenFile from) throws FsException {
        ByteBuffer bytes = ByteBuffer.allocate(100);
        int count = vfs.read(from, 0, bytes);
        return new String(bytes.array(), 0, count, StandardCharsets.UTF_8);
    }

    /**
     * Nothing but a cut was left by a mount that died; another client has changed the file since.
     */
    @Test
    void anothersVersion_isNotCut_whereRecoveryFindsACutAlone() throws Exception {
        ForgetfulDisk disk = new ForgetfulDisk(new SplittableRandom(1));
        try (SystemRuntime process = new SystemRuntime()) {
            Journal journal = Journal.open(process.environment(), disk, LIMITS);
            CachedVfs vfs = vfs(process, journal);
            OpenFile file = vfs.create(Vfs.ROOT_INO, "f", 0644, OpenFlags.READ_WRITE).file();
            vfs.write(file, 0, text("0123456789"));
            vfs.fsync(file, false);
            vfs.setAttributes(file.ino(), AttributeChange.size(4), file);
        }
        assertThat(stored("f")).isEqualTo("0123456789");
        another("f", "another's version");
        try (Journal journal = Journal.open(runtime.environment(), disk, LIMITS)) {
            CachedVfs vfs = vfs(runtime, journal);
            OpenFile file =
                    vfs.open(
                            vfs.lookup(Vfs.ROOT_INO, "f").attributes().ino(), OpenFlags.READ_WRITE);
            fsyncToldOrNot(vfs, file);
            fsyncToldOrNot(vfs, file);
            assertThat(stored("f")).isEqualTo("another's version");
        }
    }

    @Test
    void copyBeside_hasTheSizeThatWasCutTo() throws Exception {
        CachedVfs vfs = vfs(runtime, null);
        OpenFile file = vfs.create(Vfs.ROOT_INO, "f", 0644, OpenFlags.READ_WRITE).file();
        vfs.write(file, 0, text("0123456789"));
        vfs.fsync(file, false);
        vfs.write(file, 20, text("never sent"));
        vfs.setAttributes(file.ino(), AttributeChange.size(15), file);
        another("f", "another's version");
        assertThatThrownBy(() -> vfs.fsync(file, false)).hasMessageContaining("another client");
        vfs.fsync(file, false);
        List<String> names = names();
        names.remove("f");
        assertThat(names).hasSize(1);
        assertThat(stored(names.get(0))).isEqualTo("0123456789\0\0\0\0\0");
    }

    /** Another client makes one of that name before the server is asked for ours. */
    @Test
    void newFile_cutToNothing_isNotTheOneOfAnother() throws Exception {
        CachedVfs vfs = vfs(runtime, null);
        long d = vfs.makeDirectory(Vfs.ROOT_INO, "d", 0755).attributes().ino();
        vfs.fsyncDirectory(d);
        OpenFile first = vfs.create(d, "first", 0644, OpenFlags.READ_WRITE).file();
        vfs.fsync(first, false);
        creates = new CountDownLatch(1);
        OpenFile file = vfs.create(d, "f", 0644, OpenFlags.READ_WRITE).file();
        vfs.write(file, 0, text("01234567"));
        assertThat(vfs.setAttributes(file.ino(), AttributeChange.size(0), file).sizeBytes())
                .isZero();
        RemotePath path = RemotePath.ROOT.child("d").child("f");
        ServerFile theirs = store.create(() -> path, 0644).file();
        new Transfers(runtime.environment().waits())
                .write(theirs, 0, "another's version".getBytes(StandardCharsets.UTF_8));
        theirs.close();
        creates.countDown();
        fsyncToldOrNot(vfs, file);
        vfs.write(file, 0, text("1234"));
        fsyncToldOrNot(vfs, file);
        assertThat(read(vfs, file)).isEqualTo("1234");
    }

    @Test
    void anothersVersion_isNotCut_afterTheServerRefusedThat() throws Exception {
        CachedVfs vfs = vfs(runtime, null);
        OpenFile file = vfs.create(Vfs.ROOT_INO, "f", 0644, OpenFlags.READ_WRITE).file();
        vfs.write(file, 0, text("0123456789"));
        vfs.fsync(file, false);
        refuses = true;
        vfs.setAttributes(file.ino(), AttributeChange.size(4), file);
        assertThatThrownBy(() -> vfs.fsync(file, false)).hasMessageContaining("no size");
        another("f", "another's version");
        refuses = false;
        fsyncToldOrNot(vfs, file);
        assertThat(stored("f")).isEqualTo("another's version");
    }

    @Test
    void directWriteBehindACut_survivesALossOfPower() throws Exception {
        for (int seed = 1; seed <= 5; seed++) {
            ForgetfulDisk disk = new ForgetfulDisk(new SplittableRandom(seed));
            String name = "d" + seed;
            try (SystemRuntime process = new SystemRuntime()) {
                Journal journal = Journal.open(process.environment(), disk, LIMITS);
                CachedVfs vfs = vfs(process, journal);
                OpenFile file = vfs.create(Vfs.ROOT_INO, name, 0644, OpenFlags.READ_WRITE).file();
                vfs.write(file, 0, text("0123456789"));
                vfs.fsync(file, false);
                OpenFile direct = vfs.open(file.ino(), DIRECT);
                vfs.setAttributes(file.ino(), AttributeChange.size(4), file);
                journal.awaitForced(journal.lastLsn());
                vfs.write(direct, 4, text("direct"));
                assertThat(stored(name)).isEqualTo("0123direct");
            }
            disk.losePower();
            try (SystemRuntime process = new SystemRuntime();
                    Journal journal = Journal.open(process.environment(), disk, LIMITS)) {
                CachedVfs vfs = vfs(process, journal);
                OpenFile file =
                        vfs.open(
                                vfs.lookup(Vfs.ROOT_INO, name).attributes().ino(),
                                OpenFlags.READ_WRITE);
                vfs.fsync(file, false);
                assertThat(stored(name)).as("seed " + seed).isEqualTo("0123direct");
            }
        }
    }

    @Test
    void conflictFoundByADirectWrite_isToldToThoseWhoCut() throws Exception {
        CachedVfs vfs = vfs(runtime, null);
        OpenFile file = vfs.create(Vfs.ROOT_INO, "f", 0644, OpenFlags.READ_WRITE).file();
        vfs.write(file, 0, text("0123456789"));
        vfs.fsync(file, false);
        OpenFile direct = vfs.open(file.ino(), DIRECT);
        vfs.setAttributes(file.ino(), AttributeChange.size(4), file);
        another("f", "another's version");
        assertThatThrownBy(() -> vfs.write(direct, 0, text("x")))
                .hasMessageContaining("another client");
        assertThatThrownBy(() -> vfs.fsync(file, false)).hasMessageContaining("another client");
    }

    @Test
    void anothersVersion_isKept_afterTheServerRefusedBytes() throws Exception {
        CachedVfs vfs = vfs(runtime, null);
        OpenFile file = vfs.create(Vfs.ROOT_INO, "f", 0644, OpenFlags.READ_WRITE).file();
        vfs.write(file, 0, text("0123456789"));
        vfs.fsync(file, false);
        refusesBytes = true;
        vfs.write(file, 0, text("abcd"));
        assertThatThrownBy(() -> vfs.fsync(file, false)).hasMessageContaining("no bytes");
        another("f", "another's version");
        refusesBytes = false;
        fsyncToldOrNot(vfs, file);
        assertThat(stored("f")).isEqualTo("another's version");
    }

    private FileFacts facts(long truncatingTo, long owed, long remote, String name)
            throws FsException {
        ServerAttributes a = store.stat(RemotePath.ROOT.child(name));
        return new FileFacts(
                a.type(),
                null,
                FileFacts.State.THERE,
                RemotePath.ROOT.child(name),
                null,
                false,
                null,
                a.serverFileId(),
                a.token(),
                false,
                remote,
                truncatingTo,
                new FileFacts.Owner(a.mode(), 0, 0),
                a.modified(),
                a.accessed(),
                PendingAttributes.NONE.written(a.modified()),
                null,
                -1,
                owed);
    }

    /** Killed within the second of two cuts, whose first is owed. */
    @Test
    void secondCutThatIsBarelyInTheJournal_isOneOrTheOther() throws Exception {
        CachedVfs plain = vfs(runtime, null);
        OpenFile f = plain.create(Vfs.ROOT_INO, "f", 0644, OpenFlags.READ_WRITE).file();
        plain.write(f, 0, text("0123456789"));
        plain.fsync(f, false);
        plain.release(f);
        ForgetfulDisk disk = new ForgetfulDisk(new SplittableRandom(1));
        try (SystemRuntime process = new SystemRuntime();
                Journal left = Journal.open(process.environment(), disk, LIMITS)) {
            left.awaitWritten(left.describe(left.newFile(), 6, facts(3, 6, 6, "f").encode()));
        }
        try (Journal journal = Journal.open(runtime.environment(), disk, LIMITS)) {
            CachedVfs vfs = vfs(runtime, journal);
            OpenFile file =
                    vfs.open(
                            vfs.lookup(Vfs.ROOT_INO, "f").attributes().ino(), OpenFlags.READ_WRITE);
            vfs.fsync(file, false);
            assertThat(stored("f")).isIn("012", "012345");
        }
    }

    @TempDir Path directory;

    /** The process died before the disk cache had heard of the cut. */
    @Test
    void cacheOfAFileThatWasCut_isNotShownAfterACrash() throws Exception {
        DiskStore cache =
                DiskStore.open(
                        runtime.environment(),
                        new SystemDisk(directory),
                        StoreLimits.DEFAULT,
                        new Succession(0, 1));
        runtime.environment().waits().await(cache.opened());
        CachedVfs plain = vfs(runtime, null);
        OpenFile f = plain.create(Vfs.ROOT_INO, "f", 0644, OpenFlags.READ_WRITE).file();
        plain.write(f, 0, text("a".repeat(5 * 4096)));
        plain.fsync(f, false);
        plain.release(f);
        CachedVfs first = vfs(runtime, null, cache);
        OpenFile r = first.open(first.lookup(Vfs.ROOT_INO, "f").attributes().ino(), OpenFlags.READ);
        ByteBuffer all = ByteBuffer.allocate(5 * 4096);
        while (all.hasRemaining()) {
            all.position(all.position() + first.read(r, all.position(), all.slice()));
        }
        first.release(r);
        while (new SystemDisk(directory).list().stream().noneMatch(n -> n.endsWith(".map"))) {
            Thread.onSpinWait();
        }
        runtime.environment().waits().await(cache.close());
        cache =
                DiskStore.open(
                        runtime.environment(),
                        new SystemDisk(directory),
                        StoreLimits.DEFAULT,
                        new Succession(1, 2));
        runtime.environment().waits().await(cache.opened());
        ForgetfulDisk disk = new ForgetfulDisk(new SplittableRandom(1));
        try (SystemRuntime process = new SystemRuntime();
                Journal left = Journal.open(process.environment(), disk, LIMITS)) {
            long n = left.newFile();
            left.describe(n, 4096, facts(-1, 4096, 4096, "f").encode());
            left.awaitWritten(left.write(n, 4 * 4096, 4096, text("b")));
        }
        try (Journal journal = Journal.open(runtime.environment(), disk, LIMITS)) {
            CachedVfs vfs = vfs(runtime, journal, cache);
            OpenFile file =
                    vfs.open(
                            vfs.lookup(Vfs.ROOT_INO, "f").attributes().ino(), OpenFlags.READ_WRITE);
            vfs.fsync(file, false);
            assertThat(stored("f")).isEqualTo("a".repeat(4096) + "\0".repeat(3 * 4096) + "b");
            ByteBuffer middle = ByteBuffer.allocate(4096);
            assertThat(vfs.read(file, 2 * 4096, middle)).isEqualTo(4096);
            assertThat(middle.array()).containsOnly(0);
        }
    }

    /** Questions wait until the server is back. */
    @Test
    void savedTwiceWhileTheServerIsAway_doesNotHang() throws Exception {
        CachedVfs vfs = vfs(runtime, null);
        OpenFile file = vfs.create(Vfs.ROOT_INO, "f", 0644, OpenFlags.READ_WRITE).file();
        vfs.write(file, 0, text("0123456789"));
        vfs.fsync(file, false);
        back = new CountDownLatch(1);
        OpenFlags empties = new OpenFlags(Access.WRITE, false, true, false, false, false, false);
        for (int n = 1; n <= 2; n++) {
            OpenFile again = vfs.open(file.ino(), empties);
            vfs.write(again, 0, text("save " + n));
            vfs.flush(again);
            vfs.release(again);
        }
        assertThat(read(vfs, file)).isEqualTo("save 2");
        back.countDown();
        back = null;
    }

    /** Killed after the first of three records of it. */
    @Test
    void cutOfANewFileThatIsBarelyInTheJournal_isOneOrTheOther() throws Exception {
        ForgetfulDisk disk = new ForgetfulDisk(new SplittableRandom(1));
        FileFacts facts =
                new FileFacts(
                        FileType.REGULAR,
                        null,
                        FileFacts.State.NEW,
                        RemotePath.ROOT.child("new"),
                        null,
                        false,
                        null,
                        0,
                        null,
                        false,
                        0,
                        15,
                        new FileFacts.Owner(0644, 0, 0),
                        Instant.EPOCH,
                        Instant.EPOCH,
                        PendingAttributes.NONE,
                        null,
                        -1,
                        -1);
        try (SystemRuntime process = new SystemRuntime();
                Journal left = Journal.open(process.environment(), disk, LIMITS)) {
            long n = left.newFile();
            left.write(n, 20, 0, text("0123456789"));
            left.awaitWritten(left.describe(n, 30, facts.encode()));
        }
        try (Journal journal = Journal.open(runtime.environment(), disk, LIMITS)) {
            CachedVfs vfs = vfs(runtime, journal);
            Attributes a = vfs.lookup(Vfs.ROOT_INO, "new").attributes();
            OpenFile file = vfs.open(a.ino(), OpenFlags.READ_WRITE);
            vfs.fsync(file, false);
            assertThat(store.stat(RemotePath.ROOT.child("new")).sizeBytes()).isIn(15L, 30L);
        }
    }

    @Test
    void directWrite_isToldThatTheCutBeforeItWasRefused() throws Exception {
        CachedVfs vfs = vfs(runtime, null);
        OpenFile file = vfs.create(Vfs.ROOT_INO, "f", 0644, OpenFlags.READ_WRITE).file();
        vfs.write(file, 0, text("0123456789"));
        vfs.fsync(file, false);
        OpenFile direct = vfs.open(file.ino(), DIRECT);
        OpenFile second = vfs.open(file.ino(), OpenFlags.READ_WRITE);
        refuses = true;
        vfs.setAttributes(file.ino(), AttributeChange.size(4), file);
        assertThatThrownBy(() -> vfs.write(direct, 6, text("x"))).hasMessageContaining("no size");
        refuses = false;
        vfs.fsync(second, false);
        assertThat(stored("f")).isEqualTo("0123");
        vfs.write(direct, 6, text("x"));
        assertThat(read(vfs, second)).isEqualTo("0123\0\0x");
        assertThat(stored("f")).isEqualTo("0123\0\0x");
    }

    @Test
    void copyOnServer_ofACutFileIntoAnother_copiesWhatIsShown() throws Exception {
        CachedVfs vfs = SmallVfs.over(runtime, store);
        OpenFile file = vfs.create(Vfs.ROOT_INO, "f", 0644, OpenFlags.READ_WRITE).file();
        vfs.write(file, 0, text("0123456789"));
        vfs.fsync(file, false);
        OpenFile target = vfs.create(Vfs.ROOT_INO, "t", 0644, OpenFlags.READ_WRITE).file();
        vfs.write(target, 0, text("target target"));
        vfs.fsync(target, false);
        vfs.setAttributes(file.ino(), AttributeChange.size(4), file);
        vfs.write(file, 8, text("x"));
        vfs.setAttributes(target.ino(), AttributeChange.size(2), target);
        assertThat(vfs.copyRange(file, 0, target, 3, 9)).isEqualTo(9);
        vfs.fsync(target, false);
        assertThat(stored("t")).isEqualTo("ta\0" + "0123\0\0\0\0x");
        assertThat(read(vfs, target)).isEqualTo("ta\0" + "0123\0\0\0\0x");
    }

    @Test
    void unlinkAndRename_leaveTheCutToTheFile() throws Exception {
        CachedVfs vfs = vfs(runtime, null);
        OpenFile file = vfs.create(Vfs.ROOT_INO, "f", 0644, OpenFlags.READ_WRITE).file();
        vfs.write(file, 0, text("0123456789"));
        vfs.fsync(file, false);
        vfs.setAttributes(file.ino(), AttributeChange.size(4), file);
        vfs.unlink(Vfs.ROOT_INO, "f");
        vfs.write(file, 6, text("x"));
        vfs.fsync(file, false);
        assertThat(read(vfs, file)).isEqualTo("0123\0\0x");
        OpenFile other = vfs.create(Vfs.ROOT_INO, "f", 0644, OpenFlags.READ_WRITE).file();
        vfs.write(other, 0, text("0123456789"));
        vfs.fsync(other, false);
        vfs.setAttributes(other.ino(), AttributeChange.size(4), other);
        vfs.rename(Vfs.ROOT_INO, "f", Vfs.ROOT_INO, "g", RenameMode.REPLACE);
        vfs.fsync(other, false);
        assertThat(stored("g")).isEqualTo("0123");
        vfs.release(file);
    }

    private void discards(boolean cuts) throws FsException {
        CachedVfs vfs = vfs(runtime, null);
        OpenFile file = vfs.create(Vfs.ROOT_INO, "f", 0644, OpenFlags.READ_WRITE).file();
        vfs.write(file, 0, text("0123456789"));
        vfs.fsync(file, false);
        if (cuts) {
            vfs.setAttributes(file.ino(), AttributeChange.size(4), file);
        } else {
            vfs.write(file, 12, text("x"));
        }
        vfs.engine().flusher().unsaved().forEach(vfs::discard);
        assertThatThrownBy(() -> vfs.fsync(file, false)).hasMessageContaining("given up");
        assertThat(vfs.getAttributes(file.ino()).sizeBytes()).isEqualTo(10);
        OpenFile again = vfs.open(file.ino(), OpenFlags.READ_WRITE);
        assertThat(read(vfs, again)).isEqualTo("0123456789");
    }

    @Test
    void discard_ofACut_showsWhatTheServerHas() throws FsException {
        discards(true);
    }

    @Test
    void discard_ofAWrite_showsWhatTheServerHas() throws FsException {
        discards(false);
    }

    @Test
    void anothersVersion_isFound_afterTheServerRefusedToMakeTheFileLonger() throws Exception {
        CachedVfs vfs = vfs(runtime, null);
        OpenFile file = vfs.create(Vfs.ROOT_INO, "f", 0644, OpenFlags.READ_WRITE).file();
        vfs.write(file, 0, text("0123456789"));
        vfs.fsync(file, false);
        refuses = true;
        assertThatThrownBy(() -> vfs.setAttributes(file.ino(), AttributeChange.size(20), file))
                .hasMessageContaining("no size");
        refuses = false;
        vfs.fsync(file, false);
        another("f", "another's version");
        vfs.write(file, 0, text("x"));
        assertThatThrownBy(() -> vfs.fsync(file, false)).hasMessageContaining("another client");
        assertThat(stored("f")).isEqualTo("another's version");
    }
}
