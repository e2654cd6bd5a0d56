// SPDX-License-Identifier: Apache-2.0
package io.netfs4j.cache.journal;

import io.netfs4j.base.Clock;
import io.netfs4j.base.Completion;
import io.netfs4j.base.Environment;
import io.netfs4j.base.FsException;
import io.netfs4j.base.Scheduler;
import io.netfs4j.base.Waits;
import io.netfs4j.testing.ForgetfulDisk;

import org.jspecify.annotations.Nullable;

import java.nio.ByteBuffer;
import java.time.Instant;
import java.util.ArrayDeque;
import java.util.Arrays;
import java.util.BitSet;
import java.util.Deque;
import java.util.SplittableRandom;
import java.util.TreeMap;

/**
 * One journal, one application, and a disk that forgets, from a seed: it appends, waits, reads, is
 * killed or loses its power anywhere, also while it is opened, and must have again what was
 * promised and nothing that was not appended.
 */
public final class JournalWorld {
    private static final JournalLimits LIMITS = new JournalLimits(6 * 140_000, 140_000, 132_000);
    private static final String FULL = "No space left on device";
    private static final int OPERATIONS_MAX = 200;
    private static final int LIVES_MAX = 4;
    private static final int FILES = 3;
    private static final int FORKS_MAX = 10_000;

    private final JournalLimits limits;
    private final SplittableRandom random;
    private final ForgetfulDisk disk;
    private final Deque<Runnable> forked = new ArrayDeque<>();
    private final Environment environment;

    /** What the journal should hold after each record; the last is of now. */
    private final TreeMap<Long, JournalModel> states = new TreeMap<>();

    private JournalModel model = new JournalModel();
    private long writtenLsn;
    private long forcedLsn;
    private @Nullable Journal journal;

    private boolean reading;
    private int failuresBefore;

    /** How often it was killed. */
    int deaths;

    /** Whether calls of the disk fail, too. */
    private final boolean fails;

    public JournalWorld(long seed, boolean fails) {
        this(seed, fails, LIMITS);
    }

    JournalWorld(long seed, boolean fails, JournalLimits limits) {
        this.limits = limits;
        random = new SplittableRandom(seed);
        disk = new ForgetfulDisk(random.split());
        this.fails = fails;
        SplittableRandom chance = random.split();
        environment = new Environment(new Still(), new Later(), new Never(), chance::nextLong);
        states.put(0L, model.copy());
    }

    Environment environment() {
        return environment;
    }

    /** How much a journal does later. */
    int forkedCount() {
        return forked.size();
    }

    /** The first thing that a journal does later is done now. */
    void runOneForked() {
        forked.remove().run();
    }

    /** Whatever a journal does later is done now. */
    void runForked() {
        Runnable task;
        int runs = 0;
        while ((task = forked.poll()) != null) {
            task.run();
            if (++runs > FORKS_MAX) {
                throw new AssertionError("goes round in circles");
            }
        }
        if (journal != null) {
            fillIn(journal);
        }
    }

    /** Nothing goes on in it besides what the caller does. */
    static Environment quietEnvironment() {
        return new JournalWorld(0, false).environment;
    }

    private static final class Still implements Clock {
        @Override
        public long nanoTime() {
            return 0;
        }

        @Override
        public Instant now() {
            return Instant.EPOCH;
        }
    }

    private final class Later implements Scheduler {
        @Override
        public void execute(Runnable step) {
            forked.add(step);
        }

        @Override
        public Cancellable schedule(Runnable step, long delayNanos) {
            forked.add(step);
            return () -> {
                throw new AssertionError("what a journal does later it does");
            };
        }

        @Override
        public void fork(String name, Runnable task) {
            forked.add(task);
        }
    }

    /** One task at a time: nobody waits for another. */
    private static final class Never implements Waits {
        @Override
        public <T extends @Nullable Object> T await(Completion<T> completion) throws FsException {
            return completion.get();
        }

        @Override
        public <T extends @Nullable Object> T awaitUninterruptibly(Completion<T> completion)
                throws FsException {
            return completion.get();
        }
    }

