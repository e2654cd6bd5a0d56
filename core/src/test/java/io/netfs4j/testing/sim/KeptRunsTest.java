// SPDX-License-Identifier: Apache-2.0
package io.netfs4j.testing.sim;

import io.netfs4j.testing.sim.FaultPlan.Fault;
import io.netfs4j.testing.sim.Tuning.Op;

import org.junit.jupiter.api.Test;

/**
 * What the simulator made of runs that ended in a violation, as it printed it. The sizes of a world
 * still come from its seed: when a seed draws something else, a run goes on passing but may no
 * longer meet what it was kept for.
 */
class KeptRunsTest {
    /** An upload arrives after a truncate to less: to 386 of file 1, whose size is 0 (I14). */
    @Test
    void replay_I14_seed1() {
        KeptRun.of(1L)
                .operation(0, 1, Op.WRITE)
                .operation(0, 3, Op.OPEN)
                .operation(1, 4, Op.WRITE)
                .operation(1, 8, Op.WRITE)
                .operation(1, 10, Op.TRUNCATE)
                .strike(Fault.DISCONNECT, 1, 4, 1)
                .strike(Fault.DISCONNECT, 1, 4, 3)
                .passes();
    }

    /** After a short write all of the piece is sent again, also what had arrived (I12). */
    @Test
    void replay_I12_seed15() {
        KeptRun.of(15L)
                .operation(1, 0, Op.WRITE)
                .operation(2, 0, Op.WRITE)
                .strike(Fault.SLOW, 1, 0, 0)
                .strike(Fault.TAKES_LESS, 2, 0, 0)
                .strike(Fault.SHORT_WRITE, 2, 0, 0)
                .passes();
    }

    /** After a short write the rest is sent to its place, but from the wrong memory (I9). */
    @Test
    void replay_I4_I9_seed13() {
        KeptRun.of(13L)
                .operation(0, 2, Op.WRITE)
                .operation(0, 79, Op.WRITE)
                .operation(0, 161, Op.WRITE)
                .strike(Fault.TAKES_LESS, 0, 161, 0)
                .strike(Fault.BUSY, 0, 161, 0)
                .passes();
    }

    /** Times that somebody set are lost with the commit that takes them along and fails. */
    @Test
    void replay_attributes_seed386() {
        KeptRun.of(386L)
                .operation(0, 0, Op.WRITE)
                .operation(2, 3, Op.WRITE)
                .operation(1, 3, Op.SET)
                .operation(1, 6, Op.FSYNC)
                .strike(Fault.COMMIT_FAILS, 1, 6, 0)
                .passes();
    }

    /** The server copied, but what it says of the file afterwards did not arrive (I22, I2). */
    @Test
    void replay_I22_seed197() {
        KeptRun.of(197L)
                .operation(0, 2, Op.WRITE)
                .operation(1, 1, Op.WRITE)
                .operation(0, 3, Op.COPY)
                .operation(2, 2, Op.WRITE)
                .strike(Fault.NAME_FAILS, 0, 3, 1)
                .passes();
    }

    /** The end of the file was sent as such, and then what was written behind it (I22). */
    @Test
    void replay_I22_seed20839() {
        KeptRun.of(20839L)
                .operation(2, 1, Op.WRITE)
                .operation(3, 3, Op.WRITE)
                .operation(1, 4, Op.WRITE)
                .operation(3, 18, Op.APPEND)
                .operation(3, 20, Op.WRITE)
                .operation(3, 30, Op.WRITE)
                .strike(Fault.SLOW, 2, 1, 0)
                .strike(Fault.NO_CREDITS, 3, 18, 0)
                .strike(Fault.ENDS_AT_ONCE, 3, 18, 1)
                .strike(Fault.SHORT_WRITE, 3, 18, 0)
                .passes();
    }

