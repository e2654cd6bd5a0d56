// SPDX-License-Identifier: Apache-2.0
package io.netfs4j.testing.sim;

import io.netfs4j.base.Completion;
import io.netfs4j.base.Environment;
import io.netfs4j.base.FsError;
import io.netfs4j.base.FsException;
import io.netfs4j.base.Waits;
import io.netfs4j.server.Access;
import io.netfs4j.server.AttributeChange;
import io.netfs4j.server.FileType;
import io.netfs4j.server.RemotePath;
import io.netfs4j.server.RenameMode;
import io.netfs4j.server.Server;
import io.netfs4j.server.ServerAttributes;
import io.netfs4j.server.ServerFile;
import io.netfs4j.server.ServerFileSystemStatistics;
import io.netfs4j.server.WriteSession;
import io.netfs4j.testing.Transfers;
import io.netfs4j.vfs.AllocateMode;
import io.netfs4j.vfs.Attributes;
import io.netfs4j.vfs.CreatedFile;
import io.netfs4j.vfs.DirectorySink;
import io.netfs4j.vfs.Entry;
import io.netfs4j.vfs.KernelCache;
import io.netfs4j.vfs.OpenDirectory;
import io.netfs4j.vfs.OpenFile;
import io.netfs4j.vfs.OpenFlags;
import io.netfs4j.vfs.PinnedBytes;
import io.netfs4j.vfs.Vfs;

import org.jspecify.annotations.Nullable;

import java.nio.ByteBuffer;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * A file system without a cache, one call of the server per call: too simple to be wrong, so that
 * what the simulator finds in it is wrong in the simulator; and with a planted bug, to show that
 * the simulator finds that.
 */
class PlainVfs implements Vfs {
    /** Bugs to plant. */
    enum Bug {
        NONE,
        DROPS_A_WRITE,
        SHIFTS_A_WRITE,
        WRITES_LATER,
        SENDS_CLEAN_BYTES,
        FORGETS_TO_CLOSE,
        SWALLOWS_ERRORS,
        READS_STALE
    }

    private final Server server;
    private final Environment environment;
    private final Transfers transfers;
    private final Bug bug;
    private final Map<Long, Node> nodes = new HashMap<>();
    private final Node root = new Node(ROOT_INO, null, "");
    private long made = ROOT_INO;
    private int writes;
    long opens;

    PlainVfs(Environment environment, Server server, Bug bug) {
        this.environment = environment;
        this.server = server;
        this.bug = bug;
        transfers = new Transfers(uninterruptible(environment.waits()), this::pause);
        nodes.put(ROOT_INO, root);
    }

    private void pause() {
        Completion<Boolean> over = new Completion<>();
        environment.scheduler().schedule(() -> over.complete(true), 1_000_000_000L);
        try {
            environment.waits().awaitUninterruptibly(over);
        } catch (FsException e) {
            throw new AssertionError(e);
        }
    }

    private static Waits uninterruptible(Waits waits) {
        return new Waits() {
            @Override
            public <T extends @Nullable Object> T await(Completion<T> completion)
                    throws FsException {
                return waits.awaitUninterruptibly(completion);
            }

            @Override
            public <T extends @Nullable Object> T awaitUninterruptibly(Completion<T> completion)
                    throws FsException {
                return waits.awaitUninterruptibly(completion);
            }
        };
    }

    private static final class Node {
        final long ino;
        @Nullable Node parent;
        String name;
        final Map<String, Node> children = new HashMap<>();
        @Nullable ServerFile file;
        int opens;
        int errors;
        boolean lastErrorWasHeard = true;
        FsError lastError = FsError.EIO;
        boolean locked;
        final ArrayDeque<Completion<Boolean>> queue = new ArrayDeque<>();

        Node(long ino, @Nullable Node parent, String name) {
            this.ino = ino;
            this.parent = parent;
            this.name = name;
        }

        void failed(FsException e) {
            errors++;
            lastErrorWasHeard = false;
            lastError = e.error();
        }

