// SPDX-License-Identifier: Apache-2.0
package io.netfs4j.vfs;

import io.netfs4j.base.Completion;
import io.netfs4j.base.FsError;
import io.netfs4j.base.FsException;
import io.netfs4j.base.GuardedBy;
import io.netfs4j.engine.InodeData;
import io.netfs4j.server.Capability;
import io.netfs4j.server.CoherencyToken;
import io.netfs4j.server.RemotePath;
import io.netfs4j.server.RenameMode;
import io.netfs4j.server.ServerAttributes;
import io.netfs4j.trace.Counters.Counter;

import org.jspecify.annotations.Nullable;

import java.util.ArrayList;
import java.util.List;
import java.util.Objects;

/**
 * Names on the server by which mounts keep out of each other's uploads, where nothing else does:
 * between the question which version the server has and the end of what is sent after it, another
 * mount that asked the same would write into the same file.
 *
 * <pre>
 *   mount 1   lock, ask | pieces ... commit | unlock
 *   mount 2        lock: taken ............ | ...   | lock, ask: another version
 * </pre>
 *
 * <p>A lock is a symbolic link in {@link #DIRECTORY} of what is mounted: made exclusively, with its
 * owner as its target, in one round trip that asks for the file as well; nobody who asks for a lock
 * once more, after an answer that was lost, can take another's for his own. It is not beside the
 * file, whose directory would have another modification time after each upload.
 *
 * <p>It is kept until what the server has is known again: while an upload fails, too, and over a
 * crash, for the journal knows it. So whoever still finds his lock knows that no other mount has
 * written meanwhile. A lock that has not changed for {@link #EXPIRY_NANOS}, nor its file, is taken
 * for a dead mount's and broken. One of an earlier mount with this journal is so at once, for
 * nobody else has that journal, unless that knew of it.
 *
 * <p><b>Threads</b>: any; what asks the server waits, and wants no lock and not the {@link
 * NamesGate}.
 */
final class UploadLocks {
    /** Where locks are, in the directory that is mounted. Hidden there. */
    static final String DIRECTORY = ".netfs-locks";

    /** Between a lock's name and whoever takes it away for dead. */
    private static final char ASIDE = '.';

    static final RemotePath PLACE = RemotePath.ROOT.child(DIRECTORY);

    /** Longer than a mount that sends something leaves a file alone. */
    private static final long EXPIRY_NANOS = 30_000_000_000L;

    /** A lock held for less cannot have been broken. */
    private static final long SURE_NANOS = EXPIRY_NANOS / 2;

    private static final long POLL_FIRST_NANOS = 10_000_000L;
    private static final long POLL_MAX_NANOS = 500_000_000L;

    /**
     * So often may the server fail to make a lock, and not say why, before it is not asked again.
     */
    private static final int FAILURES_MAX = 10;

    /** With more locks than these on the server nobody looks for those that are left over. */
    private static final int LOOKED_AT_MAX = 1000;

    private final VfsParts parts;

    /** The server would not have locks; nor is it asked again. */
    private volatile boolean refused;

    /** What targets of this mount begin with; empty until the first is needed. */
    @GuardedBy("table lock")
    private String owner = "";

    @GuardedBy("table lock")
    private long taken;

    private final OwnLocks ours = new OwnLocks();

    /** The directory of locks may be there because of us, or of an earlier mount that died. */
    @GuardedBy("table lock")
    private boolean used;

    /** The end has come: a lock that goes after it takes the directory along. */
    private volatile boolean ends;

    UploadLocks(VfsParts parts) {
        this.parts = parts;
        used = parts.journalling().identity() != null;
    }

    boolean areUsed() {
        return !refused && mayBeUsed();
    }

    private boolean mayBeUsed() {
        return parts.options().conflicts().policy() != VfsOptions.OnConflict.OVERWRITE
                && parts.server().capabilities().has(Capability.NAMED_LOCKS);
    }

    // ---- taking -------------------------------------------------------------------------------

    /** What asking for a lock came to. */
    private record Answer(End end, @Nullable UploadLock lock, @Nullable ServerAttributes seen) {
        enum End {
            OVER,
            TAKEN_ELSEWHERE,
            FAILED
        }

        static final Answer WAIT = new Answer(End.TAKEN_ELSEWHERE, null, null);

        /** For no reason that is known: another's lock may have gone before that was looked for. */
        static final Answer FAILED = new Answer(End.FAILED, null, null);
    }

    /** One lock that is to be taken, however often that is tried. */
    private static final class Attempt {
        final String target;

        /** What the server may have made, though it did not say so. */
        @Nullable UploadLock perhaps;

