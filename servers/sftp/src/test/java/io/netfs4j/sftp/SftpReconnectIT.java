// SPDX-License-Identifier: Apache-2.0
package io.netfs4j.sftp;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.netfs4j.base.Completion;
import io.netfs4j.base.FsError;
import io.netfs4j.base.FsException;
import io.netfs4j.base.SystemRuntime;
import io.netfs4j.server.Access;
import io.netfs4j.server.AttributeChange;
import io.netfs4j.server.Remote;
import io.netfs4j.server.RemotePath;
import io.netfs4j.server.RenameMode;
import io.netfs4j.server.Server;
import io.netfs4j.server.ServerFile;
import io.netfs4j.server.ServerOptions;
import io.netfs4j.server.WriteSession;
import io.netfs4j.sftp.testing.OpenSshServer;
import io.netfs4j.testing.Transfers;
import io.netfs4j.testing.net.LinkProxy;

import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;

/** Connections that break in the middle of things, between us and a real OpenSSH. */
@Timeout(value = 3, unit = TimeUnit.MINUTES)
class SftpReconnectIT {
    @TempDir private Path directory;
    private final SystemRuntime runtime = new SystemRuntime();
    private final Transfers transfers = new Transfers(runtime.environment().waits());
    private OpenSshServer sshd;
    private LinkProxy link;
    private Server server;

    @BeforeEach
    void start() throws Exception {
        start(new String[0]);
    }

    private void start(String... config) throws Exception {
        stopServers();
        Path home = Files.createTempDirectory(directory, "sshd");
        sshd = OpenSshServer.start(home, config);
        link = LinkProxy.start(sshd.port());
    }

    private Server connect(String... more) throws Exception {
        Map<String, List<String>> options = new HashMap<>();
        options.put("IdentityFile", List.of(sshd.identity().toString()));
        options.put("UserKnownHostsFile", List.of(sshd.knownHosts(link.port()).toString()));
        options.put("IdentityAgent", List.of("none"));
        options.put("ssh_config", List.of("none"));
        for (String option : more) {
            String[] parts = option.split("=");
            options.put(parts[0], List.of(parts.length > 1 ? parts[1] : ""));
        }
        server =
                new SftpProvider()
                        .connect(
                                Remote.parse(sshd.uri(link.port()), directory),
                                new ServerOptions(options),
                                runtime.environment());
        return server;
    }

    private void stopServers() throws Exception {
        if (server != null) {
            server.close();
            server = null;
        }
        if (link != null) {
            link.close();
        }
        if (sshd != null) {
            sshd.close();
        }
    }

    @AfterEach
    void stop() throws Exception {
        stopServers();
        runtime.close();
    }

    private static RemotePath path(String... names) {
        return new RemotePath(List.of(names));
    }

    private static byte[] pattern(int seed, int count) {
        byte[] bytes = new byte[count];
        new Random(seed).nextBytes(bytes);
        return bytes;
    }

    private Path served(String name) {
        return sshd.data().resolve(name);
    }

    @Test
    void write_linkResetAgainAndAgain_losesNothing() throws Exception {
        connect();
        byte[] bytes = pattern(1, 8 << 20);
        ServerFile file = server.create(() -> path("f"), 0644).file();
        WriteSession session = file.begin(null);
        for (int i = 0; i < 8; i++) {
            link.resetAfterBytesUp(700_001 + 1000L * i);
            transfers.put(
                    session, (long) i << 20, Arrays.copyOfRange(bytes, i << 20, (i + 1) << 20));
        }
        transfers.commit(session);
        transfers.sync(file);
        assertThat(link.connectionsReset()).isGreaterThanOrEqualTo(7);
        assertThat(Files.readAllBytes(served("f"))).isEqualTo(bytes);
        for (int i = 0; i < 4; i++) {
            link.resetAfterBytesDown(900_001);
            assertThat(transfers.get(file, (long) i << 21, 1 << 21))
                    .isEqualTo(Arrays.copyOfRange(bytes, i << 21, (i + 1) << 21));
        }
        file.close();
    }

