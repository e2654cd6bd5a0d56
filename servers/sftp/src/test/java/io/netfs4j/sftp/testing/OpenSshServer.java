// SPDX-License-Identifier: Apache-2.0
package io.netfs4j.sftp.testing;

import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;

/**
 * A real sshd on a free port of the loopback address, with keys of its own in a directory of its
 * own. It can be killed and started again on the same port.
 *
 * <p><b>Ownership</b>: whoever starts one closes it. The directory is left to its owner.
 */
public final class OpenSshServer implements AutoCloseable {
    private static final String[] PROGRAMS = {
        "/usr/sbin/sshd", "/usr/local/sbin/sshd", "/usr/lib/ssh/sshd", "/usr/bin/sshd"
    };
    private static final int START_TRIES = 200;
    private static final int START_PAUSE_MILLIS = 25;

    private final Path directory;
    private final int port;
    private final List<String> more;
    private Process process;

    private OpenSshServer(Path directory, int port, List<String> more) {
        this.directory = directory;
        this.port = port;
        this.more = more;
    }

    /** Whether this machine has an sshd. */
    public static boolean isInstalled() {
        return program() != null;
    }

    private static String program() {
        for (String program : PROGRAMS) {
            if (Files.isExecutable(Path.of(program))) {
                return program;
            }
        }
        return null;
    }

    /**
     * Starts one.
     *
     * @param directory for keys, configuration, log and the served data; made if it is not there
     * @param more lines for sshd_config, before the built-in ones, so that they win
     */
    public static OpenSshServer start(Path directory, String... more) throws IOException {
        Files.createDirectories(directory.resolve("data"));
        int port;
        try (ServerSocket free = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
            port = free.getLocalPort();
        }
        OpenSshServer server = new OpenSshServer(directory, port, List.of(more));
        server.makeKey("host_ed25519", "ed25519");
        server.makeKey("id_ed25519", "ed25519");
        server.configure();
        server.start();
        return server;
    }

    /** The directory that tests keep their files in, as the server sees it and we do. */
    public Path data() {
        return directory.resolve("data");
    }

    public Path directory() {
        return directory;
    }

    public int port() {
        return port;
    }

    public Path identity() {
        return directory.resolve("id_ed25519");
    }

    public Path knownHosts() {
        return directory.resolve("known_hosts");
    }

    public static String user() {
        return System.getProperty("user.name");
    }

    /** The remote's URI for {@link #data}. */
    public String uri() {
        return uri(port);
    }

    /** The same through another port, a link proxy's. */
    public String uri(int throughPort) {
        return "sftp://" + user() + "@127.0.0.1:" + throughPort + data().toAbsolutePath();
    }

    /** Writes known_hosts for connections through another port. */
    public Path knownHosts(int throughPort) throws IOException {
        Path file = directory.resolve("known_hosts." + throughPort);
        Files.writeString(file, "[127.0.0.1]:" + throughPort + " " + hostKey() + "\n");
        return file;
    }

    private String hostKey() throws IOException {
        String[] words = Files.readString(directory.resolve("host_ed25519.pub")).split(" ");
        return words[0] + " " + words[1].strip();
    }

    /** Makes a key pair in the server's directory. */
    public Path makeKey(String name, String type, String... arguments) throws IOException {
        Path file = directory.resolve(name);
        if (!Files.exists(file)) {
            List<String> command =
                    new ArrayList<>(List.of("ssh-keygen", "-q", "-t", type, "-f", file.toString()));
            List<String> given = List.of(arguments);
            command.addAll(given.contains("-N") ? given : List.of("-N", ""));
            if (!given.contains("-N")) {
                command.addAll(given);
            }
            run(command);
        }
        return file;
    }

    /** Lets a public key in. */
    public void authorize(Path identity) throws IOException {
        Path file = directory.resolve("authorized_keys");
        String old = Files.exists(file) ? Files.readString(file) : "";
        Files.writeString(file, old + Files.readString(Path.of(identity + ".pub")));
    }

