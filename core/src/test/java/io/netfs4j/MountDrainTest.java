// SPDX-License-Identifier: Apache-2.0
package io.netfs4j;

import static org.assertj.core.api.Assertions.assertThat;

import static java.nio.charset.StandardCharsets.UTF_8;

import io.netfs4j.server.Remote;
import io.netfs4j.server.ServerOptions;
import io.netfs4j.vfs.OpenFile;
import io.netfs4j.vfs.OpenFlags;
import io.netfs4j.vfs.Vfs;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;

/** What draining a mount waits for, and what it says that the server refuses. */
@Timeout(60)
class MountDrainTest {
    @TempDir private Path here;

    /** It goes to a file beside it: nothing is to be mended. */
    @Test
    void fileThatAnotherClientChanged_isSavedBesideIt_andNotSaidToBeRefused() throws Exception {
        Path file = Files.createDirectory(here.resolve("remote")).resolve("file");
        Files.writeString(file, "base");
        Map<String, String> options =
                Map.of("state", here.resolve("state").toString(), "dirty_age", "1000");
        try (Mount mount =
                Netfs.open(
                        Remote.parse("./remote", here),
                        MountOptions.parse(options),
                        ServerOptions.NONE,
                        "/mnt/x")) {
            Vfs vfs = mount.vfs();
            long ino = vfs.lookup(Vfs.ROOT_INO, "file").attributes().ino();
            OpenFile open = vfs.open(ino, OpenFlags.READ_WRITE);
            vfs.write(open, 0, ByteBuffer.wrap("ours".getBytes(UTF_8)));
            Files.writeString(file, "of another client");
            assertThat(mount.drain()).isEmpty();
            vfs.release(open);
        }
        assertThat(Files.readString(file)).isEqualTo("of another client");
        List<Path> copies;
        try (Stream<Path> names = Files.list(file.getParent())) {
            copies = names.filter(name -> name.toString().contains(".conflict-")).toList();
        }
        assertThat(copies).hasSize(1);
        assertThat(Files.readString(copies.get(0))).isEqualTo("ours");
    }
}
