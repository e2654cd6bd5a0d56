// SPDX-License-Identifier: Apache-2.0
package io.netfs4j.crash;

import java.io.IOException;
import java.io.PrintWriter;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;

/**
 * Works in one directory of the mount, and keeps what was acknowledged there: one operation after
 * the other, so that a kill leaves one at most of which nobody knows whether it happened.
 *
 * <p>One thread at a time has it.
 */
final class CrashWriter {
    private static final int FILES_MAX = 10;
    private static final int DIRECTORIES_MAX = 4;

    /** No file is longer, in cells: 4 MiB. */
    private static final int CELLS_MAX = (4 << 20) / Stamp.CELL_BYTES;

    private static final int WRITE_CELLS_MIN = 4096 / Stamp.CELL_BYTES;
    private static final int WRITE_CELLS_MAX = (1 << 20) / Stamp.CELL_BYTES;
    private static final int BURST_MAX = 6;

    /** A burst goes on while the server is away, which nearly all else waits for. */
    private static final int LONG_BURST_MAX = 60;

    private final String name;
    private final PrintWriter log;
    private TreeModel model = new TreeModel();

    /** What was under way when the mount was killed; null for nothing. */
    private Operation open;

    private int lastFile;
    private int lastSequence;
    private long acknowledged;

    /** Whether what was not promised may be gone; until somebody has looked. */
    private boolean powerLost;

    private volatile boolean ending;

    CrashWriter(String name, PrintWriter log) {
        this.name = name;
        this.log = log;
    }

    String name() {
        return name;
    }

    long acknowledged() {
        return acknowledged;
    }

    /** From now on an operation may fail: the mount is about to be killed. */
    void expectEnd() {
        ending = true;
    }

    void note(String line) {
        log.println("-- " + line);
        log.flush();
    }

    /**
     * Works until the mount dies, or for so many operations.
     *
     * @return why it ended early; null when it did not
     */
    String work(Path mount, Random random, int operations) {
        ending = false;
        Path root = mount.resolve(name);
        try {
            for (int i = 0; i < operations; i++) {
                step(root, random);
            }
            return null;
        } catch (IOException e) {
            log.println("   failed: " + e);
            log.flush();
            return ending ? null : name + ": " + open + " failed: " + e;
        }
    }

    // ---- operations ---------------------------------------------------------------------------

    private void step(Path root, Random random) throws IOException {
        int what = random.nextInt(100);
        String file = any(random, new ArrayList<>(model.files.keySet()));
        if (file == null || what < 14) {
            create(root, random);
        } else if (what < 50) {
            writes(root, file, random, false);
        } else if (what < 68) {
            writes(root, file, random, true);
        } else if (what < 77) {
            String to = anyName(random);
            if (!to.equals(file)) {
                acknowledge(root, new Operation.Rename(file, to));
            }
        } else if (what < 83) {
            acknowledge(root, new Operation.Unlink(file));
        } else if (what < 89) {
            int cells = model.files.get(file).count();
            if (cells > 0) {
                acknowledge(root, new Operation.Truncate(file, random.nextInt(cells)));
            }
        } else if (what < 91) {
            acknowledge(root, new Operation.Sync(file));
        } else if (what < 92) {
            List<String> directories = new ArrayList<>(model.directories);
            directories.add("");
            acknowledge(root, new Operation.SyncDirectory(any(random, directories)));
        } else if (what < 94) {
            unlinkWhileOpen(root, file, random);
        } else {
            directory(root, random, what);
        }
    }

    private void create(Path root, Random random) throws IOException {
        String file = anyName(random);
        boolean exclusive = !model.files.containsKey(file) && random.nextInt(4) == 0;
        Operation.Create create =
                new Operation.Create(file, ++lastFile, random.nextBoolean(), exclusive);
        begin(create);
        try (FileChannel channel = create.open(root)) {
            end(create);
            if (random.nextInt(4) > 0) {
                burst(channel, file, random, false);
            }
        }
    }

    private void writes(Path root, String file, Random random, boolean appends) throws IOException {
        try (FileChannel channel =
                appends
                        ? FileChannel.open(
                                root.resolve(file),
                                StandardOpenOption.WRITE,
                                StandardOpenOption.APPEND)
                        : FileChannel.open(root.resolve(file), StandardOpenOption.WRITE)) {
            burst(channel, file, random, appends);
        }
    }

    private void burst(FileChannel channel, String file, Random random, boolean appends)
            throws IOException {
        int writes = 1 + random.nextInt(random.nextInt(8) == 0 ? LONG_BURST_MAX : BURST_MAX);
        int syncOneIn = 1 + random.nextInt(2 * BURST_MAX);
        for (int i = 0; i < writes; i++) {
            int count = model.files.get(file).count();
            int length = length(random);
            int from = appends ? count : random.nextInt(count + 1);
            if (!appends && random.nextInt(16) == 0) {
                from += random.nextInt(2 * WRITE_CELLS_MIN); // Perhaps a hole.
            }
            if (from + length <= CELLS_MAX) {
                write(channel, file, from, length);
            }
            if (random.nextInt(syncOneIn) == 0) {
                Operation.Sync sync = new Operation.Sync(file);
                begin(sync);
                channel.force(random.nextBoolean());
                end(sync);
            }
        }
    }

