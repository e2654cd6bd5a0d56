// SPDX-License-Identifier: Apache-2.0
package io.netfs4j.testing.sim;

import io.netfs4j.base.Environment;
import io.netfs4j.base.FsError;
import io.netfs4j.base.FsException;
import io.netfs4j.server.FileType;
import io.netfs4j.server.RemotePath;
import io.netfs4j.server.ServerAttributes;
import io.netfs4j.testing.ForgetfulDisk;
import io.netfs4j.testing.sim.FaultPlan.Fault;
import io.netfs4j.vfs.LocksPeek;
import io.netfs4j.vfs.Vfs;

import org.jspecify.annotations.Nullable;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.function.BooleanSupplier;
import java.util.random.RandomGenerator;
import java.util.random.RandomGeneratorFactory;

/**
 * One seed's world: a file system under test, a simulated server, a model, and a few applications.
 * Two phases: with faults, everything is compared as it happens; then without, all that is dirty
 * must reach the server within bounded time and everything held must be given back.
 */
final class World {
    /** Hours of being without a server add up; an application waits them out. */
    private static final long SAFETY_NANOS_MAX = 400L * 3_600_000_000_000L;

    private static final long LIVENESS_NANOS_MAX = 3_600_000_000_000L;

    private static final long SETTLING_NANOS = 200_000_000_000L;

    static final String HIDDEN_PREFIX = ".netfs-removed-";

    private static final int OPERATIONS_MIN = 40;
    private static final int OPERATIONS_MAX = 240;

    final long seed;
    final Trace trace;

    /** Draws what the operation does in whose course this happens. */
    final RandomGenerator random;

    final Tally tally = new Tally();
    final FaultPlan faults;
    final SimLoop loop;
    final ModelFile.Sequence sequence = new ModelFile.Sequence();
    final SimServer server;
    final Tuning tuning;
    final MemoryOps memory;
    final ModelNode root = new ModelNode(null, "", null, null);
    final List<Handle> handles = new ArrayList<>();

    /** Names that another client took away, for what was looked up under them. */
    final List<ModelNode> orphans = new ArrayList<>();

    private final Plan plan;
    private final Subject.Factory factory;
    private final RandomGenerator limits;
    private final List<SimLoop.Task> actors = new ArrayList<>();
    private @Nullable Subject subject;
    private final List<Performed> performed = new ArrayList<>();
    private int filesMade;
    private final List<SimLoop.Task> elsewhere = new ArrayList<>();

    World(long seed, Subject.Factory factory, boolean aloud) {
        this(Plan.drawn(seed), factory, aloud);
    }

    World(Plan plan, Subject.Factory factory, boolean aloud) {
        this.plan = plan;
        this.seed = plan.seed;
        this.factory = factory;
        trace = new Trace(aloud);
        loop = new SimLoop(new Origin(seed, Origin.WORLD, Origin.WORLD_BEGINNING), trace);
        random = new Deeds();
        faults = new FaultPlan(generator(seed, 2), loop::origin, tally, plan.strikes());
        server = LockingServer.make(plan.locks, loop, faults, trace, sequence);
        limits = generator(seed, 4);
        tuning = new Tuning(generator(seed, 5));
        memory = new MemoryOps(this);
        Abilities.draw(server, generator(seed, 7));
        server.asksFirst = plan.locks || (plan.journalled && !hasOthers());
        server.disk = plan.journalled ? new ForgetfulDisk(generator(seed, 9)) : null;
        server.realCache = plan.stored ? new SimStore(server, generator(seed, 10)) : null;
    }

    private static RandomGenerator generator(long seed, int purpose) {
        return RandomGeneratorFactory.of("L64X128MixRandom")
                .create(Trace.mix(seed * 0x9E3779B97F4A7C15L + purpose));
    }

    /** Draws from what belongs to the operation in whose course it is asked. */
    private final class Deeds implements RandomGenerator {
        @Override
        public long nextLong() {
            return loop.origin().deeds.nextLong();
        }

        @Override
        public void nextBytes(byte[] bytes) {
            loop.origin().deeds.nextBytes(bytes);
        }
    }

    /** An operation that was begun. */
    static final class Performed {
        final Plan.Operation operation;

        /** It did something; else there was nothing to do it to. */
        boolean done;

        Performed(Plan.Operation operation) {
            this.operation = operation;
        }
    }

    /** How one world ended. */
    record Outcome(
            long seed,
            Tally tally,
            long hash,
            @Nullable Violation violation,
            String description,
            List<String> lastEvents,
            List<Performed> performed,
            List<Plan.Strike> struck) {}

