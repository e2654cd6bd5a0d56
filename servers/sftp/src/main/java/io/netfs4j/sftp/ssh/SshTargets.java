// SPDX-License-Identifier: Apache-2.0
package io.netfs4j.sftp.ssh;

import io.netfs4j.base.FsError;
import io.netfs4j.base.FsException;

import org.jspecify.annotations.Nullable;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;

/**
 * Resolves a host to an {@link SshTarget}: the user's options before ssh_config before defaults.
 * Options carry the names of ssh_config(5), as {@code sshfs -o} takes them.
 */
public final class SshTargets {
    /** Names of the options understood here. */
    public static final Set<String> OPTION_NAMES =
            Set.of(
                    "IdentityFile",
                    "IdentitiesOnly",
                    "IdentityAgent",
                    "UserKnownHostsFile",
                    "GlobalKnownHostsFile",
                    "StrictHostKeyChecking",
                    "HashKnownHosts",
                    "ProxyJump",
                    "Port",
                    "User",
                    "ConnectTimeout",
                    "ServerAliveInterval",
                    "ServerAliveCountMax",
                    "HostKeyAlgorithms",
                    "HostKeyAlias",
                    "ssh_config");

    /** As ssh's default would be without a limit of the operating system. */
    private static final long CONNECT_SECONDS_DEFAULT = 20;

    /** ssh has it off; a file system must notice a dead server: 15 s, three times. */
    private static final long ALIVE_SECONDS_DEFAULT = 15;

    private static final long ALIVE_COUNT_DEFAULT = 3;
    private static final long SECONDS_MAX = 86_400;
    private static final int JUMPS_MAX = 8;

    private static final List<String> KEYS_DEFAULT =
            List.of("~/.ssh/id_ed25519", "~/.ssh/id_ecdsa", "~/.ssh/id_rsa");

    /** Where this user and this process are. */
    public record Place(String localUser, Path home, @Nullable String agentSocket) {
        /** The process's own. */
        public static Place ofProcess() {
            return new Place(
                    System.getProperty("user.name", ""),
                    Path.of(System.getProperty("user.home", "/")),
                    System.getenv("SSH_AUTH_SOCK"));
        }
    }

    private final Place place;
    private final Map<String, List<String>> options;

    /**
     * @param options by name, each with its values in order; the last stands, except that every
     *     {@code IdentityFile} counts
     */
    public SshTargets(Place place, Map<String, List<String>> options) {
        this.place = place;
        this.options = options;
    }

    /**
     * Resolves one host.
     *
     * @param user null when the remote names none
     * @param port -1 when the remote names none
     * @throws FsException EINVAL with the option or line that cannot be understood
     */
    public SshTarget resolve(String host, @Nullable String user, int port) throws FsException {
        return resolve(host, user, port, true);
    }

    private SshTarget resolve(String host, @Nullable String user, int port, boolean last)
            throws FsException {
        checkWord("host", host);
        Lookup of = new Lookup(host, user, last);
        String hostName = of.expandHost(of.text("HostName", host));
        checkWord("host", hostName);
        int realPort = port > 0 ? port : (int) of.number("Port", 1, 65_535, 22);
        String realUser = user != null ? user : of.text("User", place.localUser);
        checkWord("user", realUser);
        of.bind(hostName, realPort, realUser);
        return new SshTarget(
                host,
                hostName,
                realPort,
                realUser,
                of.identities(),
                of.trust(),
                jumps(of, hostName),
                new SshTarget.Timing(
                        1000 * of.number("ConnectTimeout", 1, SECONDS_MAX, CONNECT_SECONDS_DEFAULT),
                        1000
                                * of.number(
                                        "ServerAliveInterval",
                                        0,
                                        SECONDS_MAX,
                                        ALIVE_SECONDS_DEFAULT),
                        (int) of.number("ServerAliveCountMax", 1, 1000, ALIVE_COUNT_DEFAULT)));
    }

    private List<SshTarget> jumps(Lookup of, String hostName) throws FsException {
        String text = of.last ? of.text("ProxyJump", "none") : "none";
        if (text.equalsIgnoreCase("none")) {
            if (of.last && !of.text("ProxyCommand", "none").equalsIgnoreCase("none")) {
                throw new FsException(
                        FsError.EINVAL,
                        "ProxyCommand is set for "
                                + hostName
                                + " and is not supported: use ProxyJump (ProxyJump=none for none)");
            }
            return List.of();
        }
        List<SshTarget> jumps = new ArrayList<>();
        for (String jump : text.split(",")) {
            jumps.add(jump(jump.strip()));
        }
        if (jumps.size() > JUMPS_MAX) {
            throw new FsException(FsError.EINVAL, "ProxyJump: more than " + JUMPS_MAX + " hosts");
        }
        return jumps;
    }

