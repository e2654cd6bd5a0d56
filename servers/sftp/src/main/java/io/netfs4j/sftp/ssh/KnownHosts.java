// SPDX-License-Identifier: Apache-2.0
package io.netfs4j.sftp.ssh;

import io.netfs4j.base.FsError;
import io.netfs4j.base.FsException;

import org.jspecify.annotations.Nullable;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.PosixFilePermissions;
import java.security.GeneralSecurityException;
import java.security.MessageDigest;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Base64;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;

import javax.crypto.Mac;
import javax.crypto.spec.SecretKeySpec;

/**
 * The keys that known_hosts files hold: plain, with patterns, hashed, revoked. Lines of certificate
 * authorities are passed over: host certificates are not used.
 *
 * <p><b>Source</b>: sshd(8), SSH_KNOWN_HOSTS FILE FORMAT.
 */
final class KnownHosts {
    /** What the files say of a key. */
    enum Verdict {
        /** The key is the one on file. */
        KNOWN,
        /** Nothing is on file for this host. */
        UNKNOWN,
        /** Another key is on file. */
        CHANGED,
        REVOKED
    }

    /**
     * @param place file and line that decided, null when none did
     * @param file the file of that line
     */
    record Finding(Verdict verdict, @Nullable String place, @Nullable Path file) {}

    private static final long FILE_BYTES_MAX = 64L << 20;
    private static final String HASH_MAGIC = "|1|";

    private record Entry(
            boolean revoked, String hosts, String type, byte[] key, Path file, int line) {}

    private final List<Entry> entries = new ArrayList<>();

    private KnownHosts() {}

    /**
     * Reads files; missing ones are skipped, lines that cannot be understood too, as ssh does.
     *
     * @throws FsException EACCES for a file that is there and cannot be read
     */
    static KnownHosts read(List<Path> files) throws FsException {
        KnownHosts known = new KnownHosts();
        for (Path file : files) {
            if (!Files.exists(file)) {
                continue;
            }
            try {
                if (Files.size(file) > FILE_BYTES_MAX) {
                    throw new FsException(
                            FsError.EINVAL, file + ": larger than " + FILE_BYTES_MAX + " bytes");
                }
                List<String> lines = Files.readAllLines(file, StandardCharsets.ISO_8859_1);
                for (int i = 0; i < lines.size(); i++) {
                    known.line(lines.get(i), file, i + 1);
                }
            } catch (FsException e) {
                throw e;
            } catch (IOException e) {
                throw new FsException(FsError.EACCES, "cannot read " + file + ": " + e, e);
            }
        }
        return known;
    }

    private void line(String text, Path file, int number) {
        String[] words = text.strip().split("\\s+");
        boolean marked = words[0].startsWith("@");
        int at = marked ? 1 : 0;
        boolean usable = !marked || words[0].equals("@revoked");
        if (words[0].startsWith("#") || words.length < at + 3 || !usable) {
            return;
        }
        byte[] key;
        try {
            key = Base64.getDecoder().decode(words[at + 2]);
        } catch (IllegalArgumentException e) {
            return;
        }
        entries.add(new Entry(marked, words[at], words[at + 1], key, file, number));
    }

    /**
     * Judges a key.
     *
     * @param name as {@link SshTarget#knownHostsName} gives it
     * @param key the key as it travels: RFC 4253 section 6.6
     */
    Finding find(String name, byte[] key) {
        Finding finding = new Finding(Verdict.UNKNOWN, null, null);
        for (Entry e : entries) {
            boolean sameKey = MessageDigest.isEqual(e.key, key);
            if (!(e.revoked && sameKey) && !names(e, name)) {
                continue;
            }
            String place = e.file + ":" + e.line;
            if (e.revoked) {
                if (sameKey) {
                    return new Finding(Verdict.REVOKED, place, e.file);
                }
            } else if (sameKey) {
                finding = new Finding(Verdict.KNOWN, place, e.file);
            } else if (finding.verdict == Verdict.UNKNOWN) {
                finding = new Finding(Verdict.CHANGED, place, e.file);
            }
        }
        return finding;
    }

    /** The types of the keys on file for a host, such as "ssh-ed25519", in the files' order. */
    Set<String> keyTypes(String name) {
        Set<String> types = new LinkedHashSet<>();
        for (Entry e : entries) {
            if (!e.revoked && names(e, name)) {
                types.add(e.type);
            }
        }
        return types;
    }

    private static boolean names(Entry entry, String name) {
        if (entry.hosts.startsWith(HASH_MAGIC)) {
            return hashMatches(entry.hosts, name);
        }
        return HostPattern.listMatches(Arrays.asList(entry.hosts.split(",")), name);
    }

    private static boolean hashMatches(String hashed, String name) {
        String[] parts = hashed.split("\\|");
        if (parts.length != 4) {
            return false;
        }
        try {
            byte[] salt = Base64.getDecoder().decode(parts[2]);
            byte[] hash = Base64.getDecoder().decode(parts[3]);
            return salt.length > 0 && MessageDigest.isEqual(hash, hmac(salt, name));
        } catch (IllegalArgumentException e) {
            return false;
        }
    }

    private static byte[] hmac(byte[] salt, String name) {
        try {
            Mac mac = Mac.getInstance("HmacSHA1");
            mac.init(new SecretKeySpec(salt, "HmacSHA1"));
            return mac.doFinal(name.getBytes(StandardCharsets.UTF_8));
        } catch (GeneralSecurityException e) {
            throw new IllegalStateException("every JDK has HmacSHA1", e);
        }
    }

    /** The name as it stands in a hashed line. */
    static String hashed(String name, byte[] salt) {
        Base64.Encoder base64 = Base64.getEncoder();
        return HASH_MAGIC
                + base64.encodeToString(salt)
                + "|"
                + base64.encodeToString(hmac(salt, name));
    }

    /**
     * Appends a line.
     *
     * @throws FsException EACCES when the file cannot be written
     */
    static void append(Path file, String hosts, String type, byte[] key) throws FsException {
        String line = hosts + " " + type + " " + Base64.getEncoder().encodeToString(key) + "\n";
        try {
            Path directory = file.toAbsolutePath().getParent();
            if (directory != null && !Files.isDirectory(directory)) {
                Files.createDirectories(
                        directory,
                        PosixFilePermissions.asFileAttribute(
                                PosixFilePermissions.fromString("rwx------")));
            }
            boolean unfinished = false;
            if (Files.exists(file)) {
                byte[] old = Files.readAllBytes(file);
                unfinished = old.length > 0 && old[old.length - 1] != '\n';
            } else {
                Files.createFile(
                        file,
                        PosixFilePermissions.asFileAttribute(
                                PosixFilePermissions.fromString("rw-------")));
            }
            Files.writeString(
                    file,
                    unfinished ? "\n" + line : line,
                    StandardCharsets.ISO_8859_1,
                    StandardOpenOption.APPEND);
        } catch (IOException e) {
            throw new FsException(
                    FsError.EACCES, "cannot write the new host key to " + file + ": " + e, e);
        }
    }
}
