// SPDX-License-Identifier: Apache-2.0
package io.netfs4j.vfs;

import io.netfs4j.base.Completion;
import io.netfs4j.base.Environment;
import io.netfs4j.base.FsError;
import io.netfs4j.base.FsException;
import io.netfs4j.base.Scheduler;
import io.netfs4j.base.TimedWaits;
import io.netfs4j.cache.DiskCache;
import io.netfs4j.cache.journal.Journal;
import io.netfs4j.engine.Engine;
import io.netfs4j.engine.InodeData;
import io.netfs4j.pagecache.PageCache;
import io.netfs4j.server.AttributeChange;
import io.netfs4j.server.Capabilities;
import io.netfs4j.server.RemotePath;
import io.netfs4j.server.RenameMode;
import io.netfs4j.server.Server;
import io.netfs4j.server.ServerAttributes;
import io.netfs4j.server.ServerFileSystemStatistics;
import io.netfs4j.trace.Counters;
import io.netfs4j.trace.Counters.Counter;

import org.jspecify.annotations.Nullable;

import java.nio.ByteBuffer;
import java.util.List;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.IntFunction;

/**
 * The {@link Vfs} over a server, with a page cache and write-back between them.
 *
 * <p><b>Ownership</b>: owns the page cache and the engine, not the server, which its maker closes
 * after everything has been saved.
 */
public final class CachedVfs implements Vfs {
    /** So often it is looked whether a broken journal may go. */
    private static final long ABANDONING_NANOS = 1_000_000_000L;

    private final VfsParts parts;
    private final NameOperations names;
    private final Creations creations;
    private final HiddenNames hidden;
    private final RemoveOperations removals;
    private final RenameOperations renames;
    private final OpenOperations opens;
    private final FileOperations files;
    private final AttributeOperations attributes;
    private final RangeOperations ranges;
    private final DirectoryOperations directories;
    private final Recovered recovered;

    /** A disk cache that takes longer to end has nobody waiting for it. */
    private static final long CLOSING_NANOS = 10_000_000_000L;

    /**
     * Asks the server for its root.
     *
     * @param memory makes slabs for the page cache: {@code ByteBuffer::allocateDirect}
     */
    public CachedVfs(
            Environment environment,
            Server server,
            VfsOptions options,
            IntFunction<ByteBuffer> memory)
            throws FsException {
        this(environment, server, options, memory, null, null);
    }

    /**
     * As above, with what it keeps on this machine. What an earlier mount of the same remote left
     * in the journal is taken up.
     *
     * @param diskCache keeps what was read and written; null for none
     * @param journal keeps what the server has not got yet; null for none. Its maker closes it
     *     after the last operation
     */
    public CachedVfs(
            Environment environment,
            Server server,
            VfsOptions options,
            IntFunction<ByteBuffer> memory,
            @Nullable DiskCache diskCache,
            @Nullable Journal journal)
            throws FsException {
        ServerAttributes root = server.stat(RemotePath.ROOT);
        PageCache cache = new PageCache(options.memory(), memory);
        Engine engine = new Engine(environment, cache, options.engine(), new Counters());
        InodeTable table = new InodeTable(root, environment.clock().nanoTime());
        Coherency coherency = new Coherency(environment.clock(), options, server, table);
        engine.setConnected(server::isConnected);
        NamesGate gate = new NamesGate(environment.waits());
        Journalling journalling = new Journalling(journal, table, engine, options.journalSyncs());
        parts =
                new VfsParts(
                        environment,
                        server,
                        options,
                        cache,
                        diskCache,
                        engine,
                        table,
                        gate,
                        coherency,
                        journalling,
                        new AtomicReference<>(VfsEvents.NONE));
        Listings listings = new Listings(parts);
        creations = new Creations(parts);
        names = new NameOperations(parts, listings, creations);
        hidden = new HiddenNames(parts, listings);
        removals = new RemoveOperations(parts, listings, creations, hidden);
        renames = new RenameOperations(parts, listings, creations, removals);
        opens = new OpenOperations(parts, names, hidden, creations);
        table.setUnsaved(opens);
        attributes = new AttributeOperations(parts, opens, creations);
        files = new FileOperations(parts, attributes);
        ranges = new RangeOperations(parts, opens, files);
        directories = new DirectoryOperations(parts, names, listings, creations);
        if (journal != null) {
            journal.onBroken(why -> {
                parts.engine().counters().add(Counter.ERRORS, 1);
                parts.events().journalFailed(why);
                abandonWhenClean(journal);
            });
        }
        recovered =
                journal == null
                        ? Recovered.NOTHING
                        : new Recovery(parts, opens, creations, journal).run();
    }

