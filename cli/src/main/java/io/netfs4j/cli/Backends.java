// SPDX-License-Identifier: Apache-2.0
package io.netfs4j.cli;

import io.netfs4j.MountOptions;
import io.netfs4j.Netfs;
import io.netfs4j.base.FsException;
import io.netfs4j.fuse.FuseOptions;
import io.netfs4j.server.Remote;
import io.netfs4j.server.ServerOptions;
import io.netfs4j.server.ServerProvider;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;
import java.util.TreeSet;

/** Sorts what a command line says: which back end a remote wants, and whom each option is for. */
final class Backends {
    private Backends() {}

    /** A remote and its options, all understood. */
    record Choice(
            Remote remote, MountOptions options, ServerOptions serverOptions, FuseOptions fuse) {}

    /** Understands the remote and every option, or refuses with the remedy. */
    static Choice choose(MountPlan plan) throws CommandFailure {
        try {
            Remote remote = Remote.parse(plan.remoteText(), plan.from());
            ServerProvider provider = Netfs.provider(remote.scheme());
            Map<String, String> common = new TreeMap<>();
            Map<String, List<String>> servers = new TreeMap<>();
            plan.options()
                    .forEach((name, values) -> {
                        if (FuseSettings.takes(name)) {
                            return;
                        }
                        boolean ours = MountOptions.knows(name);
                        if (ours) {
                            common.put(name, values.getLast());
                        }
                        if (!ours || provider.optionNames().contains(name)) {
                            servers.put(name, values);
                        }
                    });
            ServerOptions serverOptions = new ServerOptions(known(provider, servers));
            FuseOptions fuse = FuseSettings.of(plan.options(), remote.text());
            return new Choice(remote, MountOptions.parse(common), serverOptions, fuse);
        } catch (FsException e) {
            throw CommandFailure.of(e);
        }
    }

    /** The options under the names that the back end gives them; ssh does not mind the case. */
    private static Map<String, List<String>> known(
            ServerProvider provider, Map<String, List<String>> options) throws CommandFailure {
        Map<String, String> names = new TreeMap<>();
        for (String name : provider.optionNames()) {
            names.put(name.toLowerCase(Locale.ROOT), name);
        }
        Map<String, List<String>> known = new TreeMap<>();
        for (Map.Entry<String, List<String>> option : options.entrySet()) {
            String name = names.get(option.getKey().toLowerCase(Locale.ROOT));
            if (name == null) {
                throw new CommandFailure(
                        ExitCode.USAGE,
                        "no option \""
                                + option.getKey()
                                + "\" for "
                                + provider.words()
                                + " ("
                                + String.join(", ", new TreeSet<>(provider.schemes()))
                                + "); netfs help mount lists what each server takes, and what"
                                + " every mount");
            }
            known.merge(
                    name,
                    option.getValue(),
                    (first, second) -> {
                        List<String> both = new ArrayList<>(first);
                        both.addAll(second);
                        return both;
                    });
        }
        return known;
    }

    /** The forms of a remote and every option, for people. */
    static List<String> help() {
        List<String> lines = new ArrayList<>();
        lines.add("");
        lines.add("REMOTE, and what its server takes with -o:");
        for (ServerProvider provider : Netfs.providers()) {
            lines.add("  " + provider.usage());
            if (!provider.optionNames().isEmpty()) {
                lines.add(
                        "    options: " + String.join(", ", new TreeSet<>(provider.optionNames())));
            }
        }
        lines.add("");
        lines.add("What every mount takes with -o:");
        for (MountOptions.Option option : MountOptions.options()) {
            if (!FuseSettings.takes(option.name())) {
                lines.add(line(option));
            }
        }
        FuseSettings.options().forEach(option -> lines.add(line(option)));
        return lines;
    }

    private static String line(MountOptions.Option option) {
        String name =
                option.value().isEmpty() ? option.name() : option.name() + "=" + option.value();
        return "  " + name + ": " + option.meaning();
    }
}
