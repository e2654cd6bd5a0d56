// SPDX-License-Identifier: Apache-2.0
package io.netfs4j.fuse;

import io.netfs4j.base.Names;
import io.netfs4j.vfs.KernelCache;

import org.jspecify.annotations.Nullable;

import java.lang.System.Logger;
import java.lang.System.Logger.Level;
import java.lang.foreign.MemorySegment;
import java.util.ArrayDeque;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;

/**
 * Tells the kernel that something it has cached no longer counts.
 *
 * <p>The kernel may make the teller wait for an inode's lock or for a page being read, whose holder
 * waits for one of our replies. So callers only note what is to be told, and a thread of its own
 * tells it.
 *
 * <p><b>Limits</b>: what is noted for one inode is one range, so there are never more than there
 * are inodes. Names beyond {@link #NAMES_MAX} are not noted one by one: all names of the mount are
 * declared stale at once where the kernel can (Linux 6.16), else they end with their time of
 * validity.
 *
 * <p><b>Threads</b>: {@link #invalidate} and {@link #invalidateEntry} any, never waiting.
 */
final class Notifier implements KernelCache {
    private static final Logger LOG = System.getLogger(Notifier.class.getName());

    private static final int NOTIFY_INVAL_INODE = 2;
    private static final int NOTIFY_INVAL_ENTRY = 3;
    private static final int NOTIFY_INC_EPOCH = 8;

    private static final int NAMES_MAX = 4096;

    /** A negative position: no bytes. */
    private static final Range ATTRIBUTES_ALONE = new Range(-1, 0);

    /** Bytes to forget; a negative length means to the end. */
    private record Range(long position, long length) {
        Range and(Range other) {
            long from = Math.min(position, other.position);
            if (length < 0 || other.length < 0) {
                return new Range(from, -1);
            }
            long to = Math.max(position + length, other.position + other.length);
            return new Range(from, to - from);
        }
    }

    private record Name(long parent, String name) {}

    private final FuseDevice device;
    private final boolean hasEpoch;
    private final ReplyBuffer out = new ReplyBuffer(false);
    private final ReentrantLock expiryLock = new ReentrantLock();

    /* Guarded by expiryLock. */
    private final ReplyBuffer expiry = new ReplyBuffer(false);

    private final ReentrantLock lock = new ReentrantLock();
    private final Condition noted = lock.newCondition();

    /* Guarded by lock. */
    private final Map<Long, Range> inodes = new LinkedHashMap<>();

    /** Taken out of {@link #inodes}, and being told; replaced as a whole. */
    private Map<Long, Range> telling = Map.of();

    private final Set<Name> names = new LinkedHashSet<>();
    private boolean allNames;
    private boolean ended;

    /** Keeps the device open until {@link #end}. */
    Notifier(FuseDevice device, boolean hasEpoch) {
        this.device = device;
        this.hasEpoch = hasEpoch;
        device.retain();
    }

    void start() {
        Thread.ofPlatform().name("netfs-fuse-notifier").daemon(true).start(this::tellUntilEnded);
    }

    @Override
    public void invalidate(long ino, long position, long length) {
        lock.lock();
        try {
            if (!ended) {
                inodes.merge(ino, new Range(position, length), Range::and);
                noted.signal();
            }
        } finally {
            lock.unlock();
        }
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
            noted.signal();
        } finally {
            lock.unlock();
        }
    }

    /**
     * Tells the kernel at once, if it is to be told at all, that what it knows of an inode's size
     * and times is old. Called before an open is answered, so that the opener sees the size that
     * the open found on the server. Nothing in the kernel makes this wait: no bytes are touched.
     */
    void expireAttributes(long ino) {
        lock.lock();
        try {
            if (ended || (!inodes.containsKey(ino) && !telling.containsKey(ino))) {
                return;
            }
        } finally {
            lock.unlock();
        }
        expiryLock.lock();
        try {
            tellInode(expiry, ino, ATTRIBUTES_ALONE);
        } finally {
            expiryLock.unlock();
        }
    }

    /** The session is over; nothing is told any more. */
    void end() {
        lock.lock();
        try {
            ended = true;
            noted.signal();
        } finally {
            lock.unlock();
        }
    }

    private void tellUntilEnded() {
        try {
            while (true) {
                ArrayDeque<Runnable> work = takeAll();
                if (work == null) {
                    return;
                }
                work.forEach(Runnable::run);
            }
        } catch (Throwable t) {
            LOG.log(Level.ERROR, "the FUSE notifier ended unexpectedly", t);
            end();
        } finally {
            device.release();
        }
    }

    /** What is to be told now; null when the session is over. */
    private @Nullable ArrayDeque<Runnable> takeAll() {
        lock.lock();
        try {
            telling = Map.of();
            while (!ended && inodes.isEmpty() && names.isEmpty() && !allNames) {
                noted.awaitUninterruptibly();
            }
            if (ended) {
                return null;
            }
            ArrayDeque<Runnable> work = new ArrayDeque<>();
            if (allNames) {
                work.add(this::tellAllNames);
            } else {
                names.forEach(n -> work.add(() -> tellName(n)));
            }
            inodes.forEach((ino, range) -> work.add(() -> tellInode(out, ino, range)));
            telling = new LinkedHashMap<>(inodes);
            inodes.clear();
            names.clear();
            allNames = false;
            return work;
        } finally {
            lock.unlock();
        }
    }

    private void tellInode(ReplyBuffer in, long ino, Range range) {
        MemorySegment body = in.body();
        Wire.u64(body, Wire.INVAL_INODE_INO, ino);
        Wire.u64(body, Wire.INVAL_INODE_OFF, range.position);
        Wire.u64(body, Wire.INVAL_INODE_LEN, range.length);
        tell(in, NOTIFY_INVAL_INODE, Wire.INVAL_INODE_BYTES);
    }

    private void tellName(Name name) {
        byte[] bytes = Names.encode(name.name);
        MemorySegment body = out.body();
        Wire.u64(body, Wire.INVAL_ENTRY_PARENT, name.parent);
        Wire.u32(body, Wire.INVAL_ENTRY_NAMELEN, bytes.length);
        Wire.u32(body, Wire.INVAL_ENTRY_FLAGS, 0);
        out.bodyBytes().position(Wire.INVAL_ENTRY_BYTES).put(bytes).put((byte) 0);
        tell(out, NOTIFY_INVAL_ENTRY, Wire.INVAL_ENTRY_BYTES + bytes.length + 1);
    }

    private void tellAllNames() {
        tell(out, NOTIFY_INC_EPOCH, 0);
    }

    /** ENOENT says that the kernel holds no such thing, which is as good. */
    private void tell(ReplyBuffer in, int code, int bytes) {
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
