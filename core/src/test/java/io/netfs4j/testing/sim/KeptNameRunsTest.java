// SPDX-License-Identifier: Apache-2.0
package io.netfs4j.testing.sim;

import io.netfs4j.testing.sim.FaultPlan.Fault;
import io.netfs4j.testing.sim.Tuning.Op;

import org.junit.jupiter.api.Test;

/** As {@link KeptRunsTest}, of runs whose violation was one of names. */
class KeptNameRunsTest {
    /** A directory with a removed file that is open, and a name that another client took away. */
    @Test
    void replay_names_seed5065() {
        KeptRun.of(5065L)
                .operation(0, 5, Op.WRITE)
                .operation(0, 8, Op.CREATE)
                .operation(0, 29, Op.MKDIR)
                .operation(0, 32, Op.CREATE)
                .operation(0, 42, Op.RENAME)
                .operation(0, 43, Op.CLOSE)
                .operation(1, 7, Op.ELSEWHERE)
                .operation(0, 65, Op.UNLINK)
                .operation(0, 69, Op.RMDIR)
                .passes();
    }

    /** What an older listing said comes into a newer one that is under way. */
    @Test
    void replay_names_seed21322() {
        KeptRun.of(21322L)
                .operation(2, 1, Op.WRITE)
                .operation(0, 0, Op.WRITE)
                .operation(1, 0, Op.LIST)
                .operation(0, 2, Op.OPEN)
                .operation(3, 2, Op.ELSEWHERE)
                .operation(0, 6, Op.CREATE)
                .operation(2, 15, Op.RENAME)
                .operation(1, 17, Op.LIST)
                .operation(0, 12, Op.OPEN)
                .operation(2, 27, Op.CLOSE)
                .operation(3, 118, Op.ELSEWHERE)
                .operation(0, 19, Op.LIST)
                .strike(Fault.SLOW, 0, 6, 0)
                .strike(Fault.SLOW, 1, 17, 1)
                .strike(Fault.SLOW, 0, 12, 0)
                .strike(Fault.SLOW, 0, 19, 0)
                .passes();
    }

    /** A file of two names is opened by path while the one that paths are made of is removed. */
    @Test
    void replay_names_seed3863() {
        KeptRun.of(3863L)
                .operation(1, 0, Op.WRITE)
                .operation(2, 2, Op.WRITE)
                .operation(1, 2, Op.UNLINK)
                .operation(2, 7, Op.MKDIR)
                .operation(1, 14, Op.LINK)
                .operation(2, 15, Op.TRUNCATE)
                .operation(1, 18, Op.UNLINK)
                .operation(2, 18, Op.OPEN)
                .passes();
    }

    /** A name that another client has put another file under stays in the listing. */
    @Test
    void replay_names_seed304697() {
        KeptRun.of(304697L)
                .operation(1, 0, Op.WRITE)
                .operation(0, 0, Op.OPEN)
                .operation(1, 20, Op.CREATE)
                .operation(1, 21, Op.CLOSE)
                .operation(1, 22, Op.WRITE)
                .operation(0, 10, Op.WRITE)
                .operation(2, 2, Op.ELSEWHERE)
                .operation(0, 19, Op.ZERO)
                .operation(0, 20, Op.READ)
                .operation(1, 28, Op.WRITE)
                .operation(2, 261, Op.ELSEWHERE)
                .operation(1, 52, Op.LIST)
                .operation(1, 57, Op.OPEN)
                .operation(0, 55, Op.LIST)
                .strike(Fault.RESET, 0, 20, 0)
                .passes();
    }

    /** A directory's times are set while a file in it is being made. */
    @Test
    void replay_names_seed103380() {
        KeptRun.of(103380L)
                .operation(2, 11, Op.MKDIR)
                .operation(3, 16, Op.OPEN)
                .operation(2, 12, Op.WRITE)
                .operation(3, 21, Op.SET_DIRECTORY)
                .strike(Fault.SLOW, 2, 12, 0)
                .strike(Fault.SLOW, 3, 21, 3)
                .passes();
    }

