// SPDX-License-Identifier: Apache-2.0
package io.netfs4j.engine;

import io.netfs4j.base.FsException;
import io.netfs4j.base.GuardedBy;
import io.netfs4j.cache.journal.FileJournal;
import io.netfs4j.request.Origin;

import org.jspecify.annotations.Nullable;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.locks.ReentrantLock;

/**
 * Decides when what is written back: after some age, at once where a file has much, under memory
 * pressure the oldest first, at close and fsync by its callers. A file whose upload failed is left
 * alone for a while, longer each time.
 *
 * <p><b>Threads</b>: any; its lock is a leaf below the inode's. Steps that need an inode's lock
 * take it with none of their own held.
 */
public final class Flusher {
    /** How often the dirty files are looked over while there are any, as a part of their age. */
    private static final int TICKS_PER_AGE = 4;

    /** One failure may be of the moment; one that came again after a pause is a refusal. */
    private static final int REFUSALS_MIN = 2;

    /**
     * How the last upload of a file failed.
     *
     * @param times so many failed in a row
     */
    private record Refusal(FsException why, int times) {}

    private final ReentrantLock lock = new ReentrantLock();
    private final Engine engine;

    /** Files with anything unsaved, in the order in which they became so. */
    @GuardedBy("lock")
    private final LinkedHashSet<InodeData> unsaved = new LinkedHashSet<>();

    /** Those of them whose last upload failed, and how; until the next one goes better. */
    @GuardedBy("lock")
    private final Map<InodeData, Refusal> refused = new LinkedHashMap<>();

    @GuardedBy("lock")
    private boolean ticking;

    private final AtomicBoolean pressed = new AtomicBoolean();

    /** The journal is being written because there is no room. */
    private final AtomicBoolean writesJournal = new AtomicBoolean();

    Flusher(Engine engine) {
        this.engine = engine;
    }

    /** Every file that has something unsaved, oldest first. */
    public List<InodeData> unsaved() {
        lock.lock();
        try {
            return new ArrayList<>(unsaved);
        } finally {
            lock.unlock();
        }
    }

    public boolean isClean() {
        lock.lock();
        try {
            return unsaved.isEmpty();
        } finally {
            lock.unlock();
        }
    }

    /** A file has become dirty, or dirtier. */
    @GuardedBy("inode lock")
    public void onDirtied(InodeData inode) {
        // Most writes are into files that are known already, whose ticks go on.
        if (!inode.isKnownUnsaved) {
            list(inode);
        }
        if (inode.pages().dirtyBytes() >= engine.limits().eagerBytes()
                && inode.writing == null
                && inode.waiting == null
                && !isParked(inode)) {
            engine.writeback(inode, Origin.WRITEBACK);
        }
    }

    @GuardedBy("inode lock")
    private void list(InodeData inode) {
        boolean tick;
        lock.lock();
        try {
            if (unsaved.add(inode)) {
                inode.dirtySinceNanos = engine.nowNanos();
            }
            inode.isKnownUnsaved = true;
            tick = !ticking;
            ticking = true;
        } finally {
            lock.unlock();
        }
        if (tick) {
            scheduleTick();
        }
    }

    /** A request over a file has ended, or its data was given up. */
    @GuardedBy("inode lock")
    void onRequestDone(InodeData inode, @Nullable FsException problem) {
        if (problem == null) {
            inode.failures = 0;
            inode.parkedUntilNanos = Long.MIN_VALUE;
        } else {
            inode.failures++;
            inode.parkedUntilNanos = engine.nowNanos() + engine.parkPauseNanos(inode.failures);
        }
        boolean dirty = inode.isUnsaved();
        if (dirty) {
            inode.describe(); // Of another version now, perhaps.
            list(inode);
            setRefused(inode, inode.listener().isBeingRemoved() ? null : problem);
        } else {
            forget(inode);
        }
        wakeIfStuck();
        if (problem != null) {
            engine.cache().writers().stir();
        }
        inode.dirtySinceNanos = engine.nowNanos();
        if (dirty && engine.cache().isAboveBackground()) {
            onPressure();
        }
    }

    /** Too much is dirty: write back now, whatever the age. Any thread, any lock. */
    void onPressure() {
        if (pressed.compareAndSet(false, true)) {
            engine.scheduler().execute(this::relieve);
        }
    }

    private void relieve() {
        pressed.set(false);
        for (InodeData inode : unsaved()) {
            leaveToJournal(inode);
            begin(inode, true);
        }
        engine.cache().retryContended();
    }

    /**
     * What the server cannot be sent for now need not be in memory where the journal has it. Else
     * memory is the place to keep it, from which it is sent as soon as possible.
     */
    void leaveToJournal(InodeData inode) {
        FileJournal unwritten = null;
        inode.lock().lock();
        try {
            FileJournal journal = inode.journal();
            boolean away = !engine.isConnected();
            WriteRequest writing = inode.writing;
            boolean sends = writing != null && writing.isAboutToSend(!away);
            boolean waits = away || inode.failures >= REFUSALS_MIN;
            if (!waits || journal == null || sends) {
                return;
            }
            if (journal.keepsAll()) {
                // Behind a barrier nothing is left to it, and nothing gained.
                if (away && writing != null && inode.pages().groups() == 1) {
                    WriteRetryer.rest(writing);
                }
                inode.pages().stored().store();
            } else if (inode.pages().dirtyBytes() > 0 && journal.isBehind()) {
                unwritten = journal;
            }
        } finally {
            inode.lock().unlock();
        }
        if (unwritten != null) {
            writeJournal(unwritten);
        }
    }

