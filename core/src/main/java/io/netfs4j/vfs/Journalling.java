// SPDX-License-Identifier: Apache-2.0
package io.netfs4j.vfs;

import io.netfs4j.base.FsException;
import io.netfs4j.base.GuardedBy;
import io.netfs4j.cache.journal.FileJournal;
import io.netfs4j.cache.journal.Journal;
import io.netfs4j.engine.Engine;
import io.netfs4j.engine.InodeData;
import io.netfs4j.server.RemotePath;

import org.jspecify.annotations.Nullable;

import java.nio.ByteBuffer;

/**
 * What of open files goes to the journal, and when: every change before whoever made it is told
 * that it is done, and what is about to be changed on the server before that is asked for it. Does
 * nothing on a mount without a journal.
 *
 * <p><b>Threads</b>: any; what awaits wants no lock.
 */
final class Journalling {
    private final @Nullable Journal journal;
    private final InodeTable table;
    private final Engine engine;

    /** Whether fsync returns once the journal is forced. */
    private final boolean syncs;

    Journalling(@Nullable Journal journal, InodeTable table, Engine engine, boolean syncs) {
        this.journal = journal;
        this.table = table;
        this.engine = engine;
        this.syncs = syncs;
        if (journal != null) {
            journal.onRoom(engine.cache()::freed);
        }
    }

    /** As {@link Journal#identity}; null without a journal. */
    @Nullable String identity() {
        return journal == null ? null : journal.identity();
    }

    // ---- bytes --------------------------------------------------------------------------------

    /** Data that is about to be used: it gets a place in the journal. */
    @GuardedBy("inode lock")
    void attach(Inode inode, InodeData data) {
        if (journal != null) {
            data.setJournal(new FileJournal(journal, new Facts(inode, data)));
        }
    }

    /** As {@link #attach}, of a file that was found in the journal. */
    @GuardedBy("inode lock")
    void attachFound(Inode inode, InodeData data, long file) {
        if (journal != null) {
            data.setJournal(FileJournal.found(journal, file, new Facts(inode, data)));
        }
    }

    /** A file has come to be that the server has not got yet, or something of it alone was set. */
    @GuardedBy("inode lock")
    void created(InodeData data) {
        FileJournal of = data.journal();
        if (of != null) {
            of.describe(data.sizeBytes());
        }
    }

    /** Whether so many bytes may be written now. */
    boolean hasRoom(int bytes) {
        return journal == null || journal.broken() != null || journal.hasRoom(bytes);
    }

    /** Whether what is written is safe only on the server. */
    boolean isBroken() {
        return journal != null && journal.broken() != null;
    }

    /**
     * Bytes have been written.
     *
     * @param sizeBefore how long the file was before that, in bytes
     * @param bytes they end at its position, which is not moved
     * @param isDated whether the server is to be told of another time for this: where the journal
     *     knows of none, what it has is of before that, or is being committed
     */
    @GuardedBy("inode lock")
    void written(
            InodeData data,
            long position,
            long sizeBefore,
            ByteBuffer bytes,
            int count,
            boolean isDated) {
        FileJournal of = data.journal();
        if (of != null) {
            boolean again = isDated && of.lastLsn() > 0;
            ByteBuffer written = bytes.duplicate();
            written.limit(written.position()).position(written.position() - count);
            of.written(position, sizeBefore, written);
            if (again) {
                data.describe();
            }
        }
    }

    /**
     * Waits until all that was said of a file survives this process.
     *
     * @throws FsException when it does not, nor will anything else that comes to the journal
     */
    void awaitWritten(@Nullable InodeData data) throws FsException {
        FileJournal of = data == null ? null : data.journal();
        // Until it is said that nothing is owed, what was written before would be sent once more.
        long lsn = of == null ? 0 : of.lastRecord();
        if (of != null && lsn > 0) {
            of.journal().awaitWritten(lsn);
        }
    }

