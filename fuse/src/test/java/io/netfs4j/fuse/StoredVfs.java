// SPDX-License-Identifier: Apache-2.0
package io.netfs4j.fuse;

import io.netfs4j.base.FsError;
import io.netfs4j.base.FsException;
import io.netfs4j.base.Segment;
import io.netfs4j.server.AttributeChange;
import io.netfs4j.server.FileType;
import io.netfs4j.server.RenameMode;
import io.netfs4j.server.Server;
import io.netfs4j.server.ServerFileSystemStatistics;
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
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.locks.ReentrantLock;

/**
 * A file system in memory behind the door: what it does can be foretold, and it misbehaves on
 * request. Attributes are believed for a second, unless {@link #validNanos} says otherwise.
 */
final class StoredVfs implements Vfs {
    /** Reading a file of this name throws something unexpected. */
    static final String EXPLODES = "explodes";

    /** A file of this name is read, and waits until interrupted, or {@link #freed}. */
    static final String HANGS = "hangs";

    private final ReentrantLock lock = new ReentrantLock();
    private final Map<Long, StoredFile> files = new HashMap<>();
    private long lastIno = Vfs.ROOT_INO;

    /** False: every try… method declines, so that each request is handed over. */
    final boolean hits;

    /** Operations by name, as they came. */
    final ConcurrentLinkedQueue<String> calls = new ConcurrentLinkedQueue<>();

    final Map<OpenFile, Boolean> openFiles = new ConcurrentHashMap<>();
    final Map<OpenDirectory, Boolean> openDirectories = new ConcurrentHashMap<>();
    final CountDownLatch hanging = new CountDownLatch(1);
    final CountDownLatch freed = new CountDownLatch(1);
    volatile long readsHangFrom;
    volatile long writesHangFrom = Long.MAX_VALUE;
    volatile long validNanos = 1_000_000_000L;
    volatile boolean keepsKernelCache = true;

    /** Each open finds that the file has changed on the server. */
    volatile boolean changesBeforeOpen;

    volatile KernelCache kernelCache = KernelCache.NONE;

    private record Opened(long ino, OpenFlags flags, boolean keepsKernelCache, String name, int id)
            implements OpenFile {}

    private record OpenedDirectory(long ino, List<String> names, int id) implements OpenDirectory {}

    private int lastId;

    StoredVfs(boolean hits) {
        this.hits = hits;
        StoredFile root = new StoredFile(ROOT_INO, FileType.DIRECTORY, 0755, Instant.now());
        root.lookups = 1;
        files.put(ROOT_INO, root);
    }

    /** How many inodes are known. */
    int inodes() {
        lock.lock();
        try {
            return files.size();
        } finally {
            lock.unlock();
        }
    }

    /** Changes a file behind the kernel's back. */
    void overwrite(String name, byte[] bytes) throws FsException {
        lock.lock();
        try {
            StoredFile file = child(get(ROOT_INO), name);
            file.resize(0);
            file.put(0, ByteBuffer.wrap(bytes));
        } finally {
            lock.unlock();
        }
    }

    private StoredFile get(long ino) throws FsException {
        StoredFile file = files.get(ino);
        if (file == null) {
            throw new FsException(FsError.ESTALE, "inode " + ino);
        }
        return file;
    }

    private static StoredFile child(StoredFile parent, String name) throws FsException {
        StoredFile file = parent.children.get(name);
        if (file == null) {
            throw new FsException(FsError.ENOENT, name);
        }
        return file;
    }

    private Entry entry(@Nullable StoredFile file) {
        if (file == null) {
            return new Entry(null, 0, validNanos, validNanos);
        }
        file.lookups++;
        files.put(file.ino, file);
        return new Entry(file.attributes(), 1, validNanos, validNanos);
    }

    private interface Step<T> {
        T run() throws FsException;
    }

    private <T> T locked(String call, Step<T> step) throws FsException {
        calls.add(call);
        lock.lock();
        try {
            return step.run();
        } finally {
            lock.unlock();
        }
    }

    @Override
    public Entry lookup(long parent, String name) throws FsException {
        return locked("lookup", () -> entry(get(parent).children.get(name)));
    }

    @Override
    public @Nullable Entry tryLookup(long parent, String name) throws FsException {
        return hits ? lookup(parent, name) : null;
    }