    /** Cut before the request, before the reply, inside either: each must come out as one. */
    @Test
    void names_linkCutAtEveryPlace_happenOnce() throws Exception {
        connect();
        server.makeDirectory(path("d"), 0755);
        ServerFile source = server.create(() -> path("source"), 0644).file();
        transfers.write(source, 0, pattern(1, 100));
        source.close();
        for (int cut = 0; cut < 8; cut++) {
            int bytes = cut * 23;
            String name = "n" + cut;
            cut(cut, bytes);
            server.create(() -> path(name), 0644).file().close();
            cut(cut + 1, bytes);
            server.rename(path(name), path(name + "r"), RenameMode.REPLACE);
            cut(cut, bytes);
            server.makeDirectory(path("d", name), 0755);
            cut(cut + 1, bytes);
            server.makeSymlink(path("l" + cut), "target" + cut);
            cut(cut, bytes);
            server.link(path("source"), path("h" + cut));
            cut(cut + 1, bytes);
            server.remove(path(name + "r"));
            cut(cut, bytes);
            server.removeDirectory(path("d", name));
            cut(cut + 1, bytes);
            server.rename(path("l" + cut), path("m" + cut), RenameMode.NOREPLACE);
        }
        link.resetAfterBytesUp(-1);
        link.resetAfterBytesDown(-1);
        List<String> found = new ArrayList<>();
        server.list(RemotePath.ROOT, (name, type, attributes) -> found.add(name));
        assertThat(found).hasSize(2 + 2 * 8);
        assertThat(served("d")).isEmptyDirectory();
        assertThat(link.connectionsReset()).isGreaterThan(30);
    }

    private void cut(int which, int bytes) {
        if (which % 2 == 0) {
            link.resetAfterBytesUp(bytes);
        } else {
            link.resetAfterBytesDown(bytes);
        }
    }

    @Test
    void errors_linkCut_areStillTheServers() throws Exception {
        connect();
        server.create(() -> path("full"), 0644).file().setAttributes(AttributeChange.size(5));
        for (int bytes = 0; bytes < 200; bytes += 40) {
            link.resetAfterBytesDown(bytes);
            assertFails(FsError.ENOENT, () -> server.stat(path("missing")));
            link.resetAfterBytesDown(bytes);
            assertFails(FsError.EEXIST, () -> server.create(() -> path("full"), 0644));
        }
    }

    private static void assertFails(FsError error, Action action) {
        assertThatThrownBy(action::run)
                .isInstanceOfSatisfying(
                        FsException.class, e -> assertThat(e.error()).as("%s", e).isEqualTo(error));
    }

    private interface Action {
        void run() throws Exception;
    }

    @Test
    void list_linkCut_givesEachEntryOnce() throws Exception {
        connect();
        for (int i = 0; i < 700; i++) {
            Files.createFile(served("entry" + i));
        }
        link.resetAfterBytesDown(30_000);
        List<String> found = new ArrayList<>();
        server.list(RemotePath.ROOT, (name, type, attributes) -> found.add(name));
        assertThat(link.connectionsReset()).isEqualTo(1);
        assertThat(found).hasSize(700).doesNotHaveDuplicates();
    }

    @Test
    void server_killedAndStartedAgain_filesStayOpen() throws Exception {
        connect();
        ServerFile file = server.create(() -> path("f"), 0644).file();
        transfers.write(file, 0, pattern(1, 100_000));
        sshd.kill();
        runtime.environment()
                .scheduler()
                .fork(
                        "restart",
                        () -> {
                            try {
                                sshd.start();
                            } catch (java.io.IOException e) {
                                throw new java.io.UncheckedIOException(e);
                            }
                        });
        transfers.write(file, 100_000, pattern(2, 100_000));
        assertThat(file.attributes().sizeBytes()).isEqualTo(200_000);
        file.close();
        byte[] both = Files.readAllBytes(served("f"));
        assertThat(Arrays.copyOf(both, 100_000)).isEqualTo(pattern(1, 100_000));
        assertThat(Arrays.copyOfRange(both, 100_000, 200_000)).isEqualTo(pattern(2, 100_000));
    }

    @Test
    void write_fileRenamedWhileAway_followsIt() throws Exception {
        connect();
        RemotePath[] now = {path("a")};
        ServerFile file = server.create(() -> now[0], 0644).file();
        transfers.write(file, 0, pattern(1, 10));
        link.refuse(true);
        link.reset();
        Files.move(served("a"), served("b"));
        Files.writeString(served("a"), "somebody else's");
        now[0] = path("b");
        link.refuse(false);
        transfers.write(file, 10, pattern(2, 10));
        assertThat(Files.size(served("b"))).isEqualTo(20);
        assertThat(served("a")).hasContent("somebody else's");
        Files.delete(served("b"));
        link.reset();
        assertFails(FsError.ESTALE, () -> transfers.write(file, 20, pattern(3, 10)));
        file.close();
    }

    @Test
    void setAttributes_sizeOfFileOpenForReading_isSet() throws Exception {
        connect();
        Files.writeString(served("f"), "hello");
        ServerFile file = server.open(() -> path("f"), Access.READ).file();
        assertThat(file.setAttributes(AttributeChange.size(2)).sizeBytes()).isEqualTo(2);
        assertThat(served("f")).hasContent("he");
        assertFails(
                FsError.EFBIG, () -> file.setAttributes(AttributeChange.size(Long.MAX_VALUE / 2)));
        file.close();
    }

