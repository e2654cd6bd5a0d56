// SPDX-License-Identifier: Apache-2.0
package io.netfs4j.vfs;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import static java.nio.charset.StandardCharsets.UTF_8;

import io.netfs4j.base.Completion;
import io.netfs4j.base.FsError;
import io.netfs4j.base.FsException;
import io.netfs4j.base.SystemRuntime;
import io.netfs4j.cache.journal.Journal;
import io.netfs4j.cache.journal.JournalLimits;
import io.netfs4j.engine.EngineLimits;
import io.netfs4j.engine.InodeData;
import io.netfs4j.pagecache.PageCache;
import io.netfs4j.request.Origin;
import io.netfs4j.server.AttributeChange;
import io.netfs4j.server.FileType;
import io.netfs4j.server.PathSource;
import io.netfs4j.server.RemotePath;
import io.netfs4j.server.RenameMode;
import io.netfs4j.server.Server;
import io.netfs4j.server.WriteSession;
import io.netfs4j.server.memory.MemoryServer;
import io.netfs4j.testing.DoubleServer;
import io.netfs4j.testing.ForgetfulDisk;
import io.netfs4j.trace.Counters.Counter;
import io.netfs4j.vfs.VfsOptions.OnConflict;

import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicInteger;

/** Two mounts of one server that change the same file. */
@Timeout(60)
class ConflictsTest {
    private static final int LOOK_UPS_UNTIL_LISTED = 100;
    private static final JournalLimits LIMITS = new JournalLimits(6L << 18, 1 << 18, 1 << 18);

    private final SystemRuntime runtime = new SystemRuntime();

    /** Of a mount that is not heard of again. */
    private final SystemRuntime dying = new SystemRuntime();

    private final MemoryServer store = new MemoryServer(runtime.environment().clock());
    private final CountDownLatch gate = new CountDownLatch(1);
    private final List<String> events = new ArrayList<>();
    private final AtomicInteger listings = new AtomicInteger();

    /** Counted down where the server has all of an upload; then that hears no more of it. */
    private volatile CountDownLatch uploaded;

    /** Counted down where the server has made a file beside another; that is not heard either. */
    private volatile CountDownLatch copyMade;

    @AfterEach
    void close() {
        runtime.close();
        dying.close();
    }

    private CachedVfs mount(OnConflict policy) throws FsException {
        return mount(policy, null);
    }

    private CachedVfs mount(OnConflict policy, Journal journal) throws FsException {
        VfsOptions usual = VfsOptions.of(new PageCache.Limits(1 << 20, 1 << 20, 1 << 20));
        VfsOptions options =
                new VfsOptions(
                        usual.memory(),
                        quiet(usual.engine()),
                        usual.attributesValidNanos(),
                        0,
                        false,
                        false,
                        false,
                        true,
                        false,
                        new VfsOptions.Conflicts(policy, "host"),
                        false,
                        usual.ownership());
        CachedVfs vfs =
                new CachedVfs(
                        runtime.environment(),
                        DoubleServer.of(store, this::heldUp),
                        options,
                        ByteBuffer::allocate,
                        null,
                        journal);
        vfs.setEvents((name, copy) -> {
            synchronized (events) {
                events.add(name + " " + copy);
            }
        });
        return vfs;
    }

    /** Creating a file of that name waits, and what is uploaded may go unheard. */
    private Object heldUp(DoubleServer.Call call) throws Throwable {
        if (call.is(Server.class, "list")) {
            listings.incrementAndGet();
        }
        if (call.is(Server.class, "create")
                && call.argument(0, PathSource.class).path().name().equals("held")) {
            gate.await();
        }
        CountDownLatch made = copyMade;
        if (made != null
                && call.is(Server.class, "create")
                && call.argument(0, PathSource.class).path().name().contains(".conflict-")) {
            call.proceed();
            made.countDown();
            throw new FsException(FsError.ENOTCONN, "not heard of");
        }
        CountDownLatch unheard = uploaded;
        if (unheard != null && call.is(WriteSession.class, "commit")) {
            unheard.countDown();
            return null;
        }
        return call.proceed();
    }