    /**
     * A directory is moved while one in it, and a file in that, are still to be made: creates
     * /d3/d3/f1 unasked.
     */
    @Test
    void replay_names_seed1003509() {
        KeptRun.of(1003509L)
                .operation(0, 113, Op.LIST)
                .operation(0, 114, Op.WRITE)
                .operation(0, 131, Op.UNLINK)
                .operation(0, 171, Op.WRITE)
                .operation(0, 173, Op.MKDIR)
                .operation(0, 174, Op.MKDIR)
                .operation(0, 175, Op.CREATE)
                .operation(0, 182, Op.RENAME)
                .journalled()
                .passes();
    }

    /** Locks that the server would not take away are left at the end, with their directory. */
    @Test
    void replay_uploads_seed83() {
        KeptRun.of(83L)
                .operation(0, 3, Op.WRITE)
                .operation(1, 6, Op.WRITE)
                .operation(0, 4, Op.OPEN)
                .operation(3, 11, Op.WRITE)
                .operation(2, 7, Op.CLOSE)
                .operation(3, 16, Op.WRITE)
                .strike(Fault.NAME_FAILS, 3, 16, 1)
                .journalled()
                .stored()
                .locks()
                .passes();
    }

    /**
     * A lock that is given back late goes with the one that another file took of that name since:
     * creates /f4.conflict-sim-20231114T231332Z.partial unasked.
     */
    @Test
    void replay_names_seed1311958() {
        KeptRun.of(1311958L)
                .operation(0, 0, Op.WRITE)
                .operation(1, 1, Op.WRITE)
                .operation(0, 1, Op.OPEN)
                .operation(1, 5, Op.WRITE)
                .operation(0, 2, Op.WRITE)
                .operation(0, 3, Op.CLOSE)
                .operation(0, 16, Op.OPEN)
                .operation(0, 17, Op.WRITE)
                .operation(0, 18, Op.CLOSE)
                .operation(0, 19, Op.WRITE)
                .operation(0, 24, Op.WRITE)
                .operation(0, 37, Op.WRITE)
                .operation(0, 39, Op.TRUNCATE)
                .operation(0, 49, Op.TRUNCATE)
                .operation(0, 51, Op.UNLINK)
                .operation(0, 52, Op.WRITE)
                .operation(1, 10, Op.ZERO)
                .operation(1, 11, Op.CREATE)
                .operation(1, 12, Op.WRITE)
                .operation(1, 15, Op.WRITE)
                .operation(1, 19, Op.CLOSE)
                .operation(1, 21, Op.CREATE)
                .operation(1, 24, Op.CLOSE)
                .operation(1, 25, Op.CLOSE)
                .operation(1, 30, Op.WRITE)
                .operation(1, 32, Op.WRITE)
                .operation(1, 33, Op.RENAME)
                .operation(1, 35, Op.WRITE)
                .operation(1, 37, Op.WRITE)
                .operation(1, 38, Op.WRITE)
                .operation(1, 39, Op.WRITE)
                .operation(1, 40, Op.WRITE)
                .operation(1, 44, Op.WRITE)
                .operation(1, 46, Op.WRITE)
                .strike(Fault.SLOW, 1, 5, 0)
                .strike(Fault.SLOW, 0, 1, 5)
                .strike(Fault.SLOW, 0, 1, 13)
                .strike(Fault.INTERRUPT, -1, 1, 59)
                .strike(Fault.INTERRUPT, -1, 1, 64)
                .strike(Fault.ENDS_AT_ONCE, 0, 3, 0)
                .strike(Fault.DISCONNECT, 0, 3, 0)
                .strike(Fault.NO_CREDITS, 0, 3, 1)
                .strike(Fault.SLOW, 0, 3, 3)
                .strike(Fault.INTERRUPT, -1, 1, 199)
                .strike(Fault.INTERRUPT, -1, 1, 230)
                .strike(Fault.SLOW, 0, 3, 5)
                .strike(Fault.SLOW, 0, 3, 8)
                .strike(Fault.SLOW, 0, 3, 10)
                .strike(Fault.SLOW, 0, 3, 18)
                .strike(Fault.SLOW, 0, 3, 20)
                .strike(Fault.SLOW, 0, 39, 0)
                .strike(Fault.SLOW, 0, 39, 5)
                .strike(Fault.SLOW, 0, 39, 7)
                .strike(Fault.INTERRUPT, -1, 1, 310)
                .strike(Fault.SLOW, 0, 39, 10)
                .strike(Fault.SLOW, 0, 39, 13)
                .strike(Fault.SLOW, 1, 21, 0)
                .strike(Fault.SLOW, 1, 21, 3)
                .strike(Fault.SLOW, 1, 38, 0)
                .strike(Fault.SLOW, 1, 38, 1)
                .strike(Fault.SLOW, 1, 38, 5)
                .strike(Fault.SLOW, 1, 38, 7)
                .strike(Fault.ENDS_AT_ONCE, 1, 38, 2)
                .strike(Fault.DISCONNECT, 1, 38, 2)
                .journalled()
                .stored()
                .locks()
                .passes();
    }