    /**
     * Runs it.
     *
     * @throws AssertionError when something is not as it should be
     */
    public void run() {
        int lives = 1 + random.nextInt(LIVES_MAX);
        for (int life = 0; life < lives; life++) {
            live(life + 1 == lives);
        }
    }

    private void live(boolean last) {
        boolean power = random.nextBoolean();
        try {
            if (!last) {
                disk.killAt(random.nextInt(random.nextBoolean() ? 12 : 150));
            }
            if (fails && random.nextInt(3) != 0) {
                int from = random.nextInt(random.nextBoolean() ? 20 : 150);
                int to = random.nextBoolean() ? from + 1 : Integer.MAX_VALUE;
                disk.failAt(from, to, random.nextBoolean() ? "I/O error" : FULL);
            }
            open();
            int operations = random.nextInt(OPERATIONS_MAX);
            for (int i = 0; i < operations; i++) {
                operate();
            }
            if (last) {
                check(journal());
            }
        } catch (ForgetfulDisk.Killed e) {
            deaths++;
        } catch (FsException e) {
            requireNeed(e);
        }
        die(power);
    }

    /** One call that fails is made up for, except where the journal is opened, and reads. */
    void requireNeed(FsException e) {
        boolean read = reading && disk.failures() > failuresBefore;
        if (disk.failures() == 0 || (disk.failures() == 1 && journal != null && !read)) {
            throw new AssertionError("fails without need: " + e.getMessage(), e);
        }
    }

    /** The process is gone, and the power perhaps. */
    void die(boolean power) {
        Journal died = journal;
        if (died != null) {
            fillIn(died);
        }
        journal = null;
        reading = false;
        forked.clear();
        if (power) {
            disk.losePower();
            writtenLsn = forcedLsn;
        } else {
            disk.restart();
        }
    }

    /** What the journal appends on its own changes nothing. */
    private void fillIn(Journal of) {
        for (long lsn = states.lastKey() + 1; lsn <= of.lastLsn(); lsn++) {
            states.put(lsn, model.copy());
        }
    }

    ForgetfulDisk disk() {
        return disk;
    }

    /** Ends the journal as an unmount does. */
    void close() {
        Journal present = journal;
        if (present != null) {
            present.close();
        }
    }

    private Journal journal() {
        Journal present = journal;
        if (present == null) {
            throw new AssertionError("not open");
        }
        return present;
    }

    void open() throws FsException {
        Journal opened = Journal.open(environment, disk, limits);
        if (!opened.damages().isEmpty()) {
            throw new AssertionError("damaged: " + opened.damages());
        }
        long lsn = opened.lastLsn();
        if (lsn < writtenLsn) {
            throw new AssertionError("has records to " + lsn + ", promised to " + writtenLsn);
        }
        JournalModel then = states.get(lsn);
        if (then == null) {
            throw new AssertionError("ends with record " + lsn + ", which was no operation's last");
        }
        states.tailMap(lsn, false).clear();
        model = then.copy();
        writtenLsn = lsn;
        forcedLsn = Math.min(forcedLsn, lsn);
        journal = opened;
        check(opened);
    }

    private Journal working() throws FsException {
        Journal present = journal();
        FsException broken = present.broken();
        if (broken != null) {
            throw broken;
        }
        return present;
    }

    private void operate() throws FsException {
        Journal to = working();
        long id = 1L + random.nextInt(FILES);
        switch (random.nextInt(14)) {
            case 0, 1, 2, 3 -> write(to, id, random.nextInt(3_000));
            case 4, 5 -> write(to, id, random.nextInt(50_000));
            case 6 -> {
                byte[] facts = bytes(random.nextInt(200));
                describe(id, random.nextInt(50_000), facts);
            }
            case 7, 8 -> {
                int from = random.nextInt(JournalModel.FILE_BYTES_MAX);
                from = random.nextBoolean() ? 0 : from;
                int end = from + random.nextInt(JournalModel.FILE_BYTES_MAX);
                long upTo = random.nextBoolean() ? to.lastLsn() : random.nextLong(to.lastLsn() + 1);
                drop(id, from, end, upTo);
            }
            case 9 -> {
                if (random.nextInt(4) == 0) {
                    forget(id);
                }
            }
            case 10 -> awaitWritten();
            case 11 -> awaitForced();
            default -> {
                Runnable task = forked.poll();
                if (task != null) {
                    task.run();
                }
            }
        }
        fillIn(to);
        if (random.nextInt(8) == 0) {
            check(to);
        }
    }