    private SshTarget jump(String text) throws FsException {
        String rest = text.startsWith("ssh://") ? text.substring(6) : text;
        int at = rest.lastIndexOf('@');
        String user = at < 0 ? null : rest.substring(0, at);
        String host = rest.substring(at + 1);
        int port = -1;
        int bracket = host.startsWith("[") ? host.indexOf(']') : -1;
        int colon = host.indexOf(':', Math.max(bracket, 0));
        if (colon >= 0 && (bracket >= 0 || host.indexOf(':', colon + 1) < 0)) {
            port = (int) parse("ProxyJump", host.substring(colon + 1), 1, 65_535);
            host = host.substring(0, colon);
        }
        if (bracket >= 0) {
            host = host.substring(1, bracket);
        }
        return resolve(host, user, port, false);
    }

    /** Refuses what another program could take for an option, and what cannot be a name. */
    private static void checkWord(String what, String word) throws FsException {
        boolean bad = word.isEmpty() || word.startsWith("-") || word.length() > 255;
        for (int i = 0; i < word.length(); i++) {
            char c = word.charAt(i);
            bad |= c <= ' ' || c == 127 || "'`\"$\\;&<>|(){}".indexOf(c) >= 0;
        }
        if (bad) {
            throw new FsException(
                    FsError.EINVAL,
                    what + " \"" + word + "\" is empty, begins with '-' or has signs in it");
        }
    }

    private static long parse(String name, String text, long least, long most) throws FsException {
        try {
            long n = Long.parseLong(text.strip());
            if (n >= least && n <= most) {
                return n;
            }
        } catch (NumberFormatException e) {
            // Falls through to the one message for both.
        }
        throw new FsException(
                FsError.EINVAL,
                name + " \"" + text + "\": a whole number from " + least + " to " + most);
    }

    /** What options and configuration say of one host. */
    private final class Lookup {
        private final boolean last;
        private final String originalHost;
        private final SshConfig config;
        private String hostName;
        private int port;
        private String user;

        /**
         * @param last whether this is the server itself; options of the command line are for it,
         *     and for jumps only where they are about trust and keys
         */
        Lookup(String host, @Nullable String user, boolean last) throws FsException {
            this.last = last;
            this.originalHost = host;
            this.hostName = host;
            this.user = user == null ? place.localUser : user;
            String named = option("ssh_config");
            Path home = place.home;
            List<Path> files =
                    named == null
                            ? List.of(home.resolve(".ssh/config"), Path.of("/etc/ssh/ssh_config"))
                            : named.equals("none") ? List.of() : List.of(expandHome(named));
            if (named != null && !files.isEmpty() && !Files.isReadable(files.get(0))) {
                throw new FsException(FsError.EINVAL, "ssh_config=" + named + ": cannot be read");
            }
            config =
                    SshConfig.read(
                            new SshConfig.Query(
                                    host, user == null ? "" : user, place.localUser, home),
                            files);
        }

        void bind(String hostName, int port, String user) {
            this.hostName = hostName;
            this.port = port;
            this.user = user;
        }

        private @Nullable String option(String name) {
            List<String> values = options.getOrDefault(name, List.of());
            return values.isEmpty() ? null : values.get(values.size() - 1);
        }

        private boolean forJumps(String name) {
            return !name.equals("Port") && !name.equals("User") && !name.equals("HostKeyAlias");
        }

        private List<String> values(String name) {
            String option = last || forJumps(name) ? option(name) : null;
            return option == null
                    ? config.all(name.toLowerCase(Locale.ROOT))
                    : List.of(option.strip().split("\\s+"));
        }

        String text(String name, String otherwise) {
            List<String> values = values(name);
            return values.isEmpty() ? otherwise : values.get(0);
        }

        long number(String name, long least, long most, long otherwise) throws FsException {
            String text = text(name, "");
            return text.isEmpty() ? otherwise : parse(name, text, least, most);
        }

        boolean yes(String name) throws FsException {
            String text = text(name, "no").toLowerCase(Locale.ROOT);
            return switch (text) {
                case "yes", "true" -> true;
                case "no", "false" -> false;
                default -> throw new FsException(FsError.EINVAL, name + "=" + text + ": yes or no");
            };
        }

