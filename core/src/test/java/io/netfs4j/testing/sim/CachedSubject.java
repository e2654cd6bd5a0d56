// SPDX-License-Identifier: Apache-2.0
package io.netfs4j.testing.sim;

import io.netfs4j.Mount;
import io.netfs4j.SimulatedMount;
import io.netfs4j.base.Environment;
import io.netfs4j.base.FsError;
import io.netfs4j.base.FsException;
import io.netfs4j.cache.journal.Journal;
import io.netfs4j.cache.journal.JournalLimits;
import io.netfs4j.engine.EngineLimits;
import io.netfs4j.engine.InodeData;
import io.netfs4j.pagecache.MemoryHog;
import io.netfs4j.pagecache.PageCache;
import io.netfs4j.server.RemotePath;
import io.netfs4j.server.Server;
import io.netfs4j.trace.Counters.Counter;
import io.netfs4j.vfs.CachedVfs;
import io.netfs4j.vfs.FactsPeek;
import io.netfs4j.vfs.InodePeek;
import io.netfs4j.vfs.Vfs;
import io.netfs4j.vfs.VfsOptions;

import org.jspecify.annotations.Nullable;

import java.nio.ByteBuffer;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.random.RandomGenerator;

/** The real file system, page cache and engine, with limits that are often absurdly small. */
final class CachedSubject implements Subject {
    private static final long[] MEMORY = {4096, 8192, 1 << 14, 1 << 16, 1 << 18, 1 << 20, 4 << 20};
    private static final long MILLI = 1_000_000L;
    private static final long SECOND = 1_000 * MILLI;

    private final Mount mount;
    private final CachedVfs vfs;
    private final VfsOptions options;
    private final HeldLocks locks;
    private @Nullable WholeState whole;

    private final @Nullable Journal journal;
    private boolean closedInDoubt;

    private CachedSubject(Mount mount, VfsOptions options, @Nullable Journal journal) {
        this.journal = journal;
        this.mount = mount;
        this.vfs = mount.vfs();
        this.options = options;
        locks = new HeldLocks(vfs);
    }

    static Subject make(Environment environment, Server server, RandomGenerator random)
            throws FsException {
        VfsOptions drawn = draw(random);
        return make(environment, server, random, watching(drawn, (SimServer) server));
    }

    /** Nobody else changes what is open or unsaved: looking for conflicts must find none. */
    private static VfsOptions watching(VfsOptions o, SimServer server) {
        VfsOptions.OnConflict policy =
                server.asksFirst ? VfsOptions.OnConflict.COPY : VfsOptions.OnConflict.OVERWRITE;
        return new VfsOptions(
                o.memory(),
                o.engine(),
                o.attributesValidNanos(),
                o.softTimeoutNanos(),
                o.closeWaits(),
                o.syncWrites(),
                o.unbuffered(),
                o.metadataWriteback(),
                o.journalSyncs(),
                new VfsOptions.Conflicts(policy, "sim"),
                o.readOnly(),
                o.ownership());
    }

    static CachedSubject make(
            Environment environment, Server server, RandomGenerator random, VfsOptions options)
            throws FsException {
        if (options.softTimeoutNanos() > 0) {
            ((SimServer) server).injected.add(FsError.ETIMEDOUT);
        }
        SimServer sim = (SimServer) server;
        sim.attemptsMax = options.engine().attemptsMax();
        sim.cache = random.nextBoolean() ? new SimCache(sim, random) : null;
        SimStore real = sim.cache == null ? null : sim.realCache;
        sim.cache = real == null ? sim.cache : null;
        sim.realCache = real;
        Journal journal =
                sim.disk == null
                        ? null
                        : Journal.open(environment, sim.disk, journalLimits(options));
        CachedVfs vfs =
                new CachedVfs(
                        environment,
                        server,
                        options,
                        CachedSubject::dirtyMemory,
                        real == null ? sim.cache : real.open(environment),
                        journal);
        return new CachedSubject(SimulatedMount.of(server, vfs, environment), options, journal);
    }

