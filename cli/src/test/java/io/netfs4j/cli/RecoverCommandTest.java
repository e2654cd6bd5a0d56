// SPDX-License-Identifier: Apache-2.0
package io.netfs4j.cli;

import static org.assertj.core.api.Assertions.assertThat;

import io.netfs4j.Mount;
import io.netfs4j.MountOptions;
import io.netfs4j.Netfs;
import io.netfs4j.server.Remote;
import io.netfs4j.server.ServerOptions;
import io.netfs4j.vfs.OpenFile;
import io.netfs4j.vfs.OpenFlags;
import io.netfs4j.vfs.Vfs;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;

/** What is told of what mounts have left. */
@Timeout(60)
class RecoverCommandTest {
    @TempDir private Path directory;

    private final ByteArrayOutputStream out = new ByteArrayOutputStream();
    private final ByteArrayOutputStream err = new ByteArrayOutputStream();

    private int netfs(String... arguments) {
        out.reset();
        err.reset();
        Surroundings surroundings =
                new Surroundings(
                        new FuseOpener(Map.of()),
                        Map.of("HOME", directory.toString()),
                        directory,
                        new RuntimeDirectory(List.of(directory.resolve("run"))),
                        new PrintStream(out, true, StandardCharsets.UTF_8),
                        new PrintStream(err, true, StandardCharsets.UTF_8));
        return Main.run(surroundings, arguments);
    }

    private String said() {
        return out.toString(StandardCharsets.UTF_8);
    }

    /** Five bytes of a file that nothing sends. */
    private void write(Mount mount) throws IOException {
        Vfs vfs = mount.vfs();
        OpenFile file = vfs.create(Vfs.ROOT_INO, "file", 0644, OpenFlags.READ_WRITE).file();
        vfs.write(file, 0, ByteBuffer.wrap("hello".getBytes(StandardCharsets.UTF_8)));
    }

    private Mount mount() throws IOException {
        Path state = directory.resolve(".local/state/netfs/state");
        return Netfs.open(
                Remote.parse("./remote", directory),
                MountOptions.parse(Map.of("state", state.toString(), "dirty_age", "1000")),
                ServerOptions.NONE,
                "/mnt/x");
    }

    @Test
    void recover_nothingWasEverMounted_isEmptyAndMakesNothing() {
        assertThat(netfs("recover")).isZero();
        assertThat(said()).startsWith("nothing is left");
        assertThat(netfs("recover", "--json")).isZero();
        assertThat(said()).isEqualTo("{\"remotes\":[]}\n");
        assertThat(directory.resolve(".local")).doesNotExist();
    }

    @Test
    void recover_ofAMountInUse_namesWhoHasIt() throws IOException {
        try (Mount mount = mount()) {
            write(mount);

            assertThat(netfs("recover", "--list")).isZero();
            assertThat(said())
                    .contains(
                            directory.resolve("remote") + "  (mounted on /mnt/x, pid ",
                            "1 file (5 B)",
                            "file (5 B)");
        }
    }

    @Test
    void recover_ofWhatWasLeft_listsItAndChangesNothing() throws IOException {
        try (Mount mount = mount()) {
            write(mount);
        }
        for (int i = 0; i < 2; i++) {
            assertThat(netfs("recover", "--json")).isZero();
            assertThat(said())
                    .contains(
                            "\"mountedBy\":null",
                            "\"path\":\"file\"",
                            "\"bytes\":5",
                            "\"damages\":[]");
        }
        Files.createDirectory(directory.resolve("elsewhere"));
        assertThat(netfs("recover", "-o", "state=elsewhere")).isZero();
        assertThat(said()).startsWith("nothing is left");
        try (Mount mount = mount()) {
            assertThat(mount.recovered().bytes()).isEqualTo(5);
            assertThat(mount.drain()).isEmpty();
        }
        assertThat(netfs("recover")).isZero();
        assertThat(said()).startsWith("nothing is left");
    }

    /** Where the one remote is kept. */
    private Path kept() throws IOException {
        try (Stream<Path> all = Files.list(directory.resolve(".local/state/netfs/state"))) {
            return all.toList().getFirst();
        }
    }

    @Test
    void recover_ofARemoteThatIsNotKnown_namesItsDirectory_andHowThatIsSent() throws IOException {
        try (Mount mount = mount()) {
            write(mount);
        }
        Path kept = kept();
        Files.writeString(kept.resolve("REMOTE"), "\n");
        assertThat(netfs("recover")).isZero();
        assertThat(said()).contains(kept + "  (not mounted)");
        Files.delete(kept.resolve("REMOTE"));
        assertThat(netfs("recover", "--list")).isZero();
        assertThat(said())
                .contains(
                        kept + "  (not mounted)",
                        "mount the same remote again",
                        "1 file (5 B)",
                        "  file (5 B)");
        assertThat(netfs("recover", "--json")).isZero();
        assertThat(said())
                .contains("\"remote\":null,\"directory\":\"" + kept + "\"", "\"path\":\"file\"");

        try (Mount mount = mount()) {
            assertThat(mount.recovered().bytes()).isEqualTo(5);
            assertThat(netfs("recover")).isZero();
            assertThat(said()).startsWith(directory.resolve("remote") + "  (mounted on");
            assertThat(mount.drain()).isEmpty();
        }
        Files.delete(kept.resolve("REMOTE"));
        assertThat(netfs("recover")).isZero();
        assertThat(said()).as("a journal that holds nothing").startsWith("nothing is left");
    }

