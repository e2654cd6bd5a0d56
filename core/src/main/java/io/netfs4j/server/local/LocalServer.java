// SPDX-License-Identifier: Apache-2.0
package io.netfs4j.server.local;

import io.netfs4j.base.Environment;
import io.netfs4j.base.FsError;
import io.netfs4j.base.FsException;
import io.netfs4j.base.Names;
import io.netfs4j.server.Access;
import io.netfs4j.server.AttributeChange;
import io.netfs4j.server.Capabilities;
import io.netfs4j.server.Capability;
import io.netfs4j.server.EntrySink;
import io.netfs4j.server.FileType;
import io.netfs4j.server.OpenedFile;
import io.netfs4j.server.PathSource;
import io.netfs4j.server.RemotePath;
import io.netfs4j.server.RenameMode;
import io.netfs4j.server.Server;
import io.netfs4j.server.ServerAttributes;
import io.netfs4j.server.ServerFileSystemStatistics;

import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.file.DirectoryIteratorException;
import java.nio.file.DirectoryStream;
import java.nio.file.FileStore;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.OpenOption;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.FileAttribute;
import java.nio.file.attribute.PosixFilePermissions;
import java.nio.file.attribute.UserDefinedFileAttributeView;
import java.util.EnumSet;
import java.util.HashSet;
import java.util.List;
import java.util.Set;

/**
 * A directory of this machine as a remote store. What it can do is what the JDK can ask of Linux:
 * there is no exchanging rename (EINVAL), and of extended attributes only "user." ones.
 *
 * <p>Rename without replacing: a file gets its new name as a second link and then loses the old
 * one, which is atomic as to the new name (a crash in between leaves both); a directory is checked
 * for and then renamed, and if somebody else makes the target in between, rename(2) itself refuses
 * unless that is an empty directory.
 */
public final class LocalServer implements Server {
    private static final String USER_PREFIX = "user.";

    /** As Linux: XATTR_SIZE_MAX. */
    private static final int XATTR_BYTES_MAX = 1 << 16;

    private final LocalPaths paths;
    private final LocalThreads threads;
    private final Capabilities capabilities;

    /** Written once, by the closer. */
    private volatile boolean closed;

    /**
     * @param root an existing directory, as a real path
     */
    LocalServer(Path root, Environment environment) throws FsException {
        paths = new LocalPaths(root);
        threads = new LocalThreads(environment);
        EnumSet<Capability> set = EnumSet.allOf(Capability.class);
        set.remove(Capability.RENAME_EXCHANGE);
        // Its times tell versions apart.
        set.remove(Capability.NAMED_LOCKS);
        FileStore store = LocalErrors.named(root, () -> Files.getFileStore(root));
        if (!store.supportsFileAttributeView(UserDefinedFileAttributeView.class)) {
            set.remove(Capability.XATTRS);
        }
        capabilities = new Capabilities(set, 1, 1, Names.NAME_BYTES_MAX);
    }

    LocalPaths paths() {
        return paths;
    }

    LocalThreads threads() {
        return threads;
    }

    void requireOpen() throws FsException {
        if (closed) {
            throw new FsException(FsError.ENOTCONN, paths.root() + ": closed");
        }
    }

    /** A failure that nobody waits for: of giving a handle back. */
    void report(FsException e) {
        System.getLogger(LocalServer.class.getName()).log(System.Logger.Level.WARNING, e);
    }

    @Override
    public Capabilities capabilities() {
        return capabilities;
    }

    @Override
    public ServerAttributes stat(RemotePath path) throws FsException {
        return LocalAttributes.read(resolve(path));
    }

    @Override
    public void list(RemotePath directory, EntrySink sink) throws FsException {
        Path path = resolveDirectory(directory);
        try (DirectoryStream<Path> entries = Files.newDirectoryStream(path)) {
            for (Path entry : entries) {
                give(entry, sink);
            }
        } catch (DirectoryIteratorException e) {
            throw LocalErrors.of(java.util.Objects.requireNonNull(e.getCause()), path);
        } catch (IOException e) {
            throw LocalErrors.of(e, path);
        }
    }

    private static void give(Path entry, EntrySink sink) throws FsException {
        ServerAttributes attributes;
        try {
            attributes = LocalAttributes.read(entry);
        } catch (FsException e) {
            if (e.error() == FsError.ENOENT) {
                return; // Removed since it was listed.
            }
            throw e;
        }
        sink.entry(LocalPaths.nameOf(entry), attributes.type(), attributes);
    }

    @Override
    public OpenedFile open(PathSource source, Access access) throws FsException {
        Path path = resolve(source.path());
        requireRegular(path);
        Set<OpenOption> options = new HashSet<>(Set.of(LinkOption.NOFOLLOW_LINKS));
        if (access.reads()) {
            options.add(StandardOpenOption.READ);
        }
        if (access.writes()) {
            options.add(StandardOpenOption.WRITE);
        }
        FileChannel channel = LocalErrors.named(path, () -> FileChannel.open(path, options));
        return opened(channel, path, source, access);
    }

