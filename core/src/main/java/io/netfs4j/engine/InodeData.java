// SPDX-License-Identifier: Apache-2.0
package io.netfs4j.engine;

import io.netfs4j.base.Completion;
import io.netfs4j.base.FsError;
import io.netfs4j.base.FsException;
import io.netfs4j.base.GuardedBy;
import io.netfs4j.cache.Cookie;
import io.netfs4j.cache.journal.FileJournal;
import io.netfs4j.pagecache.AddressSpace;
import io.netfs4j.pagecache.PageCache;
import io.netfs4j.request.Origin;
import io.netfs4j.server.CoherencyToken;
import io.netfs4j.server.ServerFile;

import org.jspecify.annotations.Nullable;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.locks.ReentrantLock;

/**
 * The data side of an inode: its lock, its cached bytes, its sizes, who writes back, what went
 * wrong.
 *
 * <p>Two sizes: {@link #sizeBytes} is the file as applications see it; {@link #remoteSizeBytes} is
 * what the server is known to have, and the zero point: from there on absent bytes are zeros, and
 * no server is asked. Too high is safe (a needless read), too low would be corruption.
 *
 * <p><b>Threads</b>: all fields with {@link #lock} held, the "inode lock" of every floor.
 */
public final class InodeData {
    private final ReentrantLock lock;
    private final AddressSpace pages;
    private final WritebackLock writebackLock = new WritebackLock();
    private final WriteErrors errors = new WriteErrors();
    private final Syncing syncing = new Syncing(errors);
    private final InodeListener listener;
    private final OwedSize owedSize = new OwedSize();

    @GuardedBy("lock")
    private long sizeBytes;

    @GuardedBy("lock")
    private long remoteSizeBytes;

    /** Where a read met the end of the server's file; nothing where that was as expected. */
    private long endFoundAt = Long.MAX_VALUE;

    private boolean resizing;
    long resizings; // How often that has begun or ended.

    /**
     * A change of the server's file failed, and the server could not be asked afterwards how long
     * the file is now: perhaps longer than is known. Then the next request begins with that
     * question, and the file is unsaved until there is an answer.
     */
    @GuardedBy("lock")
    private boolean sizeInDoubt;

    /**
     * Ends with the next attempt to make the file on the server; null once the server has it. A
     * file that the server has not got is unsaved, and its requests begin with that attempt.
     */
    @GuardedBy("lock")
    private @Nullable Completion<@Nullable Void> creation;

    @GuardedBy("lock")
    private boolean creating;

    /** Somebody is about to give it up: no attempt begins meanwhile. */
    @GuardedBy("lock")
    private boolean creationHeld;

    /** An attempt was wanted while it was held. */
    @GuardedBy("lock")
    private boolean creationWanted;

    /** Why the last attempt failed. */
    @GuardedBy("lock")
    private @Nullable FsException creationFailure;

    /** Nobody wants it any more: the attempt under way is the last one. */
    @GuardedBy("lock")
    private boolean creationGivenUp;

    /** The server's handle while anything is open or dirty, else null. Owned by vfs. */
    @GuardedBy("lock")
    private @Nullable ServerFile file;

    /** Handles that were replaced and may still be used by a request under way. */
    @GuardedBy("lock")
    private final List<ServerFile> retired = new ArrayList<>(0);

    /** The disk cache's handle, while there is one of the server's; else null. */
    @GuardedBy("lock")
    private @Nullable CarefulCookie cookie;

    /** How many transfers to the disk cache were left behind and have not ended. */
    @GuardedBy("lock")
    int cookieSuspensions;

    /** The journal's side of it; null where there is no journal. Set once. */
    private @Nullable FileJournal journal;

    /** The version that the clean bytes belong to. */
    @GuardedBy("lock")
    private @Nullable CoherencyToken token;

    /**
     * Something may have been sent since the server's version was learned last: what it has then is
     * that version with any part of ours.
     */
    @GuardedBy("lock")
    private boolean sending;

    /** Times of what was written, and those set while data was on its way. */
    @GuardedBy("lock")
    PendingAttributes pendingAttributes = PendingAttributes.NONE;

    /** Times that somebody set are on their way to the server with a commit. */
    @GuardedBy("lock")
    PendingAttributes attributesUnderWay = PendingAttributes.NONE;

    /** The request that owns the write-back lock now. */
    @GuardedBy("lock")
    @Nullable WriteRequest writing;