    /** Nothing is sent before a test says so. */
    private static EngineLimits quiet(EngineLimits e) {
        return new EngineLimits(
                e.throttle(),
                3_600_000_000_000L,
                e.eagerBytes(),
                e.attemptsMax(),
                e.retryFirstNanos(),
                e.retryMaxNanos(),
                e.parkFirstNanos(),
                e.parkMaxNanos(),
                e.readaheadBytesMax(),
                e.cachePatienceNanos());
    }

    private static OpenFile open(CachedVfs vfs, String name) throws FsException {
        Attributes found = vfs.lookup(Vfs.ROOT_INO, name).attributes();
        assertThat(found).as(name).isNotNull();
        return vfs.open(found.ino(), OpenFlags.READ_WRITE);
    }

    private static void write(CachedVfs vfs, OpenFile file, long at, String text)
            throws FsException {
        vfs.write(file, at, ByteBuffer.wrap(text.getBytes(UTF_8)));
    }

    private static String read(CachedVfs vfs, OpenFile file) throws FsException {
        ByteBuffer bytes = ByteBuffer.allocate(100);
        vfs.read(file, 0, bytes);
        return new String(bytes.array(), 0, bytes.position(), UTF_8);
    }

    private void make(String name, String text) throws FsException {
        CachedVfs vfs = mount(OnConflict.OVERWRITE);
        OpenFile file = vfs.create(Vfs.ROOT_INO, name, 0644, OpenFlags.READ_WRITE).file();
        write(vfs, file, 0, text);
        vfs.fsync(file, false);
        vfs.release(file);
    }

    /** What the server has under a name, as a new mount sees it. */
    private String onServer(String name) throws FsException {
        CachedVfs vfs = mount(OnConflict.OVERWRITE);
        OpenFile file = open(vfs, name);
        String text = read(vfs, file);
        vfs.release(file);
        return text;
    }

    private List<String> names() throws FsException {
        List<String> names = new ArrayList<>();
        store.list(RemotePath.ROOT, (name, type, attributes) -> names.add(name));
        names.sort(null);
        return names;
    }

    private void saveAll(CachedVfs vfs) throws FsException {
        for (InodeData data : vfs.engine().flusher().unsaved()) {
            try {
                save(vfs, data);
            } catch (FsException e) {
                save(vfs, data); // It has become another file.
            }
        }
    }

    private void save(CachedVfs vfs, InodeData data) throws FsException {
        Completion<Void> saved;
        data.lock().lock();
        try {
            saved = vfs.engine().writeback(data, Origin.SYNC);
        } finally {
            data.lock().unlock();
        }
        runtime.environment().waits().await(saved);
    }

    private static void assertFsyncTellsOfIt(CachedVfs vfs, OpenFile file) {
        assertThatThrownBy(() -> vfs.fsync(file, false))
                .isInstanceOfSatisfying(
                        FsException.class, e -> assertThat(e.error()).isEqualTo(FsError.ESTALE));
    }

    @Test
    void fileChangedElsewhere_isLeftAlone_andOursGoesBesideIt() throws Exception {
        make("f", "base");
        CachedVfs vfs = mount(OnConflict.COPY);
        OpenFile file = open(vfs, "f");
        assertThat(read(vfs, file)).isEqualTo("base");
        make2("f", "elsewhere");
        write(vfs, file, 1, "!!");
        assertFsyncTellsOfIt(vfs, file);
        vfs.fsync(file, false);
        assertThat(read(vfs, file)).as("who has it open keeps his own").isEqualTo("b!!e");
        assertThat(names()).hasSize(2);
        String copy = names().get(1);
        assertThat(copy).matches("f\\.conflict-host-[0-9]{8}T[0-9]{6}Z");
        assertThat(onServer("f")).isEqualTo("elsewhere");
        assertThat(onServer(copy)).isEqualTo("b!!e");
        assertThat(vfs.engine().counters().get(Counter.CONFLICTS)).isEqualTo(1);
        synchronized (events) {
            assertThat(events).containsExactly("f " + copy);
        }
        // The name is the other's from now on, here too.
        OpenFile theirs = open(vfs, "f");
        assertThat(read(vfs, theirs)).isEqualTo("elsewhere");
        vfs.release(theirs);
        vfs.release(file);
    }