        Attempt(String target) {
            this.target = target;
        }
    }

    /**
     * Takes a file's lock, waiting for whoever has it, and asks what stands at the file's name.
     * Goes on without a lock where the server makes none.
     *
     * @return null where nothing is seen there
     * @throws FsException what the server said; ESTALE when the file has no name
     */
    @Nullable ServerAttributes take(Inode inode) throws FsException {
        Attempt attempt = new Attempt(newTarget());
        boolean taken = false;
        ours.add(attempt.target);
        try {
            Answer answer = take(inode, attempt);
            UploadLock lock = answer.lock();
            taken = lock != null && lock.target().equals(attempt.target);
            return answer.seen();
        } finally {
            UploadLock perhaps = attempt.perhaps;
            if (!taken && perhaps != null) {
                removing(perhaps, () -> {});
            } else if (!taken) {
                ours.drop(attempt.target);
            }
        }
    }

    private Answer take(Inode inode, Attempt attempt) throws FsException {
        Watched watched = null;
        long pause = POLL_FIRST_NANOS;
        int failures = 0;
        while (true) {
            awaitRemovals(inode);
            Answer answer = parts.gate().shared(() -> ask(inode, attempt));
            if (answer.end() == Answer.End.FAILED && ++failures >= FAILURES_MAX) {
                refused = true;
                return parts.gate().shared(() -> without(parts.table().path(inode)));
            }
            if (answer.end() == Answer.End.OVER) {
                has(inode, answer.lock());
                return answer;
            }
            Watched before = watched;
            watched = parts.gate().shared(() -> watch(inode, attempt, before));
            UploadLock shared = watched.shared();
            if (shared != null) {
                return share(inode, shared);
            }
            pause(pause);
            pause = Math.min(POLL_MAX_NANOS, 2 * pause);
        }
    }

    private Answer ask(Inode inode, Attempt attempt) throws FsException {
        RemotePath path = parts.table().path(inode);
        RemotePath name = UploadLock.name(path);
        if (ours.removal(name) != null) {
            return Answer.WAIT; // It has been moved here a moment ago.
        }
        boolean again = attempt.perhaps != null;
        UploadLock perhaps = new UploadLock(name.name(), attempt.target, Long.MIN_VALUE);
        attempt.perhaps = perhaps;
        // It may be made long before that is heard of, and be another's by then.
        UploadLock lock = new UploadLock(name.name(), attempt.target, parts.nowNanos());
        try {
            ServerAttributes seen = parts.server().makeSymlinkAndStat(name, attempt.target, path);
            if (isSure(lock) || isHeld(lock)) {
                return new Answer(Answer.End.OVER, lock, seen);
            }
            attempt.perhaps = null;
            return Answer.WAIT;
        } catch (FsException e) {
            switch (e.error()) {
                case EEXIST -> {
                    if (again && isHeld(perhaps)) {
                        return new Answer(Answer.End.OVER, perhaps, parts.stat(path));
                    }
                    attempt.perhaps = null;
                    return Answer.WAIT;
                }
                case EIO -> {
                    return Answer.FAILED;
                }
                case ENOENT -> {
                    attempt.perhaps = null;
                    if (isPlaceMade()) {
                        return Answer.WAIT;
                    }
                    refused = true;
                }
                case EACCES, EPERM, EROFS, ENOTDIR, EINVAL, ENOTSUP, ENOSYS -> {
                    attempt.perhaps = null;
                    refused = true;
                }
                case ENOSPC, EDQUOT -> attempt.perhaps = null;
                default -> throw e;
            }
            return without(path);
        }
    }

    /** Goes on with a lock that another file here has, and that counts for both by now. */
    private Answer share(Inode inode, UploadLock lock) throws FsException {
        boolean shared = false;
        try {
            ServerAttributes seen =
                    parts.gate().shared(() -> parts.stat(parts.table().path(inode)));
            has(inode, lock);
            shared = true;
            return new Answer(Answer.End.OVER, lock, seen);
        } finally {
            if (!shared) {
                removing(lock, () -> {});
            }
        }
    }

    private static void has(Inode inode, @Nullable UploadLock lock) {
        inode.lock.lock();
        try {
            inode.uploadLock = lock;
        } finally {
            inode.lock.unlock();
        }
    }

    private Answer without(RemotePath path) throws FsException {
        return new Answer(Answer.End.OVER, null, parts.stat(path));
    }

    /** Makes the directory of locks: whoever may write in what is mounted may write there. */
    private boolean isPlaceMade() throws FsException {
        try {
            parts.server().makeDirectory(PLACE, parts.server().stat(RemotePath.ROOT).mode());
            return true;
        } catch (FsException e) {
            return switch (e.error()) {
                case EEXIST -> true;
                case EACCES, EPERM, EROFS, ENOENT, EINVAL, ENOTSUP -> false;
                default -> throw e;
            };
        }
    }