    @Nullable Journal journal() {
        return journal;
    }

    CachedVfs cached() {
        return vfs;
    }

    /** Not drawn, but taken from what was. */
    private static JournalLimits journalLimits(VfsOptions options) {
        int segments = options.memory().dirtyBytesMax() % 2 == 0 ? 6 : 40;
        return new JournalLimits((long) segments * SEGMENT_BYTES, SEGMENT_BYTES, BATCH_BYTES);
    }

    /** Memory comes with what was in it before. */
    private static ByteBuffer dirtyMemory(int bytes) {
        byte[] memory = new byte[bytes];
        java.util.Arrays.fill(memory, (byte) 0xA5);
        return ByteBuffer.wrap(memory);
    }

    private static final int SEGMENT_BYTES = 192 << 10;
    private static final int BATCH_BYTES = 140_000;

    /** Not drawn, but taken from what was: a run that was kept must stay the run that it was. */
    private static final long[] REQUEST_BYTES = {12 << 20, 1, 4096, 1 << 16};

    static VfsOptions draw(RandomGenerator random) {
        long memory = MEMORY[random.nextInt(MEMORY.length)];
        long dirty = random.nextBoolean() ? memory : 4096 + random.nextLong(memory);
        long background = random.nextBoolean() ? dirty / 2 : random.nextLong(dirty + 1);
        EngineLimits engine =
                new EngineLimits(
                        new EngineLimits.Throttle(
                                pick(random, 1, 4096, 1 << 16, 16 << 20),
                                (int) pick(random, 1, 3, 64, 4096),
                                REQUEST_BYTES[(int) ((dirty + background) % REQUEST_BYTES.length)],
                                (int) pick(random, 1, 4, 64, 2048),
                                pick(random, 1, 1 << 14, 1 << 18, 16 << 20),
                                pick(random, 1, 1 << 14, 1 << 18, 16 << 20)),
                        pick(random, 200 * MILLI, SECOND, SECOND, 30 * SECOND),
                        pick(random, 1, 4096, 1 << 16, 2 << 20),
                        (int) pick(random, 1, 2, 10, 10),
                        pick(random, MILLI, 50 * MILLI, 50 * MILLI, SECOND),
                        pick(random, SECOND, 5 * SECOND, 5 * SECOND, 60 * SECOND),
                        pick(random, MILLI, SECOND, SECOND, SECOND),
                        pick(random, SECOND, 60 * SECOND, 60 * SECOND, 60 * SECOND),
                        (int) pick(random, 4096, 1 << 16, 1 << 18, 4 << 20),
                        pick(random, MILLI, 100 * MILLI, SECOND, SECOND));
        return new VfsOptions(
                new PageCache.Limits(memory, dirty, background),
                engine,
                pick(random, 0, 20 * MILLI, 5 * SECOND, 3600 * SECOND),
                random.nextInt(6) == 0 ? pick(random, MILLI, SECOND, SECOND, 60 * SECOND) : 0,
                random.nextInt(6) == 0,
                random.nextInt(10) == 0,
                random.nextInt(12) == 0,
                random.nextInt(4) != 0,
                false,
                new VfsOptions.Conflicts(VfsOptions.OnConflict.OVERWRITE, ""),
                false,
                VfsOptions.Ownership.SERVERS);
    }

    private static long pick(RandomGenerator random, long a, long b, long c, long d) {
        return switch (random.nextInt(4)) {
            case 0 -> a;
            case 1 -> b;
            case 2 -> c;
            default -> d;
        };
    }

    @Override
    public Vfs vfs() {
        return vfs;
    }

    @Override
    public boolean isSynchronous() {
        return options.syncWrites();
    }

    @Override
    public boolean isUnbuffered() {
        return options.unbuffered();
    }