    private static int length(Random random) {
        // As many of each magnitude.
        int most = WRITE_CELLS_MIN << random.nextInt(9);
        return Math.min(WRITE_CELLS_MAX, WRITE_CELLS_MIN + random.nextInt(most));
    }

    private void write(FileChannel channel, String file, int from, int length) throws IOException {
        int sequence = ++lastSequence;
        int id = model.files.get(file).id;
        long offset = (long) from * Stamp.CELL_BYTES;
        ByteBuffer bytes = Stamp.payload(id, sequence, offset, length * Stamp.CELL_BYTES);
        while (bytes.hasRemaining()) {
            int done = bytes.position() / Stamp.CELL_BYTES;
            begin(new Operation.Write(file, from + done, length - done, sequence));
            int written = channel.write(bytes, offset + bytes.position()) / Stamp.CELL_BYTES;
            end(new Operation.Write(file, from + done, written, sequence));
        }
    }

    private void unlinkWhileOpen(Path root, String file, Random random) throws IOException {
        try (FileChannel channel = FileChannel.open(root.resolve(file), StandardOpenOption.WRITE)) {
            acknowledge(root, new Operation.Unlink(file));
            int bytes = length(random) * Stamp.CELL_BYTES;
            channel.write(Stamp.payload(0, ++lastSequence, 0, bytes), 0);
        }
    }

    private void directory(Path root, Random random, int what) throws IOException {
        List<String> directories = new ArrayList<>(model.directories);
        if (directories.size() < DIRECTORIES_MAX && what < 98) {
            String made = freeDirectory(random);
            acknowledge(root, new Operation.MakeDirectory(made));
            return;
        }
        String directory = any(random, directories);
        if (directory != null && model.isEmpty(directory) && random.nextBoolean()) {
            acknowledge(root, new Operation.RemoveDirectory(directory));
        } else if (directory != null) {
            acknowledge(root, new Operation.RenameDirectory(directory, freeDirectory(random)));
        }
    }

    private String freeDirectory(Random random) {
        String directory;
        do {
            directory = "d" + random.nextInt(2 * DIRECTORIES_MAX);
        } while (model.directories.contains(directory));
        return directory;
    }

    private String anyName(Random random) {
        List<String> directories = new ArrayList<>(model.directories);
        directories.add("");
        String directory = any(random, directories);
        return (directory.isEmpty() ? "" : directory + "/") + "f" + random.nextInt(FILES_MAX);
    }

    private static String any(Random random, List<String> of) {
        return of.isEmpty() ? null : of.get(random.nextInt(of.size()));
    }

    private void acknowledge(Path root, Operation operation) throws IOException {
        begin(operation);
        operation.perform(root);
        end(operation);
    }

    private void begin(Operation operation) {
        open = operation;
        log.println("begin " + operation);
    }

    private void end(Operation done) {
        done.apply(model);
        open = null;
        acknowledged++;
        log.println("done  " + done);
    }

    // ---- comparing ----------------------------------------------------------------------------

    /** The machine has lost its power: what was not promised to survive that may be gone. */
    void losePower() {
        powerLost = true;
    }

    /** All of it is on the server. */
    void saved() {
        model.promiseAll();
    }

    /** How many bytes that were promised the server has not got. */
    long bytesMissing(Path above) throws IOException {
        return model.bytesMissing(above.resolve(name));
    }

    /**
     * Compares with what is there; where that decides whether the open operation has happened, or
     * what of it a loss of power has left, it is decided from then on.
     */
    TreeModel.Findings compare(Path above) throws IOException {
        Path root = above.resolve(name);
        Operation.Write write = open instanceof Operation.Write w ? w : null;
        TreeModel.Findings findings = model.compare(root, write, powerLost);
        if (!findings.isEmpty() && open != null && write == null) {
            TreeModel after = model.copy();
            open.apply(after);
            TreeModel.Findings others = after.compare(root, null, powerLost);
            if (others.isEmpty() || others.lines.size() < findings.lines.size()) {
                model = after;
                findings = others;
            }
        }
        if (findings.isEmpty()) {
            open = null;
            powerLost = false;
        } else {
            note("in " + root + ":");
            findings.lines.forEach(this::note);
        }
        return findings;
    }

    /** Makes its directory on the server, before the first mount. */
    void prepare(Path served) throws IOException {
        Files.createDirectories(served.resolve(name));
    }
}
