// SPDX-License-Identifier: Apache-2.0
package io.netfs4j.vfs;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.netfs4j.base.Disk;
import io.netfs4j.base.FsError;
import io.netfs4j.base.FsException;
import io.netfs4j.base.SystemDisk;
import io.netfs4j.base.SystemRuntime;
import io.netfs4j.cache.journal.Journal;
import io.netfs4j.cache.journal.JournalLimits;
import io.netfs4j.engine.PendingAttributes;
import io.netfs4j.pagecache.PageCache;
import io.netfs4j.request.Subrequest;
import io.netfs4j.request.Termination;
import io.netfs4j.server.AttributeChange;
import io.netfs4j.server.FileType;
import io.netfs4j.server.RemotePath;
import io.netfs4j.server.Server;
import io.netfs4j.server.ServerAttributes;
import io.netfs4j.server.ServerFile;
import io.netfs4j.server.WriteSession;
import io.netfs4j.server.memory.MemoryServer;
import io.netfs4j.testing.DoubleServer;
import io.netfs4j.testing.ForgetfulDisk;

import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.time.Instant;
import java.util.Arrays;
import java.util.List;
import java.util.SplittableRandom;
import java.util.concurrent.CountDownLatch;

/** What a mount makes of a journal that another one has left at an awkward moment. */
@Timeout(60)
class RecoveryTest {
    private static final Instant LONG_AGO = Instant.ofEpochSecond(1_121_380_700L);
    private static final int PAGE = 4096;
    private static final JournalLimits LIMITS = new JournalLimits(64L << 20, 1 << 20, 1 << 20);

    @TempDir private Path directory;

    private final SystemRuntime runtime = new SystemRuntime();
    private final MemoryServer store = new MemoryServer(runtime.environment().clock());

    @AfterEach
    void close() {
        runtime.close();
    }

    private Journal journal() throws FsException {
        return journal(runtime, new SystemDisk(directory));
    }

    private static Journal journal(SystemRuntime process, Disk disk) throws FsException {
        return Journal.open(process.environment(), disk, LIMITS);
    }

    private CachedVfs vfs(Journal journal) throws FsException {
        return vfs(store, journal);
    }

    private CachedVfs vfs(Server server, Journal journal) throws FsException {
        return vfs(runtime, server, journal);
    }

    private static CachedVfs vfs(SystemRuntime process, Server server, Journal journal)
            throws FsException {
        return new CachedVfs(
                process.environment(),
                server,
                VfsOptions.of(new PageCache.Limits(4 << 20, 2 << 20, 1 << 20)),
                ByteBuffer::allocateDirect,
                null,
                journal);
    }

    private static ByteBuffer pages(int count, int value) {
        byte[] bytes = new byte[count * PAGE];
        Arrays.fill(bytes, (byte) value);
        return ByteBuffer.wrap(bytes);
    }

    private static byte[] facts(String name, long remoteBytes) {
        return facts(name, remoteBytes, -1);
    }

    private static byte[] facts(String name, long remoteBytes, long truncatingTo) {
        PendingAttributes none = PendingAttributes.NONE;
        return new FileFacts(
                        FileType.REGULAR,
                        null,
                        FileFacts.State.THERE,
                        new RemotePath(List.of(name)),
                        null,
                        false,
                        null,
                        0,
                        null,
                        false,
                        remoteBytes,
                        truncatingTo,
                        new FileFacts.Owner(0644, 0, 0),
                        Instant.EPOCH,
                        Instant.EPOCH,
                        truncatingTo < 0 ? none : none.written(Instant.EPOCH),
                        null,
                        -1,
                        -1)
                .encode();
    }

    /** A file that the server has, by a mount without a journal. */
    private void onServer(String name, ByteBuffer content) throws FsException {
        CachedVfs vfs = vfs(null);
        OpenFile file = vfs.create(Vfs.ROOT_INO, name, 0644, OpenFlags.READ_WRITE).file();
        vfs.write(file, 0, content);
        vfs.fsync(file, false);
        vfs.release(file);
    }

    private static byte[] read(CachedVfs vfs, String name) throws FsException {
        Entry entry = vfs.lookup(Vfs.ROOT_INO, name);
        OpenFile file = vfs.open(entry.attributes().ino(), OpenFlags.READ_WRITE);
        ByteBuffer all = ByteBuffer.allocate((int) entry.attributes().sizeBytes());
        while (all.hasRemaining() && vfs.read(file, all.position(), all) > 0) {
            continue;
        }
        vfs.release(file);
        return all.array();
    }

