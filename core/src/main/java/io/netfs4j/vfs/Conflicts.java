// SPDX-License-Identifier: Apache-2.0
package io.netfs4j.vfs;

import io.netfs4j.base.FsError;
import io.netfs4j.base.FsException;
import io.netfs4j.base.GuardedBy;
import io.netfs4j.cache.journal.FileJournal;
import io.netfs4j.engine.BackEnd;
import io.netfs4j.engine.InodeData;
import io.netfs4j.server.FileType;
import io.netfs4j.server.ServerAttributes;
import io.netfs4j.server.ServerFile;
import io.netfs4j.trace.Counters.Counter;

import org.jspecify.annotations.Nullable;

import java.nio.charset.StandardCharsets;
import java.time.ZoneOffset;
import java.time.format.DateTimeFormatter;
import java.util.List;
import java.util.Locale;

/**
 * Files that another client changed while something of them was unsaved here. What is written over
 * a version that nobody here has seen would leave neither his file nor ours.
 *
 * <p>So the server is asked, before anything is sent, whether it still has the version that was
 * changed here. If not, the file as it is here (with all who have it open) becomes another file: a
 * new one beside it, which the server has not got yet. Its name is the other client's then, and is
 * looked up anew. Each open file hears ESTALE once.
 *
 * <pre>
 *   base --- changed here ------------>  f.conflict-host-20260102T030405Z
 *      \---- changed elsewhere ------->  f
 * </pre>
 *
 * <p><b>Threads</b>: any; everything here waits.
 */
final class Conflicts {
    private static final DateTimeFormatter STAMP =
            DateTimeFormatter.ofPattern("yyyyMMdd'T'HHmmss'Z'", Locale.ROOT)
                    .withZone(ZoneOffset.UTC);

    /** So many names are tried for a file beside another. */
    private static final int NAMES_MAX = 100;

    /** What its name ends with where bytes that nobody here had read are zeros in it. */
    private static final String PARTIAL = ".partial";

    private final VfsParts parts;
    private final Creations creations;
    private final UploadLocks locks;

    Conflicts(VfsParts parts, Creations creations, UploadLocks locks) {
        this.parts = parts;
        this.creations = creations;
        this.locks = locks;
    }

    /** Whether the server is asked at all. */
    boolean areLookedFor() {
        return parts.options().conflicts().areLookedFor();
    }

    /**
     * Something of a file is about to be sent.
     *
     * @throws FsException ESTALE when the server has another version by now
     */
    void beforeSending(Inode inode, ServerFile handle) throws FsException {
        if (!isNamed(inode)) {
            return; // Nobody else can find it.
        }
        ServerAttributes present = presentLocked(inode, handle);
        InodeData data;
        boolean same;
        inode.lock.lock();
        try {
            data = inode.data;
            if (data == null) {
                return;
            }
            same = isBase(data, present);
            if (same && present != null) {
                data.setToken(present.token());
                data.setSending(true);
                data.describe();
            } else {
                locks.release(inode); // Nothing is sent.
            }
        } finally {
            inode.lock.unlock();
        }
        FsException moved = same ? null : movedUnlessNameless(inode);
        if (moved != null) {
            throw moved;
        }
        // Whoever finds the file in the journal knows by that what the server may have of it.
        parts.journalling().awaitForcedIfWorking(data);
    }

    /**
     * Whether what the server has is what is built on. After something of ours was sent whose end
     * nobody heard, that cannot be told.
     *
     * @param present null when it has no such file
     */
    @GuardedBy("inode lock")
    boolean isBase(InodeData data, @Nullable ServerAttributes present) {
        if (!areLookedFor()) {
            return true;
        }
        return present != null
                && (data.isSending()
                        || data.token() == null
                        || present.token().equals(data.token()));
    }