    /** Once the server has all, what a broken journal holds is of before that. */
    private void abandonWhenClean(Journal journal) {
        Scheduler scheduler = parts.environment().scheduler();
        if (parts.engine().flusher().isClean()) {
            scheduler.forkBlocking("netfs-journal", journal::abandon);
        } else {
            scheduler.schedule(() -> abandonWhenClean(journal), ABANDONING_NANOS);
        }
    }

    /** Who hears of what nobody asked for. */
    public void setEvents(VfsEvents listener) {
        parts.listener().set(listener);
    }

    /** What an earlier mount had left, and this one has taken up. */
    public Recovered recovered() {
        return recovered;
    }

    public Engine engine() {
        return parts.engine();
    }

    public PageCache cache() {
        return parts.cache();
    }

    /** How many inodes are known now. */
    public int inodeCount() {
        return parts.table().size();
    }

    public Capabilities capabilities() {
        return parts.server().capabilities();
    }

    /**
     * Gives up what of this file is not on the server. What is in flight still ends.
     *
     * @return how many bytes were given up
     */
    public long discard(InodeData data) {
        data.lock().lock();
        try {
            long lost = data.pages().dirtyBytes();
            parts.engine().discard(data);
            data.setSizeBytes(data.remoteSizeBytes());
            return lost;
        } finally {
            data.lock().unlock();
        }
    }

    /** Forces what was committed of a file to the server's stable storage; waits. */
    public void sync(InodeData data) throws FsException {
        files.sync(data);
    }

    /** Waits until names that are removed in the background are gone. */
    public void awaitNames() throws FsException {
        hidden.awaitRemovals();
        creations.locks().awaitReleases();
    }

    /**
     * Gives back what it has open; comes after the last operation and the server's end. Waits for
     * what is on its way to the disk cache, but not for ever. What is not saved is the journal's,
     * or lost.
     */
    public void close() {
        try {
            TimedWaits.await(
                    parts.environment(),
                    opens.closeAll(),
                    CLOSING_NANOS,
                    "the disk cache does not take what was read");
        } catch (FsException e) {
            // It is not cached then.
        }
    }

    // ---- names --------------------------------------------------------------------------------

    @Override
    public Entry lookup(long parent, String name) throws FsException {
        return names.lookup(parts.table().directory(parent), name);
    }

    @Override
    public @Nullable Entry tryLookup(long parent, String name) throws FsException {
        return names.known(parts.table().directory(parent), name);
    }

    @Override
    public void forget(long ino, long count) {
        parts.table().forget(ino, count);
    }

    @Override
    public CreatedFile create(long parent, String name, int mode, OpenFlags flags)
            throws FsException {
        checkWritable();
        return opens.create(parts.table().directory(parent), name, mode, flags);
    }

    @Override
    public Entry makeDirectory(long parent, String name, int mode) throws FsException {
        checkWritable();
        Inode directory = parts.table().directory(parent);
        Entry pending = parts.gate().shared(() -> opens.makePending(directory, name, mode, null));
        return pending != null
                ? pending
                : names.make(directory, name, path -> parts.server().makeDirectory(path, mode));
    }

    @Override
    public Entry makeSymlink(long parent, String name, String target) throws FsException {
        checkWritable();
        Inode directory = parts.table().directory(parent);
        Entry pending = parts.gate().shared(() -> opens.makePending(directory, name, 0777, target));
        return pending != null
                ? pending
                : names.make(directory, name, path -> parts.server().makeSymlink(path, target));
    }

    @Override
    public String readSymlink(long ino) throws FsException {
        return attributes.readSymlink(parts.table().get(ino));
    }

    @Override
    public Entry link(long ino, long parent, String name) throws FsException {
        checkWritable();
        Inode inode = parts.table().get(ino);
        creations.await(inode);
        return names.link(inode, parts.table().directory(parent), name);
    }

    @Override
    public void unlink(long parent, String name) throws FsException {
        checkWritable();
        removals.unlink(parts.table().directory(parent), name);
    }

    @Override
    public void removeDirectory(long parent, String name) throws FsException {
        checkWritable();
        removals.removeDirectory(parts.table().directory(parent), name);
    }

    @Override
    public void rename(long parent, String name, long newParent, String newName, RenameMode mode)
            throws FsException {
        checkWritable();
        renames.rename(
                parts.table().directory(parent),
                name,
                parts.table().directory(newParent),
                newName,
                mode);
    }

    // ---- attributes ---------------------------------------------------------------------------

    @Override
    public Attributes getAttributes(long ino) throws FsException {
        return attributes.get(parts.table().get(ino));
    }

    @Override
    public @Nullable Attributes tryGetAttributes(long ino) throws FsException {
        return attributes.known(parts.table().get(ino));
    }

    @Override
    public long attributesValidNanos(long ino) {
        try {
            return attributes.validNanos(parts.table().get(ino));
        } catch (FsException e) {
            return 0; // Gone: nothing to believe.
        }
    }

