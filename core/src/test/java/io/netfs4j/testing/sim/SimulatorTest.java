// SPDX-License-Identifier: Apache-2.0
package io.netfs4j.testing.sim;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

import java.nio.file.Path;
import java.util.List;

/** The simulator itself: it passes what is right, finds what is not, and repeats itself. */
class SimulatorTest {
    private static final int SEEDS = 60;

    @Test
    void world_withPlainFileSystem_findsNothing() {
        for (long seed = 1; seed <= SEEDS; seed++) {
            World.Outcome outcome =
                    new World(seed, PlainSubject.with(PlainVfs.Bug.NONE), false).run(60);
            assertThat(outcome.violation())
                    .as("seed %s %s %s", seed, outcome.description(), outcome.lastEvents())
                    .isNull();
        }
    }

    @Test
    void world_withTheRealFileSystem_findsNothing() {
        for (long seed = 1; seed <= SEEDS * 2; seed++) {
            World.Outcome outcome = SimMain.world(seed, false).run(60);
            assertThat(outcome.violation())
                    .as("seed %s %s %s", seed, outcome.description(), outcome.lastEvents())
                    .isNull();
        }
    }

    /** Something is set on a directory that has just got what was set before, and is let go. */
    @Test
    void world_whoseDirectoryIsForgottenWhileItOwesSomething_saves() {
        World.Outcome outcome = SimMain.world(60019262L, false).run(60);
        assertThat(outcome.violation()).isNull();
    }

    /** A name of which another client made another file is looked up while there is no server. */
    @Test
    void world_whoseNamesAreAnotherClientsFilesByNow_mayShowWhatTheyWereWhileOffline() {
        World.Outcome outcome = SimMain.world(70014286L, false).run(60);
        assertThat(outcome.violation()).isNull();
    }

    @Test
    void crashWorld_withTheRealFileSystem_findsNothing() {
        for (long seed = 1; seed <= SEEDS; seed++) {
            findsNothing(seed);
        }
    }

    /**
     * Who waits for a connection that is cut once more, and then for good, is let go at the end.
     */
    @Test
    void crashWorld_whoseConnectionIsCutTwice_ends() {
        findsNothing(601912);
    }

    /** What the server has of a write past the page cache that failed shows with an fsync. */
    @Test
    void crashWorld_whoseFailedWriteMadeTheFileLonger_showsItFromTheNextFsyncOn() {
        findsNothing(1311052);
    }

    /** The server refuses what recovery asks of it, and the same process mounts once more. */
    @Test
    void crashWorld_whoseMountFailsInRecovery_leavesNothingAtWork() {
        findsNothing(5009645);
    }

    /** A commit is under way when the process is killed: its time is the one that was shown. */
    @Test
    void crashWorld_killedDuringACommit_showsTheSameTimeAfterwards() {
        findsNothing(6003770);
    }

    /** A left-over lock is broken, and then the power is lost: the journal knows it no more. */
    @Test
    void crashWorld_whoseLockIsBrokenBeforeThePowerIsLost_findsNoConflict() {
        findsNothing(6009607);
    }

    /** A file that is found with a lock that it needs no more, and then found once again. */
    @Test
    void crashWorld_killedInRecovery_knowsWhereItsFilesBelong() {
        findsNothing(9017434);
    }

    /** The power is lost while a cut is being journalled: it is owed to the server then. */
    @Test
    void crashWorld_whosePowerIsLostDuringATruncate_findsNoConflict() {
        findsNothing(10006015);
    }

    /** Only the time of a cut is owed when the file is written past the page cache. */
    @Test
    void crashWorld_killedDuringAWriteWithoutPageCache_findsNoConflict() {
        findsNothing(12016685);
    }

    /** Nobody has asked for that to be safe. */
    @Test
    void crashWorld_whosePowerIsLostAfterARemoval_mayHaveTheFileAgain() {
        findsNothing(12007814);
    }

    /** A time was being set when the process was killed, and was not. */
    @Test
    void crashWorld_killedBeforeATimeIsSet_mayShowTheServersTimeLater() {
        findsNothing(20001755);
    }

    /** The server has more of it than shows, until that is saved. */
    @Test
    void crashWorld_killedDuringAWriteWithoutPageCache_showsItOnceItIsSaved() {
        findsNothing(30000171);
    }

    /** Of one that was saved a moment before, which the journal had not heard of. */
    @Test
    void crashWorld_killedAfterATimeIsSet_showsIt() {
        findsNothing(50005944);
    }

    /** A write past the page cache, of a file whose cut the journal knows. */
    @Test
    void crashWorld_whosePowerIsLostAfterAWriteWithoutPageCache_showsHowLongItIs() {
        findsNothing(50006076);
    }

    /** It had been made a moment before, which the journal had not heard of. */
    @Test
    void crashWorld_killedAfterADirectoryIsRemoved_doesNotMakeItAgain() {
        findsNothing(50007140);
    }

    /** An upload that had begun sees to it before whoever cuts the file hears of that. */
    @Test
    void crashWorld_killedDuringACut_doesNotFindTheFileUncut() {
        findsNothing(80019161);
    }

    private static void findsNothing(long seed) {
        World.Outcome outcome = new CrashWorld(seed, false).run(60);
        assertThat(outcome.violation())
                .as("seed %s %s %s", seed, outcome.description(), outcome.lastEvents())
                .isNull();
    }

    @Test
    void crashWorld_sameSeed_hasSameTrace() {
        for (long seed = 1; seed <= 20; seed++) {
            assertThat(new CrashWorld(seed, false).run(0).hash())
                    .isEqualTo(new CrashWorld(seed, false).run(0).hash());
        }
    }

    @Test
    void mutants_fitTheSources(@TempDir Path target) throws Exception {
        Path module = Path.of("").toAbsolutePath();
        List<Mutant> mutants = Mutant.readAll(module.resolve("src/test/mutants"));
        assertThat(mutants).hasSizeGreaterThan(5);
        for (Mutant mutant : mutants) {
            assertThat(mutant.write(module.resolve("src/main/java"), target.resolve(mutant.name())))
                    .as(mutant.name())
                    .isNotEmpty();
        }
    }

    @Test
    void world_sameSeed_hasSameTrace() {
        for (long seed = 1; seed <= 20; seed++) {
            assertThat(SimMain.world(seed, false).run(0).hash())
                    .isEqualTo(SimMain.world(seed, false).run(0).hash());
        }
    }

    @ParameterizedTest
    @EnumSource(mode = EnumSource.Mode.EXCLUDE, names = "NONE")
    void world_withPlantedBug_findsIt(PlainVfs.Bug bug) {
        for (long seed = 1; seed <= SEEDS * 5; seed++) {
            if (new World(seed, PlainSubject.with(bug), false).run(0).violation() != null) {
                return;
            }
        }
        assertThat(bug).as("bug that was found").isNull();
    }
}