    Outcome run(int eventsKept) {
        Violation violation = null;
        try {
            live();
        } catch (Violation v) {
            violation = v;
        } catch (RuntimeException | Error e) {
            violation = causedBy(e);
        }
        List<String> last = violation == null ? List.of() : trace.last(eventsKept);
        return new Outcome(
                seed,
                tally,
                trace.hash(),
                violation,
                violation == null ? "" : description(),
                last,
                performed,
                faults.struck());
    }

    private String description() {
        return faults
                + "; "
                + tuning
                + "; "
                + server.capabilities()
                + "; "
                + server.cache
                + server.realCache
                + "; "
                + subject;
    }

    /** The engine may have wrapped what the server threw at it. */
    private static Violation causedBy(Throwable e) {
        for (Throwable t = e; t != null; t = t.getCause()) {
            if (t instanceof Violation v) {
                return v;
            }
        }
        return new Violation("crash", e.toString(), e);
    }

    private void live() {
        Environment environment =
                new Environment(loop, loop, loop, () -> loop.origin().order.nextLong());
        SimLoop.Task opening =
                loop.start(
                        "mount",
                        () -> {
                            try {
                                subject = factory.make(environment, server, limits);
                            } catch (FsException e) {
                                throw new Violation("mount", e.toString(), e);
                            }
                        });
        loop.runUntil(opening::isDone, LIVENESS_NANOS_MAX);
        faults.loud();
        loop.onYield(subject()::check);
        loop.onWhole(() -> subject().checkWhole(this));
        root.ino = Vfs.ROOT_INO;
        int count = 1 + random.nextInt(subject().applicationsMax());
        int each = (OPERATIONS_MIN + random.nextInt(OPERATIONS_MAX - OPERATIONS_MIN)) / count;
        for (int i = 0; i < count; i++) {
            Actor actor = new Actor(this, i, each, plan.operations(i));
            actors.add(loop.start("application " + i, actor));
        }
        if (hasOthers() && subject().bearsOthers()) {
            elsewhere.add(
                    loop.start("elsewhere", new SecondClient(this, count, plan.operations(count))));
        }
        if (hasRival()) {
            int number = count + 1;
            elsewhere.add(
                    loop.start("rival", new RivalMount(this, number, plan.operations(number))));
        }
        loop.begin(new Origin(seed, Origin.WORLD, Origin.WORLD_INTERRUPTS));
        interruptAtTimes();
        loop.runUntil(this::allAreDone, SAFETY_NANOS_MAX);
        trace.event(loop.nanoTime(), "faults end", 0, 0, 0);
        loop.begin(new Origin(seed, Origin.WORLD, Origin.WORLD_ENDING));
        server.quiet();
        SimLoop.Task closing = loop.start("unmount", new Ending(this));
        loop.runUntil(closing::isDone, LIVENESS_NANOS_MAX);
        // What was posted to tidy up has its chance.
        SimLoop.Task settling = loop.start("settle", () -> loop.sleep(SETTLING_NANOS));
        loop.runUntil(settling::isDone, LIVENESS_NANOS_MAX);
        subject().checkWhole(this);
        SimStore store = server.realCache;
        if (store != null) {
            loop.runUntil(store.close(), LIVENESS_NANOS_MAX);
            store.openAgain();
        }
        LockingServer.requireNoneLeft(server, subject(), null);
        compare(root, RemotePath.ROOT);
        requireNothingHeld();
    }

    boolean hasOthers() {
        return generator(seed, 8).nextInt(3) == 0;
    }

    boolean hasLocks() {
        return plan.locks;
    }

    /** Whether another mount takes locks. */
    private boolean hasRival() {
        return plan.locks && subject().bearsOthers() && generator(seed, 11).nextBoolean();
    }

    /** Asked before each step. */
    private boolean allAreDone() {
        return elsewhere.stream().allMatch(SimLoop.Task::isDone) && actorsAreDone();
    }

    boolean actorsAreDone() {
        for (SimLoop.Task actor : actors) {
            if (!actor.isDone()) {
                return false;
            }
        }
        return true;
    }

    private void interruptAtTimes() {
        if (!faults.has(Fault.INTERRUPT)) {
            return;
        }
        if (faults.strikes(Fault.INTERRUPT)) {
            loop.interrupt(actors.get(random.nextInt(actors.size())));
        }
        if (!actorsAreDone()) {
            // The longer it takes, the seldomer: some worlds take days.
            loop.schedule(this::interruptAtTimes, 5_000_000 + loop.nanoTime() / 50);
        }
    }