    /** A truncate's late answer brings the time of access back to before somebody set it. */
    @Test
    void replay_attributes_seed14108() {
        KeptRun.of(14108L)
                .operation(2, 0, Op.WRITE)
                .operation(0, 0, Op.SET)
                .operation(2, 1, Op.TRUNCATE)
                .operation(0, 69, Op.STAT)
                .strike(Fault.SLOW, 0, 0, 0)
                .strike(Fault.LOST_REPLY, 2, 1, 0)
                .passes();
    }

    /** A file is opened otherwise during a copy, whose handle is closed under it (I18). */
    @Test
    void replay_I18_seed45() {
        KeptRun.of(45L)
                .operation(0, 1, Op.WRITE)
                .operation(2, 0, Op.WRITE)
                .operation(1, 1, Op.LIST)
                .operation(3, 8, Op.WRITE)
                .operation(2, 1, Op.CREATE)
                .operation(3, 11, Op.OPEN)
                .operation(2, 3, Op.FSYNC)
                .operation(0, 4, Op.CLOSE)
                .operation(1, 3, Op.COPY)
                .operation(2, 13, Op.WRITE)
                .strike(Fault.LOST_REPLY, 1, 3, 1)
                .passes();
    }

    /** A read fills memory that a slow cache write, left behind, still reads (I7). */
    @Test
    void replay_I7_seed1901() {
        KeptRun.of(1901L)
                .operation(3, 1, Op.WRITE)
                .operation(2, 0, Op.WRITE)
                .operation(1, 1, Op.ALLOCATE)
                .operation(2, 3, Op.ALLOCATE)
                .operation(2, 6, Op.WRITE)
                .operation(2, 9, Op.OPEN)
                .operation(2, 10, Op.OPEN)
                .operation(1, 4, Op.WRITE)
                .operation(3, 5, Op.CLOSE)
                .operation(0, 3, Op.READ)
                .operation(1, 7, Op.WRITE)
                .operation(3, 9, Op.CLOSE)
                .operation(1, 11, Op.COPY)
                .operation(3, 13, Op.READ)
                .strike(Fault.CACHE_SLOW, 3, 9, 0)
                .passes();
    }

    /** What the server said before an unbuffered write lowers the size that it is known to have. */
    @Test
    void replay_I1_seed3312() {
        KeptRun.of(3312L)
                .operation(2, 0, Op.OPEN)
                .operation(0, 0, Op.WRITE)
                .operation(1, 0, Op.WRITE)
                .operation(2, 1, Op.WRITE)
                .operation(0, 1, Op.WRITE)
                .operation(1, 1, Op.OPEN)
                .operation(2, 2, Op.CLOSE)
                .operation(2, 6, Op.WRITE)
                .operation(1, 3, Op.WRITE)
                .operation(0, 2, Op.WRITE)
                .operation(1, 4, Op.UNLINK)
                .operation(2, 7, Op.WRITE)
                .operation(0, 3, Op.LIST)
                .operation(1, 5, Op.WRITE)
                .operation(2, 8, Op.CREATE)
                .operation(0, 5, Op.UNLINK)
                .operation(1, 6, Op.WRITE)
                .operation(2, 10, Op.OPEN)
                .operation(0, 6, Op.READ)
                .operation(1, 7, Op.READ)
                .operation(0, 7, Op.SET)
                .operation(2, 11, Op.WRITE)
                .operation(1, 9, Op.WRITE)
                .operation(0, 9, Op.WRITE)
                .operation(2, 12, Op.READ)
                .strike(Fault.COMMIT_FAILS, 1, 9, 0)
                .passes();
    }

