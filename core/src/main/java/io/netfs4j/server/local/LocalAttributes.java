// SPDX-License-Identifier: Apache-2.0
package io.netfs4j.server.local;

import io.netfs4j.base.FsException;
import io.netfs4j.server.AttributeChange;
import io.netfs4j.server.CoherencyToken;
import io.netfs4j.server.FileType;
import io.netfs4j.server.ServerAttributes;

import org.jspecify.annotations.Nullable;

import java.io.IOException;
import java.nio.file.AccessDeniedException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.attribute.BasicFileAttributeView;
import java.nio.file.attribute.FileTime;
import java.time.Instant;
import java.util.Map;

/** Reads and sets a file's attributes through the JDK's "unix" view, never following a link. */
final class LocalAttributes {
    private static final String ALL =
            "unix:mode,ino,nlink,uid,gid,ctime,size,lastModifiedTime,lastAccessTime";

    /** The file type within st_mode (inode(7)). */
    private static final int TYPE_BITS = 0170000;

    private LocalAttributes() {}

    /** Not ctime: it changes with names and links, which leave the content alone. */
    static CoherencyToken token(long ino, Instant modified, long sizeBytes) {
        return new CoherencyToken(ino + ":" + CoherencyToken.of(modified, sizeBytes).text());
    }

    static ServerAttributes read(Path path) throws FsException {
        Map<String, Object> all =
                LocalErrors.named(
                        path, () -> Files.readAttributes(path, ALL, LinkOption.NOFOLLOW_LINKS));
        int mode = number(all, "mode").intValue();
        FileType type =
                switch (mode & TYPE_BITS) {
                    case 0100000 -> FileType.REGULAR;
                    case 0040000 -> FileType.DIRECTORY;
                    case 0120000 -> FileType.SYMLINK;
                    default -> FileType.OTHER;
                };
        long size = number(all, "size").longValue();
        long ino = number(all, "ino").longValue();
        Instant modified = time(all, "lastModifiedTime");
        return new ServerAttributes(
                type,
                type == FileType.REGULAR || type == FileType.SYMLINK ? size : 0,
                mode & 07777,
                number(all, "uid").intValue(),
                number(all, "gid").intValue(),
                number(all, "nlink").intValue(),
                time(all, "lastAccessTime"),
                modified,
                time(all, "ctime"),
                ino,
                token(ino, modified, size));
    }

    /** Sets everything but the size: owner first, since that clears bits of the mode. */
    static void apply(Path path, AttributeChange change) throws FsException {
        LocalErrors.named(
                path,
                () -> {
                    set(path, "unix:uid", change.uid());
                    set(path, "unix:gid", change.gid());
                    if (change.mode() != null) {
                        setMode(path, change.mode() & 07777);
                    }
                    setTimes(path, change.accessed(), change.modified());
                    return true;
                });
    }

    private static void set(Path path, String name, @Nullable Integer value) throws IOException {
        if (value != null) {
            Files.setAttribute(path, name, value, LinkOption.NOFOLLOW_LINKS);
        }
    }

    private static void setMode(Path path, int mode) throws IOException {
        try {
            Files.setAttribute(path, "unix:mode", mode, LinkOption.NOFOLLOW_LINKS);
        } catch (AccessDeniedException e) {
            // Without following, the JDK opens the file to read, which its owner may not: 0200.
            if (Files.isSymbolicLink(path)) {
                throw e;
            }
            Files.setAttribute(path, "unix:mode", mode);
        }
    }

    private static void setTimes(Path path, @Nullable Instant accessed, @Nullable Instant modified)
            throws IOException {
        if (accessed == null && modified == null) {
            return;
        }
        BasicFileAttributeView view =
                Files.getFileAttributeView(
                        path, BasicFileAttributeView.class, LinkOption.NOFOLLOW_LINKS);
        view.setTimes(
                modified == null ? null : FileTime.from(modified),
                accessed == null ? null : FileTime.from(accessed),
                null);
    }

    private static Number number(Map<String, Object> all, String name) {
        if (all.get(name) instanceof Number n) {
            return n;
        }
        throw new IllegalStateException("the JDK's unix view has no " + name);
    }

    private static Instant time(Map<String, Object> all, String name) {
        if (all.get(name) instanceof FileTime t) {
            return t.toInstant();
        }
        throw new IllegalStateException("the JDK's unix view has no " + name);
    }
}
