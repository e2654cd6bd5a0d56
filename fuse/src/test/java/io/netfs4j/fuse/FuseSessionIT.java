// SPDX-License-Identifier: Apache-2.0
package io.netfs4j.fuse;

import static io.netfs4j.fuse.MountedVfs.mounted;
import static io.netfs4j.fuse.MountedVfs.requireFuse;
import static io.netfs4j.fuse.MountedVfs.sh;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import static java.nio.charset.StandardCharsets.UTF_8;
import static java.nio.file.StandardOpenOption.READ;
import static java.nio.file.StandardOpenOption.WRITE;

import io.netfs4j.base.FsError;
import io.netfs4j.base.FsException;
import io.netfs4j.fuse.FuseOptions.Owner;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.atomic.AtomicBoolean;

/** How mounts come, misbehave and go. */
final class FuseSessionIT {
    private static void assumeRoot() {
        assumeTrue(Libc.geteuid() == 0, "skipped: needs root");
    }

    private static void refused(Path directory, FsError error, String words) {
        assertThatThrownBy(() ->
                        FuseMount.mount(new StoredVfs(true), directory, FuseOptions.of("test:")))
                .isInstanceOfSatisfying(
                        FsException.class,
                        e -> {
                            assertThat(e.error()).isEqualTo(error);
                            assertThat(e.getMessage()).contains(words).doesNotContain("\n");
                        });
    }

    @Test
    void mount_showsInTheMountTable() throws Exception {
        try (MountedVfs m = mounted(true)) {
            MountTable.Line line = MountTable.at(m.root);
            assertThat(line.type()).isEqualTo("fuse.netfs");
            assertThat(line.source()).isEqualTo("test://store");
            assertThat(sh("grep " + m.root + " /proc/self/mountinfo"))
                    .contains("nosuid,nodev")
                    .contains("default_permissions");
        }
    }

    @Test
    void mount_onWhatIsNoEmptyDirectory_isRefused(@TempDir Path directory) throws Exception {
        requireFuse();
        refused(directory.resolve("missing"), FsError.ENOENT, "mkdir");
        refused(Files.createFile(directory.resolve("f")), FsError.ENOTDIR, "not a directory");
        refused(directory, FsError.ENOTEMPTY, "choose an empty directory");
        try (MountedVfs m = mounted(true)) {
            refused(m.root, FsError.EBUSY, "unmount it first");
            Path link = Files.createSymbolicLink(directory.resolve("link"), m.root);
            refused(link, FsError.EBUSY, "unmount it first");
        }
    }

    @Test
    void mount_whereTheServerDied_namesTheRemedy(@TempDir Path directory) throws Exception {
        requireFuse();
        Process server = MountedVfs.java(ServerProcess.class, directory.toString());
        try {
            assertThat(server.inputReader().readLine()).isEqualTo("mounted");
            assertThat(Files.writeString(directory.resolve("a"), "A")).hasContent("A");
            server.destroyForcibly().waitFor();
            assertThatThrownBy(() -> Files.readString(directory.resolve("a")))
                    .hasMessageContaining("not connected");
            refused(directory, FsError.ENOTCONN, "fusermount3 -u");
        } finally {
            server.destroyForcibly();
            FuseMount.unmount(directory, true);
        }
        assertThat(directory).isEmptyDirectory();
    }