    /** A mode that was set while the server's answer to a link was on its way shows as before. */
    @Test
    void replay_attributes_seed2091() {
        KeptRun.of(2091L)
                .operation(2, 1, Op.LIST)
                .operation(1, 0, Op.READ)
                .operation(1, 4, Op.WRITE)
                .operation(0, 2, Op.WRITE)
                .operation(1, 12, Op.UNLINK)
                .operation(0, 19, Op.LIST)
                .operation(2, 3, Op.CREATE)
                .operation(2, 5, Op.LINK)
                .operation(1, 26, Op.UNLINK)
                .operation(0, 57, Op.MKDIR)
                .operation(2, 15, Op.LINK)
                .operation(0, 82, Op.WRITE)
                .operation(0, 83, Op.WRITE)
                .operation(0, 86, Op.SET)
                .operation(1, 60, Op.WRITE)
                .operation(1, 63, Op.CLOSE)
                .operation(1, 66, Op.WRITE)
                .operation(1, 69, Op.OPEN)
                .operation(1, 72, Op.STAT)
                .strike(Fault.LOST_REPLY, 2, 1, 0)
                .strike(Fault.LOST_REPLY, 2, 5, 0)
                .strike(Fault.LOST_REPLY, 2, 15, 0)
                .passes();
    }

    /** A directory stays that only one of two names of a file had kept (I18). */
    @Test
    void replay_I18_seed5() {
        KeptRun.of(5L)
                .operation(0, 30, Op.WRITE)
                .operation(0, 33, Op.WRITE)
                .operation(0, 38, Op.CREATE)
                .operation(0, 76, Op.UNLINK)
                .operation(0, 79, Op.LINK)
                .operation(0, 114, Op.MKDIR)
                .operation(0, 115, Op.RENAME)
                .passes();
    }

    /** After a write past the cache failed, and its commit, the server's file is longer (I22). */
    @Test
    void replay_I22_seed12693() {
        KeptRun.of(12693L)
                .operation(2, 2, Op.WRITE)
                .operation(1, 3, Op.WRITE)
                .operation(3, 8, Op.WRITE)
                .operation(1, 9, Op.WRITE)
                .strike(Fault.SHORT_WRITE, 3, 8, 0)
                .strike(Fault.WRITE_MEETS_END, 3, 8, 1)
                .strike(Fault.COMMIT_FAILS, 3, 8, 0)
                .passes();
    }

    /** A copy by the server failed, and nobody knew how long the target is: too much is kept. */
    @Test
    void replay_keep_seed26464() {
        KeptRun.of(26464L)
                .operation(3, 4, Op.WRITE)
                .operation(2, 44, Op.LIST)
                .operation(0, 56, Op.LIST)
                .operation(1, 50, Op.LIST)
                .operation(3, 5, Op.WRITE)
                .operation(3, 8, Op.UNLINK)
                .operation(0, 57, Op.LIST)
                .operation(2, 49, Op.FSYNC)
                .operation(1, 60, Op.WRITE)
                .operation(1, 61, Op.TRUNCATE)
                .operation(0, 58, Op.WRITE)
                .operation(3, 32, Op.FSYNC)
                .operation(0, 59, Op.CREATE)
                .operation(1, 62, Op.WRITE)
                .operation(1, 67, Op.TRUNCATE)
                .operation(0, 60, Op.OPEN)
                .operation(0, 64, Op.WRITE)
                .operation(0, 65, Op.WRITE)
                .operation(1, 70, Op.COPY)
                .operation(3, 40, Op.WRITE)
                .operation(3, 41, Op.FSYNC)
                .operation(0, 67, Op.UNLINK)
                .operation(0, 70, Op.WRITE)
                .operation(0, 75, Op.WRITE)
                .operation(1, 71, Op.CREATE)
                .operation(1, 77, Op.FSYNC)
                .operation(0, 77, Op.WRITE)
                .operation(0, 78, Op.OPEN)
                .operation(0, 86, Op.COPY)
                .operation(1, 84, Op.WRITE)
                .strike(Fault.NAME_FAILS, 0, 86, 0)
                .passes();
    }

    /** A listing's late answer shows a file as it was before it was written and forgotten. */
    @Test
    void replay_I1_seed46394() {
        KeptRun.of(46394L)
                .operation(1, 1, Op.WRITE)
                .operation(3, 0, Op.WRITE)
                .operation(3, 2, Op.OPEN)
                .operation(0, 0, Op.LIST)
                .operation(3, 5, Op.WRITE)
                .operation(3, 6, Op.CREATE)
                .operation(2, 3, Op.CLOSE)
                .operation(3, 7, Op.CLOSE)
                .operation(1, 15, Op.FORGET)
                .operation(0, 13, Op.OPEN)
                .strike(Fault.LOST_REPLY, 0, 0, 0)
                .passes();
    }

