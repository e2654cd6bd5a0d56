// SPDX-License-Identifier: Apache-2.0
package io.netfs4j.fuse;

import io.netfs4j.base.Names;
import io.netfs4j.vfs.KernelCache;

import org.jspecify.annotations.Nullable;

import java.lang.System.Logger;
import java.lang.System.Logger.Level;
import java.lang.foreign.MemorySegment;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;

/**
 * Tells the kernel that something it has cached no longer counts.
 *
 * <pre>
 *   invalidate --> noted --(no READ of it in hand)--> being told --> told
 *                    `------------ settle waits for ------------------'
 * </pre>
 *
 * The kernel may make the teller wait for an inode's lock or for a page being read, whose holder
 * waits for one of our replies. So callers only note what is to be told, and threads tell it that
 * do nothing else: one for inodes and one for names, because telling a name may wait for whoever
 * waits in {@link #settle} until an inode is told.
 *
 * <p>What a request finds out about a file is told before the request is answered ({@link
 * #settle}): a size that has grown would else show the end of an old page. And it is told between
 * reads, as {@link ReadsInHand} says.
 *
 * <p><b>Limits</b>: what is noted for one inode is one range, so there are never more than there
 * are inodes. Names beyond {@link #NAMES_MAX} are not noted one by one: all names of the mount are
 * declared stale at once where the kernel can (Linux 6.16), else they end with their time of
 * validity. A read that takes longer than {@link #HOLD_NANOS} is not waited for: what it does not
 * read is told then, as {@link WaitingReads} says. Nor is a kernel that takes longer than {@link
 * #SETTLE_NANOS}.
 *
 * <p><b>Threads</b>: any. {@link #settle} waits, the others never.
 */
final class Notifier implements KernelCache {
    private static final Logger LOG = System.getLogger(Notifier.class.getName());

    private static final int NOTIFY_INVAL_INODE = 2;
    private static final int NOTIFY_INVAL_ENTRY = 3;
    private static final int NOTIFY_INC_EPOCH = 8;

    private static final int NAMES_MAX = 4096;

    /** For how long what is to be told is kept back while files are being read. */
    private static final long HOLD_NANOS = 1_000_000_000L;

    /**
     * For how long answers are kept back until what they tell of is told, while nothing is told:
     * together, not each, for one hung write may keep all the others waiting. More than the above.
     */
    private static final long SETTLE_NANOS = 2_000_000_000L;

    private record Name(long parent, String name) {}

    private final ReadsInHand reads = new ReadsInHand();
    private final WaitingReads waiting;
    private final ReplyBuffer inodesOut = new ReplyBuffer(false);
    private final ReplyBuffer namesOut = new ReplyBuffer(false);
    private final ReentrantLock expiryLock = new ReentrantLock();

    /* Guarded by expiryLock. */
    private final ReplyBuffer expiry = new ReplyBuffer(false);

    private final ReentrantLock lock = new ReentrantLock();
    private final Condition inodesNoted = lock.newCondition();
    private final Condition namesNoted = lock.newCondition();
    private final Condition told = lock.newCondition();

    /* Guarded by lock. */
    private final Map<Long, InvalidRange> inodes = new LinkedHashMap<>();

    /** Taken out of {@link #inodes}, and not told yet. */
    private final Map<Long, InvalidRange> telling = new LinkedHashMap<>();

    private final Set<Name> names = new LinkedHashSet<>();
    private boolean allNames;
    private boolean hasEpoch;
    private boolean ended;

    /** When something was told, or begun to be told after a pause; guarded by lock. */
    private long movedNanos;

    /** Written under the lock: that nothing of any inode is to be told. */
    private volatile boolean quiet = true;

    /** Null until started: nothing is told before. */
    private volatile @Nullable FuseDevice to;

    Notifier() {
        this(WaitingReads.PATIENCE_NANOS);
    }