    /** The request that waits for the write-back lock: whoever comes joins it. */
    @GuardedBy("lock")
    @Nullable WriteRequest waiting;

    @GuardedBy("lock")
    final List<ReadRequest> reads = new ArrayList<>();

    /** Raised when the server's version changed: what was read of the old one does not count. */
    @GuardedBy("lock")
    long generation;

    /** Calls outside the lock that use the handle. */
    @GuardedBy("lock")
    private int borrowed;

    // The flusher's part.

    /** Whether the flusher knows that something is unsaved. */
    @GuardedBy("lock")
    boolean isKnownUnsaved;

    /** When it became dirty, on the engine's clock. */
    @GuardedBy("lock")
    long dirtySinceNanos;

    /** Failed requests in a row. */
    @GuardedBy("lock")
    int failures;

    /** Not before this is a failed upload tried again by itself. */
    @GuardedBy("lock")
    long parkedUntilNanos;

    public InodeData(ReentrantLock lock, PageCache cache, InodeListener listener, long sizeBytes) {
        this.lock = lock;
        this.pages = new AddressSpace(lock, cache);
        this.listener = listener;
        this.sizeBytes = sizeBytes;
        this.remoteSizeBytes = sizeBytes;
    }

    public ReentrantLock lock() {
        return lock;
    }

    public AddressSpace pages() {
        return pages;
    }

    public WritebackLock writebackLock() {
        return writebackLock;
    }

    public WriteErrors errors() {
        return errors;
    }

    public InodeListener listener() {
        return listener;
    }

    public long sizeBytes() {
        return sizeBytes;
    }

    public void setSizeBytes(long bytes) {
        sizeBytes = bytes;
    }

    public long remoteSizeBytes() {
        return remoteSizeBytes;
    }

    public OwedSize owedSize() {
        return owedSize;
    }

    public void setRemoteSizeBytes(long bytes) {
        if (bytes <= endFoundAt) {
            endFoundAt = Long.MAX_VALUE; // It was cut by us, and that is answered now.
        }
        remoteSizeBytes = owedSize.limit(bytes);
    }

    /**
     * A read of the present version has met the end of the server's file.
     *
     * @param askedBytes what the server was known to have when it was asked
     * @param askedResizings what {@link #resizings} was then: since then we may have cut it
     */
    void foundEnd(long bytes, long askedBytes, long askedResizings) {
        boolean ours = resizing || resizings != askedResizings;
        if (!ours && !sizeInDoubt && bytes < Math.min(askedBytes, remoteSizeBytes)) {
            endFoundAt = Math.min(endFoundAt, bytes);
        }
    }

    /** Whether the server is being asked to set the size: it may have done so already. */
    public void setResizing(boolean underWay) {
        resizing = underWay;
        resizings++;
    }

    /** Whether another client has cut it: what is absent then is not zeros, and unknown. */
    public boolean isCut() {
        return knownEnd() < remoteSizeBytes;
    }

    /** Where the server's file ends, as far as is known: there, where it is cut. */
    public long knownEnd() {
        return Math.min(remoteSizeBytes, endFoundAt);
    }

    /** What was cut off counts as what the server never had: zeros. */
    public void acceptCut() {
        setRemoteSizeBytes(knownEnd());
    }

    /** Whether the server's file may be longer than is known. */
    public boolean isSizeInDoubt() {
        return sizeInDoubt;
    }

    /** Nobody knows how long the server's file is now; the flusher is to be told. */
    public void doubtSize() {
        sizeInDoubt = true;
    }

    /** The server was asked, or told, how long the file is; or nobody wants to know any more. */
    public void trustSize() {
        sizeInDoubt = false;
    }

    /** The server's answer where that was in doubt: all that is there is the file's. */
    void learnSize(long there) {
        long bytes = owedSize.limit(there);
        sizeInDoubt = false;
        long known = sizeBytes;
        if (bytes > remoteSizeBytes) {
            pages.dropClean(Math.min(known, remoteSizeBytes), bytes);
        }
        setRemoteSizeBytes(bytes);
        if (bytes > known) {
            sizeBytes = bytes;
            listener.onWritten(known, (int) Math.min(Integer.MAX_VALUE, bytes - known));
        }
    }

    public @Nullable ServerFile file() {
        return file;
    }