    @Override
    public void forget(long ino, long count) {
        lock.lock();
        try {
            StoredFile file = files.get(ino);
            if (file != null && ino != ROOT_INO) {
                file.lookups -= count;
                if (file.lookups < 0) {
                    calls.add("forgotten too often");
                }
                if (file.lookups == 0) {
                    files.remove(ino);
                }
            }
        } finally {
            lock.unlock();
        }
    }

    @Override
    public Attributes getAttributes(long ino) throws FsException {
        return locked("getAttributes", () -> get(ino).attributes());
    }

    @Override
    public @Nullable Attributes tryGetAttributes(long ino) throws FsException {
        return hits ? getAttributes(ino) : null;
    }

    @Override
    public long attributesValidNanos(long ino) {
        return validNanos;
    }

    @Override
    public Attributes setAttributes(long ino, AttributeChange change, @Nullable OpenFile file)
            throws FsException {
        String how = "setAttributes" + (file != null ? " of open" : "");
        return locked(
                how,
                () -> {
                    StoredFile f = get(ino);
                    f.mode = change.mode() != null ? change.mode() : f.mode;
                    f.uid = change.uid() != null ? change.uid() : f.uid;
                    f.gid = change.gid() != null ? change.gid() : f.gid;
                    f.accessed = change.accessed() != null ? change.accessed() : f.accessed;
                    f.modified = change.modified() != null ? change.modified() : f.modified;
                    if (change.sizeBytes() != null) {
                        f.resize(Math.toIntExact(change.sizeBytes()));
                    }
                    f.changed = Instant.now();
                    return f.attributes();
                });
    }

    private StoredFile add(long parent, String name, FileType type, int mode) throws FsException {
        StoredFile directory = get(parent);
        if (directory.children.containsKey(name)) {
            throw new FsException(FsError.EEXIST, name);
        }
        StoredFile file = new StoredFile(++lastIno, type, mode, Instant.now());
        directory.children.put(name, file);
        return file;
    }

    @Override
    public CreatedFile create(long parent, String name, int mode, OpenFlags flags)
            throws FsException {
        return locked(
                "create",
                () -> {
                    StoredFile found = get(parent).children.get(name);
                    if (found != null && flags.exclusive()) {
                        throw new FsException(FsError.EEXIST, name);
                    }
                    StoredFile file =
                            found != null ? found : add(parent, name, FileType.REGULAR, mode);
                    Entry entry = entry(file);
                    return new CreatedFile(entry, opened(file.ino, name, flags));
                });
    }

    private OpenFile opened(long ino, String name, OpenFlags flags) {
        Opened file = new Opened(ino, flags, keepsKernelCache, name, ++lastId);
        openFiles.put(file, true);
        return file;
    }

    @Override
    public OpenFile open(long ino, OpenFlags flags) throws FsException {
        return locked(
                "open",
                () -> {
                    StoredFile file = get(ino);
                    if (changesBeforeOpen) {
                        kernelCache.invalidate(ino, 0, -1);
                    }
                    if (flags.truncate()) {
                        file.resize(0);
                    }
                    String name = file.xattrs.containsKey("user.name") ? "named" : "";
                    for (Map.Entry<String, StoredFile> e : get(ROOT_INO).children.entrySet()) {
                        name = e.getValue() == file ? e.getKey() : name;
                    }
                    return opened(ino, name, flags);
                });
    }

    private void misbehave(OpenFile file, boolean hangs) throws FsException {
        String name = ((Opened) file).name;
        if (name.equals(EXPLODES)) {
            throw new IllegalStateException("exploded as asked");
        }
        if (name.equals(HANGS) && hangs) {
            hanging.countDown();
            try {
                freed.await();
            } catch (InterruptedException e) {
                throw new FsException(FsError.EINTR, "interrupted as asked", e);
            }
        }
    }

    @Override
    public int read(OpenFile file, long position, ByteBuffer target) throws FsException {
        Step<Integer> step =
                () -> {
                    StoredFile f = get(file.ino());
                    int at = (int) Math.min(position, f.size);
                    int count = Math.min(f.size - at, target.remaining());
                    target.put(f.data.slice(at, count));
                    return count;
                };
        int count = locked("read", step);
        misbehave(file, position >= readsHangFrom);
        return count;
    }

