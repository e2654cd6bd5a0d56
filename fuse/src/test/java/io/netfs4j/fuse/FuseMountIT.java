// SPDX-License-Identifier: Apache-2.0
package io.netfs4j.fuse;

import static io.netfs4j.fuse.MountedVfs.mounted;
import static io.netfs4j.fuse.MountedVfs.sh;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import static java.nio.charset.StandardCharsets.UTF_8;
import static java.nio.file.StandardOpenOption.APPEND;
import static java.nio.file.StandardOpenOption.CREATE;
import static java.nio.file.StandardOpenOption.CREATE_NEW;
import static java.nio.file.StandardOpenOption.READ;
import static java.nio.file.StandardOpenOption.WRITE;

import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.DirectoryNotEmptyException;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.attribute.FileTime;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Instant;
import java.util.List;
import java.util.Random;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.stream.IntStream;
import java.util.stream.Stream;

/**
 * Every request of the kernel's through real calls, once answered at once (hits) and once handed
 * over to virtual threads.
 */
final class FuseMountIT {
    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void write_thenRead_givesTheSameBytes(boolean hits) throws Exception {
        try (MountedVfs m = mounted(hits)) {
            byte[] bytes = new byte[5_000_001];
            new Random(1).nextBytes(bytes);
            Path file = m.root.resolve("a");
            Files.write(file, bytes);
            assertThat(Files.size(file)).isEqualTo(bytes.length);
            assertThat(Files.readAllBytes(file)).isEqualTo(bytes);
            forgetPages(file);
            assertThat(sh("cat '" + file + "' | sha256sum"))
                    .isEqualTo(sh("sha256sum < '" + file + "'"));
            assertThat(Files.readAllBytes(file)).isEqualTo(bytes);
            assertThat(m.vfs.calls).contains("create", "write", "flush", hits ? "tryRead" : "read");
        }
    }