    /** It was killed after the server had told of some bytes, and before of how long it is then. */
    @Test
    void read_ofWhatTheServerGotBeforeItsSizeWasKnown_asksTheServer() throws FsException {
        onServer("file", pages(1, 'a'));
        try (Journal left = journal()) {
            long file = left.newFile();
            left.describe(file, 2 * PAGE, facts("file", 0));
            long lsn = left.write(file, 0, 2 * PAGE, pages(1, 'a'));
            left.write(file, PAGE, 2 * PAGE, pages(1, 'b'));
            left.awaitWritten(left.drop(file, 0, PAGE, lsn));
        }
        try (Journal journal = journal()) {
            byte[] found = read(vfs(journal), "file");

            assertThat(Arrays.copyOf(found, PAGE)).containsOnly('a');
            assertThat(Arrays.copyOfRange(found, PAGE, 2 * PAGE)).containsOnly('b');
        }
    }

    /** It was killed while it cut the file; the next one while that was still owed. */
    @Test
    void whatIsWrittenBehindACut_thatWasFound_isFoundToo() throws FsException {
        onServer("file", pages(3, 'a'));
        try (Journal left = journal()) {
            left.awaitWritten(
                    left.describe(left.newFile(), 3 * PAGE, facts("file", 3 * PAGE, PAGE)));
        }
        Server hanging =
                DoubleServer.of(
                        store,
                        call -> {
                            if (call.is(Server.class, "open")) {
                                throw new FsException(FsError.EIO, "not now");
                            }
                            return call.proceed();
                        });
        try (Journal journal = journal()) {
            CachedVfs vfs = vfs(hanging, journal);
            long ino = vfs.lookup(Vfs.ROOT_INO, "file").attributes().ino();
            assertThat(vfs.getAttributes(ino).sizeBytes()).isEqualTo(PAGE);
            vfs.write(vfs.open(ino, OpenFlags.READ_WRITE), 2 * PAGE, pages(1, 'b'));
        }
        assertThat(store.stat(RemotePath.ROOT.child("file")).sizeBytes()).isEqualTo(3 * PAGE);
        try (Journal journal = journal()) {
            byte[] found = read(vfs(journal), "file");

            assertThat(found).hasSize(3 * PAGE);
            assertThat(Arrays.copyOf(found, PAGE)).containsOnly('a');
            assertThat(Arrays.copyOfRange(found, PAGE, 2 * PAGE)).containsOnly(0);
            assertThat(Arrays.copyOfRange(found, 2 * PAGE, 3 * PAGE)).containsOnly('b');
        }
    }

    /** Its handle is what the server refuses, and not that it goes. */
    @Test
    void unlink_ofAFileThatTheServerDoesNotOpenAgain_removesItThere() throws FsException {
        onServer("file", pages(1, 'a'));
        try (Journal left = journal()) {
            long file = left.newFile();
            left.describe(file, PAGE, facts("file", PAGE));
            left.awaitWritten(left.write(file, 0, PAGE, pages(1, 'b')));
        }
        Server refusing =
                DoubleServer.of(
                        store,
                        call -> {
                            if (call.is(Server.class, "open")) {
                                throw new FsException(FsError.EACCES, "refused");
                            }
                            return call.proceed();
                        });
        try (Journal journal = journal()) {
            vfs(refusing, journal).unlink(Vfs.ROOT_INO, "file");

            assertThat(journal.files()).isEmpty();
        }
        assertThatThrownBy(() -> store.stat(RemotePath.ROOT.child("file")))
                .isInstanceOfSatisfying(FsException.class, e -> assertThat(e.isAbsence()).isTrue());
    }

    private static byte[] replacedFile(String name, String source) {
        return new FileFacts(
                        FileType.REGULAR,
                        null,
                        FileFacts.State.NEW,
                        RemotePath.ROOT.child(name),
                        null,
                        false,
                        RemotePath.ROOT.child(source),
                        0,
                        null,
                        false,
                        0,
                        -1,
                        new FileFacts.Owner(0644, 0, 0),
                        Instant.EPOCH,
                        Instant.EPOCH,
                        PendingAttributes.NONE,
                        null,
                        -1,
                        -1)
                .encode();
    }

    /** Another was being renamed over each of two files that the server refused to make. */
    @Test
    void newFile_isKept_unlessWhatWasToReplaceItHasItsName() throws FsException {
        onServer("stays", pages(1, 's'));
        onServer("over-moved", pages(1, 's'));
        try (Journal left = journal()) {
            for (String source : List.of("stays", "gone", "moved")) {
                long file = left.newFile();
                left.describe(file, PAGE, replacedFile("over-" + source, source));
                left.awaitWritten(left.write(file, 0, PAGE, pages(1, 'n')));
            }
        }
        try (Journal journal = journal()) {
            CachedVfs vfs = vfs(journal);

            assertThat(read(vfs, "over-stays")).hasSize(PAGE).containsOnly('n');
            assertThat(read(vfs, "over-gone")).as("by somebody else").containsOnly('n');
            assertThat(read(vfs, "over-moved")).containsOnly('s');
        }
    }

