// SPDX-License-Identifier: Apache-2.0
package io.netfs4j.server;

import io.netfs4j.base.FsError;
import io.netfs4j.base.FsException;

import org.jspecify.annotations.Nullable;

import java.nio.file.Path;
import java.util.Locale;

/**
 * A remote as its user wrote it, taken apart: {@code scheme://user@host:port/path}, or a path of
 * this machine ({@code ./dir}, {@code /dir}, {@code file:///dir}), whose scheme is "file".
 *
 * @param text as written, for messages; never holds a password: one that does is refused
 * @param user null when not given
 * @param host empty for the scheme "file"
 * @param port -1 when not given
 * @param path as written, percent escapes decoded, with the '/' at its beginning; "" when absent
 */
public record Remote(
        String text, String scheme, @Nullable String user, String host, int port, String path) {

    /**
     * Takes a remote apart.
     *
     * @param directory what a relative path of this machine is relative to
     * @throws FsException EINVAL, naming what cannot be understood and how it should look
     */
    public static Remote parse(String text, Path directory) throws FsException {
        int colon = text.indexOf("://");
        if (colon < 0) {
            if (text.isEmpty()) {
                throw bad(text, "it is empty");
            }
            String local = directory.resolve(text).toAbsolutePath().normalize().toString();
            return new Remote(text, "file", null, "", -1, local);
        }
        String scheme = text.substring(0, colon).toLowerCase(Locale.ROOT);
        if (!scheme.matches("[a-z][a-z0-9+.-]*")) {
            throw bad(text, "\"" + scheme + "\" is not a scheme");
        }
        String rest = text.substring(colon + 3);
        int slash = rest.indexOf('/');
        String authority = slash < 0 ? rest : rest.substring(0, slash);
        String path = decode(text, slash < 0 ? "" : rest.substring(slash));
        return ofAuthority(text, scheme, authority, path);
    }

    private static Remote ofAuthority(String text, String scheme, String authority, String path)
            throws FsException {
        int at = authority.lastIndexOf('@');
        String user = at < 0 ? null : decode(text, authority.substring(0, at));
        String hostPort = authority.substring(at + 1);
        if (user != null && user.indexOf(':') >= 0) {
            throw new FsException(
                    FsError.EINVAL,
                    "a password in a remote is seen by every user of this machine;"
                            + " use a key or an agent");
        }
        String host = hostPort;
        int port = -1;
        int bracket = hostPort.startsWith("[") ? hostPort.indexOf(']') : -1;
        int portColon = hostPort.indexOf(':', Math.max(bracket, 0));
        if (hostPort.startsWith("[") && bracket < 0) {
            throw bad(text, "the bracket of the address is not closed");
        }
        if (portColon >= 0) {
            host = hostPort.substring(0, portColon);
            port = parsePort(text, hostPort.substring(portColon + 1));
        }
        if (bracket > 0) {
            host = hostPort.substring(1, bracket);
        }
        if (host.isEmpty() && !scheme.equals("file")) {
            throw bad(text, "the host is missing");
        }
        if (host.startsWith("-") || (user != null && (user.isEmpty() || user.startsWith("-")))) {
            throw bad(text, "host and user must not be empty or begin with '-'");
        }
        return new Remote(text, scheme, user, host, port, path);
    }

    /** As written, but for a directory of this machine: that as seen from anywhere. */
    public String absoluteText() {
        return text.contains("://") ? text : path;
    }

    /**
     * Whether a file may be below both: they may name one server, and one directory is, or is
     * below, the other, as far as can be told. Who logs in does not count, nor what links there
     * are; a port that is not given may be any.
     */
    public boolean overlaps(Remote other) {
        boolean isOnePort = port == other.port || port < 0 || other.port < 0;
        boolean canBeTold = isOfLogin() == other.isOfLogin();
        return scheme.equals(other.scheme)
                && host.equalsIgnoreCase(other.host)
                && isOnePort
                && (!canBeTold || isBelow(path, other.path) || isBelow(other.path, path));
    }

    /** Whether only the server knows where its directory is: below that of who logs in. */
    private boolean isOfLogin() {
        return path.equals("/~") || path.startsWith("/~/");
    }

    /** Without a path it is a directory that only the server knows, perhaps any. */
    private static boolean isBelow(String path, String above) {
        String directory = above.endsWith("/") ? above : above + "/";
        return above.isEmpty() || (path + "/").startsWith(directory);
    }

    private static int parsePort(String text, String digits) throws FsException {
        try {
            int port = Integer.parseInt(digits);
            if (port >= 1 && port <= 65535) {
                return port;
            }
        } catch (NumberFormatException e) {
            // Falls through to the one message for both.
        }
        throw bad(text, "the port \"" + digits + "\" is not a number from 1 to 65535");
    }

    private static String decode(String text, String escaped) throws FsException {
        try {
            return java.net.URLDecoder.decode(
                    escaped.replace("+", "%2B"), java.nio.charset.StandardCharsets.UTF_8);
        } catch (IllegalArgumentException e) {
            throw bad(text, "a '%' must be followed by two hexadecimal digits (write '%' as %25)");
        }
    }

    private static FsException bad(String text, String why) {
        return new FsException(
                FsError.EINVAL,
                "cannot understand the remote \""
                        + text
                        + "\": "
                        + why
                        + "; write sftp://user@host:port/path or a directory");
    }
}
