// SPDX-License-Identifier: Apache-2.0
package io.netfs4j.sftp.ssh;

import org.jspecify.annotations.Nullable;

import java.nio.file.Path;
import java.util.List;

/**
 * One SSH server to connect to and how, everything resolved.
 *
 * @param alias the name as the user wrote it
 * @param hostName the name or address that is connected to
 * @param port 1 to 65535
 * @param user who logs in
 * @param identities private keys, and who else signs
 * @param trust whom the server's key is checked against
 * @param jumps the servers to go through, nearest first
 * @param timing limits in time
 */
public record SshTarget(
        String alias,
        String hostName,
        int port,
        String user,
        Identities identities,
        Trust trust,
        List<SshTarget> jumps,
        Timing timing) {

    /**
     * @param files private keys in the order in which they are tried
     * @param only whether the agent's other keys are left out ({@code IdentitiesOnly})
     * @param agentSocket where the agent listens, null for none
     */
    public record Identities(List<KeyFile> files, boolean only, @Nullable Path agentSocket) {}

    /** A private key, and who named it. */
    public record KeyFile(Path path, NamedBy namedBy) {}

    /** Who named a private key; it decides what a missing one means. */
    public enum NamedBy {
        /** An option of ours: the user means this key, and a missing one is an error. */
        OPTION,
        /** ssh_config, for every host that it matches: a missing one is left out, as ssh does. */
        CONFIG,
        /** Nobody: one of those that ssh looks for. */
        DEFAULT
    }

    /**
     * @param userFiles known_hosts files; a new key is written to the first
     * @param globalFiles more of them, only read
     * @param algorithms {@code HostKeyAlgorithms}, empty for the default order
     * @param keyAlias the name under which the key is looked up, null for the host's own
     * @param hashNames whether names are hashed when written
     */
    public record Trust(
            HostKeyPolicy policy,
            List<Path> userFiles,
            List<Path> globalFiles,
            List<String> algorithms,
            @Nullable String keyAlias,
            boolean hashNames) {}

    /**
     * @param connectMillis for TCP, key exchange and authentication, each
     * @param aliveIntervalMillis silence after which the server is asked for a sign of life; 0
     *     never
     * @param aliveCountMax unanswered questions after which the connection is given up
     */
    public record Timing(long connectMillis, long aliveIntervalMillis, int aliveCountMax) {}

    /** {@code host}, or {@code [host]:port} for another port than 22: as known_hosts writes it. */
    public String knownHostsName() {
        String name = trust.keyAlias() == null ? hostName : trust.keyAlias();
        return port == 22 ? name : "[" + name + "]:" + port;
    }

    @Override
    public String toString() {
        return user + "@" + hostName + ":" + port;
    }
}
