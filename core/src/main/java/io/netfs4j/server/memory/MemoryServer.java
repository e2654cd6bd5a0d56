// SPDX-License-Identifier: Apache-2.0
package io.netfs4j.server.memory;

import io.netfs4j.base.Clock;
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

import org.jspecify.annotations.Nullable;

import java.time.Instant;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.List;
import java.util.Map;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.BooleanSupplier;

/**
 * A store in this process that can do everything the SPI knows: the reference back end.
 *
 * <p><b>Limits</b>: content up to a capacity in bytes, counted in chunks of 16 KiB; past it writes
 * fail with ENOSPC.
 */
public final class MemoryServer implements Server {
    /** Enough to try things, little enough not to hurt. */
    public static final long CAPACITY_BYTES_DEFAULT = 1L << 30;

    /** As Linux: XATTR_SIZE_MAX. */
    private static final int XATTR_BYTES_MAX = 1 << 16;

    /** Bounds what one file's extended attributes can hold. */
    private static final int XATTRS_MAX = 256;

    private static final Capabilities CAPABILITIES =
            new Capabilities(
                    EnumSet.complementOf(EnumSet.of(Capability.NAMED_LOCKS)),
                    1,
                    1,
                    Names.NAME_BYTES_MAX);

    private final Clock clock;
    private final MemorySpace space;
    private final ReentrantLock lock = new ReentrantLock();

    // All below is guarded by the lock.
    private final MemoryNode root;
    private long nodesMade;
    private boolean closed;

    public MemoryServer(Clock clock) {
        this(clock, CAPACITY_BYTES_DEFAULT);
    }

    /** Makes an empty store of at most {@code capacityBytes} bytes of content. */
    public MemoryServer(Clock clock, long capacityBytes) {
        this.clock = clock;
        space = new MemorySpace(capacityBytes);
        root = new MemoryNode(FileType.DIRECTORY, ++nodesMade, 0777, "", space, clock.now());
        root.links = 2;
    }

    /** An action under the store's lock. */
    @FunctionalInterface
    interface Action<T> {
        T run() throws FsException;
    }

    <T> T locked(Action<T> action) throws FsException {
        lock.lock();
        try {
            if (closed) {
                throw new FsException(FsError.ENOTCONN, "the memory store is closed");
            }
            return action.run();
        } finally {
            lock.unlock();
        }
    }

    Instant now() {
        return clock.now();
    }

    @Override
    public Capabilities capabilities() {
        return CAPABILITIES;
    }

    @Override
    public ServerAttributes stat(RemotePath path) throws FsException {
        return locked(() -> node(path).attributes());
    }

    @Override
    public void list(RemotePath directory, EntrySink sink) throws FsException {
        record Row(String name, ServerAttributes attributes) {}
        List<Row> rows =
                locked(() -> {
                    List<Row> all = new ArrayList<>();
                    for (Map.Entry<String, MemoryNode> e :
                            directory(directory).children.entrySet()) {
                        all.add(new Row(e.getKey(), e.getValue().attributes()));
                    }
                    return all;
                });
        for (Row row : rows) {
            sink.entry(row.name, row.attributes.type(), row.attributes);
        }
    }

    @Override
    public OpenedFile open(PathSource source, Access access) throws FsException {
        RemotePath path = source.path();
        return locked(() -> {
            MemoryNode node = node(path);
            switch (node.type) {
                case REGULAR -> {}
                case DIRECTORY -> throw error(FsError.EISDIR, path);
                case SYMLINK -> throw error(FsError.ELOOP, path);
                case OTHER -> throw error(FsError.ENXIO, path);
            }
            return opened(node, access);
        });
    }

    @Override
    public OpenedFile create(PathSource source, int mode) throws FsException {
        RemotePath path = source.path();
        return locked(() -> opened(add(path, FileType.REGULAR, mode, ""), Access.READ_WRITE));
    }

    private OpenedFile opened(MemoryNode node, Access access) {
        node.opens++;
        return new OpenedFile(new MemoryFile(this, node, access), node.attributes());
    }

    /** Gives back one open file, when {@code isFirst} says under the lock that it still counts. */
    void closeFile(MemoryNode node, BooleanSupplier isFirst) {
        lock.lock();
        try {
            if (isFirst.getAsBoolean()) {
                node.opens--;
                freeIfGone(node);
            }
        } finally {
            lock.unlock();
        }
    }

