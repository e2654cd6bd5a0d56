// SPDX-License-Identifier: Apache-2.0
package io.netfs4j.cache.journal;

import io.netfs4j.base.Disk;
import io.netfs4j.base.SystemDisk;
import io.netfs4j.cache.journal.JournalFormat.RecordHeader;
import io.netfs4j.testing.DirectoryTree;

import org.jspecify.annotations.Nullable;

import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.EOFException;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;

/**
 * Kills journals on a real disk: {@code ./check crash --journal}. A process ({@link
 * KilledJournals}) appends to several of them at once and is killed at any moment; each must then
 * hold what its writers did up to some operation, none that was acknowledged missing, and nothing
 * else. So one kill is a cycle of each journal. Behind the end of some of them a torn record is
 * written before they are opened again, as a write that was cut off leaves it: a kill alone rarely
 * does.
 *
 * <p>What the writers do comes from the seed; when the kill meets them does not.
 */
public final class JournalCrashMain {
    private static final long HOLDS_MILLIS_MAX = 60_000;
    private static final int OPENING_MILLIS_MAX = 200;
    private static final int LIFE_MILLIS_MAX = 120;
    private static final int LINES_EVERY = 1_000;
    private static final int TORN_BYTES_MAX = 4_000;

    private final Path work;
    private final long seed;
    private final SplittableRandom random;
    private final Writer[][] writers = new Writer[KilledJournals.JOURNALS][KilledJournals.WRITERS];
    private final List<String> wrong = new ArrayList<>();
    private long kills;
    private long cycles;
    private long acknowledged;
    private long operations;
    private long torn;
    private long tornHere;

    /** Where a torn record was written, by journal: it may be there for several lives. */
    private final @Nullable String[] tears = new @Nullable String[KilledJournals.JOURNALS];

    private long lost;
    private long invented;

    /** What a writer was told, and what its files should hold by that. */
    private static final class Writer {
        JournalModel model = new JournalModel();

        /** Operations of lives before the one that is under way, as far as they were found. */
        long before;

        /** The life in which it last did something; 0 for none since its files were compared. */
        long life;

        int acknowledged;
    }

    /** One life of the process, and what it told. */
    private final class Life {
        final long number;
        final Process process;
        final CountDownLatch open = new CountDownLatch(KilledJournals.JOURNALS);
        final Thread reader;
        private final ByteArrayOutputStream told = new ByteArrayOutputStream();

        Life(long number) throws IOException {
            this.number = number;
            process =
                    new ProcessBuilder(
                                    Path.of(System.getProperty("java.home"), "bin/java").toString(),
                                    "-XX:+UseSerialGC",
                                    "-XX:TieredStopAtLevel=1",
                                    "-Xmx128m",
                                    "-cp",
                                    System.getProperty("java.class.path"),
                                    KilledJournals.class.getName(),
                                    work.toString(),
                                    Long.toString(seed))
                            .redirectError(ProcessBuilder.Redirect.INHERIT)
                            .start();
            reader = new Thread(this::listen);
            reader.start();
        }

        void begin() throws IOException {
            try (DataOutputStream to = new DataOutputStream(process.getOutputStream())) {
                to.writeLong(number);
            }
        }

        private void listen() {
            byte[] some = new byte[1 << 16];
            try {
                int count;
                while ((count = process.getInputStream().read(some)) >= 0) {
                    told.write(some, 0, count);
                    if (open.getCount() > 0) {
                        countOpen();
                    }
                }
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
        }

        /** One that is not opened any more need not be waited for. */
        private void countOpen() throws IOException {
            long[] holding = new long[1];
            read((type, in) -> holding[0] += type == KilledJournals.ACKNOWLEDGED ? 0 : 1);
            while (KilledJournals.JOURNALS - open.getCount() < holding[0]) {
                open.countDown();
            }
        }

        /** Shows what it told, message by message, to where that ends. */
        void read(Listener listener) throws IOException {
            DataInputStream in = new DataInputStream(new ByteArrayInputStream(told.toByteArray()));
            try {
                while (in.available() > 0) {
                    byte type = in.readByte();
                    byte[] rest =
                            new byte
                                    [switch (type) {
                                        case KilledJournals.HOLDS -> 2 + 8 * files();
                                        case KilledJournals.ACKNOWLEDGED -> 6;
                                        default -> in.readInt();
                                    }];
                    in.readFully(rest);
                    listener.heard(type, ByteBuffer.wrap(rest));
                }
            } catch (EOFException e) {
                // The next one is still on its way.
            }
        }

        void kill() throws InterruptedException {
            // Not by way of the process, which would no longer let us hear what it has told.
            process.toHandle().destroyForcibly();
            process.waitFor();
            reader.join();
        }
    }

