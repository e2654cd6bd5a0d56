// SPDX-License-Identifier: Apache-2.0
package io.netfs4j.engine;

import io.netfs4j.base.Completion;
import io.netfs4j.base.FsError;
import io.netfs4j.base.FsException;
import io.netfs4j.base.GuardedBy;
import io.netfs4j.cache.journal.FileJournal;
import io.netfs4j.request.Origin;
import io.netfs4j.server.AttributeChange;
import io.netfs4j.server.ServerAttributes;
import io.netfs4j.server.ServerFile;

import org.jspecify.annotations.Nullable;

/**
 * What comes before a write request's first piece: the server makes the file, where it has not got
 * it; what the journal alone keeps comes back; the server is asked how long the file is, where this
 * is in doubt ({@link InodeData#isSizeInDoubt}), and whether it has the version that was changed; a
 * session opens, and with it the streams. Each of these is waited for in turn.
 *
 * <p><b>Threads</b>: with the inode's lock held.
 */
final class WriteBeginning {
    private final WriteRequest request;
    private final InodeData inode;

    /** Where it waits for its turn to ask the server, and for memory to read the journal into. */
    private final InFlight.Turn questionTurn;

    private final InFlight.Turn takingTurn;

    /** What is waited for; null when nothing is. */
    private @Nullable Completion<?> awaited;

    /** What follows that. */
    private Runnable next = () -> {};

    /** It has to try again: it waits for one of its turns. */
    private boolean lacksTurn;

    /** What the journal alone keeps is coming back, or has come. */
    private @Nullable TakingBack taking;

    /** Some of that has come, or is about to. */
    private boolean tookBack;

    /** It will look whether there is a connection, and how often it has. */
    private boolean looks;

    private int looked;

    private boolean isBaseKnown;

    /** The size that is owed of which the journal has heard; -1 for none. */
    private long saidCut = -1;

    /** The server was asked to set the size that is owed. */
    private boolean cuts;

    /** It turned out while it was being sent that the base does not stand, or nobody knows. */
    private boolean isBaseLost;

    WriteBeginning(WriteRequest request) {
        this.request = request;
        this.inode = request.inode();
        this.questionTurn = request.engine().questions().new Turn(request);
        this.takingTurn = request.engine().takings().new Turn(request);
    }

    @GuardedBy("inode lock")
    void begin() {
        Completion<@Nullable Void> attempt = inode.beginCreation();
        if (attempt == null) {
            goOn(null);
        } else {
            await(attempt, () -> made(attempt.failure()));
        }
    }

    private void await(Completion<?> what, Runnable then) {
        awaited = what;
        next = then;
        what.whenDone((value, problem) -> request.post());
    }

    /** Goes on with it; whether the session is open, or the request has failed. */
    @GuardedBy("inode lock")
    boolean isOver() {
        if (lacksTurn) {
            lacksTurn = false;
            goOn(null);
        }
        Completion<?> what;
        while ((what = awaited) != null) {
            if (!what.isDone()) {
                return false;
            }
            awaited = null;
            next.run();
        }
        return !lacksTurn;
    }

    /** It has ended, whatever it waited for. */
    @GuardedBy("inode lock")
    void forget() {
        request.engine().questions().forget(request);
        request.engine().takings().forget(request);
    }

    @GuardedBy("inode lock")
    private void made(@Nullable FsException refused) {
        if (refused == null) {
            request.engine().flusher().onAnswered(inode, true);
            isBaseKnown = true; // It was made, or looked at, a moment ago.
        }
        goOn(refused);
    }

    @GuardedBy("inode lock")
    private void goOn(@Nullable FsException refused) {
        if (refused != null) {
            request.fail(refused);
        } else if (!request.cancelled && !takesBack()) {
            openSession();
        }
    }

    // ---- what the journal keeps ---------------------------------------------------------------

    /**
     * Begins to bring back what the journal alone keeps. It comes into memory and is dirty there,
     * so that the walk finds it.
     *
     * @return false when there is nothing to wait for
     */
    @GuardedBy("inode lock")
    private boolean takesBack() {
        FileJournal journal = inode.journal();
        long kept = inode.pages().stored().bytes();
        if (!sendsStored() || journal == null || kept == 0 || taking != null) {
            return false;
        }
        if (!request.engine().isConnected()) {
            lacksTurn = true;
            lookForConnection();
            return true;
        }
        int piece = (int) Math.min(kept, TakingBack.PIECE_BYTES);
        if (!takingTurn.tryAcquire(piece, 1)) {
            // Those whose turn it is may wait for the very room that what is dirty here takes.
            boolean dirty = inode.pages().dirtyBytes() > kept;
            if (dirty) {
                request.engine().takings().forget(request);
            }
            lacksTurn = !dirty;
            return lacksTurn;
        }
        TakingBack begun = new TakingBack(request.engine(), inode, journal, piece);
        taking = begun;
        tookBack = true;
        Completion<Long> over = begun.start();
        await(
                over,
                () -> {
                    request.engine().takings().release(piece, 1);
                    FsException broken = over.failure();
                    tookBack(broken == null ? begun.damage() : broken);
                });
        return true;
    }

