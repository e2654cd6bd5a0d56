// SPDX-License-Identifier: Apache-2.0
package io.netfs4j.cli;

import picocli.CommandLine.Command;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.stream.Stream;

/**
 * Does once what commands and mounts do, so that the JVM loads the classes that they need: {@code
 * ./netfs} makes an archive of them, and later commands start from that.
 */
@Command(name = "train", hidden = true, description = "Loads classes for the start-up archive.")
final class TrainCommand implements Callable<Integer> {
    private static final int BYTES = 100_000;

    @Override
    public Integer call() throws IOException, CommandFailure, InterruptedException {
        LogFile.begin(null, "error");
        Posix.watched();
        Backends.help();
        MountCounts counters = new MountCounts(0, 0, 0, 0, 0, 0, 0);
        String line = ControlMessages.write(ControlMessages.Answer.of(counters));
        ControlMessages.read(line, ControlMessages.Answer.class);
        Path directory = Files.createTempDirectory("netfs-train");
        try {
            mount(directory);
        } finally {
            Files.deleteIfExists(directory);
        }
        return ExitCode.OK.number();
    }

    /** Mounts nothing of consequence, uses it a little, and unmounts it. */
    private static void mount(Path directory)
            throws IOException, CommandFailure, InterruptedException {
        MountPlan plan =
                new MountPlan("memory://train/", directory, directory, Map.of("uid", List.of("0")));
        FuseOpener opener = new FuseOpener();
        opener.check(plan);
        LiveMount mount = opener.open(plan);
        try {
            Path file = directory.resolve("file");
            Files.write(file, new byte[BYTES]);
            try (Stream<Path> entries = Files.list(directory)) {
                entries.forEach(TrainCommand::read);
            }
            mount.drain();
        } finally {
            mount.unmount(true);
            mount.awaitUnmounted();
            mount.close();
        }
    }

    private static void read(Path file) {
        try {
            Files.readAllBytes(file);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
