// SPDX-License-Identifier: Apache-2.0
package io.netfs4j.sftp.ssh;

import io.netfs4j.base.FsError;
import io.netfs4j.base.FsException;

import org.apache.sshd.client.keyverifier.ServerKeyVerifier;
import org.apache.sshd.client.session.ClientSession;
import org.apache.sshd.common.config.keys.KeyUtils;
import org.apache.sshd.common.digest.BuiltinDigests;
import org.apache.sshd.common.util.buffer.ByteArrayBuffer;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

import java.net.SocketAddress;
import java.nio.file.Path;
import java.security.PublicKey;
import java.security.SecureRandom;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;

/**
 * Decides whether a server's key is the one that known_hosts has for it. The library's own default
 * is to accept every key; this takes its place for every session.
 *
 * <p><b>Threads</b>: one check per connection attempt; MINA calls {@link #verifyServerKey} on its
 * own thread.
 */
final class HostKeyCheck implements ServerKeyVerifier {
    private static final Logger LOG = LoggerFactory.getLogger(HostKeyCheck.class);
    private static final int SALT_BYTES = 20;

    private final SshTarget target;
    private final KnownHosts known;
    private final SecureRandom random = new SecureRandom();

    /** Why the key was refused. Written by MINA's thread before the session's end is seen. */
    private volatile @Nullable FsException refusal;

    HostKeyCheck(SshTarget target) throws FsException {
        this.target = target;
        List<Path> files = new ArrayList<>(target.trust().userFiles());
        files.addAll(target.trust().globalFiles());
        this.known = KnownHosts.read(files);
    }

    /** Why the key was refused, or null when it was not. */
    @Nullable FsException refusal() {
        return refusal;
    }

    /**
     * Orders signature algorithms so that the server shows the kind of key that is on file: a
     * server with three keys must not look changed.
     */
    List<String> preferred(List<String> offered) {
        if (!target.trust().algorithms().isEmpty()) {
            List<String> asked = new ArrayList<>(target.trust().algorithms());
            asked.retainAll(offered);
            return asked;
        }
        Set<String> types = known.keyTypes(target.knownHostsName());
        List<String> first = new ArrayList<>();
        List<String> rest = new ArrayList<>();
        for (String algorithm : offered) {
            String type = algorithm.startsWith("rsa-sha2-") ? "ssh-rsa" : algorithm;
            (types.contains(type) ? first : rest).add(algorithm);
        }
        first.addAll(rest);
        return first;
    }

    @Override
    public boolean verifyServerKey(ClientSession session, SocketAddress address, PublicKey key) {
        try {
            check(key);
            return true;
        } catch (FsException e) {
            refusal = e;
            return false;
        }
    }

    private void check(PublicKey key) throws FsException {
        String type = KeyUtils.getKeyType(key);
        ByteArrayBuffer buffer = new ByteArrayBuffer();
        buffer.putRawPublicKey(key);
        byte[] blob = buffer.getCompactData();
        String name = target.knownHostsName();
        KnownHosts.Finding finding = known.find(name, blob);
        if (finding.verdict() == KnownHosts.Verdict.UNKNOWN && target.port() != 22) {
            // As ssh: a key on file for the host without a port is good for every port.
            KnownHosts.Finding plain = known.find(target.hostName(), blob);
            if (plain.verdict() == KnownHosts.Verdict.KNOWN) {
                finding = plain;
            }
        }
        String shown = type + " " + KeyUtils.getFingerPrint(BuiltinDigests.sha256, key);
        switch (finding.verdict()) {
            case KNOWN -> {}
            case REVOKED ->
                    throw refused("the host key " + shown + " is revoked at " + finding.place());
            case CHANGED -> changed(name, type, shown, finding);
            case UNKNOWN -> unknown(name, type, blob, shown);
        }
    }

    private void changed(String name, String type, String shown, KnownHosts.Finding finding)
            throws FsException {
        if (target.trust().policy() == HostKeyPolicy.OFF) {
            LOG.warn("{}: host key changed to {} and accepted, as asked", name, shown);
            return;
        }
        throw refused(
                "the host key is now "
                        + shown
                        + ", not the one at "
                        + finding.place()
                        + ": somebody may be listening in."
                        + " If the server did get a new key: ssh-keygen -f "
                        + quoted(String.valueOf(finding.file()))
                        + " -R "
                        + quoted(name)
                        + " && "
                        + scan(type));
    }

    private void unknown(String name, String type, byte[] blob, String shown) throws FsException {
        switch (target.trust().policy()) {
            case OFF -> LOG.warn("{}: unknown host key {} accepted, as asked", name, shown);
            case ACCEPT_NEW -> {
                if (target.trust().userFiles().isEmpty()) {
                    throw refused("the host key " + shown + " is new and no known_hosts is set");
                }
                String hosts = name;
                if (target.trust().hashNames()) {
                    byte[] salt = new byte[SALT_BYTES];
                    random.nextBytes(salt);
                    hosts = KnownHosts.hashed(name, salt);
                }
                KnownHosts.append(target.trust().userFiles().get(0), hosts, type, blob);
                LOG.info("{}: new host key {} written to known_hosts", name, shown);
            }
            case STRICT ->
                    throw refused(
                            "the host key "
                                    + shown
                                    + " is unknown. Compare it with the server's own, then: "
                                    + scan(type)
                                    + " (or mount with StrictHostKeyChecking=accept-new)");
        }
    }

    private String scan(String type) {
        String kind = type.startsWith("ecdsa") ? "ecdsa" : type.replaceFirst("^ssh-", "");
        List<Path> files = target.trust().userFiles();
        return "ssh-keyscan -p "
                + target.port()
                + " -t "
                + kind
                + " "
                + target.hostName()
                + " >> "
                + quoted(files.isEmpty() ? "~/.ssh/known_hosts" : files.get(0).toString());
    }

    /** As a shell wants it, for messages only: nothing is run from here. */
    private static String quoted(String word) {
        return word.matches("[A-Za-z0-9_./~:@%+-]+") ? word : "'" + word.replace("'", "") + "'";
    }

    private FsException refused(String why) {
        return new FsException(FsError.EKEYREJECTED, target.knownHostsName() + ": " + why);
    }
}