        RemotePath path() {
            return parent == null ? RemotePath.ROOT : parent.path().child(name);
        }
    }

    private static final class Open implements OpenFile {
        final Node node;
        final OpenFlags flags;
        int heard;

        Open(Node node, OpenFlags flags) {
            this.node = node;
            this.flags = flags;
            heard = node.lastErrorWasHeard ? node.errors : node.errors - 1;
        }

        @Override
        public long ino() {
            return node.ino;
        }

        @Override
        public OpenFlags flags() {
            return flags;
        }

        @Override
        public boolean keepsKernelCache() {
            return false;
        }
    }

    private record OpenDir(long ino, List<Row> rows) implements OpenDirectory {}

    private record Row(String name, FileType type) {}

    private void lock(Node node) throws FsException {
        while (node.locked) {
            Completion<Boolean> turn = new Completion<>();
            node.queue.add(turn);
            environment.waits().awaitUninterruptibly(turn);
        }
        node.locked = true;
    }

    private static void unlock(Node node) {
        node.locked = false;
        Completion<Boolean> next = node.queue.poll();
        if (next != null) {
            next.complete(true);
        }
    }

    private Node node(long ino) {
        return java.util.Objects.requireNonNull(nodes.get(ino));
    }

    private Node child(Node parent, String name) {
        return parent.children.computeIfAbsent(
                name,
                n -> {
                    Node node = new Node(++made, parent, n);
                    nodes.put(node.ino, node);
                    return node;
                });
    }

    private static Attributes attributes(Node node, ServerAttributes a) {
        return new Attributes(
                node.ino,
                a.type(),
                a.sizeBytes(),
                a.mode(),
                a.uid(),
                a.gid(),
                a.links(),
                a.accessed(),
                a.modified(),
                a.changed());
    }

    private Entry entry(long parent, String name, ServerAttributes a) {
        Node node = child(node(parent), name);
        return new Entry(attributes(node, a), 1, 0, 0);
    }

    @Override
    public Entry lookup(long parent, String name) throws FsException {
        try {
            return entry(parent, name, server.stat(node(parent).path().child(name)));
        } catch (FsException e) {
            if (e.error() == FsError.ENOENT) {
                return new Entry(null, 0, 0, 0);
            }
            throw e;
        }
    }

    @Override
    public @Nullable Entry tryLookup(long parent, String name) {
        return null;
    }

    @Override
    public void forget(long ino, long count) {}

    @Override
    public Attributes getAttributes(long ino) throws FsException {
        Node node = node(ino);
        ServerFile file = node.file;
        return attributes(node, file == null ? server.stat(node.path()) : file.attributes());
    }

    @Override
    public @Nullable Attributes tryGetAttributes(long ino) {
        return null;
    }

    @Override
    public long attributesValidNanos(long ino) {
        return 0;
    }

    @Override
    public Attributes setAttributes(long ino, AttributeChange change, @Nullable OpenFile file)
            throws FsException {
        Node node = node(ino);
        return attributes(
                node,
                node.file == null
                        ? server.setAttributes(node.path(), change)
                        : node.file.setAttributes(change));
    }

    @Override
    public CreatedFile create(long parent, String name, int mode, OpenFlags flags)
            throws FsException {
        Entry found = lookup(parent, name);
        if (found.attributes() != null) {
            if (flags.exclusive()) {
                throw new FsException(FsError.EEXIST);
            }
            return new CreatedFile(found, open(found.attributes().ino(), flags));
        }
        RemotePath path = node(parent).path().child(name);
        var made = server.create(() -> path, mode);
        made.file().close();
        Entry entry = entry(parent, name, made.attributes());
        return new CreatedFile(entry, open(entry.attributes().ino(), flags));
    }