    @Override
    public ServerAttributes makeDirectory(RemotePath path, int mode) throws FsException {
        return locked(() -> add(path, FileType.DIRECTORY, mode, "").attributes());
    }

    @Override
    public ServerAttributes makeSymlink(RemotePath path, String target) throws FsException {
        return locked(() -> add(path, FileType.SYMLINK, 0777, target).attributes());
    }

    @Override
    public String readSymlink(RemotePath path) throws FsException {
        return locked(() -> {
            MemoryNode node = node(path);
            if (node.type != FileType.SYMLINK) {
                throw error(FsError.EINVAL, path);
            }
            return node.target;
        });
    }

    @Override
    public ServerAttributes link(RemotePath existing, RemotePath path) throws FsException {
        return locked(() -> {
            MemoryNode node = node(existing);
            if (node.isDirectory()) {
                throw error(FsError.EPERM, existing);
            }
            MemoryNode parent = directory(path.parent());
            requireFree(parent, path);
            parent.children.put(path.name(), node);
            node.links++;
            node.nameChanged(now());
            parent.contentChanged(now());
            return node.attributes();
        });
    }

    @Override
    public void remove(RemotePath path) throws FsException {
        locked(() -> {
            MemoryNode node = node(path);
            if (node.isDirectory()) {
                throw error(FsError.EISDIR, path);
            }
            detach(path, node);
            return true;
        });
    }

    @Override
    public void removeDirectory(RemotePath path) throws FsException {
        locked(() -> {
            MemoryNode node = directory(path);
            if (path.isRoot()) {
                throw error(FsError.EBUSY, path);
            }
            if (!node.children.isEmpty()) {
                throw error(FsError.ENOTEMPTY, path);
            }
            detach(path, node);
            return true;
        });
    }

    @Override
    public void rename(RemotePath from, RemotePath to, RenameMode mode) throws FsException {
        locked(() -> {
            MemoryNode moved = node(from);
            MemoryNode toParent = directory(to.parent());
            MemoryNode target = toParent.children.get(to.name());
            if (from.isRoot() || to.isRoot()) {
                throw error(FsError.EBUSY, RemotePath.ROOT);
            }
            if (isBelow(from, to) || (mode == RenameMode.EXCHANGE && isBelow(to, from))) {
                throw new FsException(FsError.EINVAL, to + ": inside of what is to be moved");
            }
            switch (mode) {
                case REPLACE -> {
                    if (moved != target) {
                        replace(moved, target, from, to);
                    }
                }
                case NOREPLACE -> {
                    requireFree(toParent, to);
                    move(moved, from, to);
                }
                case EXCHANGE -> exchange(moved, target, from, to);
            }
            return true;
        });
    }

    private void replace(
            MemoryNode moved, @Nullable MemoryNode target, RemotePath from, RemotePath to)
            throws FsException {
        if (target != null) {
            if (target.isDirectory() != moved.isDirectory()) {
                throw error(target.isDirectory() ? FsError.EISDIR : FsError.ENOTDIR, to);
            }
            if (!target.children.isEmpty()) {
                throw error(FsError.ENOTEMPTY, to);
            }
            detach(to, target);
        }
        move(moved, from, to);
    }

    private void move(MemoryNode moved, RemotePath from, RemotePath to) throws FsException {
        MemoryNode fromParent = directory(from.parent());
        MemoryNode toParent = directory(to.parent());
        fromParent.children.remove(from.name());
        toParent.children.put(to.name(), moved);
        if (moved.isDirectory()) {
            fromParent.links--;
            toParent.links++;
        }
        fromParent.contentChanged(now());
        toParent.contentChanged(now());
        moved.nameChanged(now());
    }

    private void exchange(
            MemoryNode one, @Nullable MemoryNode other, RemotePath from, RemotePath to)
            throws FsException {
        if (other == null) {
            throw error(FsError.ENOENT, to);
        }
        MemoryNode fromParent = directory(from.parent());
        MemoryNode toParent = directory(to.parent());
        fromParent.children.put(from.name(), other);
        toParent.children.put(to.name(), one);
        int shift = (one.isDirectory() ? 1 : 0) - (other.isDirectory() ? 1 : 0);
        fromParent.links -= shift;
        toParent.links += shift;
        fromParent.contentChanged(now());
        toParent.contentChanged(now());
        one.nameChanged(now());
        other.nameChanged(now());
    }

