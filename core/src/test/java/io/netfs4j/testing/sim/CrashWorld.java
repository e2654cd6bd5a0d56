// SPDX-License-Identifier: Apache-2.0
package io.netfs4j.testing.sim;

import io.netfs4j.base.Environment;
import io.netfs4j.base.FsError;
import io.netfs4j.base.FsException;
import io.netfs4j.server.FileType;
import io.netfs4j.server.RemotePath;
import io.netfs4j.server.ServerAttributes;
import io.netfs4j.testing.ForgetfulDisk;
import io.netfs4j.testing.sim.CrashTree.Directory;
import io.netfs4j.testing.sim.CrashTree.Link;
import io.netfs4j.testing.sim.CrashTree.Seen;
import io.netfs4j.vfs.Attributes;
import io.netfs4j.vfs.Vfs;
import io.netfs4j.vfs.VfsOptions;

import org.jspecify.annotations.Nullable;

import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.random.RandomGenerator;
import java.util.random.RandomGeneratorFactory;

/**
 * One seed's world in which the mount dies, at any step or call of its disk, and another takes its
 * place: over the same server, and what is left of the same disk. What an application was told must
 * be there in the next life at once, and on the server at the end; what was under way is there or
 * not; nothing else is. The machine may lose its power, too: then that holds for what was forced.
 */
final class CrashWorld {
    private static final long SAFETY_NANOS_MAX = 400L * 3_600_000_000_000L;
    private static final long LIVENESS_NANOS_MAX = 3_600_000_000_000L;
    private static final long SETTLING_NANOS = 200_000_000_000L;
    private static final int LIVES_MAX = 5;
    private static final int OPERATIONS_MAX = 60;
    private static final int APPLICATIONS_MAX = 3;
    private static final int MOUNTS_MAX = 200;

    final Trace trace;
    final SimLoop loop;

    private final long seed;
    private final Tally tally = new Tally();
    private final FaultPlan faults;
    private final SimServer server;
    private final ForgetfulDisk disk;
    private final RandomGenerator random;
    private final List<CrashApp> applications = new ArrayList<>();
    private final ModelFile.Sequence sequence = new ModelFile.Sequence();
    private CrashDisk calls;
    private @Nullable CachedSubject subject;
    private int filesMade;
    private int life;
    private int deaths;
    private int powerLosses;
    private int recoveries;
    private long operated;
    private int steps;
    private boolean unbuffered;

    CrashWorld(long seed, boolean aloud) {
        this.seed = seed;
        trace = new Trace(aloud);
        loop = new SimLoop(origin(0), trace);
        random = generator(1);
        faults = new FaultPlan(generator(2), loop::origin, tally, null);
        boolean locks = Plan.drawsLocks(seed);
        server = LockingServer.make(locks, loop, faults, trace, sequence);
        disk = new ForgetfulDisk(generator(3));
        calls = new CrashDisk(disk, loop, random, false);
        Abilities.draw(server, generator(4));
        server.strangers = () -> new UnjudgedFile(++filesMade, sequence);
    }

    private RandomGenerator generator(int purpose) {
        return RandomGeneratorFactory.of("L64X128MixRandom")
                .create(Trace.mix(seed * 0x9E3779B97F4A7C15L + 0x5DEECE66DL + purpose));
    }

    private Origin origin(int moment) {
        return new Origin(seed ^ 0x5DEECE66DL, Origin.WORLD, moment);
    }

    /** Whether a seed has such a world. */
    static boolean isDrawn(long seed) {
        return Long.remainderUnsigned(Trace.mix(seed + 0x632BE59BD9B4E019L), 3) == 0;
    }

    World.Outcome run(int eventsKept) {
        Violation violation = null;
        try {
            live();
        } catch (Violation v) {
            violation = v;
        } catch (RuntimeException | Error e) {
            violation = new Violation("crash", e.toString(), e);
        }
        return new World.Outcome(
                seed,
                tally,
                trace.hash(),
                violation,
                violation == null ? "" : faults + "; " + server.capabilities() + "; " + subject,
                violation == null ? List.of() : trace.last(eventsKept),
                List.of(),
                faults.struck());
    }

    /** What happened in some of these worlds. */
    record Counts(long worlds, long operations, long deaths, long powerLosses, long recoveries) {
        static final Counts NONE = new Counts(0, 0, 0, 0, 0);

        Counts plus(Counts o) {
            return new Counts(
                    worlds + o.worlds,
                    operations + o.operations,
                    deaths + o.deaths,
                    powerLosses + o.powerLosses,
                    recoveries + o.recoveries);
        }

        @Override
        public String toString() {
            return "worlds with crashes: "
                    + worlds
                    + "; operations="
                    + operations
                    + " crashes="
                    + deaths
                    + " losses of power="
                    + powerLosses
                    + " recoveries="
                    + recoveries;
        }
    }