    private interface Listener {
        void heard(byte type, ByteBuffer rest);
    }

    private static int files() {
        return KilledJournals.WRITERS * JournalOperations.FILES_OF_A_WRITER;
    }

    private JournalCrashMain(Path work, long seed) {
        this.work = work;
        this.seed = seed;
        this.random = new SplittableRandom(seed);
        for (Writer[] ofJournal : writers) {
            for (int w = 0; w < ofJournal.length; w++) {
                ofJournal[w] = new Writer();
            }
        }
    }

    public static void main(String[] arguments) throws IOException, InterruptedException {
        long cyclesWanted = 1_000;
        long seed = System.nanoTime() % 1_000_000;
        try {
            for (int i = 0; i < arguments.length; i += 2) {
                long value = Long.parseLong(arguments[i + 1]);
                switch (arguments[i]) {
                    case "--cycles" -> cyclesWanted = value;
                    case "--seed" -> seed = value;
                    default -> throw new IllegalArgumentException(arguments[i]);
                }
            }
        } catch (IllegalArgumentException | ArrayIndexOutOfBoundsException e) {
            System.err.println("crash: usage: ./check crash --journal [--cycles N] [--seed S]");
            System.exit(2);
        }
        Path work = Files.createTempDirectory("netfs-journal").toRealPath();
        System.exit(new JournalCrashMain(work, seed).run(cyclesWanted) ? 0 : 1);
    }

    private boolean run(long cyclesWanted) throws IOException, InterruptedException {
        System.out.println("seed=" + seed + " work=" + work);
        for (int journal = 0; journal < writers.length; journal++) {
            Files.createDirectory(KilledJournals.directoryOf(work, journal));
        }
        long said = 0;
        long number = 0;
        // A process takes longer to start than to live: the next one starts meanwhile.
        Life next = new Life(++number);
        while (cycles < cyclesWanted && wrong.isEmpty()) {
            Life life = next;
            next = new Life(++number);
            live(life);
            if (cycles / LINES_EVERY > said) {
                said = cycles / LINES_EVERY;
                System.out.println(report());
            }
        }
        next.kill();
        if (wrong.isEmpty()) {
            DirectoryTree.delete(work);
        } else {
            wrong.forEach(System.out::println);
            System.out.println("kept: " + work);
        }
        System.out.println(report());
        return wrong.isEmpty();
    }

    private String report() {
        return "cycles="
                + cycles
                + " kills="
                + kills
                + " acknowledged="
                + acknowledged
                + " found="
                + operations
                + " torn="
                + torn
                + "+"
                + tornHere
                + " lost="
                + lost
                + " invented="
                + invented;
    }

    private void live(Life life) throws IOException, InterruptedException {
        boolean opening = random.nextInt(4) == 0;
        int millis = random.nextInt(opening ? OPENING_MILLIS_MAX : LIFE_MILLIS_MAX);
        life.begin();
        if (!opening && !life.open.await(HOLDS_MILLIS_MAX, TimeUnit.MILLISECONDS)) {
            wrong.add("wrong: the journals are not opened in " + HOLDS_MILLIS_MAX + " ms");
        }
        Thread.sleep(millis);
        life.kill();
        kills++;
        life.read((type, rest) -> {
            switch (type) {
                case KilledJournals.HOLDS -> holds(life.number, rest);
                case KilledJournals.ACKNOWLEDGED -> {
                    Writer writer = writers[rest.get()][rest.get()];
                    writer.acknowledged = rest.getInt();
                }
                default -> wrong.add("wrong: " + StandardCharsets.UTF_8.decode(rest));
            }
        });
        for (int journal = 0; journal < writers.length; journal++) {
            tear(journal);
        }
    }

    // ---- comparing ----------------------------------------------------------------------------