    /**
     * The server is another process: a page fault that waits for this one's own answer, with the
     * lock of its address space held, would wait for ever.
     */
    @Test
    void mapping_ofAnAppendingFile_writesInPlace(@TempDir Path directory) throws Exception {
        requireFuse();
        Process server = MountedVfs.java(ServerProcess.class, directory.toString());
        try {
            assertThat(server.inputReader().readLine()).isEqualTo("mounted");
            Path file = Files.write(directory.resolve("a"), new byte[20_000]);
            int appending = Syscalls.open(file, Syscalls.O_RDWR | Syscalls.O_APPEND, 0);
            try (FileChannel channel = FileChannel.open(file, READ, WRITE);
                    Arena arena = Arena.ofConfined()) {
                MemorySegment map = channel.map(FileChannel.MapMode.READ_WRITE, 0, 20_000, arena);
                map.set(ValueLayout.JAVA_BYTE, 10_000, (byte) 7);
                map.force();
            }
            assertThat(Syscalls.write(appending, "end")).isEqualTo(3);
            assertThat(Syscalls.forgetPages(appending)).isZero();
            assertThat(Syscalls.close(appending)).isZero();
            byte[] seen = Files.readAllBytes(file);
            assertThat(seen).hasSize(20_003);
            assertThat(seen[10_000]).isEqualTo((byte) 7);
            assertThat(seen).endsWith('e', 'n', 'd');
        } finally {
            FuseMount.unmount(directory, true);
            server.destroyForcibly();
        }
    }

    /** Mounts, says so, and stays until killed. */
    static final class ServerProcess {
        private ServerProcess() {}

        public static void main(String[] arguments) throws Exception {
            StoredVfs vfs = new StoredVfs(true);
            FuseMount mount = FuseMount.mount(vfs, Path.of(arguments[0]), FuseOptions.of("test:"));
            System.out.println("mounted");
            System.in.read();
            mount.close();
        }
    }

    @Test
    void mount_byTheHelper_works(@TempDir Path directory) throws Exception {
        requireFuse();
        assumeTrue(Fusermount.isInstalled(), "skipped: no fusermount3");
        FuseOptions options = FuseOptions.of("test://a,b\\c");
        StoredVfs vfs = new StoredVfs(true);
        FuseDevice device =
                Fusermount.mount(
                        directory.toRealPath(),
                        "rw,nosuid,nodev,fsname=test://a\\,b,subtype=netfs,default_permissions");
        VfsHandler handler = new VfsHandler(vfs, options, new Notifier());
        FuseSession session = new FuseSession(device, handler, options);
        session.start();
        assertThat(session.awaitReady().has(Negotiation.DO_READDIRPLUS)).isTrue();
        assertThat(MountTable.at(directory.toRealPath()).source()).isEqualTo("test://a,b");
        Files.writeString(directory.resolve("a"), "A");
        assertThat(sh("cat " + directory + "/a")).isEqualTo("A");
        Fusermount.unmount(directory.toRealPath(), false);
        while (!session.ended().isDone()) {
            Thread.onSpinWait();
        }
        assertThatThrownBy(() -> Fusermount.unmount(directory.toRealPath(), false))
                .isInstanceOf(FsException.class);
        assertThatThrownBy(() -> Fusermount.mount(directory.resolve("none"), "rw"))
                .isInstanceOf(FsException.class)
                .hasMessageContaining("fusermount3");
    }

    @Test
    void handler_thatThrows_isAnsweredWithEio() throws Exception {
        try (MountedVfs m = mounted(true)) {
            Path bad = Files.writeString(m.root.resolve(StoredVfs.EXPLODES), "boom");
            Path good = Files.writeString(m.root.resolve("good"), "still here");
            m.vfs.keepsKernelCache = false;
            assertThatThrownBy(() -> Files.readString(bad))
                    .isInstanceOf(IOException.class)
                    .hasMessageContaining("Input/output error");
            assertThat(good).hasContent("still here");
        }
    }

    @Test
    void interrupt_ofAWaitingRead_reachesTheFileSystem() throws Exception {
        try (MountedVfs m = mounted(true)) {
            Path file = Files.writeString(m.root.resolve(StoredVfs.HANGS), "boom");
            m.vfs.keepsKernelCache = false;
            Process reader = new ProcessBuilder("cat", file.toString()).start();
            m.vfs.hanging.await();
            reader.destroy();
            assertThat(reader.waitFor()).isEqualTo(128 + 15);
            assertThat(m.root.resolve("other")).doesNotExist();
        }
    }

