// SPDX-License-Identifier: Apache-2.0
package io.netfs4j.vfs;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import static java.nio.charset.StandardCharsets.UTF_8;

import io.netfs4j.base.Clock;
import io.netfs4j.base.Completion;
import io.netfs4j.base.Environment;
import io.netfs4j.base.FsError;
import io.netfs4j.base.FsException;
import io.netfs4j.base.Scheduler;
import io.netfs4j.base.SystemRuntime;
import io.netfs4j.cache.journal.Journal;
import io.netfs4j.cache.journal.JournalLimits;
import io.netfs4j.engine.EngineLimits;
import io.netfs4j.pagecache.PageCache;
import io.netfs4j.request.Subrequest;
import io.netfs4j.request.Termination;
import io.netfs4j.server.Access;
import io.netfs4j.server.AttributeChange;
import io.netfs4j.server.Capabilities;
import io.netfs4j.server.Capability;
import io.netfs4j.server.CoherencyToken;
import io.netfs4j.server.OpenedFile;
import io.netfs4j.server.RemotePath;
import io.netfs4j.server.Server;
import io.netfs4j.server.ServerAttributes;
import io.netfs4j.server.ServerFile;
import io.netfs4j.server.WriteSession;
import io.netfs4j.server.memory.MemoryServer;
import io.netfs4j.testing.DoubleServer;
import io.netfs4j.vfs.VfsOptions.OnConflict;

import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;

import java.nio.ByteBuffer;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.AtomicReference;

/**
 * Mounts of one server that tells versions apart by size and whole seconds, in a world where it is
 * always the same second.
 */
abstract class OneSecond {
    static final JournalLimits LIMITS = new JournalLimits(6L << 18, 1 << 18, 1 << 18);
    static final Instant NOW = Instant.parse("2026-01-02T03:04:05.6Z");
    static final OpenFlags EMPTYING =
            new OpenFlags(Access.READ_WRITE, false, true, false, false, false, false);

    /** So long nobody waits here. */
    private static final long SHORT_NANOS = 2_000_000_000L;

    static final long EXPIRY_NANOS = 31_000_000_000L;

    final SystemRuntime runtime = new SystemRuntime();

    /** What the clock on the wall shows. */
    final AtomicReference<Instant> wall = new AtomicReference<>(NOW);

    /** Done once, when a short while is to pass. */
    final AtomicReference<Runnable> meanwhile = new AtomicReference<>();

    private final Scheduler scheduler =
            new Scheduler() {
                @Override
                public void execute(Runnable step) {
                    runtime.environment().scheduler().execute(step);
                }

                @Override
                public Cancellable schedule(Runnable step, long delayNanos) {
                    if (delayNanos > SHORT_NANOS) {
                        return runtime.environment().scheduler().schedule(step, delayNanos);
                    }
                    Runnable first = meanwhile.getAndSet(null);
                    if (first != null) {
                        first.run();
                    }
                    return runtime.environment().scheduler().schedule(step, 1);
                }

                @Override
                public void fork(String name, Runnable task) {
                    runtime.environment().scheduler().fork(name, task);
                }
            };

    /** Added to the clock that counts. */
    final AtomicLong later = new AtomicLong();

    final Clock clock =
            new Clock() {
                @Override
                public long nanoTime() {
                    return runtime.environment().clock().nanoTime() + later.get();
                }

                @Override
                public Instant now() {
                    return wall.get();
                }
            };
    final MemoryServer store = new MemoryServer(clock);

    /** The next mounts make new names, and truncate, on the server at once. */
    boolean metadataSync;

    @BeforeEach
    void makeFile() throws FsException {
        try (Client maker = new Client()) {
            OpenFile file = maker.create("f");
            maker.write(file, 0, "0123456789");
            maker.save(file);
            maker.vfs.release(file);
        }
    }

    @AfterEach
    void close() {
        runtime.close();
    }

    private static ServerAttributes coarse(ServerAttributes a) {
        Instant modified = a.modified().truncatedTo(ChronoUnit.SECONDS);
        return new ServerAttributes(
                a.type(),
                a.sizeBytes(),
                a.mode(),
                a.uid(),
                a.gid(),
                1,
                a.accessed().truncatedTo(ChronoUnit.SECONDS),
                modified,
                modified,
                0,
                CoherencyToken.of(modified, a.sizeBytes()));
    }

    /** One mount. */
    final class Client implements AutoCloseable {
        final CachedVfs vfs;

        /** Commits wait for it while it is set. */
        final AtomicReference<Completion<Boolean>> held = new AtomicReference<>();

        /** A commit has come through, and waits to be heard of; or a piece hangs. */
        final CountDownLatch isHeld = new CountDownLatch(1);

        /** Done in the place of the next piece, whose connection is lost then. */
        final AtomicReference<Runnable> lost = new AtomicReference<>();

        /** As {@link #lost}, in the place of the next commit. */
        final AtomicReference<Runnable> lostAtCommit = new AtomicReference<>();

