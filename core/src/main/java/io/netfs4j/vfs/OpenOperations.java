// SPDX-License-Identifier: Apache-2.0
package io.netfs4j.vfs;

import io.netfs4j.base.Completion;
import io.netfs4j.base.FsError;
import io.netfs4j.base.FsException;
import io.netfs4j.base.GuardedBy;
import io.netfs4j.base.Names;
import io.netfs4j.cache.Cookie;
import io.netfs4j.cache.DiskCache;
import io.netfs4j.engine.InodeData;
import io.netfs4j.engine.InodeListener;
import io.netfs4j.engine.PendingAttributes;
import io.netfs4j.engine.Readahead;
import io.netfs4j.request.Origin;
import io.netfs4j.server.AttributeChange;
import io.netfs4j.server.CoherencyToken;
import io.netfs4j.server.FileType;
import io.netfs4j.server.OpenedFile;
import io.netfs4j.server.PathSource;
import io.netfs4j.server.ServerAttributes;
import io.netfs4j.server.ServerFile;

import org.jspecify.annotations.Nullable;

import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.concurrent.atomic.AtomicReference;

/**
 * Opening, creating and releasing regular files. All open files of an inode share one handle on the
 * server, which stays while anything is open or unsaved.
 */
final class OpenOperations implements InodeTable.Unsaved {
    /** What no server refuses for its length alone. */
    private static final int TARGET_CHARS_MAX = 1000;

    private final VfsParts parts;
    private final NameOperations names;
    private final HiddenNames hidden;
    private final Creations creations;
    private final Ending ending = new Ending();
    private final Revalidation revalidation;
    private final SizeOperations sizes;

    OpenOperations(VfsParts parts, NameOperations names, HiddenNames hidden, Creations creations) {
        this.parts = parts;
        this.names = names;
        this.hidden = hidden;
        this.creations = creations;
        this.revalidation = new Revalidation(parts, this);
        this.sizes = new SizeOperations(parts, this, creations);
    }

    SizeOperations sizes() {
        return sizes;
    }

    // ---- create, open -------------------------------------------------------------------------

    CreatedFile create(Inode directory, String name, int mode, OpenFlags flags) throws FsException {
        Names.check(name);
        CreatedFile pending =
                parts.gate().shared(() -> createPending(directory, name, mode, flags));
        if (pending != null) {
            return pending;
        }
        creations.await(directory);
        return createNow(directory, name, mode, flags);
    }

    /**
     * Gives out a file before the server has it, where nothing speaks against it: what is created
     * exclusively (in a directory where others may be) or written synchronously waits for the
     * server, as does the first file in a directory, whose maker hears at once when the server
     * refuses.
     */
    private @Nullable CreatedFile createPending(
            Inode directory, String name, int mode, OpenFlags flags) {
        if (!parts.options().metadataWriteback()
                || parts.options().syncWrites()
                || (flags.exclusive() && !names.isOursAlone(directory))
                || flags.sync()
                || flags.dataSync()
                || flags.direct()) {
            return null;
        }
        Inode inode = names.newPending(directory, name, FileType.REGULAR, mode, 0);
        if (inode == null) {
            return null;
        }
        CreatedFile created;
        inode.lock.lock();
        try {
            // Before others can see it.
            InodeData data = dataOf(inode);
            data.expectCreation();
            // What must be new does not take the place of another's.
            inode.truncates = flags.truncate() && !flags.exclusive();
            if (!names.enterPending(directory, name, inode)) {
                return null;
            }
            OpenedInode file = opened(inode, data, flags, false);
            parts.engine().flusher().onDirtied(data);
            parts.engine().writeback(data, Origin.WRITEBACK);
            created = new CreatedFile(parts.coherency().entry(inode), file);
            parts.journalling().created(data);
        } finally {
            inode.lock.unlock();
        }
        parts.coherency().touch(directory, 0);
        awaitJournalled(inode);
        return created;
    }

