// SPDX-License-Identifier: Apache-2.0
package io.netfs4j.fuse;

import io.netfs4j.base.Completion;
import io.netfs4j.base.FsError;
import io.netfs4j.base.FsException;
import io.netfs4j.fuse.Negotiation.Agreement;

import org.jspecify.annotations.Nullable;

import java.lang.System.Logger;
import java.lang.System.Logger.Level;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * A conversation with the kernel, from INIT until the mount is gone.
 *
 * <pre>
 *   reader 1 (fd)  --tryHandle--> answered on the spot
 *   reader 2 (clone of fd)   \
 *   ...                       `-> handed over: virtual thread --handle--> answered on that fd
 * </pre>
 *
 * Whatever happens to a request, it is answered exactly once: by the handler, or with the error it
 * threw, or with EIO if it threw something else or did not answer.
 *
 * <p><b>Threads</b>: {@code limits.readers} platform threads, and one virtual thread for each
 * request that has to wait, up to {@code limits.inHandMax}. A reader waits only for a place among
 * those, or for a buffer for a large write.
 */
final class FuseSession {
    private static final Logger LOG = System.getLogger(FuseSession.class.getName());

    private static final int REPLIES_KEPT_MAX = 32;

    /* Dependencies. */
    private final FuseDevice first;
    private final RequestHandler handler;
    private final FuseOptions options;
    private final InHand inHand;
    private final BufferPool largeWrites;
    private final BufferPool smallWrites;

    /* Memory for replies of virtual threads, kept for the next; more is made when needed. */
    private final ArrayBlockingQueue<ReplyBuffer> smallReplies =
            new ArrayBlockingQueue<>(REPLIES_KEPT_MAX);
    private final ArrayBlockingQueue<ReplyBuffer> largeReplies =
            new ArrayBlockingQueue<>(REPLIES_KEPT_MAX);
    private final CountDownLatch initDone = new CountDownLatch(1);
    private final AtomicInteger readersLeft = new AtomicInteger();
    private final Completion<Void> ended = new Completion<>();

    /** The kernel says ENODEV then; of a connection that was cut off mostly ECONNABORTED. */
    private volatile boolean unmounted;

    private volatile @Nullable Agreement agreement;

    FuseSession(FuseDevice first, RequestHandler handler, FuseOptions options) {
        this.first = first;
        this.handler = handler;
        this.options = options;
        FuseOptions.Limits limits = options.limits();
        inHand = new InHand(limits.inHandMax());
        largeWrites =
                new BufferPool(limits.writeBytesMax(), limits.largeBuffersMax() + limits.readers());
        smallWrites = new BufferPool(FuseOptions.Limits.SMALL_BYTES, limits.smallBuffersMax());
    }

    /** Begins to read requests; the device belongs to the session from here on. */
    void start() {
        List<FuseDevice> devices = new ArrayList<>();
        devices.add(first);
        for (int i = 1; i < options.limits().readers(); i++) {
            FuseDevice other = first.copy();
            if (other == null) {
                first.retain();
                other = first;
            }
            devices.add(other);
        }
        readersLeft.set(devices.size());
        for (int i = 0; i < devices.size(); i++) {
            FuseDevice device = devices.get(i);
            Thread.ofPlatform()
                    .name("netfs-fuse-" + (i + 1))
                    .daemon(true)
                    .start(() -> read(device));
        }
    }

    /**
     * Waits until the kernel and we have agreed.
     *
     * @throws FsException EPROTO when we did not, EINTR when interrupted
     */
    Agreement awaitReady() throws FsException {
        try {
            initDone.await();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new FsException(FsError.EINTR, "interrupted while mounting", e);
        }
        Agreement agreed = agreement;
        if (agreed == null) {
            throw new FsException(
                    FsError.EPROTO,
                    "the kernel did not agree on a FUSE protocol: Linux 4.20 is needed");
        }
        return agreed;
    }

    /** Done when the mount is gone, however that came. */
    Completion<Void> ended() {
        return ended;
    }

    /** Requests that wait for the file system now. */
    int inHandCount() {
        return inHand.count();
    }

    private void read(FuseDevice device) {
        try {
            readUntilGone(device);
        } catch (Throwable t) {
            LOG.log(Level.ERROR, "a FUSE reader ended unexpectedly", t);
        } finally {
            device.release();
            if (readersLeft.decrementAndGet() == 0) {
                inHand.interruptAll();
                initDone.countDown();
                Thread.ofPlatform().name("netfs-fuse-end").start(this::end);
            }
        }
    }

    /**
     * Whether the kernel has let go of the file system: it is mounted nowhere any more, and what is
     * mounted where it was is somebody else's; unless it was cut off by force while in use.
     */
    boolean isUnmounted() {
        return unmounted;
    }

    private void end() {
        try {
            handler.sessionEnded();
        } catch (Throwable t) {
            LOG.log(Level.ERROR, "the file system did not take the end of the session", t);
        } finally {
            ended.complete(null);
        }
    }

    private void readUntilGone(FuseDevice device) {
        ReplyBuffer out = new ReplyBuffer(true);
        FuseRequest request = new FuseRequest(device, out);
        RequestBuffer buffer = largeWrites.take();
        try {
            while (true) {
                long n = device.read(out.state(), buffer.memory(), buffer.memory().byteSize());
                if (n >= Wire.IN_HEADER_BYTES) {
                    request.begin(buffer, (int) n);
                    if (answerAtOnce(request)) {
                        request.ended();
                    } else {
                        buffer = handOver(request, buffer);
                    }
                } else if (!isWorthRepeating(n)) {
                    if (n == -Libc.ENODEV) {
                        unmounted = true;
                    }
                    if (n != -Libc.ENODEV && n != -Libc.ECONNABORTED) {
                        LOG.log(Level.ERROR, "reading /dev/fuse failed: errno {0}", -n);
                    }
                    return;
                }
            }
        } finally {
            largeWrites.give(buffer);
        }
    }

    /** Interrupted; or the request was given up (ENOENT) while the kernel prepared it. */
    private static boolean isWorthRepeating(long result) {
        return result == -Libc.EINTR || result == -Libc.EAGAIN || result == -Libc.ENOENT;
    }

    private boolean answerAtOnce(FuseRequest request) {
        try {
            switch (request.opcode()) {
                case Opcode.INIT -> init(request);
                case Opcode.INTERRUPT -> inHand.interrupt(request.u64(Wire.INTERRUPT_IN_UNIQUE));
                case Opcode.DESTROY -> request.replyEmpty();
                default -> {
                    if (!handler.tryHandle(request)) {
                        return false;
                    }
                    answerIfForgotten(request);
                }
            }
        } catch (Throwable t) {
            answerFailure(request, t);
        }
        return true;
    }

    private void init(FuseRequest request) throws FsException {
        try {
            Agreement agreed = Negotiation.answer(request, options);
            if (agreed != null) {
                agreement = agreed;
                initDone.countDown();
            }
        } catch (FsException e) {
            initDone.countDown();
            throw e;
        }
    }

    /**
     * Gives the request to a virtual thread.
     *
     * @return the buffer that the reader goes on with
     */
    private RequestBuffer handOver(FuseRequest request, RequestBuffer readersOwn) {
        RequestBuffer next = readersOwn;
        RequestBuffer given = null;
        inHand.enter();
        request.device().retain();
        try {
            if (request.opcode() == Opcode.WRITE) {
                int bytes = request.argumentBytes() - Wire.WRITE_IN_BYTES;
                if (bytes <= FuseOptions.Limits.SMALL_BYTES) {
                    given = smallWrites.take();
                } else {
                    next = largeWrites.take();
                    given = readersOwn;
                }
            }
            FuseRequest own = detach(request, given);
            Thread thread = Thread.ofVirtual().name("netfs-request").unstarted(() -> run(own));
            inHand.began(own.unique(), thread);
            thread.start();
        } catch (Throwable t) {
            // Nothing has been answered: the thread never ran.
            answerFailure(request, t);
            finished(request, given);
        }
        return next;
    }

    private FuseRequest detach(FuseRequest request, @Nullable RequestBuffer target) {
        boolean large = ReplyBuffer.isLarge(request.opcode());
        ReplyBuffer kept = (large ? largeReplies : smallReplies).poll();
        return request.detach(target, kept != null ? kept : new ReplyBuffer(large));
    }

    private void keep(ReplyBuffer reply) {
        // When there are enough already, this one goes.
        boolean unused = (reply.isLarge() ? largeReplies : smallReplies).offer(reply);
    }

    private void run(FuseRequest request) {
        try {
            handler.handle(request);
            answerIfForgotten(request);
        } catch (Throwable t) {
            answerFailure(request, t);
        } finally {
            keep(request.answeredIn());
            finished(request, request.buffer());
        }
    }

    private void finished(FuseRequest request, @Nullable RequestBuffer given) {
        request.ended();
        inHand.finished(request.unique());
        if (given != null) {
            poolOf(given).give(given);
        }
        inHand.leave();
        request.device().release();
    }

    private BufferPool poolOf(RequestBuffer buffer) {
        return buffer.payload().capacity() == smallWrites.payloadBytes()
                ? smallWrites
                : largeWrites;
    }

    private void answerIfForgotten(FuseRequest request) {
        if (!request.replied() && !Opcode.isSilent(request.opcode())) {
            LOG.log(Level.ERROR, "{0} was left without an answer", request);
            request.replyErrno(Libc.EIO);
        }
    }

    private void answerFailure(FuseRequest request, Throwable t) {
        if (t instanceof FsException e) {
            LOG.log(Level.DEBUG, () -> request + ": " + e);
        } else {
            LOG.log(Level.ERROR, request + " failed unexpectedly", t);
        }
        if (request.replied() || Opcode.isSilent(request.opcode())) {
            return;
        }
        try {
            request.replyErrno(t instanceof FsException e ? e.error().errno() : Libc.EIO);
        } catch (Throwable again) {
            LOG.log(Level.ERROR, request + " could not be answered", again);
        }
    }
}