    @Override
    public Attributes setAttributes(long ino, AttributeChange change, @Nullable OpenFile file)
            throws FsException {
        checkWritable();
        return attributes.set(parts.table().get(ino), change);
    }

    @Override
    public byte[] getXattr(long ino, String name) throws FsException {
        return attributes.byPath(
                parts.table().get(ino), path -> parts.server().getXattr(path, name));
    }

    @Override
    public void setXattr(long ino, String name, byte[] value, Server.XattrMode mode)
            throws FsException {
        checkWritable();
        attributes.byPath(
                parts.table().get(ino),
                path -> {
                    parts.server().setXattr(path, name, value, mode);
                    return true;
                });
    }

    @Override
    public List<String> listXattrs(long ino) throws FsException {
        return attributes.byPath(parts.table().get(ino), path -> parts.server().listXattrs(path));
    }

    @Override
    public void removeXattr(long ino, String name) throws FsException {
        checkWritable();
        attributes.byPath(
                parts.table().get(ino),
                path -> {
                    parts.server().removeXattr(path, name);
                    return true;
                });
    }

    @Override
    public ServerFileSystemStatistics statistics() throws FsException {
        return parts.server().statistics(RemotePath.ROOT);
    }

    // ---- files --------------------------------------------------------------------------------

    @Override
    public OpenFile open(long ino, OpenFlags flags) throws FsException {
        if (flags.access().writes() || flags.truncate()) {
            checkWritable();
        }
        return opens.open(parts.table().get(ino), flags);
    }

    @Override
    public int read(OpenFile file, long position, ByteBuffer target) throws FsException {
        return files.reads().read((OpenedInode) file, position, target);
    }

    @Override
    public @Nullable PinnedBytes tryRead(OpenFile file, long position, int count)
            throws FsException {
        return files.reads().tryRead((OpenedInode) file, position, count);
    }

    @Override
    public int write(OpenFile file, long position, ByteBuffer source) throws FsException {
        return files.write((OpenedInode) file, position, source);
    }

    @Override
    public Completion<Integer> writeUnbuffered(OpenFile file, long position, ByteBuffer source)
            throws FsException {
        return files.unbuffered().write((OpenedInode) file, position, source);
    }

    @Override
    public void barrier(OpenFile file) throws FsException {
        files.barrier((OpenedInode) file);
    }

    @Override
    public boolean tryWrite(OpenFile file, long position, ByteBuffer source) throws FsException {
        return files.tryWrite((OpenedInode) file, position, source);
    }

    @Override
    public void flush(OpenFile file) throws FsException {
        files.flush((OpenedInode) file);
    }

    @Override
    public void fsync(OpenFile file, boolean dataOnly) throws FsException {
        files.force((OpenedInode) file);
    }

    @Override
    public void release(OpenFile file) {
        opens.release((OpenedInode) file);
    }

    @Override
    public void allocate(OpenFile file, AllocateMode mode, long position, long length)
            throws FsException {
        ranges.allocate((OpenedInode) file, mode, position, length);
    }

    @Override
    public long seekData(OpenFile file, long position) throws FsException {
        ranges.checkInside((OpenedInode) file, position);
        return position;
    }

    @Override
    public long seekHole(OpenFile file, long position) throws FsException {
        return ranges.checkInside((OpenedInode) file, position);
    }

    @Override
    public long copyRange(OpenFile source, long from, OpenFile target, long to, long count)
            throws FsException {
        return ranges.copy((OpenedInode) source, from, (OpenedInode) target, to, count);
    }

    // ---- directories --------------------------------------------------------------------------

    @Override
    public void fsyncDirectory(long ino) throws FsException {
        Inode directory = parts.table().directory(ino);
        if (!parts.journalling().forceNames()) {
            // Every other operation on names has returned from the server before it returned here.
            creations.awaitAll(directory);
            creations.sent(directory, false);
            parts.journalling().forceSaid(); // Also that what was removed is not to be made.
        }
        creations.paths().tellRefusal(directory);
    }

    @Override
    public OpenDirectory openDirectory(long ino) throws FsException {
        return directories.open(parts.table().directory(ino));
    }

    @Override
    public void readDirectory(
            OpenDirectory directory, long cookie, boolean plus, DirectorySink sink)
            throws FsException {
        directories.read((OpenedDirectory) directory, cookie, plus, sink);
    }

    @Override
    public void releaseDirectory(OpenDirectory directory) {
        ((OpenedDirectory) directory).release();
    }

    @Override
    public void setKernelCache(KernelCache cache) {
        parts.coherency().setKernelCache(cache);
    }

    private void checkWritable() throws FsException {
        if (parts.options().readOnly()) {
            throw new FsException(FsError.EROFS, "mounted read-only");
        }
    }
}
