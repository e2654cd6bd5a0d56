// SPDX-License-Identifier: Apache-2.0
package io.netfs4j.cli;

import io.netfs4j.base.FsError;
import io.netfs4j.base.FsException;
import io.netfs4j.cli.ControlMessages.Answer;
import io.netfs4j.cli.ControlMessages.Outcome;
import io.netfs4j.cli.ControlMessages.Request;

import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;

/**
 * The life of a mount's process once it is mounted: it answers commands, and after the kernel has
 * let go of the mount it goes on until everything is on the server or given up by a person.
 *
 * <p><b>Threads</b>: {@link #run} belongs to the main thread, {@link #terminate} to the one that
 * hears a signal, {@link #answer} to any.
 */
final class MountProcess {
    private static final Logger LOG = LoggerFactory.getLogger(MountProcess.class);

    /** Discarding, uploads go on for as long as some byte arrived within this time. */
    private static final long STALL_NANOS = TimeUnit.SECONDS.toNanos(5);

    /** How long what was refused rests before it is tried again, when the mount has gone. */
    private static final long RETRY_NANOS = TimeUnit.SECONDS.toNanos(30);

    /**
     * What the mount is called.
     *
     * @param log empty when the log goes to stderr
     */
    record Identity(long pid, String mountPoint, String remote, String log) {}

    private final LiveMount mount;
    private final Identity identity;

    /** Guards what follows; held for moments only. */
    private final ReentrantLock lock = new ReentrantLock();

    private final Condition changed = lock.newCondition();

    /** The kernel has let go. */
    private boolean gone;

    /** A person gives up what cannot be saved. */
    private boolean discarding;

    /** What is not on the server is left to the next mount. */
    private boolean leaving;

    /** Nothing is left to be saved here; nothing changes any more. */
    private boolean settled;

    /** Counts the drains that ended with files refused after the kernel let go. */
    private int refusals;

    private final List<Unsaved> discarded = new ArrayList<>();

    private final List<Unsaved> left = new ArrayList<>();

    /** One unmount at a time; the others wait for their turn. */
    private final ReentrantLock unmounting = new ReentrantLock();

    MountProcess(LiveMount mount, Identity identity) {
        this.mount = mount;
        this.identity = identity;
    }

    /** Waits until the mount has ended and nothing is left to be saved. */
    void run() throws InterruptedException {
        mount.awaitUnmounted();
        change(() -> gone = true);
        LOG.info("the kernel has let go of {}", identity.mountPoint());
        settle();
        if (left.isEmpty()) {
            LOG.info("nothing is left to be saved");
        } else {
            LOG.warn("left to the next mount: {}", files(left));
        }
        mount.close();
        change(() -> settled = true);
    }

    /** Ends the mount for a signal: nothing new, then all that is dirty, then the process. */
    void terminate() throws InterruptedException {
        LOG.info("told to end; draining");
        try {
            mount.unmount(true);
        } catch (FsException e) {
            LOG.warn("cannot unmount {}: {}", identity.mountPoint(), e.toString());
        }
        // Files that are open are written to until now; what they write later is refused, so that
        // nothing is acknowledged that nobody would send.
        List<Unsaved> refused = mount.drain();
        refused.forEach(file -> LOG.error("refused: {}", file.line()));
        mount.abort();
        poke();
    }

    /** Answers one command. */
    void answer(Request request, ControlServer.Reply reply)
            throws IOException, InterruptedException {
        switch (request.verb()) {
            case STATUS -> reply.send(Answer.of(status()));
            case UNMOUNT -> {
                unmounting.lockInterruptibly();
                try {
                    reply.send(Answer.of(unmount(request, reply)));
                } finally {
                    unmounting.unlock();
                }
            }
        }
    }

    MountStatus status() {
        MountCounts c = mount.counters();
        return new MountStatus(
                identity.pid(),
                identity.mountPoint(),
                identity.remote(),
                isGone() ? MountStatus.DRAINING : MountStatus.MOUNTED,
                mount.isConnected() ? MountStatus.UP : MountStatus.LOST,
                mount.journalFailure(),
                c.dirtyBytes(),
                c.inFlightBytes(),
                c.uploadedBytes(),
                c.uploadRequests(),
                c.downloadedBytes(),
                c.retries(),
                c.errors(),
                c.conflicts(),
                c.cacheReadBytes(),
                c.cachedBytes(),
                c.cacheErrors(),
                mount.refused(),
                identity.log());
    }

