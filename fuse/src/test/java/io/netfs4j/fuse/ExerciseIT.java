// SPDX-License-Identifier: Apache-2.0
package io.netfs4j.fuse;

import static io.netfs4j.fuse.MountedVfs.sh;

import static org.assertj.core.api.Assertions.assertThat;

import io.netfs4j.Mount;
import io.netfs4j.MountOptions;
import io.netfs4j.Netfs;
import io.netfs4j.server.Remote;
import io.netfs4j.server.ServerOptions;

import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Arrays;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.CountDownLatch;

/**
 * Random operations on one file, each compared with a plain array: writes, reads, mappings,
 * appends, truncations, holes and reopening, through the kernel's page cache and ours, with so
 * little memory that both have to give bytes up and fetch them again.
 */
final class ExerciseIT {
    private static final int SIZE_MAX = 3 << 20;
    private static final int PIECE_MAX = 150_000;
    private static final int OPERATIONS = 1500;
    private static final int PUNCH_HOLE_KEEP_SIZE = 3;

    @TempDir Path directory;

    private byte[] model = new byte[0];
    private Random random;
    private Path file;
    private Path remote;
    private FileChannel channel;

    @ParameterizedTest
    @ValueSource(longs = {1, 2, 3, 4})
    void operations_inAnyOrder_leaveWhatTheModelHas(long seed) throws Exception {
        MountedVfs.requireFuse();
        random = new Random(seed);
        Path there = Files.createDirectory(directory.resolve("remote"));
        Path local = Files.createDirectory(directory.resolve("local"));
        remote = there.resolve("f");
        file = local.resolve("f");
        Process server = MountedVfs.java(ServerProcess.class, there.toString(), local.toString());
        try {
            assertThat(server.inputReader().readLine()).isEqualTo("mounted");
            exercise(seed);
            FuseMount.unmount(local, false);
            assertThat(server.inputReader().readLine()).isEqualTo("drained []");
            assertThat(Arrays.equals(Files.readAllBytes(remote), model)).isTrue();
        } finally {
            if (server.isAlive() && MountTable.at(local) != null) {
                FuseMount.unmount(local, true);
            }
            server.destroyForcibly();
        }
    }

    /**
     * Serves the mount. A process of its own, because a page fault of a mapping that waits for the
     * answer of its own process, with the lock of its address space held, waits for ever.
     */
    static final class ServerProcess {
        private ServerProcess() {}

        public static void main(String[] arguments) throws Exception {
            CountDownLatch ended = new CountDownLatch(1);
            Map<String, String> options =
                    Map.of(
                            "memory",
                            "2m",
                            "dirty",
                            "1m",
                            "dirty_age",
                            "0.05",
                            "state",
                            arguments[0] + ".state");
            try (Mount netfs =
                    Netfs.open(
                            Remote.parse(arguments[0], Path.of("/")),
                            MountOptions.parse(options),
                            ServerOptions.NONE)) {
                FuseMount mount =
                        FuseMount.mount(
                                netfs.vfs(), Path.of(arguments[1]), FuseOptions.of("test:"));
                mount.ended().whenDone((value, failure) -> ended.countDown());
                System.out.println("mounted");
                ended.await();
                System.out.println("drained " + netfs.drain());
            }
        }
    }

    private void exercise(long seed) throws IOException {
        open();
        for (int i = 0; i < OPERATIONS; i++) {
            String what = step(random.nextInt(100));
            assertThat(channel.size())
                    .as("size after operation %s, %s, of seed %s", i, what, seed)
                    .isEqualTo(model.length);
            int from = at();
            int length = Math.min(piece(), model.length - from);
            byte[] expected = Arrays.copyOfRange(model, from, from + length);
            assertThat(Arrays.equals(read(from, length), expected))
                    .as("%s at %s after operation %s, %s, seed %s", length, from, i, what, seed)
                    .isTrue();
        }
        channel.close();
    }

    private void open() throws IOException {
        channel =
                FileChannel.open(
                        file,
                        StandardOpenOption.CREATE,
                        StandardOpenOption.READ,
                        StandardOpenOption.WRITE);
    }