        /** The next piece that begins there fails. */
        final AtomicLong failsAt = new AtomicLong(-1);

        /** As {@link #lost}, in the place of the next piece that begins there. */
        final AtomicLong lostAt = new AtomicLong(0);

        /** No piece ends any more, and of what is set of a file nothing is heard, nor done. */
        final AtomicBoolean hangs = new AtomicBoolean();

        /** Done before a lock is asked for, once. */
        final AtomicReference<Runnable> beforeLock = new AtomicReference<>();

        /** Done when a lock has been made, before that is heard of, once. */
        final AtomicReference<Runnable> afterLock = new AtomicReference<>();

        /** Another's lock was met. */
        final CountDownLatch met = new CountDownLatch(1);

        /** Counted down when the server has taken a lock away; then this mount hears no more. */
        final AtomicReference<CountDownLatch> unlocked = new AtomicReference<>();

        final AtomicBoolean mayNotLock = new AtomicBoolean();

        /** How often a lock was asked for. */
        final AtomicInteger asked = new AtomicInteger();

        /** The next lock is made, but something goes wrong with the answer. */
        final AtomicBoolean answersBadly = new AtomicBoolean();

        /** So many locks the server does not take away. */
        final AtomicInteger keepsLocks = new AtomicInteger();

        Client() throws FsException {
            this(OnConflict.COPY, null);
        }

        Client(OnConflict policy, Journal journal) throws FsException {
            VfsOptions usual = VfsOptions.of(new PageCache.Limits(1 << 20, 1 << 20, 1 << 20));
            EngineLimits e = usual.engine();
            VfsOptions options =
                    new VfsOptions(
                            usual.memory(),
                            new EngineLimits(
                                    e.throttle(),
                                    3_600_000_000_000L,
                                    e.eagerBytes(),
                                    e.attemptsMax(),
                                    1,
                                    1,
                                    e.parkFirstNanos(),
                                    e.parkMaxNanos(),
                                    e.readaheadBytesMax(),
                                    e.cachePatienceNanos()),
                            0,
                            0,
                            false,
                            false,
                            false,
                            !metadataSync,
                            false,
                            new VfsOptions.Conflicts(policy, "host"),
                            false,
                            usual.ownership());
            Environment real = runtime.environment();
            vfs =
                    new CachedVfs(
                            new Environment(clock, scheduler, real.waits(), real.random()),
                            DoubleServer.of(store, this::coarsely),
                            options,
                            ByteBuffer::allocate,
                            null,
                            journal);
        }

        private Object coarsely(DoubleServer.Call call) throws Throwable {
            if (call.is(Server.class, "capabilities")) {
                return new Capabilities(EnumSet.allOf(Capability.class), 1, 1_000_000_000L, 255);
            }
            if (call.is(Server.class, "makeDirectory") && mayNotLock.get()) {
                throw new FsException(FsError.EACCES, "not here");
            }
            if (call.is(WriteSession.class, "commit")) {
                Runnable instead = lostAtCommit.getAndSet(null);
                if (instead == null) {
                    return commit(call);
                }
                instead.run();
                call.argument(1, Completion.class).fail(new FsException(FsError.ENOTCONN, "lost"));
                return null;
            }
            if (hangs.get() && call.is(WriteSession.class, "issue")) {
                Subrequest piece = call.argument(0, Subrequest.class);
                piece.take(piece.length());
                isHeld.countDown();
                return true;
            }
            if (hangs.get() && call.is(ServerFile.class, "setAttributes")) {
                isHeld.countDown();
                new CountDownLatch(1).await();
            }
            boolean issues = call.is(WriteSession.class, "issue");
            long at = issues ? call.argument(0, Subrequest.class).position() : -1;
            if (issues && failsAt.compareAndSet(at, -1)) {
                Subrequest piece = call.argument(0, Subrequest.class);
                piece.take(piece.length());
                piece.terminated(new Termination.Failed(new FsException(FsError.EIO, "bad")));
                return true;
            }
            Runnable instead = issues && at >= lostAt.get() ? lost.getAndSet(null) : null;
            if (instead != null) {
                instead.run();
                Subrequest piece = call.argument(0, Subrequest.class);
                piece.take(piece.length());
                FsException cause = new FsException(FsError.ENOTCONN, "lost");
                piece.terminated(new Termination.RetryLater(true, 0, cause));
                return true;
            }
            boolean asks = call.is(Server.class, "makeSymlinkAndStat");
            Runnable first = asks ? beforeLock.getAndSet(null) : null;
            if (first != null) {
                first.run();
            }
            asked.addAndGet(asks ? 1 : 0);
            if (call.is(Server.class, "remove") && keepsLocks.getAndUpdate(n -> n - 1) > 0) {
                throw new FsException(FsError.EIO, "bad");
            }
            Object result;
            try {
                result = call.proceed();
            } catch (FsException e) {
                if (e.error() == FsError.EEXIST && asks) {
                    met.countDown();
                }
                throw e;
            }
            Runnable then = asks ? afterLock.getAndSet(null) : null;
            if (then != null) {
                then.run();
            }
            if (asks && answersBadly.getAndSet(false)) {
                throw new FsException(FsError.EIO, "bad");
            }
            CountDownLatch unheard = call.is(Server.class, "remove") ? unlocked.get() : null;
            if (unheard != null) {
                unheard.countDown();
                throw new FsException(FsError.ENOTCONN, "not heard of");
            }
            return switch (result) {
                case ServerAttributes a -> coarse(a);
                case OpenedFile o -> new OpenedFile(o.file(), coarse(o.attributes()));
                case null, default -> result;
            };
        }