    @Override
    public ServerAttributes setAttributes(RemotePath path, AttributeChange change)
            throws FsException {
        return locked(() -> {
            MemoryNode node = node(path);
            node.apply(change, now());
            return node.attributes();
        });
    }

    @Override
    public ServerFileSystemStatistics statistics(RemotePath path) throws FsException {
        return locked(() -> {
            node(path);
            long free = space.max() - space.used();
            return new ServerFileSystemStatistics(
                    MemoryContent.CHUNK_BYTES, space.max(), free, free, 0, 0, Names.NAME_BYTES_MAX);
        });
    }

    @Override
    public byte[] getXattr(RemotePath path, String name) throws FsException {
        return locked(() -> {
            byte[] value = node(path).xattrs.get(name);
            if (value == null) {
                throw error(FsError.ENODATA, path);
            }
            return value.clone();
        });
    }

    @Override
    public void setXattr(RemotePath path, String name, byte[] value, XattrMode mode)
            throws FsException {
        locked(() -> {
            MemoryNode node = node(path);
            boolean exists = node.xattrs.containsKey(name);
            if (mode == XattrMode.CREATE && exists) {
                throw error(FsError.EEXIST, path);
            }
            if (mode == XattrMode.REPLACE && !exists) {
                throw error(FsError.ENODATA, path);
            }
            if (value.length > XATTR_BYTES_MAX) {
                throw error(FsError.E2BIG, path);
            }
            if (!exists && node.xattrs.size() >= XATTRS_MAX) {
                throw error(FsError.ENOSPC, path);
            }
            node.xattrs.put(name, value.clone());
            node.nameChanged(now());
            return true;
        });
    }

    @Override
    public List<String> listXattrs(RemotePath path) throws FsException {
        return locked(() -> List.copyOf(node(path).xattrs.keySet()));
    }

    @Override
    public void removeXattr(RemotePath path, String name) throws FsException {
        locked(() -> {
            MemoryNode node = node(path);
            if (node.xattrs.remove(name) == null) {
                throw error(FsError.ENODATA, path);
            }
            node.nameChanged(now());
            return true;
        });
    }

    @Override
    public void close() {
        lock.lock();
        try {
            closed = true;
        } finally {
            lock.unlock();
        }
    }

    private MemoryNode add(RemotePath path, FileType type, int mode, String target)
            throws FsException {
        MemoryNode parent = directory(path.parent());
        requireFree(parent, path);
        Names.check(path.name());
        MemoryNode node =
                new MemoryNode(type, ++nodesMade, mode & 07777, target, space, clock.now());
        parent.children.put(path.name(), node);
        parent.contentChanged(now());
        if (node.isDirectory()) {
            node.links = 2;
            parent.links++;
        }
        return node;
    }

    private void detach(RemotePath path, MemoryNode node) throws FsException {
        MemoryNode parent = directory(path.parent());
        parent.children.remove(path.name());
        parent.contentChanged(now());
        if (node.isDirectory()) {
            parent.links--;
            node.links = 0;
        } else {
            node.links--;
        }
        node.nameChanged(now());
        freeIfGone(node);
    }

    private static void freeIfGone(MemoryNode node) {
        if (node.links == 0 && node.opens == 0) {
            node.content.free();
        }
    }

    private static void requireFree(MemoryNode parent, RemotePath path) throws FsException {
        if (path.isRoot() || parent.children.containsKey(path.name())) {
            throw error(FsError.EEXIST, path);
        }
    }

    private MemoryNode directory(RemotePath path) throws FsException {
        MemoryNode node = node(path);
        if (!node.isDirectory()) {
            throw error(FsError.ENOTDIR, path);
        }
        return node;
    }

    private MemoryNode node(RemotePath path) throws FsException {
        MemoryNode node = root;
        for (String name : path.names()) {
            if (!node.isDirectory()) {
                throw error(FsError.ENOTDIR, path);
            }
            node = node.children.get(name);
            if (node == null) {
                throw error(FsError.ENOENT, path);
            }
        }
        return node;
    }

    private static boolean isBelow(RemotePath above, RemotePath path) {
        int depth = above.names().size();
        return path.names().size() > depth && path.names().subList(0, depth).equals(above.names());
    }

    private static FsException error(FsError error, RemotePath path) {
        return new FsException(error, "/" + path + ": " + error.words());
    }
}