    @Override
    public @Nullable PinnedBytes tryRead(OpenFile file, long position, int count)
            throws FsException {
        String name = ((Opened) file).name;
        if (!hits || file.flags().direct() || name.equals(HANGS) || name.equals(EXPLODES)) {
            return null;
        }
        return locked(
                "tryRead",
                () -> {
                    StoredFile f = get(file.ino());
                    int length = (int) Math.clamp(f.size - position, 0, count);
                    List<Segment> segments = new ArrayList<>();
                    for (int at = 0; at < length; at += 4096) {
                        int piece = Math.min(4096, length - at);
                        segments.add(new Segment(f.data, (int) position + at, piece));
                    }
                    return new Pinned(segments, length);
                });
    }

    private record Pinned(List<Segment> segments, int length) implements PinnedBytes {
        @Override
        public void close() {}
    }

    @Override
    public int write(OpenFile file, long position, ByteBuffer source) throws FsException {
        if (position >= writesHangFrom) {
            misbehave(file, true);
        }
        return locked(
                "write",
                () -> {
                    StoredFile f = get(file.ino());
                    int count = source.remaining();
                    f.put(file.flags().append() ? f.size : (int) position, source);
                    f.modified = Instant.now();
                    return count;
                });
    }

    @Override
    public boolean tryWrite(OpenFile file, long position, ByteBuffer source) throws FsException {
        boolean waits = file.flags().sync() || file.flags().dataSync() || file.flags().direct();
        if (!hits || waits || position >= writesHangFrom) {
            return false;
        }
        int unused = write(file, position, source);
        return true;
    }

    @Override
    public void flush(OpenFile file) {
        calls.add("flush");
    }

    @Override
    public void fsync(OpenFile file, boolean dataOnly) {
        calls.add(dataOnly ? "fdatasync" : "fsync");
    }

    @Override
    public void release(OpenFile file) {
        calls.add(openFiles.remove(file) != null ? "release" : "released twice");
    }

    @Override
    public void fsyncDirectory(long ino) {
        calls.add("fsyncDirectory");
    }

    @Override
    public OpenDirectory openDirectory(long ino) throws FsException {
        return locked(
                "openDirectory",
                () -> {
                    List<String> names = new ArrayList<>(List.of(".", ".."));
                    names.addAll(get(ino).children.keySet());
                    OpenDirectory directory = new OpenedDirectory(ino, names, ++lastId);
                    openDirectories.put(directory, true);
                    return directory;
                });
    }

    @Override
    public void readDirectory(
            OpenDirectory directory, long cookie, boolean plus, DirectorySink sink)
            throws FsException {
        Step<Boolean> step =
                () -> {
                    StoredFile parent = get(directory.ino());
                    List<String> names = ((OpenedDirectory) directory).names;
                    for (int i = (int) cookie; i < names.size(); i++) {
                        String name = names.get(i);
                        StoredFile file = parent.children.getOrDefault(name, parent);
                        Entry entry = plus ? entry(file) : null;
                        if (!sink.entry(name, file.ino, file.type, i + 1L, entry)) {
                            if (plus) {
                                forget(file.ino, 1);
                            }
                            return false;
                        }
                    }
                    return true;
                };
        boolean unused = locked(plus ? "readDirectoryPlus" : "readDirectory", step);
    }

    @Override
    public void releaseDirectory(OpenDirectory directory) {
        boolean was = openDirectories.remove(directory) != null;
        calls.add(was ? "releaseDirectory" : "released twice");
    }

    @Override
    public Entry makeDirectory(long parent, String name, int mode) throws FsException {
        return locked("mkdir", () -> entry(add(parent, name, FileType.DIRECTORY, mode)));
    }

    @Override
    public Entry makeSymlink(long parent, String name, String target) throws FsException {
        return locked(
                "symlink",
                () -> {
                    StoredFile file = add(parent, name, FileType.SYMLINK, 0777);
                    file.target = target;
                    return entry(file);
                });
    }

    @Override
    public String readSymlink(long ino) throws FsException {
        return locked("readlink", () -> get(ino).target);
    }

    @Override
    public Entry link(long ino, long parent, String name) throws FsException {
        return locked(
                "link",
                () -> {
                    StoredFile file = get(ino);
                    file.links++;
                    get(parent).children.put(name, file);
                    return entry(file);
                });
    }

    @Override
    public void unlink(long parent, String name) throws FsException {
        int unused =
                locked(
                        "unlink",
                        () -> {
                            StoredFile file = child(get(parent), name);
                            get(parent).children.remove(name);
                            return --file.links;
                        });
    }