    /**
     * Whether another client has changed a file that was changed here, too: asked before something
     * else of it is changed, from whose answer that could not be told any more.
     */
    boolean hasMoved(Inode inode) throws FsException {
        InodeData data;
        ServerFile handle;
        inode.lock.lock();
        try {
            data = inode.data;
            if (data == null
                    || inode.type != FileType.REGULAR
                    || !areLookedFor()
                    || !data.isUnsaved()
                    || data.isSending()
                    || data.token() == null) {
                return false;
            }
            if (!isNamed(inode)) {
                return false;
            }
            handle = data.borrowFile();
        } finally {
            inode.lock.unlock();
        }
        ServerAttributes present =
                handle == null
                        ? present(inode, null)
                        : data.useBorrowed(handle, h -> present(inode, h));
        inode.lock.lock();
        try {
            return present != null && !isBase(data, present);
        } finally {
            inode.lock.unlock();
        }
    }

    /**
     * A file is about to get another size on the server; nothing of it is being sent. Where the
     * server has another version by now it is taken for the one to be changed, unless somebody here
     * has something unsaved or goes by what he has seen.
     *
     * @param opening whether nobody goes by that
     * @return false when it became another file, of which the same is to be asked
     * @throws FsException ESTALE when the policy is to leave both as they are
     */
    boolean mayResize(Inode inode, InodeData data, boolean opening) throws FsException {
        if (!areLookedFor() || !isNamed(inode)) {
            return true;
        }
        ServerFile handle;
        boolean blind;
        long asked;
        inode.lock.lock();
        try {
            asked = inode.changes;
            handle = data.borrowFile();
            parts.table().lock().lock();
            try {
                blind = opening || inode.openCount == 0;
            } finally {
                parts.table().lock().unlock();
            }
        } finally {
            inode.lock.unlock();
        }
        ServerAttributes present =
                handle == null
                        ? presentLocked(inode, null)
                        : data.useBorrowed(handle, h -> presentLocked(inode, h));
        inode.lock.lock();
        try {
            if (blind && !data.isUnsaved()) {
                if (present != null && !data.isSending()) {
                    parts.coherency().apply(inode, present, asked);
                }
                return true;
            }
            if (isBase(data, present)) {
                return true;
            }
            locks.release(inode);
        } finally {
            inode.lock.unlock();
        }
        FsException moved = movedUnlessNameless(inode);
        if (moved != null && parts.options().conflicts().policy() == VfsOptions.OnConflict.FAIL) {
            throw moved;
        }
        if (moved != null) {
            data.errors().record(moved);
        }
        return moved == null;
    }

    /** A file that an earlier mount left is about to be opened, to be saved. */
    void beforeOpening(Inode inode) throws FsException {
        inode.lock.lock();
        try {
            if (!inode.isThere || inode.type != FileType.REGULAR) {
                return;
            }
        } finally {
            inode.lock.unlock();
        }
        if (locks.areUsed() && !keepsLock(inode)) {
            locks.take(inode);
        }
    }

    /**
     * As {@link #present}, with the file's lock, so that it stays what it is until that is free.
     */
    private @Nullable ServerAttributes presentLocked(Inode inode, @Nullable ServerFile handle)
            throws FsException {
        if (!locks.areUsed() || keepsLock(inode)) {
            return present(inode, handle);
        }
        ServerAttributes seen = null;
        try {
            seen = locks.take(inode);
        } catch (FsException e) {
            if (!isUnseen(e)) {
                throw e;
            }
        }
        return seen == null ? byHandle(handle) : seen;
    }

    /**
     * Whether a file's lock is still ours. When it is not, another mount has taken us for dead:
     * what the server has by now may be of both, and only the version that was changed here counts.
     */
    private boolean keepsLock(Inode inode) throws FsException {
        UploadLock lock;
        inode.lock.lock();
        try {
            lock = inode.uploadLock;
        } finally {
            inode.lock.unlock();
        }
        if (lock == null || locks.isHeld(lock)) {
            return lock != null;
        }
        locks.lost(lock);
        inode.lock.lock();
        try {
            inode.uploadLock = null;
            InodeData data = inode.data;
            if (data != null) {
                data.setSending(false);
            }
        } finally {
            inode.lock.unlock();
        }
        return false;
    }