    private String newTarget() {
        parts.table().lock().lock();
        try {
            used = true;
            if (owner.isEmpty()) {
                owner = lives() + Long.toHexString(parts.environment().random().nextLong());
            }
            return owner + "-" + ++taken;
        } finally {
            parts.table().lock().unlock();
        }
    }

    /** What targets begin with of all mounts that had this mount's journal. */
    private String lives() {
        String host = parts.options().conflicts().host();
        String journal = parts.journalling().identity();
        return (host.isEmpty() ? "netfs" : host) + "-" + (journal == null ? "" : journal + "-");
    }

    /** A lock that an earlier mount may have left; null for none. */
    @Nullable UploadLock found(@Nullable String text) {
        UploadLock lock = UploadLock.parse(text);
        if (lock != null) {
            ours.add(lock.target());
        }
        return lock;
    }

    /**
     * Whether a lock stands for nothing any more: this mount failed to give it back, or did not
     * hear that it had it; or it is of an earlier mount with this journal, which does not tell of
     * it.
     */
    private boolean isLeftOver(String target) {
        parts.table().lock().lock();
        try {
            boolean fromHere = !owner.isEmpty() && target.startsWith(owner + "-");
            boolean fromBefore =
                    parts.journalling().identity() != null && target.startsWith(lives());
            return (fromHere || fromBefore) && !ours.has(target);
        } finally {
            parts.table().lock().unlock();
        }
    }

    private void pause(long nanos) throws FsException {
        Completion<@Nullable Void> over = new Completion<>();
        parts.environment().scheduler().schedule(() -> over.complete(null), nanos);
        parts.environment().waits().await(over);
    }

    // ---- another's ----------------------------------------------------------------------------

    /**
     * Another's lock and its file, as they have been for some time.
     *
     * @param shared the lock, where a file here has it, which had that name before
     */
    private record Watched(
            @Nullable String holder,
            @Nullable CoherencyToken version,
            long sinceNanos,
            @Nullable UploadLock shared) {}

    /** Looks at another's lock, and breaks it when nothing has moved for too long. */
    private Watched watch(Inode inode, Attempt attempt, @Nullable Watched before)
            throws FsException {
        RemotePath path = parts.table().path(inode);
        RemotePath name = UploadLock.name(path);
        String holder = holder(name);
        if (holder != null && isLeftOver(holder)) {
            breakLock(name, holder);
            return new Watched(null, null, parts.nowNanos(), null);
        }
        boolean isThis = attempt.target.equals(holder);
        if (holder != null && !isThis && ours.share(name, holder)) {
            UploadLock lock = new UploadLock(name.name(), holder, Long.MIN_VALUE);
            return new Watched(holder, null, parts.nowNanos(), lock);
        }
        ServerAttributes file = parts.stat(path);
        CoherencyToken version = file == null ? null : file.token();
        Watched now = new Watched(holder, version, parts.nowNanos(), null);
        if (before == null
                || !Objects.equals(before.holder, holder)
                || !Objects.equals(before.version, version)) {
            return now;
        }
        if (holder != null && now.sinceNanos - before.sinceNanos >= EXPIRY_NANOS) {
            breakLock(name, holder);
            return now;
        }
        return before;
    }

    /** Whose a lock is; null when there is none. */
    private @Nullable String holder(RemotePath name) throws FsException {
        try {
            return parts.server().readSymlink(name);
        } catch (FsException e) {
            if (e.isAbsence() || e.error() == FsError.EINVAL) {
                return null;
            }
            throw e;
        }
    }

    /**
     * Takes a dead mount's lock away: aside first, for it may have been another's by the time that
     * the server did it; that one gets it back.
     */
    private void breakLock(RemotePath name, String dead) throws FsException {
        String unique = newTarget();
        RemotePath aside = PLACE.child(name.name() + ASIDE + unique);
        ours.add(unique);
        // Where the journal knew the lock, and does not any more, it is not to know it once again.
        parts.journalling().forceSaid();
        try {
            parts.server().rename(name, aside, RenameMode.NOREPLACE);
            String moved = holder(aside);
            if (moved != null && !moved.equals(dead)) {
                parts.server().rename(aside, name, RenameMode.NOREPLACE);
            } else {
                removeAside(aside);
            }
        } catch (FsException e) {
            switch (e.error()) {
                case ENOENT, EEXIST -> {} // Somebody else was first.
                case EACCES, EPERM -> refused = true;
                default -> throw e;
            }
        } finally {
            ours.drop(unique);
        }
    }