    private int at() {
        return model.length == 0 ? 0 : random.nextInt(model.length);
    }

    private int piece() {
        return 1 + random.nextInt(random.nextBoolean() ? 5000 : PIECE_MAX);
    }

    private byte[] bytes(int count) {
        byte[] bytes = new byte[count];
        random.nextBytes(bytes);
        return bytes;
    }

    private void put(int position, byte[] bytes) {
        if (position + bytes.length > model.length) {
            model = Arrays.copyOf(model, position + bytes.length);
        }
        System.arraycopy(bytes, 0, model, position, bytes.length);
    }

    private byte[] read(int from, int length) throws IOException {
        if (length > 0 && random.nextInt(4) == 0) {
            try (Arena arena = Arena.ofConfined()) {
                return channel.map(FileChannel.MapMode.READ_ONLY, from, length, arena)
                        .toArray(ValueLayout.JAVA_BYTE);
            }
        }
        ByteBuffer seen = ByteBuffer.allocate(length);
        while (seen.hasRemaining() && channel.read(seen, from + seen.position()) > 0) {
            continue;
        }
        return seen.array();
    }

    private String step(int choice) throws IOException {
        if (choice < 40) {
            return write(at());
        } else if (choice < 50) {
            return write(model.length + random.nextInt(20_000));
        } else if (choice < 58) {
            return append();
        } else if (choice < 68) {
            return truncate();
        } else if (choice < 80) {
            return map();
        } else if (choice < 86) {
            return punch();
        } else if (choice < 92) {
            channel.close();
            open();
            return "reopen";
        } else if (choice < 95) {
            int fd = Syscalls.open(file, Syscalls.O_RDONLY, 0);
            assertThat(Syscalls.forgetPages(fd)).isZero();
            assertThat(Syscalls.close(fd)).isZero();
            return "forget the kernel's pages";
        }
        channel.force(random.nextBoolean());
        assertThat(Arrays.equals(Files.readAllBytes(remote), model)).as("after fsync").isTrue();
        return "fsync";
    }

    private String write(int position) throws IOException {
        byte[] bytes = bytes(Math.min(piece(), Math.max(1, SIZE_MAX - position)));
        ByteBuffer source = ByteBuffer.wrap(bytes);
        while (source.hasRemaining()) {
            int unused = channel.write(source, position + source.position());
        }
        put(position, bytes);
        return "write " + bytes.length + " at " + position;
    }

    private String append() throws IOException {
        byte[] bytes = bytes(1 + random.nextInt(10_000));
        Files.write(file, bytes, StandardOpenOption.APPEND);
        put(model.length, bytes);
        return "append " + bytes.length;
    }

    private String truncate() throws IOException {
        int size = random.nextInt(4) == 0 ? random.nextInt(SIZE_MAX) : at();
        try (var other = Files.newByteChannel(file, StandardOpenOption.WRITE)) {
            other.truncate(size);
        }
        if (size > model.length) {
            assertThat(sh("truncate -s " + size + " '" + file + "'")).isEmpty();
        }
        model = Arrays.copyOf(model, size);
        return "truncate to " + size;
    }

    private String map() throws IOException {
        if (model.length == 0) {
            return "nothing";
        }
        int position = at();
        byte[] bytes = bytes(Math.min(piece(), model.length - position));
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment map =
                    channel.map(FileChannel.MapMode.READ_WRITE, position, bytes.length, arena);
            map.copyFrom(MemorySegment.ofArray(bytes));
            if (random.nextBoolean()) {
                map.force();
            }
        }
        put(position, bytes);
        return "map and put " + bytes.length + " at " + position;
    }

    private String punch() throws IOException {
        if (model.length == 0) {
            return "nothing";
        }
        int position = at();
        int length = Math.min(piece(), model.length - position);
        int fd = Syscalls.open(file, Syscalls.O_RDWR, 0);
        int result = Syscalls.fallocate(fd, PUNCH_HOLE_KEEP_SIZE, position, length);
        assertThat(Syscalls.close(fd)).isZero();
        assertThat(result).isZero();
        Arrays.fill(model, position, position + length, (byte) 0);
        return "punch " + length + " at " + position;
    }
}