    /**
     * Gives out a directory or a symbolic link before the server has it, as {@link #createPending}
     * does files; null when the server has to be asked first.
     *
     * @param target of a symbolic link
     */
    @Nullable Entry makePending(Inode directory, String name, int mode, @Nullable String target)
            throws FsException {
        Names.check(name);
        boolean odd = target != null && (target.isEmpty() || target.length() > TARGET_CHARS_MAX);
        if (!parts.options().metadataWriteback() || parts.options().syncWrites() || odd) {
            return null;
        }
        FileType type = target == null ? FileType.DIRECTORY : FileType.SYMLINK;
        long size = target == null ? 0 : target.getBytes(StandardCharsets.UTF_8).length;
        Inode inode = names.newPending(directory, name, type, mode, size);
        if (inode == null) {
            return null;
        }
        Entry entry;
        inode.lock.lock();
        try {
            InodeData data = dataOf(inode);
            data.expectCreation();
            inode.symlinkTarget = target;
            if (!names.enterPending(directory, name, inode)) {
                return null;
            }
            parts.engine().flusher().onDirtied(data);
            parts.engine().writeback(data, Origin.WRITEBACK);
            entry = parts.coherency().entry(inode);
            parts.journalling().created(data);
        } finally {
            inode.lock.unlock();
        }
        parts.coherency().touch(directory, target == null ? 1 : 0);
        awaitJournalled(inode);
        return entry;
    }

    /** A new file is in the journal by now, or else on the server. */
    private void awaitJournalled(Inode inode) {
        try {
            parts.journalling().awaitWritten(inode.data);
        } catch (FsException broken) {
            try {
                creations.await(inode);
            } catch (FsException e) {
                // It is told as every refusal of a new file is.
            }
        }
    }

    private CreatedFile createNow(Inode directory, String name, int mode, OpenFlags flags)
            throws FsException {
        AtomicReference<@Nullable Inode> made = new AtomicReference<>();
        PathSource source =
                () -> {
                    Inode inode = made.get();
                    return inode == null
                            ? parts.table().path(directory).child(name)
                            : parts.table().path(inode);
                };
        try {
            return parts.gate()
                    .shared(() ->
                            names.making(
                                    directory,
                                    name,
                                    () -> {
                                        parts.journalling().beforeChange(null);
                                        OpenedFile opened = parts.server().create(source, mode);
                                        return created(directory, name, mode, flags, opened, made);
                                    }));
        } catch (FsException e) {
            if (e.error() != FsError.EEXIST || flags.exclusive()) {
                throw e;
            }
        }
        Entry entry = names.lookup(directory, name);
        Attributes found = entry.attributes();
        if (found == null) {
            throw new FsException(FsError.ESTALE, name + " comes and goes on the server");
        }
        if (found.type() == FileType.SYMLINK) {
            // Whoever follows links looks the name up again, as after any ESTALE.
            parts.table().forget(found.ino(), 1);
            throw new FsException(FsError.ESTALE, name + " is a symbolic link by now");
        }
        try {
            return new CreatedFile(entry, open(parts.table().get(found.ino()), flags));
        } catch (FsException e) {
            parts.table().forget(found.ino(), 1);
            throw e;
        }
    }

    private CreatedFile created(
            Inode directory,
            String name,
            int mode,
            OpenFlags flags,
            OpenedFile opened,
            AtomicReference<@Nullable Inode> made)
            throws FsException {
        ServerAttributes a = creations.attempt().withMode(opened, mode).attributes();
        Inode inode = names.enterNew(directory, name, a);
        parts.coherency().touch(directory, 0);
        made.set(inode);
        inode.lock.lock();
        try {
            InodeData data = dataOf(inode);
            parts.coherency().applyOwn(inode, a, inode.ownerChanges);
            data.setFile(opened.file());
            OpenedInode file = opened(inode, data, flags, false);
            return new CreatedFile(parts.coherency().entry(inode), file);
        } finally {
            inode.lock.unlock();
        }
    }

    OpenedInode open(Inode inode, OpenFlags flags) throws FsException {
        if (inode.isDirectory()) {
            throw new FsException(FsError.EISDIR, parts.table().describe(inode));
        }
        if (inode.type != FileType.REGULAR) {
            throw new FsException(
                    FsError.ENOTSUP,
                    "neither file nor directory: " + parts.table().describe(inode));
        }
        // Counted first, so that a close of the last other open file leaves the handle alone.
        count(inode, 1);
        try {
            boolean keeps = revalidation.revalidate(inode, flags);
            OpenedInode file;
            inode.lock.lock();
            try {
                file = opened(inode, dataOf(inode), flags, keeps && !flags.truncate());
            } finally {
                inode.lock.unlock();
            }
            if (flags.truncate()) {
                truncateOpened(file);
            }
            return file;
        } finally {
            // opened() has counted it too.
            uncount(inode);
        }
    }

