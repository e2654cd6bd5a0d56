// SPDX-License-Identifier: Apache-2.0
package io.netfs4j.sftp.ssh;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.netfs4j.base.FsError;
import io.netfs4j.base.FsException;

import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

class SshTargetsTest {
    @TempDir private Path home;
    private final Map<String, List<String>> options = new HashMap<>();

    @BeforeEach
    void makeHome() throws Exception {
        Files.createDirectories(home.resolve(".ssh"));
        config("Host none-of-this-matches\n");
    }

    private void config(String text) throws Exception {
        Files.writeString(home.resolve(".ssh/config"), text);
    }

    private SshTarget resolve(String host, String user, int port) throws FsException {
        SshTargets.Place place = new SshTargets.Place("me", home, "/run/agent");
        options.putIfAbsent("ssh_config", List.of(home.resolve(".ssh/config").toString()));
        return new SshTargets(place, options).resolve(host, user, port);
    }

    private SshTarget resolve(String host) throws FsException {
        return resolve(host, null, -1);
    }

    private void assertRefused(String host, String user) {
        assertThatThrownBy(() -> resolve(host, user, -1))
                .isInstanceOfSatisfying(
                        FsException.class, e -> assertThat(e.error()).isEqualTo(FsError.EINVAL));
    }

    @Test
    void resolve_nothingSet_hasDefaults() throws Exception {
        SshTarget target = resolve("example.org");
        assertThat(target.hostName()).isEqualTo("example.org");
        assertThat(target.port()).isEqualTo(22);
        assertThat(target.user()).isEqualTo("me");
        assertThat(target.trust().policy()).isEqualTo(HostKeyPolicy.STRICT);
        assertThat(target.trust().userFiles()).containsExactly(home.resolve(".ssh/known_hosts"));
        assertThat(target.identities().files())
                .extracting(SshTarget.KeyFile::path)
                .containsExactly(
                        home.resolve(".ssh/id_ed25519"),
                        home.resolve(".ssh/id_ecdsa"),
                        home.resolve(".ssh/id_rsa"));
        assertThat(target.identities().agentSocket()).isEqualTo(Path.of("/run/agent"));
        assertThat(target.timing().aliveIntervalMillis()).isPositive();
        assertThat(target.knownHostsName()).isEqualTo("example.org");
    }

    @Test
    void resolve_hostBlocks_firstValueStands() throws Exception {
        config(
                """
                # comment
                Host work
                    HostName server.example.org
                    Port=2222
                    User worker
                    IdentityFile ~/.ssh/work_%r
                    StrictHostKeyChecking accept-new
                Host w* !worse
                    User nobody
                    IdentityFile "%d/second key"
                    ServerAliveInterval 7
                Host *
                    ConnectTimeout 3
                """);
        SshTarget target = resolve("work");
        assertThat(target.hostName()).isEqualTo("server.example.org");
        assertThat(target.port()).isEqualTo(2222);
        assertThat(target.user()).isEqualTo("worker");
        assertThat(target.trust().policy()).isEqualTo(HostKeyPolicy.ACCEPT_NEW);
        assertThat(target.identities().files())
                .extracting(SshTarget.KeyFile::path)
                .containsExactly(home.resolve(".ssh/work_worker"), home.resolve("second key"));
        assertThat(target.timing()).isEqualTo(new SshTarget.Timing(3000, 7000, 3));
        assertThat(target.knownHostsName()).isEqualTo("[server.example.org]:2222");
        assertThat(resolve("worse").user()).isEqualTo("me");
    }

    @Test
    void resolve_remoteAndOptions_winOverConfig() throws Exception {
        config("Host *\n User c\n Port 1\n StrictHostKeyChecking no\n IdentityFile /c\n");
        options.put("StrictHostKeyChecking", List.of("accept-new"));
        options.put("Port", List.of("3"));
        options.put("IdentityFile", List.of("/a", "/b"));
        SshTarget target = resolve("h", "u", 2);
        assertThat(target.user()).isEqualTo("u");
        assertThat(target.port()).isEqualTo(2);
        assertThat(resolve("h").port()).isEqualTo(3);
        assertThat(target.trust().policy()).isEqualTo(HostKeyPolicy.ACCEPT_NEW);
        assertThat(target.identities().files())
                .extracting(SshTarget.KeyFile::path)
                .containsExactly(Path.of("/a"), Path.of("/b"), Path.of("/c"));
        assertThat(target.identities().files())
                .extracting(SshTarget.KeyFile::namedBy)
                .containsExactly(
                        SshTarget.NamedBy.OPTION,
                        SshTarget.NamedBy.OPTION,
                        SshTarget.NamedBy.CONFIG);
    }

