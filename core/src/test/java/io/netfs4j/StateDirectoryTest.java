// SPDX-License-Identifier: Apache-2.0
package io.netfs4j;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.netfs4j.base.FsError;
import io.netfs4j.base.FsException;
import io.netfs4j.server.Remote;
import io.netfs4j.server.ServerOptions;
import io.netfs4j.vfs.OpenFile;
import io.netfs4j.vfs.OpenFlags;
import io.netfs4j.vfs.Vfs;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;

/** Who may have a state directory, what lies in it, and one mount of a remote at a time. */
@Timeout(60)
class StateDirectoryTest {
    private static final String REMOTE = "sftp://user@host:2222/srv/data";

    @TempDir private Path here;

    private static String mode(Path path) throws IOException {
        return PosixFilePermissions.toString(Files.getPosixFilePermissions(path));
    }

    private static void setMode(Path path, String mode) throws IOException {
        Files.setPosixFilePermissions(path, PosixFilePermissions.fromString(mode));
    }

    private StateDirectory open() throws FsException {
        return StateDirectory.open(here.resolve("a/b/state"));
    }

    @Test
    void discard_takesTheJournalAway_butNotFromAMount() throws IOException {
        StateDirectory state = open();
        assertThatThrownBy(() -> state.discard(REMOTE))
                .isInstanceOfSatisfying(
                        FsException.class, e -> assertThat(e.error()).isEqualTo(FsError.ENOENT));
        assertThat(state.root()).isEmptyDirectory();
        Path segment;
        try (StateLock held = state.lock(REMOTE, "/mnt/x")) {
            state.part(held, StateDirectory.JOURNAL);
            segment = held.directory().resolve("journal/seg-0000000000000001.j");
            Files.write(segment, new byte[100]);
            assertThatThrownBy(() -> state.discard(REMOTE))
                    .isInstanceOfSatisfying(
                            FsException.class, e -> assertThat(e.error()).isEqualTo(FsError.EBUSY))
                    .hasMessageContaining("/mnt/x (pid ");
            assertThat(segment).exists();
        }
        // What an earlier one that was cut off has left goes with it.
        Path kept = state.entries().getFirst().directory();
        Files.createDirectory(kept.resolve("journal.discarded"));
        Files.write(kept.resolve("journal.discarded/spare-1.j"), new byte[100]);

        state.discard(REMOTE);

        assertThat(kept.resolve("journal")).doesNotExist();
        assertThat(kept.resolve("journal.discarded")).doesNotExist();
        assertThat(state.entry(REMOTE).hasJournal()).isFalse();
        assertThat(state.discard(REMOTE).isEmpty()).as("once more").isTrue();
        state.lock(REMOTE, "/mnt/y").close();
    }

    @Test
    void open_missing_isMadeForItsOwnerAlone() throws IOException {
        StateDirectory state = open();

        assertThat(mode(state.root())).isEqualTo("rwx------");
        assertThat(mode(here.resolve("a"))).isEqualTo("rwx------");
        assertThat(state.entries()).isEmpty();
        assertThat(open().root()).isEqualTo(state.root());
    }

    @ParameterizedTest
    @ValueSource(strings = {"rwxr-----", "rwx---r--", "rwx-----x", "rwx-w----"})
    void open_readableByOthers_isRefusedWithTheRemedy(String mode) throws IOException {
        Path root = open().root();
        setMode(root, mode);

        assertThatThrownBy(this::open)
                .hasMessageContaining(root.toString())
                .hasMessageContaining("chmod 700 " + root)
                .extracting(e -> ((FsException) e).error())
                .isEqualTo(FsError.EINVAL);
    }

    @Test
    void open_belowADirectoryThatAnyoneMayWrite_isRefused() throws IOException {
        open();
        setMode(here.resolve("a"), "rwxrwxrwx");

        assertThatThrownBy(this::open).hasMessageContaining("chmod o-w " + here.resolve("a"));
        assertThatThrownBy(() -> StateDirectory.open(here.resolve("a/b/c/d")))
                .hasMessageContaining("chmod o-w");
    }

