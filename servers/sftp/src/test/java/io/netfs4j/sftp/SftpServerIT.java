// SPDX-License-Identifier: Apache-2.0
package io.netfs4j.sftp;

import static org.assertj.core.api.Assertions.assertThat;

import io.netfs4j.base.Environment;
import io.netfs4j.server.AttributeChange;
import io.netfs4j.server.Remote;
import io.netfs4j.server.Server;
import io.netfs4j.server.ServerOptions;
import io.netfs4j.sftp.testing.OpenSshServer;
import io.netfs4j.testing.contract.ServerDataContract;

import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;

/** The contract of every back end, over OpenSSH. */
class SftpServerIT extends ServerDataContract {
    @TempDir private static Path directory;
    private static OpenSshServer sshd;

    @BeforeAll
    static void startSshd() throws Exception {
        sshd = OpenSshServer.start(directory);
    }

    @AfterAll
    static void stopSshd() throws Exception {
        sshd.close();
    }

    static ServerOptions options(OpenSshServer sshd) {
        return new ServerOptions(
                Map.of(
                        "IdentityFile", List.of(sshd.identity().toString()),
                        "UserKnownHostsFile", List.of(sshd.knownHosts().toString()),
                        "IdentityAgent", List.of("none"),
                        "ssh_config", List.of("none")));
    }

    @Override
    protected Server connect(Environment environment) throws Exception {
        Path root = Files.createTempDirectory(sshd.data(), "test");
        String remote = sshd.uri() + "/" + root.getFileName();
        return new SftpProvider()
                .connect(Remote.parse(remote, directory), options(sshd), environment);
    }

    @Test
    void makeDirectory_whereNewOnesTakeOverTheGroup_keepsThat() throws Exception {
        server.makeDirectory(path("group"), 0755);
        server.setAttributes(
                path("group"), new AttributeChange(02775, null, null, null, null, null));
        assertThat(server.makeDirectory(path("group", "below"), 0751).mode()).isEqualTo(02751);
        assertThat(server.stat(path("group", "below")).mode()).isEqualTo(02751);
    }

    @Override
    protected void disconnect() {
        sshd.killSessions();
    }
}
