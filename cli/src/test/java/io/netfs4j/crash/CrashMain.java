// SPDX-License-Identifier: Apache-2.0
package io.netfs4j.crash;

import java.io.IOException;
import java.io.PrintWriter;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.stream.Stream;

/**
 * Crashes mounts: {@code ./check crash} kills their processes, {@code ./check power} takes the
 * machine's power away as far as its disk can tell. Writers work in a mount over SFTP, it ends at
 * any moment, is mounted again, and what the server has in the end is compared, byte by byte, with
 * what the writers were told.
 *
 * <p>It runs from its source, so it needs the JDK alone.
 */
public final class CrashMain {
    private static final int WRITERS = 3;
    private static final int OPERATIONS_MAX = 100_000;
    private static final int LATER_OPERATIONS_MAX = 40;
    private static final long JOIN_MILLIS_MAX = 120_000;
    private static final int CYCLES_IN_LINE = 10;
    private static final int LINES_MAX = 20;

    private final Path root;
    private final Path work;
    private final long seed;
    private final String name;
    private final Crash crash;
    private final List<CrashWriter> writers = new ArrayList<>();
    private Path served = Path.of("");
    private CrashedMount mount;

    /** Draws what a cycle does; anew from the seed in each. */
    private Random random = new Random(0);

    private long crashes;

    /** Promised bytes that a loss of power found on this machine alone. */
    private long bytesHere;

    private long lost;
    private long invented;

    private CrashMain(Path root, Path work, long seed, String name) {
        this.root = root;
        this.work = work;
        this.seed = seed;
        this.name = name;
        this.crash = name.equals("power") ? new PowerLoss(root) : new ProcessKill();
    }

    public static void main(String[] arguments) throws IOException, InterruptedException {
        Map<String, String> options = new HashMap<>();
        String name = arguments.length == 0 ? "crash" : arguments[0];
        for (int i = 1; i < arguments.length; i += 2) {
            if (!Set.of("--root", "--cycles", "--seed").contains(arguments[i])
                    || i + 1 == arguments.length) {
                System.err.println(name + ": usage: ./check " + name + " [--cycles N] [--seed S]");
                System.exit(2);
            }
            options.put(arguments[i], arguments[i + 1]);
        }
        int cycles;
        long seed;
        try {
            cycles = Integer.parseInt(options.getOrDefault("--cycles", "10"));
            String given = options.get("--seed");
            seed = given == null ? new Random().nextInt(1_000_000) : Long.parseLong(given);
        } catch (NumberFormatException e) {
            System.err.println(name + ": --cycles and --seed take a number");
            System.exit(2);
            return;
        }
        Path root = Path.of(options.getOrDefault("--root", "")).toAbsolutePath();
        Path work = Files.createTempDirectory("netfs-crash").toRealPath();
        CrashMain main = new CrashMain(root, work, seed, name);
        System.exit(main.run(cycles) ? 0 : 1);
    }

    private boolean run(int cycles) throws IOException, InterruptedException {
        System.out.println("seed=" + seed + " work=" + work);
        boolean good = false;
        int done = 0;
        Path sftp = root.resolve("e2e/fixtures/sftp");
        String server = work.resolve("sftp").toString();
        try {
            Commands.run(sftp.toString(), "start", server);
            prepare(Commands.parameters(Commands.run(sftp.toString(), "params", server)));
            long begun = System.nanoTime();
            while (done < cycles && lost == 0 && invented == 0) {
                cycle(done);
                done++;
                if (done % CYCLES_IN_LINE == 0) {
                    long seconds = (System.nanoTime() - begun) / 1_000_000_000L;
                    System.out.println(
                            "cycle "
                                    + done
                                    + " of "
                                    + cycles
                                    + ", "
                                    + crashes
                                    + " crashes, "
                                    + acknowledged()
                                    + " acknowledged, "
                                    + seconds * (cycles - done) / done
                                    + " s left");
                }
            }
            good = lost == 0 && invented == 0;
        } catch (IOException | RuntimeException e) {
            System.out.println("in cycle " + done + ": " + e.getMessage());
        } finally {
            if (good) {
                crash.close();
                Commands.run(sftp.toString(), "stop", server);
                remove(work);
            } else {
                System.out.println(
                        "kept: "
                                + work
                                + " (to end what is left: umount -l "
                                + work.resolve("mnt")
                                + crash.leftOver()
                                + "; "
                                + sftp
                                + " stop "
                                + server
                                + "); again: ./check "
                                + name
                                + " --cycles "
                                + cycles
                                + " --seed "
                                + seed);
            }
        }
        System.out.println(
                "cycles="
                        + done
                        + " crashes="
                        + crashes
                        + crash.report(bytesHere)
                        + " acknowledged="
                        + acknowledged()
                        + " lost="
                        + lost
                        + " invented="
                        + invented);
        return good;
    }

    private long acknowledged() {
        return writers.stream().mapToLong(CrashWriter::acknowledged).sum();
    }

