// SPDX-License-Identifier: Apache-2.0
package io.netfs4j.sftp.ssh;

import io.netfs4j.base.FsError;
import io.netfs4j.base.FsException;

import java.io.IOException;
import java.nio.charset.MalformedInputException;
import java.nio.charset.StandardCharsets;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;

/**
 * What ssh_config(5) files say of one host. For each keyword the first value found stands, as in
 * ssh; {@code IdentityFile} gathers all. Keywords that this program does not use are read and
 * dropped.
 *
 * <p>{@code Host}, {@code Include} and {@code Match} with {@code all}, {@code host}, {@code
 * originalhost}, {@code user} and {@code localuser} are understood. A {@code Match} with any other
 * criterion ({@code exec} above all: nothing is run from here) does not apply.
 *
 * <p><b>Source</b>: ssh_config(5) of OpenSSH 9.
 */
final class SshConfig {
    /** As in ssh: a file that includes itself must end. */
    private static final int INCLUDE_DEPTH_MAX = 16;

    private static final long FILE_BYTES_MAX = 1L << 20;

    /** Lower case. */
    private static final Set<String> KEYWORDS =
            Set.of(
                    "hostname",
                    "user",
                    "port",
                    "identityfile",
                    "identitiesonly",
                    "identityagent",
                    "userknownhostsfile",
                    "globalknownhostsfile",
                    "stricthostkeychecking",
                    "hashknownhosts",
                    "proxyjump",
                    "proxycommand",
                    "connecttimeout",
                    "serveraliveinterval",
                    "serveralivecountmax",
                    "hostkeyalgorithms",
                    "hostkeyalias");

    /** Whom the lookup is for. */
    record Query(String originalHost, String user, String localUser, Path home) {}

    private final Query query;
    private final Map<String, List<String>> found = new LinkedHashMap<>();

    private SshConfig(Query query) {
        this.query = query;
    }

    /**
     * Reads files in order; the first that sets a keyword wins.
     *
     * @param files missing ones are skipped
     * @throws FsException EINVAL for a line that cannot be understood, EACCES for a file that
     *     cannot be read
     */
    static SshConfig read(Query query, List<Path> files) throws FsException {
        SshConfig config = new SshConfig(query);
        for (Path file : files) {
            if (Files.exists(file)) {
                config.file(file, new boolean[] {true}, 0);
            }
        }
        return config;
    }

    /** The values of a keyword (lower case); empty when none was set. */
    List<String> all(String keyword) {
        return found.getOrDefault(keyword, List.of());
    }

    private void file(Path file, boolean[] applies, int depth) throws FsException {
        if (depth > INCLUDE_DEPTH_MAX) {
            throw new FsException(FsError.EINVAL, file + ": too many nested Include");
        }
        List<String> lines;
        try {
            if (Files.size(file) > FILE_BYTES_MAX) {
                throw new FsException(
                        FsError.EINVAL, file + ": larger than " + FILE_BYTES_MAX + " bytes");
            }
            lines = Files.readAllLines(file, StandardCharsets.UTF_8);
        } catch (MalformedInputException e) {
            throw new FsException(FsError.EINVAL, file + ": is not UTF-8 text", e);
        } catch (FsException e) {
            throw e;
        } catch (IOException e) {
            throw new FsException(FsError.EACCES, "cannot read " + file + ": " + e, e);
        }
        for (int i = 0; i < lines.size(); i++) {
            List<String> words = words(lines.get(i), file + ":" + (i + 1));
            if (!words.isEmpty()) {
                line(words, file, applies, depth);
            }
        }
    }

    private void line(List<String> words, Path file, boolean[] applies, int depth)
            throws FsException {
        String keyword = words.get(0).toLowerCase(Locale.ROOT);
        List<String> values = words.subList(1, words.size());
        switch (keyword) {
            case "host" -> applies[0] = HostPattern.listMatches(values, query.originalHost);
            case "match" -> applies[0] = match(values);
            case "include" -> {
                if (applies[0]) {
                    include(values, file, depth);
                }
            }
            default -> {
                if (applies[0] && KEYWORDS.contains(keyword)) {
                    set(keyword, values, file);
                }
            }
        }
    }