    private static byte[] datedDirectory(String name) {
        return new FileFacts(
                        FileType.DIRECTORY,
                        null,
                        FileFacts.State.THERE,
                        new RemotePath(List.of(name)),
                        null,
                        false,
                        null,
                        0,
                        null,
                        false,
                        0,
                        -1,
                        new FileFacts.Owner(0755, 0, 0),
                        LONG_AGO,
                        Instant.EPOCH,
                        new PendingAttributes(null, LONG_AGO, true, 0755, null, null),
                        null,
                        -1,
                        -1)
                .encode();
    }

    /** One is there; the other was removed by somebody before the mount came back. */
    @Test
    void attributesOfDirectories_areSetWhereTheServerHasThose() throws FsException {
        store.makeDirectory(new RemotePath(List.of("there")), 0700);
        try (Journal left = journal()) {
            for (String name : List.of("there", "gone")) {
                left.awaitWritten(left.describe(left.newFile(), 0, datedDirectory(name)));
            }
        }
        try (Journal journal = journal()) {
            CachedVfs vfs = vfs(journal);
            assertThat(vfs.recovered().problems()).isEmpty();
            long there = vfs.lookup(Vfs.ROOT_INO, "there").attributes().ino();
            assertThat(vfs.getAttributes(there).modified()).isEqualTo(LONG_AGO);
            vfs.fsyncDirectory(there);
            vfs.fsyncDirectory(vfs.lookup(Vfs.ROOT_INO, "gone").attributes().ino());
            assertThat(vfs.engine().flusher().isClean()).isTrue();
            assertThat(journal.files()).isEmpty();
        }
        ServerAttributes there = store.stat(new RemotePath(List.of("there")));
        assertThat(there.mode()).isEqualTo(0755);
        assertThat(there.modified()).isEqualTo(LONG_AGO);
    }

    private static Object setsNothing(DoubleServer.Call call) throws Throwable {
        if (call.is(Server.class, "setAttributes")) {
            throw new FsException(FsError.EIO, "not now");
        }
        return call.proceed();
    }

    @Test
    void attributesOfADirectory_areInTheJournalBeforeTheyAreSent() throws FsException {
        try (Journal journal = journal()) {
            CachedVfs vfs = vfs(DoubleServer.of(store, RecoveryTest::setsNothing), journal);
            long top = vfs.makeDirectory(Vfs.ROOT_INO, "top", 0755).attributes().ino();
            long made = vfs.makeDirectory(top, "made", 0755).attributes().ino();
            vfs.fsyncDirectory(top);
            vfs.setAttributes(made, AttributeChange.times(null, LONG_AGO), null);
            List<Long> files = List.copyOf(journal.files());
            assertThat(files).hasSize(1);
            FileFacts facts = FileFacts.decode(journal.facts(files.get(0)));
            assertThat(facts.type()).isEqualTo(FileType.DIRECTORY);
            assertThat(facts.pending().modified()).isEqualTo(LONG_AGO);
        }
    }

    /** Else it would be shown shorter at first, and longer as soon as the server is asked. */
    @Test
    void truncate_thatTheServerHas_isShownAfterALossOfPower() throws FsException {
        ForgetfulDisk disk = new ForgetfulDisk(new SplittableRandom(1));
        try (SystemRuntime process = new SystemRuntime()) {
            Journal journal = journal(process, disk);
            CachedVfs vfs = vfs(process, store, journal);
            OpenFile file = vfs.create(Vfs.ROOT_INO, "file", 0644, OpenFlags.READ_WRITE).file();
            vfs.write(file, 0, pages(1, 'a'));
            vfs.fsync(file, false);
            vfs.write(file, PAGE, pages(1, 'b'));
            journal.awaitForced(journal.lastLsn());
            vfs.setAttributes(file.ino(), AttributeChange.size(5 * PAGE), file);
        }
        disk.losePower();
        try (Journal journal = journal(runtime, disk)) {
            Entry found = vfs(journal).lookup(Vfs.ROOT_INO, "file");

            assertThat(found.attributes().sizeBytes()).isEqualTo(5 * PAGE);
        }
    }