    /**
     * A file has the name of one whose upload holds the lock of that name for long: creates
     * /d0/f0.conflict-sim-20231114T222204Z.partial unasked.
     */
    @Test
    void replay_names_seed1321436() {
        KeptRun.of(1321436L)
                .operation(3, 0, Op.SYMLINK)
                .operation(2, 0, Op.WRITE)
                .operation(2, 1, Op.WRITE)
                .operation(0, 2, Op.WRITE)
                .operation(3, 2, Op.WRITE)
                .operation(1, 1, Op.CREATE)
                .operation(0, 5, Op.OPEN)
                .operation(0, 7, Op.ZERO)
                .operation(1, 3, Op.WRITE)
                .operation(2, 7, Op.WRITE)
                .operation(2, 8, Op.WRITE)
                .operation(5, 1, Op.ELSEWHERE)
                .operation(2, 9, Op.WRITE)
                .operation(2, 10, Op.WRITE)
                .operation(2, 13, Op.WRITE)
                .operation(3, 9, Op.WRITE)
                .operation(2, 16, Op.SYMLINK)
                .operation(3, 12, Op.WRITE)
                .operation(3, 16, Op.RENAME)
                .operation(2, 17, Op.CLOSE)
                .operation(2, 19, Op.MKDIR)
                .operation(2, 20, Op.WRITE)
                .operation(2, 23, Op.WRITE)
                .operation(3, 21, Op.WRITE)
                .operation(2, 24, Op.WRITE)
                .operation(2, 25, Op.WRITE)
                .operation(2, 26, Op.WRITE)
                .operation(3, 25, Op.CREATE)
                .operation(2, 27, Op.WRITE)
                .operation(3, 31, Op.ALLOCATE)
                .operation(2, 28, Op.OPEN)
                .operation(2, 29, Op.SET_DIRECTORY)
                .operation(3, 34, Op.CREATE)
                .operation(2, 31, Op.WRITE)
                .operation(2, 32, Op.WRITE)
                .operation(3, 35, Op.WRITE)
                .operation(2, 34, Op.WRITE)
                .operation(3, 37, Op.OPEN)
                .operation(2, 35, Op.WRITE)
                .operation(2, 36, Op.RENAME)
                .operation(2, 37, Op.WRITE)
                .operation(2, 40, Op.WRITE)
                .operation(0, 9, Op.WRITE)
                .operation(1, 6, Op.READ)
                .operation(3, 45, Op.READ)
                .strike(Fault.TAKES_LESS, 3, 21, 0)
                .strike(Fault.NO_CREDITS, 3, 21, 1)
                .strike(Fault.NO_CREDITS, 2, 32, 0)
                .strike(Fault.DISCONNECT, 2, 32, 0)
                .strike(Fault.READY_EARLY, 2, 32, 2)
                .strike(Fault.TAKES_LESS, 2, 32, 2)
                .strike(Fault.DISCONNECT, 2, 32, 1)
                .strike(Fault.BUSY, 2, 32, 3)
                .strike(Fault.DISCONNECT, 2, 32, 3)
                .strike(Fault.BUSY, 2, 32, 8)
                .strike(Fault.DISCONNECT, 2, 32, 7)
                .strike(Fault.BUSY, 2, 32, 11)
                .strike(Fault.WRITE_FAILS, 2, 32, 12)
                .strike(Fault.WRITE_FAILS, 2, 32, 14)
                .strike(Fault.TAKES_LESS, 1, 6, 0)
                .strike(Fault.DISCONNECT, 1, 6, 0)
                .strike(Fault.NO_CREDITS, 1, 6, 2)
                .strike(Fault.DISCONNECT, 2, 32, 10)
                .strike(Fault.NO_CREDITS, 1, 6, 4)
                .journalled()
                .locks()
                .passes();
    }

