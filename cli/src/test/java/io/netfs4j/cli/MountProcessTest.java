// SPDX-License-Identifier: Apache-2.0
package io.netfs4j.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.netfs4j.base.FsException;
import io.netfs4j.cli.ControlMessages.Outcome;
import io.netfs4j.cli.ControlMessages.Request;
import io.netfs4j.cli.ControlMessages.Verb;
import io.netfs4j.server.Remote;

import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;

/** A mount's process and the commands that talk to it, over a real socket. */
@Timeout(60)
class MountProcessTest {
    private static final Unsaved FILE = new Unsaved("dir/file", 4096, "permission denied");

    /** No process has it: the one that answers seems to end at once. */
    private static final long PID = Integer.MAX_VALUE;

    @TempDir private Path directory;

    private final FakeMount mount = new FakeMount();
    private MountProcess process;
    private ControlServer server;
    private ControlClient client;
    private CompletableFuture<Void> run;

    @BeforeEach
    void serve() throws Exception {
        RuntimeDirectory sockets = new RuntimeDirectory(List.of(directory.resolve("netfs")));
        process =
                new MountProcess(
                        mount, new MountProcess.Identity(PID, "/mnt/x", "sftp://host/x", "/log"));
        Path socket = RuntimeDirectory.socket(sockets.create(), PID);
        server = ControlServer.start(socket, process::answer);
        assertThat(PosixFilePermissions.toString(Files.getPosixFilePermissions(socket)))
                .isEqualTo("rw-------");
        client = new ControlClient(sockets);
        run = CompletableFuture.runAsync(this::runProcess, Thread::startVirtualThread);
    }

    @AfterEach
    void end() {
        mount.stuck(false);
        mount.accept();
        mount.letGo();
        server.close();
    }

    @Test
    void status_ofAMount_hasEveryCount() throws CommandFailure {
        mount.dirty(11);
        mount.refuse(FILE);

        MountStatus status = find().status();

        assertThat(status)
                .isEqualTo(
                        new MountStatus(
                                PID,
                                "/mnt/x",
                                "sftp://host/x",
                                "mounted",
                                "up",
                                null,
                                11,
                                0,
                                7,
                                3,
                                5,
                                2,
                                1,
                                0,
                                0,
                                0,
                                0,
                                List.of(FILE),
                                "/log"));
    }

    @Test
    void status_json_hasTheNamesThatToolsRead() throws CommandFailure {
        String json = ControlMessages.write(new MountStatus.Listing(List.of(find().status())));

        assertThat(json)
                .startsWith("{\"mounts\":[{\"pid\":" + PID + ",")
                .contains("\"mountPoint\":\"/mnt/x\"", "\"remote\":\"sftp://host/x\"")
                .contains("\"dirtyBytes\":0", "\"inFlightBytes\":0", "\"uploadedBytes\":7")
                .contains("\"uploadRequests\":3", "\"downloadedBytes\":5")
                .contains("\"retries\":2", "\"errors\":1")
                .endsWith("}]}");
    }

    @Test
    void status_connectionLost_isShown() throws CommandFailure {
        String before = find().status().text();
        mount.loseConnection();

        MountStatus status = find().status();

        assertThat(before).contains("\n  connection         up\n");
        assertThat(status.text()).contains("\n  connection         lost, connecting again\n");
        assertThat(ControlMessages.write(status)).contains("\"connection\":\"lost\"");
    }

    @Test
    void status_journalFailed_saysWhyAndWhatThatMeans() throws CommandFailure {
        MountStatus before = find().status();
        mount.failJournal("no space left");

        MountStatus status = find().status();

        assertThat(before.text()).doesNotContain("journal");
        assertThat(ControlMessages.write(before)).contains("\"journalFailure\":null");
        assertThat(status.text())
                .contains(
                        "\n  journal            failed: no space left;"
                                + " each write waits for the server");
        assertThat(ControlMessages.write(status)).contains("\"journalFailure\":\"no space left\"");
    }

    @Test
    void status_ofAnEarlierBuild_leavesTheConnectionOut() throws Exception {
        String json = ControlMessages.write(find().status());

        MountStatus earlier =
                ControlMessages.read(
                        json.replace(",\"connection\":\"up\",\"journalFailure\":null", ""),
                        MountStatus.class);

        assertThat(earlier.text()).doesNotContain("connection").contains("/mnt/x");
    }

