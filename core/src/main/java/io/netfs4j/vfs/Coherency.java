// SPDX-License-Identifier: Apache-2.0
package io.netfs4j.vfs;

import io.netfs4j.base.Clock;
import io.netfs4j.base.GuardedBy;
import io.netfs4j.engine.InodeData;
import io.netfs4j.engine.PendingAttributes;
import io.netfs4j.server.AttributeChange;
import io.netfs4j.server.Capabilities;
import io.netfs4j.server.Capability;
import io.netfs4j.server.CoherencyToken;
import io.netfs4j.server.FileType;
import io.netfs4j.server.Server;
import io.netfs4j.server.ServerAttributes;

import org.jspecify.annotations.Nullable;

import java.time.Instant;
import java.util.function.BooleanSupplier;

/**
 * When what we know still counts, and what a server's answer changes. Close-to-open: opening asks
 * the server, and a token other than the one that the cached bytes belong to drops them. While
 * something of a file is unsaved its size and times here are the newer ones.
 *
 * <p><b>Threads</b>: methods on an inode want its lock held, but for {@link #touch}.
 */
final class Coherency {
    private static final int PERMISSION_BITS = 07777;

    /** Its name and its dot; fewer where a server does not count those of directories. */
    private static final int LINKS_OF_DIRECTORY = 2;

    /** One millisecond; see {@link #now}. */
    private static final long TICK_NANOS = 1_000_000;

    private record Tick(long atNanos, Instant time) {}

    private final Clock clock;
    private final VfsOptions options;
    private final Capabilities capabilities;
    private final InodeTable table;
    private final BooleanSupplier connected;

    private volatile @Nullable Tick tick;

    /** Set by the door. */
    private volatile KernelCache kernelCache = KernelCache.NONE;

    Coherency(Clock clock, VfsOptions options, Server server, InodeTable table) {
        this.clock = clock;
        this.options = options;
        this.capabilities = server.capabilities();
        this.table = table;
        this.connected = server::isConnected;
    }

    /** The server cannot be asked now: what was known last counts, whatever its age. */
    boolean isOffline() {
        return !connected.getAsBoolean();
    }

    void setKernelCache(KernelCache cache) {
        kernelCache = cache;
    }

    KernelCache kernelCache() {
        return kernelCache;
    }

    /**
     * The wall clock in the server's granularity, so that a time stays what it is once it is sent.
     * It stands still for a millisecond at a time, so that small writes need not make a time each;
     * that of the kernel's own file systems moves every 1 to 10 ms.
     */
    Instant now() {
        long nanos = clock.nanoTime();
        Tick last = tick;
        if (last == null || nanos - last.atNanos >= TICK_NANOS) {
            last = new Tick(nanos, round(clock.now()));
            tick = last;
        }
        return last.time;
    }

    Instant round(Instant time) {
        long granule = capabilities.timeGranularityNanos();
        if (granule <= 1) {
            return time;
        }
        if (granule >= 1_000_000_000L) {
            return Instant.ofEpochSecond(time.getEpochSecond());
        }
        return time.minusNanos(time.getNano() % granule);
    }

    AttributeChange round(AttributeChange c) {
        return new AttributeChange(
                c.mode(),
                c.uid(),
                c.gid(),
                c.sizeBytes(),
                c.accessed() == null ? null : round(c.accessed()),
                c.modified() == null ? null : round(c.modified()));
    }

    /** What tells a file's versions apart where the server's times are coarse; else null. */
    @Nullable VersionDates newDates() {
        return capabilities.has(Capability.NAMED_LOCKS) ? new VersionDates() : null;
    }

    /**
     * How long it takes until the version that is known of a file cannot be changed any more
     * without looking otherwise, in nanoseconds. At 0 what was read of it before is dropped.
     */
    @GuardedBy("inode lock")
    long unprovenNanos(Inode inode) {
        VersionDates dates = inode.dates;
        InodeData data = inode.data;
        if (dates == null || data == null || !dates.isUnproven() || data.isUnsaved()) {
            return 0;
        }
        long left = dates.unprovenNanos(clock.now(), capabilities.timeGranularityNanos());
        if (left == 0) {
            dates.prove();
            drop(inode, data);
        }
        return left;
    }