    private void truncateOpened(OpenedInode file) throws FsException {
        boolean done = false;
        try {
            sizes.empty(file.inode);
            done = true;
        } finally {
            if (!done) {
                release(file);
            }
        }
    }

    @GuardedBy("inode lock")
    private OpenedInode opened(Inode inode, InodeData data, OpenFlags flags, boolean keeps) {
        count(inode, 1);
        Readahead readahead = new Readahead(parts.options().engine().readaheadBytesMax());
        // The doors ask for these flags, too: what we do not cache the kernel is not to cache.
        OpenFlags effective = parts.options().unbuffered() ? flags.pastThePageCache() : flags;
        return new OpenedInode(inode, data, effective, keeps, readahead);
    }

    @GuardedBy("inode lock")
    InodeData dataOf(Inode inode) {
        InodeData data = inode.data;
        if (data == null) {
            data =
                    new InodeData(
                            inode.lock, parts.cache(), new DataListener(inode), inode.sizeBytes);
            parts.journalling().attach(inode, data);
            inode.dates = parts.coherency().newDates();
            inode.data = data;
        }
        return data;
    }

    private void count(Inode inode, int delta) {
        parts.table().lock().lock();
        try {
            inode.openCount += delta;
        } finally {
            parts.table().lock().unlock();
        }
    }

    // ---- release ------------------------------------------------------------------------------

    void release(OpenedInode file) {
        file.inode.lock.lock();
        try {
            if (file.released) {
                return;
            }
            file.released = true;
        } finally {
            file.inode.lock.unlock();
        }
        uncount(file.inode);
    }

    private void uncount(Inode inode) {
        boolean last;
        boolean gone;
        parts.table().lock().lock();
        try {
            inode.openCount--;
            last = inode.openCount == 0;
            // Without a name, but not by us: its owner moved it, and what was written still counts.
            gone = last && parts.table().isRemoved(inode);
        } finally {
            parts.table().lock().unlock();
        }
        if (!last) {
            return;
        }
        inode.lock.lock();
        try {
            InodeData data = inode.data;
            if (data != null && gone && !inode.livesOn) {
                parts.engine().discard(data);
            }
            closeIfIdle(inode);
        } finally {
            inode.lock.unlock();
        }
        if (gone) {
            hidden.remove(inode);
        }
        parts.table().release(inode);
    }

    @GuardedBy("inode lock")
    private static boolean isSettled(InodeData data) {
        return !data.isUnsaved() && !data.isBusy();
    }

    /** Gives the server's handle back when nobody needs it. */
    @GuardedBy("inode lock")
    private void closeIfIdle(Inode inode) {
        InodeData data = inode.data;
        if (data == null || !isSettled(data)) {
            return;
        }
        VersionDates dates = inode.dates;
        if (dates != null && dates.isUnproven()) {
            // The next mount could not tell it from what came after it within the same second.
            data.uncache(0, Long.MAX_VALUE);
        }
        if (ending.isUnderWay()) {
            data.setFile(null);
            ending.closed(inode);
            return;
        }
        parts.table().lock().lock();
        try {
            if (inode.openCount > 0) {
                return;
            }
        } finally {
            parts.table().lock().unlock();
        }
        creations.locks().release(inode); // Where it was given up.
        data.setFile(null);
    }

    /**
     * Gives back the server's handles and the disk cache's, at the end, as soon as nothing of them
     * is under way. Of files that are not saved the cache may hold what the server does not have:
     * they are never given back to it.
     */
    Completion<@Nullable Void> closeAll() {
        List<Inode> files = parts.table().all();
        ending.begin(files);
        for (Inode inode : files) {
            inode.lock.lock();
            try {
                InodeData data = inode.data;
                if (data == null || data.file() == null || data.isUnsaved()) {
                    ending.closed(inode);
                } else {
                    closeIfIdle(inode);
                }
            } finally {
                inode.lock.unlock();
            }
        }
        return ending.ended();
    }

