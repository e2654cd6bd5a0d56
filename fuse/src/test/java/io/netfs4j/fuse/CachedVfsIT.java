// SPDX-License-Identifier: Apache-2.0
package io.netfs4j.fuse;

import static io.netfs4j.fuse.MountedVfs.sh;

import static org.assertj.core.api.Assertions.assertThat;

import io.netfs4j.Mount;
import io.netfs4j.MountOptions;
import io.netfs4j.Netfs;
import io.netfs4j.server.Remote;
import io.netfs4j.server.ServerOptions;

import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.CountDownLatch;

/** The door over the real file system, whose server is a directory. */
final class CachedVfsIT {
    private static final int PIECE_BYTES = 4096;

    @TempDir Path directory;

    private Path remote;
    private Path local;
    private Mount netfs;
    private FuseMount mount;
    private final CountDownLatch ended = new CountDownLatch(1);

    @BeforeEach
    void mount() throws Exception {
        MountedVfs.requireFuse();
        remote = Files.createDirectory(directory.resolve("remote"));
        local = Files.createDirectory(directory.resolve("local"));
        netfs =
                Netfs.open(
                        Remote.parse(remote.toString(), directory),
                        MountOptions.parse(Map.of("dirty", "16m")),
                        ServerOptions.NONE);
        mount = FuseMount.mount(netfs.vfs(), local, FuseOptions.of("test:"));
        mount.ended().whenDone((value, failure) -> ended.countDown());
    }

    @AfterEach
    void unmount() throws Exception {
        if (mount != null) {
            mount.close();
            ended.await();
            assertThat(netfs.drain()).isEmpty();
            netfs.close();
        }
    }

    /** What is on the server is what was written. */
    private void drained() throws Exception {
        mount.unmount(false);
        ended.await();
        assertThat(netfs.drain()).isEmpty();
    }

    @Test
    void tree_copiedIn_isOnTheServerAfterwards() throws Exception {
        Path source = Path.of(System.getProperty("java.home"), "conf");
        assertThat(sh("cp -rL " + source + " " + local + "/conf")).isEmpty();
        assertThat(sh("diff -r " + source + " " + local + "/conf")).isEmpty();
        drained();
        assertThat(sh("diff -r " + source + " " + remote + "/conf")).isEmpty();
    }

    @Test
    void bytes_beyondTheDirtyLimit_areAllSaved() throws Exception {
        byte[] model = new byte[48 << 20];
        Random random = new Random(3);
        random.nextBytes(model);
        Path file = local.resolve("large");
        Files.write(file, model);
        try (FileChannel channel = FileChannel.open(file, StandardOpenOption.WRITE)) {
            for (int i = 0; i < 2000; i++) {
                byte[] piece = new byte[1 + random.nextInt(8000)];
                random.nextBytes(piece);
                int at = random.nextInt(model.length - piece.length);
                System.arraycopy(piece, 0, model, at, piece.length);
                channel.write(ByteBuffer.wrap(piece), at);
            }
            channel.force(true);
        }
        assertThat(Files.mismatch(file, Files.write(directory.resolve("model"), model)))
                .isEqualTo(-1);
        assertThat(Files.mismatch(remote.resolve("large"), directory.resolve("model")))
                .isEqualTo(-1);
    }

    @Test
    void read_ofWhatTheServerHas_givesIt() throws Exception {
        byte[] model = new byte[20 << 20];
        new Random(4).nextBytes(model);
        Files.write(remote.resolve("there"), model);
        assertThat(Files.readAllBytes(local.resolve("there"))).isEqualTo(model);
        Files.writeString(remote.resolve("small"), "one");
        assertThat(local.resolve("small")).hasContent("one");
    }

    /** Where another open has found the cut: it is known here, and nothing is under way. */
    @Test
    void read_justAfterTheServersFileWasCut_isNotInterrupted() throws Exception {
        int[] cuts = {0, PIECE_BYTES, 5000, 100_000};
        for (int cut : cuts) {
            Files.write(remote.resolve("f" + cut), new byte[200_000]);
        }
        for (int cut : cuts) {
            Path file = local.resolve("f" + cut);
            int fd = Syscalls.open(file, Syscalls.O_RDONLY, 0);
            try (FileChannel there =
                    FileChannel.open(remote.resolve("f" + cut), StandardOpenOption.WRITE)) {
                assertThat(Syscalls.pread(fd, PIECE_BYTES, 0)).isEqualTo(PIECE_BYTES);
                there.truncate(cut);
                assertThat(Syscalls.close(Syscalls.open(file, Syscalls.O_RDONLY, 0))).isZero();
                assertThat(readToTheEnd(fd)).isEqualTo(cut);
            } finally {
                Syscalls.close(fd);
            }
        }
    }

    /** Where that is; the error number of the first read that fails, negative. */
    private static long readToTheEnd(int fd) {
        long at = 0;
        long count;
        do {
            count = Syscalls.pread(fd, PIECE_BYTES, at);
            at += count;
        } while (count > 0);
        return count < 0 ? count : at;
    }

    @Test
    void git_onTheMount_works() throws Exception {
        String git =
                "export HOME=/nonexistent GIT_AUTHOR_NAME=a GIT_AUTHOR_EMAIL=a@b"
                        + " GIT_COMMITTER_NAME=a GIT_COMMITTER_EMAIL=a@b && cd ";
        String first = "/r && seq 10000 > f && git add f && git commit -qm 1";
        assertThat(sh(git + local + " && git init -q r")).isEmpty();
        assertThat(sh(git + local + first)).isEmpty();
        String second = "/r && echo x >> f && git commit -qam 2 && git gc -q && git fsck";
        assertThat(sh(git + local + second)).isEmpty();
        drained();
        String check = "/r && git -c safe.directory=* fsck && git -c safe.directory=* status -s";
        assertThat(sh(git + remote + check)).isEmpty();
    }

    @Test
    void names_comeAndGo() throws Exception {
        String cd = "cd " + local + " && ";
        assertThat(sh(cd + "mkdir -p a/b && echo 1 > a/b/f && mv a/b/f a/g && ln -s g a/s"))
                .isEmpty();
        assertThat(sh(cd + "ln a/g a/h && cat a/s a/h && rm a/g && cat a/h")).isEqualTo("1\n1\n1");
        assertThat(sh(cd + "rmdir a/b && rm a/s a/h && rmdir a && ls")).isEmpty();
        assertThat(sh(cd + "exec 3<>x && echo kept >&3 && rm x && cat < /proc/self/fd/3; ls"))
                .isEqualTo("kept");
    }
}
