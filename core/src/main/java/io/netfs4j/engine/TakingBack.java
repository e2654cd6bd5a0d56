// SPDX-License-Identifier: Apache-2.0
package io.netfs4j.engine;

import io.netfs4j.base.Completion;
import io.netfs4j.base.FsError;
import io.netfs4j.base.FsException;
import io.netfs4j.cache.journal.FileJournal;
import io.netfs4j.pagecache.StoredBytes;
import io.netfs4j.pagecache.Turnstile;

import org.jspecify.annotations.Nullable;

import java.nio.ByteBuffer;

/**
 * Brings what the journal alone keeps of a file back into memory, to be sent: as much as there is
 * room for, and at least a piece. What cannot be read is left out, and told.
 *
 * <p><b>Threads</b>: one of its own; it waits for the disk.
 */
final class TakingBack {
    /** It is read in pieces of so many bytes at most. */
    static final int PIECE_BYTES = 1 << 20;

    private final Engine engine;
    private final InodeData inode;
    private final FileJournal journal;
    private final ByteBuffer piece;

    /** How many bytes have come. */
    private final Completion<Long> over = new Completion<>();

    private long taken;
    private @Nullable FsException damage;

    /**
     * @param pieceBytes so much memory it uses
     */
    TakingBack(Engine engine, InodeData inode, FileJournal journal, int pieceBytes) {
        this.engine = engine;
        this.inode = inode;
        this.journal = journal;
        this.piece = ByteBuffer.allocate(pieceBytes);
    }

    /** Begins; ends with how many bytes have come. */
    Completion<Long> start() {
        engine.scheduler().forkBlocking("netfs-journal", this::run);
        return over;
    }

    /** Why some of it could not be read; null where all could. Once it has ended. */
    @Nullable FsException damage() {
        return damage;
    }

    private void run() {
        FsException failure = new FsException(FsError.EIO, "reading the journal broke off");
        try (Turnstile.Ticket turn = engine.cache().writers().enter()) {
            takeAll(turn);
            failure = null;
        } finally {
            if (failure == null) {
                over.complete(taken);
            } else {
                over.fail(failure);
            }
        }
    }

    private void takeAll(Turnstile.Ticket ticket) {
        // What others write finds room, too; and what cannot be sent now need not be here.
        long share = engine.cache().limits().dirtyBytesMax() / 2;
        long most = Math.max(1, engine.isConnected() ? share : Math.min(share, piece.capacity()));
        long at = 0;
        StoredBytes.Run run;
        while (taken < most && (run = next(at)) != null) {
            long wanted = Math.min(run.to() - run.from(), piece.capacity());
            piece.clear().limit((int) Math.min(wanted, most - taken));
            int count = 0;
            try {
                count = fill(run.from());
                if (count == 0 && run.equals(next(run.from()))) {
                    throw new FsException(FsError.EIO, "the journal lacks " + run);
                }
            } catch (FsException e) {
                damage = e;
                at = Math.max(run.from() + 1, journal.extentEnd(run.from()));
                continue;
            }
            int done = restore(run);
            if (done < 0 || (done == 0 && count > 0 && awaitRoom(ticket))) {
                continue; // What was read may be old by now.
            }
            taken += done;
            at = run.from() + done;
            if (done < count) {
                return; // No room for more.
            }
        }
    }

    /** Reads bytes of the file that lie in a row, as many as fit; returns how many. */
    private int fill(long position) throws FsException {
        while (piece.hasRemaining()) {
            int before = piece.position();
            try {
                if (journal.read(position + before, piece) == 0) {
                    break; // It was written over or dropped a moment ago.
                }
            } catch (FsException e) {
                if (before == 0) {
                    throw e;
                }
                piece.position(before);
                break;
            }
        }
        piece.flip();
        return piece.limit();
    }

    private StoredBytes.@Nullable Run next(long from) {
        inode.lock().lock();
        try {
            return inode.pages().stored().first(from);
        } finally {
            inode.lock().unlock();
        }
    }

    /**
     * Stands in line with the writers, where there is nothing else to be sent: what others have
     * dirty makes room when it is sent.
     *
     * @return false when there is something to be sent
     */
    private boolean awaitRoom(Turnstile.Ticket ticket) {
        inode.lock().lock();
        try {
            if (inode.pages().dirtyBytes() > inode.pages().stored().bytes()) {
                return false;
            }
        } finally {
            inode.lock().unlock();
        }
        ticket.failed();
        Completion<@Nullable Void> turn;
        while ((turn = ticket.beforeTry()) != null) {
            engine.awaitUninterruptibly(turn);
        }
        return true;
    }

    private int restore(StoredBytes.Run run) {
        inode.lock().lock();
        try {
            return inode.pages().stored().restore(run, piece.duplicate());
        } finally {
            inode.lock().unlock();
        }
    }
}