    /**
     * Sets the handle. The one before is closed as soon as no request uses it any more, for a retry
     * goes to the handle that its request began with.
     */
    public void setFile(@Nullable ServerFile file) {
        ServerFile before = this.file;
        this.file = file;
        if (before != null && !before.equals(file)) {
            retired.add(before);
        }
        closeRetired();
        CarefulCookie present = cookie;
        if (file == null && present != null) {
            cookie = null;
            present.close();
        } else if (file != null && present == null) {
            cookie = CarefulCookie.open(listener::openCookie);
        }
    }

    /** Where the disk cache keeps it; null when it does not, or not now. */
    public @Nullable Cookie cookie() {
        CarefulCookie present = cookie;
        return present == null || present.isBroken() || cookieSuspensions > 0 ? null : present;
    }

    /** A transfer to the disk cache is not waited for any more: what it stores may be old. */
    void suspendCookie() {
        uncache(0, Long.MAX_VALUE);
        cookieSuspensions++;
    }

    /** That transfer has ended. */
    void resumeCookie() {
        cookieSuspensions--;
        uncache(0, Long.MAX_VALUE);
    }

    /** The server's file was or is being changed otherwise than by write-back. */
    public void uncache(long from, long to) {
        if (cookie != null) {
            cookie.discard(from, to);
        }
    }

    /** Closes handles that were replaced, once nothing is under way. */
    public void closeRetired() {
        if (writing == null && reads.isEmpty() && borrowed == 0) {
            retired.forEach(BackEnd::close);
            retired.clear();
        }
    }

    public @Nullable CoherencyToken token() {
        return token;
    }

    public void setToken(@Nullable CoherencyToken token) {
        this.token = token;
        if (cookie != null && token != null) {
            cookie.setVersion(token.text());
        }
    }

    public boolean isSending() {
        return sending;
    }

    /** Before the first byte is sent, and once the version is known again. */
    public void setSending(boolean sending) {
        this.sending = sending;
        if (!sending) {
            listener.onSettled();
        }
    }

    public @Nullable FileJournal journal() {
        return journal;
    }

    /** Before anything is written to it. */
    public void setJournal(@Nullable FileJournal journal) {
        this.journal = journal;
    }

    /** The last record over it in the journal; 0 where there is none. */
    long journalLsn() {
        return journal == null ? 0 : journal.lastLsn();
    }

    /** What is known of it has changed: the journal, where it holds anything of it, is told. */
    public void describe() {
        if (journal != null) {
            journal.describeAgain(sizeBytes);
        }
    }

    /** Drops the bytes of a range, dirty ones too, wherever they are kept. */
    public void drop(long from, long to) {
        pages.drop(from, to);
        if (journal != null) {
            journal.cut(from, to);
        }
    }

    /** Drops everything from a position on, as {@link AddressSpace#truncate}. */
    public void truncate(long size) {
        pages.truncate(size);
        if (journal != null) {
            journal.cut(size, Long.MAX_VALUE);
        }
    }

    public PendingAttributes pendingAttributes() {
        return pendingAttributes;
    }

    /** What the server has not got yet, also where it is on its way. */
    public PendingAttributes attributesOwed() {
        return pendingAttributes.after(attributesUnderWay);
    }

    public void setPendingAttributes(PendingAttributes attributes) {
        pendingAttributes = attributes;
    }

    /** The file is an application's already, and not yet the server's. */
    public void expectCreation() {
        creation = new Completion<>();
    }

    /** The end of the next attempt to make it on the server; null when the server has it. */
    public @Nullable Completion<@Nullable Void> creation() {
        return creation;
    }

    /** Whether an attempt to make it on the server is under way. */
    public boolean isBeingCreated() {
        return creating;
    }

    /** Begins an attempt; null when none is needed. */
    @Nullable Completion<@Nullable Void> beginCreation() {
        if (creation != null && creationHeld) {
            creationWanted = true;
        } else if (creation != null) {
            creating = true;
            listener.create();
        }
        return creation;
    }

    /**
     * Keeps attempts from beginning, until {@link #releaseCreation}.
     *
     * @return false when one is under way, when it is held already, or when none is needed
     */
    public boolean holdCreation() {
        if (creation == null || creating || creationHeld) {
            return false;
        }
        creationHeld = true;
        return true;
    }

    public void releaseCreation() {
        creationHeld = false;
        if (creationWanted) {
            creationWanted = false;
            beginCreation();
        }
    }

