// SPDX-License-Identifier: Apache-2.0
package io.netfs4j.engine;

import io.netfs4j.base.Completion;
import io.netfs4j.base.FsError;
import io.netfs4j.base.FsException;
import io.netfs4j.base.GuardedBy;
import io.netfs4j.request.Origin;
import io.netfs4j.server.ServerAttributes;
import io.netfs4j.server.ServerFile;
import io.netfs4j.server.WriteSession;
import io.netfs4j.trace.Counters.Counter;

import org.jspecify.annotations.Nullable;

/**
 * The end of a write request's session: what was sent is made to count, times are set, and the new
 * version is learned.
 *
 * <p><b>Threads</b>: with the inode's lock held.
 */
final class WriteCommit {
    /** So often it is tried again without a pause after the connection was lost. */
    private static final int LOSSES_MAX = 10;

    private final WriteRequest request;
    private final InodeData inode;
    private boolean begun;
    private boolean repeated;

    /** How long the file is afterwards has to be learned from it. */
    private boolean asks;

    private int losses;

    /** The connection was lost before it came about; what is there now is being looked for. */
    private boolean interrupted;

    private @Nullable Completion<ServerAttributes> result;
    private PendingAttributes taken = PendingAttributes.NONE;

    WriteCommit(WriteRequest request) {
        this.request = request;
        this.inode = request.inode();
    }

    /** Whether everything has to be sent again in a session of its own. */
    boolean isToBeRepeated() {
        return repeated;
    }

    /** Goes on with it, once nothing is in flight; whether it has ended. */
    @GuardedBy("inode lock")
    boolean isOver() {
        WriteSession session = request.session();
        if (session == null) {
            return true;
        }
        if (!begun) {
            if (request.retry.unchecked && isWanted()) {
                request.checkBaseAgain();
                request.post();
                return false;
            }
            begun = true;
            return !begin(session);
        }
        if (interrupted) {
            interrupted = false;
            return !goOn();
        }
        Completion<ServerAttributes> ended = result;
        if (ended == null) {
            return true;
        }
        return ended.isDone() && end(ended);
    }

    /** Whether there is anything that it would make visible, or set. */
    @GuardedBy("inode lock")
    private boolean isWanted() {
        boolean asksSize = request.origin == Origin.UNBUFFERED && request.failure != null;
        return !request.retry.rests
                && (request.transferredBytes > 0 || !inode.pendingAttributes.isEmpty() || asksSize);
    }

    /** Whether there is something to wait for. */
    @GuardedBy("inode lock")
    private boolean begin(WriteSession session) {
        WriteStream upload = request.upload();
        // What another client has by now is not given our times, nor taken for our version.
        boolean unknown = request.isBaseLost() || request.retry.rests;
        boolean lost = (request.isAtomic() && request.cancelled) || unknown;
        PendingAttributes pending = inode.pendingAttributes;
        if (inode.pages().dirtyBytes() == 0) {
            inode.pendingAttributes = PendingAttributes.NONE;
        }
        // Else they go once more, after what is dirty: sending that moves them again.
        // What failed past the page cache may have made the file longer: that has to be learned.
        asks = request.origin == Origin.UNBUFFERED && request.failure != null;
        if (!lost && (request.transferredBytes > 0 || !pending.isEmpty() || asks)) {
            commit(session, pending);
            return true;
        }
        BackEnd.abort(session);
        if (request.offers.count() == 0) {
            inode.setSending(false);
        }
        if (lost) {
            PendingAttributes kept = request.retry.rests ? pending : pending.owed();
            inode.pendingAttributes = inode.pendingAttributes.after(kept);
        }
        if (upload != null) {
            settle(upload, !lost);
        }
        return false;
    }

    @GuardedBy("inode lock")
    private void commit(WriteSession session, PendingAttributes pending) {
        taken = pending;
        inode.attributesUnderWay = pending.owed();
        Completion<ServerAttributes> ended = new Completion<>();
        result = ended;
        inode.listener().onCommitting();
        try {
            session.commit(inode.listener().toCommit(pending), ended);
        } catch (RuntimeException e) {
            ended.fail(BackEnd.report("the commit of a session", e));
        }
        ended.whenDone((attributes, problem) -> request.post());
    }