    @Test
    void fileChangedElsewhere_isLeftAlone_thoughItsBitsWereSetMeanwhile() throws Exception {
        make("f", "base");
        CachedVfs vfs = mount(OnConflict.COPY);
        OpenFile file = open(vfs, "f");
        assertThat(read(vfs, file)).isEqualTo("base");
        write(vfs, file, 1, "!!");
        make2("f", "elsewhere");
        AttributeChange bits = new AttributeChange(0600, null, null, null, null, null);
        vfs.setAttributes(vfs.lookup(Vfs.ROOT_INO, "f").attributes().ino(), bits, file);
        assertFsyncTellsOfIt(vfs, file);
        vfs.fsync(file, false);
        assertThat(onServer("f")).isEqualTo("elsewhere");
        assertThat(onServer(names().get(1))).isEqualTo("b!!e");
    }

    @Test
    void fileWhoseBitsWereSet_isSaved_whereNobodyElseChangedIt() throws Exception {
        make("f", "base");
        CachedVfs vfs = mount(OnConflict.COPY);
        OpenFile file = open(vfs, "f");
        write(vfs, file, 1, "!!");
        AttributeChange bits = new AttributeChange(0600, null, null, null, null, null);
        vfs.setAttributes(vfs.lookup(Vfs.ROOT_INO, "f").attributes().ino(), bits, file);
        vfs.fsync(file, false);
        assertThat(onServer("f")).isEqualTo("b!!e");
        assertThat(names()).hasSize(1);
    }

    /** Who has read a file does not hear that somebody else has looked up its neighbours. */
    @Test
    void fileChangedElsewhere_andListedSince_isNotWrittenInto_byWhoHasItOpen() throws Exception {
        make("f", "base");
        CachedVfs vfs = mount(OnConflict.COPY);
        OpenFile file = open(vfs, "f");
        assertThat(read(vfs, file)).isEqualTo("base");
        make2("f", "elsewhere");
        for (int i = 0; i < LOOK_UPS_UNTIL_LISTED; i++) {
            assertThat(vfs.lookup(Vfs.ROOT_INO, "absent" + i).isNegative()).isTrue();
        }
        assertThat(listings.get()).as("it was listed").isPositive();
        write(vfs, file, 1, "!!");
        assertFsyncTellsOfIt(vfs, file);
        vfs.fsync(file, false);
        assertThat(onServer("f")).isEqualTo("elsewhere");
        assertThat(onServer(names().get(1))).isEqualTo("b!!e");
    }

    /** Another client writes into a file that exists. */
    private void make2(String name, String text) throws FsException {
        CachedVfs vfs = mount(OnConflict.OVERWRITE);
        OpenFile file = open(vfs, name);
        write(vfs, file, 0, text);
        vfs.fsync(file, false);
        vfs.release(file);
    }

    @Test
    void fileChangedElsewhere_withPolicyFail_isLeftAlone_andOursStaysHere() throws Exception {
        make("f", "base");
        CachedVfs vfs = mount(OnConflict.FAIL);
        OpenFile file = open(vfs, "f");
        make2("f", "elsewhere");
        write(vfs, file, 0, "here");
        assertFsyncTellsOfIt(vfs, file);
        assertThat(names()).containsExactly("f");
        assertThat(onServer("f")).isEqualTo("elsewhere");
        assertThat(vfs.engine().flusher().isClean()).isFalse();
    }

    @Test
    void fileChangedElsewhere_withPolicyOverwrite_isWrittenOver() throws Exception {
        make("f", "base");
        CachedVfs vfs = mount(OnConflict.OVERWRITE);
        OpenFile file = open(vfs, "f");
        make2("f", "elsewhere");
        write(vfs, file, 0, "here");
        vfs.fsync(file, false);
        assertThat(onServer("f")).isEqualTo("herewhere");
        vfs.release(file);
    }

