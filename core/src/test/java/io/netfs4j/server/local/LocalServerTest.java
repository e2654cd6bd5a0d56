// SPDX-License-Identifier: Apache-2.0
package io.netfs4j.server.local;

import static org.assertj.core.api.Assertions.assertThat;

import io.netfs4j.base.Environment;
import io.netfs4j.base.FsError;
import io.netfs4j.base.FsException;
import io.netfs4j.base.SystemRuntime;
import io.netfs4j.server.Access;
import io.netfs4j.server.Remote;
import io.netfs4j.server.RenameMode;
import io.netfs4j.server.Server;
import io.netfs4j.server.ServerOptions;
import io.netfs4j.testing.contract.ServerDataContract;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

import java.nio.file.Files;
import java.nio.file.Path;

class LocalServerTest extends ServerDataContract {
    @TempDir private Path directory;

    @Override
    protected Server connect(Environment environment) throws Exception {
        return connect(directory.resolve("root").toString(), environment);
    }

    private Server connect(String remote, Environment environment) throws FsException {
        return new LocalServerProvider()
                .connect(Remote.parse(remote, directory), ServerOptions.NONE, environment);
    }

    @Test
    void connect_rootMissing_isMadeWhenItsParentExists() throws Exception {
        assertThat(directory.resolve("root")).isDirectory();
        try (SystemRuntime runtime = new SystemRuntime()) {
            connect("./relative", runtime.environment()).close();
            assertThat(directory.resolve("relative")).isDirectory();
            connect("file://" + directory + "/b%20c", runtime.environment()).close();
            assertThat(directory.resolve("b c")).isDirectory();
            assertFails(FsError.ENOENT, () -> connect("x/y", runtime.environment()));
            Files.createFile(directory.resolve("f"));
            assertFails(FsError.ENOTDIR, () -> connect("f", runtime.environment()));
        }
    }

    @Test
    void resolve_linkOnTheWay_isNotFollowed() throws Exception {
        Path secret = Files.createDirectory(directory.resolve("secret"));
        Files.writeString(secret.resolve("f"), "secret");
        Files.createSymbolicLink(directory.resolve("root/l"), secret);
        Files.createSymbolicLink(directory.resolve("root/m"), secret.resolve("f"));
        assertFails(FsError.ENOTDIR, () -> server.stat(path("l", "f")));
        assertFails(FsError.ENOTDIR, () -> server.list(path("l"), (n, t, a) -> {}));
        assertFails(FsError.ENOTDIR, () -> server.create(() -> path("l", "g"), 0644));
        assertFails(FsError.ENOTDIR, () -> server.removeDirectory(path("l")));
        assertFails(
                FsError.ENOTDIR,
                () -> server.rename(path("m"), path("l", "x"), RenameMode.REPLACE));
        assertFails(FsError.ELOOP, () -> server.open(() -> path("m"), Access.READ));
        server.remove(path("m"));
        assertThat(secret.resolve("f")).hasContent("secret");
    }

    @Test
    void files_ofThisMachine_areSeenAndSeeUs() throws Exception {
        Files.writeString(directory.resolve("root/f"), "hello");
        assertThat(contents(path("f"))).asString().isEqualTo("hello");
        make("g", pattern(1, 10));
        assertThat(Files.readAllBytes(directory.resolve("root/g"))).isEqualTo(pattern(1, 10));
    }

    @Test
    void interrupt_ofCaller_leavesFileUsable() throws Exception {
        var file = server.create(() -> path("f"), 0644).file();
        Thread.currentThread().interrupt();
        try {
            file.attributes();
        } catch (FsException e) {
            assertThat(e.error()).isEqualTo(FsError.EINTR);
        } finally {
            Thread.interrupted();
        }
        transfers.write(file, 0, pattern(1, 10));
        assertThat(transfers.get(file, 0, 100)).isEqualTo(pattern(1, 10));
        file.close();
    }
}
