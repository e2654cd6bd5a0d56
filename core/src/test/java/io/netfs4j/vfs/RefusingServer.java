// SPDX-License-Identifier: Apache-2.0
package io.netfs4j.vfs;

import io.netfs4j.base.FsError;
import io.netfs4j.base.FsException;
import io.netfs4j.request.Subrequest;
import io.netfs4j.request.Termination;
import io.netfs4j.server.OpenedFile;
import io.netfs4j.server.Server;
import io.netfs4j.server.WriteSession;
import io.netfs4j.server.memory.MemoryServer;
import io.netfs4j.testing.DoubleServer;

import org.jspecify.annotations.Nullable;

import java.util.Set;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Future;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;

/** What becomes of the pieces that a server is sent: of files that are marked, and of others. */
final class RefusingServer {
    static final int PIECE_BYTES = 64 << 10;

    private static final int PATIENCE_MILLIS = 10;

    /** Pieces that {@link #hold} has. */
    final BlockingQueue<Subrequest> held = new LinkedBlockingQueue<>();

    /** Marked files, and their sessions. */
    private final Set<Object> marked = ConcurrentHashMap.newKeySet();

    /** Whether files that are made or opened now are marked. */
    volatile boolean marks;

    volatile Consumer<Subrequest> ofMarked = ends(failure(FsError.EACCES, "refused"));

    /** Null: the server takes them. */
    volatile @Nullable Consumer<Subrequest> ofOthers;

    /** Whether no file is made any more. */
    volatile boolean refusesCreations;

    /** Those that were not made. */
    final Semaphore creationsRefused = new Semaphore(0);

    /** Names are taken away once this is over. */
    volatile CountDownLatch removals = new CountDownLatch(0);

    /** Over when a name was to be taken away. */
    final CountDownLatch removalAsked = new CountDownLatch(1);

    Server over(MemoryServer store) {
        return DoubleServer.of(store, this::answer);
    }

    static Termination failure(FsError error, String text) {
        return new Termination.Failed(new FsException(error, text));
    }

    static Consumer<Subrequest> ends(Termination termination) {
        return piece -> piece.terminated(termination);
    }

    /** Does not answer, for now. */
    void hold(Subrequest piece) {
        held.add(piece);
    }

    /** All that is held ends well, and so does what comes, until something is done. */
    void relentUntil(Future<?> done) throws InterruptedException {
        ofMarked = ends(Termination.DONE);
        ofOthers = null;
        while (!done.isDone()) {
            Subrequest piece = held.poll(PATIENCE_MILLIS, TimeUnit.MILLISECONDS);
            if (piece != null) {
                piece.terminated(Termination.DONE);
            }
        }
    }

    private @Nullable Object answer(DoubleServer.Call call) throws Throwable {
        boolean isMarked = marked.contains(call.self);
        Consumer<Subrequest> instead = isMarked ? ofMarked : ofOthers;
        if (instead != null && call.is(WriteSession.class, "estimateBytes")) {
            return PIECE_BYTES;
        }
        if (instead != null && call.is(WriteSession.class, "issue")) {
            Subrequest piece = call.argument(0, Subrequest.class);
            piece.take(piece.length());
            instead.accept(piece);
            return true;
        }
        if (refusesCreations && call.is(Server.class, "create")) {
            creationsRefused.release();
            throw new FsException(FsError.EDQUOT, "refused: no more files");
        }
        if (call.is(Server.class, "remove")) {
            removalAsked.countDown();
            removals.await();
        }
        Object result = call.proceed();
        if (result instanceof OpenedFile opened && marks) {
            marked.add(opened.file());
        } else if (result instanceof WriteSession && isMarked) {
            marked.add(result);
        }
        return result;
    }
}
