// SPDX-License-Identifier: Apache-2.0
package io.netfs4j.cli;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/** The helper that umount(8) runs, with programs in the place of netfs and of umount. */
@Timeout(60)
class InstallHelpersCommandTest {
    @TempDir private Path here;

    private final ByteArrayOutputStream out = new ByteArrayOutputStream();
    private final ByteArrayOutputStream err = new ByteArrayOutputStream();
    private Path helper = Path.of("/");

    @BeforeEach
    void programs() throws IOException {
        helper = here.resolve("sbin/umount.fuse.netfs");
        Files.createDirectory(here.resolve("sbin"));
        Files.createDirectory(here.resolve("bin"));
        program("net'fs", "echo netfs \"$@\"; exit ${CODE-0}");
        program("bin/umount", "echo kernel \"$@\"");
    }

    private void program(String name, String does) throws IOException {
        Path program = here.resolve(name);
        Files.writeString(program, "#!/bin/sh\n" + does + "\n");
        Files.setPosixFilePermissions(program, PosixFilePermissions.fromString("rwxr-xr-x"));
    }

    private int netfs(String launcher, String... arguments) {
        out.reset();
        err.reset();
        Surroundings surroundings =
                new Surroundings(
                        new FuseOpener(Map.of()),
                        Map.of("NETFS_LAUNCHER", launcher),
                        here,
                        new RuntimeDirectory(List.of(here.resolve("run"))),
                        new PrintStream(out, true, StandardCharsets.UTF_8),
                        new PrintStream(err, true, StandardCharsets.UTF_8));
        return Main.run(surroundings, arguments);
    }

    private int install() {
        return netfs(here.resolve("net'fs").toString(), "install-helpers", "--directory", "sbin");
    }

    /** What the helper comes to, as umount(8) runs it, when netfs ends with a code. */
    private String umount(int code, String... arguments) throws IOException, InterruptedException {
        List<String> command = new ArrayList<>(List.of(helper.toString()));
        command.addAll(List.of(arguments));
        ProcessBuilder builder = new ProcessBuilder(command).redirectErrorStream(true);
        builder.environment().put("CODE", Integer.toString(code));
        builder.environment().put("PATH", here.resolve("bin") + ":/usr/bin:/bin");
        Process process = builder.start();
        String said = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        return said + process.waitFor();
    }

    @Test
    void helper_hasNetfsUnmount_andAnswersItsCode() throws Exception {
        assertThat(install()).isZero();
        assertThat(umount(0, "/mnt/a b")).isEqualTo("netfs umount /mnt/a b\n0");
        assertThat(umount(4, "/mnt/x", "-v")).isEqualTo("netfs umount /mnt/x\n4");
    }

    @Test
    void helper_leavesToTheKernel_whatNetfsDoesNotKnow() throws Exception {
        install();
        String both = "netfs umount /mnt/x\nkernel -i /mnt/x\n0";
        assertThat(umount(ExitCode.NOT_MOUNTED.number(), "/mnt/x")).isEqualTo(both);
        Files.delete(here.resolve("net'fs"));
        assertThat(umount(0, "/mnt/x")).isEqualTo("kernel -i /mnt/x\n0");
    }

    @Test
    void helper_lazyOrForced_doesNotWait() throws Exception {
        install();
        assertThat(umount(0, "/mnt/x", "-l")).isEqualTo("kernel -i /mnt/x -l\n0");
        assertThat(umount(0, "/mnt/x", "-nf")).isEqualTo("kernel -i /mnt/x -nf\n0");
        assertThat(umount(0, "/mnt/full", "-t", "fuse.netfs"))
                .isEqualTo("netfs umount /mnt/full\n0");
    }

    @Test
    void install_again_replacesIt_andRemoveTakesItAway() throws IOException {
        install();
        String first = Files.readString(helper);
        assertThat(install()).isZero();
        assertThat(helper).hasContent(first);
        assertThat(Files.list(here.resolve("sbin"))).containsExactly(helper);

        assertThat(netfs("", "install-helpers", "--remove", "--directory", "sbin")).isZero();
        assertThat(helper).doesNotExist();
    }

    @Test
    void install_overAnotherProgramsFile_isRefused() throws IOException {
        Files.writeString(helper, "#!/bin/sh\n");
        assertThat(install()).isEqualTo(ExitCode.FAILED.number());
        assertThat(err.toString(StandardCharsets.UTF_8)).contains(helper + " is not of netfs");
        assertThat(helper).hasContent("#!/bin/sh\n");
    }

    @Test
    void directory_thatIsNone_isRefused_andNothingIsMade() throws IOException {
        Map<String, String> answers =
                Map.of(
                        "no", here.resolve("no") + " does not exist; make it with mkdir",
                        "net'fs", here.resolve("net'fs") + " is not a directory; name another",
                        "", "--directory is empty; name the directory");
        String launcher = here.resolve("net'fs").toString();
        answers.forEach((named, answer) -> {
            String directory = "--directory=" + named;
            assertThat(netfs(launcher, "install-helpers", directory)).isEqualTo(2);
            assertThat(err.toString(StandardCharsets.UTF_8)).contains(answer).hasLineCount(1);
            assertThat(netfs(launcher, "install-helpers", "--remove", directory)).isEqualTo(2);
            assertThat(err.toString(StandardCharsets.UTF_8)).contains(answer).hasLineCount(1);
        });
        assertThat(Files.list(here)).hasSize(3);
    }

    @Test
    void install_byWhoCannotTellWhereItIs_isRefused() {
        assertThat(netfs("netfs", "install-helpers", "--directory", "sbin"))
                .isEqualTo(ExitCode.FAILED.number());
        assertThat(helper).doesNotExist();
    }
}
