// SPDX-License-Identifier: Apache-2.0
package io.netfs4j.cli;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;

/** What the command answers: exit codes, and what stands on which stream. */
class MainTest {
    @TempDir private Path directory;

    private final ByteArrayOutputStream out = new ByteArrayOutputStream();
    private final ByteArrayOutputStream err = new ByteArrayOutputStream();
    private Map<String, String> environment = Map.of();

    @BeforeEach
    void ownRuntimeDirectory() throws IOException {
        Path runtime = Files.createDirectory(directory.resolve("run"));
        environment = Map.of("XDG_RUNTIME_DIR", runtime.toString(), "HOME", directory.toString());
        Files.createDirectory(directory.resolve("mnt"));
    }

    @Test
    void version_saysOneLine() {
        assertThat(netfs("version")).isZero();
        assertThat(said()).matches("netfs \\d\\S*\n");
        assertThat(complained()).isEmpty();
    }

    @Test
    void noVerb_isRefused() {
        assertThat(netfs()).isEqualTo(2);
        assertThat(complained()).isEqualTo("netfs: a verb is missing; see netfs help\n");
    }

    @Test
    void unknownVerb_isRefused() {
        assertThat(netfs("mont", "a", "b")).isEqualTo(2);
        assertThat(complained()).isEqualTo("netfs: no verb \"mont\"; see netfs help\n");
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "mount",
                "mount ./remote",
                "mount ./remote mnt more",
                "mount --unknown ./remote mnt",
                "mount ./remote mnt --unknown",
                "mount ./remote mnt -o",
                "mount ./remote mnt -o nosuchoption=1",
                "mount ./remote mnt -o ro=perhaps",
                "mount ./remote mnt -o uid=root",
                "mount ./remote mnt --log-level loud",
                "mount nosuch://host/x mnt",
                "mount sftp:///x mnt",
                "mount sftp://-oProxyCommand=x/ mnt",
                "mount sftp://-user@host/ mnt",
                "mount sftp://user:secret@host/ mnt",
                "mount sftp://host:99999/ mnt",
                "mount sftp://host/%zz mnt",
                "umount",
                "umount mnt more",
                "umount --timeout soon mnt",
                "umount --discard --no-drain mnt",
                "mount ./remote mnt -o journal=1k",
                "status a b",
                "status --yaml"
            })
    void whatCannotBeUnderstood_isRefusedInOneLine(String arguments) {
        assertThat(netfs(arguments.split(" "))).isEqualTo(2);
        assertThat(said()).isEmpty();
        assertThat(complained()).startsWith("netfs: ").hasLineCount(1);
    }

    @ParameterizedTest
    @ValueSource(strings = {"-1", "x", "1.5", "", "31536001", "99999999999999999999"})
    void umount_timeoutThatIsNone_tellsWhatItMayBe(String timeout) {
        assertThat(netfs("umount", "--timeout", timeout, "mnt")).isEqualTo(2);
        assertThat(complained())
                .startsWith("netfs: --timeout " + timeout + ": whole seconds, from 0 to ")
                .hasLineCount(1);
    }

    @Test
    void option_withoutItsValue_isNamed() {
        assertThat(netfs("umount", "mnt", "--timeout")).isEqualTo(2);
        assertThat(complained())
                .isEqualTo("netfs: --timeout needs a value, SECONDS; see netfs help umount\n");
        err.reset();
        assertThat(netfs("install-helpers", "--directory")).isEqualTo(2);
        assertThat(complained())
                .isEqualTo(
                        "netfs: --directory needs a value, DIR; see netfs help install-helpers\n");
    }

    @Test
    void mount_optionThatTheServerHasNot_namesBothAndWhereTheyAreListed() {
        assertThat(netfs("mount", "./remote", "mnt", "-o", "ro,bogus=1")).isEqualTo(2);
        assertThat(complained())
                .contains("no option \"bogus\" for a directory of this machine (file);")
                .contains("netfs help mount lists")
                .hasLineCount(1);
        err.reset();
        assertThat(netfs("mount", "sftp://host/", "mnt", "-o", "bogus")).isEqualTo(2);
        assertThat(complained()).contains("no option \"bogus\" for an SFTP server (sftp);");
    }

    @Test
    void mount_passwordInTheRemote_isNotRepeated() {
        netfs("mount", "sftp://user:hunter2@host/", "mnt");

        assertThat(complained()).doesNotContain("hunter2");
    }

    @Test
    void mount_optionsBeforeOrAfter_areTheSame() {
        assertThat(netfs("mount", "-o", "nosuch=1", "./remote", "mnt")).isEqualTo(2);
        String before = complained();
        err.reset();
        assertThat(netfs("mount", "./remote", "mnt", "-o", "ro", "-onosuch=1")).isEqualTo(2);

        assertThat(complained()).isEqualTo(before).contains("nosuch");
    }

    @Test
    void mount_missingDirectory_isRefused() {
        assertThat(netfs("mount", "./remote", "none")).isEqualTo(3);
        assertThat(complained()).contains("none", "mkdir").hasLineCount(1);
    }

    @Test
    void mount_remoteBelowTheDirectory_isRefused() {
        assertThat(netfs("mount", "./mnt/remote", "mnt")).isEqualTo(3);
        assertThat(complained()).contains("inside");
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "state=mnt/kept below the mount point",
                "state=mnt below the mount point",
                "cache=mnt/kept below the mount point",
                "state=link/kept below the mount point",
                "state=remote/kept in the remote directory",
                "state=remote in the remote directory",
                "state=link/../remote/kept in the remote directory",
                "cache=remote/kept in the remote directory",
            })
    void mount_whatItKeepsBelowItselfOrTheRemote_isRefused_andNothingIsMade(String wanted)
            throws IOException {
        Files.createSymbolicLink(directory.resolve("link"), directory.resolve("mnt"));
        String option = wanted.substring(0, wanted.indexOf(' '));
        assertThat(netfs("mount", "./remote", "mnt", "-o", option)).isEqualTo(2);
        assertThat(complained())
                .contains(wanted.substring(option.length() + 1))
                .contains("-o " + option.substring(0, option.indexOf('=')) + "=DIR")
                .hasLineCount(1);
        assertThat(directory.resolve("mnt")).isEmptyDirectory();
        assertThat(directory.resolve("remote")).doesNotExist();
    }

    @Test
    void mount_overTheUsualStateDirectory_isRefused_andNothingIsMade() {
        environment = Map.of("HOME", directory.resolve("mnt").toString());
        assertThat(netfs("mount", "./remote", "mnt")).isEqualTo(2);
        assertThat(complained()).contains("below the mount point", "-o state=DIR").hasLineCount(1);
        assertThat(directory.resolve("mnt")).isEmptyDirectory();
    }

    @ParameterizedTest
    @ValueSource(strings = {"mount", "mount -f"})
    void mount_logInAMissingDirectory_isRefused(String verb) {
        // Nobody listens there: a mount that is not refused ends, too.
        String arguments = verb + " --log none/log sftp://127.0.0.1:1/ mnt";
        assertThat(netfs(arguments.split(" "))).isEqualTo(2);
        assertThat(complained())
                .contains(directory.resolve("none") + " does not exist", "mkdir")
                .hasLineCount(1);
        assertThat(directory.resolve("none")).doesNotExist();
    }

    @Test
    void mount_logBelowAFile_isRefused() throws IOException {
        Files.createFile(directory.resolve("file"));
        assertThat(netfs("mount", "--log=file/log", "./remote", "mnt")).isEqualTo(2);
        assertThat(complained()).contains("is not a directory").hasLineCount(1);
    }

    @Test
    void mount_argumentWithAt_isAName() {
        assertThat(netfs("mount", "./remote", "@mnt")).isEqualTo(3);
        assertThat(complained()).contains("@mnt");
    }

    @Test
    void status_nothingMounted_isEmpty() {
        assertThat(netfs("status", "--json")).isZero();
        assertThat(said()).isEqualTo("{\"mounts\":[]}\n");
        assertThat(complained()).isEmpty();
    }

    @Test
    void status_directoryNotMounted_isAnError() {
        assertThat(netfs("status", "mnt", "--json")).isEqualTo(10);
        assertThat(said()).isEqualTo("{\"mounts\":[]}\n");
        assertThat(complained()).contains("nothing of netfs is mounted");
    }

    @Test
    void umount_directoryNotMounted_isAnError() {
        assertThat(netfs("umount", "mnt")).isEqualTo(10);
        assertThat(complained()).contains("nothing of netfs is mounted");
    }

    @Test
    void help_ofEveryVerb_isEnoughToWorkFrom() {
        for (String verb : List.of("mount", "umount", "status", "version")) {
            out.reset();
            assertThat(netfs("help", verb)).isZero();
            assertThat(said()).contains("netfs " + verb, "Exit codes:");
            out.reset();
            assertThat(netfs(verb, "--help")).isZero();
            assertThat(said()).contains("netfs " + verb);
        }
    }

    @Test
    void exitCodes_areDocumented() throws IOException {
        Path checkout = Path.of("").toAbsolutePath();
        while (!Files.exists(checkout.resolve("docs/exit-codes.md"))) {
            checkout = checkout.getParent();
        }
        String document = Files.readString(checkout.resolve("docs/exit-codes.md"));

        for (ExitCode code : ExitCode.values()) {
            assertThat(document).contains("| " + code.number() + " | " + code.meaning() + " |");
        }
    }

    @ParameterizedTest
    @ValueSource(
            strings = {"version", "status", "status --json", "help", "help mount", "mount --help"})
    void result_thatCannotBeWritten_isAFailure(String arguments) {
        assertThat(netfsOn(new FullDevice(), arguments.split(" "))).isEqualTo(1);
        assertThat(complained()).startsWith("netfs: cannot write to stdout").hasLineCount(1);
    }

    @Test
    void failure_stdoutCannotBeWritten_keepsItsCode() {
        assertThat(netfsOn(new FullDevice(), "status", "mnt", "--json")).isEqualTo(10);
        assertThat(complained()).contains("nothing of netfs is mounted").hasLineCount(1);
    }

    /** Takes nothing, as /dev/full. */
    private static final class FullDevice extends OutputStream {
        @Override
        public void write(int b) throws IOException {
            throw new IOException("No space left on device");
        }
    }

    private int netfs(String... arguments) {
        return netfsOn(out, arguments);
    }

    private int netfsOn(OutputStream stdout, String... arguments) {
        Surroundings surroundings =
                new Surroundings(
                        new FuseOpener(environment),
                        environment,
                        directory,
                        new RuntimeDirectory(List.of(directory.resolve("run/netfs"))),
                        new PrintStream(stdout, true, StandardCharsets.UTF_8),
                        new PrintStream(err, true, StandardCharsets.UTF_8));
        return Main.run(surroundings, arguments);
    }

    private String said() {
        return out.toString(StandardCharsets.UTF_8);
    }

    /** Without what is said of dead mounts that this machine happens to have. */
    private String complained() {
        return err.toString(StandardCharsets.UTF_8)
                .lines()
                .filter(line -> !line.startsWith("netfs: the process of the mount on "))
                .map(line -> line + "\n")
                .collect(Collectors.joining());
    }

    @Test
    void name_thatIsNoUtf8_isRefused() {
        assertThat(netfs("mount", "./remote\uFFFD", "mnt")).isEqualTo(2);
        assertThat(complained()).contains("is not UTF-8").hasLineCount(1);
    }
}
