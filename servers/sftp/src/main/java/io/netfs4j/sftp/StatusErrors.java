// SPDX-License-Identifier: Apache-2.0
package io.netfs4j.sftp;

import io.netfs4j.base.FsError;
import io.netfs4j.base.FsException;

/**
 * The one table from the protocol's status codes to {@link FsError}.
 *
 * <p>Version 3 has few codes, and OpenSSH folds errno into them: NO_SUCH_FILE is ENOENT, ENOTDIR,
 * ELOOP and EBADF; PERMISSION_DENIED is EPERM, EACCES and EFAULT; BAD_MESSAGE is EINVAL and
 * ENAMETOOLONG; all else, ENOSPC, EEXIST and ENOTEMPTY among them, is FAILURE. Where it matters
 * {@link Diagnosis} asks further; what cannot be told apart is EIO.
 *
 * <p><b>Source</b>: draft-ietf-secsh-filexfer-02 section 7, and for codes from 9 on, which some
 * servers send to version 3 too, draft -13 section 9.1; errno_to_portable of OpenSSH's sftp-server.
 */
final class StatusErrors {
    private StatusErrors() {}

    /** What a status means. */
    static FsError of(int status) {
        return switch (status) {
            case Protocol.NO_SUCH_FILE, 10 /* NO_SUCH_PATH */ -> FsError.ENOENT;
            case Protocol.PERMISSION_DENIED -> FsError.EACCES;
            case Protocol.BAD_MESSAGE -> FsError.EINVAL;
            case Protocol.NO_CONNECTION, Protocol.CONNECTION_LOST -> FsError.ENOTCONN;
            case Protocol.OP_UNSUPPORTED -> FsError.ENOTSUP;
            case 9 /* INVALID_HANDLE */ -> FsError.EBADF;
            case 11 /* FILE_ALREADY_EXISTS */ -> FsError.EEXIST;
            case 12 /* WRITE_PROTECT */ -> FsError.EROFS;
            case 14 /* NO_SPACE_ON_FILESYSTEM */ -> FsError.ENOSPC;
            case 15 /* QUOTA_EXCEEDED */ -> FsError.EDQUOT;
            case 18 /* DIR_NOT_EMPTY */ -> FsError.ENOTEMPTY;
            case 19 /* NOT_A_DIRECTORY */ -> FsError.ENOTDIR;
            case 20 /* INVALID_FILENAME */ -> FsError.EINVAL;
            case 21 /* LINK_LOOP */ -> FsError.ELOOP;
            case 24 /* FILE_IS_A_DIRECTORY */ -> FsError.EISDIR;
            default -> FsError.EIO;
        };
    }

    /** As an exception; {@code what} names the thing. */
    static FsException exception(Reply reply, String what) {
        return exception(of(reply.status()), reply, what);
    }

    static FsException exception(FsError error, Reply reply, String what) {
        String said = reply.message().isEmpty() ? "" : " (server: " + printable(reply) + ")";
        return new FsException(error, what + ": " + error.words() + said);
    }

    /** The server's text on one line, without control characters. */
    private static String printable(Reply reply) {
        String text = reply.message();
        return text.substring(0, Math.min(text.length(), 200)).replaceAll("\\p{Cntrl}", "?");
    }
}
