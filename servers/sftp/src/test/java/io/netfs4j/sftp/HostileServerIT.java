// SPDX-License-Identifier: Apache-2.0
package io.netfs4j.sftp;

import static io.netfs4j.sftp.testing.ScriptedSftpServer.packet;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.netfs4j.base.FsError;
import io.netfs4j.base.FsException;
import io.netfs4j.base.SystemRuntime;
import io.netfs4j.request.Subrequest;
import io.netfs4j.request.Termination;
import io.netfs4j.server.Access;
import io.netfs4j.server.Remote;
import io.netfs4j.server.RemotePath;
import io.netfs4j.server.Server;
import io.netfs4j.server.ServerFile;
import io.netfs4j.server.ServerOptions;
import io.netfs4j.sftp.testing.ScriptedSftpServer;
import io.netfs4j.testing.Transfers;

import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;

/** A server that does what it may not: it is dropped, in bounded memory, and the error is said. */
@Timeout(value = 2, unit = TimeUnit.MINUTES)
class HostileServerIT {
    private static final int FILE = 0100644;
    private static final int DIRECTORY = 0040755;

    @TempDir private Path directory;
    private final SystemRuntime runtime = new SystemRuntime();
    private final Transfers transfers = new Transfers(runtime.environment().waits());
    private final Map<Integer, ScriptedSftpServer.Script> scripts = new HashMap<>();
    private ScriptedSftpServer hostile;
    private Server server;

    @BeforeEach
    void start() throws Exception {
        hostile = ScriptedSftpServer.start(this::answer);
        Process keygen =
                new ProcessBuilder(
                                "ssh-keygen",
                                "-q",
                                "-t",
                                "ed25519",
                                "-N",
                                "",
                                "-f",
                                directory.resolve("id").toString())
                        .start();
        assertThat(keygen.waitFor()).isZero();
    }

    @AfterEach
    void stop() throws Exception {
        if (server != null) {
            server.close();
        }
        hostile.close();
        runtime.close();
    }

    /** A polite answer unless the test has another for that type. */
    private byte[] answer(int type, int id, byte[] body) throws java.io.IOException {
        ScriptedSftpServer.Script script = scripts.get(type);
        if (script != null) {
            return script.answer(type, id, body);
        }
        return switch (type) {
            case Protocol.INIT -> packet(Protocol.VERSION, 3, new byte[0]);
            case Protocol.REALPATH -> packet(Protocol.NAME, id, names("/"));
            case Protocol.LSTAT ->
                    packet(Protocol.ATTRS, id, attributes(body.length < 6 ? DIRECTORY : FILE));
            case Protocol.OPEN, Protocol.OPENDIR -> packet(Protocol.HANDLE, id, string("h"));
            default -> packet(Protocol.STATUS, id, status(0));
        };
    }

    private static byte[] status(int code) {
        return ByteBuffer.allocate(4).putInt(code).array();
    }

    private static byte[] attributes(int mode) {
        return ByteBuffer.allocate(8).putInt(Protocol.ATTR_PERMISSIONS).putInt(mode).array();
    }

    private static byte[] string(String text) {
        byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
        return ByteBuffer.allocate(4 + bytes.length).putInt(bytes.length).put(bytes).array();
    }

    private static byte[] names(String... names) {
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        out.writeBytes(status(names.length));
        for (String name : names) {
            out.writeBytes(string(name));
            out.writeBytes(string("long"));
            out.writeBytes(attributes(FILE));
        }
        return out.toByteArray();
    }

    private Server connect(String... more) throws FsException {
        Map<String, List<String>> options = new HashMap<>();
        options.put("IdentityFile", List.of(directory.resolve("id").toString()));
        options.put("StrictHostKeyChecking", List.of("no"));
        options.put("UserKnownHostsFile", List.of("none"));
        options.put("IdentityAgent", List.of("none"));
        options.put("ssh_config", List.of("none"));
        options.put("ConnectTimeout", List.of("5"));
        for (String option : more) {
            String[] parts = option.split("=");
            options.put(parts[0], List.of(parts.length > 1 ? parts[1] : ""));
        }
        server =
                new SftpProvider()
                        .connect(
                                Remote.parse(
                                        "sftp://u@127.0.0.1:" + hostile.port() + "/", directory),
                                new ServerOptions(options),
                                runtime.environment());
        return server;
    }

