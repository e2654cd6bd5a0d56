// SPDX-License-Identifier: Apache-2.0
package io.netfs4j.server.local;

import io.netfs4j.base.FsError;
import io.netfs4j.base.FsException;
import io.netfs4j.base.Names;
import io.netfs4j.server.RemotePath;

import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.util.HexFormat;
import java.util.List;

/**
 * Remote paths as paths below one directory of this machine, and names back again.
 *
 * <p>Names are bytes. The JDK's strings for them depend on the locale and lose what is not text in
 * it, so that whatever is not plain ASCII goes through the percent-escaped bytes of a file URI,
 * which the JDK takes and gives unchanged (sun.nio.fs.UnixUriUtils).
 *
 * <p>A symbolic link below the root is never followed: each directory on the way is looked at, and
 * one that is a link counts as no directory. Between the look and the use another program on this
 * machine that may write into the root can put a link there; whoever may do that owns the store.
 */
final class LocalPaths {
    private final Path root;

    LocalPaths(Path root) {
        this.root = root;
    }

    Path root() {
        return root;
    }

    /**
     * The path of a name that may or may not exist; its directories do.
     *
     * @throws FsException ENOENT or ENOTDIR for a directory on the way
     */
    Path resolve(RemotePath path) throws FsException {
        Path at = root;
        List<String> names = path.names();
        for (int i = 0; i < names.size(); i++) {
            at = at.resolve(name(names.get(i)));
            if (i < names.size() - 1 && !Files.isDirectory(at, LinkOption.NOFOLLOW_LINKS)) {
                boolean exists = Files.exists(at, LinkOption.NOFOLLOW_LINKS);
                FsError error = exists ? FsError.ENOTDIR : FsError.ENOENT;
                throw new FsException(error, at + ": " + error.words());
            }
        }
        return at;
    }

    /** One checked name as a relative path of one element. */
    static Path name(String name) throws FsException {
        Names.check(name);
        return element(name);
    }

    /** The name of a path's last element, as {@link Names} decodes it. */
    static String nameOf(Path path) {
        String text = String.valueOf(path.getFileName());
        if (isPlain(text)) {
            return text;
        }
        String escaped = path.toUri().getRawPath();
        int end = escaped.endsWith("/") ? escaped.length() - 1 : escaped.length();
        return Names.decode(
                unescape(escaped.substring(escaped.lastIndexOf('/', end - 1) + 1, end)));
    }

    /** What a symbolic link holds; duplicate slashes are the JDK's to lose. */
    static String targetOf(Path target) {
        String text = target.toString();
        if (isPlain(text)) {
            return text;
        }
        StringBuilder joined = new StringBuilder(target.isAbsolute() ? "/" : "");
        for (Path element : target) {
            String name = element.toString();
            joined.append(joined.isEmpty() || joined.charAt(joined.length() - 1) == '/' ? "" : "/");
            joined.append(isPlain(name) ? name : nameOf(element));
        }
        return joined.toString();
    }

    /** A symbolic link's target as the path to store in it. */
    static Path target(String text) throws FsException {
        if (text.isEmpty() || text.indexOf(0) >= 0) {
            throw new FsException(FsError.EINVAL, "an empty target, or one with NUL");
        }
        if (isPlain(text)) {
            return Path.of(text);
        }
        Path path = Path.of(text.startsWith("/") ? "/" : "");
        for (String name : text.split("/", -1)) {
            if (!name.isEmpty()) {
                path = path.resolve(element(name));
            }
        }
        return path;
    }

    private static Path element(String name) {
        if (isPlain(name)) {
            return Path.of(name);
        }
        // With all three slashes; the JDK takes "file:/" through a string of the locale.
        StringBuilder escaped = new StringBuilder("file:///");
        HexFormat hex = HexFormat.of();
        for (byte b : Names.encode(name)) {
            escaped.append('%').append(hex.toHexDigits(b));
        }
        return Path.of(URI.create(escaped.toString())).getFileName();
    }

    private static byte[] unescape(String escaped) {
        byte[] in = escaped.getBytes(StandardCharsets.US_ASCII);
        byte[] out = new byte[in.length];
        int length = 0;
        for (int i = 0; i < in.length; i++) {
            if (in[i] == '%') {
                out[length++] = (byte) HexFormat.fromHexDigits(escaped, i + 1, i + 3);
                i += 2;
            } else {
                out[length++] = in[i];
            }
        }
        return java.util.Arrays.copyOf(out, length);
    }

    /** Printable ASCII: the same bytes in every locale that Java runs in. */
    private static boolean isPlain(String text) {
        for (int i = 0; i < text.length(); i++) {
            if (text.charAt(i) < 0x20 || text.charAt(i) > 0x7e) {
                return false;
            }
        }
        return true;
    }
}
