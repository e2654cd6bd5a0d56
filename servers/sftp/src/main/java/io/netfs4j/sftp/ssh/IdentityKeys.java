// SPDX-License-Identifier: Apache-2.0
package io.netfs4j.sftp.ssh;

import io.netfs4j.base.FsError;
import io.netfs4j.base.FsException;

import org.apache.sshd.common.config.keys.AuthorizedKeyEntry;
import org.apache.sshd.common.config.keys.FilePasswordProvider;
import org.apache.sshd.common.config.keys.KeyUtils;
import org.apache.sshd.common.config.keys.PublicKeyEntryResolver;
import org.apache.sshd.common.util.io.resource.PathResource;
import org.apache.sshd.common.util.security.SecurityUtils;
import org.jspecify.annotations.Nullable;

import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermission;
import java.security.GeneralSecurityException;
import java.security.KeyPair;
import java.security.PublicKey;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import java.util.Set;

/**
 * The private keys that a target names, read from their files, and what became of each, for the
 * message when the server lets none in.
 *
 * <p>A key under a passphrase is not unlocked here, since nobody is there to type: it is used
 * through the agent, found by its public half.
 */
final class IdentityKeys {
    private static final long FILE_BYTES_MAX = 1L << 20;
    private static final byte[] OPENSSH_MAGIC =
            "openssh-key-v1\0".getBytes(StandardCharsets.US_ASCII);

    /** Read or write for anyone but the owner. */
    private static final Set<PosixFilePermission> OTHERS =
            Set.of(
                    PosixFilePermission.GROUP_READ,
                    PosixFilePermission.GROUP_WRITE,
                    PosixFilePermission.OTHERS_READ,
                    PosixFilePermission.OTHERS_WRITE);

    private final List<KeyPair> pairs = new ArrayList<>();
    private final List<PublicKey> named = new ArrayList<>();
    private final List<String> findings = new ArrayList<>();

    private IdentityKeys() {}

    /**
     * Reads the keys.
     *
     * @throws FsException EINVAL for a key that an option names and that is missing, and for one
     *     that cannot be understood; EACCES for one that others may read
     */
    static IdentityKeys read(SshTarget.Identities identities) throws FsException {
        IdentityKeys keys = new IdentityKeys();
        for (SshTarget.KeyFile file : identities.files()) {
            if (Files.exists(file.path())) {
                keys.read(file.path(), identities);
            } else {
                keys.missing(file);
            }
        }
        return keys;
    }

    /** Keys to sign with. */
    List<KeyPair> pairs() {
        return pairs;
    }

    /** Whether a key of the agent is one of those that the target names. */
    boolean names(PublicKey key) {
        return named.stream().anyMatch(k -> KeyUtils.compareKeys(k, key));
    }

    /** What became of each key that was found or that somebody named, for people. */
    List<String> findings() {
        return findings;
    }

    private void missing(SshTarget.KeyFile file) throws FsException {
        switch (file.namedBy()) {
            case OPTION ->
                    throw new FsException(
                            FsError.EINVAL, "IdentityFile " + file.path() + ": no such file");
            case CONFIG -> findings.add(file.path() + " of ssh_config does not exist");
            case DEFAULT -> {
                // Nobody expects it to be there.
            }
        }
    }

    private void read(Path file, SshTarget.Identities identities) throws FsException {
        byte[] bytes;
        try {
            if (Files.getPosixFilePermissions(file).stream().anyMatch(OTHERS::contains)) {
                throw new FsException(
                        FsError.EACCES,
                        "IdentityFile " + file + " can be read by others: chmod 600 " + file);
            }
            if (Files.size(file) > FILE_BYTES_MAX) {
                throw new FsException(FsError.EINVAL, file + " is too large to be a key");
            }
            bytes = Files.readAllBytes(file);
        } catch (FsException e) {
            throw e;
        } catch (IOException e) {
            throw new FsException(FsError.EACCES, "cannot read " + file + ": " + e, e);
        }
        PublicKey publicHalf = publicHalf(file);
        if (publicHalf != null) {
            named.add(publicHalf);
        }
        if (isLocked(bytes)) {
            findings.add(
                    file
                            + " has a passphrase: "
                            + (identities.agentSocket() == null
                                    ? "start an agent and ssh-add " + file
                                    : "ssh-add " + file));
            return;
        }
        try {
            Iterable<KeyPair> read =
                    SecurityUtils.loadKeyPairIdentities(
                            null,
                            new PathResource(file),
                            new ByteArrayInputStream(bytes),
                            FilePasswordProvider.EMPTY);
            if (read == null) {
                throw new IOException("not a private key");
            }
            for (KeyPair pair : read) {
                pairs.add(pair);
                named.add(pair.getPublic());
            }
            findings.add(file + " was refused");
        } catch (IOException | GeneralSecurityException | RuntimeException e) {
            throw new FsException(
                    FsError.EINVAL,
                    "IdentityFile " + file + " cannot be used: " + e.getMessage(),
                    e);
        }
    }

    /** The key beside it, FILE.pub, or null. */
    private static @Nullable PublicKey publicHalf(Path file) {
        Path beside = Path.of(file + ".pub");
        try {
            if (Files.size(beside) > FILE_BYTES_MAX) {
                return null;
            }
            AuthorizedKeyEntry entry =
                    AuthorizedKeyEntry.parseAuthorizedKeyEntry(Files.readString(beside).strip());
            return entry == null
                    ? null
                    : entry.resolvePublicKey(null, PublicKeyEntryResolver.IGNORING);
        } catch (IOException | GeneralSecurityException | RuntimeException e) {
            return null;
        }
    }

    /** Whether a private key is encrypted. PROTOCOL.key of OpenSSH; PEM says so in its text. */
    static boolean isLocked(byte[] bytes) {
        String text = new String(bytes, StandardCharsets.ISO_8859_1);
        int begin = text.indexOf("-----BEGIN OPENSSH PRIVATE KEY-----");
        if (begin < 0) {
            return text.contains("ENCRYPTED");
        }
        int end = text.indexOf("-----END", begin);
        if (end < 0) {
            return false;
        }
        String body = text.substring(text.indexOf('\n', begin) + 1, end);
        try {
            ByteBuffer blob = ByteBuffer.wrap(Base64.getMimeDecoder().decode(body));
            blob.position(OPENSSH_MAGIC.length);
            int length = blob.getInt();
            byte[] cipher = new byte[Math.min(Math.max(length, 0), blob.remaining())];
            blob.get(cipher);
            return !new String(cipher, StandardCharsets.US_ASCII).equals("none");
        } catch (RuntimeException e) {
            return false;
        }
    }
}