    /** A file that is open and has lost its known name is another inode under its other (I18). */
    @Test
    void replay_I18_seed416756() {
        KeptRun.of(416756L)
                .operation(0, 0, Op.WRITE)
                .operation(3, 0, Op.OPEN)
                .operation(3, 1, Op.WRITE)
                .operation(0, 7, Op.CREATE)
                .operation(1, 20, Op.CLOSE)
                .operation(0, 21, Op.LINK)
                .operation(3, 43, Op.FORGET)
                .operation(3, 46, Op.FORGET)
                .operation(3, 47, Op.CREATE)
                .operation(0, 42, Op.RENAME)
                .operation(3, 54, Op.UNLINK)
                .operation(0, 46, Op.CREATE)
                .passes();
    }

    /** Times that are set while the length is in doubt are shown at once. */
    @Test
    void setTimes_ofAFileInDoubt_areShown() {
        KeptRun.of(7489L)
                .operation(3, 1, Op.SYMLINK)
                .operation(2, 10, Op.MKDIR)
                .operation(0, 45, Op.WRITE)
                .operation(3, 5, Op.CREATE)
                .operation(3, 11, Op.OPEN)
                .operation(3, 14, Op.SYMLINK)
                .operation(2, 11, Op.WRITE)
                .operation(3, 19, Op.COPY)
                .operation(3, 20, Op.CREATE)
                .operation(3, 22, Op.CLOSE)
                .operation(3, 23, Op.SET)
                .strike(Fault.LOST_REPLY, 2, 10, 0)
                .strike(Fault.NAME_FAILS, 3, 19, 1)
                .passes();
    }

    /** A removed file that is open keeps a segment of the journal, and it all that follow. */
    @Test
    void replay_deadlock_seed104730() {
        KeptRun.of(104730L)
                .operation(0, 6, Op.WRITE)
                .operation(0, 12, Op.WRITE)
                .operation(0, 22, Op.UNLINK)
                .operation(0, 27, Op.WRITE)
                .operation(0, 29, Op.WRITE)
                .operation(0, 43, Op.WRITE)
                .journalled()
                .passes();
    }

    /** What a synchronous write is about to send is left to the journal, and not sent (I2). */
    @Test
    void replay_I2_seed112464() {
        KeptRun.of(112464L)
                .operation(0, 3, Op.WRITE)
                .operation(1, 3, Op.WRITE)
                .operation(1, 7, Op.WRITE)
                .operation(0, 5, Op.OPEN)
                .operation(0, 6, Op.WRITE)
                .operation(0, 9, Op.WRITE)
                .operation(1, 8, Op.WRITE)
                .operation(0, 10, Op.OPEN)
                .operation(1, 9, Op.OPEN)
                .operation(1, 10, Op.WRITE)
                .operation(0, 11, Op.CLOSE)
                .operation(0, 13, Op.WRITE)
                .operation(1, 11, Op.FSYNC)
                .operation(0, 14, Op.WRITE)
                .strike(Fault.WRITE_FAILS, 1, 10, 0)
                .strike(Fault.WRITE_FAILS, 0, 13, 0)
                .strike(Fault.MISCOUNTS, 0, 13, 0)
                .journalled()
                .passes();
    }

    /** A directory whose time does not count any more, for a name came, is let go of (I18). */
    @Test
    void timeOfADirectory_thatANameMovesOn_isForgotten() {
        KeptRun.of(1648L)
                .operation(3, 1, Op.WRITE)
                .operation(0, 0, Op.WRITE)
                .operation(2, 1, Op.WRITE)
                .operation(3, 6, Op.LINK)
                .operation(0, 4, Op.CLOSE)
                .operation(0, 5, Op.WRITE)
                .operation(3, 7, Op.WRITE)
                .operation(2, 9, Op.WRITE)
                .operation(2, 10, Op.LIST)
                .operation(3, 11, Op.MKDIR)
                .operation(3, 12, Op.CREATE)
                .operation(3, 26, Op.SET_DIRECTORY)
                .operation(2, 30, Op.CREATE)
                .passes();
    }