    @Override
    public OpenedFile create(PathSource source, int mode) throws FsException {
        Path path = resolve(source.path());
        Set<OpenOption> options =
                Set.of(
                        StandardOpenOption.CREATE_NEW,
                        StandardOpenOption.READ,
                        StandardOpenOption.WRITE,
                        LinkOption.NOFOLLOW_LINKS);
        FileChannel channel =
                LocalErrors.named(path, () -> FileChannel.open(path, options, permissions(mode)));
        return opened(channel, path, source, Access.READ_WRITE);
    }

    private OpenedFile opened(FileChannel channel, Path path, PathSource source, Access access)
            throws FsException {
        LocalFile file;
        try {
            file = new LocalFile(this, channel, path, source, access);
        } catch (FsException e) {
            LocalErrors.named(
                    path,
                    () -> {
                        channel.close();
                        return true;
                    });
            throw e;
        }
        return new OpenedFile(file, file.seen());
    }

    @Override
    public ServerAttributes makeDirectory(RemotePath path, int mode) throws FsException {
        Path made = resolve(path);
        LocalErrors.named(made, () -> Files.createDirectory(made, permissions(mode)));
        return LocalAttributes.read(made);
    }

    @Override
    public void remove(RemotePath path) throws FsException {
        Path gone = resolve(path);
        if (LocalAttributes.read(gone).type() == FileType.DIRECTORY) {
            throw error(FsError.EISDIR, gone);
        }
        delete(gone);
    }

    @Override
    public void removeDirectory(RemotePath path) throws FsException {
        Path gone = resolveDirectory(path);
        if (path.isRoot()) {
            throw error(FsError.EBUSY, gone);
        }
        delete(gone);
    }

    private static void delete(Path gone) throws FsException {
        LocalErrors.named(
                gone,
                () -> {
                    Files.delete(gone);
                    return true;
                });
    }

    @Override
    public void rename(RemotePath from, RemotePath to, RenameMode mode) throws FsException {
        Path source = resolve(from);
        Path target = resolve(to);
        boolean directory = LocalAttributes.read(source).type() == FileType.DIRECTORY;
        if (from.isRoot() || to.isRoot()) {
            throw error(FsError.EBUSY, paths.root());
        }
        if (target.startsWith(source) && !target.equals(source)) {
            throw new FsException(FsError.EINVAL, target + ": inside of what is to be moved");
        }
        boolean exists = Files.exists(target, LinkOption.NOFOLLOW_LINKS);
        switch (mode) {
            case EXCHANGE ->
                    throw new FsException(
                            FsError.EINVAL, "the JDK cannot exchange two names: " + source);
            case NOREPLACE -> {
                if (exists) {
                    throw error(FsError.EEXIST, target);
                }
                if (directory) {
                    move(source, target);
                } else {
                    LocalErrors.named(target, () -> Files.createLink(target, source));
                    delete(source);
                }
            }
            case REPLACE -> {
                if (exists) {
                    requireReplaceable(target, directory);
                }
                move(source, target);
            }
        }
    }

    /** rename(2) refuses the same, but the JDK tells of it in words only. */
    private static void requireReplaceable(Path target, boolean byDirectory) throws FsException {
        boolean isDirectory = Files.isDirectory(target, LinkOption.NOFOLLOW_LINKS);
        if (isDirectory != byDirectory) {
            throw error(isDirectory ? FsError.EISDIR : FsError.ENOTDIR, target);
        }
    }

    private static void move(Path source, Path target) throws FsException {
        LocalErrors.named(target, () -> Files.move(source, target, StandardCopyOption.ATOMIC_MOVE));
    }

    @Override
    public ServerAttributes setAttributes(RemotePath path, AttributeChange change)
            throws FsException {
        Long size = change.sizeBytes();
        if (size != null) {
            OpenedFile file = open(() -> path, Access.WRITE);
            try {
                file.file().setAttributes(AttributeChange.size(size));
            } finally {
                file.file().close();
            }
        }
        Path changed = resolve(path);
        LocalAttributes.apply(changed, change.withoutSize());
        return LocalAttributes.read(changed);
    }

    @Override
    public ServerAttributes makeSymlink(RemotePath path, String target) throws FsException {
        Path link = resolve(path);
        Path stored = LocalPaths.target(target);
        LocalErrors.named(link, () -> Files.createSymbolicLink(link, stored));
        return LocalAttributes.read(link);
    }

    @Override
    public String readSymlink(RemotePath path) throws FsException {
        Path link = resolve(path);
        return LocalPaths.targetOf(LocalErrors.named(link, () -> Files.readSymbolicLink(link)));
    }

    @Override
    public ServerAttributes link(RemotePath existing, RemotePath path) throws FsException {
        Path from = resolve(existing);
        Path link = resolve(path);
        if (LocalAttributes.read(from).type() == FileType.DIRECTORY) {
            throw error(FsError.EPERM, from);
        }
        LocalErrors.named(link, () -> Files.createLink(link, from));
        return LocalAttributes.read(link);
    }