    Counts counts() {
        return new Counts(1, operated, deaths, powerLosses, recoveries);
    }

    private void live() {
        int count = 1 + random.nextInt(APPLICATIONS_MAX);
        for (int i = 0; i < count; i++) {
            CrashApp application = new CrashApp(this, i, generator(100 + i));
            applications.add(application);
            try {
                server.store.makeDirectory(RemotePath.ROOT.child(application.home()), 0755);
            } catch (FsException e) {
                throw new AssertionError(e);
            }
        }
        int lives = 1 + random.nextInt(LIVES_MAX);
        boolean powerLost = false;
        for (life = 1; life <= lives; life++) {
            boolean last = life == lives;
            trace.event(loop.nanoTime(), "life", life, lives, 0);
            loop.begin(origin(life));
            calls = new CrashDisk(disk, loop, random, false);
            server.disk = calls;
            steps = last ? Integer.MAX_VALUE : random.nextInt(1 << (3 + random.nextInt(13)));
            if (!last && random.nextInt(3) == 0) {
                disk.killAt(random.nextInt(1 << (1 + random.nextInt(9))));
            }
            boolean ended = false;
            try {
                ended = spend(powerLost, last);
            } catch (ForgetfulDisk.Killed e) {
                trace.event(loop.nanoTime(), "killed in a call", life, 0, 0);
            }
            if (!ended) {
                deaths++;
                powerLost = die(powerLost);
            }
        }
    }

    /** The process dies; returns whether power was lost since applications looked. */
    private boolean die(boolean before) {
        loop.die(new Error("the process is dead"));
        loop.restart();
        server.mountDied(random);
        subject = null;
        applications.forEach(CrashApp::mountDied);
        boolean power = random.nextInt(3) == 0;
        trace.event(loop.nanoTime(), power ? "power is lost" : "killed", life, 0, 0);
        if (power) {
            powerLosses++;
            disk.losePower();
        } else {
            disk.restart();
        }
        return before || power;
    }

    /** Lives until the process dies, or until its end; whether it came to that. */
    private boolean spend(boolean powerLost, boolean last) {
        server.faults.loud();
        SimLoop.Task mounting = loop.start("mount", this::mount);
        if (!goOn(mounting)) {
            return false;
        }
        loop.onYield(subject()::check);
        List<SimLoop.Task> tasks = new ArrayList<>();
        for (CrashApp application : applications) {
            int operations = random.nextInt(OPERATIONS_MAX);
            tasks.add(
                    loop.start(
                            "application " + application.number,
                            () -> work(application, operations, powerLost)));
        }
        for (SimLoop.Task task : tasks) {
            if (!goOn(task)) {
                return false;
            }
        }
        if (!last) {
            SimLoop.Task idling = loop.start("idle", () -> loop.sleep(60_000_000_000L));
            goOn(idling);
            return false;
        }
        end();
        return true;
    }

    /** Whether a task has ended before the process has to die. */
    private boolean goOn(SimLoop.Task task) {
        loop.runUntil(() -> task.isDone() || --steps <= 0, SAFETY_NANOS_MAX);
        return task.isDone();
    }

    private void mount() {
        Environment environment =
                new Environment(loop, loop, loop, () -> loop.origin().order.nextLong());
        VfsOptions drawn = CachedSubject.draw(random);
        unbuffered = drawn.unbuffered();
        if (server instanceof LockingServer locking) {
            locking.isDirect = unbuffered;
        }
        VfsOptions options =
                new VfsOptions(
                        drawn.memory(),
                        drawn.engine(),
                        drawn.attributesValidNanos(),
                        0,
                        drawn.closeWaits(),
                        drawn.syncWrites(),
                        drawn.unbuffered(),
                        drawn.metadataWriteback(),
                        random.nextBoolean(),
                        // Nobody else changes anything: a conflict that is found is a mistake.
                        new VfsOptions.Conflicts(VfsOptions.OnConflict.COPY, "sim"),
                        false,
                        VfsOptions.Ownership.SERVERS);
        for (int i = 0; ; i++) {
            try {
                subject = CachedSubject.make(environment, server, random, options);
                server.attemptsMax = Integer.MAX_VALUE;
                recoveries += life > 1 ? 1 : 0;
                List<String> problems = subject.cached().recovered().problems();
                if (!problems.isEmpty()) {
                    throw new Violation("recovery", problems.toString());
                }
                return;
            } catch (FsException e) {
                requireExcused(e, "mounting");
                if (i > MOUNTS_MAX) {
                    throw new Violation("liveness", "still cannot be mounted: " + e, e);
                }
                loop.sleep(1_000_000_000L);
            }
        }
    }

