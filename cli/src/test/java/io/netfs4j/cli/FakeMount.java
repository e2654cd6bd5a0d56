// SPDX-License-Identifier: Apache-2.0
package io.netfs4j.cli;

import io.netfs4j.base.FsError;
import io.netfs4j.base.FsException;

import org.jspecify.annotations.Nullable;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;

/** A mount of nothing: tests say what is dirty, what the server refuses, and who has it in use. */
final class FakeMount implements LiveMount {
    private final ReentrantLock lock = new ReentrantLock();
    private final Condition changed = lock.newCondition();
    private final CountDownLatch gone = new CountDownLatch(1);
    private final List<Unsaved> refused = new ArrayList<>();
    private long dirtyBytes;
    private boolean stuck;
    private boolean busy;
    private boolean connectionLost;
    private @Nullable String journalFailure;
    private boolean closed;
    private boolean keepsState;

    /** What is dirty outlives the process. */
    void keepState() {
        change(() -> keepsState = true);
    }

    /** As many bytes wait to be drained. */
    void dirty(long bytes) {
        change(() -> dirtyBytes = bytes);
    }

    /** Nothing moves until told otherwise. */
    void stuck(boolean value) {
        change(() -> stuck = value);
    }

    void refuse(Unsaved file) {
        change(() -> refused.add(file));
    }

    void accept() {
        change(refused::clear);
    }

    void busy(boolean value) {
        change(() -> busy = value);
    }

    void loseConnection() {
        change(() -> connectionLost = true);
    }

    void failJournal(String why) {
        change(() -> journalFailure = why);
    }

    /** As the kernel does for plain umount. */
    void letGo() {
        gone.countDown();
    }

    boolean isMounted() {
        return gone.getCount() > 0;
    }

    boolean isClosed() {
        return closed;
    }

    @Override
    public List<String> notes() {
        return List.of();
    }

    @Override
    public MountCounts counters() {
        lock.lock();
        try {
            return new MountCounts(dirtyBytes, 0, 7, 3, 5, 2, 1, 0, 0, 0, 0);
        } finally {
            lock.unlock();
        }
    }

    @Override
    public boolean isConnected() {
        lock.lock();
        try {
            return !connectionLost;
        } finally {
            lock.unlock();
        }
    }

    @Override
    public @Nullable String journalFailure() {
        lock.lock();
        try {
            return journalFailure;
        } finally {
            lock.unlock();
        }
    }

    @Override
    public List<Unsaved> refused() {
        lock.lock();
        try {
            return List.copyOf(refused);
        } finally {
            lock.unlock();
        }
    }

    @Override
    public List<Unsaved> drain() throws InterruptedException {
        lock.lockInterruptibly();
        try {
            while (stuck) {
                changed.await();
            }
            dirtyBytes = refused.stream().mapToLong(Unsaved::bytes).sum();
            return List.copyOf(refused);
        } finally {
            lock.unlock();
        }
    }

    @Override
    public @Nullable Path state() {
        return null;
    }

    @Override
    public boolean keepsState() {
        return keepsState;
    }

    @Override
    public List<Unsaved> left() {
        lock.lock();
        try {
            return dirtyBytes == 0
                    ? List.of()
                    : List.of(new Unsaved("dir/dirty", dirtyBytes, "not sent yet"));
        } finally {
            lock.unlock();
        }
    }

    @Override
    public List<Unsaved> discard() {
        lock.lock();
        try {
            List<Unsaved> given = List.copyOf(refused);
            refused.clear();
            dirtyBytes = 0;
            return given;
        } finally {
            lock.unlock();
        }
    }

    @Override
    public void unmount(boolean lazily) throws FsException {
        if (busy && !lazily) {
            throw new FsException(FsError.EBUSY);
        }
        if (!busy) {
            letGo();
        }
    }

    @Override
    public void abort() {
        letGo();
    }

    @Override
    public void awaitUnmounted() throws InterruptedException {
        gone.await();
    }

    @Override
    public void close() {
        closed = true;
    }

    private void change(Runnable change) {
        lock.lock();
        try {
            change.run();
            changed.signalAll();
        } finally {
            lock.unlock();
        }
    }
}