    /** As {@link #awaitWritten}; where the journal is broken there is nothing to wait for. */
    void awaitIfWorking(@Nullable InodeData data) {
        try {
            awaitWritten(data);
        } catch (FsException e) {
            // What is not on the server is not safe then, and everybody has been told.
        }
    }

    /**
     * As {@link #awaitIfWorking}, until all that was said of a file survives a loss of power:
     * before the server is asked for anything by which it would look as if another client had been
     * there.
     */
    void awaitForcedIfWorking(@Nullable InodeData data) {
        FileJournal of = data == null ? null : data.journal();
        long lsn = of == null ? 0 : of.lastRecord();
        if (of == null || lsn == 0) {
            return;
        }
        try {
            of.journal().awaitForced(lsn);
        } catch (FsException e) {
            // As above.
        }
    }

    /**
     * Makes a file survive the loss of this machine's power, where that is what fsync is to do.
     *
     * @return false when the server is to be asked instead
     */
    boolean force(InodeData data) {
        FileJournal of = data.journal();
        if (!syncs || of == null || of.journal().broken() != null) {
            return false;
        }
        long lsn = of.lastLsn();
        if (lsn == 0) {
            return false; // The server has it all.
        }
        try {
            of.journal().awaitForced(lsn);
            return true;
        } catch (FsException e) {
            return false;
        }
    }

    /** As {@link #force}, of names. */
    boolean forceNames() {
        Journal all = journal;
        if (!syncs || all == null) {
            return false;
        }
        try {
            all.awaitForced(all.lastLsn());
            return true;
        } catch (FsException e) {
            return false;
        }
    }

    // ---- what is about to change --------------------------------------------------------------

    /**
     * Something of a file is about to be changed on the server: the journal has to know by then, or
     * it would be found as if the server had been right before. What it says of that file survives
     * a loss of power, too: else the version that the server has then would be another client's.
     *
     * @param intent says so, with the inode's lock held
     */
    void before(Inode inode, Runnable intent) {
        inode.lock.lock();
        try {
            intent.run();
            InodeData data = inode.data;
            if (data != null) {
                data.describe();
            }
        } finally {
            inode.lock.unlock();
        }
        awaitSaid(syncs);
        awaitForcedIfWorking(inode.data);
    }

    /**
     * The server's file is about to be changed past the journal. What that was told before must not
     * be found as it was before that: bytes that are saved by now would be sent over the change
     * once more, or what has been changed be taken for another client's.
     *
     * @param data null where the server makes a file
     */
    void beforeChange(@Nullable InodeData data) {
        awaitSaid(false);
        awaitForcedIfWorking(data);
    }

    /**
     * All that was said stays so: after a loss of power no older bytes are sent over what was
     * saved, and nobody goes by what a file was before that.
     */
    void forceSaid() {
        awaitSaid(true);
    }

    /** Waits until all that was said of files is written, or forced. */
    void awaitSaid(boolean forced) {
        Journal all = journal;
        if (all == null) {
            return;
        }
        try {
            if (forced) {
                all.awaitForced(all.lastSaidLsn());
            } else {
                all.awaitWritten(all.lastSaidLsn());
            }
        } catch (FsException e) {
            // It is broken, and takes nothing any more; everybody has been told.
        }
    }

    /**
     * Names below an inode, or its own, may be about to change: as {@link #before}. Forced, for the
     * server has the names that it was asked for, also after a loss of power, and what belongs to
     * one file must not be sent to another.
     *
     * @param intent says so, with the table's lock held
     * @param moving null for what is not known here
     */
    void beforeMove(Runnable intent, @Nullable Inode... moving) {
        say(intent);
        for (Inode inode : moving) {
            describeBelow(inode);
        }
        awaitSaid(true);
    }

    /** Names below inodes, or their own, have changed, or have not; as {@link #beforeMove}. */
    void afterMove(Runnable outcome, @Nullable Inode... moved) {
        say(outcome);
        for (Inode inode : moved) {
            describeBelow(inode);
            describeLeftOvers(inode);
        }
    }

    private void say(Runnable what) {
        table.lock().lock();
        try {
            what.run();
        } finally {
            table.lock().unlock();
        }
    }