    /** Bits that were set with an owner are sent at once, and those set before follow them. */
    @Test
    void replay_attributes_seed300623() {
        KeptRun.of(300623L)
                .operation(2, 1, Op.WRITE)
                .operation(0, 1, Op.SYMLINK)
                .operation(1, 1, Op.WRITE)
                .operation(1, 2, Op.CLOSE)
                .operation(1, 3, Op.ALLOCATE)
                .operation(1, 4, Op.CREATE)
                .operation(1, 5, Op.WRITE)
                .operation(1, 7, Op.SET)
                .operation(1, 15, Op.WRITE)
                .operation(1, 16, Op.WRITE)
                .operation(1, 17, Op.FORGET)
                .operation(1, 18, Op.WRITE)
                .operation(1, 19, Op.WRITE)
                .operation(1, 20, Op.FORGET)
                .operation(1, 21, Op.WRITE)
                .operation(1, 22, Op.WRITE)
                .operation(1, 23, Op.READ)
                .operation(1, 24, Op.OPEN)
                .operation(1, 37, Op.WRITE)
                .operation(1, 38, Op.MKDIR)
                .operation(2, 18, Op.WRITE)
                .operation(1, 40, Op.WRITE)
                .operation(1, 45, Op.WRITE)
                .operation(1, 46, Op.SYMLINK)
                .operation(1, 52, Op.SET)
                .operation(2, 54, Op.SET)
                .strike(Fault.NAME_FAILS, 2, 1, 0)
                .strike(Fault.NAME_FAILS, 1, 46, 0)
                .passes();
    }

    /** The question before an upload fails after the file lost its name on the server (I17). */
    @Test
    void replay_I17_seed407500() {
        KeptRun.of(407500L)
                .operation(1, 1, Op.WRITE)
                .operation(3, 0, Op.UNLINK)
                .operation(2, 3, Op.WRITE)
                .strike(Fault.LOST_REPLY, 3, 0, 0)
                .strike(Fault.NAME_FAILS, 2, 3, 0)
                .journalled()
                .stored()
                .passes();
    }

    /** The question before an upload fails, and the file lost its name in the meantime (I17). */
    @Test
    void replay_I17_seed404196() {
        KeptRun.of(404196L)
                .operation(0, 1, Op.WRITE)
                .operation(0, 2, Op.WRITE)
                .operation(0, 7, Op.WRITE)
                .operation(0, 8, Op.OPEN)
                .operation(0, 9, Op.WRITE)
                .operation(0, 17, Op.WRITE)
                .operation(0, 18, Op.APPEND)
                .operation(0, 19, Op.CLOSE)
                .operation(0, 20, Op.UNLINK)
                .operation(0, 26, Op.OPEN)
                .strike(Fault.SLOW, 0, 18, 0)
                .strike(Fault.NAME_FAILS, 0, 18, 0)
                .journalled()
                .stored()
                .passes();
    }

    /** A new file that the server refused goes with a rename over it that is interrupted (I3). */
    @Test
    void replay_I3_seed415659() {
        KeptRun.of(415659L)
                .operation(1, 0, Op.WRITE)
                .operation(3, 13, Op.CREATE)
                .operation(0, 26, Op.MKDIR)
                .operation(1, 3, Op.WRITE)
                .operation(3, 33, Op.CREATE)
                .operation(3, 36, Op.RENAME)
                .strike(Fault.LOST_REPLY, 1, 3, 0)
                .strike(Fault.NAME_FAILS, 3, 33, 0)
                .strike(Fault.INTERRUPT, -1, 1, 14)
                .journalled()
                .stored()
                .passes();
    }