    /** A file whose length was in doubt takes a lock with nothing to send, after the end. */
    @Test
    void replay_uploads_seed4009225() {
        KeptRun.of(4009225L)
                .operation(1, 4, Op.WRITE)
                .operation(2, 1, Op.CREATE)
                .operation(1, 12, Op.TRUNCATE)
                .operation(2, 9, Op.WRITE)
                .operation(2, 14, Op.WRITE)
                .operation(2, 15, Op.CLOSE)
                .operation(2, 18, Op.CREATE)
                .operation(1, 21, Op.WRITE)
                .operation(1, 26, Op.APPEND)
                .operation(1, 32, Op.TRUNCATE)
                .operation(2, 40, Op.CLOSE)
                .operation(0, 40, Op.WRITE)
                .operation(1, 56, Op.WRITE)
                .operation(1, 57, Op.WRITE)
                .strike(Fault.RESET, 2, 15, 1)
                .strike(Fault.NO_CREDITS, 1, 21, 0)
                .journalled()
                .locks()
                .passes();
    }

    /** Two who wait with one open file are told of one error (I17). */
    @Test
    void replay_I17_seed4005323() {
        KeptRun.of(4005323L)
                .operation(1, 0, Op.WRITE)
                .operation(2, 0, Op.RENAME)
                .operation(0, 0, Op.CLOSE)
                .operation(3, 0, Op.TRUNCATE)
                .operation(0, 1, Op.WRITE)
                .operation(3, 1, Op.FORGET)
                .operation(1, 1, Op.WRITE)
                .operation(3, 3, Op.ZERO)
                .operation(1, 2, Op.CREATE)
                .operation(0, 3, Op.CREATE)
                .operation(0, 4, Op.WRITE)
                .operation(0, 5, Op.WRITE)
                .operation(0, 6, Op.WRITE)
                .operation(2, 2, Op.MKDIR)
                .operation(2, 3, Op.CREATE)
                .operation(1, 4, Op.COPY)
                .operation(2, 4, Op.WRITE)
                .operation(0, 10, Op.WRITE)
                .operation(3, 4, Op.WRITE)
                .operation(2, 5, Op.WRITE)
                .operation(0, 11, Op.CREATE)
                .operation(1, 7, Op.COPY)
                .operation(3, 6, Op.READLINK)
                .operation(2, 6, Op.FSYNC)
                .operation(0, 12, Op.WRITE)
                .operation(3, 7, Op.WRITE)
                .operation(2, 7, Op.WRITE)
                .operation(2, 8, Op.WRITE)
                .operation(3, 8, Op.RENAME)
                .operation(0, 14, Op.COPY)
                .operation(2, 11, Op.READLINK)
                .operation(2, 12, Op.WRITE)
                .operation(2, 13, Op.RENAME)
                .operation(2, 14, Op.MKDIR)
                .operation(3, 10, Op.UNLINK)
                .operation(1, 10, Op.WRITE)
                .operation(1, 11, Op.APPEND)
                .operation(1, 12, Op.WRITE)
                .operation(1, 13, Op.TRUNCATE)
                .operation(3, 11, Op.WRITE)
                .operation(3, 12, Op.CLOSE)
                .operation(3, 13, Op.COPY)
                .operation(2, 15, Op.TRUNCATE)
                .operation(0, 15, Op.WRITE)
                .operation(0, 17, Op.OPEN)
                .operation(3, 14, Op.CREATE)
                .operation(0, 18, Op.WRITE)
                .operation(2, 16, Op.WRITE)
                .operation(3, 15, Op.PUNCH)
                .operation(3, 16, Op.WRITE)
                .operation(0, 20, Op.WRITE)
                .operation(0, 21, Op.WRITE)
                .operation(0, 22, Op.WRITE)
                .operation(2, 17, Op.WRITE)
                .operation(0, 24, Op.WRITE)
                .operation(1, 16, Op.COPY)
                .operation(3, 18, Op.WRITE)
                .operation(0, 25, Op.FSYNC)
                .operation(1, 17, Op.WRITE)
                .operation(2, 22, Op.FSYNC)
                .operation(2, 25, Op.WRITE)
                .strike(Fault.NAME_FAILS, 0, 1, 0)
                .strike(Fault.NAME_FAILS, 2, 2, 0)
                .strike(Fault.NAME_FAILS, 2, 3, 0)
                .strike(Fault.NAME_FAILS, 0, 5, 1)
                .strike(Fault.NAME_FAILS, 1, 7, 1)
                .strike(Fault.NAME_FAILS, 2, 13, 0)
                .strike(Fault.NAME_FAILS, 3, 10, 0)
                .strike(Fault.TAKES_LESS, 3, 15, 5)
                .strike(Fault.NAME_FAILS, 3, 15, 1)
                .strike(Fault.NAME_FAILS, 2, 25, 0)
                .journalled()
                .stored()
                .passes();
    }