    private static void forgetPages(Path file) {
        int fd = Syscalls.open(file, Syscalls.O_RDONLY, 0);
        assertThat(Syscalls.forgetPages(fd)).isZero();
        assertThat(Syscalls.close(fd)).isZero();
    }

    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void write_atOffsets_landsThere(boolean hits) throws Exception {
        try (MountedVfs m = mounted(hits)) {
            Path file = m.root.resolve("a");
            byte[] model = new byte[300_000];
            Random random = new Random(2);
            try (FileChannel channel = FileChannel.open(file, CREATE_NEW, READ, WRITE)) {
                channel.write(ByteBuffer.wrap(model), 0);
                for (int i = 0; i < 200; i++) {
                    byte[] piece = new byte[1 + random.nextInt(9000)];
                    random.nextBytes(piece);
                    int at = random.nextInt(model.length - piece.length);
                    System.arraycopy(piece, 0, model, at, piece.length);
                    channel.write(ByteBuffer.wrap(piece), at);
                }
                ByteBuffer seen = ByteBuffer.allocate(model.length);
                while (seen.hasRemaining() && channel.read(seen, seen.position()) > 0) {
                    continue;
                }
                assertThat(seen.array()).isEqualTo(model);
                channel.truncate(1000);
                channel.force(true);
                channel.force(false);
            }
            assertThat(Files.size(file)).isEqualTo(1000);
            assertThat(m.vfs.calls).contains("setAttributes of open", "fsync", "fdatasync");
        }
    }

    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void open_withFlags_passesThem(boolean hits) throws Exception {
        try (MountedVfs m = mounted(hits)) {
            Path file = m.root.resolve("a");
            Files.writeString(file, "12345");
            Files.writeString(file, "67", APPEND);
            assertThat(Files.readString(file)).isEqualTo("1234567");
            Files.writeString(file, "xy");
            assertThat(Files.readString(file)).isEqualTo("xy");
            assertThat(sh("cat " + file)).isEqualTo("xy");
            assertThatThrownBy(() -> Files.writeString(file, "", CREATE_NEW))
                    .isInstanceOf(FileAlreadyExistsException.class);
            assertThatThrownBy(() -> Files.readString(m.root.resolve("b")))
                    .isInstanceOf(NoSuchFileException.class);
            int fd = Syscalls.open(file, Syscalls.O_WRONLY | Syscalls.O_SYNC, 0);
            assertThat(m.vfs.openFiles.keySet()).anyMatch(f -> f.flags().sync());
            assertThat(Syscalls.write(fd, "z")).isEqualTo(1);
            assertThat(Syscalls.close(fd)).isZero();
            assertThat(Files.readString(file)).isEqualTo("zy");
        }
    }

    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void open_direct_passesTheKernelsCache(boolean hits) throws Exception {
        try (MountedVfs m = mounted(hits)) {
            Path file = m.root.resolve("a");
            String dd = "dd status=none bs=4096 count=16 ";
            sh("head -c 65536 /dev/urandom > /dev/shm/netfs-it");
            assertThat(sh(dd + "if=/dev/shm/netfs-it oflag=direct of=" + file)).isEmpty();
            assertThat(sh("cmp /dev/shm/netfs-it " + file)).isEmpty();
            assertThat(sh(dd + "iflag=direct if=" + file + " | cmp /dev/shm/netfs-it")).isEmpty();
            Files.delete(Path.of("/dev/shm/netfs-it"));
            assertThat(m.vfs.calls).contains("read", "write");
        }
    }

    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void directories_areListedWhole(boolean hits) throws Exception {
        try (MountedVfs m = mounted(hits)) {
            Path directory = Files.createDirectory(m.root.resolve("d"));
            for (int i = 0; i < 1500; i++) {
                Files.createFile(directory.resolve("a longer name for file " + i));
            }
            try (Stream<Path> names = Files.list(directory)) {
                assertThat(names.map(p -> p.getFileName().toString()))
                        .containsExactlyInAnyOrderElementsOf(
                                IntStream.range(0, 1500)
                                        .mapToObj(i -> "a longer name for file " + i)
                                        .toList());
            }
            assertThat(sh("ls -l " + directory + " | wc -l")).isEqualTo("1501");
            assertThat(sh("ls -a " + directory + " | head -2")).isEqualTo(".\n..");
            assertThatThrownBy(() -> Files.delete(directory))
                    .isInstanceOf(DirectoryNotEmptyException.class);
            assertThat(sh("rm -r " + directory)).isEmpty();
            assertThat(directory).doesNotExist();
            assertThat(m.vfs.calls).contains("readDirectoryPlus", "rmdir", "unlink");
            int fd = Syscalls.open(m.root, Syscalls.O_RDONLY | Syscalls.O_DIRECTORY, 0);
            assertThat(Syscalls.fsync(fd)).isZero();
            assertThat(Syscalls.close(fd)).isZero();
            assertThat(m.vfs.calls).contains("fsyncDirectory");
        }
    }

    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void names_areMovedLinkedAndRemoved(boolean hits) throws Exception {
        try (MountedVfs m = mounted(hits)) {
            Path a = Files.writeString(m.root.resolve("a"), "A");
            Path b = Files.writeString(m.root.resolve("b"), "B");
            Path d = Files.createDirectory(m.root.resolve("d"));
            Files.move(a, d.resolve("a2"));
            assertThat(d.resolve("a2")).hasContent("A");
            Files.move(d.resolve("a2"), b, StandardCopyOption.ATOMIC_MOVE);
            assertThat(b).hasContent("A");
            Path c = Files.writeString(m.root.resolve("c"), "C");
            assertThat(Syscalls.renameat2(b, c, 1)).isEqualTo(-17);
            assertThat(Syscalls.renameat2(b, c, 2)).isZero();
            assertThat(b).hasContent("C");
            assertThat(c).hasContent("A");
            assertThat(Syscalls.renameat2(b, c, 4)).isNegative();
            assertThat(Syscalls.renameat2(c, m.root.resolve("new"), 1)).isZero();
            Files.createSymbolicLink(m.root.resolve("s"), Path.of("d/../b"));
            assertThat(Files.readSymbolicLink(m.root.resolve("s"))).hasToString("d/../b");
            assertThat(m.root.resolve("s")).hasContent("C");
            Files.createLink(d.resolve("b3"), b);
            assertThat(Files.getAttribute(b, "unix:nlink")).isEqualTo(2);
            assertThat(Files.getAttribute(d.resolve("b3"), "unix:ino"))
                    .isEqualTo(Files.getAttribute(b, "unix:ino"));
            Files.delete(b);
            assertThat(d.resolve("b3")).hasContent("C");
            assertThat(m.vfs.calls).contains("rename NOREPLACE", "rename EXCHANGE", "readlink");
        }
    }

    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void names_thatAreNotUtf8_comeBackAsTheyWere(boolean hits) throws Exception {
        try (MountedVfs m = mounted(hits)) {
            String cd = "cd " + m.root + "; ";
            assertThat(sh(cd + "printf 1 > \"$(printf 'x\\377\\344y')\"")).isEmpty();
            assertThat(sh(cd + "ls | od -An -tx1 | tr -d ' '")).isEqualTo("78ffe4790a");
            assertThat(sh(cd + "cat x*")).isEqualTo("1");
            assertThat(m.vfs.lookup(1, "x\uDCFF\uDCE4y").isNegative()).isFalse();
            assertThat(sh(cd + "printf 2 > ä€𝄞; cat ä€𝄞; ls | tail -1")).isEqualTo("2ä€𝄞");
            String longest = "n".repeat(255);
            assertThat(sh(cd + "touch " + longest + " && ls " + longest)).isEqualTo(longest);
            assertThat(sh(cd + "touch n" + longest)).contains("File name too long");
        }
    }

    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void attributes_areSetAndSeen(boolean hits) throws Exception {
        try (MountedVfs m = mounted(hits)) {
            Path file = Files.writeString(m.root.resolve("a"), "A");
            Files.setPosixFilePermissions(file, PosixFilePermissions.fromString("rwxr-x--x"));
            assertThat(sh("stat -c %a " + file)).isEqualTo("751");
            FileTime time = FileTime.from(Instant.ofEpochSecond(1_000_000_000L, 123_456_789));
            Files.setLastModifiedTime(file, time);
            assertThat(Files.getLastModifiedTime(file)).isEqualTo(time);
            assertThat(sh("touch -d @-5 " + file + "; stat -c %Y " + file)).isEqualTo("-5");
            sh("touch " + file);
            assertThat(Files.getLastModifiedTime(file).toInstant())
                    .isAfter(Instant.ofEpochSecond(1_500_000_000L));
            assertThat(sh("chown 12:34 " + file + "; stat -c %u:%g " + file)).isEqualTo("12:34");
            assertThat(sh("truncate -s 4097 " + file + "; stat -c %s:%b " + file))
                    .isEqualTo("4097:9");
            assertThat(sh("umask 027; touch " + m.root + "/m; stat -c %a " + m.root + "/m"))
                    .isEqualTo("640");
            assertThat(sh("stat -f -c %S:%b:%f:%a:%c:%d:%l " + m.root))
                    .isEqualTo("4096:1000:500:400:300:200:255");
        }
    }

    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void xattrs_areSetListedAndRemoved(boolean hits) throws Exception {
        try (MountedVfs m = mounted(hits)) {
            Path file = Files.writeString(m.root.resolve("a"), "A");
            assertThat(Syscalls.setxattr(file, "user.one", "first", 0)).isZero();
            assertThat(Syscalls.setxattr(file, "user.two", "2", 1)).isZero();
            assertThat(Syscalls.getxattr(file, "user.one", 100)).isEqualTo("first");
            assertThat(Syscalls.getxattr(file, "user.one", 0)).isEqualTo("5");
            assertThat(Syscalls.getxattr(file, "user.one", 3)).isEqualTo("-34");
            assertThat(Syscalls.getxattr(file, "user.none", 3)).isEqualTo("-61");
            assertThat(Syscalls.getxattr(file, "security.capability", 30)).isEqualTo("-95");
            assertThat(
                            Files.getFileAttributeView(
                                            file,
                                            java.nio.file.attribute.UserDefinedFileAttributeView
                                                    .class)
                                    .list())
                    .containsExactlyInAnyOrder("one", "two");
            assertThat(Syscalls.removexattr(file, "user.one")).isZero();
            assertThat(Syscalls.getxattr(file, "user.one", 100)).isEqualTo("-61");
            assertThat(m.vfs.calls).contains("setXattr ANY", "setXattr CREATE", "removeXattr");
        }
    }

    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void ranges_areAllocatedSoughtAndCopied(boolean hits) throws Exception {
        try (MountedVfs m = mounted(hits)) {
            Path file = m.root.resolve("a");
            int fd = Syscalls.open(file, Syscalls.O_RDWR | Syscalls.O_CREAT, 0644);
            assertThat(Syscalls.fallocate(fd, 0, 0, 10_000)).isZero();
            assertThat(Files.size(file)).isEqualTo(10_000);
            assertThat(Syscalls.lseek(fd, 5000, 0)).isEqualTo(5000);
            assertThat(Syscalls.write(fd, "data")).isEqualTo(4);
            assertThat(Syscalls.lseek(fd, 0, 3)).isEqualTo(5000);
            assertThat(Syscalls.lseek(fd, 0, 4)).isEqualTo(10_000);
            assertThat(Syscalls.lseek(fd, 6000, 3)).isEqualTo(-6);
            Path copy = m.root.resolve("b");
            int other = Syscalls.open(copy, Syscalls.O_RDWR | Syscalls.O_CREAT, 0644);
            assertThat(Syscalls.copyFileRange(fd, 5000, other, 2, 100)).isEqualTo(100);
            assertThat(Files.readAllBytes(copy)).startsWith(0, 0, 'd', 'a', 't', 'a', 0);
            assertThat(Syscalls.fallocate(fd, 3, 4096, 4096)).isZero();
            assertThat(Syscalls.lseek(fd, 0, 3)).isEqualTo(-6);
            assertThat(Files.readAllBytes(file)).containsOnly(0);
            assertThat(Syscalls.fallocate(fd, 0x11, 0, 20_000)).isZero();
            assertThat(Files.size(file)).isEqualTo(10_000);
            assertThat(Syscalls.fallocate(fd, 8, 0, 4096)).isEqualTo(-95);
            assertThat(Syscalls.close(fd)).isZero();
            assertThat(Syscalls.close(other)).isZero();
        }
    }

    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void mknod_ofAFileAlone_isAllowed(boolean hits) throws Exception {
        try (MountedVfs m = mounted(hits)) {
            assertThat(Syscalls.mknod(m.root.resolve("f"), 0100640, 0)).isZero();
            assertThat(m.root.resolve("f")).isEmptyFile();
            assertThat(Syscalls.mknod(m.root.resolve("p"), 0010640, 0)).isEqualTo(-1);
            assertThat(m.vfs.openFiles).isEmpty();
        }
    }

    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void close_ofTheLastDescriptor_releases(boolean hits) throws Exception {
        StoredVfs vfs;
        try (MountedVfs m = mounted(hits)) {
            vfs = m.vfs;
            Files.writeString(m.root.resolve("a"), "A");
            assertThat(m.root.resolve("a")).hasContent("A");
            // The kernel does not wait for a release.
            while (!vfs.openFiles.isEmpty()) {
                Thread.onSpinWait();
            }
        }
        assertThat(vfs.calls).contains("release").doesNotContain("released twice");
    }

    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void unlink_ofAnOpenFile_keepsItUntilClosed(boolean hits) throws Exception {
        try (MountedVfs m = mounted(hits)) {
            Path file = m.root.resolve("a");
            try (FileChannel channel = FileChannel.open(file, CREATE, READ, WRITE)) {
                channel.write(ByteBuffer.wrap("before".getBytes(UTF_8)));
                Files.delete(file);
                channel.write(ByteBuffer.wrap("after".getBytes(UTF_8)));
                ByteBuffer seen = ByteBuffer.allocate(20);
                assertThat(channel.read(seen, 0)).isEqualTo(11);
                assertThat(channel.size()).isEqualTo(11);
            }
            assertThat(file).doesNotExist();
        }
    }

    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void manyAtOnce_allGetTheirBytes(boolean hits) throws Exception {
        try (MountedVfs m = mounted(hits);
                ExecutorService pool = Executors.newFixedThreadPool(8)) {
            List<Future<Boolean>> all =
                    IntStream.range(0, 8)
                            .mapToObj(i -> pool.submit(() -> writeAndCheck(m.root, i)))
                            .toList();
            for (Future<Boolean> each : all) {
                assertThat(each.get()).isTrue();
            }
        }
    }