    /** What the engine tells of a file. */
    private final class DataListener implements InodeListener {
        private final Inode inode;

        /** {@link Inode#ownerChanges} when the commit under way was sent. */
        @GuardedBy("inode lock")
        private long committing;

        /** Whether that sets what somebody here has set. */
        @GuardedBy("inode lock")
        private boolean sets;

        DataListener(Inode inode) {
            this.inode = inode;
        }

        @Override
        public void create() {
            creations.start(inode);
        }

        @Override
        public boolean checksBase() {
            return inode.type == FileType.REGULAR && creations.conflicts().areLookedFor();
        }

        @Override
        public void beforeSending(ServerFile handle) throws FsException {
            creations.conflicts().beforeSending(inode, handle);
        }

        @Override
        public boolean checksAfterLoss() {
            return creations.locks().areUsed();
        }

        @Override
        public void onSettled() {
            creations.locks().release(inode);
        }

        @Override
        public AttributeChange toCommit(PendingAttributes pending) {
            sets = pending.isOwed();
            return parts.coherency().toCommit(inode, pending);
        }

        @Override
        public boolean isBeingRemoved() {
            return parts.table().isBeingRemoved(inode);
        }

        @Override
        public void onGivenUp() {
            creations.forget(inode);
        }

        @Override
        public void onWritten(long position, int count) {
            InodeData data = inode.data;
            if (data != null) {
                inode.sizeBytes = data.sizeBytes();
            }
            inode.changes++;
            inode.fetchedNanos = Long.MIN_VALUE;
            parts.coherency().kernelCache().invalidate(inode.ino, position, count);
        }

        @Override
        public void onInvalidated() {
            parts.coherency().kernelCache().invalidate(inode.ino, 0, -1);
        }

        @Override
        public void onCommitting() {
            committing = inode.ownerChanges;
            sets = false;
            // What was asked before knows nothing of what was sent, also where the commit fails.
            inode.changes++;
        }

        @Override
        public void onCommitted(ServerAttributes attributes) {
            parts.coherency().applyOwn(inode, attributes, committing);
            if (sets) {
                inode.ownerChanges++; // What was asked before may be answered after this.
            }
        }

        @Override
        public void onClean() {
            InodeData data = inode.data;
            if (data != null) {
                data.closeRetired();
            }
            closeIfIdle(inode);
            if (data != null && inode.type != FileType.REGULAR && isSettled(data)) {
                inode.data = null; // It was there for the server to make it.
            }
            boolean unused;
            parts.table().lock().lock();
            try {
                unused = inode.openCount == 0 && inode.lookups == 0;
            } finally {
                parts.table().lock().unlock();
            }
            if (unused) {
                parts.environment().scheduler().execute(() -> parts.table().release(inode));
            }
        }

        @Override
        public @Nullable Cookie openCookie() {
            DiskCache cache = parts.diskCache();
            InodeData data = inode.data;
            if (cache == null || data == null || inode.type != FileType.REGULAR) {
                return null;
            }
            CoherencyToken token = data.token();
            String key = cacheKey();
            return key == null
                    ? null
                    : cache.acquire(key, token == null ? null : token.text(), data.journal());
        }

        /** Only a number names a file through renames; a path is dropped with each of them. */
        private @Nullable String cacheKey() {
            if (inode.serverFileId != 0) {
                return Long.toHexString(inode.serverFileId);
            }
            try {
                return VfsParts.cacheKey(parts.table().path(inode));
            } catch (FsException e) {
                return null; // It has no name any more.
            }
        }

        @Override
        public String name() {
            return parts.table().describe(inode);
        }
    }

    @Override
    public boolean keeps(Inode inode) {
        InodeData data = inode.data;
        if (data == null) {
            return false;
        }
        if (!isSettled(data)) {
            return true;
        }
        closeIfIdle(inode);
        data.pages().clear();
        return false;
    }

    // ---- changes on the server ----------------------------------------------------------------

    static long ownerChanges(Inode inode) {
        inode.lock.lock();
        try {
            return inode.ownerChanges;
        } finally {
            inode.lock.unlock();
        }
    }
}