    /**
     * What stands at a file's name now; where nothing does, or where we may not look, the file
     * itself, which another client may have moved.
     */
    private @Nullable ServerAttributes present(Inode inode, @Nullable ServerFile handle)
            throws FsException {
        try {
            return parts.gate().shared(() -> parts.server().stat(parts.table().path(inode)));
        } catch (FsException e) {
            if (!isUnseen(e)) {
                throw e;
            }
        }
        return byHandle(handle);
    }

    /** Whether a question by name says nothing of the file. */
    private static boolean isUnseen(FsException e) {
        return e.isAbsence()
                || e.error() == FsError.ESTALE
                || e.error() == FsError.EACCES
                || e.error() == FsError.EPERM;
    }

    private static @Nullable ServerAttributes byHandle(@Nullable ServerFile handle)
            throws FsException {
        if (handle == null) {
            return null;
        }
        try {
            return BackEnd.attributes(handle);
        } catch (FsException e) {
            if (e.isAbsence() || e.error() == FsError.ESTALE) {
                return null;
            }
            throw e;
        }
    }

    private boolean isNamed(Inode inode) {
        parts.table().lock().lock();
        try {
            return !inode.links.isEmpty();
        } finally {
            parts.table().lock().unlock();
        }
    }

    /** The server has another version. What whoever wanted to save ours is told. */
    FsException moved(Inode inode) throws FsException {
        FsException moved = movedUnlessNameless(inode);
        return moved == null
                ? new FsException(FsError.ESTALE, "the file has no name any more")
                : moved;
    }

    /** As {@link #moved}; null when its last name went meanwhile: nobody else can find it. */
    private @Nullable FsException movedUnlessNameless(Inode inode) throws FsException {
        String name = parts.table().describe(inode);
        if (parts.options().conflicts().policy() == VfsOptions.OnConflict.FAIL) {
            return new FsException(
                    FsError.ESTALE, name + " was changed by another client; ours is kept here");
        }
        String copy =
                parts.gate()
                        .<@Nullable String>alone(() -> isNamed(inode) ? becomeCopy(inode) : null);
        if (copy == null) {
            return null;
        }
        return new FsException(
                FsError.ESTALE,
                name + " was changed by another client; ours goes to " + copy + " beside it");
    }

    /** With nobody else at names. Returns the new name. */
    private String becomeCopy(Inode inode) throws FsException {
        Inode directory;
        String name;
        parts.table().lock().lock();
        try {
            if (inode.links.isEmpty() || inode == parts.table().root()) {
                throw new FsException(FsError.ESTALE, "the file has no name any more");
            }
            directory = inode.links.get(0).directory();
            name = inode.links.get(0).name();
        } finally {
            parts.table().lock().unlock();
        }
        dirtyPresent(inode);
        String copy = freeName(directory, name, isPartial(inode) ? PARTIAL : "");
        List<Inode.Link> before;
        inode.lock.lock();
        try {
            before = become(inode, directory, copy);
        } finally {
            inode.lock.unlock();
        }
        // Else there would be a second one after a loss of power, and this one stay empty.
        parts.journalling().awaitForcedIfWorking(inode.data);
        parts.engine().counters().add(Counter.CONFLICTS, 1);
        for (Inode.Link link : before) {
            parts.coherency().kernelCache().invalidateEntry(link.directory().ino, link.name());
        }
        parts.coherency().touch(directory, 0);
        parts.events().conflict(name, copy);
        return copy;
    }

