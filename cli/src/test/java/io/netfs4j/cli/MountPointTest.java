// SPDX-License-Identifier: Apache-2.0
package io.netfs4j.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;

class MountPointTest {
    @TempDir private Path directory;

    @Test
    void check_emptyDirectory_isItsRealPath() throws Exception {
        Path link = Files.createSymbolicLink(directory.resolve("link"), dir("real"));

        assertThat(MountPoint.check(link)).isEqualTo(dir("real").toRealPath());
    }

    @Test
    void check_missing_namesTheRemedy() {
        refused(() -> MountPoint.check(directory.resolve("none")), "mkdir");
    }

    @Test
    void check_file_isRefused() throws IOException {
        Path file = Files.createFile(directory.resolve("file"));

        refused(() -> MountPoint.check(file), "not a directory");
    }

    @Test
    void check_notEmpty_isRefused() throws Exception {
        Files.createFile(dir("full").resolve("file"));

        refused(() -> MountPoint.check(dir("full")), "not empty");
    }

    @Test
    void check_somethingMounted_isRefused() {
        refused(() -> MountPoint.check(Path.of("/proc")), "busy");
    }

    @Test
    void mountedType_carriageReturnInTheName_isFound() {
        String table = "1 2 0:9 / /b\rc rw,nosuid shared:5 - fuse.netfs y rw\n";

        assertThat(MountPoint.mountedType(table, Path.of("/b\rc"))).isEqualTo("fuse.netfs");
    }

    @Test
    void check_root_isRefused() {
        refused(() -> MountPoint.check(Path.of("/")), "");
    }

    @Test
    void refuseNesting_oneInsideTheOther_isRefused() throws CommandFailure {
        refused(() -> MountPoint.refuseNesting(Path.of("/a"), Path.of("/a/b")), "inside");
        refused(() -> MountPoint.refuseNesting(Path.of("/a/b"), Path.of("/a")), "inside");
        refused(() -> MountPoint.refuseNesting(Path.of("/a"), Path.of("/a")), "inside");
        MountPoint.refuseNesting(Path.of("/a"), Path.of("/ab"));
    }

    @Test
    void unescape_octal_isTheByte() {
        assertThat(MountPoint.unescape("/a\\040b\\134c")).isEqualTo("/a b\\c");
    }

    private Path dir(String name) throws IOException {
        return Files.createDirectories(directory.resolve(name));
    }

    private static void refused(ThrowingCallable check, String said) {
        assertThatThrownBy(check)
                .isInstanceOfSatisfying(
                        CommandFailure.class,
                        e -> assertThat(e.code()).isEqualTo(ExitCode.MOUNT_POINT))
                .hasMessageContaining(said);
    }
}