    private static RemotePath path(String name) {
        return new RemotePath(List.of(name));
    }

    private static void assertFails(FsError error, ThrowingCallable action) {
        assertThatThrownBy(action)
                .isInstanceOfSatisfying(
                        FsException.class, e -> assertThat(e.error()).as("%s", e).isEqualTo(error));
    }

    @Test
    void connect_greetingIsText_saysSo() {
        scripts.put(
                Protocol.INIT,
                (type, id, body) -> "Welcome to this server!\n".getBytes(StandardCharsets.UTF_8));
        assertThatThrownBy(this::connect)
                .isInstanceOf(FsException.class)
                .hasMessageContaining("text");
    }

    @Test
    void connect_otherVersion_isRefused() {
        scripts.put(Protocol.INIT, (type, id, body) -> packet(Protocol.VERSION, 2, new byte[0]));
        assertFails(FsError.EPROTO, this::connect);
    }

    @Test
    void connect_noGreeting_timesOut() {
        scripts.put(Protocol.INIT, (type, id, body) -> null);
        assertThatThrownBy(() -> connect("ConnectTimeout=1")).isInstanceOf(FsException.class);
    }

    @Test
    void name_oversizedReply_endsAfterFewConnections() throws Exception {
        connect();
        scripts.put(
                Protocol.LSTAT,
                (type, id, body) -> ByteBuffer.allocate(9).putInt(Integer.MAX_VALUE).array());
        assertFails(FsError.EPROTO, () -> server.stat(path("f")));
        assertThat(hostile.sessions()).isLessThan(8);
    }

    @Test
    void name_replyToNobody_endsConnection() throws Exception {
        connect();
        scripts.put(
                Protocol.LSTAT, (type, id, body) -> packet(Protocol.STATUS, id + 77, status(2)));
        assertFails(FsError.EPROTO, () -> server.stat(path("f")));
    }

    @Test
    void name_attributesCutShort_endsConnection() throws Exception {
        connect();
        scripts.put(
                Protocol.LSTAT,
                (type, id, body) -> packet(Protocol.ATTRS, id, new byte[] {0, 0, 0, 15, 1}));
        assertFails(FsError.EPROTO, () -> server.stat(path("f")));
    }

    @Test
    void name_serverComesToItsSenses_isAnswered() throws Exception {
        connect();
        int[] times = {0};
        scripts.put(
                Protocol.LSTAT,
                (type, id, body) ->
                        times[0]++ < 2
                                ? packet(Protocol.DATA, id, string("x"))
                                : packet(Protocol.ATTRS, id, attributes(FILE)));
        assertThat(server.stat(path("f")).mode()).isEqualTo(0644);
    }

    @Test
    void read_moreThanAsked_isAnAnswerAndCounts() throws Exception {
        connect();
        scripts.put(
                Protocol.READ,
                (type, id, body) -> packet(Protocol.DATA, id, string("x".repeat(200))));
        ServerFile file = server.open(() -> path("f"), Access.READ).file();
        Transfers.Ended ended =
                transfers.piece(
                        file.reads(),
                        Subrequest.Direction.READ,
                        0,
                        Transfers.segments(new byte[100]));
        assertThat(ended.termination())
                .isInstanceOfSatisfying(
                        Termination.RetryLater.class,
                        later -> {
                            assertThat(later.disconnected()).isFalse();
                            assertThat(later.cause().error()).isEqualTo(FsError.EPROTO);
                        });
    }

    @Test
    void write_handleForgotten_isOpenedAgain() throws Exception {
        connect();
        int[] times = {0};
        scripts.put(
                Protocol.WRITE,
                (type, id, body) -> packet(Protocol.STATUS, id, status(times[0]++ == 0 ? 2 : 0)));
        ServerFile file = server.open(() -> path("f"), Access.READ_WRITE).file();
        transfers.put(file.begin(null), 0, new byte[10]);
        assertThat(times[0]).isEqualTo(2);
    }