    /** A file is not as long as it was said to be, whatever its time says. */
    @GuardedBy("inode lock")
    void tellOfSize(Inode inode, long shown, long found) {
        if (found < shown) {
            kernelCache.shrank(inode.ino);
        }
        if (found != shown) {
            kernelCache.invalidate(inode.ino, 0, -1);
        }
    }

    /** What was read of a file does not count any more, wherever it is kept. */
    @GuardedBy("inode lock")
    void drop(Inode inode, InodeData data) {
        data.invalidate();
        kernelCache.invalidate(inode.ino, 0, -1);
    }

    /** A version that was found on the server. */
    @GuardedBy("inode lock")
    void found(VersionDates dates, ServerAttributes a) {
        dates.theirs(a, clock.now(), capabilities.timeGranularityNanos());
    }

    /** What a commit sets, with the time of what was written dated so that it tells of it. */
    @GuardedBy("inode lock")
    AttributeChange toCommit(Inode inode, PendingAttributes pending) {
        AttributeChange change = pending.change();
        VersionDates dates = inode.dates;
        InodeData data = inode.data;
        Instant modified = change.modified();
        if (dates == null || data == null || modified == null || pending.modifiedWasSet()) {
            return change;
        }
        Instant date =
                dates.distinct(
                        round(modified),
                        data.remoteSizeBytes(),
                        clock.now(),
                        capabilities.timeGranularityNanos());
        return new AttributeChange(
                change.mode(),
                change.uid(),
                change.gid(),
                change.sizeBytes(),
                change.accessed(),
                date);
    }

    @GuardedBy("inode lock")
    boolean isFresh(Inode inode) {
        InodeData data = inode.data;
        if (data != null && data.isUnsaved()) {
            return true;
        }
        if (inode.fetchedNanos == Long.MIN_VALUE) {
            return false;
        }
        long age = clock.nanoTime() - inode.fetchedNanos;
        return age < options.attributesValidNanos() || isOffline();
    }

    /** For how long attributes given out now may be believed. */
    @GuardedBy("inode lock")
    long validNanos(Inode inode) {
        if (inode.fetchedNanos == Long.MIN_VALUE) {
            return 0;
        }
        long age = clock.nanoTime() - inode.fetchedNanos;
        return Math.max(0, options.attributesValidNanos() - age);
    }

    /**
     * Takes in what the server said.
     *
     * @param asked {@link Inode#changes} when it was asked: where it has moved on since, the answer
     *     is too old
     */
    @GuardedBy("inode lock")
    void apply(Inode inode, ServerAttributes a, long asked) {
        if (inode.changes != asked) {
            return;
        }
        InodeData data = inode.data;
        boolean unsaved = data != null && data.isUnsaved();
        if (unsaved && inode.type != FileType.REGULAR) {
            return; // Of such a thing there is nothing to be saved but what the answer tells.
        }
        inode.takeOwners(a);
        if (unsaved) {
            return;
        }
        inode.fetchedNanos = clock.nanoTime();
        boolean moved =
                !a.modified().equals(inode.modified) || a.sizeBytes() != inode.currentSize();
        if (a.sizeBytes() < inode.currentSize()) {
            kernelCache.shrank(inode.ino);
        }
        inode.accessed = a.accessed();
        inode.modified = a.modified();
        inode.sizeBytes = a.sizeBytes();
        VersionDates dates = inode.dates;
        if (data != null && !a.token().equals(data.token())) {
            if (dates != null) {
                found(dates, a);
            }
            data.invalidate();
            data.setToken(a.token());
            data.setSizeBytes(a.sizeBytes());
            // The answer may be from before what has reached the server since.
            long atLeast = data.isBeingWritten() ? data.remoteSizeBytes() : 0;
            data.setRemoteSizeBytes(Math.max(atLeast, a.sizeBytes()));
            moved = true;
        }
        if (moved) {
            if (inode.type == FileType.SYMLINK) {
                inode.symlinkTarget = null;
            }
            kernelCache.invalidate(inode.ino, 0, -1);
        }
    }

