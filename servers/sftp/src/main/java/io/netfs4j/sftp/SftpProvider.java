// SPDX-License-Identifier: Apache-2.0
package io.netfs4j.sftp;

import io.netfs4j.base.Environment;
import io.netfs4j.base.FsError;
import io.netfs4j.base.FsException;
import io.netfs4j.server.Capabilities;
import io.netfs4j.server.Capability;
import io.netfs4j.server.FileType;
import io.netfs4j.server.Remote;
import io.netfs4j.server.Server;
import io.netfs4j.server.ServerAttributes;
import io.netfs4j.server.ServerOptions;
import io.netfs4j.server.ServerProvider;
import io.netfs4j.sftp.ssh.SshConnector;
import io.netfs4j.sftp.ssh.SshTarget;
import io.netfs4j.sftp.ssh.SshTargets;

import org.apache.sshd.client.session.ClientSession;

import java.nio.charset.StandardCharsets;
import java.util.EnumSet;
import java.util.HashSet;
import java.util.Set;
import java.util.function.Consumer;

/**
 * Connects {@code sftp://user@host:port/path}. The path is absolute on the server; {@code /~/x} is
 * below the directory where a login begins, and so is an absent path. User, port and the rest come
 * from options, ssh_config and defaults, in this order.
 */
public final class SftpProvider implements ServerProvider {
    /**
     * Bytes of WRITEs, and of READs, that wait for their answers: a link of 50 MB/s stays full up
     * to a round trip of 160 ms.
     */
    static final String BYTES_IN_FLIGHT = "sftp_bytes_in_flight_max";

    /** Requests of each kind that wait for their answers. */
    static final String REQUESTS_IN_FLIGHT = "sftp_requests_in_flight_max";

    /** Handles kept open on the server; never more than it allows. */
    static final String HANDLES = "sftp_handles_max";

    /** With {@code soft}: whole seconds after which waiting for the server fails with ETIMEDOUT. */
    static final String SOFT = "soft";

    static final String TIMEOUT = "timeout";

    private static final long BYTES_IN_FLIGHT_DEFAULT = 8L << 20;

    /** Pieces of 4 KiB fill a link of 50 MB/s and 20 ms with 256 unanswered ones, and barely. */
    private static final long REQUESTS_IN_FLIGHT_DEFAULT = 1024;

    private static final long HANDLES_DEFAULT = 512;

    /** Directories being listed need handles too. */
    private static final long HANDLES_SPARE = 16;

    private static final long HANDLES_MIN = 4;
    private static final long TIMEOUT_SECONDS_DEFAULT = 60;
    private static final long TIMEOUT_SECONDS_MAX = 86_400;

    @Override
    public Set<String> schemes() {
        return Set.of("sftp");
    }

    @Override
    public String words() {
        return "an SFTP server";
    }

    @Override
    public String usage() {
        return "sftp://[user@]host[:port]/path  /~/path is below the login directory";
    }

    @Override
    public Set<String> optionNames() {
        Set<String> names = new HashSet<>(SshTargets.OPTION_NAMES);
        names.addAll(Set.of(BYTES_IN_FLIGHT, REQUESTS_IN_FLIGHT, HANDLES, SOFT, TIMEOUT));
        return names;
    }

    @Override
    public Server connect(Remote remote, ServerOptions options, Environment environment)
            throws FsException {
        return connect(remote, options, environment, SshTargets.Place.ofProcess());
    }

    /**
     * As {@link #connect(Remote, ServerOptions, Environment)}, for a user who need not be the
     * process's.
     */
    Server connect(
            Remote remote, ServerOptions options, Environment environment, SshTargets.Place place)
            throws FsException {
        SshTarget target =
                new SshTargets(place, options.values())
                        .resolve(remote.host(), remote.user(), remote.port());
        SshConnector connector = new SshConnector(target);
        boolean done = false;
        Link link =
                new Link(
                        environment,
                        onEnd -> dial(connector, environment, onEnd),
                        softNanos(options));
        try {
            Server server = mount(remote, options, environment, new Start(link, connector));
            done = true;
            return server;
        } finally {
            if (!done) {
                link.close();
                connector.close();
            }
        }
    }

    private record Start(Link link, SshConnector connector) {}

    private static SftpConnection dial(
            SshConnector connector, Environment environment, Consumer<SftpConnection> onEnd)
            throws FsException {
        ClientSession session = connector.connect();
        return SftpConnection.open(
                environment, session, connector.target().timing().connectMillis(), onEnd);
    }

    private static long softNanos(ServerOptions options) throws FsException {
        long seconds = options.number(TIMEOUT, 1, TIMEOUT_SECONDS_MAX, TIMEOUT_SECONDS_DEFAULT);
        return options.values().containsKey(SOFT) ? seconds * 1_000_000_000L : 0;
    }