    /** A direct write ended without a byte and without an error while there was no connection. */
    @Test
    void replay_I1_seed456740() {
        KeptRun.of(456740L)
                .operation(2, 0, Op.WRITE)
                .operation(0, 0, Op.OPEN)
                .operation(3, 4, Op.UNLINK)
                .operation(1, 10, Op.TRUNCATE)
                .operation(2, 12, Op.WRITE)
                .operation(2, 13, Op.WRITE)
                .operation(0, 19, Op.CREATE)
                .operation(0, 20, Op.CREATE)
                .operation(3, 16, Op.OPEN)
                .operation(0, 24, Op.OPEN)
                .operation(0, 25, Op.RENAME)
                .operation(2, 20, Op.OPEN)
                .operation(3, 20, Op.OPEN)
                .operation(3, 23, Op.CLOSE)
                .operation(0, 31, Op.OPEN)
                .operation(0, 32, Op.CLOSE)
                .operation(1, 21, Op.WRITE)
                .operation(0, 33, Op.CREATE)
                .operation(0, 34, Op.WRITE)
                .operation(0, 36, Op.WRITE)
                .operation(3, 27, Op.APPEND)
                .strike(Fault.NAME_FAILS, 1, 10, 0)
                .strike(Fault.RESET, 0, 36, 0)
                .journalled()
                .stored()
                .passes();
    }

    /** The answer about a lock is lost: fsync tells of it as if it had given up (I17). */
    @Test
    void replay_I17_seed4000106() {
        KeptRun.of(4000106L)
                .operation(1, 1, Op.WRITE)
                .operation(0, 1, Op.WRITE)
                .operation(0, 28, Op.WRITE)
                .operation(2, 38, Op.FSYNC)
                .operation(2, 40, Op.FSYNC)
                .strike(Fault.MISCOUNTS, 0, 1, 0)
                .strike(Fault.LOST_REPLY, 0, 28, 0)
                .journalled()
                .locks()
                .passes();
    }

    /** The end of the file is an answer: a read that meets it twice has not been put off twice. */
    @Test
    void replay_attempts_seed5005555() {
        KeptRun.of(5005555L)
                .operation(2, 0, Op.WRITE)
                .operation(3, 2, Op.WRITE)
                .operation(1, 5, Op.READ)
                .operation(2, 8, Op.READ)
                .operation(3, 5, Op.TRUNCATE)
                .strike(Fault.SLOW, 3, 2, 28)
                .strike(Fault.BUSY, 3, 2, 9)
                .strike(Fault.TAKES_LESS, 2, 8, 0)
                .strike(Fault.TAKES_LESS, 2, 8, 1)
                .strike(Fault.BUSY, 2, 8, 4)
                .strike(Fault.TAKES_LESS, 2, 8, 6)
                .strike(Fault.TAKES_LESS, 2, 8, 7)
                .strike(Fault.BUSY, 2, 8, 6)
                .strike(Fault.TAKES_LESS, 2, 8, 8)
                .strike(Fault.TAKES_LESS, 2, 8, 9)
                .strike(Fault.TAKES_LESS, 2, 8, 10)
                .strike(Fault.BUSY, 2, 8, 12)
                .stored()
                .locks()
                .passes();
    }

    /** Pieces that were put off one by one go on as one, and are given up as one (attempts). */
    @Test
    void replay_attempts_seed30007107() {
        KeptRun.of(30007107L)
                .operation(0, 1, Op.WRITE)
                .operation(3, 3, Op.WRITE)
                .operation(1, 3, Op.WRITE)
                .operation(3, 5, Op.PUNCH)
                .strike(Fault.BUSY, 1, 3, 0)
                .strike(Fault.BUSY, 1, 3, 1)
                .strike(Fault.TAKES_LESS, 1, 3, 2)
                .strike(Fault.BUSY, 1, 3, 2)
                .strike(Fault.SHORT_READ, 1, 3, 0)
                .strike(Fault.BUSY, 1, 3, 4)
                .strike(Fault.BUSY, 1, 3, 5)
                .stored()
                .passes();
    }
}