    @Test
    void abort_withAWaitingRead_freesEverybody() throws Exception {
        assumeRoot();
        try (MountedVfs m = mounted(true)) {
            Path file = Files.writeString(m.root.resolve(StoredVfs.HANGS), "boom");
            m.vfs.keepsKernelCache = false;
            Process reader = new ProcessBuilder("cat", file.toString()).start();
            m.vfs.hanging.await();
            m.mount.abort();
            assertThat(reader.waitFor()).isEqualTo(1);
            m.awaitEnd();
        }
    }

    @Test
    void invalidate_afterAChangeElsewhere_showsIt() throws Exception {
        try (MountedVfs m = mounted(true)) {
            m.vfs.validNanos = 3_600_000_000_000L;
            Path file = Files.writeString(m.root.resolve("a"), "old");
            assertThat(file).hasContent("old");
            m.vfs.overwrite("a", "newer".getBytes(UTF_8));
            assertThat(file).hasContent("old");
            m.vfs.kernelCache.invalidate(2, 0, -1);
            while (!Files.readString(file).equals("newer")) {
                Thread.onSpinWait();
            }
            assertThat(m.root.resolve("b")).doesNotExist();
            m.vfs.makeDirectory(1, "b", 0755);
            assertThat(m.root.resolve("b")).doesNotExist();
            m.vfs.kernelCache.invalidateEntry(1, "b");
            while (!Files.exists(m.root.resolve("b"))) {
                Thread.onSpinWait();
            }
        }
    }

    /** Each entry would else wait for it as long as an answer is kept back at most. */
    @Test
    void list_whileTheKernelWaitsForAWrite_doesNotWaitForEachChangedFile() throws Exception {
        try (MountedVfs m = mounted(true)) {
            m.vfs.validNanos = 0;
            m.vfs.keepsKernelCache = false;
            Path hangs = Files.writeString(m.root.resolve(StoredVfs.HANGS), "boom");
            m.vfs.writesHangFrom = 4;
            int files = 40;
            for (int i = 0; i < files; i++) {
                Files.writeString(m.root.resolve("f" + i), "x");
            }
            Process writer = new ProcessBuilder("sh", "-c", "echo >> " + hangs).start();
            m.vfs.hanging.await();
            m.vfs.kernelCache.invalidate(2, 0, -1);
            for (int i = 0; i < files; i++) {
                m.vfs.kernelCache.invalidate(3 + i, 0, -1);
            }
            try {
                assertThat(sh("ls -l " + m.root + " | wc -l")).isEqualTo(files + 2 + "");
            } finally {
                m.vfs.freed.countDown();
            }
            assertThat(writer.waitFor()).isZero();
        }
    }

    /** Else it would wait in the kernel for that answer, and nothing would end it, not a kill. */
    @Test
    void unmount_whileAReadHangs_ofAFileThatChanged_doesNotWaitForItsAnswer() throws Exception {
        try (MountedVfs m = mounted(true)) {
            m.vfs.validNanos = 0;
            m.vfs.keepsKernelCache = false;
            Path hangs = Files.writeString(m.root.resolve(StoredVfs.HANGS), "boom");
            Process reader = new ProcessBuilder("cat", hangs.toString()).start();
            m.vfs.hanging.await();
            m.vfs.kernelCache.invalidate(2, 0, -1);
            assertThat(hangs).hasSize(4); // Answered when the news has been told, or is given up.
            reader.destroyForcibly().waitFor();
            Thread unmounts = Thread.ofPlatform().daemon(true).start(m.mount::close);
            try {
                assertThat(unmounts.join(Duration.ofSeconds(30))).isTrue();
            } finally {
                m.vfs.freed.countDown();
            }
            m.awaitEnd();
            assertThat(m.root).isEmptyDirectory();
        }
    }

