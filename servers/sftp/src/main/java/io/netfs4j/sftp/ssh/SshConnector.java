// SPDX-License-Identifier: Apache-2.0
package io.netfs4j.sftp.ssh;

import io.netfs4j.base.FsError;
import io.netfs4j.base.FsException;

import org.apache.sshd.agent.SshAgent;
import org.apache.sshd.agent.SshAgentFactory;
import org.apache.sshd.agent.SshAgentServer;
import org.apache.sshd.client.SshClient;
import org.apache.sshd.client.auth.pubkey.UserAuthPublicKeyFactory;
import org.apache.sshd.client.config.hosts.HostConfigEntryResolver;
import org.apache.sshd.client.future.AuthFuture;
import org.apache.sshd.client.future.ConnectFuture;
import org.apache.sshd.client.session.ClientSession;
import org.apache.sshd.client.session.forward.ExplicitPortForwardingTracker;
import org.apache.sshd.common.FactoryManager;
import org.apache.sshd.common.channel.ChannelFactory;
import org.apache.sshd.common.io.nio2.Nio2ServiceFactoryFactory;
import org.apache.sshd.common.keyprovider.KeyIdentityProvider;
import org.apache.sshd.common.session.ConnectionService;
import org.apache.sshd.common.session.Session;
import org.apache.sshd.common.util.net.SshdSocketAddress;
import org.apache.sshd.common.util.threads.ThreadUtils;
import org.apache.sshd.core.CoreModuleProperties;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

import java.io.IOException;
import java.io.InterruptedIOException;
import java.net.ConnectException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.NoRouteToHostException;
import java.net.SocketAddress;
import java.net.UnknownHostException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeoutException;

/**
 * Makes authenticated SSH sessions to one target, through its jumps, as often as asked: a session
 * that was lost is replaced by a new one.
 *
 * <p><b>Threads</b>: {@link #connect} waits on the calling thread, interruptibly, and is called by
 * one thread at a time.
 *
 * <p><b>Ownership</b>: {@link #close} ends the threads of every session made here.
 */
