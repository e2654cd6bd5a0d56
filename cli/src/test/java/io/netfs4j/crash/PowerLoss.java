// SPDX-License-Identifier: Apache-2.0
package io.netfs4j.crash;

import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;

/**
 * The machine of the mount loses its power. What the mount keeps lies on an ext4 of its own in an
 * image file: the process is stopped, the file system is shut down so that it writes nothing any
 * more, and the process is killed. Mounted again, the file system has what was forced, and of the
 * rest whatever the kernel had written back by then, which is helped on in places drawn at random.
 * The disk below it does as it is told: it loses nothing that it has taken.
 *
 * <p>The server goes on. The link to it is slow, stalls or breaks now and then, so that what was
 * promised is on that disk alone.
 */
final class PowerLoss implements Crash {
    /** Room for a journal of 128 MiB, its spare segments, and the file system's own. */
    private static final long IMAGE_BYTES = 512L << 20;

    private static final long TICK_MILLIS_MAX = 15;
    private static final int WRITTEN_BACK_PAGES_MAX = 64;
    private static final int PAGE_BYTES = 4096;
    private static final long BUSY_MILLIS_MAX = 30_000;
    private static final long BUSY_LOOK_MILLIS = 10;

    /** What e2fsck exits with when it has mended something. */
    private static final int MENDED = 1;

    private final Linux linux = new Linux();
    private final Path fixtures;
    private Path work = Path.of("");
    private Path disk = Path.of("");
    private boolean mounted;
    private boolean shutDown;
    private long losses;

    PowerLoss(Path root) {
        fixtures = root.resolve("e2e/fixtures");
    }

    @Override
    public String prepare(Path in, Map<String, String> server)
            throws IOException, InterruptedException {
        work = in;
        disk = work.resolve("disk");
        Files.createDirectory(disk);
        try (RandomAccessFile image = new RandomAccessFile(image().toFile(), "rw")) {
            image.setLength(IMAGE_BYTES);
        }
        Commands.run("mkfs.ext4", "-q", "-F", image().toString());
        mountDisk();
        String port = server.get("SFTP_PORT");
        Commands.run(fixtures.resolve("link").toString(), "start", link(), port);
        Map<String, String> link =
                Commands.parameters(
                        Commands.run(fixtures.resolve("link").toString(), "params", link()));
        return server.get("SFTP_REMOTE").replace(":" + port, ":" + link.get("LINK_PORT"));
    }

    private Path image() {
        return work.resolve("disk.ext4");
    }

    private String link() {
        return work.resolve("link").toString();
    }

    private void onLink(String... command) throws IOException, InterruptedException {
        String[] all = new String[command.length + 3];
        all[0] = fixtures.resolve("link").toString();
        all[1] = "ctl";
        all[2] = link();
        System.arraycopy(command, 0, all, 3, command.length);
        Commands.run(all);
    }

    @Override
    public Path state() {
        return disk.resolve("kept");
    }

    @Override
    public String options(Random random) {
        String fsync = random.nextInt(5) == 0 ? "fsync=server" : "fsync=journal";
        return fsync + (random.nextInt(5) == 0 ? ",metadata=sync" : "");
    }

    /** Meanwhile something comes over the link, and the kernel writes back what it likes. */
    @Override
    public void pass(long millis, Random random) throws IOException, InterruptedException {
        long begun = System.nanoTime();
        long trouble = random.nextLong(millis + 1);
        int kind = random.nextInt(8);
        // How often it is drawn from depends on the clock.
        Random pages = new Random(random.nextLong());
        boolean troubled = false;
        while (true) {
            long passed = (System.nanoTime() - begun) / 1_000_000;
            if (!troubled && passed >= trouble) {
                troubled = true;
                trouble(kind);
            }
            if (passed >= millis) {
                return;
            }
            Thread.sleep(Math.min(millis - passed, 1 + pages.nextLong(TICK_MILLIS_MAX)));
            writeBack(pages);
        }
    }

    private void trouble(int kind) throws IOException, InterruptedException {
        switch (kind) {
            case 0, 1, 2 -> onLink("stall");
            case 3 -> {
                onLink("refuse");
                onLink("reset");
            }
            case 4 -> onLink("rate", "2m");
            case 5 -> onLink("delay", "40");
            default -> {}
        }
    }

    private void writeBack(Random pages) throws IOException {
        List<Path> segments;
        try (Stream<Path> all = Files.walk(state())) {
            segments = all.filter(path -> path.toString().endsWith(".j")).sorted().toList();
        } catch (NoSuchFileException | java.io.UncheckedIOException e) {
            return; // Nothing is there yet, or one has gone.
        }
        if (segments.isEmpty()) {
            return;
        }
        Path segment = segments.get(pages.nextInt(segments.size()));
        try {
            long all = Files.size(segment) / PAGE_BYTES;
            long from = pages.nextLong(all + 1) * PAGE_BYTES;
            long bytes = (1L + pages.nextInt(WRITTEN_BACK_PAGES_MAX)) * PAGE_BYTES;
            linux.writeBack(segment, from, bytes);
        } catch (IOException e) {
            if (Files.exists(segment)) {
                throw e;
            }
            // It has another name by now.
        }
    }

    /** Now and then it is the process alone that ends. */
    @Override
    public boolean strike(CrashedMount mount, Random random)
            throws IOException, InterruptedException {
        boolean powerLost = random.nextInt(6) > 0;
        if (powerLost) {
            Linux.Shutdown how =
                    random.nextInt(5) == 0 ? Linux.Shutdown.LOG_FLUSHED : Linux.Shutdown.AT_ONCE;
            // Stopped first: a real mount does nothing between the loss of its disk and its own.
            mount.stop(linux);
            linux.shutDown(disk, how);
            shutDown = true;
            losses++;
        }
        mount.kill();
        return powerLost;
    }

    @Override
    public void recover() throws IOException, InterruptedException {
        onLink("reset");
        onLink("accept");
        onLink("resume");
        onLink("rate", "0");
        onLink("delay", "0");
        if (shutDown) {
            unmountDisk();
            int code = Commands.exitCode("e2fsck", "-p", image().toString());
            if (code > MENDED) {
                throw new IOException("e2fsck exited " + code);
            }
            mountDisk();
            shutDown = false;
        }
    }

    private void mountDisk() throws IOException, InterruptedException {
        Commands.run("mount", "-o", "loop", image().toString(), disk.toString());
        mounted = true;
    }

    /** A process that has just ended may still have a file open there. */
    private void unmountDisk() throws IOException, InterruptedException {
        long until = System.nanoTime() + TimeUnit.MILLISECONDS.toNanos(BUSY_MILLIS_MAX);
        while (Commands.exitCode("umount", disk.toString()) != 0) {
            if (System.nanoTime() - until > 0) {
                throw new IOException(disk + " cannot be unmounted");
            }
            Thread.sleep(BUSY_LOOK_MILLIS);
        }
        mounted = false;
    }

    @Override
    public void close() throws IOException, InterruptedException {
        Commands.run(fixtures.resolve("link").toString(), "stop", link());
        if (mounted) {
            unmountDisk();
        }
    }

    @Override
    public String leftOver() {
        return "; umount " + disk + "; " + fixtures.resolve("link") + " stop " + link();
    }

    @Override
    public String report(long bytesHere) {
        return " losses=" + losses + " bytes_here=" + bytesHere;
    }
}