    private Outcome unmount(Request request, ControlServer.Reply reply)
            throws IOException, InterruptedException {
        long deadline =
                request.timeoutMillis() < 0
                        ? Long.MAX_VALUE
                        : System.nanoTime()
                                + TimeUnit.MILLISECONDS.toNanos(request.timeoutMillis());
        DrainWatch.Look look = () -> reply.send(Answer.of(mount.counters()));
        if (request.leaves()) {
            return leave(request, look, deadline);
        }
        if (!isGone()) {
            Outcome hindrance = request.discard() ? release() : drainThenRelease(look, deadline);
            if (hindrance != null) {
                return hindrance;
            }
        }
        if (request.discard()) {
            change(() -> discarding = true);
        }
        return awaitSettled(look, deadline);
    }

    /** Drains while mounted, so that a refusal leaves the mount in place; then unmounts. */
    private @Nullable Outcome drainThenRelease(DrainWatch.Look look, long deadline)
            throws IOException, InterruptedException {
        try (DrainWatch drain = new DrainWatch(mount)) {
            List<Unsaved> refused = drain.poll();
            while (refused == null) {
                look.look();
                if (System.nanoTime() - deadline > 0 && deadline != Long.MAX_VALUE) {
                    return unfinished("it is still mounted");
                }
                refused = drain.poll();
            }
            if (!refused.isEmpty()) {
                return refused(refused, "it is still mounted");
            }
        }
        return release();
    }

    /** Drains for as long as is given, and leaves what is not on the server by then. */
    private Outcome leave(Request request, DrainWatch.Look look, long deadline)
            throws IOException, InterruptedException {
        if (!mount.keepsState()) {
            return Outcome.of(
                    ExitCode.USAGE,
                    "this mount has no journal: what is not on the server cannot be left; unmount"
                            + " without --no-drain, or give it up with --discard",
                    List.of());
        }
        if (request.timeoutMillis() > 0) {
            try (DrainWatch drain = new DrainWatch(mount)) {
                while (drain.poll() == null && System.nanoTime() - deadline < 0) {
                    look.look();
                }
            }
        }
        change(() -> leaving = true);
        if (!isGone()) {
            Outcome hindrance = release();
            if (hindrance != null) {
                change(() -> leaving = false);
                return hindrance;
            }
        }
        return awaitSettled(look, Long.MAX_VALUE);
    }

    /** Takes the mount out of the name space; null when done. */
    private @Nullable Outcome release() {
        try {
            mount.unmount(false);
            return null;
        } catch (FsException e) {
            if (isGone()) {
                return null;
            }
            if (e.error() == FsError.EBUSY) {
                return Outcome.of(
                        ExitCode.MOUNT_POINT,
                        identity.mountPoint()
                                + " is in use: a program has a file open or works there, or"
                                + " something is mounted below it (fuser -m"
                                + " tells which); end it and unmount again",
                        List.of());
            }
            return Outcome.of(
                    ExitCode.of(e),
                    "cannot unmount " + identity.mountPoint() + ": " + e.getMessage(),
                    List.of());
        }
    }

    /** The kernel has let go, or will as soon as it has cleaned up: waits for the main thread. */
    private Outcome awaitSettled(DrainWatch.Look look, long deadline)
            throws IOException, InterruptedException {
        int refusalsBefore = refusals();
        poke();
        while (true) {
            lock.lockInterruptibly();
            try {
                if (settled) {
                    return done();
                }
                if (refusals != refusalsBefore && !discarding && !leaving) {
                    return refused(
                            mount.refused(), "process " + identity.pid() + " keeps and retries it");
                }
                if (System.nanoTime() - deadline > 0 && deadline != Long.MAX_VALUE) {
                    return unfinished("process " + identity.pid() + " goes on");
                }
                if (changed.awaitNanos(TimeUnit.MILLISECONDS.toNanos(DrainWatch.LOOK_MILLIS)) > 0) {
                    continue;
                }
            } finally {
                lock.unlock();
            }
            look.look();
        }
    }