    /**
     * Else whoever opens the file would see what it was before, for as long as the server hangs.
     */
    @Test
    void invalidate_whileAReadHangs_showsTheRestAtOnce_andItsPagesWhenItIsAnswered()
            throws Exception {
        try (MountedVfs m = mounted(true)) {
            m.vfs.validNanos = 3_600_000_000_000L;
            int page = 4096;
            int far = 1024 * page;
            m.vfs.readsHangFrom = far;
            Path file = Files.write(m.root.resolve(StoredVfs.HANGS), bytes(far + page, 1));
            int fd = Syscalls.open(file, Syscalls.O_RDONLY, 0);
            assertThat(Syscalls.forgetPages(fd)).isZero();
            assertThat(Syscalls.close(fd)).isZero();
            assertThat(byteAt(file, 0)).isEqualTo(1);
            String last = "tail -c 1 " + file + " | od -An -tu1";
            Process reader = new ProcessBuilder("sh", "-c", last).start();
            m.vfs.hanging.await();
            m.vfs.overwrite(StoredVfs.HANGS, bytes(far + page, 2));
            m.vfs.kernelCache.invalidate(2, 0, -1);
            while (byteAt(file, 0) != 2) {
                Thread.onSpinWait();
            }
            m.vfs.freed.countDown();
            // Its page may be gone again when it is woken: then it asks anew.
            assertThat(reader.inputReader().readLine()).isIn("   1", "   2");
            while (byteAt(file, far) != 2) {
                Thread.onSpinWait();
            }
        }
    }

    private static int byteAt(Path file, long position) throws IOException {
        try (FileChannel channel = FileChannel.open(file, READ)) {
            ByteBuffer one = ByteBuffer.allocate(1);
            assertThat(channel.read(one, position)).isEqualTo(1);
            return one.get(0);
        }
    }

    @Test
    void invalidate_justBeforeAReadThatHangsIsTaken_doesNotWaitForItsAnswer(@TempDir Path directory)
            throws Exception {
        requireFuse();
        StoredVfs vfs = new StoredVfs(true);
        FuseOptions options = FuseOptions.of("test:");
        Notifier notifier = new Notifier(1);
        LateReads handler = new LateReads(new VfsHandler(vfs, options, notifier), notifier);
        try (FuseMount mount = FuseMount.mount(handler, notifier, directory, options)) {
            vfs.keepsKernelCache = false;
            Path hangs = Files.writeString(mount.mountPoint().resolve(StoredVfs.HANGS), "boom");
            Process reader = new ProcessBuilder("cat", hangs.toString()).start();
            try {
                vfs.hanging.await();
                notifier.settle(2);
                assertThat(notifier.isSettled(2)).isTrue();
            } finally {
                vfs.freed.countDown();
                reader.destroyForcibly().waitFor();
            }
        }
    }

    /** Takes the first read only when the kernel is being told that its file has changed. */
    private record LateReads(VfsHandler handler, Notifier notifier, AtomicBoolean late)
            implements RequestHandler {
        LateReads(VfsHandler handler, Notifier notifier) {
            this(handler, notifier, new AtomicBoolean());
        }

        @Override
        public boolean tryHandle(FuseRequest request) throws FsException {
            if (request.opcode() == Opcode.READ && !late.getAndSet(true)) {
                notifier.invalidate(request.nodeId(), 0, -1);
                while (!notifier.waiting().isTelling()) {
                    Thread.onSpinWait();
                }
            }
            return handler.tryHandle(request);
        }

        @Override
        public void handle(FuseRequest request) throws FsException {
            handler.handle(request);
        }

        @Override
        public void sessionEnded() {
            handler.sessionEnded();
        }
    }

    private static byte[] bytes(int count, int value) {
        byte[] bytes = new byte[count];
        Arrays.fill(bytes, (byte) value);
        return bytes;
    }

