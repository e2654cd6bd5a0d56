// SPDX-License-Identifier: Apache-2.0
package io.netfs4j.cache.journal;

import io.netfs4j.base.FsException;
import io.netfs4j.base.SystemDisk;
import io.netfs4j.base.SystemRuntime;

import java.io.DataInputStream;
import java.io.FileDescriptor;
import java.io.FileOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/**
 * The process that {@link JournalCrashMain} kills. Once told to it opens several journals, each in
 * its directory, tells what they hold, and has writers append to them for ever; each tells what it
 * was acknowledged. What it has told is in a pipe, which outlives it.
 */
public final class KilledJournals {
    static final int JOURNALS = 8;
    static final int WRITERS = 2;
    static final JournalLimits LIMITS = new JournalLimits(10 * 140_000, 140_000, 132_000);

    /** A journal holds: its number, what it lacks, digests of all files. */
    static final byte HOLDS = 1;

    /** A writer was acknowledged: journal, writer, operation. */
    static final byte ACKNOWLEDGED = 2;

    /** Something is wrong: words. */
    static final byte WRONG = 3;

    private static final int FILES = WRITERS * JournalOperations.FILES_OF_A_WRITER;
    private static final long ROOM_LOOK_MILLIS = 1;
    private static final int ROOM_LOOKS_MAX = 20_000;

    private final FileOutputStream pipe = new FileOutputStream(FileDescriptor.out);
    private final SystemRuntime runtime = new SystemRuntime();
    private final Path directory;
    private final long seed;

    private KilledJournals(Path directory, long seed) {
        this.directory = directory;
        this.seed = seed;
    }

    public static void main(String[] arguments) throws IOException {
        KilledJournals journals =
                new KilledJournals(Path.of(arguments[0]), Long.parseLong(arguments[1]));
        long life;
        try (DataInputStream in = new DataInputStream(System.in)) {
            life = in.readLong();
        }
        for (int number = 0; number < JOURNALS; number++) {
            int journal = number;
            new Thread(() -> journals.guarded(() -> journals.live(journal, life))).start();
        }
    }

    private interface Work {
        void run() throws IOException, InterruptedException;
    }

    private void guarded(Work work) {
        try {
            work.run();
        } catch (IOException | InterruptedException | RuntimeException | Error e) {
            byte[] words = e.toString().getBytes(StandardCharsets.UTF_8);
            ByteBuffer message = ByteBuffer.allocate(1 + Integer.BYTES + words.length);
            tell(message.put(WRONG).putInt(words.length).put(words));
        }
    }

    /** At most as much as a pipe takes whole. */
    private void tell(ByteBuffer message) {
        try {
            pipe.write(message.array());
        } catch (IOException e) {
            Runtime.getRuntime().halt(1); // Nobody listens any more.
        }
    }

    static Path directoryOf(Path all, int number) {
        return all.resolve("journal-" + number);
    }

    private void live(int number, long life) throws FsException {
        Journal journal =
                Journal.open(
                        runtime.environment(),
                        new SystemDisk(directoryOf(directory, number)),
                        LIMITS);
        List<Long> others = new ArrayList<>(journal.files());
        ByteBuffer message = ByteBuffer.allocate(3 + FILES * Long.BYTES);
        message.put(HOLDS).put((byte) number).put((byte) journal.damages().size());
        for (long file = 1; file <= FILES; file++) {
            others.remove(file);
            message.putLong(JournalDigest.of(journal, file));
        }
        if (!others.isEmpty()) {
            throw new IllegalStateException("journal " + number + " has files " + others);
        }
        long begun = journal.lastLsn();
        tell(message);
        for (int w = 0; w < WRITERS; w++) {
            int writer = w;
            JournalOperations operations = new JournalOperations(seed, number, writer, life);
            new Thread(() -> guarded(() -> write(journal, number, writer, operations, begun)))
                    .start();
        }
    }

    private void write(
            Journal journal, int number, int writer, JournalOperations operations, long begun)
            throws FsException, InterruptedException {
        List<Long> lsns = new ArrayList<>(List.of(begun));
        while (true) {
            JournalOperations.Operation next = operations.next();
            long lsn = append(journal, next, lsns);
            lsns.add(lsn);
            switch (next.awaits()) {
                case NOTHING -> {}
                case WRITTEN -> journal.awaitWritten(lsn);
                case FORCED -> journal.awaitForced(lsn);
            }
            if (next.awaits() != JournalOperations.Awaited.NOTHING) {
                ByteBuffer message = ByteBuffer.allocate(3 + Integer.BYTES);
                message.put(ACKNOWLEDGED).put((byte) number).put((byte) writer);
                tell(message.putInt(next.number()));
            }
        }
    }

    private static long append(Journal journal, JournalOperations.Operation next, List<Long> lsns)
            throws InterruptedException {
        return switch (next.kind()) {
            case WRITE -> {
                for (int i = 0; !journal.hasRoom(next.bytes().length); i++) {
                    if (i == ROOM_LOOKS_MAX) {
                        throw new IllegalStateException("no room comes free");
                    }
                    Thread.sleep(ROOM_LOOK_MILLIS);
                }
                yield journal.write(
                        next.file(),
                        next.from(),
                        journal.sizeBytes(next.file()),
                        ByteBuffer.wrap(next.bytes()));
            }
            case DESCRIBE -> journal.describe(next.file(), 0, next.bytes());
            case DROP -> journal.drop(next.file(), next.from(), next.end(), lsns.get(next.upTo()));
            case FORGET -> journal.forget(next.file());
        };
    }
}