    @Override
    public void removeDirectory(long parent, String name) throws FsException {
        StoredFile unused =
                locked(
                        "rmdir",
                        () -> {
                            if (!child(get(parent), name).children.isEmpty()) {
                                throw new FsException(FsError.ENOTEMPTY, name);
                            }
                            return get(parent).children.remove(name);
                        });
    }

    @Override
    public void rename(long parent, String name, long newParent, String newName, RenameMode mode)
            throws FsException {
        boolean unused =
                locked(
                        "rename " + mode,
                        () -> {
                            Map<String, StoredFile> from = get(parent).children;
                            Map<String, StoredFile> to = get(newParent).children;
                            StoredFile moved = child(get(parent), name);
                            StoredFile there = to.get(newName);
                            if (there != null && mode == RenameMode.NOREPLACE) {
                                throw new FsException(FsError.EEXIST, newName);
                            }
                            from.remove(name);
                            to.put(newName, moved);
                            if (mode == RenameMode.EXCHANGE) {
                                from.put(name, child(get(parent), name, there));
                            }
                            return true;
                        });
    }

    private static StoredFile child(StoredFile parent, String name, @Nullable StoredFile file)
            throws FsException {
        if (file == null) {
            throw new FsException(FsError.ENOENT, name + " in " + parent.ino);
        }
        return file;
    }

    @Override
    public ServerFileSystemStatistics statistics() {
        calls.add("statfs");
        return new ServerFileSystemStatistics(4096, 1000, 500, 400, 300, 200, 255);
    }

    @Override
    public byte[] getXattr(long ino, String name) throws FsException {
        return locked(
                "getXattr",
                () -> {
                    byte[] value = get(ino).xattrs.get(name);
                    if (value == null) {
                        throw new FsException(FsError.ENODATA, name);
                    }
                    return value;
                });
    }

    @Override
    public void setXattr(long ino, String name, byte[] value, Server.XattrMode mode)
            throws FsException {
        boolean unused =
                locked(
                        "setXattr " + mode,
                        () -> {
                            get(ino).xattrs.put(name, value);
                            return true;
                        });
    }

    @Override
    public List<String> listXattrs(long ino) throws FsException {
        return locked("listXattrs", () -> List.copyOf(get(ino).xattrs.keySet()));
    }

    @Override
    public void removeXattr(long ino, String name) throws FsException {
        boolean unused = locked("removeXattr", () -> get(ino).xattrs.remove(name) != null);
    }

    @Override
    public void allocate(OpenFile file, AllocateMode mode, long position, long length)
            throws FsException {
        boolean unused =
                locked(
                        "allocate " + mode,
                        () -> {
                            StoredFile f = get(file.ino());
                            int end = (int) (position + length);
                            boolean grows =
                                    mode == AllocateMode.EXTEND || mode == AllocateMode.ZERO_RANGE;
                            if (grows && end > f.size) {
                                f.resize(end);
                            }
                            boolean zeroes =
                                    mode != AllocateMode.EXTEND && mode != AllocateMode.KEEP_SIZE;
                            for (int i = (int) position; zeroes && i < Math.min(end, f.size); i++) {
                                f.data.put(i, (byte) 0);
                            }
                            return true;
                        });
    }

    @Override
    public long seekData(OpenFile file, long position) throws FsException {
        return locked(
                "seekData",
                () -> {
                    StoredFile f = get(file.ino());
                    for (int i = (int) position; i < f.size; i++) {
                        if (f.data.get(i) != 0) {
                            return (long) i;
                        }
                    }
                    throw new FsException(FsError.ENXIO);
                });
    }

    @Override
    public long seekHole(OpenFile file, long position) throws FsException {
        return locked("seekHole", () -> (long) get(file.ino()).size);
    }

    @Override
    public long copyRange(OpenFile source, long from, OpenFile target, long to, long count)
            throws FsException {
        return locked(
                "copyRange",
                () -> {
                    StoredFile f = get(source.ino());
                    int length = (int) Math.clamp(f.size - from, 0, count);
                    get(target.ino()).put((int) to, f.data.slice((int) from, length));
                    return (long) length;
                });
    }

    @Override
    public void setKernelCache(KernelCache cache) {
        kernelCache = cache;
    }
}