    /** Names of ours have moved with their directory. */
    private void describeLeftOvers(@Nullable Inode top) {
        Journal all = journal;
        if (all == null || top == null || !top.isDirectory()) {
            return;
        }
        table.lock().lock();
        try {
            for (Inode child : table.childrenBelow(top)) {
                RemotePath path = child.hidden ? table.pathOrNull(child, false, null) : null;
                if (child.leftOver != 0 && path != null) {
                    all.describe(child.leftOver, 0, FileFacts.removed(path).encode());
                }
            }
        } finally {
            table.lock().unlock();
        }
    }

    /** Tells the journal anew of all that it knows of a file, or of those in a directory. */
    private void describeBelow(@Nullable Inode top) {
        if (journal == null || top == null) {
            return;
        }
        for (InodeData data : engine.flusher().unsaved()) {
            FileJournal of = data.journal();
            if (of != null
                    && of.facts() instanceof Facts facts
                    && table.isBelow(facts.inode, top)) {
                data.lock().lock();
                try {
                    data.describe();
                } finally {
                    data.lock().unlock();
                }
            }
        }
    }

    /** A removed file is about to live on under a name of ours, which is to go with it. */
    void leavesBehind(Inode inode, RemotePath hidden) {
        Journal all = journal;
        if (all == null) {
            return;
        }
        long lsn;
        table.lock().lock();
        try {
            if (inode.leftOver == 0) {
                inode.leftOver = all.newFile();
            }
            lsn = all.describe(inode.leftOver, 0, FileFacts.removed(hidden).encode());
        } finally {
            table.lock().unlock();
        }
        try {
            all.awaitForced(lsn);
        } catch (FsException e) {
            // Broken: the name may stay behind when this process dies.
        }
    }

    /** That name is gone, or did not come to be. */
    void leavesNothing(Inode inode) {
        table.lock().lock();
        try {
            if (journal != null && inode.leftOver != 0) {
                journal.forget(inode.leftOver);
                inode.leftOver = 0;
            }
        } finally {
            table.lock().unlock();
        }
    }

    // ---- facts --------------------------------------------------------------------------------

    private final class Facts implements FileJournal.Facts {
        private final Inode inode;

        /** Not the inode's: a directory's goes from there while something of it is under way. */
        private final InodeData data;

        /** The last path that it had. */
        @GuardedBy("inode lock")
        private @Nullable RemotePath path;

        Facts(Inode inode, InodeData data) {
            this.inode = inode;
            this.data = data;
        }

        @Override
        public byte[] now() {
            RemotePath movingTo;
            RemotePath replacedBy;
            boolean removing;
            boolean gone;
            long serverFileId;
            table.lock().lock();
            try {
                path = table.pathOrNull(inode, false, path);
                movingTo = table.pathOrNull(inode, true, null);
                replacedBy = inode.replacedBy;
                removing = inode.removing;
                gone = table.isRemoved(inode) && !inode.livesOn;
                serverFileId = inode.serverFileId;
            } finally {
                table.lock().unlock();
            }
            UploadLock lock = inode.uploadLock;
            FileFacts.State state = FileFacts.State.THERE;
            if (data.creation() != null && !inode.isThere) {
                state = inode.truncates ? FileFacts.State.NEW_OR_EMPTIED : FileFacts.State.NEW;
            }
            if (gone) {
                state = FileFacts.State.GONE;
            }
            return new FileFacts(
                            inode.type,
                            inode.symlinkTarget,
                            state,
                            path,
                            movingTo,
                            removing,
                            replacedBy,
                            serverFileId,
                            data.token(),
                            data.isSending(),
                            data.remoteSizeBytes(),
                            inode.truncatingTo,
                            new FileFacts.Owner(inode.mode, inode.uid, inode.gid),
                            inode.modified,
                            inode.accessed,
                            data.attributesOwed(),
                            lock == null ? null : lock.text(),
                            inode.growingTo,
                            data.owedSize().bytes())
                    .encode();
        }
    }
}