    @Test
    void resolve_include_readsFilesBelowSsh() throws Exception {
        Files.createDirectories(home.resolve(".ssh/conf.d"));
        Files.writeString(home.resolve(".ssh/conf.d/10-a"), "Host a\n Port 10\n");
        Files.writeString(home.resolve(".ssh/conf.d/20-b"), "Host *\n Port 20\n");
        config("Include conf.d/* missing/*\nHost *\n User last\n");
        assertThat(resolve("a").port()).isEqualTo(10);
        assertThat(resolve("b").port()).isEqualTo(20);
        assertThat(resolve("b").user()).isEqualTo("last");
    }

    @Test
    void resolve_includeOfItself_ends() throws Exception {
        config("Include config\n");
        assertRefused("a", null);
    }

    @Test
    void resolve_match_appliesWhatItUnderstands() throws Exception {
        config(
                """
                Match host a,b user u
                  Port 1
                Match exec "touch /should-not-run"
                  Port 2
                Match originalhost !a
                  Port 3
                Match all
                  Port 4
                """);
        assertThat(resolve("a", "u", -1).port()).isEqualTo(1);
        assertThat(resolve("c", "u", -1).port()).isEqualTo(4);
    }

    @Test
    void resolve_proxyJump_resolvesEach() throws Exception {
        config("Host gate\n HostName gate.example.org\n User g\n ProxyJump ignored\n");
        options.put("ProxyJump", List.of("gate,u2@other:2200,[::1]:23"));
        options.put("Port", List.of("99"));
        SshTarget target = resolve("h");
        assertThat(target.port()).isEqualTo(99);
        assertThat(target.jumps())
                .extracting(SshTarget::toString)
                .containsExactly("g@gate.example.org:22", "u2@other:2200", "me@::1:23");
        assertThat(target.jumps()).allSatisfy(j -> assertThat(j.jumps()).isEmpty());
    }

    @Test
    void resolve_proxyCommand_isRefusedWithRemedy() throws Exception {
        config("Host *\n ProxyCommand nc %h %p\n");
        assertThatThrownBy(() -> resolve("h")).hasMessageContaining("ProxyJump");
        options.put("ProxyJump", List.of("gate"));
        assertThat(resolve("h").jumps()).hasSize(1);
    }

    @Test
    void resolve_namesThatCouldBeOptions_areRefused() throws Exception {
        assertRefused("-oProxyCommand=x", null);
        assertRefused("h", "-l");
        assertRefused("h;x", null);
        assertRefused("", null);
        config("Host h\n HostName -x\n");
        assertRefused("h", null);
    }

    @Test
    void resolve_badValues_areNamed() {
        options.put("ConnectTimeout", List.of("soon"));
        assertThatThrownBy(() -> resolve("h")).hasMessageContaining("ConnectTimeout");
        options.put("ConnectTimeout", List.of("5"));
        options.put("StrictHostKeyChecking", List.of("maybe"));
        assertThatThrownBy(() -> resolve("h")).hasMessageContaining("accept-new");
    }

    @Test
    void words_quotesAndEquals_areUnderstood() throws Exception {
        assertThat(SshConfig.words("  Key = \"a b\" c # d", "f:1"))
                .containsExactly("Key", "a b", "c");
        assertThat(SshConfig.words("Key=a=b", "f:1")).containsExactly("Key", "a=b");
        assertThat(SshConfig.words("# only", "f:1")).isEmpty();
        assertThatThrownBy(() -> SshConfig.words("Key \"open", "f:7")).hasMessageContaining("f:7");
    }

    @Test
    void matches_patterns() {
        assertThat(HostPattern.matches("*.example.org", "A.Example.org")).isTrue();
        assertThat(HostPattern.matches("a?c*", "abc")).isTrue();
        assertThat(HostPattern.matches("a?c", "ac")).isFalse();
        assertThat(HostPattern.matches("*a*b*c*", "xxaxxbxx")).isFalse();
        assertThat(HostPattern.matches("*a".repeat(30) + "b", "a".repeat(200))).isFalse();
        assertThat(HostPattern.listMatches(List.of("!b", "*"), "b")).isFalse();
    }
}