    private void prepare(Map<String, String> server) throws IOException, InterruptedException {
        Files.createDirectory(work.resolve("mnt"));
        Files.createDirectory(work.resolve("run"));
        Files.setPosixFilePermissions(
                work.resolve("run"),
                java.nio.file.attribute.PosixFilePermissions.fromString("rwx------"));
        served = Path.of(server.get("SFTP_DATA"));
        String remote = crash.prepare(work, server);
        mount =
                new CrashedMount(
                        root.resolve("netfs"),
                        work,
                        remote,
                        List.of(
                                server.get("SFTP_OPTIONS"),
                                "state=" + crash.state(),
                                "journal=128m"));
        for (int i = 0; i < WRITERS; i++) {
            Path log = work.resolve("writer-" + i + ".log");
            CrashWriter writer =
                    new CrashWriter(
                            "w" + i,
                            new PrintWriter(Files.newBufferedWriter(log, StandardCharsets.UTF_8)));
            writer.prepare(served);
            writers.add(writer);
        }
    }

    // ---- a cycle ------------------------------------------------------------------------------

    private void cycle(int number) throws IOException, InterruptedException {
        random = new Random(seed * 1_000_003 + number);
        String options = options();
        noteAll("cycle " + number + ", " + options);
        String said = mount.mount(options);
        if (said.contains("earlier mount")) {
            throw new IOException("something was left after everything was on the server: " + said);
        }
        int deaths = 1 + random.nextInt(4) / 3;
        for (int i = 0; i < deaths; i++) {
            work(OPERATIONS_MAX, 20 + random.nextInt(2500));
            for (int again = random.nextInt(3); again > 0; again--) {
                noteAll("ends while mounting");
                mountAndStrike(options, random.nextInt(2000));
            }
            noteAll("mounted: " + mount.mount(options).strip());
            boolean goesOn = i + 1 < deaths || random.nextInt(3) == 0;
            if (goesOn || random.nextBoolean()) {
                compare(mount.mountPoint());
            }
            if (goesOn && lost + invented == 0 && i + 1 == deaths) {
                work(LATER_OPERATIONS_MAX, -1);
            }
            if (lost + invented > 0) {
                return;
            }
        }
        mount.unmount();
        compare(served);
        writers.forEach(CrashWriter::saved);
    }

    /** Small limits, so that everything has to wait for everything now and then. */
    private String options() {
        String dirty = pick("dirty=1m", "dirty=4m", "dirty=32m");
        String age = pick("dirty_age=0.01", "dirty_age=1", "dirty_age=30");
        return dirty + "," + age + "," + crash.options(random);
    }

    private String pick(String... of) {
        return of[random.nextInt(of.length)];
    }

    private void mountAndStrike(String options, long millis)
            throws IOException, InterruptedException {
        Random own = new Random(random.nextLong());
        boolean[] powerLost = new boolean[1];
        mount.mountUntil(
                options,
                () -> {
                    Thread.sleep(millis);
                    powerLost[0] = crash.strike(mount, own);
                });
        struck(powerLost[0]);
    }

    /** Once all that ran has ended. */
    private void struck(boolean powerLost) throws IOException, InterruptedException {
        crashes++;
        if (powerLost) {
            noteAll("power lost");
            for (CrashWriter writer : writers) {
                writer.losePower();
                bytesHere += writer.bytesMissing(served);
            }
        }
        crash.recover();
    }

    /**
     * Has all writers work at once.
     *
     * @param millis after which the mount ends; negative lets them end
     */
    private void work(int operations, long millis) throws IOException, InterruptedException {
        List<String> failures = new ArrayList<>();
        List<Thread> threads = new ArrayList<>();
        for (CrashWriter writer : writers) {
            Random own = new Random(random.nextLong());
            threads.add(
                    Thread.ofPlatform()
                            .daemon()
                            .start(() -> {
                                String failure = writer.work(mount.mountPoint(), own, operations);
                                if (failure != null) {
                                    synchronized (failures) {
                                        failures.add(failure);
                                    }
                                }
                            }));
        }
        boolean powerLost = false;
        if (millis >= 0) {
            crash.pass(millis, random);
            writers.forEach(CrashWriter::expectEnd);
            powerLost = crash.strike(mount, random);
        }
        for (Thread thread : threads) {
            thread.join(JOIN_MILLIS_MAX);
            if (thread.isAlive()) {
                throw new IOException("a writer hangs: " + List.of(thread.getStackTrace()));
            }
        }
        synchronized (failures) {
            if (!failures.isEmpty()) {
                throw new IOException(String.join("; ", failures));
            }
        }
        if (millis >= 0) {
            struck(powerLost);
        }
    }

    private void compare(Path above) throws IOException {
        for (CrashWriter writer : writers) {
            TreeModel.Findings findings = writer.compare(above);
            lost += findings.lost;
            invented += findings.invented;
            findings.lines.stream()
                    .limit(LINES_MAX)
                    .forEach(line -> System.out.println(above + "/" + writer.name() + ": " + line));
        }
        try (Stream<Path> names = Files.list(above)) {
            List<Path> others =
                    names.filter(path -> !path.getFileName().toString().matches("w\\d")).toList();
            if (!others.isEmpty()) {
                invented += others.size();
                System.out.println("invented: " + others);
            }
        }
    }

    private void noteAll(String line) {
        writers.forEach(writer -> writer.note(line));
    }

    // ---- around it ----------------------------------------------------------------------------

    private static void remove(Path directory) throws IOException {
        try (Stream<Path> all = Files.walk(directory)) {
            for (Path path : all.sorted((a, b) -> b.compareTo(a)).toList()) {
                Files.delete(path);
            }
        }
    }
}
