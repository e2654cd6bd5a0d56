// SPDX-License-Identifier: Apache-2.0
package io.netfs4j.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.List;

class RuntimeDirectoryTest {
    @TempDir private Path directory;

    @Test
    void create_firstUse_letsNobodyElseIn() throws Exception {
        Path made = new RuntimeDirectory(List.of(directory.resolve("netfs"))).create();

        assertThat(PosixFilePermissions.toString(Files.getPosixFilePermissions(made)))
                .isEqualTo("rwx------");
    }

    @Test
    void create_parentIsMissing_takesTheNext() throws Exception {
        RuntimeDirectory directories =
                new RuntimeDirectory(
                        List.of(directory.resolve("none/netfs"), directory.resolve("netfs")));

        assertThat(directories.create()).isEqualTo(directory.resolve("netfs"));
    }

    @Test
    void create_directoryOpenToOthers_isRefused() throws Exception {
        Path open = Files.createDirectory(directory.resolve("netfs"));
        Files.setPosixFilePermissions(open, PosixFilePermissions.fromString("rwxrwxrwx"));

        assertThatThrownBy(() -> new RuntimeDirectory(List.of(open)).create())
                .isInstanceOf(CommandFailure.class)
                .hasMessageContaining("lets others in");
    }

    @Test
    void create_symbolicLink_isRefused() throws Exception {
        Path real = Files.createDirectory(directory.resolve("real"));
        Files.setPosixFilePermissions(real, PosixFilePermissions.fromString("rwx------"));
        Path link = Files.createSymbolicLink(directory.resolve("netfs"), real);

        assertThatThrownBy(() -> new RuntimeDirectory(List.of(link)).create())
                .isInstanceOf(CommandFailure.class);
    }

    /** Its name is found and leads nowhere, as when the process ends just then. */
    @Test
    void sockets_ofAProcessThatEndsMeanwhile_areNoMatter() throws Exception {
        RuntimeDirectory directories = new RuntimeDirectory(List.of(directory.resolve("netfs")));
        Path made = directories.create();
        Path ending = RuntimeDirectory.socket(made, ProcessHandle.current().pid());
        Files.createSymbolicLink(ending, made.resolve("gone"));
        List<String> warnings = new ArrayList<>();

        assertThat(new ControlClient(directories).all(warnings::add)).isEmpty();
        assertThat(warnings).isEmpty();
    }

    @Test
    void sockets_processThatIsGone_isForgotten() throws Exception {
        RuntimeDirectory directories = new RuntimeDirectory(List.of(directory.resolve("netfs")));
        Path stale = RuntimeDirectory.socket(directories.create(), Integer.MAX_VALUE);
        ControlServer.start(stale, (request, reply) -> {}).close();
        Files.createFile(stale);

        assertThat(new ControlClient(directories).all(line -> {})).isEmpty();
        assertThat(stale).doesNotExist();
    }
}