    /** What is aside holds up nobody. */
    private void removeAside(RemotePath aside) {
        try {
            parts.server().remove(aside);
        } catch (FsException e) {
            if (!e.isAbsence()) {
                parts.engine().counters().add(Counter.ERRORS, 1); // It stays until the end.
            }
        }
    }

    // ---- having -------------------------------------------------------------------------------

    /** Whether a lock is still ours: then no other mount has written what it stands for. */
    boolean isHeld(UploadLock lock) throws FsException {
        return lock.target().equals(holder(lock.path()));
    }

    private boolean isSure(UploadLock lock) {
        return lock.takenNanos() != Long.MIN_VALUE
                && parts.nowNanos() - lock.takenNanos() < SURE_NANOS;
    }

    /** Somebody else has taken us for dead. */
    void lost(UploadLock lock) {
        ours.drop(lock.target());
    }

    // ---- giving back --------------------------------------------------------------------------

    /** Gives a file's lock back in the background, where there is one. */
    @GuardedBy("inode lock")
    void release(Inode inode) {
        UploadLock lock = inode.uploadLock;
        if (lock == null) {
            return;
        }
        inode.uploadLock = null;
        InodeData data = inode.data;
        if (data != null) {
            data.describe();
        }
        // Else what is ours would be found in the journal without its lock.
        removing(lock, () -> parts.journalling().awaitForcedIfWorking(data));
    }

    /** Takes one of ours away in the background, unless it is another file's, too. */
    private void removing(UploadLock lock, Runnable first) {
        Completion<@Nullable Void> released = new Completion<>();
        if (!ours.release(lock, released)) {
            return;
        }
        parts.table().lock().lock();
        try {
            used = true;
        } finally {
            parts.table().lock().unlock();
        }
        parts.environment()
                .scheduler()
                .fork(
                        "netfs-unlock",
                        () -> {
                            first.run();
                            remove(lock, released);
                        });
    }

    private void remove(UploadLock lock, Completion<@Nullable Void> released) {
        try {
            if (isSure(lock) || isHeld(lock)) {
                parts.server().remove(lock.path());
            }
        } catch (FsException e) {
            if (!e.isAbsence()) {
                // It stays until somebody wants it, or the end.
                parts.engine().counters().add(Counter.ERRORS, 1);
            }
        } finally {
            ours.removed(lock, released);
            try {
                if (ends && ours.isEmpty()) {
                    removePlace(); // Nobody waits for that any more once this is over.
                }
            } finally {
                released.complete(null);
            }
        }
    }

    private void removePlace() {
        try {
            parts.server().removeDirectory(PLACE);
        } catch (FsException e) {
            // Others have locks there, or it is gone.
        }
    }

    /** What takes a lock of ours away late would take the next one of its name. */
    private void awaitRemovals(Inode inode) throws FsException {
        Completion<@Nullable Void> removal;
        while ((removal = ours.removal(UploadLock.name(parts.table().path(inode)))) != null) {
            parts.environment().waits().await(removal);
        }
    }

    /** Waits until locks that are on their way out are gone, and with the last one their place. */
    void awaitReleases() throws FsException {
        List<Completion<@Nullable Void>> pending = ours.removals();
        boolean tidies;
        ends = true; // What was given up is perhaps still being sent, under a lock of its own.
        parts.table().lock().lock();
        try {
            tidies = used;
            used = false;
        } finally {
            parts.table().lock().unlock();
        }
        for (Completion<@Nullable Void> release : pending) {
            parts.environment().waits().await(release);
        }
        if (tidies && mayBeUsed()) {
            try {
                removeLeftOvers();
            } catch (FsException e) {
                if (e.error() == FsError.EINTR) {
                    throw e;
                }
            }
            removePlace();
        }
    }

    /**
     * What could not be given back, and what a mount that was killed had taken, and had not told
     * its journal of.
     */
    private void removeLeftOvers() throws FsException {
        List<String> names = new ArrayList<>();
        parts.server()
                .list(
                        PLACE,
                        (name, type, attributes) -> {
                            if (names.size() >= LOOKED_AT_MAX) {
                                throw new FsException(FsError.EFBIG, "too many locks");
                            }
                            names.add(name);
                        });
        for (String name : names) {
            int aside = name.indexOf(ASIDE);
            if (aside >= 0 && isLeftOver(name.substring(aside + 1))) {
                removeAside(PLACE.child(name));
                continue;
            }
            String holder = holder(PLACE.child(name));
            if (holder != null && isLeftOver(holder)) {
                breakLock(PLACE.child(name), holder);
            }
        }
    }
}
