// SPDX-License-Identifier: Apache-2.0
package io.netfs4j.cli;

import picocli.CommandLine.Command;

import java.io.IOException;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.security.GeneralSecurityException;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.stream.Stream;

import javax.crypto.Cipher;
import javax.crypto.spec.GCMParameterSpec;
import javax.crypto.spec.SecretKeySpec;

/**
 * Does once what commands and mounts do, so that the JVM loads the classes that they need: {@code
 * ./netfs} makes an archive of them, and later commands start from that.
 */
@Command(name = "train", hidden = true, description = "Loads classes for the start-up archive.")
final class TrainCommand implements Callable<Integer> {
    /** Written in pieces of the size that the kernel sends, so many that they are compiled. */
    private static final int PIECES = 256;

    private static final int PIECE_BYTES = 1 << 20;

    /** The file is begun anew after so many, to keep the memory of a build machine. */
    private static final int PIECES_IN_FILE = 16;

    private static final int BLOCK_BYTES = 4096;

    private static final int OVERWRITES = 20_000;

    /** Blocks between one overwrite and the next; has no divisor in common with a power of two. */
    private static final long OVERWRITES_APART = 2_467;

    /** Of the size that SSH sends, so many that the compiler is done with them. */
    private static final int PACKETS = 4_000;

    private static final int PACKET_BYTES = 32 * 1024;

    private static final int TAG_BYTES = 16;

    private static final int IV_BYTES = 12;

    @Override
    public Integer call() throws IOException, CommandFailure, InterruptedException {
        LogFile.begin(null, "error");
        Posix.watched();
        Backends.help();
        MountCounts counters = new MountCounts(0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0);
        String line = ControlMessages.write(ControlMessages.Answer.of(counters));
        ControlMessages.read(line, ControlMessages.Answer.class);
        encrypt();
        Path directory = Files.createTempDirectory("netfs-train");
        try {
            mount(directory);
        } finally {
            Files.deleteIfExists(directory);
        }
        return ExitCode.OK.number();
    }

    /**
     * What an SSH connection does for every byte. Until it is compiled it is slower than most
     * links; a mount that knows from here what is worth compiling is at full speed seconds earlier.
     */
    private static void encrypt() {
        byte[] packet = new byte[PACKET_BYTES + TAG_BYTES];
        byte[] iv = new byte[IV_BYTES];
        SecretKeySpec key = new SecretKeySpec(new byte[TAG_BYTES], "AES");
        try {
            Cipher cipher = Cipher.getInstance("AES/GCM/NoPadding");
            for (int i = 0; i < PACKETS; i++) {
                ByteBuffer.wrap(iv).putInt(i);
                cipher.init(
                        Cipher.ENCRYPT_MODE, key, new GCMParameterSpec(TAG_BYTES * Byte.SIZE, iv));
                cipher.updateAAD(iv, 0, Integer.BYTES);
                cipher.doFinal(packet, 0, PACKET_BYTES, packet, 0);
            }
        } catch (GeneralSecurityException e) {
            throw new IllegalStateException(e);
        }
    }

    /** Mounts nothing of consequence, uses it a little, and unmounts it. */
    private static void mount(Path directory)
            throws IOException, CommandFailure, InterruptedException {
        MountPlan plan =
                new MountPlan("memory://train/", directory, directory, Map.of("uid", List.of("0")));
        FuseOpener opener = new FuseOpener(Map.of());
        opener.check(plan);
        LiveMount mount = opener.open(plan);
        try {
            Path file = directory.resolve("file");
            byte[] piece = new byte[PIECE_BYTES];
            for (int i = 0; i < PIECES; i += PIECES_IN_FILE) {
                try (OutputStream out = Files.newOutputStream(file)) {
                    for (int j = 0; j < PIECES_IN_FILE; j++) {
                        out.write(piece);
                    }
                }
            }
            overwrite(file);
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

    /** Small writes all over a file: what data bases do, and the most requests for a byte. */
    private static void overwrite(Path file) throws IOException {
        ByteBuffer block = ByteBuffer.allocate(BLOCK_BYTES);
        try (FileChannel channel = FileChannel.open(file, StandardOpenOption.WRITE)) {
            int blocks = PIECES_IN_FILE * (PIECE_BYTES / BLOCK_BYTES);
            for (int i = 0; i < OVERWRITES; i++) {
                long at = Math.floorMod(i * OVERWRITES_APART, blocks);
                channel.write(block.rewind(), at * BLOCK_BYTES);
            }
            channel.force(false);
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