    private static Server mount(
            Remote remote, ServerOptions options, Environment environment, Start start)
            throws FsException {
        long bytes =
                options.number(
                        BYTES_IN_FLIGHT,
                        Protocol.DATA_BYTES_UNTOLD,
                        1L << 30,
                        BYTES_IN_FLIGHT_DEFAULT);
        int requests =
                (int) options.number(REQUESTS_IN_FLIGHT, 1, 4096, REQUESTS_IN_FLIGHT_DEFAULT);
        long handles = options.number(HANDLES, HANDLES_MIN, 1 << 20, HANDLES_DEFAULT);
        Greeting greeting = start.link.connect().greeting();
        if (greeting.handlesMax() > 0) {
            long allowed = Math.max(HANDLES_MIN, greeting.handlesMax() - HANDLES_SPARE);
            handles = Math.min(handles, allowed);
        }
        Exchange exchange = new Exchange(environment, start.link);
        ServerPaths paths = root(exchange, remote.path());
        Wiring wiring =
                new Wiring(
                        environment,
                        start.link,
                        exchange,
                        paths,
                        new Diagnosis(exchange, paths),
                        new HandleTable(environment, (int) handles),
                        new FlightWindow(bytes, requests, environment.scheduler()::execute),
                        new FlightWindow(bytes, requests, environment.scheduler()::execute));
        return new SftpServer(wiring, capabilities(greeting), start.connector);
    }

    private static Capabilities capabilities(Greeting greeting) {
        EnumSet<Capability> set =
                EnumSet.of(
                        Capability.OFFSET_WRITES,
                        Capability.MODES,
                        Capability.OWNERS,
                        Capability.SYMLINKS,
                        Capability.NAMED_LOCKS,
                        Capability.RENAME_NOREPLACE);
        if (greeting.offers(Protocol.HARDLINK)) {
            set.add(Capability.HARD_LINKS);
        }
        if (greeting.offers(Protocol.STATVFS)) {
            set.add(Capability.STATISTICS);
        }
        if (greeting.offers(Protocol.FSYNC)) {
            set.add(Capability.SYNC);
        }
        if (greeting.offers(Protocol.POSIX_RENAME)) {
            set.add(Capability.ATOMIC_RENAME);
        }
        if (greeting.offers(Protocol.COPY_DATA)) {
            set.add(Capability.SERVER_COPY);
        }
        return new Capabilities(
                set, 1, WireAttributes.TIME_GRANULARITY_NANOS, Protocol.NAME_BYTES_MAX);
    }

    /** The directory that is mounted, links resolved. */
    private static ServerPaths root(Exchange exchange, String path) throws FsException {
        String asked = path;
        if (path.isEmpty() || path.equals("/~") || path.startsWith("/~/")) {
            // REALPATH takes a relative path from where the login begins.
            asked = "./" + path.substring(Math.min(path.length(), 3));
        }
        byte[] bytes = asked.getBytes(StandardCharsets.UTF_8);
        if (bytes.length >= Protocol.PATH_BYTES_MAX || asked.indexOf(0) >= 0) {
            throw new FsException(FsError.EINVAL, "the remote's path is too long");
        }
        String shown = path.isEmpty() ? "the login directory" : path;
        byte[] root =
                exchange.persist((c, again) -> {
                    Reply reply =
                            exchange.call(
                                    c,
                                    new Exchange.Ask(
                                            new PacketWriter(Protocol.REALPATH).string(bytes),
                                            Protocol.NAME));
                    if (!reply.isOk()) {
                        throw missing(reply, shown);
                    }
                    if (reply.body().u32() != 1) {
                        throw new ProtocolViolation("more than one real path");
                    }
                    return reply.body().string(Protocol.PATH_BYTES_MAX);
                });
        Reply reply =
                exchange.persist((c, again) ->
                        exchange.call(
                                c,
                                Exchange.Ask.attributes(
                                        new PacketWriter(Protocol.LSTAT).string(root))));
        if (!reply.isOk()) {
            throw missing(reply, shown);
        }
        try {
            ServerAttributes there = WireAttributes.read(reply.body()).toServer();
            if (there.type() != FileType.DIRECTORY) {
                throw new FsException(FsError.ENOTDIR, shown + " is not a directory on the server");
            }
        } catch (ProtocolViolation e) {
            throw new FsException(FsError.EPROTO, "the server's root: " + e.getMessage(), e);
        }
        return new ServerPaths(root);
    }

    private static FsException missing(Reply reply, String shown) {
        return StatusErrors.exception(reply, shown + " on the server");
    }
}