    /** A journal was opened, and holds something. */
    private void holds(long life, ByteBuffer rest) {
        int journal = rest.get();
        int damages = rest.get();
        if (damages > 0) {
            lost++;
            wrong.add("lost: journal " + journal + " says that " + damages + " things are missing");
        }
        cycles++;
        for (int w = 0; w < writers[journal].length; w++) {
            long[] digests = new long[JournalOperations.FILES_OF_A_WRITER];
            for (int i = 0; i < digests.length; i++) {
                digests[i] = rest.getLong();
            }
            Writer writer = writers[journal][w];
            compare(journal, w, writer, digests);
            writer.life = life;
            writer.acknowledged = 0;
        }
    }

    private void compare(int journal, int w, Writer writer, long[] digests) {
        acknowledged += writer.acknowledged;
        JournalOperations again = new JournalOperations(seed, journal, w, writer.life);
        // What was acknowledged last may not have been told any more, nor what came after it.
        int most = writer.life == 0 ? 0 : writer.acknowledged + 2 * JournalOperations.UNHEARD_MAX;
        JournalModel model = writer.model;
        boolean earlier = false;
        for (int done = 0; ; done++) {
            boolean same = isSame(model, w, digests);
            if (same && done >= writer.acknowledged) {
                operations += done;
                writer.before += done;
                return;
            }
            earlier |= same;
            if (done == most) {
                break;
            }
            again.next().apply(model, writer.before);
        }
        lost += earlier ? 1 : 0;
        invented += earlier ? 0 : 1;
        wrong.add(
                (earlier ? "lost" : "invented")
                        + ": journal "
                        + journal
                        + ", writer "
                        + w
                        + ": not what "
                        + writer.acknowledged
                        + " or a few more operations of life "
                        + writer.life
                        + " make");
    }

    private static boolean isSame(JournalModel model, int writer, long[] digests) {
        for (int i = 0; i < digests.length; i++) {
            long file = JournalOperations.firstFile(writer) + i;
            if (JournalDigest.of(model, file) != digests[i]) {
                return false;
            }
        }
        return true;
    }

    // ---- torn tails ---------------------------------------------------------------------------

    /** Looks for a torn record at the end of a journal; makes one now and then. */
    private void tear(int journal) throws IOException {
        int bytes = random.nextInt(TORN_BYTES_MAX);
        int kept = random.nextInt(JournalFormat.RECORD_HEADER_BYTES + bytes + 1);
        boolean makesOne = random.nextInt(3) == 0;
        Disk disk = new SystemDisk(KilledJournals.directoryOf(work, journal));
        JournalScan.Result found =
                new JournalScan(disk, KilledJournals.LIMITS.segmentBytes(), (h, s, p, b) -> {})
                        .run();
        for (LogSegment segment : found.segments()) {
            Disk.File file = segment.file;
            if (file == null) {
                continue;
            }
            try (file) {
                if (!segment.equals(found.segments().getLast())) {
                    continue;
                }
                long room = KilledJournals.LIMITS.segmentBytes() - segment.end;
                ByteBuffer there = ByteBuffer.allocate(JournalFormat.RECORD_HEADER_BYTES);
                file.read(there, segment.end);
                RecordHeader header = RecordHeader.get(there.flip(), 0, segment.salt, room);
                String place = segment.number + " " + segment.end;
                if (place.equals(tears[journal])) {
                    continue;
                }
                if (header != null && header.lsn() == found.nextLsn()) {
                    torn++;
                } else if (makesOne && JournalFormat.recordBytes(bytes) <= room) {
                    file.write(record(found, segment, bytes).limit(kept), segment.end);
                    tears[journal] = place;
                    tornHere++;
                }
            }
        }
    }

    /** The record that would come next, with a payload that it does not fit. */
    private static ByteBuffer record(JournalScan.Result found, LogSegment segment, int bytes) {
        ByteBuffer record = ByteBuffer.allocate(JournalFormat.recordBytes(bytes));
        new RecordHeader(
                        RecordType.WRITE.code,
                        JournalFormat.FLAG_MUST_UNDERSTAND,
                        found.nextLsn(),
                        1,
                        0,
                        0,
                        bytes,
                        bytes,
                        JournalFormat.payloadCrc(ByteBuffer.allocate(bytes)) + 1,
                        (int) (found.nextLsn() - found.forcedLsn()))
                .put(record, segment.salt);
        return record.position(0);
    }
}
