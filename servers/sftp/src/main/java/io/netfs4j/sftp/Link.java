// SPDX-License-Identifier: Apache-2.0
package io.netfs4j.sftp;

import io.netfs4j.base.Completion;
import io.netfs4j.base.Environment;
import io.netfs4j.base.FsError;
import io.netfs4j.base.FsException;
import io.netfs4j.base.Scheduler;

import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Consumer;

/**
 * The connection to one server, for as long as the mount lives: when one is lost another is made,
 * at once at first, then with pauses that double up to a bound, each shortened by chance so that
 * many clients do not come back in step.
 *
 * <p><b>Threads</b>: any. One forked task at a time connects.
 */
final class Link {
    /** Makes one connection; waits on the calling thread. */
    interface Dialer {
        SftpConnection dial(Consumer<SftpConnection> onEnd) throws FsException;
    }

    private static final Logger LOG = LoggerFactory.getLogger(Link.class);
    private static final long PAUSE_FIRST_NANOS = 100_000_000L;
    private static final long PAUSE_NANOS_MAX = 20_000_000_000L;
    private static final int DOUBLINGS_MAX = 8;

    /**
     * A connection that lived this long was a good one, as is one that answered something: the next
     * is tried at once.
     */
    private static final long GOOD_LIFE_NANOS = 1_000_000_000L;

    private final Environment environment;
    private final Dialer dialer;

    /** Nanoseconds after which waiting for a connection or an answer fails; 0 never. */
    private final long softNanos;

    private final ReentrantLock lock = new ReentrantLock();
    private @Nullable SftpConnection current;
    private Completion<SftpConnection> next = new Completion<>();
    private final List<Runnable> waiters = new ArrayList<>();
    private boolean closed;
    private long connectedAtNanos;
    private int failures;

    Link(Environment environment, Dialer dialer, long softNanos) {
        this.environment = environment;
        this.dialer = dialer;
        this.softNanos = softNanos;
    }

    /** Makes the first connection; its failure is the caller's. */
    SftpConnection connect() throws FsException {
        SftpConnection first = dialer.dial(this::ended);
        install(first);
        return first;
    }

    /** The connection if there is one now. */
    @Nullable SftpConnection now() {
        SftpConnection seen;
        lock.lock();
        try {
            seen = current;
        } finally {
            lock.unlock();
        }
        if (seen == null || seen.isOpen()) {
            return seen;
        }
        // It has ended and is about to tell.
        ended(seen);
        return null;
    }

    boolean isClosed() {
        lock.lock();
        try {
            return closed;
        } finally {
            lock.unlock();
        }
    }

    /**
     * Waits for a connection.
     *
     * @throws FsException ENOTCONN when closed, EINTR, ETIMEDOUT where that was asked for
     */
    SftpConnection await() throws FsException {
        Completion<SftpConnection> coming;
        SftpConnection open = now();
        if (open != null) {
            return open;
        }
        lock.lock();
        try {
            if (closed) {
                throw closedNow();
            }
            if (current != null) {
                return current;
            }
            coming = next;
        } finally {
            lock.unlock();
        }
        return environment.waits().await(bounded(coming));
    }

    /** The same outcome, or ETIMEDOUT after the soft timeout where there is one. */
    <T> Completion<T> bounded(Completion<T> completion) {
        if (softNanos == 0 || completion.isDone()) {
            return completion;
        }
        Completion<T> sooner = new Completion<>();
        Scheduler.Cancellable timer =
                environment
                        .scheduler()
                        .schedule(
                                () ->
                                        sooner.fail(
                                                new FsException(
                                                        FsError.ETIMEDOUT,
                                                        "the server did not answer in time")),
                                softNanos);
        completion.whenDone((value, failure) -> {
            timer.cancel();
            if (failure != null) {
                sooner.fail(failure);
            } else {
                sooner.complete(value);
            }
        });
        return sooner;
    }

    /** Runs a step, on another thread, once there is a connection or none will come. */
    void whenConnected(Runnable step) {
        lock.lock();
        try {
            if (current == null && !closed) {
                waiters.add(step);
                return;
            }
        } finally {
            lock.unlock();
        }
        environment.scheduler().execute(step);
    }

    void close() {
        SftpConnection last;
        Completion<SftpConnection> coming;
        List<Runnable> waiting;
        lock.lock();
        try {
            if (closed) {
                return;
            }
            closed = true;
            last = current;
            current = null;
            coming = next;
            waiting = List.copyOf(waiters);
            waiters.clear();
        } finally {
            lock.unlock();
        }
        if (last != null) {
            last.end(new Loss(closedNow(), false, true));
        }
        coming.fail(closedNow());
        waiting.forEach(environment.scheduler()::execute);
    }

    private static FsException closedNow() {
        return new FsException(FsError.ENOTCONN, "the connection was closed");
    }

    private void ended(SftpConnection connection) {
        Loss loss = connection.loss();
        boolean useful = connection.hasAnswered() && loss != null && !loss.violated();
        lock.lock();
        try {
            if (current != connection) {
                return;
            }
            current = null;
            next = new Completion<>();
            long lived = environment.clock().nanoTime() - connectedAtNanos;
            failures = useful || lived >= GOOD_LIFE_NANOS ? 0 : failures + 1;
        } finally {
            lock.unlock();
        }
        LOG.warn(
                "connection lost, connecting again: {}",
                loss == null ? "" : loss.cause().getMessage());
        environment.scheduler().fork("netfs-sftp-reconnect", this::reconnect);
    }

    private void reconnect() {
        while (true) {
            int before;
            lock.lock();
            try {
                if (closed) {
                    return;
                }
                before = failures;
            } finally {
                lock.unlock();
            }
            try {
                pause(before);
                install(dialer.dial(this::ended));
                LOG.info("connected again");
                return;
            } catch (FsException e) {
                LOG.warn("cannot connect again, will go on trying: {}", e.toString());
                lock.lock();
                try {
                    failures++;
                } finally {
                    lock.unlock();
                }
            }
        }
    }

    private void pause(int failuresBefore) throws FsException {
        if (failuresBefore == 0) {
            return;
        }
        long longest =
                Math.min(
                        PAUSE_NANOS_MAX,
                        PAUSE_FIRST_NANOS << Math.min(failuresBefore - 1, DOUBLINGS_MAX));
        long nanos = longest / 2 + environment.random().nextLong(longest / 2 + 1);
        Completion<Boolean> over = new Completion<>();
        environment.scheduler().schedule(() -> over.complete(true), nanos);
        environment.waits().awaitUninterruptibly(over);
    }

    private void install(SftpConnection connection) {
        Completion<SftpConnection> coming;
        List<Runnable> waiting;
        lock.lock();
        try {
            if (closed) {
                waiting = List.of();
                coming = new Completion<>();
            } else {
                current = connection;
                connectedAtNanos = environment.clock().nanoTime();
                coming = next;
                waiting = List.copyOf(waiters);
                waiters.clear();
            }
        } finally {
            lock.unlock();
        }
        if (isClosed()) {
            connection.end(new Loss(closedNow(), false, true));
            return;
        }
        coming.complete(connection);
        waiting.forEach(environment.scheduler()::execute);
        if (!connection.isOpen()) {
            // It ended before it was the current one, so nobody was told.
            ended(connection);
        }
    }
}