    private void work(CrashApp application, int operations, boolean powerLost) {
        if (life > 1) {
            application.lookAgain(powerLost, "in life " + life);
        }
        for (int i = 0; i < operations; i++) {
            loop.begin(new Origin(seed ^ 0x5DEECE66DL, application.number, life * 1_000 + i));
            operated += application.operate() ? 1 : 0;
            subject().check();
        }
        if (server instanceof LockingServer) {
            new CrashEyes(this, "").requireNoLocks();
        }
    }

    private void end() {
        trace.event(loop.nanoTime(), "faults end", 0, 0, 0);
        loop.begin(origin(100));
        server.quiet();
        calls.quiet();
        SimLoop.Task closing =
                loop.start(
                        "unmount",
                        () -> {
                            applications.forEach(CrashApp::closeAll);
                            try {
                                subject().close();
                            } catch (FsException e) {
                                throw new Violation("I3", "unmounting fails: " + e, e);
                            }
                        });
        loop.runUntil(closing::isDone, LIVENESS_NANOS_MAX);
        SimLoop.Task settling = loop.start("settle", () -> loop.sleep(SETTLING_NANOS));
        loop.runUntil(settling::isDone, LIVENESS_NANOS_MAX);
        LockingServer.requireNoneLeft(server, subject(), subject().journal());
        for (CrashApp application : applications) {
            TreeMap<String, Seen> seen = new TreeMap<>();
            peek(RemotePath.ROOT.child(application.home()), "", seen);
            application.tree.settle(
                    seen, false, "application " + application.number + ", server at the end");
        }
        Map<String, Long> held = subject().accounts();
        held.values().removeIf(value -> value == 0);
        if (!held.isEmpty()) {
            throw new Violation("I18", "still held at the end: " + held);
        }
        if (server.opened != 0 || server.sessions != 0 || server.inFlight() != 0) {
            throw new Violation("I18", "the server still has something open at the end");
        }
    }

    private void peek(RemotePath directory, String prefix, TreeMap<String, Seen> seen) {
        server.peekNames(directory)
                .forEach((name, type) -> {
                    RemotePath path = directory.child(name);
                    // One whose directory was moved in a crash, or a moment before, is not found
                    // again.
                    boolean mayStay = server.nameFaults > 0 || !prefix.isEmpty();
                    if (CrashEyes.isHidden(name) && mayStay) {
                        return;
                    }
                    seen.put(prefix + name, seen(path, type));
                    if (type == FileType.DIRECTORY) {
                        peek(path, prefix + name + "/", seen);
                    }
                });
    }

    private Seen seen(RemotePath path, FileType type) {
        return switch (type) {
            case DIRECTORY -> new Seen(new Directory(), new byte[0], Instant.EPOCH);
            case SYMLINK -> {
                try {
                    Link link = new Link(server.store.readSymlink(path));
                    yield new Seen(link, new byte[0], Instant.EPOCH);
                } catch (FsException e) {
                    throw new AssertionError(e);
                }
            }
            default -> {
                ServerAttributes a = server.attributes(path);
                yield new Seen(null, server.peek(server.fileAt(path)).clone(), a.modified());
            }
        };
    }

    Vfs vfs() {
        return subject().vfs();
    }

    /** Whether this life's mount writes past the page cache. */
    boolean isUnbuffered() {
        return unbuffered;
    }

    boolean hasOnServer(String path) {
        return server.peek(new RemotePath(List.of(path.split("/")))) != null;
    }

    boolean isSaved(String path) {
        return subject().isSaved(new RemotePath(List.of(path.split("/"))));
    }

    private CachedSubject subject() {
        return java.util.Objects.requireNonNull(subject);
    }

    /** An error that nothing explains is a violation. */
    void requireExcused(FsException e, Object what) {
        boolean ofDisk = e.error() == FsError.EIO || e.error() == FsError.ENOSPC;
        if (e.error() == FsError.ENOTEMPTY && deaths > 0) {
            return; // As for such names at the end.
        }
        if (!server.injected.contains(e.error()) && !(ofDisk && calls.failures() > 0)) {
            throw new Violation("error", what + " fails with " + e, e);
        }
    }

    /** Whether the server keeps what times it is told to set. */
    boolean keepsTimes() {
        return !faults.has(FaultPlan.Fault.COMMIT_FAILS);
    }

    /** What is done with what a path leads to. */
    interface At<T> {
        T run(long ino) throws FsException;
    }

    /** Looks a path up, and gives back what that took. */
    <T> T at(String path, At<T> action) throws FsException {
        Vfs vfs = vfs();
        long ino = Vfs.ROOT_INO;
        List<Long> looked = new ArrayList<>();
        try {
            for (String name : path.split("/")) {
                Attributes found = vfs.lookup(ino, name).attributes();
                if (found == null) {
                    throw new Violation("names", "/" + path + " is not there");
                }
                ino = found.ino();
                looked.add(ino);
            }
            return action.run(ino);
        } finally {
            looked.forEach(one -> vfs.forget(one, 1));
        }
    }
}
