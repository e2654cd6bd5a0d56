// SPDX-License-Identifier: Apache-2.0
package io.netfs4j.base;

import org.jspecify.annotations.Nullable;

import java.nio.channels.ClosedChannelException;
import java.nio.file.AccessDeniedException;
import java.nio.file.AtomicMoveNotSupportedException;
import java.nio.file.DirectoryNotEmptyException;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.FileSystemException;
import java.nio.file.FileSystemLoopException;
import java.nio.file.NoSuchFileException;
import java.nio.file.NotDirectoryException;
import java.nio.file.NotLinkException;
import java.util.Map;

/**
 * The JDK's exceptions in the words of errno, in one table. The JDK has classes for a few errors;
 * of the others it keeps only the C library's text for them, which is English unless the locale of
 * this process has another; a text that is not known here is EIO.
 *
 * <p><b>Threads</b>: any.
 */
public final class SystemErrors {
    private static final Map<String, FsError> BY_TEXT =
            Map.ofEntries(
                    Map.entry("Operation not permitted", FsError.EPERM),
                    Map.entry("Argument list too long", FsError.E2BIG),
                    Map.entry("Permission denied", FsError.EACCES),
                    Map.entry("Device or resource busy", FsError.EBUSY),
                    Map.entry("Invalid cross-device link", FsError.EXDEV),
                    Map.entry("Not a directory", FsError.ENOTDIR),
                    Map.entry("Is a directory", FsError.EISDIR),
                    Map.entry("Invalid argument", FsError.EINVAL),
                    Map.entry("Too many open files", FsError.EMFILE),
                    Map.entry("Too many open files in system", FsError.EMFILE),
                    Map.entry("File too large", FsError.EFBIG),
                    Map.entry("No space left on device", FsError.ENOSPC),
                    Map.entry("Read-only file system", FsError.EROFS),
                    Map.entry("Too many links", FsError.EMLINK),
                    Map.entry("Numerical result out of range", FsError.ERANGE),
                    Map.entry("File name too long", FsError.ENAMETOOLONG),
                    Map.entry("Directory not empty", FsError.ENOTEMPTY),
                    Map.entry("Too many levels of symbolic links", FsError.ELOOP),
                    Map.entry("No data available", FsError.ENODATA),
                    Map.entry("No such device or address", FsError.ENXIO),
                    Map.entry("Operation not supported", FsError.ENOTSUP),
                    Map.entry("Stale file handle", FsError.ESTALE),
                    Map.entry("Disk quota exceeded", FsError.EDQUOT));

    private SystemErrors() {}

    /** What an exception of the JDK's file channels and files says; EIO when that is not known. */
    public static FsError of(Exception e) {
        return switch (e) {
            case FsException x -> x.error();
            case NoSuchFileException x -> FsError.ENOENT;
            case FileAlreadyExistsException x -> FsError.EEXIST;
            case AccessDeniedException x -> FsError.EACCES;
            case DirectoryNotEmptyException x -> FsError.ENOTEMPTY;
            case NotDirectoryException x -> FsError.ENOTDIR;
            case NotLinkException x -> FsError.EINVAL;
            case AtomicMoveNotSupportedException x -> FsError.EXDEV;
            case FileSystemLoopException x -> FsError.ELOOP;
            case ClosedChannelException x -> FsError.EBADF;
            case FileSystemException x -> byText(x.getReason());
            default -> byText(e.getMessage());
        };
    }

    private static FsError byText(@Nullable String text) {
        if (text == null) {
            return FsError.EIO;
        }
        FsError exact = BY_TEXT.get(text);
        if (exact != null) {
            return exact;
        }
        // "too many levels of symbolic links or unable to access attributes of symbolic link"
        for (Map.Entry<String, FsError> entry : BY_TEXT.entrySet()) {
            if (text.regionMatches(true, 0, entry.getKey(), 0, entry.getKey().length())
                    || text.endsWith(entry.getKey())) {
                return entry.getValue();
            }
        }
        return FsError.EIO;
    }

    /** Whether there is no room on the disk for more, and nothing else is the matter. */
    public static boolean isFull(Exception e) {
        FsError error = of(e);
        return error == FsError.ENOSPC || error == FsError.EDQUOT;
    }
}