    /**
     * @param patienceNanos for how long it waits for a read that it could not tell around
     */
    Notifier(long patienceNanos) {
        waiting = new WaitingReads(this, patienceNanos);
    }

    /** Between which it tells. */
    ReadsInHand reads() {
        return reads;
    }

    /** Around which it tells. */
    WaitingReads waiting() {
        return waiting;
    }

    /** Begins to tell, and keeps the device open until {@link #end}. */
    void start(FuseDevice device, boolean kernelHasEpoch) {
        lock.lock();
        try {
            hasEpoch = kernelHasEpoch;
        } finally {
            lock.unlock();
        }
        to = device;
        startThread("netfs-fuse-inodes", device, this::tellInodes);
        startThread("netfs-fuse-names", device, this::tellNames);
    }

    private void startThread(String name, FuseDevice device, Runnable untilEnded) {
        device.retain();
        Thread.ofPlatform()
                .name(name)
                .daemon(true)
                .start(() -> {
                    try {
                        untilEnded.run();
                    } catch (Throwable t) {
                        LOG.log(Level.ERROR, "a FUSE notifier ended unexpectedly", t);
                        end();
                    } finally {
                        device.release();
                    }
                });
    }

    @Override
    public void invalidate(long ino, long position, long length) {
        lock.lock();
        try {
            if (!ended) {
                inodes.merge(ino, new InvalidRange(position, length), InvalidRange::and);
                movedNanos = quiet ? System.nanoTime() : movedNanos;
                quiet = false;
                inodesNoted.signal();
            }
        } finally {
            lock.unlock();
        }
    }

    @Override
    public void shrank(long ino) {
        reads.shrank(ino);
    }

    @Override
    public void invalidateEntry(long parent, String name) {
        lock.lock();
        try {
            if (ended) {
                return;
            }
            if (names.size() >= NAMES_MAX) {
                allNames |= hasEpoch;
            } else {
                names.add(new Name(parent, name));
            }
            namesNoted.signal();
        } finally {
            lock.unlock();
        }
    }

    /** Whether the kernel has been told all that there is about an inode. */
    boolean isSettled(long ino) {
        if (quiet) {
            return true;
        }
        lock.lock();
        try {
            return !isDue(ino);
        } finally {
            lock.unlock();
        }
    }

    /**
     * Waits until the kernel has been told what there is about an inode. Called before an answer
     * that shows it, with no lock held.
     */
    void settle(long ino) {
        if (quiet) {
            return;
        }
        lock.lock();
        try {
            long end = System.nanoTime() + SETTLE_NANOS;
            while (isDue(ino)) {
                long stuck = movedNanos + SETTLE_NANOS;
                long now = System.nanoTime();
                long left = Math.min(end - now, stuck - now);
                if (left <= 0) {
                    return;
                }
                told.awaitNanos(left);
            }
        } catch (InterruptedException e) {
            // Nobody waits for the answer any more.
            Thread.currentThread().interrupt();
        } finally {
            lock.unlock();
        }
    }

    /**
     * Has the kernel ask for an inode's size and times again. Called before an open is answered, so
     * that the opener sees the size that the open found on the server also where {@link #settle}
     * took too long. Nothing in the kernel makes this wait: no bytes are touched.
     */
    void settleOpen(long ino) {
        settle(ino);
        if (isSettled(ino)) {
            return;
        }
        expiryLock.lock();
        try {
            tellInode(expiry, ino, InvalidRange.ATTRIBUTES_ALONE);
        } finally {
            expiryLock.unlock();
        }
    }

    /** Guarded by lock. */
    private boolean isDue(long ino) {
        return !ended && (inodes.containsKey(ino) || telling.containsKey(ino));
    }

    /** The session is over; nothing is told any more. */
    void end() {
        lock.lock();
        try {
            ended = true;
            inodesNoted.signal();
            namesNoted.signal();
            told.signalAll();
        } finally {
            lock.unlock();
        }
    }