    @Test
    void discard_ofARemoteThatIsNotKnown_isByItsName_orByItsDirectory() throws IOException {
        for (boolean named : List.of(true, false)) {
            try (Mount mount = mount()) {
                write(mount);
            }
            Path kept = kept();
            Files.delete(kept.resolve("REMOTE"));
            String called = named ? "./remote" : kept.toString();

            assertThat(netfs("recover", "--discard", called)).isEqualTo(ExitCode.USAGE.number());
            assertThat(complained())
                    .contains("nothing was given up: mount ")
                    .doesNotContain("null");
            assertThat(netfs("recover", "--discard", called, "--yes")).isZero();
            assertThat(said())
                    .contains("gave up file (5 B): ")
                    .contains(" of " + (named ? directory.resolve("remote") : kept) + ";");
            assertThat(netfs("recover")).isZero();
            assertThat(said()).startsWith("nothing is left");
            assertThat(recovered()).isZero();
        }
    }

    @Test
    void recover_anotherOption_isRefused() {
        assertThat(netfs("recover", "-o", "ro")).isEqualTo(2);
        assertThat(err.toString(StandardCharsets.UTF_8)).contains("state=DIR").hasLineCount(1);
    }

    @Test
    void recover_ofNoDirectory_isRefused_andSaysNothingElse() throws IOException {
        Files.createFile(directory.resolve("file"));
        for (String given : List.of("state=missing", "state=none", "state=file")) {
            assertThat(netfs("recover", "-o", given)).isEqualTo(ExitCode.USAGE.number());
            assertThat(said()).isEmpty();
            assertThat(err.toString(StandardCharsets.UTF_8)).contains("is no directory");
        }
    }

    private String complained() {
        return err.toString(StandardCharsets.UTF_8);
    }

    /** How many bytes the next mount of the remote finds; it sends nothing of them. */
    private long recovered() throws IOException {
        try (Mount mount = mount()) {
            return mount.recovered().bytes();
        }
    }

    @Test
    void discard_withoutYes_showsWhatItWould_andKeepsIt() throws IOException {
        try (Mount mount = mount()) {
            write(mount);
        }
        assertThat(netfs("recover", "--discard", "./remote")).isEqualTo(ExitCode.USAGE.number());
        assertThat(said()).contains("1 file (5 B)", "  file (5 B)");
        assertThat(complained()).contains("nothing was given up", "--yes").hasLineCount(1);
        assertThat(netfs("recover", "--json", "--discard", "./remote")).isEqualTo(2);
        assertThat(said()).startsWith("{\"discarded\":false,\"remotes\":[{").contains("\"file\"");
        assertThat(recovered()).isEqualTo(5);
    }

    @Test
    void discard_givesUpWhatIsLeft_andNamesIt() throws IOException {
        try (Mount mount = mount()) {
            write(mount);
        }
        String remote = directory.resolve("remote").toString();
        assertThat(netfs("recover", "--discard", remote, "--yes")).isZero();
        assertThat(said()).contains("gave up file (5 B): ", "gave up 1 file (5 B) of " + remote);
        assertThat(netfs("recover")).isZero();
        assertThat(said()).startsWith("nothing is left");
        try (Mount mount = mount()) {
            assertThat(mount.recovered().files()).isZero();
            assertThat(mount.drain()).isEmpty();
        }
        assertThat(netfs("recover", "--discard", remote, "--yes")).as("nothing new").isZero();
        assertThat(said()).startsWith("nothing is left of it");
        String words = said().strip();
        assertThat(netfs("recover", "--discard", remote, "--yes", "--json")).isZero();
        assertThat(said())
                .isEqualTo("{\"discarded\":false,\"remotes\":[],\"message\":\"" + words + "\"}\n");
    }

    @Test
    void discard_json_hasWhatWasGivenUp() throws IOException {
        try (Mount mount = mount()) {
            write(mount);
        }
        assertThat(netfs("recover", "--discard=./remote", "--yes", "--json")).isZero();
        assertThat(said())
                .startsWith("{\"discarded\":true,\"remotes\":[{")
                .contains("\"path\":\"file\"", "\"bytes\":5")
                .hasLineCount(1);
        assertThat(recovered()).isZero();
    }

    @Test
    void discard_whileMounted_isRefused_andNothingIsLost() throws IOException {
        try (Mount mount = mount()) {
            write(mount);
            assertThat(netfs("recover", "--discard", "./remote", "--yes"))
                    .isEqualTo(ExitCode.MOUNTED_ALREADY.number());
            assertThat(said()).isEmpty();
            assertThat(complained()).contains("is mounted on /mnt/x (pid ").hasLineCount(1);
        }
        assertThat(recovered()).isEqualTo(5);
    }

    @Test
    void discard_ofWhatIsNotKept_isRefused() throws IOException {
        try (Mount mount = mount()) {
            write(mount);
        }
        for (String other : List.of("./other", "remote/below", "sftp://host/x", "", "file")) {
            assertThat(netfs("recover", "--discard=" + other, "--yes")).isEqualTo(2);
            assertThat(complained()).contains("nothing is kept of", "netfs recover");
        }
        assertThat(netfs("recover", "--yes")).isEqualTo(ExitCode.USAGE.number());
        assertThat(netfs("recover", "--discard")).isEqualTo(ExitCode.USAGE.number());
        assertThat(recovered()).isEqualTo(5);
    }
}
