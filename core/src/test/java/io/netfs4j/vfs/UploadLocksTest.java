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
import io.netfs4j.server.Access;
import io.netfs4j.server.AttributeChange;
import io.netfs4j.server.RemotePath;
import io.netfs4j.testing.ForgetfulDisk;
import io.netfs4j.testing.Transfers;
import io.netfs4j.vfs.VfsOptions.OnConflict;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import java.util.concurrent.CountDownLatch;

/** Two mounts of a server whose versions look alike, and the locks that keep them apart. */
@Timeout(60)
class UploadLocksTest extends OneSecond {
    @ParameterizedTest
    @ValueSource(ints = {1, 2})
    void savesOfOneSecond_withoutAChangeOfSize_areToldApart(int saves) throws Exception {
        try (Client one = new Client();
                Client two = new Client()) {
            OpenFile ours = one.open("f");
            OpenFile theirs = two.open("f");
            for (int n = 0; n < saves; n++) {
                one.write(ours, n, "A");
                one.save(ours);
            }
            two.write(theirs, 9, "B");
            two.assertSavingTellsOfIt(theirs);
            two.save(theirs);
            one.vfs.release(ours);
            two.vfs.release(theirs);
        }
        assertBothAreThere(saves == 1 ? "A123456789" : "AA23456789", "012345678B");
        assertNothingIsLocked();
    }

    @Test
    void aVersionSavedInBetween_isNotThatOfBeforeIt() throws Exception {
        try (Client one = new Client();
                Client two = new Client()) {
            OpenFile ours = one.open("f");
            one.write(ours, 0, "A");
            one.save(ours);
            OpenFile theirs = two.open("f");
            assertThat(two.read(theirs)).isEqualTo("A123456789");
            one.write(ours, 1, "A");
            one.save(ours);
            two.write(theirs, 9, "B");
            two.assertSavingTellsOfIt(theirs);
            two.save(theirs);
            one.vfs.release(ours);
            two.vfs.release(theirs);
        }
        assertBothAreThere("AA23456789", "A12345678B");
    }

    /** The second one has not seen the version that the third one has. */
    @Test
    void aThirdMountsVersion_isNotMadeAgainByTheSecond() throws Exception {
        try (Client one = new Client();
                Client two = new Client();
                Client three = new Client()) {
            OpenFile first = one.open("f");
            one.write(first, 0, "A");
            one.save(first);
            OpenFile third = three.open("f");
            one.write(first, 10, "A");
            one.save(first);
            OpenFile second = two.open("f");
            assertThat(two.read(second)).isEqualTo("A123456789A");
            long ino = two.vfs.lookup(Vfs.ROOT_INO, "f").attributes().ino();
            two.vfs.setAttributes(ino, AttributeChange.size(10), second);
            two.write(second, 1, "B");
            two.save(second);
            three.write(third, 9, "C");
            three.assertSavingTellsOfIt(third);
            three.save(third);
            one.vfs.release(first);
            two.vfs.release(second);
            three.vfs.release(third);
        }
        assertBothAreThere("AB23456789", "A12345678C");
    }

    @Test
    void whatIsSavedManyTimesInASecond_isNotOfTheFarFuture() throws Exception {
        try (Client one = new Client()) {
            OpenFile ours = one.open("f");
            for (int n = 0; n < 20; n++) {
                one.write(ours, 0, "A" + n);
                one.save(ours);
            }
            one.vfs.release(ours);
            Instant modified = store.stat(RemotePath.ROOT.child("f")).modified();
            assertThat(modified).isBetween(NOW.minusSeconds(1), NOW.plus(VersionDates.AHEAD_MAX));
        }
    }

    @Test
    void uploadsAtOnce_followEachOther_andTheSecondFindsTheFirst() throws Exception {
        try (Client one = new Client();
                Client two = new Client()) {
            OpenFile ours = one.open("f");
            OpenFile theirs = two.open("f");
            one.write(ours, 0, "AAA");
            two.write(theirs, 7, "BBB");
            Completion<Boolean> go = new Completion<>();
            one.held.set(go);
            Completion<Boolean> first = one.saving(ours);
            one.isHeld.await();
            Completion<Boolean> second = two.saving(theirs);
            two.met.await();
            assertThat(second.isDone()).isFalse();
            go.complete(true);
            runtime.environment().waits().await(first);
            assertThatThrownBy(() -> runtime.environment().waits().await(second))
                    .isInstanceOf(FsException.class);
            two.save(theirs);
            one.vfs.release(ours);
            two.vfs.release(theirs);
        }
        assertBothAreThere("AAA3456789", "0123456BBB");
        assertNothingIsLocked();
    }

