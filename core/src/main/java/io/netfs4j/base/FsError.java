// SPDX-License-Identifier: Apache-2.0
package io.netfs4j.base;

/**
 * Why an operation failed, in the words of errno. The numbers are Linux's, for the FUSE door; the
 * other doors translate the names.
 */
public enum FsError {
    EPERM(1, "operation not permitted"),
    ENOENT(2, "no such file or directory"),
    EINTR(4, "interrupted"),
    EIO(5, "input/output error"),
    E2BIG(7, "value too large"),
    EBADF(9, "bad file handle"),
    EAGAIN(11, "try again"),
    ENOMEM(12, "out of memory"),
    EACCES(13, "permission denied"),
    EBUSY(16, "busy"),
    EEXIST(17, "exists already"),
    EXDEV(18, "not on the same file system"),
    ENODEV(19, "no such device"),
    ENOTDIR(20, "not a directory"),
    EISDIR(21, "is a directory"),
    EINVAL(22, "invalid argument"),
    EMFILE(24, "too many open files"),
    EFBIG(27, "file too large"),
    ENOSPC(28, "no space left"),
    EROFS(30, "read-only file system"),
    EMLINK(31, "too many links"),
    ERANGE(34, "result does not fit"),
    ENAMETOOLONG(36, "name too long"),
    ENOSYS(38, "function not implemented"),
    ENOTEMPTY(39, "directory not empty"),
    ELOOP(40, "too many symbolic links"),
    ENODATA(61, "no such attribute"),
    ENXIO(6, "no data past this offset"),
    ENOTSUP(95, "not supported"),
    ETIMEDOUT(110, "timed out"),
    ECONNREFUSED(111, "connection refused"),
    EHOSTUNREACH(113, "host unreachable"),
    ENOTCONN(107, "not connected"),
    ESTALE(116, "file changed or vanished on the server"),
    EDQUOT(122, "quota exceeded"),
    EPROTO(71, "protocol error"),
    EKEYREJECTED(129, "key rejected");

    private final int errno;
    private final String words;

    FsError(int errno, String words) {
        this.errno = errno;
        this.words = words;
    }

    /** The number that Linux gives this error on x86-64 and arm64. */
    public int errno() {
        return errno;
    }

    /** A few lower-case words for messages. */
    public String words() {
        return words;
    }
}
