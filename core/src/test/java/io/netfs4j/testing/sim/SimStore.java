// SPDX-License-Identifier: Apache-2.0
package io.netfs4j.testing.sim;

import io.netfs4j.base.Environment;
import io.netfs4j.base.Scheduler;
import io.netfs4j.base.Segment;
import io.netfs4j.cache.Cookie;
import io.netfs4j.cache.DiskCache;
import io.netfs4j.cache.store.DiskStore;
import io.netfs4j.cache.store.StoreLimits;
import io.netfs4j.cache.store.StoreStatistics;
import io.netfs4j.cache.store.Succession;
import io.netfs4j.request.Subrequest;
import io.netfs4j.request.Termination;
import io.netfs4j.testing.ForgetfulDisk;
import io.netfs4j.testing.sim.FaultPlan.Fault;

import org.jspecify.annotations.Nullable;

import java.nio.ByteBuffer;
import java.util.ArrayDeque;
import java.util.Arrays;
import java.util.Deque;
import java.util.List;
import java.util.function.BooleanSupplier;
import java.util.random.RandomGenerator;

/**
 * The real disk cache, over a disk of its own that is slow, full, or fails for a while. After the
 * end it is opened once more, and what it holds of the server's versions is compared.
 */
final class SimStore {
    /** Longer than the engine's next step takes to come. */
    private static final long LOOKING_NANOS = 100_000;

    private static final int SLOWNESS = 10;
    private static final StoreLimits.Used USED = new StoreLimits.Used(60, 80, 95);
    private static final StoreLimits.Free FREE = new StoreLimits.Free(10, 7, 3);

    private final SimServer server;
    private final ForgetfulDisk disk;
    private final StoreLimits limits;
    private final Deque<Runnable> later = new ArrayDeque<>();
    private @Nullable DiskStore store;
    private @Nullable DiskStore again;
    private int running;
    private long endedAt;
    private long checkedBytes;

    SimStore(SimServer server, RandomGenerator chance) {
        this.server = server;
        disk = new ForgetfulDisk(chance);
        long most = chance.nextBoolean() ? 64 << 20 : 1 << (14 + chance.nextInt(8));
        limits =
                new StoreLimits(
                        most,
                        most,
                        USED,
                        FREE,
                        chance.nextBoolean() ? 1000 : 2,
                        chance.nextBoolean() ? 32 : 1 + chance.nextInt(3),
                        chance.nextBoolean() ? 16 << 20 : 4096);
        if (chance.nextInt(3) == 0) {
            int from = chance.nextInt(200);
            int to = chance.nextInt(3) == 0 ? Integer.MAX_VALUE : from + 1 + chance.nextInt(20);
            disk.failAt(from, to, chance.nextBoolean() ? "I/O error" : "No space left on device");
        }
        if (chance.nextInt(4) == 0) {
            disk.setFreeBytes(chance.nextInt(1 << 20));
        }
    }

    DiskCache open(Environment environment) {
        DiskStore opened = DiskStore.open(slow(environment), disk, limits, new Succession(0, 1));
        store = opened;
        return opened;
    }

    /** Calls of the disk take their time. */
    private Environment slow(Environment of) {
        Scheduler real = of.scheduler();
        Scheduler slow =
                new Scheduler() {
                    @Override
                    public void execute(Runnable step) {
                        real.execute(step);
                    }

                    @Override
                    public Cancellable schedule(Runnable step, long delayNanos) {
                        return real.schedule(step, delayNanos);
                    }

                    @Override
                    public void fork(String name, Runnable task) {
                        running++;
                        long delay =
                                server.faults.strikes(Fault.CACHE_SLOW)
                                        ? server.faults.badNanos()
                                        : server.faults.latency() / SLOWNESS;
                        server.after(delay, () -> real.fork(name, () -> run(task)));
                    }
                };
        return new Environment(of.clock(), slow, of.waits(), of.random());
    }

    private void run(Runnable task) {
        task.run();
        running--;
        endedAt = server.loop.nanoTime();
    }

    /** Whether nothing is under way, nor has ended so lately that nobody has looked at it yet. */
    boolean isIdle() {
        return running == 0 && server.loop.nanoTime() - endedAt > LOOKING_NANOS;
    }

    /** Ends it; whether it has ended is asked of what is returned. */
    BooleanSupplier close() {
        DiskStore present = store;
        return present == null ? () -> true : present.close()::isDone;
    }

    /** As the next mount does; nothing else goes on then. */
    void openAgain() {
        if (store == null) {
            return; // What is simulated has no use for it.
        }
        disk.restart();
        Scheduler atOnce =
                new Scheduler() {
                    @Override
                    public void execute(Runnable step) {
                        later.add(step);
                    }

                    @Override
                    public Cancellable schedule(Runnable step, long delayNanos) {
                        return () -> {};
                    }

                    @Override
                    public void fork(String name, Runnable task) {
                        later.add(task);
                    }
                };
        Environment quiet = new Environment(server.loop, atOnce, server.loop, () -> 0);
        again = DiskStore.open(quiet, disk, limits, new Succession(1, 2));
        drain();
    }

    private void drain() {
        for (Runnable next = later.poll(); next != null; next = later.poll()) {
            next.run();
        }
    }

    /** Checks that what it holds of a version is what that version holds. */
    void check(String key, String version, byte[] there) {
        DiskStore now = again;
        Cookie cookie = now == null ? null : now.acquire(key, version);
        drain();
        for (long at = 0; cookie != null && at < there.length; ) {
            long held = cookie.nextHeld(at, there.length);
            at = cookie.nextMissing(held, there.length);
            while (held < at) {
                held += checkPiece(cookie, held, (int) (at - held), key, there);
            }
        }
        if (cookie != null) {
            cookie.close();
        }
        drain();
    }

    private int checkPiece(Cookie cookie, long from, int count, String key, byte[] there) {
        ByteBuffer memory = ByteBuffer.allocate(count);
        Termination[] end = new Termination[1];
        Subrequest piece =
                new Subrequest(
                        0,
                        0,
                        Subrequest.Direction.READ,
                        from,
                        List.of(new Segment(memory, 0, count)),
                        (sub, termination) -> end[0] = termination);
        if (!cookie.reads().issue(piece, () -> {})) {
            return count;
        }
        drain();
        int taken = (int) piece.length();
        checkedBytes += taken;
        int begin = (int) from;
        if (end[0] instanceof Termination.Done
                && !Arrays.equals(memory.array(), 0, taken, there, begin, begin + taken)) {
            throw new Violation("I7", "the disk cache holds other bytes of " + key + " at " + from);
        }
        return taken;
    }

    @Override
    public String toString() {
        StoreStatistics statistics = store == null ? null : store.statistics();
        return "store " + statistics + " compared " + checkedBytes;
    }
}