    /** As editors save: a new file takes the old one's name. */
    @Test
    void fileReplacedElsewhere_isLeftAlone_andOursGoesBesideIt() throws Exception {
        make("f", "base");
        CachedVfs vfs = mount(OnConflict.COPY);
        OpenFile file = open(vfs, "f");
        assertThat(read(vfs, file)).isEqualTo("base");
        make("new", "elsewhere");
        store.rename(RemotePath.ROOT.child("new"), RemotePath.ROOT.child("f"), RenameMode.REPLACE);
        write(vfs, file, 0, "here");
        assertFsyncTellsOfIt(vfs, file);
        vfs.fsync(file, false);
        assertThat(onServer("f")).isEqualTo("elsewhere");
        assertThat(onServer(names().get(1))).isEqualTo("here");
        vfs.release(file);
    }

    /** Whose bytes nobody here has read are zeros in ours, and not the other's. */
    @Test
    void ourVersion_neverHoldsBytesOfTheirs() throws Exception {
        make("f", "0123456789");
        CachedVfs vfs = mount(OnConflict.COPY);
        OpenFile file = open(vfs, "f");
        write(vfs, file, 8, "!!!");
        make2("f", "elsewhere+");
        assertFsyncTellsOfIt(vfs, file);
        vfs.fsync(file, false);
        assertThat(names().get(1)).endsWith(".partial");
        assertThat(onServer(names().get(1))).isEqualTo("\0\0\0\0\0\0\0\0!!!");
        assertThat(onServer("f")).isEqualTo("elsewhere+");
        vfs.release(file);
    }

    @Test
    void fileMadeElsewhereMeanwhile_isLeftAlone_andOursGoesBesideIt() throws Exception {
        CachedVfs vfs = mount(OnConflict.COPY);
        vfs.makeDirectory(Vfs.ROOT_INO, "dir", 0755);
        long dir = vfs.lookup(Vfs.ROOT_INO, "dir").attributes().ino();
        // The first one shows that files can be made there.
        vfs.release(vfs.create(dir, "first", 0644, OpenFlags.READ_WRITE).file());
        CachedVfs other = mount(OnConflict.COPY);
        long theirs = other.lookup(Vfs.ROOT_INO, "dir").attributes().ino();
        OpenFile ours = vfs.create(dir, "held", 0644, OpenFlags.READ_WRITE).file();
        write(vfs, ours, 0, "here");
        OpenFile file = other.create(theirs, "new", 0644, OpenFlags.READ_WRITE).file();
        write(other, file, 0, "elsewhere");
        other.fsync(file, false);
        other.release(file);
        other.rename(theirs, "new", theirs, "held", RenameMode.REPLACE);
        gate.countDown();
        assertFsyncTellsOfIt(vfs, ours);
        vfs.fsync(ours, false);
        vfs.release(ours);
        List<String> names = new ArrayList<>();
        store.list(RemotePath.ROOT.child("dir"), (name, type, a) -> names.add(name));
        assertThat(names).hasSize(3).contains("held", "first");
    }

    /** What another client put in the place of a file. */
    private enum InItsPlace {
        NOTHING,
        DIRECTORY,
        SYMLINK;

        void put(Server server, RemotePath path) throws FsException {
            switch (this) {
                case NOTHING -> {}
                case DIRECTORY -> server.makeDirectory(path, 0755);
                case SYMLINK -> server.makeSymlink(path, "nowhere");
            }
        }
    }

    @ParameterizedTest
    @EnumSource(value = InItsPlace.class, names = "NOTHING", mode = EnumSource.Mode.EXCLUDE)
    void nameThatBecameSomethingElseElsewhere_isLeftAlone_andOursGoesBesideIt(InItsPlace other)
            throws Exception {
        CachedVfs vfs = mount(OnConflict.COPY);
        long dir = vfs.makeDirectory(Vfs.ROOT_INO, "dir", 0755).attributes().ino();
        // The first one shows that files can be made there.
        vfs.release(vfs.create(dir, "first", 0644, OpenFlags.READ_WRITE).file());
        OpenFile ours = vfs.create(dir, "held", 0644, OpenFlags.READ_WRITE).file();
        write(vfs, ours, 0, "here");
        RemotePath there = RemotePath.ROOT.child("dir");
        other.put(store, there.child("held"));
        gate.countDown();
        assertFsyncTellsOfIt(vfs, ours);
        vfs.fsync(ours, false);
        vfs.release(ours);
        List<String> names = new ArrayList<>();
        store.list(there, (name, type, a) -> names.add(name));
        names.removeAll(List.of("held", "first"));
        assertThat(names).hasSize(1);
        assertThat(names.get(0)).startsWith("held.conflict-host-");
        assertThat(store.stat(there.child(names.get(0))).sizeBytes()).isEqualTo(4);
        assertThat(store.stat(there.child("held")).type()).isNotEqualTo(FileType.REGULAR);
    }