    /** The file gets another name while its lock is asked for, and that question fails. */
    @Test
    void replay_I17_seed5005327() {
        KeptRun.of(5005327L)
                .operation(3, 0, Op.WRITE)
                .operation(2, 0, Op.MKDIR)
                .operation(1, 0, Op.WRITE)
                .operation(3, 1, Op.WRITE)
                .operation(3, 11, Op.COPY)
                .operation(2, 2, Op.WRITE)
                .operation(1, 4, Op.UNLINK)
                .strike(Fault.NAME_FAILS, 3, 11, 3)
                .journalled()
                .stored()
                .locks()
                .passes();
    }

    /** The walk passes a granule that the disk cache lacks, to one that the server is to get. */
    @Test
    void replay_keep_seed7003940() {
        KeptRun.of(7003940L)
                .operation(0, 2, Op.WRITE)
                .operation(0, 3, Op.OPEN)
                .operation(0, 14, Op.WRITE)
                .operation(0, 24, Op.OPEN)
                .operation(0, 26, Op.CREATE)
                .operation(0, 51, Op.OPEN)
                .operation(0, 66, Op.ZERO)
                .operation(0, 84, Op.CLOSE)
                .operation(0, 91, Op.CLOSE)
                .operation(0, 100, Op.WRITE)
                .operation(0, 102, Op.WRITE)
                .operation(0, 106, Op.WRITE)
                .operation(0, 115, Op.READ)
                .strike(Fault.BUSY, 0, 106, 4)
                .stored()
                .passes();
    }

    /** What was given up is still being sent at the end, under a lock. */
    @Test
    void replay_uploads_seed7003707() {
        KeptRun.of(7003707L)
                .operation(0, 2, Op.WRITE)
                .operation(1, 1, Op.ELSEWHERE)
                .operation(0, 8, Op.WRITE)
                .operation(0, 9, Op.WRITE)
                .operation(0, 13, Op.WRITE)
                .operation(0, 34, Op.OPEN)
                .operation(0, 73, Op.UNLINK)
                .operation(0, 75, Op.LOOKUP)
                .operation(0, 86, Op.OPEN)
                .operation(0, 98, Op.WRITE)
                .operation(0, 117, Op.FSYNC)
                .operation(0, 118, Op.SET)
                .operation(0, 119, Op.PUNCH)
                .operation(0, 127, Op.CLOSE)
                .operation(0, 129, Op.UNLINK)
                .operation(0, 130, Op.READ)
                .strike(Fault.RESET, 0, 130, 0)
                .strike(Fault.INTERRUPT, -1, 1, 14)
                .journalled()
                .locks()
                .passes();
    }

