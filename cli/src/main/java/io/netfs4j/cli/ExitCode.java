// SPDX-License-Identifier: Apache-2.0
package io.netfs4j.cli;

import io.netfs4j.base.FsError;
import io.netfs4j.base.FsException;

/** What the command answers to whoever started it; told to people in docs/exit-codes.md. */
enum ExitCode {
    OK(
            0,
            "done; for umount: everything is on the server, or was given up with `--discard` and"
                    + " listed"),
    FAILED(1, "failed for a reason that has no code of its own"),
    USAGE(2, "the command line, the remote or an option cannot be understood"),
    MOUNT_POINT(3, "the mount point is not usable: missing, not empty, busy, in use"),
    REFUSED(4, "umount: uploads were refused for good; files and reasons were listed"),
    NO_FUSE(5, "FUSE is not usable here"),
    NO_ANSWER(6, "the server does not answer"),
    NOT_LET_IN(7, "not let in: wrong key, permission denied"),
    WRONG_HOST(8, "the server's host key is unknown or has changed"),
    NO_REMOTE(9, "the remote directory does not exist, or is not a directory"),
    NOT_MOUNTED(10, "status, umount: nothing of netfs is mounted there"),
    NO_ROOM(11, "no space, no quota or no memory left"),
    UNFINISHED(12, "umount: stopped waiting; the mount goes on"),
    DRAINING(13, "mount: an earlier mount of the same files still sends what was written there"),
    MOUNTED_ALREADY(
            14,
            "mount, recover --discard: another mount keeps what it has of the same remote in the"
                    + " same directory"),
    LEFT(
            15,
            "umount --no-drain, or of a mount whose process was killed: unmounted; what is not on"
                    + " the server was listed, and the next mount goes on with it");

    private final int number;
    private final String meaning;

    ExitCode(int number, String meaning) {
        this.number = number;
        this.meaning = meaning;
    }

    int number() {
        return number;
    }

    /** Half a line for people. */
    String meaning() {
        return meaning;
    }

    /** The code for a number that another netfs process answered with. */
    static ExitCode of(int number) {
        for (ExitCode code : values()) {
            if (code.number == number) {
                return code;
            }
        }
        return FAILED;
    }

    /** The code for what a back end said when it was asked to connect. */
    static ExitCode of(FsException e) {
        FsError error = e.error();
        return switch (error) {
            case EINVAL -> USAGE;
            case ENOENT, ENOTDIR -> NO_REMOTE;
            case EACCES, EPERM, EROFS -> NOT_LET_IN;
            case EKEYREJECTED -> WRONG_HOST;
            case EHOSTUNREACH, ECONNREFUSED, ETIMEDOUT, ENOTCONN -> NO_ANSWER;
            case ENOSPC, EDQUOT, ENOMEM -> NO_ROOM;
            case EBUSY -> MOUNT_POINT;
            case ENODEV, ENOSYS -> NO_FUSE;
            default -> FAILED;
        };
    }
}