    /** An attempt has ended: well, and the handle is set, or badly, and there will be others. */
    public void endCreation(@Nullable FsException failure) {
        Completion<@Nullable Void> attempt = creation;
        creating = false;
        creationFailure = failure;
        creation = failure == null || creationGivenUp ? null : new Completion<>();
        if (failure != null && creationGivenUp) {
            listener.onGivenUp();
        }
        if (attempt != null && failure == null) {
            attempt.complete(null);
        } else if (attempt != null && failure != null) {
            attempt.fail(failure);
        }
    }

    /** Why the server has not got it, and will not; null where that is not so. */
    public @Nullable FsException creationFailure() {
        return creation == null ? creationFailure : null;
    }

    /**
     * The server need not get it any more, unless it is getting it now. What is dirty stays so, for
     * those who have it open.
     */
    public void giveUpCreation() {
        Completion<@Nullable Void> attempt = creation;
        creationGivenUp = true;
        pendingAttributes = PendingAttributes.NONE;
        if (attempt != null && !creating) {
            creation = null;
            listener.onGivenUp();
            // Who waits for it hears why the server has not got it.
            attempt.fail(whyGivenUp());
        }
    }

    /** What those hear who wait for bytes that were given up: why the server refused the file. */
    FsException whyGivenUp() {
        FsException refused = creationFailure;
        return refused == null ? new FsException(FsError.ESTALE, "the file was given up") : refused;
    }

    /** Whether anything of it is not on the server yet. */
    public boolean isUnsaved() {
        return isToBeSent() || isSendingPages() || waiting != null || sizeInDoubt;
    }

    /** Whether the server has not got all that somebody has set. */
    public boolean owesAttributes() {
        return pendingAttributes.isOwed() || !attributesUnderWay.isEmpty();
    }

    /** Whether giving it up now would lose anything that somebody wrote or set. */
    public boolean isOwed() {
        return owesAttributes()
                || owedSize.isOwed()
                || creation != null
                || pages.dirtyBytes() > 0
                || pages.writebackBytes() > 0;
    }

    /** Whether the server is to be sent anything of it, be it the time of a write alone. */
    public boolean isToBeSent() {
        return isOwed() || !pendingAttributes.isEmpty();
    }

    /** Whether nothing of it is to be saved, and only the server's length of it is not known. */
    public boolean isOnlyInDoubt() {
        return sizeInDoubt && !isToBeSent();
    }

    /** Whether something of the page cache is on its way to the server. */
    private boolean isSendingPages() {
        WriteRequest request = writing;
        return request != null
                && request.origin != Origin.COPY_TO_CACHE
                && request.origin != Origin.UNBUFFERED;
    }

    /**
     * Whether a request sends something of it to the server now, past the page cache, too: what the
     * server said of the file may be from before that.
     */
    public boolean isBeingWritten() {
        return writing != null && writing.origin != Origin.COPY_TO_CACHE;
    }

    /** What of it was forced to the server's stable storage. */
    public Syncing syncing() {
        return syncing;
    }

    /**
     * The handle, for a call outside the lock: it is not closed until {@link #giveBackFile}. Null
     * when there is none.
     */
    public @Nullable ServerFile borrowFile() {
        if (file != null) {
            borrowed++;
        }
        return file;
    }

    /** What is done with a borrowed handle. */
    public interface HandleUse<T extends @Nullable Object> {
        T run(ServerFile handle) throws FsException;
    }

    /** Uses a handle that was borrowed, without the lock, and gives it back. */
    public <T extends @Nullable Object> T useBorrowed(ServerFile handle, HandleUse<T> use)
            throws FsException {
        try {
            return use.run(handle);
        } finally {
            lock.lock();
            try {
                giveBackFile();
            } finally {
                lock.unlock();
            }
        }
    }

    public void giveBackFile() {
        borrowed--;
        closeRetired();
        if (borrowed == 0 && !isUnsaved()) {
            listener.onClean();
        }
    }

    /** Whether reads or writes of it are under way. */
    public boolean isBusy() {
        return writing != null || waiting != null || !reads.isEmpty() || borrowed > 0;
    }

    /** The server's file is another version now: clean bytes do not count any more. */
    public void invalidate() {
        generation++;
        endFoundAt = Long.MAX_VALUE;
        pages.invalidate();
        uncache(0, Long.MAX_VALUE);
    }
}
