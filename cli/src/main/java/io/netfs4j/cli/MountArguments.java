// SPDX-License-Identifier: Apache-2.0
package io.netfs4j.cli;

import io.netfs4j.MountOptions;

import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** What {@code mount}, and the process that it starts, are told. */
final class MountArguments {
    @Parameters(index = "0", paramLabel = "REMOTE", description = "What to mount.")
    private String remote = "";

    @Parameters(index = "1", paramLabel = "DIR", description = "An empty directory.")
    private String directory = "";

    @Option(
            names = "-o",
            paramLabel = "name=value,...",
            description = {
                "Options of the mount and of the server, see below. May be repeated; a value ends"
                        + " at a comma, \\, is a comma of the value."
            })
    private List<String> options = new ArrayList<>();

    @Option(
            names = "--log-level",
            paramLabel = "LEVEL",
            description = "error, warn, info (default), debug or trace.")
    private String logLevel = "info";

    String logLevel() throws CommandFailure {
        if (!List.of("error", "warn", "info", "debug", "trace").contains(logLevel)) {
            throw new CommandFailure(
                    ExitCode.USAGE,
                    "--log-level=" + logLevel + ": write error, warn, info, debug or trace");
        }
        return logLevel;
    }

    /**
     * What the arguments say.
     *
     * @param from what relative names are relative to
     * @param environment says where a user's disk cache is
     */
    MountPlan plan(Path from, Map<String, String> environment) throws CommandFailure {
        if (directory.isEmpty()) {
            throw new CommandFailure(ExitCode.USAGE, "the mount point is empty; name a directory");
        }
        Map<String, List<String>> absolute = new LinkedHashMap<>();
        OptionText.parse(options)
                .forEach((name, values) ->
                        absolute.put(
                                name,
                                values.stream()
                                        .map(value -> absolute(name, value, from))
                                        .toList()));
        List<String> cache = absolute.get(MountOptions.CACHE);
        if (cache != null && cache.getLast().isEmpty()) {
            absolute.put(MountOptions.CACHE, List.of(cacheHome(environment).toString()));
        }
        return new MountPlan(remote, from, from.resolve(directory), absolute);
    }

    /** Where the disk cache is when the option names no directory. */
    private static Path cacheHome(Map<String, String> environment) throws CommandFailure {
        Path home = StateHome.cacheOfUser(environment);
        if (home == null) {
            throw new CommandFailure(
                    ExitCode.USAGE,
                    "option cache: neither XDG_CACHE_HOME nor HOME says where; name a directory,"
                            + " cache=DIR");
        }
        return home;
    }

    /**
     * The mount's process works in the root directory, so that it keeps no other file system busy:
     * the names of files in options are made absolute here. Tilde, percent and "none" mean to ssh
     * what they always do.
     */
    private static String absolute(String name, String value, Path from) {
        boolean relativeFile =
                name.endsWith("File")
                        && !value.isEmpty()
                        && !value.equals("none")
                        && "/~%$".indexOf(value.charAt(0)) < 0;
        boolean directory =
                (name.equals(MountOptions.STATE) || name.equals(MountOptions.CACHE))
                        && !value.isEmpty()
                        && !value.equals("none");
        return relativeFile || directory ? from.resolve(value).normalize().toString() : value;
    }
}
