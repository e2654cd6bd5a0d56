// SPDX-License-Identifier: Apache-2.0
package io.netfs4j.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.netfs4j.Mount;
import io.netfs4j.MountOptions;
import io.netfs4j.Netfs;
import io.netfs4j.StateDirectory;
import io.netfs4j.cli.ControlMessages.Outcome;
import io.netfs4j.server.Remote;
import io.netfs4j.server.ServerOptions;
import io.netfs4j.vfs.OpenFile;
import io.netfs4j.vfs.OpenFlags;
import io.netfs4j.vfs.Vfs;

import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;

/** What is told of what a killed process has left. */
@Timeout(60)
class DeadMountTest {
    /** No process has it. */
    private static final long PID = Integer.MAX_VALUE;

    @TempDir private Path here;

    private Path state = Path.of("/");
    private Path mountPoint = Path.of("/");

    @BeforeEach
    void places() throws IOException {
        state = here.resolve("state");
        mountPoint = Files.createDirectory(here.toRealPath().resolve("mnt"));
    }

    /** What a mount leaves that has written a file, and saved it or not. */
    private MountRecord die(boolean saved) throws IOException {
        Remote remote = Remote.parse("./remote", here);
        try (Mount mount =
                Netfs.open(
                        remote,
                        MountOptions.parse(Map.of("state", state.toString(), "dirty_age", "1000")),
                        ServerOptions.NONE,
                        mountPoint.toString())) {
            Vfs vfs = mount.vfs();
            OpenFile file = vfs.create(Vfs.ROOT_INO, "file", 0644, OpenFlags.READ_WRITE).file();
            vfs.write(file, 0, ByteBuffer.wrap("hello".getBytes(StandardCharsets.UTF_8)));
            if (saved) {
                assertThat(mount.drain()).isEmpty();
            }
        }
        return record(remote.absoluteText(), state.toString(), false);
    }

    private MountRecord record(String remote, @Nullable String kept, boolean readOnly) {
        return new MountRecord(PID, mountPoint.toString(), remote, kept, readOnly);
    }

    @Test
    void bytesInTheJournal_areListed_withHowTheyAreSent() throws Exception {
        Outcome outcome = DeadMount.left(mountPoint, die(false));

        assertThat(outcome.code()).isEqualTo(ExitCode.LEFT.number());
        // Its name may have reached the server by then.
        assertThat(outcome.files())
                .extracting(Unsaved::line)
                .containsAnyOf("file (5 B): new", "file (5 B): changed")
                .hasSize(1);
        assertThat(outcome.message())
                .contains("the mount on " + mountPoint + " was gone", "free again")
                .contains("1 file (5 B) not on the server: mount " + here.resolve("remote"))
                .contains("netfs recover");
    }

    @Test
    void bytesThatAnotherMountHasTakenUp_areThatOnes() throws Exception {
        MountRecord record = die(false);
        try (Mount another =
                Netfs.open(
                        Remote.parse("./remote", here),
                        MountOptions.parse(Map.of("state", state.toString(), "dirty_age", "1000")),
                        ServerOptions.NONE,
                        "/mnt/another")) {
            assertThat(another.recovered().bytes()).isEqualTo(5);
            OpenFile file =
                    another.vfs().create(Vfs.ROOT_INO, "b", 0644, OpenFlags.READ_WRITE).file();
            another.vfs().write(file, 0, ByteBuffer.allocate(7));

            Outcome outcome = DeadMount.left(mountPoint, record);

            assertThat(outcome.code()).isEqualTo(ExitCode.LEFT.number());
            assertThat(outcome.message()).contains("the mount on /mnt/another (pid ", "sends that");
        }
    }

    @Test
    void nothingInTheJournal_isSaid() throws Exception {
        Outcome outcome = DeadMount.left(mountPoint, die(true));

        assertThat(outcome.code()).isZero();
        assertThat(outcome.files()).isEmpty();
        assertThat(outcome.message()).contains("Nothing is left in its journal");
    }

    @Test
    void journalThatWasGivenUp_hasLeftNothing() throws Exception {
        MountRecord record = die(false);
        StateDirectory.lookAt(state).discard(record.remote());

        Outcome outcome = DeadMount.left(mountPoint, record);

        assertThat(outcome.code()).isZero();
        assertThat(outcome.files()).isEmpty();
        assertThat(outcome.message())
                .contains("free again", "netfs recover --discard", "nothing is left to send")
                .doesNotContain("is on the server");
    }

    @Test
    void readOnly_hasLeftNothing() throws Exception {
        assertThat(DeadMount.left(mountPoint, record("sftp://host/x", null, true)).code()).isZero();
    }

    /** Nobody is told that all is well when that cannot be known. */
    @Test
    void whatIsNotKnown_isAFailure() throws Exception {
        die(true);
        isFailure("Nobody knows", null);
        isFailure("It had no journal", record("sftp://host/x", null, false));
        isFailure("is not in " + state, record("sftp://host/x", state.toString(), false));
    }

    private void isFailure(String why, @Nullable MountRecord record) {
        assertThatThrownBy(() -> DeadMount.left(mountPoint, record))
                .isInstanceOfSatisfying(
                        CommandFailure.class, e -> assertThat(e.code()).isEqualTo(ExitCode.FAILED))
                .hasMessageContaining("free again")
                .hasMessageContaining(why);
    }

    @Test
    void record_isOfTheLastMountThere_andGoesWithIt() throws Exception {
        RuntimeDirectory runtime = new RuntimeDirectory(List.of(here.resolve("run")));
        Path directory = runtime.create();
        MountRecord first = record("sftp://host/a", null, false);
        MountRecord second =
                new MountRecord(7, mountPoint.toString(), "./b", state.toString(), false);

        first.write(directory);
        second.write(directory);
        assertThat(MountRecord.find(runtime, mountPoint)).isEqualTo(second);
        assertThat(MountRecord.find(runtime, here.resolve("other"))).isNull();
        first.remove(directory);
        assertThat(MountRecord.find(runtime, mountPoint)).isEqualTo(second);
        second.remove(directory);
        assertThat(directory).isEmptyDirectory();
    }
}