    @Override
    public boolean bearsOthers() {
        return true;
    }

    @Override
    public long attributesValidNanos() {
        return options.attributesValidNanos();
    }

    @Override
    public boolean isSaved(RemotePath path) {
        List<InodeData> unsaved = vfs.engine().flusher().unsaved();
        if (unsaved.isEmpty()) {
            return true;
        }
        for (Object inode : locks.all()) {
            InodePeek known = InodePeek.of(inode);
            InodeData data = known.data();
            if (known.isNamed()
                    && data != null
                    && unsaved.contains(data)
                    && data.listener().name().equals(path.toString())) {
                return false;
            }
        }
        return true;
    }

    @Override
    public boolean knowsSize(long ino) {
        for (Object inode : locks.all()) {
            InodePeek known = InodePeek.of(inode);
            InodeData data = known.data();
            if (known.ino() == ino && data != null && data.isSizeInDoubt()) {
                return false;
            }
        }
        return true;
    }

    @Override
    public void close() throws FsException {
        List<Mount.Unsaved> left = mount.drain();
        if (!left.isEmpty()) {
            // What failed while there were faults is tried once more without.
            left = mount.drain();
        }
        if (!left.isEmpty()) {
            throw new Violation("I3", "not saved at the end: " + left);
        }
        closedInDoubt = !vfs.engine().flusher().unsaved().isEmpty();
    }

    @Override
    public boolean isClosedInDoubt() {
        return closedInDoubt;
    }

    @Override
    public Map<String, Long> accounts() {
        Map<String, Long> held = new TreeMap<>();
        held.put("in-flight bytes", vfs.engine().inFlightBytes());
        held.put("other bytes in flight", vfs.engine().otherBytes());
        held.put("dirty memory", vfs.cache().dirtyMemoryBytes());
        held.put("folio memory", vfs.cache().memoryBytes());
        held.put("waiting writers", (long) vfs.cache().writers().waiting());
        held.put("waiting readers", (long) vfs.cache().readers().waiting());
        held.put("unsaved files", (long) vfs.engine().flusher().unsaved().size());
        held.put("files in the journal", journal == null ? 0L : FactsPeek.wanted(journal));
        held.put("conflicts", vfs.engine().counters().get(Counter.CONFLICTS));
        held.put("inodes besides the root", vfs.inodeCount() - 1L);
        return held;
    }

    @Override
    public void check() {
        locks.requireNone();
        if (vfs.cache().memoryBytes() > options.memory().memoryBytesMax()) {
            throw new Violation(
                    "I8",
                    "folios take "
                            + vfs.cache().memoryBytes()
                            + " bytes of "
                            + options.memory().memoryBytesMax());
        }
        long dirty = vfs.cache().dirtyMemoryBytes();
        if (dirty < 0 || vfs.engine().inFlightBytes() < 0) {
            throw new Violation("I8", "an account below 0: dirty " + dirty);
        }
    }

    @Override
    public void checkWhole(World world) {
        WholeState state = whole;
        if (state == null) {
            state = new WholeState(world, vfs, locks.all());
            whole = state;
        }
        state.check();
    }

    @Override
    public MemoryHog squeeze(double share, boolean dirty) {
        long bytes = (long) (share * options.memory().memoryBytesMax());
        return new MemoryHog(vfs.cache(), bytes, dirty);
    }

    @Override
    public String toString() {
        StringBuilder text = new StringBuilder(options.toString());
        text.append("; held ").append(accounts());
        for (InodeData data : vfs.engine().flusher().unsaved()) {
            text.append("; unsaved ").append(data.listener().name());
            text.append(" dirty ").append(data.pages().dirtyBytes());
            text.append(" in flight ").append(data.pages().writebackBytes());
            text.append(data.isBusy() ? " busy" : "").append(' ').append(data.pendingAttributes());
        }
        return text.append(locks.inodes()).toString();
    }
}
