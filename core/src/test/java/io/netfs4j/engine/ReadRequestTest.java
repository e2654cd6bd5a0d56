// SPDX-License-Identifier: Apache-2.0
package io.netfs4j.engine;

import static org.assertj.core.api.Assertions.assertThat;

import io.netfs4j.base.Completion;
import io.netfs4j.base.FsError;
import io.netfs4j.base.FsException;
import io.netfs4j.base.RangeSet;
import io.netfs4j.cache.Cookie;
import io.netfs4j.request.Destination;
import io.netfs4j.request.Origin;
import io.netfs4j.request.Subrequest;
import io.netfs4j.request.Termination;
import io.netfs4j.server.ServerFile;

import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

import java.lang.reflect.Proxy;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.locks.ReentrantLock;

/** Who hears of what became of a read, and when. Pieces of 4 KiB end when the test says so. */
class ReadRequestTest {
    private static final int PIECE = 4096;
    private static final long SIZE = 16 * PIECE;
    private static final FsException BAD = new FsException(FsError.EIO, "bad sector");

    private final StepByStep steps = new StepByStep();
    private final List<Subrequest> pieces = new ArrayList<>();
    private final ReentrantLock lock = new ReentrantLock();

    /** What the disk cache holds; the pieces that it was asked for. */
    private final RangeSet held = new RangeSet();

    private final List<Subrequest> cachePieces = new ArrayList<>();

    /** The method that throws, of the file or of its cookie. */
    private String throwsAt = "";

    /** What the cookie says is missing next, instead of the truth. */
    private long missingNext = Long.MIN_VALUE;

    private Engine engine;
    private InodeData inode;

    @BeforeEach
    void make() {
        engine = steps.engine(EngineLimits.DEFAULT);
        inode = new InodeData(lock, engine.cache(), silence(), SIZE);
        lock.lock();
        inode.setFile(file());
    }

    @AfterEach
    void close() {
        lock.unlock();
        steps.close();
    }

    private InodeListener silence() {
        return new StepByStep.QuietFile() {
            @Override
            public @Nullable Cookie openCookie() {
                return held.isEmpty() ? null : cookie();
            }
        };
    }

    private static Destination collecting(List<Subrequest> pieces) {
        return new Destination() {
            @Override
            public int estimateBytes(long position) {
                return PIECE;
            }

            @Override
            public boolean issue(Subrequest offer, Runnable whenReady) {
                offer.take(offer.length());
                pieces.add(offer);
                return true;
            }
        };
    }

    private Cookie cookie() {
        Destination reads = collecting(cachePieces);
        return (Cookie)
                Proxy.newProxyInstance(
                        Cookie.class.getClassLoader(),
                        new Class<?>[] {Cookie.class},
                        (proxy, method, arguments) ->
                                switch (careful("cookie.", method.getName())) {
                                    case "reads" -> reads;
                                    case "nextHeld" ->
                                            Math.min(
                                                    (long) arguments[1],
                                                    held.next((long) arguments[0], SIZE));
                                    case "nextMissing" ->
                                            missingNext > Long.MIN_VALUE
                                                    ? missingNext
                                                    : Math.min(
                                                            (long) arguments[1],
                                                            held.runEnd((long) arguments[0]));
                                    case "granuleBytes" -> 1;
                                    case "writes" ->
                                            throw new UnsupportedOperationException("only read");
                                    case "discard" -> {
                                        held.remove((long) arguments[0], (long) arguments[1]);
                                        yield null;
                                    }
                                    default -> throw new AssertionError(method);
                                });
    }

    @SuppressWarnings("ReferenceEquality") // the double is one object
    private ServerFile file() {
        Destination reads = collecting(pieces);
        return (ServerFile)
                Proxy.newProxyInstance(
                        ServerFile.class.getClassLoader(),
                        new Class<?>[] {ServerFile.class},
                        (proxy, method, arguments) ->
                                switch (careful("file.", method.getName())) {
                                    case "reads" -> reads;
                                    case "close" -> null;
                                    case "isReadable" -> true;
                                    case "equals" -> proxy == arguments[0];
                                    default -> throw new AssertionError(method);
                                });
    }

    private String careful(String whose, String method) {
        if (throwsAt.equals(whose + method)) {
            throw new IllegalStateException("bug in " + method);
        }
        return method;
    }