    private void set(String keyword, List<String> values, Path file) throws FsException {
        if (values.isEmpty()) {
            throw new FsException(FsError.EINVAL, file + ": " + keyword + " has no value");
        }
        if (keyword.equals("identityfile")) {
            found.computeIfAbsent(keyword, k -> new ArrayList<>()).add(values.get(0));
        } else {
            found.putIfAbsent(keyword, List.copyOf(values));
        }
    }

    private boolean match(List<String> criteria) {
        for (int i = 0; i < criteria.size(); i++) {
            String criterion = criteria.get(i).toLowerCase(Locale.ROOT);
            if (criterion.equals("all")) {
                continue;
            }
            boolean negated = criterion.startsWith("!");
            String name = negated ? criterion.substring(1) : criterion;
            if (i + 1 == criteria.size()) {
                return false;
            }
            List<String> patterns = List.of(criteria.get(++i).split(","));
            boolean holds;
            switch (name) {
                case "host" -> holds = HostPattern.listMatches(patterns, hostName());
                case "originalhost" ->
                        holds = HostPattern.listMatches(patterns, query.originalHost);
                case "user" -> holds = HostPattern.listMatches(patterns, user());
                case "localuser" -> holds = HostPattern.listMatches(patterns, query.localUser);
                default -> {
                    return false;
                }
            }
            if (holds == negated) {
                return false;
            }
        }
        return !criteria.isEmpty();
    }

    private String hostName() {
        List<String> set = all("hostname");
        return set.isEmpty() ? query.originalHost : set.get(0);
    }

    private String user() {
        List<String> set = all("user");
        if (!query.user.isEmpty()) {
            return query.user;
        }
        return set.isEmpty() ? query.localUser : set.get(0);
    }

    /** Conditions inside an included file end with it. */
    private void include(List<String> patterns, Path from, int depth) throws FsException {
        for (String pattern : patterns) {
            Path resolved = resolve(pattern, from);
            Path directory = resolved.getParent();
            Path name = resolved.getFileName();
            if (directory == null || name == null || !Files.isDirectory(directory)) {
                continue;
            }
            List<Path> matching = new ArrayList<>();
            try (DirectoryStream<Path> files =
                    Files.newDirectoryStream(directory, name.toString())) {
                files.forEach(matching::add);
            } catch (IOException e) {
                throw new FsException(FsError.EACCES, "cannot list " + directory + ": " + e, e);
            }
            matching.sort(null);
            for (Path file : matching) {
                if (Files.isRegularFile(file)) {
                    file(file, new boolean[] {true}, depth + 1);
                }
            }
        }
    }

    /** Relative names are below ~/.ssh in a user's file and below /etc/ssh in the system's. */
    private Path resolve(String pattern, Path from) {
        if (pattern.startsWith("~/")) {
            return query.home.resolve(pattern.substring(2));
        }
        Path path = Path.of(pattern);
        if (path.isAbsolute()) {
            return path;
        }
        Path system = Path.of("/etc/ssh");
        return (from.startsWith(system) ? system : query.home.resolve(".ssh")).resolve(path);
    }

    /** Splits a line into words; {@code key=value} is allowed, and double quotes keep blanks. */
    static List<String> words(String line, String place) throws FsException {
        List<String> words = new ArrayList<>();
        String text = line.strip();
        int i = 0;
        while (i < text.length()) {
            char c = text.charAt(i);
            if (Character.isWhitespace(c)) {
                i++;
            } else if (c == '#') {
                break;
            } else if (c == '=' && words.size() == 1) {
                i++;
            } else if (c == '"') {
                int end = text.indexOf('"', i + 1);
                if (end < 0) {
                    throw new FsException(FsError.EINVAL, place + ": a quote is not closed");
                }
                words.add(text.substring(i + 1, end));
                i = end + 1;
            } else {
                int end = i;
                while (end < text.length()
                        && !Character.isWhitespace(text.charAt(end))
                        && !(text.charAt(end) == '=' && words.isEmpty())) {
                    end++;
                }
                words.add(text.substring(i, end));
                i = end;
            }
        }
        return words;
    }
}
