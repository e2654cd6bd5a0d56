// SPDX-License-Identifier: Apache-2.0
package io.netfs4j.vfs;

import io.netfs4j.base.FsError;
import io.netfs4j.base.FsException;
import io.netfs4j.base.GuardedBy;
import io.netfs4j.cache.journal.Journal;
import io.netfs4j.engine.InodeData;
import io.netfs4j.engine.PendingAttributes;
import io.netfs4j.server.CoherencyToken;
import io.netfs4j.server.FileType;
import io.netfs4j.server.RemotePath;
import io.netfs4j.server.ServerAttributes;

import org.jspecify.annotations.Nullable;

import java.time.Instant;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;

/**
 * Takes up what an earlier mount of the same remote left in the journal. Its files are pending
 * files: known here and unsaved, and the server is asked for each in the background. So what was
 * written can be read at once, and is sent as if it had been written now.
 *
 * <p>The server is asked at once only where the journal says that a name was about to change: which
 * name it has then decides what is sent where; and how long a file is that it was being sent past
 * the journal. Nothing is appended but what follows from its answers, so that a recovery that is
 * cut off can be done again.
 *
 * <p><b>Threads</b>: one, before the first operation.
 */
final class Recovery {
    /** Permission bits of directories until the server is asked for theirs. */
    private static final int DIRECTORY_MODE = 0755;

    private final VfsParts parts;
    private final OpenOperations opens;
    private final Creations creations;
    private final Journal journal;
    private final List<String> problems = new ArrayList<>();
    private int files;
    private long bytes;

    Recovery(VfsParts parts, OpenOperations opens, Creations creations, Journal journal) {
        this.parts = parts;
        this.opens = opens;
        this.creations = creations;
        this.journal = journal;
    }

    Recovered run() throws FsException {
        problems.addAll(journal.damages());
        List<Found> found = new ArrayList<>();
        for (long file : journal.files()) {
            byte[] encoded = journal.facts(file);
            FileFacts facts = null;
            try {
                facts = encoded == null ? null : FileFacts.decode(encoded);
            } catch (FsException e) {
                problems.add("file " + file + ": " + e.getMessage());
            }
            if (facts != null && facts.state() == FileFacts.State.GONE) {
                journal.forget(file);
            } else if (facts != null && facts.path() != null) {
                found.add(new Found(file, facts, facts.path()));
            } else {
                problems.add("file " + file + ": nobody knows where it belongs; it is kept");
            }
        }
        // Directories that are still to be made come before what is in them.
        found.sort(Comparator.comparingInt(f -> f.path().names().size()));
        // The server is asked first: a mount that fails leaves nothing at work behind it.
        List<Runnable> ways = new ArrayList<>();
        for (Found f : found) {
            ways.add(way(f.file(), f.facts(), f.path()));
        }
        ways.forEach(Runnable::run);
        return new Recovered(files, bytes, List.copyOf(problems));
    }

    private record Found(long file, FileFacts facts, RemotePath path) {}

    /** What is to be done with a file. */
    private Runnable way(long file, FileFacts facts, RemotePath last) throws FsException {
        if (facts.state() == FileFacts.State.REMOVED) {
            return () ->
                    parts.environment()
                            .scheduler()
                            .fork("netfs-remove", () -> removeLeftOver(file, last));
        }
        RemotePath path = present(facts, last);
        if (path == null) {
            // Its removal had come through, or its place was taken: nobody wants it any more.
            return () -> journal.forget(file);
        }
        long sizeThere = sizeThere(file, facts, path);
        return () -> takeUp(file, facts, path, sizeThere);
    }

    /**
     * How long the server's file is, where something of ours was being sent, in bytes; else 0. What
     * goes past the page cache goes past the journal, and may have made it longer. A cut that is
     * owed would undo that. What the journal has bytes of was being sent from there.
     */
    private long sizeThere(long file, FileFacts facts, RemotePath path) {
        boolean counts =
                facts.sending()
                        && facts.type() == FileType.REGULAR
                        && facts.state() == FileFacts.State.THERE
                        && facts.truncatingTo() < 0
                        && facts.owedBytes() < 0
                        && journal.ranges(file).isEmpty();
        try {
            ServerAttributes there = counts ? parts.stat(path) : null;
            if (there == null || there.type() != FileType.REGULAR || isAnother(facts, there)) {
                return 0;
            }
            return there.sizeBytes();
        } catch (FsException e) {
            return 0; // It shows as long as the journal says until it is open.
        }
    }

    private void takeUp(long file, FileFacts facts, RemotePath path, long sizeThere) {
        if (path.isRoot()) {
            problems.add("file " + file + " has no name; it is kept");
        } else if (!enter(file, facts, path, sizeThere)) {
            problems.add("/" + path + ": two files of that name; file " + file + " is kept");
        }
    }