    /** A mount that is not heard of again, with a journal on a disk. */
    private CachedVfs dyingMount(ForgetfulDisk disk) throws Exception {
        return mount(OnConflict.COPY, Journal.open(dying.environment(), disk, LIMITS));
    }

    /** A journal that knows of "here", which was "base" on the server. */
    private ForgetfulDisk leftBehind() throws Exception {
        make("f", "base");
        ForgetfulDisk disk = new ForgetfulDisk(new SplittableRandom(1));
        CachedVfs vfs = dyingMount(disk);
        OpenFile file = open(vfs, "f");
        assertThat(read(vfs, file)).isEqualTo("base");
        write(vfs, file, 0, "here");
        return disk;
    }

    /** The next mount has it, and saves it beside what the server has, which are so many names. */
    private void assertGoesBeside(ForgetfulDisk disk, int namesThere) throws Exception {
        CachedVfs vfs = mount(OnConflict.COPY, Journal.open(runtime.environment(), disk, LIMITS));
        assertThat(vfs.recovered().files()).isEqualTo(1);
        OpenFile file = open(vfs, "f");
        assertThat(read(vfs, file)).isEqualTo("here");
        assertFsyncTellsOfIt(vfs, file);
        vfs.fsync(file, false);
        vfs.release(file);
        assertThat(names()).hasSize(namesThere + 1);
        String copy = names().get(namesThere);
        assertThat(copy).startsWith("f.conflict-host-");
        assertThat(onServer(copy)).isEqualTo("here");
    }

    @ParameterizedTest
    @EnumSource(InItsPlace.class)
    void fileFoundInTheJournal_inWhosePlaceIsSomethingElse_goesBesideIt(InItsPlace other)
            throws Exception {
        ForgetfulDisk disk = leftBehind();
        store.remove(RemotePath.ROOT.child("f"));
        other.put(store, RemotePath.ROOT.child("f"));
        assertGoesBeside(disk, other == InItsPlace.NOTHING ? 0 : 1);
    }

    @Test
    void fileFoundInTheJournal_andChangedElsewhere_isLeftAlone() throws Exception {
        ForgetfulDisk disk = leftBehind();
        make2("f", "elsewhere");
        assertGoesBeside(disk, 1);
        assertThat(onServer("f")).isEqualTo("elsewhere");
    }

    /** What was only read of it is nowhere else by then. */
    @Test
    void ourVersion_isWholeInTheJournal_beforeTheServerHasIt() throws Exception {
        String text = "0123456789abcdef".repeat(40 << 10);
        make("f", text);
        ForgetfulDisk disk = new ForgetfulDisk(new SplittableRandom(1));
        CachedVfs first = dyingMount(disk);
        OpenFile file = open(first, "f");
        ByteBuffer all = ByteBuffer.allocate(text.length());
        while (all.hasRemaining() && first.read(file, all.position(), all) > 0) {
            continue;
        }
        write(first, file, 300_000, "here");
        make2("f", "elsewhere");
        assertFsyncTellsOfIt(first, file);
        // That mount is not heard of again.
        CachedVfs second =
                mount(OnConflict.COPY, Journal.open(runtime.environment(), disk, LIMITS));
        assertThat(second.recovered().files()).isEqualTo(1);
        String copy;
        synchronized (events) {
            copy = events.get(0).substring("f ".length());
        }
        assertThat(copy).startsWith("f.conflict-host-").doesNotEndWith(".partial");
        OpenFile ours = open(second, copy);
        ByteBuffer saved = ByteBuffer.allocate(text.length() + 1);
        while (second.read(ours, saved.position(), saved) > 0) {
            continue;
        }
        String wanted = text.substring(0, 300_000) + "here" + text.substring(300_004);
        assertThat(new String(saved.array(), 0, saved.position(), UTF_8)).isEqualTo(wanted);
        second.release(ours);
    }