    /** As git makes its objects; the server is not hostile here, merely strict. */
    @Test
    void write_readOnlyFileOpenedAgain_lendsTheBitForTheMoment() throws Exception {
        connect();
        boolean[] locked = {true};
        List<Integer> modes = new ArrayList<>();
        scripts.put(
                Protocol.OPEN,
                (type, id, body) ->
                        modes.size() == 1 || !locked[0]
                                ? packet(Protocol.HANDLE, id, string("h"))
                                : packet(Protocol.STATUS, id, status(3)));
        scripts.put(
                Protocol.SETSTAT,
                (type, id, body) -> {
                    modes.add(ByteBuffer.wrap(body, body.length - 4, 4).getInt());
                    return packet(Protocol.STATUS, id, status(0));
                });
        locked[0] = false;
        ServerFile file = server.open(() -> path("f"), Access.READ_WRITE).file();
        locked[0] = true;
        scripts.put(
                Protocol.LSTAT,
                (type, id, body) -> packet(Protocol.ATTRS, id, attributes(0100444)));
        int[] writes = {0};
        scripts.put(
                Protocol.WRITE,
                (type, id, body) -> packet(Protocol.STATUS, id, status(writes[0]++ == 0 ? 9 : 0)));
        transfers.put(file.begin(null), 0, new byte[10]);
        assertThat(modes).containsExactly(0644, 0444);
        assertThat(writes[0]).isEqualTo(2);
    }

    @Test
    void list_namesThatAreNone_areLeftOut() throws Exception {
        connect();
        int[] times = {0};
        scripts.put(
                Protocol.READDIR,
                (type, id, body) ->
                        times[0]++ == 0
                                ? packet(
                                        Protocol.NAME,
                                        id,
                                        names(
                                                ".",
                                                "..",
                                                "",
                                                "../etc/passwd",
                                                "a/b",
                                                "a\0b",
                                                "x".repeat(256),
                                                "good"))
                                : packet(Protocol.STATUS, id, status(1)));
        List<String> found = new ArrayList<>();
        server.list(RemotePath.ROOT, (name, t, attributes) -> found.add(name));
        assertThat(found).containsExactly("good");
    }

    @Test
    void list_repliesWithoutEntries_doNotGoOnForEver() throws Exception {
        connect();
        scripts.put(Protocol.READDIR, (type, id, body) -> packet(Protocol.NAME, id, status(0)));
        assertFails(
                FsError.EPROTO, () -> server.list(RemotePath.ROOT, (name, t, attributes) -> {}));
        scripts.put(
                Protocol.READDIR,
                (type, id, body) -> packet(Protocol.NAME, id, status(Integer.MAX_VALUE)));
        assertFails(
                FsError.EPROTO, () -> server.list(RemotePath.ROOT, (name, t, attributes) -> {}));
    }

    @Test
    void name_noAnswerAndSoft_timesOutAndLateReplyIsHarmless() throws Exception {
        connect("soft", "timeout=1");
        List<Integer> unanswered = new ArrayList<>();
        scripts.put(
                Protocol.LSTAT,
                (type, id, body) -> {
                    unanswered.add(id);
                    return null;
                });
        assertFails(FsError.ETIMEDOUT, () -> server.stat(path("f")));
        scripts.put(
                Protocol.LSTAT,
                (type, id, body) -> {
                    ByteArrayOutputStream both = new ByteArrayOutputStream();
                    for (int late : unanswered) {
                        both.writeBytes(packet(Protocol.STATUS, late, status(2)));
                    }
                    both.writeBytes(packet(Protocol.ATTRS, id, attributes(FILE)));
                    unanswered.clear();
                    return both.toByteArray();
                });
        assertThat(server.stat(path("g")).mode()).isEqualTo(0644);
        assertThat(hostile.sessions()).isEqualTo(1);
    }
}
