// SPDX-License-Identifier: Apache-2.0
package io.netfs4j.fuse;

import io.netfs4j.base.FsError;
import io.netfs4j.base.FsException;

import java.io.IOException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.attribute.BasicFileAttributes;

/** The checks that a directory must pass before something is mounted on it. */
final class MountPoint {
    private MountPoint() {}

    /**
     * Checks that a directory exists, is empty, and that nothing is mounted on it.
     *
     * @return its path without symbolic links
     * @throws FsException ENOENT, ENOTDIR, ENOTEMPTY, EBUSY (a live mount), ENOTCONN (a mount whose
     *     process is gone), EACCES; the message names the remedy
     */
    static Path check(Path directory) throws FsException {
        Path absolute = directory.toAbsolutePath().normalize();
        refuseMounted(absolute);
        Path real;
        try {
            real = absolute.toRealPath();
        } catch (NoSuchFileException e) {
            throw new FsException(
                    FsError.ENOENT,
                    "mount point " + directory + " does not exist: create it with `mkdir -p`",
                    e);
        } catch (IOException e) {
            throw unreadable(directory, e);
        }
        if (!Files.isDirectory(real, LinkOption.NOFOLLOW_LINKS)) {
            throw new FsException(
                    FsError.ENOTDIR, "mount point " + directory + " is not a directory");
        }
        refuseMounted(real);
        try (DirectoryStream<Path> entries = Files.newDirectoryStream(real)) {
            if (entries.iterator().hasNext()) {
                throw new FsException(
                        FsError.ENOTEMPTY,
                        "mount point " + directory + " is not empty: choose an empty directory");
            }
        } catch (FsException e) {
            throw e;
        } catch (IOException e) {
            throw unreadable(directory, e);
        }
        return real;
    }

    private static void refuseMounted(Path path) throws FsException {
        MountTable.Line mounted;
        try {
            mounted = MountTable.at(path);
        } catch (IOException e) {
            throw new FsException(FsError.EIO, "cannot read the mount table: " + e, e);
        }
        if (mounted == null) {
            return;
        }
        try {
            Files.readAttributes(path, BasicFileAttributes.class);
        } catch (IOException e) {
            throw new FsException(
                    FsError.ENOTCONN,
                    path
                            + " is still mounted, but the process that served it is gone: run"
                            + " `fusermount3 -u -z "
                            + path
                            + "` (as root `umount -l`) and mount again",
                    e);
        }
        throw new FsException(
                FsError.EBUSY,
                path + " is busy: " + mounted.source() + " is mounted on it; unmount it first");
    }

    private static FsException unreadable(Path directory, IOException e) {
        return new FsException(
                FsError.EACCES, "mount point " + directory + " cannot be read: " + reason(e), e);
    }

    private static String reason(IOException e) {
        return e instanceof java.nio.file.AccessDeniedException
                ? "permission denied"
                : String.valueOf(e.getMessage());
    }
}