public final class SshConnector implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(SshConnector.class);

    /** Reading and writing of one session never need more. */
    private static final int IO_THREADS = 2;

    /**
     * What the server may send before we read on: with 8 MiB a link of 50 MB/s stays full up to a
     * round trip of 160 ms.
     */
    private static final long RECEIVE_WINDOW_BYTES = 8L << 20;

    /** Larger channel packets cost fewer headers and tags; OpenSSH sends what it is allowed. */
    private static final long RECEIVE_PACKET_BYTES = 128L << 10;

    private static final int SOCKET_READ_BYTES = 256 << 10;

    /** RFC 4344 section 3.2 allows 2^32 blocks of AES, 64 GiB; a quarter of it. */
    private static final long REKEY_BYTES = 16L << 30;

    private static final Duration REKEY_TIME = Duration.ofHours(1);

    /** Ciphers by their speed here: AES-GCM runs in hardware and needs no separate MAC. */
    private static final String CIPHERS_FIRST = "aes128-gcm@openssh.com,aes256-gcm@openssh.com";

    private final SshTarget target;
    private final List<SshClient> clients = new ArrayList<>();

    /** The nearest jump first, the server itself last. */
    private final List<SshTarget> hops;

    public SshConnector(SshTarget target) {
        JdkEd25519.register();
        this.target = target;
        this.hops = new ArrayList<>(target.jumps());
        hops.add(target);
        for (SshTarget hop : hops) {
            clients.add(client(hop));
        }
    }

    public SshTarget target() {
        return target;
    }

    private static SshClient client(SshTarget hop) {
        SshClient client = SshClient.setUpDefaultClient();
        client.setIoServiceFactoryFactory(
                new Nio2ServiceFactoryFactory(
                        () -> ThreadUtils.newFixedThreadPool("netfs-ssh-io", IO_THREADS)));
        client.setHostConfigEntryResolver(HostConfigEntryResolver.EMPTY);
        client.setUserAuthFactories(List.of(UserAuthPublicKeyFactory.INSTANCE));
        List<String> ciphers = new ArrayList<>(List.of(CIPHERS_FIRST.split(",")));
        for (String name : client.getCipherFactoriesNames()) {
            if (!ciphers.contains(name) && !name.endsWith("-cbc")) {
                ciphers.add(name);
            }
        }
        client.setCipherFactoriesNames(ciphers);
        CoreModuleProperties.TCP_NODELAY.set(client, true);
        CoreModuleProperties.SOCKET_KEEPALIVE.set(client, true);
        CoreModuleProperties.NIO2_READ_BUFFER_SIZE.set(client, SOCKET_READ_BYTES);
        CoreModuleProperties.WINDOW_SIZE.set(client, RECEIVE_WINDOW_BYTES);
        CoreModuleProperties.MAX_PACKET_SIZE.set(client, RECEIVE_PACKET_BYTES);
        CoreModuleProperties.IDLE_TIMEOUT.set(client, Duration.ZERO);
        CoreModuleProperties.NIO2_READ_TIMEOUT.set(client, Duration.ZERO);
        CoreModuleProperties.REKEY_BYTES_LIMIT.set(client, REKEY_BYTES);
        CoreModuleProperties.REKEY_TIME_LIMIT.set(client, REKEY_TIME);
        CoreModuleProperties.IGNORE_MESSAGE_FREQUENCY.set(client, 0L);
        SshTarget.Timing timing = hop.timing();
        Duration patience = Duration.ofMillis(timing.connectMillis());
        // Later than ours, whose message is the better one.
        CoreModuleProperties.AUTH_TIMEOUT.set(client, patience.multipliedBy(2));
        CoreModuleProperties.IO_CONNECT_TIMEOUT.set(client, patience);
        if (timing.aliveIntervalMillis() > 0) {
            Duration interval = Duration.ofMillis(timing.aliveIntervalMillis());
            CoreModuleProperties.HEARTBEAT_REQUEST.set(client, "keepalive@openssh.com");
            CoreModuleProperties.HEARTBEAT_INTERVAL.set(client, interval);
            CoreModuleProperties.HEARTBEAT_NO_REPLY_MAX.set(client, timing.aliveCountMax());
            // A server that reads nothing answers nothing either: the same patience for both.
            CoreModuleProperties.NIO2_MIN_WRITE_TIMEOUT.set(
                    client, interval.multipliedBy(timing.aliveCountMax() + 1L));
        } else {
            CoreModuleProperties.NIO2_MIN_WRITE_TIMEOUT.set(client, Duration.ofDays(1));
        }
        return client;
    }

    /**
     * Connects, checks the host key and logs in.
     *
     * @throws FsException EKEYREJECTED (host key), EACCES (no key was let in), EHOSTUNREACH,
     *     ECONNREFUSED, ETIMEDOUT, ENOTCONN (the connection broke), EINVAL (a key file), EINTR
     */
    public ClientSession connect() throws FsException {
        List<ClientSession> before = new ArrayList<>();
        ExplicitPortForwardingTracker tunnel = null;
        try {
            SocketAddress through = null;
            for (int i = 0; i < hops.size(); i++) {
                ClientSession session = open(clients.get(i), hops.get(i), through);
                if (tunnel != null) {
                    // Nobody else of this machine shall come through.
                    tunnel.close();
                    tunnel = null;
                }
                if (i == hops.size() - 1) {
                    List<ClientSession> jumps = List.copyOf(before);
                    session.addCloseFutureListener(f -> jumps.forEach(j -> j.close(true)));
                    before.clear();
                    return session;
                }
                before.add(session);
                SshTarget next = hops.get(i + 1);
                tunnel =
                        session.createLocalPortForwardingTracker(
                                new SshdSocketAddress("127.0.0.1", 0),
                                new SshdSocketAddress(next.hostName(), next.port()));
                SshdSocketAddress bound = tunnel.getBoundAddress();
                through = new InetSocketAddress(InetAddress.getLoopbackAddress(), bound.getPort());
            }
            throw new IllegalStateException("no hop");
        } catch (FsException e) {
            throw e;
        } catch (IOException e) {
            throw new FsException(FsError.ENOTCONN, "cannot go through a jump: " + e, e);
        } finally {
            before.forEach(s -> s.close(true));
        }
    }

    private ClientSession open(SshClient client, SshTarget hop, @Nullable SocketAddress through)
            throws FsException {
        HostKeyCheck check = new HostKeyCheck(hop);
        IdentityKeys keys = IdentityKeys.read(hop.identities());
        client.setServerKeyVerifier(check);
        List<String> names = client.getSignatureFactoriesNames();
        client.setSignatureFactoriesNames(check.preferred(names));
        client.setKeyIdentityProvider(KeyIdentityProvider.wrapKeyPairs(keys.pairs()));
        client.setAgentFactory(
                hop.identities().agentSocket() == null ? null : agentFactory(hop, keys));
        if (!client.isStarted()) {
            client.start();
        }
        FsException last = null;
        for (SocketAddress address : addresses(hop, through)) {
            ClientSession session;
            try {
                ConnectFuture future = client.connect(hop.user(), address, null, null);
                session = future.verify(hop.timing().connectMillis()).getClientSession();
            } catch (IOException e) {
                last = unreachable(hop, e);
                continue;
            }
            logIn(session, hop, check, keys);
            return session;
        }
        throw last == null ? new FsException(FsError.EHOSTUNREACH, hop.hostName()) : last;
    }

    private static List<SocketAddress> addresses(SshTarget hop, @Nullable SocketAddress through)
            throws FsException {
        if (through != null) {
            return List.of(through);
        }
        try {
            List<SocketAddress> all = new ArrayList<>();
            for (InetAddress address : InetAddress.getAllByName(hop.hostName())) {
                all.add(new InetSocketAddress(address, hop.port()));
            }
            return all;
        } catch (UnknownHostException e) {
            throw new FsException(
                    FsError.EHOSTUNREACH,
                    "cannot find the host \"" + hop.hostName() + "\": check its name or your DNS",
                    e);
        }
    }

    private void logIn(ClientSession session, SshTarget hop, HostKeyCheck check, IdentityKeys keys)
            throws FsException {
        boolean in = false;
        try {
            AuthFuture auth = session.auth();
            auth.verify(hop.timing().connectMillis());
            in = true;
        } catch (InterruptedIOException e) {
            throw new FsException(FsError.EINTR, "interrupted while logging in", e);
        } catch (IOException e) {
            FsException refusal = check.refusal();
            if (refusal != null) {
                throw refusal;
            }
            throw notLetIn(hop, keys, e);
        } finally {
            if (!in) {
                session.close(true);
            }
        }
    }

    private static FsException notLetIn(SshTarget hop, IdentityKeys keys, IOException e) {
        LOG.debug("log in to {} failed", hop, e);
        if (isTimeout(e)) {
            return new FsException(
                    FsError.ETIMEDOUT,
                    hop.hostName()
                            + ":"
                            + hop.port()
                            + " did not let us in within "
                            + hop.timing().connectMillis() / 1000
                            + " s (ConnectTimeout): is it an SSH server?",
                    e);
        }
        String text = String.valueOf(e.getMessage());
        if (!text.contains("No more authentication methods") && !text.contains("oo many")) {
            return brokeOff(FsError.ENOTCONN, hop, e);
        }
        List<String> tried = new ArrayList<>(keys.findings());
        if (hop.identities().agentSocket() != null) {
            tried.add("the agent's keys were refused");
        }
        return new FsException(
                FsError.EACCES,
                hop
                        + " lets no key of ours in ("
                        + (tried.isEmpty()
                                ? "there is none: name one with IdentityFile=, or start an agent"
                                : String.join("; ", tried))
                        + ")",
                e);
    }

    private static FsException unreachable(SshTarget hop, IOException e) {
        String where = hop.hostName() + ":" + hop.port();
        if (e instanceof InterruptedIOException) {
            return new FsException(FsError.EINTR, "interrupted while connecting", e);
        }
        for (Throwable t = e; t != null; t = t.getCause()) {
            if (t instanceof NoRouteToHostException) {
                return new FsException(FsError.EHOSTUNREACH, "no route to " + where, e);
            }
            if (t instanceof ConnectException
                    && String.valueOf(t.getMessage()).contains("refused")) {
                return new FsException(
                        FsError.ECONNREFUSED,
                        where + " refuses connections: does an SSH server listen on that port?",
                        e);
            }
        }
        if (isTimeout(e)) {
            return new FsException(
                    FsError.ETIMEDOUT,
                    where
                            + " did not answer within "
                            + hop.timing().connectMillis() / 1000
                            + " s (ConnectTimeout)",
                    e);
        }
        return brokeOff(FsError.EHOSTUNREACH, hop, e);
    }

    /** The library's messages name its own classes; what helps is the innermost cause. */
    private static FsException brokeOff(FsError error, SshTarget hop, IOException e) {
        Throwable cause = e;
        while (cause.getCause() != null) {
            cause = cause.getCause();
        }
        String text = String.valueOf(cause.getMessage());
        return new FsException(
                error,
                hop.hostName()
                        + ":"
                        + hop.port()
                        + " broke the connection off ("
                        + text.substring(text.lastIndexOf(": ") + 1).strip()
                        + "): try again, or look at the server's log",
                e);
    }

    private static boolean isTimeout(Throwable e) {
        for (Throwable t = e; t != null; t = t.getCause()) {
            if (t instanceof TimeoutException
                    || t instanceof java.net.SocketTimeoutException
                    || String.valueOf(t.getMessage()).contains("timed out")
                    || String.valueOf(t.getMessage()).contains("timeout")) {
                return true;
            }
        }
        return false;
    }

    /** An agent that has gone away is like one without keys: the files are tried. */
    private static SshAgentFactory agentFactory(SshTarget hop, IdentityKeys keys) {
        return new SshAgentFactory() {
            @Override
            public List<ChannelFactory> getChannelForwardingFactories(FactoryManager manager) {
                return List.of();
            }

            @Override
            public @Nullable SshAgent createClient(Session session, FactoryManager manager) {
                SshTarget.Identities identities = hop.identities();
                if (identities.agentSocket() == null) {
                    return null;
                }
                try {
                    return new AgentClient(
                            identities.agentSocket(), k -> !identities.only() || keys.names(k));
                } catch (IOException | RuntimeException e) {
                    LOG.warn("no agent at {}: {}", identities.agentSocket(), e.toString());
                    return null;
                }
            }

            @Override
            public SshAgentServer createServer(ConnectionService service) throws IOException {
                throw new IOException("agents are not forwarded");
            }
        };
    }

    @Override
    public void close() {
        for (SshClient client : clients) {
            client.stop();
        }
    }
}