    @Test
    void open_behindALink_looksAtBothWays() throws IOException {
        open();
        Files.createSymbolicLink(here.resolve("link"), here.resolve("a"));
        assertThat(StateDirectory.open(here.resolve("link/b/state")).entries()).isEmpty();

        setMode(here.resolve("a"), "rwxrwxrwx");
        assertThatThrownBy(() -> StateDirectory.open(here.resolve("link/b/state")))
                .hasMessageContaining("chmod o-w");
    }

    @Test
    void open_aLink_isRefused() throws IOException {
        Files.createSymbolicLink(here.resolve("link"), open().root());

        assertThatThrownBy(() -> StateDirectory.open(here.resolve("link")))
                .hasMessageContaining("is a symbolic link");
    }

    @Test
    void open_aFile_isRefused() throws IOException {
        Files.createFile(here.resolve("file"));

        assertThatThrownBy(() -> StateDirectory.open(here.resolve("file")))
                .hasMessageContaining("is not a directory");
        assertThatThrownBy(() -> StateDirectory.open(here.resolve("file/below")))
                .hasMessageContaining(here.resolve("file/below").toString());
    }

    @Test
    void lock_keepsItsRemote_inADirectoryOfItsOwn() throws IOException {
        StateDirectory state = open();
        try (StateLock lock = state.lock(REMOTE, "/mnt/x");
                StateLock other = state.lock("/srv/data", "/mnt/y")) {
            assertThat(lock.directory()).isNotEqualTo(other.directory());
            state.part(lock, StateDirectory.JOURNAL);
            state.part(other, StateDirectory.JOURNAL);
            try (Stream<Path> all = Files.walk(state.root())) {
                for (Path path : all.toList()) {
                    assertThat(mode(path))
                            .isEqualTo(Files.isDirectory(path) ? "rwx------" : "rw-------");
                }
            }
            assertThat(state.entries())
                    .extracting(StateDirectory.Entry::remote)
                    .containsExactly("/srv/data", REMOTE);
        }
    }

    @Test
    void entries_ofAnUnknownRemote_areThoseWithAJournal() throws IOException {
        StateDirectory state = open();
        Path directory;
        try (StateLock lock = state.lock(REMOTE, "/mnt/x")) {
            directory = lock.directory();
            Files.delete(directory.resolve(StateDirectory.REMOTE));
            assertThat(state.entries()).isEmpty();

            state.part(lock, StateDirectory.JOURNAL);
            StateDirectory.Entry found = state.entries().getFirst();
            assertThat(found.remote()).isNull();
            assertThat(found.words()).isEqualTo(directory.toString());
            assertThat(found.holder()).isNotNull();
        }
        state.lock(REMOTE, "/mnt/y").close();
        assertThat(state.entries().getFirst().remote()).isEqualTo(REMOTE);
    }

    @Test
    void name_isReadableAndDiffers() {
        assertThat(StateDirectory.name(REMOTE)).matches("user-host-2222-srv-data-[0-9a-f]{16}");
        assertThat(StateDirectory.name("/srv/a b")).startsWith("srv-a-b-");
        assertThat(StateDirectory.name("/srv/a-b")).isNotEqualTo(StateDirectory.name("/srv/a b"));
        assertThat(StateDirectory.name("/")).matches("[0-9a-f]{16}");
        assertThat(StateDirectory.name("/" + "x/".repeat(1000))).hasSizeLessThan(80);
        assertThat(StateDirectory.name("/..")).doesNotStartWith(".");
    }

    @Test
    void lock_twice_isRefusedNamingTheHolder() throws IOException {
        StateDirectory state = open();
        StateLock first = state.lock(REMOTE, "/mnt/x");

        assertThatThrownBy(() -> state.lock(REMOTE, "/mnt/y"))
                .hasMessageContaining(REMOTE)
                .hasMessageContaining("/mnt/x (pid " + ProcessHandle.current().pid() + ")")
                .extracting(e -> ((FsException) e).error())
                .isEqualTo(FsError.EBUSY);
        assertThat(state.entries().get(0).holder()).isNotNull();

        first.close();
        first.close();
        assertThat(state.entries().get(0).holder()).isNull();
        state.lock(REMOTE, "/mnt/y").close();
    }