    /** The server never had it: only the journal knew that it was to be made. */
    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void removalOfAnOpenFileThatTheServerRefused_isKept_withFsyncOverALossOfPower(
            boolean losesPower) throws FsException {
        ForgetfulDisk disk = new ForgetfulDisk(new SplittableRandom(1));
        Server refusing =
                DoubleServer.of(
                        store,
                        call -> {
                            if (call.is(Server.class, "create")) {
                                throw new FsException(FsError.EBUSY, "not now");
                            }
                            return call.proceed();
                        });
        try (SystemRuntime process = new SystemRuntime()) {
            Journal journal = journal(process, disk);
            CachedVfs vfs = vfs(process, refusing, journal);
            long ino = vfs.makeDirectory(Vfs.ROOT_INO, "new", 0755).attributes().ino();
            OpenFile file = vfs.create(ino, "file", 0644, OpenFlags.READ_WRITE).file();
            vfs.write(file, 0, pages(1, 'a'));
            journal.awaitForced(journal.lastLsn());
            vfs.unlink(ino, "file");
            if (losesPower) {
                vfs.fsyncDirectory(ino);
            }
        }
        if (losesPower) {
            disk.losePower();
        }
        try (Journal journal = journal(runtime, disk)) {
            CachedVfs vfs = vfs(journal);
            long ino = vfs.lookup(Vfs.ROOT_INO, "new").attributes().ino();

            assertThat(vfs.lookup(ino, "file").attributes()).isNull();
        }
    }

    /** It refuses what is written; of a size that it is to set nobody hears any more. */
    private Server silent(boolean grows, CountDownLatch asked) {
        return DoubleServer.of(
                store,
                call -> {
                    if (call.is(WriteSession.class, "issue")) {
                        Subrequest piece = call.argument(0, Subrequest.class);
                        piece.take(piece.length());
                        FsException refused = new FsException(FsError.EIO, "not now");
                        piece.terminated(new Termination.Failed(refused));
                        return true;
                    }
                    boolean isSize =
                            call.is(ServerFile.class, "setAttributes")
                                    && call.argument(0, AttributeChange.class).sizeBytes() != null;
                    if (!isSize) {
                        return call.proceed();
                    }
                    if (grows) {
                        call.proceed();
                    }
                    asked.countDown();
                    new CountDownLatch(1).await();
                    throw new AssertionError("nobody counts that down");
                });
    }

    /** A page that is not saved, of a file that the server was about to make three pages long. */
    private void diesGrowing(ForgetfulDisk disk, boolean grows, boolean writesBehind)
            throws Exception {
        CountDownLatch asked = new CountDownLatch(1);
        try (SystemRuntime process = new SystemRuntime()) {
            Journal journal = journal(process, disk);
            CachedVfs vfs = vfs(process, silent(grows, asked), journal);
            OpenFile file = vfs.create(Vfs.ROOT_INO, "file", 0644, OpenFlags.READ_WRITE).file();
            vfs.write(file, 0, pages(1, 'a'));
            process.environment()
                    .scheduler()
                    .fork(
                            "growing",
                            () -> {
                                try {
                                    vfs.allocate(file, AllocateMode.EXTEND, 0, 3 * PAGE);
                                } catch (FsException e) {
                                    throw new AssertionError(e);
                                }
                            });
            asked.await();
            if (writesBehind) {
                vfs.write(file, 4 * PAGE, pages(1, 'b'));
            }
            journal.awaitForced(journal.lastLsn());
        }
        disk.losePower();
    }

    private static void assertGrown(byte[] found) {
        assertThat(Arrays.copyOf(found, PAGE)).containsOnly('a');
        assertThat(Arrays.copyOfRange(found, PAGE, 3 * PAGE)).containsOnly(0);
    }

    /** Whether it has grown there nobody can tell before the server is asked. */
    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void growth_thatWasUnderWay_isShownAtOnce_andStays(boolean grows) throws Exception {
        ForgetfulDisk disk = new ForgetfulDisk(new SplittableRandom(1));
        diesGrowing(disk, grows, false);
        try (Journal journal = journal(runtime, disk)) {
            CachedVfs vfs = vfs(journal);
            long ino = vfs.lookup(Vfs.ROOT_INO, "file").attributes().ino();
            assertThat(vfs.getAttributes(ino).sizeBytes()).isEqualTo(3 * PAGE);
            assertGrown(read(vfs, "file"));
            OpenFile file = vfs.open(ino, OpenFlags.READ_WRITE);
            vfs.fsync(file, false);
            vfs.release(file);
            assertThat(vfs.getAttributes(ino).sizeBytes()).isEqualTo(3 * PAGE);
        }
        assertThat(store.stat(RemotePath.ROOT.child("file")).sizeBytes()).isEqualTo(3 * PAGE);
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void growth_thatWasUnderWay_cutsOffNothing_thatWasWrittenBehindIt(boolean grows)
            throws Exception {
        ForgetfulDisk disk = new ForgetfulDisk(new SplittableRandom(1));
        diesGrowing(disk, grows, true);
        try (Journal journal = journal(runtime, disk)) {
            byte[] found = read(vfs(journal), "file");

            assertThat(found).hasSize(5 * PAGE);
            assertGrown(found);
            assertThat(Arrays.copyOfRange(found, 4 * PAGE, 5 * PAGE)).containsOnly('b');
        }
    }
}