    Vfs vfs() {
        return subject().vfs();
    }

    Subject subject() {
        return java.util.Objects.requireNonNull(subject);
    }

    /** Gives back all look-ups of a name. */
    void forget(ModelNode node) {
        if (node.lookups > 0) {
            long count = node.lookups;
            long ino = node.ino;
            node.lookups = 0;
            node.ino = 0;
            vfs().forget(ino, count);
        }
    }

    ModelFile newFile() {
        ModelFile file = new ModelFile(++filesMade, sequence);
        file.unbuffered = subject().isUnbuffered() ? 1 : 0;
        return file;
    }

    /** Whether the mount may still show a name as it was before another client's change. */
    boolean isUnsettled(ModelNode directory, String name) {
        return isUnsettled(directory.unsettled.get(name));
    }

    /** Whether the mount may still show attributes from before another client's change. */
    boolean isStale(ModelFile file) {
        return isUnsettled(file.stale);
    }

    private boolean isUnsettled(@Nullable Staleness stale) {
        long valid = subject().attributesValidNanos();
        return stale != null && !stale.isOver(loop.nanoTime(), valid, server.downUntil);
    }

    /** Does an operation; returns whether there was anything to do. */
    boolean perform(Plan.Operation operation, BooleanSupplier action) {
        Performed one = new Performed(operation);
        performed.add(one);
        one.done = action.getAsBoolean();
        if (one.done) {
            subject().check();
        }
        return one.done;
    }

    boolean isInterrupt(FsException e) {
        return e.error() == FsError.EINTR && faults.has(Fault.INTERRUPT) && !faults.isQuiet();
    }

    private void compare(ModelNode directory, RemotePath path) {
        Map<String, FileType> there = server.peekNames(path);
        if (directory == root) {
            there.remove(LocksPeek.DIRECTORY); // What is in it has been judged.
        }
        if (server.nameFaults > 0) {
            // A removal in the background may have failed: its name stays, as documented.
            there.keySet().removeIf(name -> name.startsWith(HIDDEN_PREFIX));
        }
        if (!there.keySet().equals(directory.children.keySet())) {
            throw new Violation(
                    "I3",
                    "/"
                            + path
                            + " holds "
                            + there.keySet()
                            + " on the server, not "
                            + directory.children.keySet());
        }
        for (ModelNode child : directory.children.values()) {
            if (there.get(child.name) != child.type()) {
                throw new Violation("names", "/" + child.path() + " is no " + child.type());
            }
            if (child.isDirectory()) {
                ServerAttributes last = server.attributes(path.child(child.name));
                child.set.check(
                        this,
                        child,
                        last.mode(),
                        last.accessed(),
                        last.modified(),
                        "the server at the end");
                compare(child, path.child(child.name));
            } else if (child.file != null) {
                ModelFile file = server.fileAt(path.child(child.name));
                if (!file.equals(child.file)) {
                    throw new Violation(
                            "names",
                            "/"
                                    + child.path()
                                    + " is file "
                                    + file.number
                                    + " on the server, not "
                                    + child.file.number);
                }
                byte[] bytes = server.peek(file);
                file.checkServer(bytes, Integer.MAX_VALUE - 1, "I3", "at the end");
                ServerAttributes last = server.attributes(path.child(child.name));
                file.attributes.checkTimes(
                        last.accessed(), last.modified(), "the server at the end");
                if (server.realCache != null) {
                    server.realCache.check(
                            Long.toHexString(last.serverFileId()), last.token().text(), bytes);
                }
                if (server.cache != null) {
                    server.cache.check(
                            Long.toHexString(last.serverFileId()), last.token().text(), bytes);
                }
            }
        }
    }

    private void requireNothingHeld() {
        Map<String, Long> held = subject().accounts();
        held.values().removeIf(value -> value == 0);
        if (!held.isEmpty()) {
            throw new Violation("I18", "still held at the end: " + held);
        }
        SimCache cache = server.cache;
        if (cache != null && (cache.opened() != 0 || cache.inFlight() != 0)) {
            throw new Violation("I18", "still held of the cache at the end: " + cache);
        }
        if (server.opened != 0 || server.sessions != 0 || server.inFlight() != 0) {
            throw new Violation(
                    "I18",
                    "at the end the server has "
                            + server.opened
                            + " open files, "
                            + server.sessions
                            + " sessions, "
                            + server.inFlight()
                            + " pieces in flight");
        }
    }
}