    /** Ends the piece at a position, and lets the engine take note. */
    private void end(int piece, Termination how) {
        Subrequest found =
                pieces.stream()
                        .filter(p -> p.position() == piece * PIECE)
                        .findFirst()
                        .orElseThrow();
        pieces.remove(found);
        found.terminated(how);
        runSteps();
    }

    private void runSteps() {
        steps.run();
        steps.runTimers();
    }

    private Completion<@Nullable Void> waitFor(int piece) {
        Completion<@Nullable Void> over = engine.loading(inode, piece * PIECE, (piece + 1) * PIECE);
        assertThat(over).as("piece %s is on its way", piece).isNotNull();
        return over;
    }

    @Test
    void wait_forAPieceThatCame_endsBeforeTheOthersHaveCome() {
        engine.load(inode, 0, SIZE, Origin.READAHEAD);
        Completion<@Nullable Void> first = waitFor(0);
        Completion<@Nullable Void> second = waitFor(1);
        end(0, Termination.DONE);
        assertThat(first.isDone()).isTrue();
        assertThat(second.isDone()).isFalse();
    }

    @Test
    void failure_ofWhatWasReadAhead_failsNobodyAndIsAskedForAgain() {
        engine.load(inode, 0, 2 * PIECE, Origin.READAHEAD);
        Completion<@Nullable Void> first = waitFor(0);
        Completion<@Nullable Void> second = waitFor(1);
        end(0, new Termination.Failed(BAD));
        assertThat(first.isDone()).isTrue();
        assertThat(first.failure()).isNull();
        assertThat(engine.loading(inode, 0, PIECE)).isNull();
        end(1, Termination.DONE);
        assertThat(second.failure()).isNull();
        assertThat(inode.isBusy()).isFalse();

        engine.load(inode, 0, PIECE, Origin.DEMAND_READ);
        Completion<@Nullable Void> again = waitFor(0);
        end(0, new Termination.Failed(BAD));
        assertThat(again.failure()).isEqualTo(BAD);
        assertThat(inode.isBusy()).isFalse();
    }

    @Test
    void failure_ofAPiece_failsThoseWhoWaitForItAlone() {
        engine.load(inode, 0, 3 * PIECE, Origin.DEMAND_READ);
        Completion<@Nullable Void> all = engine.loading(inode, 0, 3 * PIECE);
        Completion<@Nullable Void> last = waitFor(2);
        end(0, Termination.DONE);
        end(1, new Termination.Failed(BAD));
        assertThat(all.failure()).isEqualTo(BAD);
        assertThat(last.isDone()).isFalse();
        end(2, Termination.DONE);
        assertThat(last.isDone()).isTrue();
        assertThat(last.failure()).isNull();
        assertThat(inode.isBusy()).isFalse();
    }

    @Test
    void patience_atItsEnd_failsThePieceAndGoesOnWithTheRest() {
        engine.load(inode, 0, 2 * PIECE, Origin.DEMAND_READ);
        Completion<@Nullable Void> first = waitFor(0);
        Completion<@Nullable Void> second = waitFor(1);
        end(1, Termination.DONE);
        assertThat(second.isDone()).isTrue();
        Termination busy =
                new Termination.RetryLater(false, 0, new FsException(FsError.EAGAIN, "busy"));
        for (int i = 0; i <= EngineLimits.DEFAULT.attemptsMax(); i++) {
            assertThat(first.isDone()).isFalse();
            end(0, busy);
        }
        assertThat(first.failure()).extracting(FsException::error).isEqualTo(FsError.EIO);
        assertThat(second.failure()).isNull();
        assertThat(inode.isBusy()).isFalse();
    }

    @Test
    void serverThatThrows_whenItIsToBeRead_failsThoseWhoWait() {
        throwsAt = "file.reads";
        engine.load(inode, 0, 2 * PIECE, Origin.DEMAND_READ);
        Completion<@Nullable Void> first = waitFor(0);
        runSteps();
        assertThat(first.failure()).hasMessageContaining("bug in reads");
        assertThat(inode.isBusy()).isFalse();
    }

    @Test
    void serverThatThrows_whenAHandleIsClosed_keepsNothingElseFromIt() {
        throwsAt = "file.close";
        inode.setFile(file());
        inode.setFile(null);
        assertThat(inode.file()).isNull();
        assertThat(inode.isBusy()).isFalse();
    }