    /** Writes a file, moves it over another, and compares. */
    private static boolean writeAndCheck(Path root, int number) throws Exception {
        Random random = new Random(number);
        byte[] bytes = new byte[1_500_000];
        for (int round = 0; round < 4; round++) {
            random.nextBytes(bytes);
            Path file = Files.write(root.resolve("f" + number), bytes);
            Path moved = root.resolve("g" + number);
            Files.move(file, moved, StandardCopyOption.REPLACE_EXISTING);
            if (!java.util.Arrays.equals(Files.readAllBytes(moved), bytes)) {
                return false;
            }
        }
        return true;
    }

    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void lookups_afterUnmount_areBalanced(boolean hits) throws Exception {
        StoredVfs vfs;
        try (MountedVfs m = mounted(hits)) {
            vfs = m.vfs;
            for (int i = 0; i < 50; i++) {
                Files.writeString(m.root.resolve("f" + i), "x");
            }
            sh("ls -lR " + m.root);
            sh("rm " + m.root + "/*");
            assertThat(Files.exists(m.root.resolve("f0"), LinkOption.NOFOLLOW_LINKS)).isFalse();
        }
        assertThat(vfs.calls).doesNotContain("forgotten too often", "released twice");
        assertThat(vfs.openFiles).isEmpty();
        assertThat(vfs.openDirectories).isEmpty();
        assertThat(vfs.inodes()).isEqualTo(1);
    }
}