    /** Nobody but this mount has its journal: so whoever left the lock is not there any more. */
    @Test
    void theLockOfAMountThatHadTheJournal_isBrokenAtOnce_andGoesWithTheLastOne() throws Exception {
        ForgetfulDisk disk = new ForgetfulDisk(new SplittableRandom(1));
        Journal journal = Journal.open(runtime.environment(), disk, LIMITS);
        RemotePath locks = RemotePath.ROOT.child(UploadLocks.DIRECTORY);
        String dead = "host-" + journal.identity() + "-1f-";
        store.makeDirectory(locks, 0755);
        store.makeSymlink(UploadLock.name(RemotePath.ROOT.child("f")), dead + 1);
        store.makeSymlink(locks.child("another"), dead + 2);
        try (Client one = new Client(OnConflict.COPY, journal)) {
            OpenFile ours = one.open("f");
            one.write(ours, 0, "AAA");
            one.save(ours);
            one.vfs.release(ours);
            one.vfs.awaitNames();
        }
        assertThat(onServer("f")).isEqualTo("AAA3456789");
        assertNothingIsLocked();
    }

    /** It had sent all, and was killed before it gave the lock back. */
    @Test
    void theLockOfAMountThatHadTheJournal_goes_whereNothingIsSaved() throws Exception {
        ForgetfulDisk disk = new ForgetfulDisk(new SplittableRandom(1));
        Journal journal = Journal.open(runtime.environment(), disk, LIMITS);
        RemotePath locks = RemotePath.ROOT.child(UploadLocks.DIRECTORY);
        store.makeDirectory(locks, 0755);
        store.makeSymlink(locks.child("f"), "host-" + journal.identity() + "-1f-1");
        store.makeSymlink(locks.child("other"), "host-" + "0".repeat(32) + "-1f-1");
        try (Client one = new Client(OnConflict.COPY, journal)) {
            one.vfs.awaitNames();
        }
        assertThat(names(locks)).containsExactly("other");
    }

    @Test
    void theLockOfADeadMount_isBrokenAfterAWhile() throws Exception {
        Client dead = new Client();
        OpenFile ours = dead.open("f");
        dead.write(ours, 0, "AAA");
        dead.held.set(new Completion<>());
        Completion<Boolean> first = dead.saving(ours);
        dead.isHeld.await();
        try (Client two = new Client()) {
            OpenFile theirs = two.open("f");
            two.write(theirs, 7, "BBB");
            Completion<Boolean> second = two.saving(theirs);
            two.met.await();
            later.addAndGet(EXPIRY_NANOS);
            // The first look at the lock may have been later than that.
            for (int n = 0; n < 10; n++) {
                Completion<Boolean> over = new Completion<>();
                second.whenDone((saved, failure) -> over.complete(true));
                runtime.environment()
                        .scheduler()
                        .schedule(() -> over.complete(false), 700_000_000L);
                if (runtime.environment().waits().await(over)) {
                    break;
                }
                later.addAndGet(EXPIRY_NANOS);
            }
            assertThat(second.get()).isTrue();
            two.vfs.release(theirs);
        }
        assertThat(onServer("f")).isEqualTo("AAA3456BBB");
        assertThat(first.isDone()).isFalse();
        assertNothingIsLocked();
    }

