// SPDX-License-Identifier: Apache-2.0
package io.netfs4j.engine;

import io.netfs4j.base.Completion;
import io.netfs4j.base.FsError;
import io.netfs4j.base.FsException;
import io.netfs4j.base.GuardedBy;
import io.netfs4j.cache.journal.FileJournal;
import io.netfs4j.request.Origin;
import io.netfs4j.server.ServerAttributes;
import io.netfs4j.server.ServerFile;

import org.jspecify.annotations.Nullable;

/**
 * What comes before a write request's first piece: the server makes the file, where it has not got
 * it; it is asked how long that is, where this is in doubt ({@link InodeData#isSizeInDoubt}); a
 * session opens, and with it the streams.
 *
 * <p><b>Threads</b>: with the inode's lock held.
 */
final class WriteBeginning {
    private final WriteRequest request;
    private final InodeData inode;

    /** The attempt to make the file on the server, until that has ended. */
    private @Nullable Completion<@Nullable Void> creation;

    /** What the journal alone keeps is on its way back, until that has ended. */
    private @Nullable TakingBack taking;

    private @Nullable Completion<Long> taken;

    /** Some of that has come: what is left will follow in another request. */
    private boolean tookBack;

    /** Whether the server has the version that is built on, until that is known. */
    private @Nullable Completion<@Nullable Void> base;

    private boolean isBaseKnown;

    /** What the server says of the file, where it was asked, until that is taken in. */
    private @Nullable Completion<ServerAttributes> answer;

    WriteBeginning(WriteRequest request) {
        this.request = request;
        this.inode = request.inode();
    }

    @GuardedBy("inode lock")
    void begin() {
        Completion<@Nullable Void> attempt = inode.beginCreation();
        if (attempt == null) {
            goOn(null);
            return;
        }
        creation = attempt;
        attempt.whenDone((made, problem) -> request.post());
    }

    /** Goes on with it; whether the session is open, or the request has failed. */
    @GuardedBy("inode lock")
    boolean isOver() {
        Completion<@Nullable Void> attempt = creation;
        if (attempt != null) {
            if (!attempt.isDone()) {
                return false;
            }
            creation = null;
            if (attempt.failure() == null) {
                request.engine().flusher().onAnswered(inode, true);
                isBaseKnown = true; // It was made, or looked at, a moment ago.
            }
            goOn(attempt.failure());
        }
        Completion<Long> back = taken;
        if (back != null) {
            if (!back.isDone()) {
                return false;
            }
            taken = null;
            tookBack(back);
        }
        Completion<ServerAttributes> asked = answer;
        if (asked != null) {
            if (!asked.isDone()) {
                return false;
            }
            answer = null;
            learn(asked);
        }
        Completion<@Nullable Void> check = base;
        if (check != null) {
            if (!check.isDone()) {
                return false;
            }
            base = null;
            isBaseKnown = true;
            goOn(check.failure());
        }
        return true;
    }

    @GuardedBy("inode lock")
    private void goOn(@Nullable FsException refused) {
        if (refused != null) {
            request.fail(refused);
        } else if (!request.cancelled && !takesBack()) {
            openSession();
        }
    }

    /**
     * Begins to bring back what the journal alone keeps. It comes into memory and is dirty there,
     * so that the walk finds it.
     */
    @GuardedBy("inode lock")
    private boolean takesBack() {
        FileJournal journal = inode.journal();
        if (!sendsStored()
                || journal == null
                || inode.pages().stored().isEmpty()
                || taking != null) {
            return false;
        }
        TakingBack begun = new TakingBack(request.engine(), inode, journal);
        taking = begun;
        Completion<Long> over = begun.start();
        taken = over;
        over.whenDone((bytes, problem) -> request.post());
        return true;
    }

    @GuardedBy("inode lock")
    private void tookBack(Completion<Long> back) {
        FsException damage = back.failure();
        TakingBack ended = taking;
        if (ended != null && damage == null) {
            damage = ended.damage();
        }
        tookBack = inode.pages().dirtyBytes() > inode.pages().stored().bytes();
        if (damage != null && request.failure == null) {
            request.failure = damage; // What could be read is sent all the same.
        }
        goOn(null);
    }