    /** What cannot be sent now need not be in memory: it stays where it is until it can. */
    @GuardedBy("inode lock")
    private void lookForConnection() {
        if (looks) {
            return;
        }
        looks = true;
        Engine engine = request.engine();
        engine.after(
                engine.retryPauseNanos(++looked),
                () -> {
                    inode.lock().lock();
                    try {
                        looks = false;
                    } finally {
                        inode.lock().unlock();
                    }
                    request.post();
                });
    }

    @GuardedBy("inode lock")
    private void tookBack(@Nullable FsException damage) {
        tookBack = inode.pages().dirtyBytes() > inode.pages().stored().bytes();
        if (damage != null && request.failure == null) {
            request.failure = damage; // What could be read is sent all the same.
        }
        goOn(null);
    }

    /** Whether some of what the journal alone keeps has come, or is about to. */
    @GuardedBy("inode lock")
    boolean tookBack() {
        return tookBack;
    }

    /** Whether some of what is owed is the journal's alone: it follows in another request. */
    @GuardedBy("inode lock")
    boolean leavesStored() {
        return sendsStored() && !inode.pages().stored().isEmpty();
    }

    private boolean sendsStored() {
        return request.origin == Origin.SYNC || request.origin == Origin.WRITEBACK;
    }

    // ---- what the server says -----------------------------------------------------------------

    @GuardedBy("inode lock")
    private void openSession() {
        ServerFile file = inode.file();
        boolean doubts = inode.isSizeInDoubt();
        if (!doubts && sendsStored() && !inode.isToBeSent() && !inode.isSending()) {
            // The request before this one, or the answer to a question, has left nothing to do.
            request.cancelled = true;
        } else if (file != null && (doubts || checksBase())) {
            lacksTurn = !questionTurn.tryAcquire(0, 1);
            if (!lacksTurn && doubts) {
                askSize(file);
            } else if (!lacksTurn) {
                checkBase(file);
            }
        } else if (file == null || !BackEnd.isWritable(file)) {
            if (inode.pages().dirtyBytes() > 0
                    || request.origin == Origin.UNBUFFERED
                    || inode.owedSize().isOwed()
                    || inode.pendingAttributes.isOwed()) {
                FsException refused = inode.creationFailure();
                FsException none = new FsException(FsError.EBADF, "no handle to write with");
                request.failure = refused == null ? none : refused;
            } else {
                inode.pendingAttributes = PendingAttributes.NONE; // Of what is written no more.
            }
            request.cancelled = true;
        } else if (inode.owedSize().isOwed()) {
            cut(file);
        } else if (!awaitsMark()) {
            try {
                request.open(BackEnd.begin(file, inode.token()));
            } catch (FsException e) {
                request.fail(e);
            }
        }
    }

    /**
     * Says that the server may have something of ours from now on. Who has asked for its version
     * has waited for that to be in the journal; what goes past the page cache asks nobody, and what
     * else is owed of the file would be taken for changed by another client after a crash.
     *
     * @return whether it is waited for
     */
    @GuardedBy("inode lock")
    private boolean awaitsMark() {
        FileJournal journal = inode.journal();
        boolean isSaid = inode.isSending();
        send();
        if (isSaid
                || request.origin != Origin.UNBUFFERED
                || journal == null
                || journal.lastLsn() == 0) {
            return false;
        }
        awaitForced(journal, isSaid);
        return true;
    }

    /** Goes on once the journal has all that was said; nothing is sent if it was given up. */
    @GuardedBy("inode lock")
    private void awaitForced(FileJournal journal, boolean wasSending) {
        await(
                journal.journal().whenForced(journal.lastRecord()),
                () -> {
                    if (request.cancelled && !wasSending) {
                        inode.setSending(false);
                        inode.describe();
                    }
                    goOn(null);
                });
    }

    @GuardedBy("inode lock")
    private void send() {
        if (!inode.isSending()) {
            inode.setSending(true);
            inode.describe();
        }
    }

    /**
     * What the server is to cut off is nowhere else: a crash after that must not find a journal in
     * which it was never cut. Whoever cuts it here waits for that, but not before this request.
     *
     * @return whether it is waited for
     */
    @GuardedBy("inode lock")
    private boolean awaitsCut() {
        FileJournal journal = inode.journal();
        long size = inode.owedSize().bytes();
        if (journal == null || saidCut == size) {
            return false;
        }
        boolean isSaid = inode.isSending();
        send();
        saidCut = size;
        awaitForced(journal, isSaid);
        return true;
    }

    /** What goes past the page cache is not built on anything that was read here; a cut is. */
    @GuardedBy("inode lock")
    private boolean checksBase() {
        boolean builds = request.origin != Origin.UNBUFFERED || inode.owedSize().isOwed();
        return !isBaseKnown && builds && inode.listener().checksBase();
    }