    /** Where the cookie throws, or says nonsense, the server is asked for all of it. */
    @ParameterizedTest
    @ValueSource(strings = {"cookie.reads", "cookie.nextHeld", "cookie.nextMissing", "none"})
    void cacheThatCannotBeAsked_isLeftForTheServer(String place) {
        held.add(0, 2 * PIECE);
        inode.setFile(null);
        inode.setFile(file());
        throwsAt = place;
        missingNext = place.equals("none") ? -1 : Long.MIN_VALUE;
        engine.load(inode, 0, 2 * PIECE, Origin.DEMAND_READ);
        Completion<@Nullable Void> first = waitFor(0);
        runSteps();
        assertThat(cachePieces).isEmpty();
        end(0, Termination.DONE);
        end(1, Termination.DONE);
        assertThat(first.isDone()).isTrue();
        assertThat(first.failure()).isNull();
        assertThat(inode.isBusy()).isFalse();
    }

    private static void fill(Subrequest piece, byte with) {
        byte[] bytes = new byte[(int) piece.length()];
        Arrays.fill(bytes, with);
        piece.copyIn(0, bytes, 0, bytes.length);
    }

    @Test
    void cacheThatHangs_isLeftBehindForTheServer_andWhatItDeliversLateIsDropped() {
        held.add(PIECE, 3 * PIECE);
        inode.setFile(inode.file());
        engine.load(inode, 0, 3 * PIECE, Origin.DEMAND_READ);
        Completion<@Nullable Void> all = engine.loading(inode, 0, 3 * PIECE);
        assertThat(cachePieces).hasSize(2);
        fill(pieces.getFirst(), (byte) 7);
        end(0, Termination.DONE);
        // The clock here runs out at once.
        assertThat(all.isDone()).isTrue();
        assertThat(all.failure()).isNull();
        assertThat(inode.isBusy()).isFalse();

        engine.load(inode, 0, 3 * PIECE, Origin.DEMAND_READ);
        for (int piece = 1; piece < 3; piece++) {
            fill(pieces.getFirst(), (byte) 7);
            end(piece, Termination.DONE);
        }
        for (Subrequest late : cachePieces) {
            fill(late, (byte) 9);
            late.terminated(Termination.DONE);
        }
        runSteps();
        ByteBuffer read = ByteBuffer.allocate(3 * PIECE);
        assertThat(inode.pages().read(0, read, 3 * PIECE, SIZE)).isEqualTo(3 * PIECE);
        assertThat(read.array()).containsOnly(7);
        assertThat(engine.cache().memoryBytes())
                .as("the memory that the cache still filled was given back")
                .isEqualTo(3 * PIECE);
        assertThat(cachePieces).as("not asked again while it hangs").hasSize(2);
    }

    @Test
    void cacheThatHangs_withOnePiece_hasDeliveredTheOthers() {
        held.add(0, 3 * PIECE);
        inode.setFile(inode.file());
        engine.load(inode, 0, 3 * PIECE, Origin.DEMAND_READ);
        Completion<@Nullable Void> last = waitFor(2);
        for (Subrequest came : List.of(cachePieces.get(1), cachePieces.get(2))) {
            fill(came, (byte) 7);
            came.terminated(Termination.DONE);
        }
        steps.runLastTimer();
        assertThat(last.isDone()).isTrue();
        runSteps();
        assertThat(inode.isBusy()).isFalse();
        assertThat(inode.pages().nextPresent(0, 3 * PIECE)).isEqualTo(PIECE);
        assertThat(inode.pages().nextAbsent(PIECE, 3 * PIECE)).isEqualTo(3 * PIECE);
    }

    @Test
    void wait_forAPieceThatCame_endsBeforeThoseBelowItHaveCome() {
        engine.load(inode, 0, SIZE, Origin.READAHEAD);
        Completion<@Nullable Void> sixth = waitFor(5);
        Completion<@Nullable Void> all = engine.loading(inode, 0, SIZE);
        end(5, Termination.DONE);
        assertThat(sixth.isDone()).isTrue();
        assertThat(inode.pages().nextAbsent(5 * PIECE, SIZE)).isEqualTo(6 * PIECE);
        for (int piece = 15; piece >= 0; piece--) {
            if (piece != 5) {
                assertThat(all.isDone()).isFalse();
                end(piece, Termination.DONE);
            }
        }
        assertThat(all.isDone()).isTrue();
        assertThat(inode.isBusy()).isFalse();
    }
}