    /** Where the file is now; null when it was being removed and is gone. */
    private @Nullable RemotePath present(FileFacts facts, RemotePath last) throws FsException {
        RemotePath source = facts.replacedBy();
        if (source != null) {
            boolean gone = parts.stat(source) == null;
            ServerAttributes here = parts.stat(last);
            if (facts.state() != FileFacts.State.THERE) {
                // The server never had it: what stands at its name is what was renamed over it.
                return gone && here != null ? null : last;
            }
            return gone || here == null || isAnother(facts, here) ? null : last;
        }
        RemotePath target = facts.movingTo();
        if (!facts.removing() && target == null) {
            return last;
        }
        ServerAttributes here = parts.stat(last);
        if (here != null && isAnother(facts, here)) {
            here = null;
        }
        if (target == null) {
            return here == null ? null : last;
        }
        if (here == null) {
            return target;
        }
        // Two names may have been exchanged.
        ServerAttributes there = parts.stat(target);
        boolean moved =
                there != null
                        && there.token().equals(facts.token())
                        && !here.token().equals(facts.token());
        return moved ? target : last;
    }

    /** Whether a name stands for another file by now, where the server can tell. */
    private static boolean isAnother(FileFacts facts, ServerAttributes there) {
        return facts.serverFileId() != 0
                && there.serverFileId() != 0
                && facts.serverFileId() != there.serverFileId();
    }

    private void removeLeftOver(long file, RemotePath hidden) {
        try {
            parts.server().remove(hidden);
        } catch (FsException e) {
            if (e.error() != FsError.ENOENT) {
                return; // The next mount tries again.
            }
        }
        journal.forget(file);
    }

    /** Returns false when its name is another's. */
    private boolean enter(long file, FileFacts facts, RemotePath path, long sizeThere) {
        Inode directory;
        long ino;
        parts.table().lock().lock();
        try {
            directory = directory(path.parent());
            if (directory.children().containsKey(path.name())) {
                return false;
            }
            ino = parts.table().newIno();
        } finally {
            parts.table().lock().unlock();
        }
        long size = Math.max(journal.sizeBytes(file), Math.max(facts.growingTo(), sizeThere));
        if (facts.truncatingTo() >= 0) {
            size = facts.truncatingTo();
            journal.drop(file, size, Long.MAX_VALUE, journal.lastLsn());
        }
        boolean isThere = facts.state() == FileFacts.State.THERE;
        CoherencyToken token = facts.token();
        ServerAttributes a =
                new ServerAttributes(
                        facts.type(),
                        size,
                        facts.owner().mode(),
                        facts.owner().uid(),
                        facts.owner().gid(),
                        1,
                        facts.accessed(),
                        facts.modified(),
                        facts.modified(),
                        isThere ? facts.serverFileId() : 0,
                        token == null ? CoherencyToken.of(facts.modified(), size) : token);
        Inode inode = new Inode(ino, a, parts.nowNanos());
        inode.lock.lock();
        try {
            inode.isThere = isThere;
            inode.truncates = facts.state() == FileFacts.State.NEW_OR_EMPTIED;
            inode.found = true;
            inode.growingTo = facts.growingTo();
            inode.symlinkTarget = facts.target();
            inode.uploadLock = creations.locks().found(facts.uploadLock());
            fill(inode, file, facts, size);
            parts.table().lock().lock();
            try {
                creations.enter(directory, path.name(), inode);
                Listings.add(directory, path.name(), inode);
            } finally {
                parts.table().lock().unlock();
            }
            InodeData data = opens.dataOf(inode);
            if (facts.truncatingTo() >= 0) {
                // It is owed from now on: what is written behind it is not to be dropped again.
                data.describe();
            }
            parts.engine().flusher().onDirtied(data);
        } finally {
            inode.lock.unlock();
        }
        return true;
    }

    @GuardedBy("inode lock")
    private void fill(Inode inode, long file, FileFacts facts, long size) {
        InodeData data = opens.dataOf(inode);
        parts.journalling().attachFound(inode, data, file);
        data.setToken(facts.token());
        if (facts.sending()) {
            // Else nothing is said yet: what has no name here would have none in the journal.
            data.setSending(true);
        }
        data.setSizeBytes(size);
        long owed = facts.truncatingTo() >= 0 ? facts.truncatingTo() : facts.owedBytes();
        if (owed >= 0) {
            data.owedSize().set(owed);
        }
        // What landed since the journal was told is on the server, past the length that it had
        // then: until the file is open none of it may be taken for zeros.
        data.setRemoteSizeBytes(inode.isThere ? Math.max(facts.remoteBytes(), size) : 0);
        long found = 0;
        for (Journal.Range range : journal.ranges(file)) {
            long end = Math.min(size, range.to());
            if (range.from() < end) {
                data.pages().stored().add(range.from(), end);
                found += end - range.from();
            }
        }
        PendingAttributes pending = facts.pending();
        if (found > 0 && pending.modified() == null) {
            pending = pending.written(facts.modified()); // A commit with it was under way.
        }
        data.setPendingAttributes(pending);
        data.expectCreation();
        files++;
        bytes += found;
    }

    /** A directory of that path, of which nothing else is known. */
    @GuardedBy("table lock")
    private Inode directory(RemotePath path) {
        Inode directory = parts.table().root();
        for (String name : path.names()) {
            Inode child = directory.children().get(name);
            if (child == null || !child.isDirectory()) {
                Instant now = parts.coherency().now();
                ServerAttributes a =
                        new ServerAttributes(
                                FileType.DIRECTORY,
                                0,
                                DIRECTORY_MODE,
                                0,
                                0,
                                2,
                                now,
                                now,
                                now,
                                0,
                                CoherencyToken.of(now, 0));
                child = parts.table().enterUnasked(directory, name, a);
            }
            directory = child;
        }
        return directory;
    }
}