    /**
     * Has the journal write what it was given: whoever gave it may wait for room with the rest in
     * hand, and not for the journal.
     */
    private void writeJournal(FileJournal journal) {
        if (!writesJournal.compareAndSet(false, true)) {
            return;
        }
        engine.scheduler()
                .forkBlocking(
                        "netfs-journal",
                        () -> {
                            boolean written = false;
                            try {
                                journal.journal().awaitWritten(journal.lastLsn());
                                written = true;
                            } catch (FsException e) {
                                // It is broken, and has said so: memory keeps what it lacks.
                            } finally {
                                writesJournal.set(false);
                            }
                            if (written) {
                                onPressure();
                            }
                        });
    }

    private void scheduleTick() {
        engine.after(engine.limits().dirtyAgeNanos() / TICKS_PER_AGE, this::tick);
    }

    private void tick() {
        // Since they began to wait the connection may have been lost, or a piece have come to rest.
        boolean awaited = engine.cache().writers().waiting() > 0;
        for (InodeData inode : unsaved()) {
            if (awaited) {
                leaveToJournal(inode);
            }
            begin(inode, false);
        }
        boolean again;
        lock.lock();
        try {
            again = !unsaved.isEmpty();
            ticking = again;
        } finally {
            lock.unlock();
        }
        if (again) {
            scheduleTick();
        }
    }

    private void begin(InodeData inode, boolean evenYoung) {
        inode.lock().lock();
        try {
            if (!inode.isUnsaved()) {
                onNothingLeft(inode);
                return;
            }
            if (inode.writing != null || inode.waiting != null || isParked(inode)) {
                return;
            }
            long age = engine.nowNanos() - inode.dirtySinceNanos;
            if (evenYoung || age >= engine.limits().dirtyAgeNanos()) {
                engine.writeback(inode, Origin.WRITEBACK);
            }
        } finally {
            inode.lock().unlock();
        }
    }

    /**
     * Something was dropped without having been sent, or was sent past the page cache: perhaps
     * nothing is left to save, or times are again that went along and did not arrive.
     */
    @GuardedBy("inode lock")
    public void onDropped(InodeData inode) {
        if (!inode.isUnsaved()) {
            forget(inode);
        } else if (!inode.isKnownUnsaved) {
            list(inode);
        }
    }

    /** What was left to be saved does not count any more: no request will tell that it is clean. */
    @GuardedBy("inode lock")
    void onNothingLeft(InodeData inode) {
        boolean listed = inode.isKnownUnsaved;
        forget(inode);
        if (listed && !inode.isBusy()) {
            inode.listener().onClean();
        }
    }

    /** The server has taken something of it, or is away: what failed before need not fail now. */
    @GuardedBy("inode lock")
    void onAnswered(InodeData inode, boolean progress) {
        if (inode.failures > 0) {
            inode.failures = progress ? 0 : inode.failures;
            setRefused(inode, null);
        }
    }

    /** How the last upload of a file failed, unless the next one goes better; else null. */
    public @Nullable FsException failure(InodeData inode) {
        lock.lock();
        try {
            Refusal refusal = refused.get(inode);
            return refusal == null ? null : refusal.why;
        } finally {
            lock.unlock();
        }
    }

    /**
     * Why a writer of a file should not wait for room: it would only fill with what the server
     * refuses what others make. Null where it may.
     */
    public @Nullable FsException refusal(InodeData inode) {
        lock.lock();
        try {
            Refusal refusal = refused.get(inode);
            boolean all = refused.size() == unsaved.size();
            return refusal != null && (all || refusal.times >= REFUSALS_MIN) ? refusal.why : null;
        } finally {
            lock.unlock();
        }
    }

    @GuardedBy("inode lock")
    private void setRefused(InodeData inode, @Nullable FsException problem) {
        lock.lock();
        try {
            if (problem != null) {
                refused.put(inode, new Refusal(problem, inode.failures));
            } else {
                refused.remove(inode);
            }
        } finally {
            lock.unlock();
        }
    }

    @GuardedBy("inode lock")
    private void forget(InodeData inode) {
        inode.failures = 0;
        inode.parkedUntilNanos = Long.MIN_VALUE;
        FileJournal journal = inode.journal();
        if (journal != null) {
            journal.forget();
        }
        lock.lock();
        try {
            refused.remove(inode);
            unsaved.remove(inode);
            inode.isKnownUnsaved = false;
        } finally {
            lock.unlock();
        }
        wakeIfStuck();
    }

    /** Who waits for room waits for nothing then. */
    private void wakeIfStuck() {
        if (stuck() != null) {
            engine.cache().freed();
        }
    }

    /**
     * Why nothing that is dirty is about to be saved: how the last upload of one file failed, when
     * that of all has. Null while any other is under way or about to be. A file that is tried again
     * counts as refused until the server has taken something of it: that may be long in coming.
     */
    public @Nullable FsException stuck() {
        lock.lock();
        try {
            return refused.size() < unsaved.size() || refused.isEmpty()
                    ? null
                    : refused.values().iterator().next().why;
        } finally {
            lock.unlock();
        }
    }

    @GuardedBy("inode lock")
    private boolean isParked(InodeData inode) {
        return inode.failures > 0 && engine.nowNanos() < inode.parkedUntilNanos;
    }
}