    /** Whether some of what the journal alone keeps has come, or is about to. */
    @GuardedBy("inode lock")
    boolean tookBack() {
        return tookBack || taken != null;
    }

    /** Whether some of what is owed is the journal's alone: it follows in another request. */
    @GuardedBy("inode lock")
    boolean leavesStored() {
        return sendsStored() && !inode.pages().stored().isEmpty();
    }

    private boolean sendsStored() {
        return request.origin == Origin.SYNC || request.origin == Origin.WRITEBACK;
    }

    /** What goes past the page cache is not built on anything that was read here. */
    @GuardedBy("inode lock")
    private boolean checksBase() {
        return !isBaseKnown && request.origin != Origin.UNBUFFERED && inode.listener().checksBase();
    }

    @GuardedBy("inode lock")
    private void openSession() {
        ServerFile file = inode.file();
        if (file != null && inode.isSizeInDoubt()) {
            askSize(file);
        } else if (file != null && checksBase()) {
            checkBase(file);
        } else if (file == null || !BackEnd.isWritable(file)) {
            if (inode.pages().dirtyBytes() > 0
                    || request.origin == Origin.UNBUFFERED
                    || inode.pendingTimes.isOwed()) {
                FsException refused = inode.creationFailure();
                FsException none = new FsException(FsError.EBADF, "no handle to write with");
                request.failure = refused == null ? none : refused;
            } else {
                inode.pendingTimes = PendingTimes.NONE; // Of what is written no more.
            }
            request.cancelled = true;
        } else {
            if (!inode.isSending()) {
                inode.setSending(true);
                inode.describe();
            }
            try {
                request.open(BackEnd.begin(file, inode.token()));
            } catch (FsException e) {
                request.fail(e);
            }
        }
    }

    /**
     * Where a piece may end, and what of an object is kept, depends on where the file ends. Asking
     * waits, and so is no part of a step.
     */
    @GuardedBy("inode lock")
    private void askSize(ServerFile file) {
        Completion<ServerAttributes> asked = new Completion<>();
        inode.borrowFile();
        answer = asked;
        inode.listener().onCommitting();
        request.engine().scheduler().fork("netfs-size", () -> ask(file, asked));
        asked.whenDone((attributes, problem) -> request.post());
    }

    private void ask(ServerFile file, Completion<ServerAttributes> asked) {
        try {
            asked.complete(inode.useBorrowed(file, BackEnd::attributes));
        } catch (FsException e) {
            asked.fail(e);
        }
    }

    /** What was changed here is not to be written over what another client changed meanwhile. */
    @GuardedBy("inode lock")
    private void checkBase(ServerFile file) {
        Completion<@Nullable Void> check = new Completion<>();
        inode.borrowFile();
        base = check;
        request.engine().scheduler().fork("netfs-base", () -> checkBase(file, check));
        check.whenDone((same, problem) -> request.post());
    }

    private void checkBase(ServerFile file, Completion<@Nullable Void> check) {
        FsException failure = new FsException(FsError.EIO, "looking at the base broke off");
        try {
            inode.<@Nullable Void>useBorrowed(
                    file,
                    handle -> {
                        inode.listener().beforeSending(handle);
                        return null;
                    });
            failure = null;
        } catch (FsException e) {
            failure = e;
        } finally {
            if (failure == null) {
                check.complete(null);
            } else {
                check.fail(failure);
            }
        }
    }

    @GuardedBy("inode lock")
    private void learn(Completion<ServerAttributes> asked) {
        FsException unknown = null;
        try {
            ServerAttributes attributes = asked.get();
            if (!attributes.token().equals(inode.token())) {
                inode.invalidate(); // By us, or by another client meanwhile: nobody knows.
                inode.setToken(attributes.token());
                inode.listener().onInvalidated();
            }
            inode.learnSize(attributes.sizeBytes());
            inode.listener().onCommitted(attributes);
        } catch (FsException e) {
            unknown = e;
            if (e.error() == FsError.ENOENT || e.error() == FsError.ESTALE) {
                inode.trustSize(); // Nobody will ever know.
            }
        }
        goOn(unknown);
    }
}
