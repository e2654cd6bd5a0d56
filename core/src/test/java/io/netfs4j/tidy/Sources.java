// SPDX-License-Identifier: Apache-2.0
package io.netfs4j.tidy;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;

/** The Java files of the checkout, as text, with and without comments and literals. */
final class Sources {
    private static final List<String> MODULES =
            List.of("core", "servers/sftp", "fuse", "cli", "bench");

    /**
     * One file.
     *
     * @param module the module's directory: "servers/sftp"
     * @param path below the checkout: "core/src/main/java/io/netfs4j/Netfs.java"
     * @param text as it stands
     */
    record Source(String module, Path path, String text) {
        /** The package as its directory says it: "io.netfs4j.server.local". */
        String packageName() {
            String inside = path.toString().replaceAll("^.*src/(main|test)/java/", "");
            int end = inside.lastIndexOf('/');
            return end < 0 ? "" : inside.substring(0, end).replace('/', '.');
        }

        String fileName() {
            return path.getFileName().toString();
        }

        /** The text without comments, and with every string and character literal emptied. */
        String code() {
            return Sources.code(text);
        }
    }

    private Sources() {}

    /** Every file below {@code src/main} of every module. */
    static List<Source> main() {
        return MODULES.stream().flatMap(module -> below(module, "src/main/java").stream()).toList();
    }

    /** Every file of every module, tests included. */
    static List<Source> all() {
        return MODULES.stream().flatMap(module -> below(module, "src").stream()).toList();
    }

    private static List<Source> below(String module, String directory) {
        Path root = checkout();
        Path start = root.resolve(module).resolve(directory);
        if (!Files.isDirectory(start)) {
            return List.of();
        }
        try (Stream<Path> files = Files.walk(start)) {
            return files.filter(file -> file.toString().endsWith(".java"))
                    .sorted()
                    .map(file -> new Source(module, root.relativize(file), read(file)))
                    .toList();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** The directory that holds the modules: the tests run in one of them. */
    static Path checkout() {
        Path directory = Path.of("").toAbsolutePath();
        while (directory != null && !Files.isDirectory(directory.resolve("core/src/main"))) {
            directory = directory.getParent();
        }
        if (directory == null) {
            throw new IllegalStateException("not run inside a checkout");
        }
        return directory;
    }

    private static String read(Path file) {
        try {
            return Files.readString(file);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    static String code(String text) {
        StringBuilder code = new StringBuilder(text.length());
        int at = 0;
        while (at < text.length()) {
            int end = endOfCommentOrLiteral(text, at);
            if (end == at) {
                code.append(text.charAt(at));
                at++;
                continue;
            }
            if (text.charAt(at) == '/') {
                // Line ends stay, so that words on both sides do not meet.
                text.substring(at, end)
                        .chars()
                        .filter(c -> c == '\n')
                        .forEach(c -> code.append('\n'));
            } else {
                code.append("\"\"");
            }
            at = end;
        }
        return code.toString();
    }

    /** Where the comment or literal that begins at {@code at} ends; {@code at} if none does. */
    private static int endOfCommentOrLiteral(String text, int at) {
        if (text.startsWith("//", at)) {
            return indexOrEnd(text, "\n", at, 0);
        }
        if (text.startsWith("/*", at)) {
            return indexOrEnd(text, "*/", at + 2, 2);
        }
        if (text.startsWith("\"\"\"", at)) {
            return indexOrEnd(text, "\"\"\"", at + 3, 3);
        }
        char quote = text.charAt(at);
        if (quote != '"' && quote != '\'') {
            return at;
        }
        int end = at + 1;
        while (end < text.length() && text.charAt(end) != quote) {
            end += text.charAt(end) == '\\' ? 2 : 1;
        }
        return Math.min(text.length(), end + 1);
    }

    private static int indexOrEnd(String text, String what, int from, int plus) {
        int index = text.indexOf(what, from);
        return index < 0 ? text.length() : index + plus;
    }
}