        SshTarget.Identities identities() throws FsException {
            List<String> byOption = options.getOrDefault("IdentityFile", List.of());
            List<String> byConfig = config.all("identityfile");
            List<SshTarget.KeyFile> files = new ArrayList<>();
            addKeys(files, byOption, SshTarget.NamedBy.OPTION);
            addKeys(files, byConfig, SshTarget.NamedBy.CONFIG);
            if (byOption.isEmpty() && byConfig.isEmpty()) {
                addKeys(files, KEYS_DEFAULT, SshTarget.NamedBy.DEFAULT);
            }
            String agent = text("IdentityAgent", "SSH_AUTH_SOCK");
            if (agent.equals("SSH_AUTH_SOCK") || agent.equals("$SSH_AUTH_SOCK")) {
                agent = place.agentSocket == null ? "none" : place.agentSocket;
            }
            return new SshTarget.Identities(
                    files,
                    yes("IdentitiesOnly"),
                    agent.isEmpty() || agent.equals("none") ? null : expandFile(agent));
        }

        private void addKeys(
                List<SshTarget.KeyFile> files, List<String> names, SshTarget.NamedBy by)
                throws FsException {
            for (String name : names) {
                if (!name.equalsIgnoreCase("none")) {
                    files.add(new SshTarget.KeyFile(expandFile(name), by));
                }
            }
        }

        SshTarget.Trust trust() throws FsException {
            String policy = text("StrictHostKeyChecking", "yes").toLowerCase(Locale.ROOT);
            HostKeyPolicy parsed =
                    switch (policy) {
                        case "yes", "ask", "true" -> HostKeyPolicy.STRICT;
                        case "accept-new" -> HostKeyPolicy.ACCEPT_NEW;
                        case "no", "off", "false" -> HostKeyPolicy.OFF;
                        default ->
                                throw new FsException(
                                        FsError.EINVAL,
                                        "StrictHostKeyChecking="
                                                + policy
                                                + ": yes, accept-new or no");
                    };
            String algorithms = text("HostKeyAlgorithms", "");
            String alias = text("HostKeyAlias", "");
            return new SshTarget.Trust(
                    parsed,
                    files("UserKnownHostsFile", List.of("~/.ssh/known_hosts")),
                    files("GlobalKnownHostsFile", List.of("/etc/ssh/ssh_known_hosts")),
                    algorithms.isEmpty() ? List.of() : List.of(algorithms.split(",")),
                    alias.isEmpty() ? null : alias,
                    yes("HashKnownHosts"));
        }

        private List<Path> files(String name, List<String> otherwise) throws FsException {
            List<String> values = values(name);
            List<Path> files = new ArrayList<>();
            for (String value : values.isEmpty() ? otherwise : values) {
                if (!value.equalsIgnoreCase("none")) {
                    files.add(expandFile(value));
                }
            }
            return files;
        }

        String expandHost(String text) throws FsException {
            return expand(text);
        }

        private Path expandFile(String text) throws FsException {
            return expandHome(expand(text));
        }

        private Path expandHome(String text) {
            if (text.equals("~") || text.startsWith("~/")) {
                return place.home.resolve(text.length() > 2 ? text.substring(2) : "");
            }
            return Path.of(text).toAbsolutePath();
        }

        /** The percent tokens of ssh_config(5) that a file name needs, and {@code ${NAME}}. */
        private String expand(String text) throws FsException {
            StringBuilder out = new StringBuilder();
            for (int i = 0; i < text.length(); i++) {
                char c = text.charAt(i);
                if (c == '$' && text.startsWith("${", i) && text.indexOf('}', i) > 0) {
                    int end = text.indexOf('}', i);
                    String value = System.getenv(text.substring(i + 2, end));
                    out.append(value == null ? "" : value);
                    i = end;
                } else if (c == '%' && i + 1 < text.length()) {
                    out.append(token(text.charAt(++i), text));
                } else {
                    out.append(c);
                }
            }
            return out.toString();
        }

        private String token(char token, String text) throws FsException {
            return switch (token) {
                case '%' -> "%";
                case 'h' -> hostName;
                case 'n' -> originalHost;
                case 'p' -> Integer.toString(port);
                case 'r' -> user;
                case 'u' -> place.localUser;
                case 'd' -> place.home.toString();
                default ->
                        throw new FsException(
                                FsError.EINVAL, "\"" + text + "\": %" + token + " is not known");
            };
        }
    }
}
