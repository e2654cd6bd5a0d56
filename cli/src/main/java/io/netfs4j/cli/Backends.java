// SPDX-License-Identifier: Apache-2.0
package io.netfs4j.cli;

import io.netfs4j.base.FsException;
import io.netfs4j.server.Remote;
import io.netfs4j.server.ServerOptions;
import io.netfs4j.server.ServerProvider;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.ServiceLoader;
import java.util.TreeMap;
import java.util.TreeSet;

/** The back ends on the class path: which one a remote wants, and which options it takes. */
final class Backends {
    private final List<ServerProvider> providers = new ArrayList<>();

    Backends() {
        ServiceLoader.load(ServerProvider.class).forEach(providers::add);
    }

    /** A remote that was understood, its back end, and the options that the back end is for. */
    record Choice(Remote remote, ServerProvider provider, ServerOptions options) {}

    /** Understands the remote and sorts the options, or refuses with the remedy. */
    Choice choose(MountPlan plan) throws CommandFailure {
        Remote remote;
        try {
            remote = Remote.parse(plan.remoteText(), plan.from());
        } catch (FsException e) {
            throw CommandFailure.of(e);
        }
        ServerProvider provider = provider(remote);
        Map<String, List<String>> own = new TreeMap<>();
        plan.options()
                .forEach((name, values) -> {
                    if (CommonOption.of(name) == null && !CommonOption.isWithoutEffect(name)) {
                        own.put(name, values);
                    }
                });
        return new Choice(remote, provider, new ServerOptions(known(provider, own)));
    }

    private ServerProvider provider(Remote remote) throws CommandFailure {
        TreeSet<String> schemes = new TreeSet<>();
        for (ServerProvider provider : providers) {
            if (provider.schemes().contains(remote.scheme())) {
                return provider;
            }
            schemes.addAll(provider.schemes());
        }
        throw new CommandFailure(
                ExitCode.USAGE,
                "no server speaks \""
                        + remote.scheme()
                        + "\" ("
                        + remote.text()
                        + "); known are "
                        + String.join(", ", schemes)
                        + ", or a local directory");
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
                                + String.join(", ", new TreeSet<>(provider.schemes()))
                                + "; netfs help mount lists them");
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

    /** The forms of a remote and the options of each server, for people. */
    List<String> help() {
        List<String> lines = new ArrayList<>();
        for (ServerProvider provider : providers) {
            lines.add("  " + provider.usage());
            if (!provider.optionNames().isEmpty()) {
                lines.add(
                        "    options: " + String.join(", ", new TreeSet<>(provider.optionNames())));
            }
        }
        return lines;
    }
}