    private void tellInodes() {
        while (true) {
            Map<Long, InvalidRange> due = takeInodes();
            if (due.isEmpty()) {
                return;
            }
            Map<Long, InvalidRange> heldBack = new LinkedHashMap<>();
            due.forEach((ino, range) -> {
                if (reads.any(ino)) {
                    heldBack.put(ino, range);
                } else {
                    tellNoted(ino, range);
                }
            });
            long left = HOLD_NANOS;
            for (Map.Entry<Long, InvalidRange> one : heldBack.entrySet()) {
                left = reads.awaitNone(one.getKey(), left);
                tellNoted(one.getKey(), one.getValue());
            }
        }
    }

    /** What is to be told of inodes now; empty when the session is over. */
    private Map<Long, InvalidRange> takeInodes() {
        lock.lock();
        try {
            while (!ended && inodes.isEmpty()) {
                inodesNoted.awaitUninterruptibly();
            }
            if (ended) {
                return Map.of();
            }
            telling.putAll(inodes);
            inodes.clear();
            return new LinkedHashMap<>(telling);
        } finally {
            lock.unlock();
        }
    }

    private void tellNoted(long ino, InvalidRange range) {
        waiting.tell(ino, range).forEach(part -> tellInode(inodesOut, ino, part));
        waiting.told();
        lock.lock();
        try {
            telling.remove(ino);
            movedNanos = System.nanoTime();
            quiet = inodes.isEmpty() && telling.isEmpty();
            told.signalAll();
        } finally {
            lock.unlock();
        }
    }

    private void tellNames() {
        while (true) {
            List<Name> due;
            lock.lock();
            try {
                while (!ended && names.isEmpty() && !allNames) {
                    namesNoted.awaitUninterruptibly();
                }
                if (ended) {
                    return;
                }
                due = allNames ? List.of() : List.copyOf(names);
                names.clear();
                allNames = false;
            } finally {
                lock.unlock();
            }
            if (due.isEmpty()) {
                tell(namesOut, NOTIFY_INC_EPOCH, 0);
            }
            due.forEach(this::tellName);
        }
    }

    private void tellInode(ReplyBuffer in, long ino, InvalidRange range) {
        reads.telling(ino);
        MemorySegment body = in.body();
        Wire.u64(body, Wire.INVAL_INODE_INO, ino);
        Wire.u64(body, Wire.INVAL_INODE_OFF, range.position());
        Wire.u64(body, Wire.INVAL_INODE_LEN, range.length());
        tell(in, NOTIFY_INVAL_INODE, Wire.INVAL_INODE_BYTES);
    }

    private void tellName(Name name) {
        byte[] bytes = Names.encode(name.name);
        MemorySegment body = namesOut.body();
        Wire.u64(body, Wire.INVAL_ENTRY_PARENT, name.parent);
        Wire.u32(body, Wire.INVAL_ENTRY_NAMELEN, bytes.length);
        Wire.u32(body, Wire.INVAL_ENTRY_FLAGS, 0);
        namesOut.bodyBytes().position(Wire.INVAL_ENTRY_BYTES).put(bytes).put((byte) 0);
        tell(namesOut, NOTIFY_INVAL_ENTRY, Wire.INVAL_ENTRY_BYTES + bytes.length + 1);
    }

    /** ENOENT says that the kernel holds no such thing, which is as good. */
    private void tell(ReplyBuffer in, int code, int bytes) {
        FuseDevice device = to;
        if (device == null) {
            return;
        }
        in.start(bytes);
        int result = in.send(device, 0, code);
        boolean fine =
                result == 0
                        || result == -Libc.ENOENT
                        || result == -Libc.ENODEV
                        || result == -Libc.ECONNABORTED
                        || result == -Libc.ENOTCONN;
        if (!fine) {
            LOG.log(Level.WARNING, "notification {0} failed: errno {1}", code, -result);
        }
    }
}