    @Test
    void find_otherDirectory_isNotMounted() {
        assertThatThrownBy(() -> client.on(Path.of("/mnt/y"), line -> {}))
                .isInstanceOfSatisfying(
                        CommandFailure.class,
                        e -> assertThat(e.code()).isEqualTo(ExitCode.NOT_MOUNTED));
    }

    @Test
    void unmount_allIsAccepted_drainsThenEnds() throws Exception {
        mount.dirty(11);

        Outcome outcome = unmount(false);

        assertThat(outcome.code()).isZero();
        run.join();
        assertThat(mount.isMounted()).isFalse();
        assertThat(mount.isClosed()).isTrue();
        assertThat(mount.counters().dirtyBytes()).isZero();
    }

    @Test
    void unmount_refusedUpload_namesItAndStaysMounted() throws Exception {
        mount.refuse(FILE);

        Outcome outcome = unmount(false);

        assertThat(outcome.code()).isEqualTo(ExitCode.REFUSED.number());
        assertThat(outcome.files()).containsExactly(FILE);
        assertThat(outcome.message()).contains("1 file", "--discard");
        assertThat(mount.isMounted()).isTrue();
        assertThat(mount.refused()).containsExactly(FILE);
    }

    @Test
    void unmount_discard_namesWhatItGivesUp() throws Exception {
        mount.refuse(FILE);

        Outcome outcome = unmount(true);

        assertThat(outcome.code()).isZero();
        assertThat(outcome.files()).containsExactly(FILE);
        assertThat(mount.isMounted()).isFalse();
    }

    @Test
    void unmount_inUse_staysMounted() throws Exception {
        mount.busy(true);

        Outcome outcome = unmount(false);

        assertThat(outcome.code()).isEqualTo(ExitCode.MOUNT_POINT.number());
        assertThat(outcome.message()).contains("/mnt/x", "in use");
        assertThat(mount.isMounted()).isTrue();
    }

    @Test
    void unmount_discardInUse_givesNothingUp() throws Exception {
        mount.busy(true);
        mount.refuse(FILE);

        Outcome outcome = unmount(true);

        assertThat(outcome.code()).isEqualTo(ExitCode.MOUNT_POINT.number());
        assertThat(mount.refused()).containsExactly(FILE);
    }

    @Test
    void unmount_timeOver_staysMounted() throws Exception {
        mount.dirty(11);
        mount.stuck(true);

        Outcome outcome =
                client.unmount(find(), new Request(Verb.UNMOUNT, false, 0, false), counters -> {});

        assertThat(outcome.code()).isEqualTo(ExitCode.UNFINISHED.number());
        assertThat(mount.isMounted()).isTrue();
    }

    @Test
    void unmount_whileItDrains_showsProgress() throws Exception {
        mount.dirty(11);
        mount.stuck(true);
        CountDownLatch seen = new CountDownLatch(1);

        CompletableFuture<Outcome> outcome =
                CompletableFuture.supplyAsync(
                        () -> watch(counters -> seen.countDown()), Thread::startVirtualThread);
        seen.await();
        mount.stuck(false);

        assertThat(outcome.join().code()).isZero();
    }

    @Test
    void plainUmount_thenUnmount_waitsForTheDrain() throws Exception {
        mount.dirty(11);
        mount.stuck(true);
        mount.letGo();
        CountDownLatch seen = new CountDownLatch(1);

        CompletableFuture<Outcome> outcome =
                CompletableFuture.supplyAsync(
                        () -> watch(counters -> seen.countDown()), Thread::startVirtualThread);
        seen.await();
        assertThat(run).isNotDone();
        mount.stuck(false);

        assertThat(outcome.join().code()).isZero();
    }

    @Test
    void plainUmount_refusedUpload_isKeptUntilAccepted() throws Exception {
        mount.refuse(FILE);
        mount.letGo();

        assertThat(
                        client.unmount(
                                        find(),
                                        new Request(Verb.UNMOUNT, false, -1, null),
                                        counters -> {})
                                .code())
                .isEqualTo(ExitCode.REFUSED.number());
        assertThat(run).isNotDone();
        mount.accept();

        assertThat(unmount(false).code()).isZero();
        run.join();
    }