    @Override
    public OpenFile open(long ino, OpenFlags flags) throws FsException {
        Node node = node(ino);
        lock(node);
        try {
            if (node.file == null) {
                node.file = server.open(node::path, Access.READ_WRITE).file();
                opens++;
            }
            if (flags.truncate()) {
                node.file.setAttributes(AttributeChange.size(0));
            }
            node.opens++;
            return new Open(node, flags);
        } catch (FsException e) {
            if (node.opens == 0 && node.file != null) {
                closeFile(node);
            }
            throw e;
        } finally {
            unlock(node);
        }
    }

    private void closeFile(Node node) {
        java.util.Objects.requireNonNull(node.file).close();
        node.file = null;
        opens--;
    }

    @Override
    public int read(OpenFile file, long position, ByteBuffer target) throws FsException {
        Node node = ((Open) file).node;
        ServerFile from = java.util.Objects.requireNonNull(node.file);
        byte[] got = transfers.get(from, position, target.remaining());
        if (bug == Bug.READS_STALE && got.length > 100 && position % 16 == 7) {
            got[50]++;
        }
        target.put(got);
        return got.length;
    }

    @Override
    public @Nullable PinnedBytes tryRead(OpenFile file, long position, int count) {
        return null;
    }

    @Override
    public int write(OpenFile file, long position, ByteBuffer source) throws FsException {
        Open open = (Open) file;
        Node node = open.node;
        byte[] bytes = new byte[source.remaining()];
        source.get(bytes);
        lock(node);
        try {
            ServerFile to = java.util.Objects.requireNonNull(node.file);
            long at = open.flags.append() ? to.attributes().sizeBytes() : position;
            writes++;
            if (writes % 20 == 19 && bug == Bug.DROPS_A_WRITE && at > 0) {
                return bytes.length;
            }
            if (writes % 20 == 19 && bug == Bug.SHIFTS_A_WRITE && bytes.length > 10) {
                bytes[3]++;
            }
            if (bug == Bug.SENDS_CLEAN_BYTES && at > 0 && writes % 20 == 19) {
                byte[] before = transfers.get(to, at - 1, 1);
                if (before.length == 1) {
                    put(node, to, at - 1, before);
                }
            }
            if (writes % 10 == 9 && bug == Bug.WRITES_LATER) {
                environment.scheduler().fork("later", () -> putLater(node, to, at, bytes));
                return bytes.length;
            }
            put(node, to, at, bytes);
            return bytes.length;
        } finally {
            unlock(node);
        }
    }

    private void putLater(Node node, ServerFile to, long at, byte[] bytes) {
        pause();
        try {
            lock(node);
            put(node, to, at, bytes);
            unlock(node);
        } catch (FsException e) {
            node.failed(e);
        }
    }

    private void put(Node node, ServerFile to, long at, byte[] bytes) throws FsException {
        var session = to.begin(null);
        try {
            transfers.put(session, at, bytes);
        } catch (FsException e) {
            node.failed(e);
            session.abort();
            throw e;
        }
        try {
            commit(session, to);
        } catch (FsException e) {
            node.failed(e);
            throw e;
        }
    }

    /** What was sent over a connection that is lost is there: another session commits it. */
    private void commit(WriteSession sent, ServerFile to) throws FsException {
        WriteSession session = sent;
        while (true) {
            try {
                transfers.commit(session);
                return;
            } catch (FsException e) {
                if (e.error() != FsError.ENOTCONN) {
                    throw e;
                }
                session = to.begin(null);
            }
        }
    }

    @Override
    public void barrier(OpenFile file) {
        // Everything is on the server at once.
    }

    @Override
    public boolean tryWrite(OpenFile file, long position, ByteBuffer source) {
        return false;
    }

    @Override
    public void flush(OpenFile file) {}

    @Override
    public void fsync(OpenFile file, boolean dataOnly) throws FsException {
        Open open = (Open) file;
        if (open.heard < open.node.errors && bug != Bug.SWALLOWS_ERRORS) {
            open.heard = open.node.errors;
            open.node.lastErrorWasHeard = true;
            throw new FsException(open.node.lastError);
        }
        try {
            transfers.sync(java.util.Objects.requireNonNull(open.node.file));
        } catch (FsException e) {
            open.node.failed(e);
            open.node.lastErrorWasHeard = true;
            open.heard = open.node.errors;
            throw e;
        }
    }