    /** Whether some of the version that was changed here was never read, and is gone by now. */
    private static boolean isPartial(Inode inode) {
        inode.lock.lock();
        try {
            InodeData data = inode.data;
            return data != null
                    && !data.pages().hasAll(Math.min(data.sizeBytes(), data.remoteSizeBytes()));
        } finally {
            inode.lock.unlock();
        }
    }

    /**
     * What is here of a file is to be saved anew, and the journal has it before that is said: a
     * file found there without it would be one with holes. Ends with nearly all of it dirty; what
     * is read meanwhile is left to {@link #become}.
     */
    private void dirtyPresent(Inode inode) {
        long at = 0;
        long end;
        do {
            InodeData data;
            inode.lock.lock();
            try {
                data = inode.data;
                if (data == null) {
                    return;
                }
                at = dirtyPresent(data, at);
                end = data.sizeBytes();
            } finally {
                inode.lock.unlock();
            }
            parts.journalling().awaitIfWorking(data);
        } while (at < end);
    }

    /** Some of it, from a position on; returns where to go on. */
    @GuardedBy("inode lock")
    private static long dirtyPresent(InodeData data, long from) {
        FileJournal journal = data.journal();
        return data.pages()
                .dirtyPresent(
                        from,
                        data.sizeBytes(),
                        journal == null ? Integer.MAX_VALUE : journal.journal().batchBytes(),
                        (position, bytes) -> {
                            if (journal != null) {
                                journal.written(position, data.sizeBytes(), bytes);
                            }
                        });
    }

    /** Makes a file that the server has into a new one. Returns the names that it had. */
    @GuardedBy("inode lock")
    private List<Inode.Link> become(Inode inode, Inode directory, String copy) throws FsException {
        InodeData data = inode.data;
        if (data == null) {
            throw new FsException(FsError.ESTALE, "nothing of it is here");
        }
        for (long at = 0; at < data.sizeBytes(); ) {
            at = dirtyPresent(data, at);
        }
        data.invalidate();
        data.trustSize();
        boolean wasCut = data.owedSize().isOwed();
        data.owedSize().settle();
        if (wasCut) {
            data.owedSize().set(data.sizeBytes());
        }
        data.setRemoteSizeBytes(0);
        data.setToken(null);
        data.setSending(false);
        data.setFile(null);
        if (data.creation() == null) {
            data.expectCreation();
        }
        inode.isThere = false;
        inode.truncates = false;
        inode.resized();
        inode.linkCount = 1;
        inode.livesOn = false;
        inode.changes++;
        List<Inode.Link> before;
        parts.table().lock().lock();
        try {
            before = creations.enterAgain(directory, copy, inode);
        } finally {
            parts.table().lock().unlock();
        }
        data.describe();
        parts.engine().flusher().onDirtied(data);
        return before;
    }

    /** A name beside another that the server does not have. */
    private String freeName(Inode directory, String name, String ending) throws FsException {
        String stamp = STAMP.format(parts.environment().clock().now());
        String host = parts.options().conflicts().host();
        String suffix = ".conflict-" + (host.isEmpty() ? "" : host + "-") + stamp;
        int most = parts.server().capabilities().nameBytesMax();
        for (int n = 1; n <= NAMES_MAX; n++) {
            String all = suffix + (n == 1 ? "" : "-" + n) + ending;
            String candidate = shortened(name, most - all.length()) + all;
            if (parts.table().child(directory, candidate) == null
                    && parts.stat(parts.table().path(directory).child(candidate)) == null) {
                return candidate;
            }
        }
        throw new FsException(
                FsError.EEXIST,
                name + " has " + NAMES_MAX + " files beside it of this second; try again");
    }

    /** As much of a name as fits, in whole characters. */
    private static String shortened(String name, int bytesMax) {
        String kept = name;
        while (kept.getBytes(StandardCharsets.UTF_8).length > bytesMax) {
            int last = kept.offsetByCodePoints(kept.length(), -1);
            kept = kept.substring(0, last);
        }
        return kept;
    }
}