    /** Needs the right to mount; elsewhere the unit test of the free blocks must do. */
    @Test
    void write_serverFull_saysNoSpace() throws Exception {
        Assumptions.assumeTrue(OpenSshServer.user().equals("root"), "only root can mount");
        Path small = Files.createDirectories(served("small"));
        Assumptions.assumeTrue(
                run("mount", "-t", "tmpfs", "-o", "size=256k", "none", small.toString()) == 0,
                "cannot mount here");
        try {
            connect();
            ServerFile file = server.create(() -> path("small", "f"), 0644).file();
            assertFails(FsError.ENOSPC, () -> transfers.write(file, 0, pattern(1, 1 << 20)));
            assertFails(
                    FsError.EXDEV,
                    () -> server.rename(path("small", "f"), path("f"), RenameMode.REPLACE));
            file.close();
        } finally {
            // Lazily: the server's process may hold its handles for a moment longer.
            run("umount", "-l", small.toString());
        }
    }

    private static int run(String... command) throws Exception {
        return new ProcessBuilder(command)
                .redirectErrorStream(true)
                .redirectOutput(ProcessBuilder.Redirect.DISCARD)
                .start()
                .waitFor();
    }

    @Test
    void open_manyFiles_keepsFewHandles() throws Exception {
        SftpServer sftp = (SftpServer) connect("sftp_handles_max=4");
        List<ServerFile> files = new ArrayList<>();
        for (int i = 0; i < 20; i++) {
            String name = "f" + i;
            files.add(server.create(() -> path(name), 0644).file());
        }
        for (int round = 0; round < 2; round++) {
            for (int i = 0; i < files.size(); i++) {
                transfers.write(files.get(i), 1000L * round, pattern(i + round, 1000));
                assertThat(sftp.wiring().handles().size()).isLessThanOrEqualTo(4);
            }
        }
        for (int i = 0; i < files.size(); i++) {
            files.get(i).close();
            byte[] both = Files.readAllBytes(served("f" + i));
            assertThat(Arrays.copyOf(both, 1000)).isEqualTo(pattern(i, 1000));
            assertThat(Arrays.copyOfRange(both, 1000, 2000)).isEqualTo(pattern(i + 1, 1000));
        }
        assertThat(sftp.wiring().handles().size()).isZero();
        assertThat(sftp.wiring().writes().bytesInFlight()).isZero();
    }

    @Test
    void name_linkStalledAndSoft_timesOutAndRecovers() throws Exception {
        connect("soft", "timeout=1");
        link.stall(true);
        assertFails(FsError.ETIMEDOUT, () -> server.stat(RemotePath.ROOT));
        link.stall(false);
        assertThat(server.stat(RemotePath.ROOT).mode()).isPositive();
        assertThat(link.connectionsAccepted()).isEqualTo(1);
    }

    @Test
    void connection_lostAndMadeAgain_isTold() throws Exception {
        SftpServer sftp = (SftpServer) connect();
        assertThat(sftp.isConnected()).isTrue();
        link.refuse(true);
        link.reset();
        while (sftp.isConnected()) {
            Thread.onSpinWait();
        }
        link.refuse(false);
        sftp.wiring().link().await();
        assertThat(sftp.isConnected()).isTrue();
    }

    /** Another client may have gone on meanwhile: whoever writes is to look first. */
    @Test
    void write_overAnotherConnectionThanBefore_isSentBackOnce() throws Exception {
        SftpServer sftp = (SftpServer) connect();
        ServerFile file = server.create(() -> path("f"), 0644).file();
        WriteSession session = file.begin(null);
        transfers.put(session, 0, pattern(1, 1000));
        assertThat(transfers.sentBack()).isZero();
        link.reset();
        while (sftp.isConnected()) {
            Thread.onSpinWait();
        }
        sftp.wiring().link().await();
        transfers.put(session, 1000, pattern(2, 1000));
        assertThat(transfers.sentBack()).isEqualTo(1);
        transfers.put(session, 2000, pattern(3, 1000));
        assertThat(transfers.sentBack()).isEqualTo(1);
        // A piece that was lost itself tells of it.
        link.resetAfterBytesUp(2000);
        transfers.put(session, 3000, pattern(4, 20_000));
        assertThat(transfers.sentBack()).isEqualTo(2);
        transfers.commit(session);
        assertThat(Files.size(served("f"))).isEqualTo(23_000);
        file.close();
    }