    /** The server is asked for the version while somebody sets permission bits. */
    @Test
    void replay_attributes_seed6005597() {
        KeptRun.of(6005597L)
                .operation(1, 25, Op.WRITE)
                .operation(0, 35, Op.WRITE)
                .operation(0, 37, Op.WRITE)
                .operation(1, 43, Op.WRITE)
                .operation(1, 60, Op.CLOSE)
                .operation(1, 89, Op.SET)
                .operation(0, 86, Op.OPEN)
                .operation(1, 98, Op.WRITE)
                .operation(1, 100, Op.STAT)
                .strike(Fault.SLOW, 1, 60, 2)
                .strike(Fault.SLOW, 1, 60, 3)
                .strike(Fault.SLOW, 1, 60, 4)
                .journalled()
                .passes();
    }

    /** A file gets a name whose lock another one of this mount has, and shares it. */
    @Test
    void replay_uploads_seed6000421() {
        KeptRun.of(6000421L)
                .operation(0, 0, Op.WRITE)
                .operation(2, 0, Op.WRITE)
                .operation(1, 1, Op.WRITE)
                .operation(2, 2, Op.WRITE)
                .operation(3, 20, Op.OPEN)
                .operation(2, 20, Op.OPEN)
                .operation(0, 15, Op.OPEN)
                .operation(0, 17, Op.WRITE)
                .operation(0, 40, Op.RENAME)
                .strike(Fault.LOST_REPLY, 0, 0, 0)
                .strike(Fault.LOST_REPLY, 2, 2, 1)
                .strike(Fault.COMMIT_FAILS, 0, 17, 0)
                .stored()
                .locks()
                .passes();
    }

    /** A directory whose times wait to be set is removed, and kept for ever. */
    @Test
    void replay_I18_seed8008867() {
        KeptRun.of(8008867L)
                .operation(0, 5, Op.LIST)
                .operation(0, 6, Op.WRITE)
                .operation(0, 54, Op.MKDIR)
                .operation(0, 60, Op.SYMLINK)
                .operation(0, 61, Op.RENAME)
                .operation(0, 63, Op.SET_DIRECTORY)
                .operation(0, 64, Op.CREATE)
                .operation(0, 74, Op.CREATE)
                .operation(0, 81, Op.MKDIR)
                .operation(0, 87, Op.CLOSE)
                .operation(0, 91, Op.RENAME)
                .operation(1, 21, Op.ELSEWHERE)
                .operation(0, 123, Op.MKDIR)
                .operation(0, 127, Op.SYMLINK)
                .operation(0, 128, Op.MKDIR)
                .operation(0, 136, Op.CREATE)
                .operation(0, 178, Op.RENAME)
                .operation(0, 189, Op.RMDIR)
                .stored()
                .passes();
    }

    /** A name that is given is listed before that is heard of: it counts once. */
    @Test
    void replay_errors_seed40003029() {
        KeptRun.of(40003029L)
                .operation(3, 0, Op.WRITE)
                .operation(1, 9, Op.LINK)
                .operation(0, 5, Op.MKDIR)
                .operation(1, 15, Op.MKDIR)
                .operation(1, 16, Op.CREATE)
                .operation(3, 7, Op.WRITE)
                .operation(2, 18, Op.LINK)
                .operation(3, 14, Op.MKDIR)
                .operation(0, 28, Op.LIST)
                .operation(1, 32, Op.LIST)
                .operation(0, 33, Op.RENAME)
                .operation(2, 23, Op.LIST)
                .operation(3, 23, Op.CREATE)
                .operation(1, 33, Op.UNLINK)
                .operation(0, 34, Op.LINK)
                .operation(1, 41, Op.MKDIR)
                .operation(2, 39, Op.OPEN)
                .operation(1, 46, Op.OPEN)
                .operation(0, 46, Op.RENAME)
                .operation(1, 47, Op.WRITE)
                .operation(3, 39, Op.CLOSE)
                .operation(3, 45, Op.CREATE)
                .operation(3, 49, Op.OPEN)
                .operation(2, 47, Op.OPEN)
                .operation(0, 51, Op.UNLINK)
                .operation(0, 52, Op.COPY)
                .strike(Fault.LOST_REPLY, 2, 18, 0)
                .strike(Fault.LOST_REPLY, 3, 14, 0)
                .strike(Fault.LOST_REPLY, 1, 32, 0)
                .strike(Fault.LOST_REPLY, 1, 33, 0)
                .strike(Fault.LOST_REPLY, 2, 39, 0)
                .stored()
                .passes();
    }
}