    /** Replaces the host key, as an attacker would; takes effect at the next start. */
    public void changeHostKey() throws IOException {
        Files.delete(directory.resolve("host_ed25519"));
        Files.delete(directory.resolve("host_ed25519.pub"));
        makeKey("host_ed25519", "ed25519");
    }

    private void configure() throws IOException {
        authorize(identity());
        Files.writeString(knownHosts(), "[127.0.0.1]:" + port + " " + hostKey() + "\n");
        List<String> lines = new ArrayList<>(more);
        lines.addAll(
                List.of(
                        "Port " + port,
                        "ListenAddress 127.0.0.1",
                        "HostKey " + directory.resolve("host_ed25519"),
                        "PidFile none",
                        "AuthorizedKeysFile " + directory.resolve("authorized_keys"),
                        "StrictModes no",
                        "UsePAM no",
                        "UseDNS no",
                        "PasswordAuthentication no",
                        "KbdInteractiveAuthentication no",
                        "PermitRootLogin prohibit-password",
                        "MaxStartups 200",
                        "AllowTcpForwarding yes"));
        if (more.stream().noneMatch(line -> line.startsWith("Subsystem"))) {
            lines.add("Subsystem sftp internal-sftp");
        }
        Files.write(directory.resolve("sshd_config"), lines);
    }

    /** Starts it again, on the same port with the same keys. */
    public void start() throws IOException {
        if (user().equals("root")) {
            Path privilegeSeparation = Path.of("/run/sshd");
            Files.createDirectories(
                    privilegeSeparation,
                    PosixFilePermissions.asFileAttribute(
                            PosixFilePermissions.fromString("rwxr-xr-x")));
        }
        String program = program();
        if (program == null) {
            throw new IOException("no sshd on this machine: install openssh-server");
        }
        Path log = directory.resolve("sshd.log");
        process =
                new ProcessBuilder(
                                program,
                                "-D",
                                "-e",
                                "-f",
                                directory.resolve("sshd_config").toString())
                        .redirectInput(ProcessBuilder.Redirect.from(Path.of("/dev/null").toFile()))
                        .redirectOutput(ProcessBuilder.Redirect.DISCARD)
                        .redirectError(ProcessBuilder.Redirect.appendTo(log.toFile()))
                        .start();
        for (int i = 0; i < START_TRIES; i++) {
            if (!process.isAlive()) {
                throw new IOException(
                        "sshd ended: " + Files.readString(log, StandardCharsets.UTF_8));
            }
            try (Socket probe = new Socket()) {
                probe.connect(new InetSocketAddress(InetAddress.getLoopbackAddress(), port), 1000);
                return;
            } catch (IOException e) {
                pause();
            }
        }
        throw new IOException("sshd does not listen on port " + port);
    }

    private static void pause() throws IOException {
        try {
            TimeUnit.MILLISECONDS.sleep(START_PAUSE_MILLIS);
        } catch (InterruptedException e) {
            throw new IOException("interrupted", e);
        }
    }

    /** Kills the server with all its sessions, at once: as a power failure of its machine would. */
    public void kill() throws IOException {
        List<ProcessHandle> all = new ArrayList<>(process.descendants().toList());
        process.destroyForcibly();
        all.forEach(ProcessHandle::destroyForcibly);
        await();
    }

    /** Kills the sessions and lets the listener live. */
    public void killSessions() {
        process.descendants().toList().forEach(ProcessHandle::destroyForcibly);
    }

    private void await() throws IOException {
        try {
            process.waitFor();
        } catch (InterruptedException e) {
            throw new IOException("interrupted", e);
        }
    }

    private static void run(List<String> command) throws IOException {
        Process program = new ProcessBuilder(command).redirectErrorStream(true).start();
        program.getOutputStream().close();
        String said = new String(program.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        try {
            if (program.waitFor() != 0) {
                throw new IOException(command.get(0) + ": " + said);
            }
        } catch (InterruptedException e) {
            throw new IOException("interrupted", e);
        }
    }

    @Override
    public void close() throws IOException {
        kill();
    }
}