    /** Whoever began it had looked over an earlier connection, if at all. */
    @Test
    void write_begunWithoutAConnection_isSentBackOnce() throws Exception {
        SftpServer sftp = (SftpServer) connect();
        ServerFile file = server.create(() -> path("f"), 0644).file();
        link.stall(true);
        link.reset();
        while (sftp.isConnected()) {
            Thread.onSpinWait();
        }
        WriteSession session = file.begin(null);
        link.stall(false);
        sftp.wiring().link().await();
        transfers.put(session, 0, pattern(1, 1000));
        assertThat(transfers.sentBack()).isEqualTo(1);
        transfers.commit(session);
        file.close();
    }

    @Test
    void impatient_questionWhoseConnectionGoes_isNotAskedAgain() throws Exception {
        connect();
        server.create(() -> path("f"), 0644).file().close();
        Server impatient = ((SftpServer) server).impatient();
        assertThat(impatient.stat(path("f")).sizeBytes()).isZero();
        link.stall(true);
        Completion<FsError> ended = new Completion<>();
        Thread asking =
                new Thread(() -> {
                    try {
                        impatient.stat(path("f"));
                        ended.fail(new FsException(FsError.EIO, "answered"));
                    } catch (FsException e) {
                        ended.complete(e.error());
                    }
                });
        asking.start();
        while (asking.getState() == Thread.State.NEW
                || asking.getState() == Thread.State.RUNNABLE) {
            Thread.onSpinWait();
        }
        link.reset();
        assertThat(runtime.environment().waits().await(ended)).isEqualTo(FsError.ENOTCONN);
        assertFails(FsError.ENOTCONN, () -> impatient.open(() -> path("f"), Access.READ));
        link.stall(false);
        assertThat(server.stat(path("f")).sizeBytes()).isZero();
    }

    /** All pieces were answered; then another client may have gone on. */
    @Test
    void commit_overAnotherConnectionThanBefore_isSentBackOnce() throws Exception {
        SftpServer sftp = (SftpServer) connect();
        ServerFile file = server.create(() -> path("f"), 0644).file();
        WriteSession session = file.begin(null);
        transfers.put(session, 0, pattern(1, 1000));
        link.reset();
        while (sftp.isConnected()) {
            Thread.onSpinWait();
        }
        sftp.wiring().link().await();
        assertFails(FsError.ENOTCONN, () -> transfers.commit(session));
        transfers.commit(file.begin(null));
        file.close();
    }

    @Test
    void connection_serverSilent_isGivenUpByKeepalive() throws Exception {
        connect("ServerAliveInterval=1", "ServerAliveCountMax=1", "soft", "timeout=60");
        link.stall(true);
        AtomicLong beforeReset = new AtomicLong();
        runtime.environment()
                .scheduler()
                .schedule(
                        () -> {
                            beforeReset.set(link.connectionsAccepted());
                            link.reset();
                            link.stall(false);
                        },
                        6_000_000_000L);
        assertThat(server.stat(RemotePath.ROOT).mode()).isPositive();
        assertThat(beforeReset.get()).isGreaterThanOrEqualTo(2);
    }

    @Test
    void transfer_whileKeysAreRenewed_isWhole() throws Exception {
        start("RekeyLimit 1M");
        connect();
        byte[] bytes = pattern(1, 24 << 20);
        ServerFile file = server.create(() -> path("f"), 0644).file();
        transfers.write(file, 0, bytes);
        assertThat(transfers.get(file, 0, bytes.length)).isEqualTo(bytes);
        file.close();
        assertThat(link.connectionsAccepted()).isEqualTo(1);
        assertThat(Files.readAllBytes(served("f"))).isEqualTo(bytes);
    }

    @Test
    void interrupt_ofWaitingCaller_leavesConnectionUsable() throws Exception {
        connect();
        link.stall(true);
        Thread.currentThread().interrupt();
        assertFails(FsError.EINTR, () -> server.open(() -> path("f"), Access.READ));
        assertThat(Thread.interrupted()).isFalse();
        link.stall(false);
        assertFails(FsError.ENOENT, () -> server.open(() -> path("f"), Access.READ));
        assertThat(link.connectionsAccepted()).isEqualTo(1);
    }

    @Test
    void close_whileServerIsAway_endsWaiters() throws Exception {
        connect();
        ServerFile file = server.create(() -> path("f"), 0644).file();
        link.refuse(true);
        link.reset();
        runtime.environment().scheduler().schedule(server::close, 300_000_000L);
        assertFails(FsError.ENOTCONN, () -> server.stat(RemotePath.ROOT));
        assertFails(FsError.ENOTCONN, () -> transfers.write(file, 0, pattern(1, 10)));
        server = null;
    }
}