    @Test
    void terminate_inUse_drainsThenEnds() throws Exception {
        mount.busy(true);
        mount.dirty(11);

        process.terminate();

        run.join();
        assertThat(mount.counters().dirtyBytes()).isZero();
    }

    @Test
    void letGo_withBytesLeft_isFoundByWhoMountsTheSameFiles() throws Exception {
        mount.dirty(11);
        mount.refuse(FILE);
        assertThat(draining("sftp://host/x")).as("still mounted").isNull();

        mount.letGo();
        while (find().status().isMounted()) {
            Thread.onSpinWait(); // The process hears of it on a thread of its own.
        }

        assertThat(draining("sftp://host/x")).isNotNull();
        assertThat(draining("sftp://me@HOST/x/")).as("the same directory").isNotNull();
        assertThat(draining("sftp://host/x/below")).isNotNull();
        assertThat(draining("sftp://host/")).as("above it").isNotNull();
        assertThat(draining("sftp://host")).as("perhaps above it").isNotNull();
        assertThat(draining("sftp://host/xy")).isNull();
        assertThat(draining("sftp://other/x")).isNull();
        assertThat(draining("sftp://host:2222/x")).as("perhaps its port").isNotNull();
        assertThat(draining("sftp://host/~/x")).as("perhaps the same place").isNotNull();
        assertThat(draining("/x")).isNull();
    }

    private ControlClient.@Nullable Found draining(String remote) throws FsException {
        return client.draining(Remote.parse(remote, directory), line -> {});
    }

    private Outcome leave(long timeoutMillis) throws Exception {
        return client.unmount(
                find(), new Request(Verb.UNMOUNT, false, timeoutMillis, true), counters -> {});
    }

    @Test
    void unmount_withoutDraining_leavesAndListsWhatIsDirty() throws Exception {
        mount.keepState();
        mount.dirty(11);
        mount.stuck(true);

        Outcome outcome = leave(-1);

        assertThat(outcome.code()).isEqualTo(ExitCode.LEFT.number());
        assertThat(outcome.message()).contains("1 file (11 B)", "sftp://host/x", "next mount");
        assertThat(outcome.files()).extracting(Unsaved::path).containsExactly("dir/dirty");
        run.get();
        assertThat(mount.isClosed()).isTrue();
    }

    @Test
    void unmount_withoutDraining_nothingIsDirty_isDone() throws Exception {
        mount.keepState();

        assertThat(leave(-1).code()).isZero();
    }

    @Test
    void unmount_withoutDrainingForLong_drainsForSoLong() throws Exception {
        mount.keepState();
        mount.dirty(11);

        assertThat(leave(60_000).code()).isZero();
    }

    @Test
    void unmount_withoutDraining_noJournal_isRefused() throws Exception {
        mount.dirty(11);

        Outcome outcome = leave(-1);

        assertThat(outcome.code()).isEqualTo(ExitCode.USAGE.number());
        assertThat(outcome.message()).contains("no journal", "--discard");
        assertThat(mount.isMounted()).isTrue();
    }

    @Test
    void unmount_withoutDraining_inUse_staysMountedAndDrainsLater() throws Exception {
        mount.keepState();
        mount.dirty(11);
        mount.busy(true);
        assertThat(leave(-1).code()).isEqualTo(ExitCode.MOUNT_POINT.number());

        mount.busy(false);
        assertThat(unmount(false).code()).isZero();
    }

    @Test
    void unmount_withoutDraining_whileItDrainsAlready_endsThat() throws Exception {
        mount.keepState();
        mount.dirty(11);
        mount.stuck(true);
        mount.letGo();

        assertThat(leave(-1).code()).isEqualTo(ExitCode.LEFT.number());
    }

    private Outcome unmount(boolean discard) throws Exception {
        return client.unmount(
                find(), new Request(Verb.UNMOUNT, discard, -1, false), counters -> {});
    }

    private Outcome watch(java.util.function.Consumer<MountCounts> progress) {
        try {
            return client.unmount(find(), new Request(Verb.UNMOUNT, false, -1, false), progress);
        } catch (Exception e) {
            throw new IllegalStateException(e);
        }
    }

    private ControlClient.Found find() throws CommandFailure {
        return client.on(Path.of("/mnt/x"), line -> {});
    }

    private void runProcess() {
        try {
            process.run();
        } catch (InterruptedException e) {
            throw new IllegalStateException(e);
        }
    }
}