    private void write(Journal to, long id, int count) throws FsException {
        if (!to.hasRoom(count)) {
            return;
        }
        int offset = random.nextInt(JournalModel.FILE_BYTES_MAX - count);
        write(id, offset, bytes(count));
    }

    // ---- operations, also for tests that say which --------------------------------------------

    void describe(long id, long sizeBytes, byte[] facts) throws FsException {
        Journal to = working();
        long lsn = to.describe(id, sizeBytes, facts);
        model.change(id).facts = facts;
        states.put(lsn, model.copy());
        fillIn(to);
    }

    void drop(long id, int from, int end, long upToLsn) throws FsException {
        Journal to = working();
        long lsn = to.drop(id, from, end, upToLsn);
        model.change(id).drop(from, end, upToLsn);
        states.put(lsn, model.copy());
        fillIn(to);
    }

    void forget(long id) throws FsException {
        Journal to = working();
        long lsn = to.forget(id);
        model.files.remove(id);
        states.put(lsn, model.copy());
        fillIn(to);
    }

    void awaitWritten() throws FsException {
        Journal to = working();
        long lsn = to.lastLsn();
        to.awaitWritten(lsn);
        writtenLsn = lsn;
    }

    void awaitForced() throws FsException {
        Journal to = working();
        long lsn = to.lastLsn();
        to.awaitForced(lsn);
        writtenLsn = lsn;
        forcedLsn = lsn;
        fillIn(to);
    }

    long lastLsn() {
        return journal().lastLsn();
    }

    void write(long id, int offset, byte[] written) throws FsException {
        Journal to = working();
        int count = written.length;
        long first = to.lastLsn() + 1;
        long lsn = to.write(id, offset, to.sizeBytes(id), ByteBuffer.wrap(written));
        // Each record of it may be the last that is there again.
        for (long l = first; l <= lsn; l++) {
            int from = (int) (l - first) * JournalFormat.PAYLOAD_BYTES_MAX;
            int end = Math.min(count, from + JournalFormat.PAYLOAD_BYTES_MAX);
            model.change(id).write(offset + from, Arrays.copyOfRange(written, from, end), l);
            states.put(l, model.copy());
        }
        fillIn(to);
    }

    byte[] bytes(int count) {
        byte[] bytes = new byte[count];
        random.nextBytes(bytes);
        return bytes;
    }

    /** What it holds is what it should. */
    void check() throws FsException {
        check(working());
    }

    private void check(Journal now) throws FsException {
        for (long id : now.files()) {
            if (!model.files.containsKey(id)) {
                throw new AssertionError("has file " + id);
            }
        }
        for (var entry : model.files.entrySet()) {
            check(now, entry.getKey(), entry.getValue());
        }
    }

    private void check(Journal now, long id, JournalModel.File file) throws FsException {
        if (!Arrays.equals(now.facts(id), file.facts)) {
            throw new AssertionError("other facts of file " + id);
        }
        BitSet owed = new BitSet();
        for (Journal.Range range : now.ranges(id)) {
            owed.set((int) range.from(), (int) range.to());
        }
        if (!owed.equals(file.owed)) {
            throw new AssertionError("other ranges of file " + id);
        }
        for (int at = owed.nextSetBit(0); at >= 0; at = owed.nextSetBit(at)) {
            ByteBuffer read = ByteBuffer.allocate(owed.nextClearBit(at) - at);
            reading = true;
            failuresBefore = disk.failures();
            int count = now.read(id, at, read);
            reading = false;
            if (count <= 0 || !Arrays.equals(read.array(), 0, count, file.bytes, at, at + count)) {
                throw new AssertionError("other bytes of file " + id + " at " + at);
            }
            at += count;
        }
    }
}