    @Override
    public ServerFileSystemStatistics statistics(RemotePath path) throws FsException {
        Path of = resolve(path);
        return LocalErrors.named(
                of,
                () -> {
                    FileStore store = Files.getFileStore(of);
                    long block = store.getBlockSize();
                    return new ServerFileSystemStatistics(
                            block,
                            store.getTotalSpace() / block,
                            store.getUnallocatedSpace() / block,
                            store.getUsableSpace() / block,
                            0,
                            0,
                            Names.NAME_BYTES_MAX);
                });
    }

    @Override
    public byte[] getXattr(RemotePath path, String name) throws FsException {
        Path of = resolve(path);
        UserDefinedFileAttributeView view = xattrs(of);
        String own = existingXattr(of, view, name);
        return LocalErrors.named(
                of,
                () -> {
                    java.nio.ByteBuffer value = java.nio.ByteBuffer.allocate(view.size(own));
                    view.read(own, value);
                    return java.util.Arrays.copyOf(value.array(), value.position());
                });
    }

    @Override
    public void setXattr(RemotePath path, String name, byte[] value, XattrMode mode)
            throws FsException {
        Path of = resolve(path);
        UserDefinedFileAttributeView view = xattrs(of);
        String own = ownName(of, name);
        if (value.length > XATTR_BYTES_MAX) {
            throw error(FsError.E2BIG, of);
        }
        if (mode != XattrMode.ANY) {
            boolean exists = LocalErrors.named(of, view::list).contains(own);
            if (exists && mode == XattrMode.CREATE) {
                throw error(FsError.EEXIST, of);
            }
            if (!exists && mode == XattrMode.REPLACE) {
                throw error(FsError.ENODATA, of);
            }
        }
        LocalErrors.named(of, () -> view.write(own, java.nio.ByteBuffer.wrap(value)));
    }

    @Override
    public List<String> listXattrs(RemotePath path) throws FsException {
        Path of = resolve(path);
        UserDefinedFileAttributeView view = xattrs(of);
        return LocalErrors.named(of, view::list).stream().map(n -> USER_PREFIX + n).toList();
    }

    @Override
    public void removeXattr(RemotePath path, String name) throws FsException {
        Path of = resolve(path);
        UserDefinedFileAttributeView view = xattrs(of);
        String own = existingXattr(of, view, name);
        LocalErrors.named(
                of,
                () -> {
                    view.delete(own);
                    return true;
                });
    }

    /** The JDK says only in words that there is no such attribute; so it is looked for first. */
    private static String existingXattr(Path of, UserDefinedFileAttributeView view, String name)
            throws FsException {
        String own = ownName(of, name);
        if (!LocalErrors.named(of, view::list).contains(own)) {
            throw error(FsError.ENODATA, of);
        }
        return own;
    }

    private static String ownName(Path of, String name) throws FsException {
        if (!name.startsWith(USER_PREFIX)) {
            throw new FsException(FsError.ENOTSUP, of + ": only \"user.\" attributes: " + name);
        }
        return name.substring(USER_PREFIX.length());
    }

    private UserDefinedFileAttributeView xattrs(Path of) throws FsException {
        if (!capabilities.has(Capability.XATTRS)) {
            throw error(FsError.ENOTSUP, of);
        }
        LocalAttributes.read(of);
        return Files.getFileAttributeView(
                of, UserDefinedFileAttributeView.class, LinkOption.NOFOLLOW_LINKS);
    }

    @Override
    public void close() {
        closed = true;
    }

    private Path resolve(RemotePath path) throws FsException {
        requireOpen();
        return paths.resolve(path);
    }

    private Path resolveDirectory(RemotePath path) throws FsException {
        Path resolved = resolve(path);
        if (LocalAttributes.read(resolved).type() != FileType.DIRECTORY) {
            throw error(FsError.ENOTDIR, resolved);
        }
        return resolved;
    }

    /** Opening a pipe or a device would wait or do things. */
    private static void requireRegular(Path path) throws FsException {
        switch (LocalAttributes.read(path).type()) {
            case REGULAR -> {}
            case DIRECTORY -> throw error(FsError.EISDIR, path);
            case SYMLINK -> throw error(FsError.ELOOP, path);
            case OTHER -> throw error(FsError.ENXIO, path);
        }
    }

    /** The process's umask still applies, as on any server. */
    private static FileAttribute<?> permissions(int mode) {
        StringBuilder text = new StringBuilder("rwxrwxrwx");
        for (int bit = 0; bit < 9; bit++) {
            if ((mode & (0400 >> bit)) == 0) {
                text.setCharAt(bit, '-');
            }
        }
        return PosixFilePermissions.asFileAttribute(
                PosixFilePermissions.fromString(text.toString()));
    }

    private static FsException error(FsError error, Path path) {
        return new FsException(error, path + ": " + error.words());
    }
}