    /** Commits in another session what the lost connection kept from it; as {@link #begin}. */
    @GuardedBy("inode lock")
    private boolean goOn() {
        ServerFile file = inode.file();
        try {
            if (file == null) {
                throw new FsException(FsError.EBADF, "no handle to commit with");
            }
            if (!request.isBaseLost()) {
                commit(BackEnd.begin(file, inode.token()), taken);
                return true;
            }
        } catch (FsException e) {
            fail(e, request.upload());
        }
        // What another client has by now is not given our times.
        inode.attributesUnderWay = PendingAttributes.NONE;
        inode.pendingAttributes = inode.pendingAttributes.after(taken.owed());
        return false;
    }

    /** Whether the connection was lost before a commit, whose session kept nothing. */
    private boolean isInterrupted(@Nullable FsException refused) {
        return refused != null
                && refused.error() == FsError.ENOTCONN
                && !request.isAtomic()
                && losses < LOSSES_MAX;
    }

    @GuardedBy("inode lock")
    private boolean end(Completion<ServerAttributes> ended) {
        FsException refused = ended.failure();
        if (isInterrupted(refused)) {
            losses++;
            result = null;
            interrupted = true;
            request.checkBaseAgain();
            request.post();
            return false;
        }
        inode.attributesUnderWay = PendingAttributes.NONE;
        ServerFile file = inode.file();
        WriteStream upload = request.upload();
        if (file != null && refused != null && wereRefused(refused)) {
            // Others' files may be written and not dated: the server's own attributes stand then.
            giveUpAttributes(refused);
            if (upload != null && upload.atomic) {
                // With the session all that was sent is gone, and goes once more, without them.
                result = null;
                repeated = upload.heldFrom < request.issuedTo;
                if (!repeated) {
                    inode.setSending(false);
                }
                settle(upload, false);
                return true;
            }
            try {
                commit(BackEnd.begin(file, inode.token()), PendingAttributes.NONE);
                return false;
            } catch (FsException e) {
                result = null;
                fail(e, upload);
                return true;
            }
        }
        result = null;
        boolean counts = false;
        try {
            ServerAttributes attributes = BackEnd.given("a commit", ended.get());
            inode.setToken(attributes.token());
            inode.setSending(false);
            inode.setRemoteSizeBytes(attributes.sizeBytes());
            inode.trustSize();
            inode.syncing().need();
            inode.listener().onCommitted(attributes);
            counts = true;
        } catch (FsException e) {
            // What somebody set is tried again, under whatever was set since.
            if (e.error() != FsError.ESTALE) {
                inode.pendingAttributes = inode.pendingAttributes.after(taken.owed());
            }
            fail(e, upload);
        }
        if (upload != null) {
            settle(upload, counts);
        }
        return true;
    }

    @GuardedBy("inode lock")
    private void fail(FsException e, @Nullable WriteStream upload) {
        boolean atomic = upload != null && upload.atomic;
        if (request.origin == Origin.UNBUFFERED && !atomic) {
            // The server has the bytes, and so the caller is told: fsync tells of the rest.
            inode.errors().record(e);
            request.engine().counters().add(Counter.ERRORS, 1);
        }
        if (asks && upload != null && !atomic && !request.isGivenUp()) {
            inode.doubtSize(); // How long the file is was to be learned, and was not.
        }
        request.fail(e);
    }

    /** What was held until the commit counts now, or is to be sent again. */
    private void settle(WriteStream upload, boolean counts) {
        if (!counts && upload.heldFrom < request.issuedTo) {
            request.failed.add(upload.heldFrom, request.issuedTo);
        }
        upload.heldFrom = Long.MAX_VALUE;
    }

    @GuardedBy("inode lock")
    private boolean wereRefused(FsException refused) {
        return !taken.isEmpty()
                && (refused.error() == FsError.EPERM || refused.error() == FsError.EACCES);
    }

    /** Nobody is let down in silence: who set them hears of it at fsync or close. */
    @GuardedBy("inode lock")
    private void giveUpAttributes(FsException refused) {
        if (taken.isOwed()) {
            inode.errors().record(refused);
            request.engine().counters().add(Counter.ERRORS, 1);
            if (inode.pendingAttributes.equals(taken)) {
                inode.pendingAttributes = inode.pendingAttributes.notOwed();
            }
        }
    }
}