    /** Its lock is broken while it has no connection, and another has gone on. */
    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void anUploadAfterALostConnection_goesOnOnlyWhereNobodyElseHas(boolean broken)
            throws Exception {
        try (Client one = new Client();
                Client two = new Client()) {
            OpenFile ours = one.open("f");
            OpenFile theirs = two.open("f");
            one.write(ours, 0, "AAA");
            two.write(theirs, 7, "BBB");
            one.lost.set(() -> {
                if (broken) {
                    try {
                        RemotePath locks = RemotePath.ROOT.child(UploadLocks.DIRECTORY);
                        store.remove(locks.child(names(locks).get(0)));
                        two.save(theirs);
                    } catch (FsException e) {
                        throw new IllegalStateException(e);
                    }
                }
            });
            if (broken) {
                one.assertSavingTellsOfIt(ours);
            }
            one.save(ours);
            assertThat(one.read(ours)).isEqualTo("AAA3456789");
            assertThat(one.lost.get()).isNull();
            one.vfs.release(ours);
            two.vfs.release(theirs);
        }
        if (broken) {
            assertBothAreThere("0123456BBB", "AAA3456789");
        } else {
            assertThat(onServer("f")).isEqualTo("AAA3456789");
        }
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void aCommitAfterALostConnection_isNotForWhatAnotherHasWritten(boolean broken)
            throws Exception {
        try (Client one = new Client()) {
            OpenFile ours = one.open("f");
            one.write(ours, 0, "AAA");
            one.lostAtCommit.set(broken ? this::anotherGoesOn : () -> {});
            if (broken) {
                one.assertSavingTellsOfIt(ours);
            }
            one.save(ours);
            assertThat(one.lostAtCommit.get()).isNull();
            assertThat(one.read(ours)).isEqualTo("AAA3456789");
            one.vfs.release(ours);
        }
        if (broken) {
            assertBothAreThere("longer than it was", "AAA3456789");
        } else {
            assertThat(onServer("f")).isEqualTo("AAA3456789");
        }
    }

    /** One piece came through, the server refused another; then the connection was lost. */
    @Test
    void aCommitAfterALostConnection_isNotForWhatAnotherHasWritten_whereAPieceFailedToo()
            throws Exception {
        try (Client one = new Client()) {
            OpenFile ours = one.open("f");
            one.write(ours, 0, "AAA");
            one.write(ours, 7, "BBB");
            one.failsAt.set(7);
            one.lostAtCommit.set(this::anotherGoesOn);
            assertThatThrownBy(() -> one.save(ours)).isInstanceOf(FsException.class);
            assertThat(one.lostAtCommit.get()).isNull();
            saveWhateverIsToldFirst(one, ours);
            one.vfs.release(ours);
        }
        assertBothAreThere("longer than it was", "AAA3456BBB");
    }

    /** One piece came through, the server refused another, and the third was lost. */
    @Test
    void aCommit_isNotForWhatAnotherHasWritten_whereOnePieceFailedAndAnotherWasLost()
            throws Exception {
        try (Client one = new Client()) {
            OpenFile ours = one.open("f");
            one.write(ours, 0, "A");
            one.write(ours, 4, "B");
            one.write(ours, 8, "C");
            one.failsAt.set(4);
            one.lostAt.set(8);
            one.lost.set(this::anotherGoesOn);
            assertThatThrownBy(() -> one.save(ours)).isInstanceOf(FsException.class);
            assertThat(one.lost.get()).isNull();
            saveWhateverIsToldFirst(one, ours);
            one.vfs.release(ours);
        }
        assertBothAreThere("longer than it was", "A123B567C9");
    }

    private void anotherGoesOn() {
        try {
            RemotePath locks = RemotePath.ROOT.child(UploadLocks.DIRECTORY);
            store.remove(locks.child(names(locks).get(0)));
            changeOnServer("longer than it was");
        } catch (FsException e) {
            throw new IllegalStateException(e);
        }
    }

    private static void saveWhateverIsToldFirst(Client one, OpenFile file) throws FsException {
        try {
            one.save(file);
        } catch (FsException e) {
            assertThat(e.error()).isEqualTo(FsError.ESTALE);
            one.save(file);
        }
    }

    /** The end of its upload was not heard: its lock tells whether another came in between. */
    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void whatADeadMountWasSending_isSentByTheNextOne_whereNobodyElseHasWritten(boolean broken)
            throws Exception {
        ForgetfulDisk disk = new ForgetfulDisk(new SplittableRandom(1));
        SystemRuntime dying = new SystemRuntime();
        Client dead = new Client(OnConflict.COPY, Journal.open(dying.environment(), disk, LIMITS));
        OpenFile file = dead.open("f");
        dead.write(file, 0, "AAA3456789");
        dead.hangs.set(true);
        dead.saving(file);
        dead.isHeld.await();
        if (broken) {
            RemotePath locks = RemotePath.ROOT.child(UploadLocks.DIRECTORY);
            store.remove(locks.child(names(locks).get(0)));
        }
        // It might be a part of ours that came to the server.
        try (Client two = new Client(OnConflict.OVERWRITE, null)) {
            OpenFile theirs = two.open("f");
            two.write(theirs, 7, "BBB");
            two.save(theirs);
            two.vfs.release(theirs);
        }
        try (Client next =
                new Client(OnConflict.COPY, Journal.open(runtime.environment(), disk, LIMITS))) {
            assertThat(next.vfs.recovered().files()).isEqualTo(1);
            OpenFile again = next.open("f");
            if (broken) {
                next.assertSavingTellsOfIt(again);
            }
            next.save(again);
            next.vfs.release(again);
        }
        if (broken) {
            assertBothAreThere("0123456BBB", "AAA3456789");
        } else {
            assertThat(onServer("f")).isEqualTo("AAA3456789");
            assertThat(names(RemotePath.ROOT)).containsExactly("f");
        }
        assertNothingIsLocked();
        dying.close();
    }

    /** It was to be shorter, or longer; its lock was broken, and another has gone on. */
    @ParameterizedTest
    @ValueSource(ints = {4, 20})
    void aSizeThatADeadMountWasSetting_isNotThatOfWhatAnotherHasWritten(int size) throws Exception {
        metadataSync = true;
        ForgetfulDisk disk = new ForgetfulDisk(new SplittableRandom(1));
        SystemRuntime dying = new SystemRuntime();
        Client dead = new Client(OnConflict.COPY, Journal.open(dying.environment(), disk, LIMITS));
        OpenFile file = dead.open("f");
        dead.write(file, 0, "AAA3456789");
        dead.hangs.set(true);
        dead.resizing(file, size);
        dead.isHeld.await();
        RemotePath locks = RemotePath.ROOT.child(UploadLocks.DIRECTORY);
        store.remove(locks.child(names(locks).get(0)));
        changeOnServer("longer than it was");
        try (Client next =
                new Client(OnConflict.COPY, Journal.open(runtime.environment(), disk, LIMITS))) {
            long ino = next.vfs.lookup(Vfs.ROOT_INO, "f").attributes().ino();
            OpenFile again = next.vfs.open(ino, OpenFlags.READ_WRITE);
            next.assertSavingTellsOfIt(again);
            next.save(again);
            assertThat(next.read(again)).startsWith("AAA3");
            next.vfs.release(again);
        }
        assertThat(onServer("f")).isEqualTo("longer than it was");
        assertThat(names(RemotePath.ROOT)).hasSize(2);
        dying.close();
    }

    /** Nothing of it is owed but its times. */
    @Test
    void whatADeadMountHadSentWhole_isNoConflict_whoeverHasWrittenSince() throws Exception {
        ForgetfulDisk disk = new ForgetfulDisk(new SplittableRandom(1));
        SystemRuntime dying = new SystemRuntime();
        Journal journal = Journal.open(dying.environment(), disk, LIMITS);
        Client dead = new Client(OnConflict.COPY, journal);
        OpenFile file = dead.open("f");
        dead.write(file, 0, "AAA");
        dead.held.set(new Completion<>());
        dead.saving(file);
        dead.isHeld.await();
        journal.awaitWritten(journal.lastSaidLsn()); // That the bytes are not owed any more.
        RemotePath locks = RemotePath.ROOT.child(UploadLocks.DIRECTORY);
        store.remove(locks.child(names(locks).get(0)));
        try (Client two = new Client()) {
            OpenFile theirs = two.open("f");
            two.write(theirs, 7, "BBB");
            two.save(theirs);
            two.vfs.release(theirs);
        }
        try (Client next =
                new Client(OnConflict.COPY, Journal.open(runtime.environment(), disk, LIMITS))) {
            assertThat(next.vfs.recovered().files()).isEqualTo(1);
            OpenFile again = next.open("f");
            next.save(again);
            next.vfs.release(again);
        }
        assertThat(onServer("f")).isEqualTo("AAA3456BBB");
        assertThat(names(RemotePath.ROOT)).containsExactly("f");
        dying.close();
    }

    /** What tells that it is ours is no longer on the server: the journal has to by then. */
    @ParameterizedTest
    @ValueSource(longs = {1, 2, 3, 4})
    void whatWasSentWhole_isNoConflict_afterALossOfPower(long seed) throws Exception {
        ForgetfulDisk disk = new ForgetfulDisk(new SplittableRandom(seed));
        SystemRuntime dying = new SystemRuntime();
        Journal journal = Journal.open(dying.environment(), disk, LIMITS);
        Client dead = new Client(OnConflict.COPY, journal);
        OpenFile file = dead.open("f");
        dead.write(file, 0, "AAA4");
        CountDownLatch unlocked = new CountDownLatch(1);
        dead.unlocked.set(unlocked);
        dead.vfs.flush(file);
        unlocked.await();
        disk.losePower();
        try (Client next =
                new Client(OnConflict.COPY, Journal.open(runtime.environment(), disk, LIMITS))) {
            OpenFile again = next.open("f");
            next.save(again);
            next.vfs.release(again);
        }
        assertThat(onServer("f")).isEqualTo("AAA4456789");
        assertThat(names(RemotePath.ROOT)).containsExactly("f");
        dying.close();
    }

    /** As a program on the server would, which knows nothing of us. */
    private void changeOnServer(String text) {
        try {
            new Transfers(runtime.environment().waits())
                    .write(
                            store.open(() -> RemotePath.ROOT.child("f"), Access.READ_WRITE).file(),
                            0,
                            text.getBytes(UTF_8));
        } catch (FsException e) {
            throw new IllegalStateException(e);
        }
    }

    @Test
    void whatIsOpenedToBeWritten_isOfNoSecondThatIsNotOver() throws Exception {
        try (Client one = new Client()) {
            meanwhile.set(() -> {
                changeOnServer("ABCDEFGHIJ");
                wall.set(NOW.plusSeconds(2));
            });
            OpenFile ours = one.open("f");
            assertThat(meanwhile.get()).isNull();
            assertThat(one.read(ours)).isEqualTo("ABCDEFGHIJ");
            // From now on no change can hide.
            changeOnServer("abcdefghij");
            one.write(ours, 0, "!!!!!!!!!!");
            one.assertSavingTellsOfIt(ours);
            one.save(ours);
            one.vfs.release(ours);
        }
        wall.set(NOW.plusSeconds(10));
        assertBothAreThere("abcdefghij", "!!!!!!!!!!");
    }

    @Test
    void whatWasReadWithinTheSecondOfAChange_isReadAgain() throws Exception {
        try (Client one = new Client()) {
            long ino = one.vfs.lookup(Vfs.ROOT_INO, "f").attributes().ino();
            OpenFile early = one.vfs.open(ino, OpenFlags.READ);
            assertThat(one.read(early)).isEqualTo("0123456789");
            one.vfs.release(early);
            changeOnServer("ABCDEFGHIJ");
            wall.set(NOW.plusSeconds(2));
            OpenFile late = one.vfs.open(ino, OpenFlags.READ);
            assertThat(one.read(late)).isEqualTo("ABCDEFGHIJ");
            one.vfs.release(late);
        }
    }

    @Test
    void truncatingAFileChangedElsewhere_truncatesOurs_besideIt() throws Exception {
        metadataSync = true;
        try (Client one = new Client();
                Client two = new Client()) {
            OpenFile ours = one.open("f");
            OpenFile theirs = two.open("f");
            long ino = one.vfs.lookup(Vfs.ROOT_INO, "f").attributes().ino();
            two.write(theirs, 0, "BBB");
            two.save(theirs);
            one.vfs.setAttributes(ino, AttributeChange.size(5), ours);
            one.assertSavingTellsOfIt(ours);
            assertThat(one.read(ours)).isEqualTo("01234");
            one.vfs.release(ours);
            two.vfs.release(theirs);
        }
        assertBothAreThere("BBB3456789", "01234");
    }

    /** It is emptied: so nobody goes by what had been in it. */
    @Test
    void openingWithTruncate_takesThePlaceOfWhatIsThere() throws Exception {
        metadataSync = true;
        try (Client one = new Client()) {
            OpenFile before = one.open("f");
            one.beforeLock.set(() -> changeOnServer("0123456789ABCDEF"));
            long ino = one.vfs.lookup(Vfs.ROOT_INO, "f").attributes().ino();
            OpenFile ours = one.vfs.open(ino, EMPTYING);
            assertThat(one.beforeLock.get()).isNull();
            one.write(ours, 0, "A");
            one.save(ours);
            one.vfs.release(ours);
            one.vfs.release(before);
        }
        assertThat(names(RemotePath.ROOT)).containsExactly("f");
        assertThat(onServer("f")).isEqualTo("A");
    }

    @Test
    void whereNoLockCanBeMade_filesAreSavedWithoutOne() throws Exception {
        try (Client one = new Client()) {
            one.mayNotLock.set(true);
            OpenFile ours = one.open("f");
            one.write(ours, 0, "AAA");
            one.save(ours);
            one.vfs.release(ours);
        }
        assertThat(onServer("f")).isEqualTo("AAA3456789");
    }

    @Test
    void locks_areNotToBeSeen() throws Exception {
        store.makeDirectory(RemotePath.ROOT.child(UploadLocks.DIRECTORY), 0755);
        try (Client one = new Client()) {
            List<String> seen = new ArrayList<>();
            OpenDirectory root = one.vfs.openDirectory(Vfs.ROOT_INO);
            one.vfs.readDirectory(root, 0, false, (name, ino, type, next, entry) -> seen.add(name));
            one.vfs.releaseDirectory(root);
            assertThat(seen).contains("f").doesNotContain(UploadLocks.DIRECTORY);
            assertThat(one.vfs.lookup(Vfs.ROOT_INO, UploadLocks.DIRECTORY).attributes()).isNull();
        }
    }
}