    @Test
    void lock_ofAnotherProcess_endsWithIt() throws IOException, InterruptedException {
        StateDirectory state = open();
        Process other =
                new ProcessBuilder(
                                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                                "-cp",
                                System.getProperty("java.class.path"),
                                Holder.class.getName(),
                                state.root().toString())
                        .redirectError(ProcessBuilder.Redirect.INHERIT)
                        .start();
        try (BufferedReader said =
                new BufferedReader(
                        new InputStreamReader(other.getInputStream(), StandardCharsets.UTF_8))) {
            assertThat(said.readLine()).isEqualTo("locked");
            String holder = "/mnt/other (pid " + other.pid() + ")";
            assertThatThrownBy(() -> state.lock(REMOTE, "/mnt/x")).hasMessageContaining(holder);
            // Neither refusal nor look has taken it from the other.
            assertThat(state.entries().get(0).holder().words()).isEqualTo(holder);
            assertThatThrownBy(() -> state.lock(REMOTE, "/mnt/x")).hasMessageContaining(holder);
        } finally {
            other.destroyForcibly();
        }
        assertThat(other.waitFor(30, TimeUnit.SECONDS)).isTrue();

        assertThat(state.entries().get(0).holder()).isNull();
        state.lock(REMOTE, "/mnt/x").close();
    }

    /** Another process that has the lock until it is killed. */
    static final class Holder {
        private Holder() {}

        public static void main(String[] args) throws IOException {
            StateLock lock = StateDirectory.open(Path.of(args[0])).lock(REMOTE, "/mnt/other");
            System.out.println("locked");
            while (System.in.read() >= 0) {
                continue;
            }
            lock.close();
        }
    }

    @Test
    void mount_ofTheSameRemoteTwice_isRefused() throws IOException {
        Remote remote = Remote.parse("./remote", here);
        MountOptions options = MountOptions.defaults().withState(here.resolve("state"));
        try (Mount first = Netfs.open(remote, options, ServerOptions.NONE, "/mnt/x")) {
            assertThat(first.keepsState()).isTrue();
            assertThatThrownBy(() -> Netfs.open(remote, options, ServerOptions.NONE))
                    .hasMessageContaining("/mnt/x");
        }
        try (Mount again = Netfs.open(remote, options, ServerOptions.NONE)) {
            assertThat(again.recovered().files()).isZero();
        }
    }

    @Test
    void mount_closedWithoutSaving_leavesItToTheNext() throws IOException {
        Remote remote = Remote.parse("./remote", here);
        MountOptions options =
                MountOptions.parse(
                        Map.of("state", here.resolve("state").toString(), "dirty_age", "1000"));
        try (Mount mount = Netfs.open(remote, options, ServerOptions.NONE)) {
            Vfs vfs = mount.vfs();
            OpenFile file = vfs.create(Vfs.ROOT_INO, "file", 0644, OpenFlags.READ_WRITE).file();
            vfs.write(file, 0, ByteBuffer.wrap("hello".getBytes(StandardCharsets.UTF_8)));
        }
        try (Mount mount = Netfs.open(remote, options, ServerOptions.NONE)) {
            assertThat(mount.recovered().files()).isEqualTo(1);
            assertThat(mount.recovered().bytes()).isEqualTo(5);
            assertThat(mount.drain()).isEmpty();
        }
        assertThat(here.resolve("remote/file")).hasContent("hello");
    }

    @Test
    void mount_withoutState_refusesToPromise() {
        assertThatThrownBy(() ->
                        Netfs.open(
                                Remote.parse("./remote", here),
                                MountOptions.parse(Map.of("fsync", "journal", "state", "none")),
                                ServerOptions.NONE))
                .hasMessageContaining("fsync=journal")
                .hasMessageContaining("state");
    }
}
