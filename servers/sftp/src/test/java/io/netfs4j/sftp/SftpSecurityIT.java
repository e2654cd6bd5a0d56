// SPDX-License-Identifier: Apache-2.0
package io.netfs4j.sftp;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.netfs4j.base.FsError;
import io.netfs4j.base.FsException;
import io.netfs4j.base.SystemRuntime;
import io.netfs4j.server.Remote;
import io.netfs4j.server.RemotePath;
import io.netfs4j.server.Server;
import io.netfs4j.server.ServerOptions;
import io.netfs4j.sftp.ssh.SshTargets;
import io.netfs4j.sftp.testing.OpenSshServer;
import io.netfs4j.testing.net.LinkProxy;

import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

import java.net.ServerSocket;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;

/** Who is let in and who is believed, between us and a real OpenSSH. */
@Timeout(value = 2, unit = TimeUnit.MINUTES)
class SftpSecurityIT {
    @TempDir private Path directory;
    private final SystemRuntime runtime = new SystemRuntime();
    private final Map<String, List<String>> options = new HashMap<>();
    private OpenSshServer sshd;
    private Path home;
    private String agentSocket;

    @BeforeEach
    void start() throws Exception {
        sshd = OpenSshServer.start(directory.resolve("sshd"));
        home = Files.createDirectories(directory.resolve("home"));
        Files.createDirectories(home.resolve(".ssh"));
        option("ssh_config", "none");
        option("IdentityFile", sshd.identity().toString());
        option("UserKnownHostsFile", sshd.knownHosts().toString());
        option("GlobalKnownHostsFile", "none");
    }

    @AfterEach
    void stop() throws Exception {
        sshd.close();
        runtime.close();
    }

    private void option(String name, String value) {
        options.put(name, List.of(value));
    }

    private Server connect(String uri) throws FsException {
        return new SftpProvider()
                .connect(
                        Remote.parse(uri, directory),
                        new ServerOptions(options),
                        runtime.environment(),
                        new SshTargets.Place(OpenSshServer.user(), home, agentSocket));
    }

    private void assertConnects(String uri) throws FsException {
        try (Server server = connect(uri)) {
            assertThat(server.stat(RemotePath.ROOT).mode()).isPositive();
        }
    }

    private String refusal(FsError error, String uri) {
        FsException[] refusal = new FsException[1];
        assertThatThrownBy(() -> connect(uri))
                .isInstanceOfSatisfying(FsException.class, e -> refusal[0] = e);
        assertThat(refusal[0].error()).as("%s", refusal[0]).isEqualTo(error);
        assertThat(refusal[0].getMessage()).doesNotContain("\n");
        return refusal[0].getMessage();
    }

