// SPDX-License-Identifier: Apache-2.0
package io.netfs4j.sftp.ssh;

import static org.assertj.core.api.Assertions.assertThat;

import io.netfs4j.sftp.ssh.KnownHosts.Verdict;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.Base64;
import java.util.List;

class KnownHostsTest {
    private static final byte[] KEY = "one key".getBytes(StandardCharsets.US_ASCII);
    private static final byte[] OTHER = "another".getBytes(StandardCharsets.US_ASCII);

    @TempDir private Path directory;

    private static String text(byte[] key) {
        return Base64.getEncoder().encodeToString(key);
    }

    private KnownHosts known(String... lines) throws Exception {
        Path file = directory.resolve("known_hosts");
        Files.writeString(file, String.join("\n", lines));
        return KnownHosts.read(List.of(directory.resolve("missing"), file));
    }

    private static Verdict verdict(KnownHosts known, String name, byte[] key) {
        return known.find(name, key).verdict();
    }

    @Test
    void find_plainLine_knowsChangedAndUnknown() throws Exception {
        KnownHosts known = known("# comment", "a,[b]:2222 ssh-ed25519 " + text(KEY) + " comment");
        assertThat(verdict(known, "a", KEY)).isEqualTo(Verdict.KNOWN);
        assertThat(verdict(known, "[b]:2222", KEY)).isEqualTo(Verdict.KNOWN);
        assertThat(verdict(known, "a", OTHER)).isEqualTo(Verdict.CHANGED);
        assertThat(known.find("a", OTHER).place()).endsWith("known_hosts:2");
        assertThat(verdict(known, "b", KEY)).isEqualTo(Verdict.UNKNOWN);
        assertThat(known.keyTypes("a")).containsExactly("ssh-ed25519");
    }

    @Test
    void find_oneOfSeveralKeys_isKnown() throws Exception {
        KnownHosts known =
                known("a ssh-rsa " + text(OTHER), "a ssh-ed25519 " + text(KEY), "a ecdsa broken!");
        assertThat(verdict(known, "a", KEY)).isEqualTo(Verdict.KNOWN);
        assertThat(verdict(known, "a", OTHER)).isEqualTo(Verdict.KNOWN);
        assertThat(known.keyTypes("a")).containsExactly("ssh-rsa", "ssh-ed25519");
    }

    @Test
    void find_hashedLine_matchesItsNameOnly() throws Exception {
        String name = KnownHosts.hashed("[host]:2022", new byte[] {1, 2, 3, 4});
        KnownHosts known = known(name + " ssh-ed25519 " + text(KEY), "|1|bad ssh-rsa AAAA");
        assertThat(verdict(known, "[host]:2022", KEY)).isEqualTo(Verdict.KNOWN);
        assertThat(verdict(known, "[host]:2022", OTHER)).isEqualTo(Verdict.CHANGED);
        assertThat(verdict(known, "host", KEY)).isEqualTo(Verdict.UNKNOWN);
    }

    @Test
    void find_lineHashedByOpenSsh_matches() throws Exception {
        // Made by: ssh-keygen -H on a line for "[127.0.0.1]:2222".
        Path file = directory.resolve("by_openssh");
        Files.writeString(file, "[127.0.0.1]:2222 ssh-ed25519 " + text(KEY) + "\n");
        Process keygen =
                new ProcessBuilder("ssh-keygen", "-H", "-f", file.toString())
                        .redirectErrorStream(true)
                        .start();
        keygen.getInputStream().readAllBytes();
        keygen.waitFor();
        if (Files.readString(file).startsWith("|1|")) {
            assertThat(verdict(KnownHosts.read(List.of(file)), "[127.0.0.1]:2222", KEY))
                    .isEqualTo(Verdict.KNOWN);
        }
    }

    @Test
    void find_patternsAndNegation_areObeyed() throws Exception {
        KnownHosts known = known("*.example.org,!bad.example.org ssh-ed25519 " + text(KEY));
        assertThat(verdict(known, "good.example.org", KEY)).isEqualTo(Verdict.KNOWN);
        assertThat(verdict(known, "bad.example.org", KEY)).isEqualTo(Verdict.UNKNOWN);
    }

    @Test
    void find_revokedKey_isRefusedForEveryHost() throws Exception {
        KnownHosts known =
                known("a ssh-ed25519 " + text(KEY), "@revoked * ssh-ed25519 " + text(KEY));
        assertThat(verdict(known, "a", KEY)).isEqualTo(Verdict.REVOKED);
        assertThat(verdict(known, "a", OTHER)).isEqualTo(Verdict.CHANGED);
    }

    @Test
    void find_certificateAuthority_isNotAHostKey() throws Exception {
        KnownHosts known = known("@cert-authority * ssh-ed25519 " + text(KEY));
        assertThat(verdict(known, "a", KEY)).isEqualTo(Verdict.UNKNOWN);
    }

    @Test
    void append_newFile_isPrivateAndRead() throws Exception {
        Path file = directory.resolve("new/known_hosts");
        KnownHosts.append(file, "a", "ssh-ed25519", KEY);
        KnownHosts.append(file, "b", "ssh-ed25519", OTHER);
        KnownHosts known = KnownHosts.read(List.of(file));
        assertThat(verdict(known, "a", KEY)).isEqualTo(Verdict.KNOWN);
        assertThat(verdict(known, "b", OTHER)).isEqualTo(Verdict.KNOWN);
        assertThat(PosixFilePermissions.toString(Files.getPosixFilePermissions(file)))
                .isEqualTo("rw-------");
    }

    @Test
    void append_lastLineUnfinished_startsANewOne() throws Exception {
        Path file = directory.resolve("known_hosts");
        Files.writeString(file, "a ssh-ed25519 " + text(KEY));
        KnownHosts.append(file, "b", "ssh-ed25519", OTHER);
        KnownHosts known = KnownHosts.read(List.of(file));
        assertThat(verdict(known, "a", KEY)).isEqualTo(Verdict.KNOWN);
        assertThat(verdict(known, "b", OTHER)).isEqualTo(Verdict.KNOWN);
    }
}