    @Override
    public void release(OpenFile file) {
        Node node = ((Open) file).node;
        if (--node.opens == 0 && bug != Bug.FORGETS_TO_CLOSE) {
            closeFile(node);
        }
    }

    @Override
    public void fsyncDirectory(long ino) {}

    @Override
    public OpenDirectory openDirectory(long ino) throws FsException {
        List<Row> rows = new ArrayList<>();
        rows.add(new Row(".", FileType.DIRECTORY));
        rows.add(new Row("..", FileType.DIRECTORY));
        server.list(node(ino).path(), (n, t, a) -> rows.add(new Row(n, t)));
        return new OpenDir(ino, rows);
    }

    @Override
    public void readDirectory(
            OpenDirectory directory, long cookie, boolean plus, DirectorySink sink) {
        List<Row> rows = ((OpenDir) directory).rows();
        for (int i = (int) cookie; i < rows.size(); i++) {
            if (!sink.entry(rows.get(i).name(), 9, rows.get(i).type(), i + 1, null)) {
                return;
            }
        }
    }

    @Override
    public void releaseDirectory(OpenDirectory directory) {}

    @Override
    public Entry makeDirectory(long parent, String name, int mode) throws FsException {
        return entry(parent, name, server.makeDirectory(node(parent).path().child(name), mode));
    }

    @Override
    public Entry makeSymlink(long parent, String name, String target) throws FsException {
        throw new FsException(FsError.ENOSYS);
    }

    @Override
    public String readSymlink(long ino) throws FsException {
        throw new FsException(FsError.ENOSYS);
    }

    @Override
    public Entry link(long ino, long parent, String name) throws FsException {
        throw new FsException(FsError.ENOSYS);
    }

    @Override
    public void unlink(long parent, String name) throws FsException {
        server.remove(node(parent).path().child(name));
        node(parent).children.remove(name);
    }

    @Override
    public void removeDirectory(long parent, String name) throws FsException {
        server.removeDirectory(node(parent).path().child(name));
        node(parent).children.remove(name);
    }

    @Override
    public void rename(long parent, String name, long newParent, String newName, RenameMode mode)
            throws FsException {
        server.rename(node(parent).path().child(name), node(newParent).path().child(newName), mode);
        Node moved = node(parent).children.remove(name);
        if (moved != null) {
            moved.parent = node(newParent);
            moved.name = newName;
            node(newParent).children.put(newName, moved);
        } else {
            node(newParent).children.remove(newName);
        }
    }

    @Override
    public ServerFileSystemStatistics statistics() throws FsException {
        return server.statistics(RemotePath.ROOT);
    }

    @Override
    public byte[] getXattr(long ino, String name) throws FsException {
        throw new FsException(FsError.ENOSYS);
    }

    @Override
    public void setXattr(long ino, String name, byte[] value, Server.XattrMode mode)
            throws FsException {
        throw new FsException(FsError.ENOSYS);
    }

    @Override
    public List<String> listXattrs(long ino) throws FsException {
        throw new FsException(FsError.ENOSYS);
    }

    @Override
    public void removeXattr(long ino, String name) throws FsException {
        throw new FsException(FsError.ENOSYS);
    }

    @Override
    public void allocate(OpenFile file, AllocateMode mode, long position, long length)
            throws FsException {
        throw new FsException(FsError.ENOSYS);
    }

    @Override
    public long seekData(OpenFile file, long position) throws FsException {
        throw new FsException(FsError.ENOSYS);
    }

    @Override
    public long seekHole(OpenFile file, long position) throws FsException {
        throw new FsException(FsError.ENOSYS);
    }

    @Override
    public long copyRange(OpenFile source, long from, OpenFile target, long to, long count)
            throws FsException {
        throw new FsException(FsError.ENOSYS);
    }

    @Override
    public void setKernelCache(KernelCache cache) {}
}
