// SPDX-License-Identifier: Apache-2.0
package io.netfs4j.fuse;

import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.netfs4j.base.FsException;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;

/**
 * A {@link StoredVfs} that is mounted for one test, and always gone afterwards: a test that hangs
 * in the kernel is freed by cutting the connection.
 */
final class MountedVfs implements AutoCloseable {
    private static final long HANGS_AFTER_SECONDS = 60;

    final StoredVfs vfs;
    final FuseMount mount;
    final Path root;
    private final CountDownLatch done = new CountDownLatch(1);
    private final CountDownLatch ended = new CountDownLatch(1);

    MountedVfs(StoredVfs vfs, FuseOptions options) throws IOException {
        this.vfs = vfs;
        requireFuse();
        Path directory = Files.createTempDirectory("netfs-fuse-it");
        mount = FuseMount.mount(vfs, directory, options);
        root = mount.mountPoint();
        mount.ended().whenDone((value, failure) -> ended.countDown());
        Thread.ofPlatform().name("hang-breaker").daemon(true).start(this::breakHang);
    }

    static MountedVfs mounted(boolean hits) throws IOException {
        return new MountedVfs(new StoredVfs(hits), FuseOptions.of("test://store"));
    }

    static void requireFuse() {
        assumeTrue(Files.exists(Path.of("/dev/fuse")), "skipped: no /dev/fuse");
        boolean can = Libc.geteuid() == 0 || Fusermount.isInstalled();
        assumeTrue(can, "skipped: neither root nor fusermount3");
    }

    /** What a shell command printed, without the last line end; its exit status where not 0. */
    static String sh(String command) throws IOException {
        ProcessBuilder builder = new ProcessBuilder("sh", "-c", command).redirectErrorStream(true);
        builder.environment().put("LC_ALL", "C");
        Process process = builder.start();
        process.getOutputStream().close();
        byte[] said = process.getInputStream().readAllBytes();
        try {
            int status = process.waitFor();
            String text = new String(said, StandardCharsets.UTF_8).stripTrailing();
            return status == 0 ? text : text + " [status " + status + "]";
        } catch (InterruptedException e) {
            throw new IOException("interrupted", e);
        }
    }

    /** Starts a class of the tests in a JVM of its own; its errors appear among ours. */
    static Process java(Class<?> main, String... arguments) throws IOException {
        List<String> command = new ArrayList<>();
        command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
        command.add("--enable-native-access=ALL-UNNAMED");
        command.add("-cp");
        command.add(System.getProperty("java.class.path"));
        command.add(main.getName());
        command.addAll(List.of(arguments));
        return new ProcessBuilder(command).redirectError(ProcessBuilder.Redirect.INHERIT).start();
    }

    /** Waits until the session has ended, as its owner does. */
    void awaitEnd() throws InterruptedException {
        ended.await();
    }

    private void breakHang() {
        try {
            if (!done.await(HANGS_AFTER_SECONDS, TimeUnit.SECONDS)) {
                mount.abort();
            }
        } catch (InterruptedException | FsException e) {
            throw new IllegalStateException(e);
        }
    }

    @Override
    public void close() throws IOException {
        done.countDown();
        try {
            mount.unmount(false);
        } catch (FsException inUse) {
            // Whoever still waits for an answer is freed by the cut.
            mount.abort();
        }
        mount.close();
        try {
            ended.await();
        } catch (InterruptedException e) {
            throw new IOException("interrupted", e);
        }
        Files.delete(root);
    }
}