    /** What is left after the kernel let go: the main thread's last work. */
    private void settle() throws InterruptedException {
        while (true) {
            List<Unsaved> refused = isLeaving() ? null : drainOrStall();
            if (refused != null && refused.isEmpty()) {
                return;
            }
            if (isLeaving()) {
                left.addAll(mount.left());
                return;
            }
            if (isDiscarding()) {
                List<Unsaved> given = mount.discard();
                given.forEach(file -> LOG.warn("given up: {}", file.line()));
                change(() -> discarded.addAll(given));
                return;
            }
            if (refused != null) {
                refused.forEach(file -> LOG.error("refused: {}", file.line()));
            }
            rest();
        }
    }

    /**
     * Drains; returns null when a person gives up what is left and nothing has moved for a while,
     * or leaves it.
     */
    private @Nullable List<Unsaved> drainOrStall() throws InterruptedException {
        long uploaded = mount.counters().uploadedBytes();
        long moved = System.nanoTime();
        try (DrainWatch drain = new DrainWatch(mount)) {
            while (true) {
                List<Unsaved> refused = drain.poll();
                if (refused != null) {
                    return refused;
                }
                long now = System.nanoTime();
                long uploadedNow = mount.counters().uploadedBytes();
                if (uploadedNow != uploaded || !isDiscarding()) {
                    uploaded = uploadedNow;
                    moved = now;
                }
                if (now - moved > STALL_NANOS || isLeaving()) {
                    return null;
                }
            }
        }
    }

    /** Waits before what was refused is tried again; a command cuts it short. */
    private void rest() throws InterruptedException {
        lock.lockInterruptibly();
        try {
            refusals++;
            changed.signalAll();
            int poked = pokes;
            long nanos = RETRY_NANOS;
            while (nanos > 0 && !discarding && !leaving && pokes == poked) {
                nanos = changed.awaitNanos(nanos);
            }
        } finally {
            lock.unlock();
        }
    }

    private int pokes;

    private void poke() {
        change(() -> pokes++);
    }

    private Outcome done() {
        if (!left.isEmpty()) {
            return Outcome.of(
                    ExitCode.LEFT,
                    "unmounted "
                            + identity.mountPoint()
                            + "; "
                            + files(left)
                            + " not on the server: the next mount of "
                            + identity.remote()
                            + " goes on with it",
                    List.copyOf(left));
        }
        if (discarded.isEmpty()) {
            return Outcome.of(
                    ExitCode.OK,
                    "unmounted " + identity.mountPoint() + "; everything is on the server",
                    List.of());
        }
        return Outcome.of(
                ExitCode.OK,
                "unmounted " + identity.mountPoint() + "; gave up " + files(discarded),
                List.copyOf(discarded));
    }

    private Outcome refused(List<Unsaved> refused, String where) {
        String keep =
                mount.keepsState()
                        ? ", leave them to the next mount with netfs umount --no-drain"
                        : "";
        return Outcome.of(
                ExitCode.REFUSED,
                "the server refuses "
                        + files(refused)
                        + " and "
                        + where
                        + "; mend the reason and unmount again"
                        + keep
                        + ", or give them up with netfs umount --discard",
                refused);
    }

    private static Outcome unfinished(String where) {
        return Outcome.of(
                ExitCode.UNFINISHED,
                "not everything is on the server within the time given; " + where,
                List.of());
    }

    private static String files(List<Unsaved> files) {
        long bytes = files.stream().mapToLong(Unsaved::bytes).sum();
        return Quantity.files(files.size(), bytes);
    }

    private int refusals() {
        lock.lock();
        try {
            return refusals;
        } finally {
            lock.unlock();
        }
    }

    private boolean isGone() {
        lock.lock();
        try {
            return gone;
        } finally {
            lock.unlock();
        }
    }

    /** Only for as long as what is left is kept; else it is sent after all. */
    private boolean isLeaving() {
        lock.lock();
        try {
            return leaving && mount.keepsState();
        } finally {
            lock.unlock();
        }
    }

    private boolean isDiscarding() {
        lock.lock();
        try {
            return discarding;
        } finally {
            lock.unlock();
        }
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