    @Test
    void fileFoundInTheJournal_andNotChangedElsewhere_isSavedUnderItsName() throws Exception {
        make("f", "base");
        ForgetfulDisk disk = new ForgetfulDisk(new SplittableRandom(1));
        CachedVfs first = mount(OnConflict.COPY, Journal.open(runtime.environment(), disk, LIMITS));
        OpenFile file = open(first, "f");
        write(first, file, 2, "here");
        CachedVfs second =
                mount(OnConflict.COPY, Journal.open(runtime.environment(), disk, LIMITS));
        OpenFile again = open(second, "f");
        assertThat(read(second, again)).isEqualTo("bahere");
        second.fsync(again, false);
        second.release(again);
        assertThat(names()).containsExactly("f");
        assertThat(onServer("f")).isEqualTo("bahere");
    }

    /**
     * The journal had been forced, for somebody, before the upload began: what the server has of it
     * is no other client's.
     */
    @ParameterizedTest
    @CsvSource({"1,false", "2,false", "3,false", "4,false", "1,true", "2,true", "3,true", "4,true"})
    void fileWhoseUploadALossOfPowerEnded_isSavedUnderItsName(long seed, boolean isNew)
            throws Exception {
        if (!isNew) {
            make("f", "base");
        }
        ForgetfulDisk disk = new ForgetfulDisk(new SplittableRandom(seed));
        Journal journal = Journal.open(dying.environment(), disk, LIMITS);
        CachedVfs first = mount(OnConflict.COPY, journal);
        OpenFile file =
                isNew
                        ? first.create(Vfs.ROOT_INO, "f", 0644, OpenFlags.READ_WRITE).file()
                        : open(first, "f");
        write(first, file, 2, "here");
        journal.awaitForced(journal.lastLsn());
        CountDownLatch sent = new CountDownLatch(1);
        uploaded = sent;
        first.flush(file);
        sent.await();
        uploaded = null;
        // That mount is not heard of again.
        disk.losePower();
        CachedVfs second =
                mount(OnConflict.COPY, Journal.open(runtime.environment(), disk, LIMITS));
        OpenFile again = open(second, "f");
        second.fsync(again, false);
        second.release(again);
        assertThat(names()).containsExactly("f");
        assertThat(onServer("f")).isEqualTo(isNew ? "\0\0here" : "bahere");
    }

    /** What is here goes to the file that was made for it, and to no second one. */
    @ParameterizedTest
    @ValueSource(longs = {1, 2, 3, 4})
    void fileChangedElsewhere_hasOneFileBesideIt_alsoAfterALossOfPower(long seed) throws Exception {
        make("f", "base");
        ForgetfulDisk disk = new ForgetfulDisk(new SplittableRandom(seed));
        Journal journal = Journal.open(dying.environment(), disk, LIMITS);
        CachedVfs first = mount(OnConflict.COPY, journal);
        OpenFile file = open(first, "f");
        assertThat(read(first, file)).isEqualTo("base");
        write(first, file, 0, "here");
        journal.awaitForced(journal.lastLsn());
        make2("f", "elsewhere");
        CountDownLatch made = new CountDownLatch(1);
        copyMade = made;
        assertFsyncTellsOfIt(first, file);
        first.flush(file);
        made.await();
        copyMade = null;
        // That mount is not heard of again.
        disk.losePower();
        CachedVfs second =
                mount(OnConflict.COPY, Journal.open(runtime.environment(), disk, LIMITS));
        saveAll(second);
        assertThat(names()).hasSize(2);
        assertThat(onServer("f")).isEqualTo("elsewhere");
        assertThat(onServer(names().get(1))).isEqualTo("here");
    }
}