    /** The file was cut here: on the server, too, before anything is sent that lies behind that. */
    @GuardedBy("inode lock")
    private void cut(ServerFile file) {
        if (awaitsCut()) {
            return;
        }
        lacksTurn = !questionTurn.tryAcquire(0, 1);
        if (lacksTurn) {
            return;
        }
        send();
        AttributeChange size = AttributeChange.size(inode.owedSize().bytes());
        inode.listener().onCommitting();
        inode.setResizing(true);
        cuts = true;
        Completion<ServerAttributes> cut =
                ask("netfs-cut", file, handle -> BackEnd.set(() -> handle.setAttributes(size)));
        await(cut, () -> wasCut(file, cut));
    }

    @GuardedBy("inode lock")
    private void wasCut(ServerFile file, Completion<ServerAttributes> cut) {
        inode.setResizing(false);
        try {
            ServerAttributes attributes = cut.get();
            inode.uncache(inode.owedSize().bytes(), Long.MAX_VALUE);
            inode.owedSize().settle();
            inode.setRemoteSizeBytes(attributes.sizeBytes());
            inode.syncing().need();
            inode.listener().onCommitted(attributes);
            inode.describe();
        } catch (FsException e) {
            wasRefused(file, e);
            return;
        }
        FileJournal journal = inode.journal();
        if (request.origin == Origin.UNBUFFERED && journal != null) {
            // Else after a loss of power it would be cut once more, and what is sent now with it.
            Completion<@Nullable Void> forced = journal.journal().whenForced(journal.lastRecord());
            await(forced, () -> answered(() -> goOn(null)));
        } else {
            answered(() -> goOn(null));
        }
    }

    /**
     * It is still owed, and done once more with the next request. Whether it was done, and the
     * answer lost: where the server has the version from before, nothing has come to it of ours.
     */
    @GuardedBy("inode lock")
    private void wasRefused(ServerFile file, FsException refused) {
        Completion<ServerAttributes> asked = ask("netfs-size", file, BackEnd::attributes);
        await(
                asked,
                () -> {
                    try {
                        if (asked.get().token().equals(inode.token())) {
                            inode.setSending(false);
                        }
                    } catch (FsException e) {
                        // Nobody knows.
                    }
                    answered(() -> goOn(refused));
                });
    }

    /**
     * Where a piece may end, and what of an object is kept, depends on where the file ends. Asking
     * waits, and so is no part of a step.
     */
    @GuardedBy("inode lock")
    private void askSize(ServerFile file) {
        inode.listener().onCommitting();
        Completion<ServerAttributes> asked = ask("netfs-size", file, BackEnd::attributes);
        await(asked, () -> answered(() -> learn(asked)));
    }

    /** What was changed here is not to be written over what another client changed meanwhile. */
    @GuardedBy("inode lock")
    private void checkBase(ServerFile file) {
        Completion<Boolean> checked = askBase(file);
        await(
                checked,
                () ->
                        answered(() -> {
                            isBaseKnown = true;
                            FsException moved = checked.failure();
                            if (moved != null && request.origin == Origin.UNBUFFERED) {
                                inode.errors().record(moved); // Who has cut it is to hear of it.
                            }
                            goOn(moved);
                        }));
    }

    /** Whether nothing is sent, nor will be before it has looked for a size that is owed. */
    @GuardedBy("inode lock")
    boolean looksForCuts() {
        return request.session() == null && !cuts && taking == null;
    }

    @GuardedBy("inode lock")
    private Completion<Boolean> askBase(ServerFile file) {
        return ask(
                "netfs-base",
                file,
                handle -> {
                    inode.listener().beforeSending(handle);
                    return true;
                });
    }

    /** While there was no connection another client may have given us up, and gone on. */
    @GuardedBy("inode lock")
    void checkAgain() {
        ServerFile file = inode.file();
        boolean asks =
                request.origin != Origin.UNBUFFERED
                        && inode.listener().checksBase()
                        && inode.listener().checksAfterLoss();
        if (!asks || file == null) {
            return;
        }
        Completion<Boolean> checked = askBase(file);
        await(
                checked,
                () -> {
                    FsException moved = checked.failure();
                    if (moved != null) {
                        isBaseLost = true;
                        request.fail(moved);
                    }
                });
    }

    boolean isBaseLost() {
        return isBaseLost;
    }

    private void answered(Runnable then) {
        request.engine().questions().release(0, 1);
        then.run();
    }

    @GuardedBy("inode lock")
    private <T> Completion<T> ask(String thread, ServerFile file, InodeData.HandleUse<T> question) {
        Completion<T> asked = new Completion<>();
        inode.borrowFile();
        request.engine().scheduler().fork(thread, () -> ask(file, question, asked));
        return asked;
    }

    private <T> void ask(ServerFile file, InodeData.HandleUse<T> question, Completion<T> asked) {
        FsException failure = new FsException(FsError.EIO, "the question broke off");
        T answer = null;
        try {
            answer = inode.useBorrowed(file, question);
            failure = null;
        } catch (FsException e) {
            failure = e;
        } finally {
            if (failure == null) {
                asked.complete(answer);
            } else {
                asked.fail(failure);
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