        @SuppressWarnings("unchecked")
        private Object commit(DoubleServer.Call call) throws Throwable {
            Completion<ServerAttributes> done = call.argument(1, Completion.class);
            Completion<ServerAttributes> fine = new Completion<>();
            Completion<Boolean> until = held.get();
            fine.whenDone((a, failure) -> {
                if (until != null) {
                    isHeld.countDown();
                }
                Completion<Boolean> wait = until == null ? Completion.done(true) : until;
                wait.whenDone((go, never) -> {
                    if (failure == null) {
                        done.complete(coarse(a));
                    } else {
                        done.fail(failure);
                    }
                });
            });
            call.proceedWith(call.argument(0, AttributeChange.class), fine);
            return null;
        }

        OpenFile create(String name) throws FsException {
            return vfs.create(Vfs.ROOT_INO, name, 0644, OpenFlags.READ_WRITE).file();
        }

        /** Opens it and reads it. */
        OpenFile open(String name) throws FsException {
            Attributes found = vfs.lookup(Vfs.ROOT_INO, name).attributes();
            assertThat(found).as(name).isNotNull();
            OpenFile file = vfs.open(found.ino(), OpenFlags.READ_WRITE);
            read(file);
            return file;
        }

        void write(OpenFile file, long at, String text) throws FsException {
            vfs.write(file, at, ByteBuffer.wrap(text.getBytes(UTF_8)));
        }

        String read(OpenFile file) throws FsException {
            ByteBuffer bytes = ByteBuffer.allocate(100);
            vfs.read(file, 0, bytes);
            return new String(bytes.array(), 0, bytes.position(), UTF_8);
        }

        void save(OpenFile file) throws FsException {
            vfs.fsync(file, false);
        }

        void assertSavingTellsOfIt(OpenFile file) {
            assertThatThrownBy(() -> save(file))
                    .isInstanceOfSatisfying(
                            FsException.class,
                            e -> assertThat(e.error()).isEqualTo(FsError.ESTALE));
        }

        /** Saves on a thread of its own. */
        Completion<Boolean> saving(OpenFile file) {
            Completion<Boolean> done = new Completion<>();
            runtime.environment()
                    .scheduler()
                    .fork(
                            "saving",
                            () -> {
                                try {
                                    save(file);
                                    done.complete(true);
                                } catch (FsException e) {
                                    done.fail(e);
                                }
                            });
            return done;
        }

        /** Gives a file another size on a thread of its own. */
        void resizing(OpenFile file, long size) {
            runtime.environment()
                    .scheduler()
                    .fork(
                            "resizing",
                            () -> {
                                try {
                                    if (size > vfs.getAttributes(file.ino()).sizeBytes()) {
                                        vfs.allocate(file, AllocateMode.EXTEND, 0, size);
                                    } else {
                                        AttributeChange change = AttributeChange.size(size);
                                        vfs.setAttributes(file.ino(), change, file);
                                    }
                                } catch (FsException e) {
                                    throw new AssertionError(e);
                                }
                            });
        }

        @Override
        public void close() throws FsException {
            vfs.awaitNames();
        }
    }

    /** What the server has under a name. */
    String onServer(String name) throws FsException {
        try (Client looking = new Client(OnConflict.OVERWRITE, null)) {
            OpenFile file = looking.open(name);
            String text = looking.read(file);
            looking.vfs.release(file);
            return text;
        }
    }

    List<String> names(RemotePath directory) throws FsException {
        List<String> names = new ArrayList<>();
        store.list(directory, (name, type, attributes) -> names.add(name));
        names.remove(UploadLocks.DIRECTORY);
        names.sort(null);
        return names;
    }

    void assertBothAreThere(String name, String copy) throws FsException {
        List<String> names = names(RemotePath.ROOT);
        assertThat(names).hasSize(2);
        assertThat(names.get(1)).matches("f\\.conflict-host-[0-9TZ]+");
        assertThat(onServer("f")).isEqualTo(name);
        assertThat(onServer(names.get(1))).isEqualTo(copy);
    }

    void assertNothingIsLocked() throws FsException {
        boolean there;
        try {
            store.stat(RemotePath.ROOT.child(UploadLocks.DIRECTORY));
            there = true;
        } catch (FsException e) {
            assertThat(e.error()).isEqualTo(FsError.ENOENT);
            there = false;
        }
        assertThat(there).as("a directory of locks").isFalse();
    }
}