    @Test
    void open_ofWhatGrewElsewhere_showsItsWholeLength() throws Exception {
        try (MountedVfs m = mounted(true)) {
            m.vfs.validNanos = 3_600_000_000_000L;
            m.vfs.keepsKernelCache = false;
            m.vfs.changesBeforeOpen = true;
            Path file = Files.writeString(m.root.resolve("a"), "");
            StringBuilder text = new StringBuilder();
            for (int i = 0; i < 500; i++) {
                text.append("line ").append(i).append('\n');
                m.vfs.overwrite("a", text.toString().getBytes(UTF_8));
                assertThat(Files.readString(file)).isEqualTo(text.toString());
            }
        }
    }

    @Test
    void unmount_byOthers_endsTheSession() throws Exception {
        assumeRoot();
        try (MountedVfs m = mounted(true)) {
            int fd = Syscalls.open(m.root.resolve("a"), Syscalls.O_RDWR | Syscalls.O_CREAT, 0644);
            assertThatThrownBy(() -> m.mount.unmount(false))
                    .isInstanceOfSatisfying(
                            FsException.class, e -> assertThat(e.error()).isEqualTo(FsError.EBUSY));
            assertThat(sh("umount -l " + m.root)).isEmpty();
            assertThat(m.root).isEmptyDirectory();
            assertThat(Syscalls.write(fd, "late")).isEqualTo(4);
            assertThat(Syscalls.close(fd)).isZero();
            m.awaitEnd();
            assertThat(m.vfs.openFiles).isEmpty();
        }
    }

    @Test
    void close_afterOthersUnmounted_leavesAloneWhatIsMountedThereSince() throws Exception {
        assumeRoot();
        try (MountedVfs m = mounted(true)) {
            assertThat(sh("umount " + m.root)).isEmpty();
            m.awaitEnd();
            // The first of these has the device number that has become free.
            assertThat(sh("mount -t tmpfs netfs-test " + m.root)).isEmpty();
            m.mount.close();
            assertThat(sh("stat -f -c %T " + m.root)).isEqualTo("tmpfs");
            assertThat(sh("umount " + m.root)).isEmpty();
        }
    }

    @Test
    void options_areHeeded() throws Exception {
        FuseOptions options =
                FuseOptions.of("test:").withReadOnly(true).withOwner(new Owner(7, 8, 0027));
        StoredVfs vfs = new StoredVfs(true);
        vfs.makeDirectory(1, "d", 0700);
        try (MountedVfs m = new MountedVfs(vfs, options)) {
            assertThat(sh("stat -c %u:%g:%a " + m.root + "/d")).isEqualTo("7:8:750");
            assertThat(sh("touch " + m.root + "/x")).contains("Read-only file system");
        }
    }

    @Test
    void write_byAnotherUser_takesSetUserIdAway() throws Exception {
        assumeRoot();
        FuseOptions options = FuseOptions.of("test:").withAllowOther(true);
        for (boolean hits : List.of(true, false)) {
            try (MountedVfs m = new MountedVfs(new StoredVfs(hits), options)) {
                Path file = Files.writeString(m.root.resolve("a"), "A");
                assertThat(sh("chmod 6777 " + file + "; stat -c %a " + file)).isEqualTo("6777");
                Path parent = m.root.getParent();
                assertThat(sh("setpriv --reuid 65534 --clear-groups sh -c 'echo > " + file + "'"))
                        .as("in " + parent)
                        .isEmpty();
                assertThat(sh("stat -c %a " + file)).isEqualTo("777");
                sh("chmod 6777 " + file + "; chown 1:1 " + file);
                assertThat(sh("stat -c %a " + file)).isEqualTo("777");
            }
        }
    }

    @Test
    void kernelWritebackCache_whenAsked_isOn() throws Exception {
        FuseOptions options = FuseOptions.of("test:").withKernelWritebackCache(true);
        try (MountedVfs m = new MountedVfs(new StoredVfs(true), options)) {
            Path file = m.root.resolve("a");
            sh("for i in $(seq 100); do printf 12345 >> " + file + "; done");
            assertThat(Files.size(file)).isEqualTo(500);
            assertThat(sh("sync " + file + "; wc -c < " + file)).isEqualTo("500");
        }
    }
}