    private static void run(String... command) throws Exception {
        Process program = new ProcessBuilder(command).redirectErrorStream(true).start();
        program.getOutputStream().close();
        String said = new String(program.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        assertThat(program.waitFor()).as(said).isZero();
    }

    @Test
    void hostKey_unknown_isRefusedWithRemedyThatWorks() throws Exception {
        Path known = home.resolve(".ssh/known_hosts");
        option("UserKnownHostsFile", known.toString());
        String message = refusal(FsError.EKEYREJECTED, sshd.uri());
        assertThat(message).contains("SHA256:", "unknown", "ssh-keyscan -p " + sshd.port());
        String remedy = message.replaceAll(".*(ssh-keyscan .*) \\(or .*", "$1");
        run("sh", "-c", remedy);
        assertConnects(sshd.uri());
    }

    @Test
    void hostKey_changed_isRefusedWithRemedyThatWorks() throws Exception {
        sshd.kill();
        sshd.changeHostKey();
        sshd.start();
        String message = refusal(FsError.EKEYREJECTED, sshd.uri());
        assertThat(message).contains("SHA256:", "known_hosts:1", "ssh-keygen -f", " -R ");
        option("StrictHostKeyChecking", "accept-new");
        refusal(FsError.EKEYREJECTED, sshd.uri());
        String remedy = message.replaceAll(".*(ssh-keygen .*)", "$1");
        run("sh", "-c", remedy);
        option("StrictHostKeyChecking", "yes");
        assertConnects(sshd.uri());
    }

    @Test
    void hostKey_acceptNew_isWrittenAndHeld() throws Exception {
        Path known = home.resolve(".ssh/known_hosts");
        option("UserKnownHostsFile", known.toString());
        option("StrictHostKeyChecking", "accept-new");
        option("HashKnownHosts", "yes");
        assertConnects(sshd.uri());
        assertThat(Files.readString(known)).startsWith("|1|");
        option("StrictHostKeyChecking", "yes");
        assertConnects(sshd.uri());
        run("ssh-keygen", "-F", "[127.0.0.1]:" + sshd.port(), "-f", known.toString());
    }

    @Test
    void hostKey_notChecked_onlyWhenAsked() throws Exception {
        option("UserKnownHostsFile", "none");
        refusal(FsError.EKEYREJECTED, sshd.uri());
        option("StrictHostKeyChecking", "no");
        assertConnects(sshd.uri());
    }

    @Test
    void hostKey_otherKindOnFile_isTheOneAskedFor() throws Exception {
        Path second = sshd.makeKey("host_ecdsa", "ecdsa");
        sshd.close();
        sshd = OpenSshServer.start(directory.resolve("two"), "HostKey " + second);
        String[] words = Files.readString(Path.of(second + ".pub")).split(" ");
        Path known = home.resolve("known");
        Files.writeString(
                known,
                "[127.0.0.1]:" + sshd.port() + " " + words[0] + " " + words[1].strip() + "\n");
        option("UserKnownHostsFile", known.toString());
        option("IdentityFile", sshd.identity().toString());
        assertConnects(sshd.uri());
    }

    @Test
    void identity_everyKind_isLetIn() throws Exception {
        for (String[] kind :
                new String[][] {
                    {"rsa", "-b", "2048"}, {"ecdsa"}, {"rsa", "-b", "2048", "-m", "PEM"}
                }) {
            String[] more = java.util.Arrays.copyOfRange(kind, 1, kind.length);
            Path key = sshd.makeKey("id_" + String.join("", kind), kind[0], more);
            sshd.authorize(key);
            option("IdentityFile", key.toString());
            assertConnects(sshd.uri());
        }
    }

    @Test
    void identity_notLetIn_namesWhatWasTried() throws Exception {
        Path stranger = sshd.makeKey("stranger", "ed25519");
        option("IdentityFile", stranger.toString());
        assertThat(refusal(FsError.EACCES, sshd.uri())).contains(stranger.toString(), "refused");
        options.remove("IdentityFile");
        assertThat(refusal(FsError.EACCES, sshd.uri())).contains("IdentityFile=");
        option("IdentityFile", directory.resolve("missing").toString());
        assertThat(refusal(FsError.EINVAL, sshd.uri())).contains("no such file");
    }

    @Test
    void identity_missingAndOfTheConfig_isLeftOut() throws Exception {
        Path missing = home.resolve("missing");
        Files.writeString(home.resolve(".ssh/config"), "IdentityFile " + missing + "\n");
        option("ssh_config", home.resolve(".ssh/config").toString());
        assertConnects(sshd.uri());
        options.remove("IdentityFile");
        assertThat(refusal(FsError.EACCES, sshd.uri())).contains(missing + " of ssh_config");
    }

    @Test
    void identity_readableByOthers_isNotUsed() throws Exception {
        run("chmod", "644", sshd.identity().toString());
        assertThat(refusal(FsError.EACCES, sshd.uri())).contains("chmod 600");
    }

    @Test
    void identity_underPassphrase_isUsedThroughTheAgent() throws Exception {
        Path locked = sshd.makeKey("locked", "ed25519");
        sshd.authorize(locked);
        option("IdentityFile", locked.toString());
        option("IdentitiesOnly", "yes");
        agentSocket = directory.resolve("agent").toString();
        Process agent =
                new ProcessBuilder("ssh-agent", "-D", "-a", agentSocket)
                        .redirectOutput(ProcessBuilder.Redirect.DISCARD)
                        .redirectError(ProcessBuilder.Redirect.DISCARD)
                        .start();
        try {
            for (int i = 0; i < 200 && !Files.exists(Path.of(agentSocket)); i++) {
                TimeUnit.MILLISECONDS.sleep(20);
            }
            run("env", "SSH_AUTH_SOCK=" + agentSocket, "ssh-add", locked.toString());
            run("ssh-keygen", "-q", "-p", "-N", "secret", "-f", locked.toString());
            assertConnects(sshd.uri());
            option("IdentityAgent", "none");
            assertThat(refusal(FsError.EACCES, sshd.uri())).contains("passphrase", "ssh-add");
            options.remove("IdentityAgent");
            option("IdentityFile", sshd.makeKey("stranger", "ed25519").toString());
            refusal(FsError.EACCES, sshd.uri());
        } finally {
            agent.destroy();
            agent.waitFor();
        }
    }

    @Test
    void agent_rsaKey_signsWithSha2() throws Exception {
        Path rsa = sshd.makeKey("agent_rsa", "rsa", "-b", "2048");
        sshd.authorize(rsa);
        options.remove("IdentityFile");
        agentSocket = directory.resolve("agent").toString();
        Process agent =
                new ProcessBuilder("ssh-agent", "-D", "-a", agentSocket)
                        .redirectOutput(ProcessBuilder.Redirect.DISCARD)
                        .redirectError(ProcessBuilder.Redirect.DISCARD)
                        .start();
        try {
            for (int i = 0; i < 200 && !Files.exists(Path.of(agentSocket)); i++) {
                TimeUnit.MILLISECONDS.sleep(20);
            }
            run("env", "SSH_AUTH_SOCK=" + agentSocket, "ssh-add", rsa.toString());
            assertConnects(sshd.uri());
        } finally {
            agent.destroy();
            agent.waitFor();
        }
    }

    @Test
    void agent_gone_isLikeNone() throws Exception {
        agentSocket = directory.resolve("no-agent").toString();
        assertConnects(sshd.uri());
    }

    @Test
    void config_ofTheUser_isEnough() throws Exception {
        options.clear();
        Files.writeString(
                home.resolve(".ssh/config"),
                """
                Host work
                  HostName 127.0.0.1
                  Port %d
                  User %s
                  IdentityFile %s
                  UserKnownHostsFile %s
                """
                        .formatted(
                                sshd.port(),
                                OpenSshServer.user(),
                                sshd.identity(),
                                sshd.knownHosts()));
        assertConnects("sftp://work" + sshd.data());
    }

    @Test
    void proxyJump_goesThroughBoth() throws Exception {
        OpenSshServer gate = OpenSshServer.start(directory.resolve("gate"));
        try {
            gate.authorize(sshd.identity());
            Path known = home.resolve("known");
            Files.writeString(
                    known,
                    Files.readString(sshd.knownHosts()) + Files.readString(gate.knownHosts()));
            option("UserKnownHostsFile", known.toString());
            option("ProxyJump", OpenSshServer.user() + "@127.0.0.1:" + gate.port());
            try (Server server = connect(sshd.uri())) {
                assertThat(server.stat(RemotePath.ROOT).mode()).isPositive();
                gate.killSessions();
                assertThat(server.stat(RemotePath.ROOT).mode()).isPositive();
            }
            gate.kill();
            gate.changeHostKey();
            gate.start();
            refusal(FsError.EKEYREJECTED, sshd.uri());
        } finally {
            gate.close();
        }
    }

    @Test
    void host_notThere_saysHow() throws Exception {
        assertThat(refusal(FsError.EHOSTUNREACH, "sftp://no-such-host.invalid/x"))
                .contains("no-such-host.invalid");
        int port;
        try (ServerSocket free = new ServerSocket(0)) {
            port = free.getLocalPort();
        }
        assertThat(refusal(FsError.ECONNREFUSED, "sftp://127.0.0.1:" + port + "/"))
                .contains("refuses");
        option("ConnectTimeout", "1");
        try (ServerSocket silent = new ServerSocket(0)) {
            assertThat(
                            refusal(
                                    FsError.ETIMEDOUT,
                                    "sftp://127.0.0.1:" + silent.getLocalPort() + "/"))
                    .contains("ConnectTimeout");
        }
    }

    @Test
    void root_missingOrFile_isNamed() throws Exception {
        Files.writeString(sshd.data().resolve("file"), "x");
        assertThat(refusal(FsError.ENOENT, sshd.uri() + "/missing")).contains("missing");
        assertThat(refusal(FsError.ENOTDIR, sshd.uri() + "/file")).contains("not a directory");
    }

    @Test
    void root_belowLogin_isFound() throws Exception {
        sshd.close();
        Path start = directory.resolve("login");
        Files.createDirectories(start.resolve("sub dir"));
        Files.writeString(start.resolve("sub dir/f"), "hello");
        sshd =
                OpenSshServer.start(
                        directory.resolve("third"), "Subsystem sftp internal-sftp -d " + start);
        option("IdentityFile", sshd.identity().toString());
        option("UserKnownHostsFile", sshd.knownHosts().toString());
        String host = "sftp://127.0.0.1:" + sshd.port();
        for (String uri : List.of(host + "/~/sub%20dir", host + start + "/sub%20dir/")) {
            try (Server server = connect(uri)) {
                assertThat(server.stat(new RemotePath(List.of("f"))).sizeBytes()).isEqualTo(5);
            }
        }
        for (String uri : List.of(host, host + "/~", host + "/~/")) {
            try (Server server = connect(uri)) {
                assertThat(server.stat(new RemotePath(List.of("sub dir", "f"))).sizeBytes())
                        .isEqualTo(5);
            }
        }
    }

    @Test
    void server_withoutSftp_isNamed() throws Exception {
        sshd.close();
        sshd = OpenSshServer.start(directory.resolve("third"), "Subsystem sftp /bin/false");
        option("IdentityFile", sshd.identity().toString());
        option("UserKnownHostsFile", sshd.knownHosts().toString());
        assertThatThrownBy(() -> connect(sshd.uri())).hasMessageContaining("SFTP");
    }

    @Test
    void link_throughOtherPort_needsItsOwnName() throws Exception {
        try (LinkProxy link = LinkProxy.start(sshd.port())) {
            refusal(FsError.EKEYREJECTED, sshd.uri(link.port()));
            option("HostKeyAlias", "127.0.0.1");
            Files.writeString(
                    sshd.knownHosts(),
                    Files.readString(sshd.knownHosts())
                            .replace(":" + sshd.port(), ":" + link.port()));
            assertConnects(sshd.uri(link.port()));
        }
    }
}