    /**
     * What we changed ourselves, and the server's answer to it: nothing is dropped.
     *
     * @param asked {@link Inode#ownerChanges} when it was asked: where they have been changed
     *     since, the answer may be from before that, and nobody knows what came last
     */
    @GuardedBy("inode lock")
    void applyOwn(Inode inode, ServerAttributes a, long asked) {
        boolean last = inode.ownerChanges == asked;
        if (last) {
            inode.takeOwners(a);
        }
        inode.changes++;
        inode.fetchedNanos = last ? clock.nanoTime() : Long.MIN_VALUE;
        InodeData data = inode.data;
        if (data == null) {
            inode.sizeBytes = a.sizeBytes();
            inode.accessed = last ? a.accessed() : inode.accessed;
            inode.modified = last ? a.modified() : inode.modified;
            return;
        }
        VersionDates dates = inode.dates;
        if (dates != null) {
            dates.ours(a);
        }
        data.setToken(a.token());
        data.setRemoteSizeBytes(a.sizeBytes());
        boolean isSent = data.pages().dirtyBytes() == 0 && data.pages().writebackBytes() == 0;
        if (isSent && !data.owedSize().isOwed()) {
            data.setSizeBytes(a.sizeBytes());
        }
        inode.sizeBytes = data.sizeBytes();
        if (last && data.pendingAttributes().accessed() == null) {
            inode.accessed = a.accessed();
        }
        if (last && data.pendingAttributes().modified() == null) {
            inode.modified = a.modified();
        }
    }

    /**
     * A name in a directory has changed, and with it the directory's times on the server. They are
     * set here as they will be there about: asking would cost a round trip with every new name, for
     * the kernel wants the directory's permission bits before it makes another.
     *
     * @param subdirectories how many directories it has more than before, which count as links
     */
    void touch(Inode directory, int subdirectories) {
        directory.lock.lock();
        try {
            directory.touches++;
            InodeData data = directory.data;
            if (data != null && data.pendingAttributes().modifiedWasSet()) {
                data.setPendingAttributes(data.pendingAttributes().withoutModified());
                data.describe();
            }
            directory.modified = now();
            directory.changed = directory.modified;
            if (directory.linkCount >= LINKS_OF_DIRECTORY) {
                directory.linkCount += subdirectories;
            }
        } finally {
            directory.lock.unlock();
        }
    }

    /** A name has come to the server that was counted when it was given out; as {@link #touch}. */
    void arrived(Inode directory) {
        directory.lock.lock();
        try {
            InodeData data = directory.data;
            if (data == null || !data.isOwed()) {
                directory.modified = now();
                directory.changed = directory.modified;
            } // Else a time may have been set since, which comes to the server after the name.
        } finally {
            directory.lock.unlock();
        }
    }

    @GuardedBy("inode lock")
    Attributes attributes(Inode inode) {
        VfsOptions.Ownership own = options.ownership();
        return new Attributes(
                inode.ino,
                inode.type,
                inode.currentSize(),
                inode.mode & PERMISSION_BITS & ~own.umask(),
                own.uid() == null ? inode.uid : own.uid(),
                own.gid() == null ? inode.gid : own.gid(),
                links(inode),
                inode.accessed,
                inode.modified,
                inode.changed);
    }

    /** What the server said last, as far as it is still known. */
    @GuardedBy("inode lock")
    ServerAttributes known(Inode inode, CoherencyToken token) {
        return new ServerAttributes(
                inode.type,
                inode.currentSize(),
                inode.mode,
                inode.uid,
                inode.gid,
                links(inode),
                inode.accessed,
                inode.modified,
                inode.changed,
                0,
                token);
    }

    /**
     * At least as many as there are names here, for a server that does not count: the kernel counts
     * down with every name that goes, and makes no more names of a file that has none.
     */
    @GuardedBy("inode lock")
    private int links(Inode inode) {
        int known = table.names(inode);
        return known == 0 && !inode.livesOn ? 0 : Math.max(1, Math.max(known, inode.linkCount));
    }

    @GuardedBy("inode lock")
    Entry entry(Inode inode) {
        long valid = validNanos(inode);
        return new Entry(attributes(inode), 1, valid, valid);
    }
}
