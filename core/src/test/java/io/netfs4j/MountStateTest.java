// SPDX-License-Identifier: Apache-2.0
package io.netfs4j;

import static org.assertj.core.api.Assertions.assertThat;

import io.netfs4j.server.Remote;
import io.netfs4j.server.ServerOptions;
import io.netfs4j.vfs.OpenFile;
import io.netfs4j.vfs.OpenFlags;
import io.netfs4j.vfs.Vfs;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;

/** What a mount tells of what it keeps on this machine. */
@Timeout(60)
class MountStateTest {
    /** More than the segments that a journal has at its beginning. */
    private static final int WRITES = 16;

    private static final int WRITE_BYTES = 4 << 20;

    @TempDir private Path here;

    @Test
    void journal_thatFails_isTold_andKeepsNothing() throws IOException {
        Path state = here.resolve("state");
        try (Mount mount =
                Netfs.open(
                        Remote.parse("./remote", here),
                        MountOptions.parse(Map.of("state", state.toString())),
                        ServerOptions.NONE,
                        "/mnt/x")) {
            assertThat(mount.journalFailure()).isNull();
            assertThat(mount.keepsState()).isTrue();
            Path journal = StateDirectory.lookAt(state).entries().getFirst().journal();
            // No segment can be made there any more.
            Files.move(journal, here.resolve("moved"));

            Vfs vfs = mount.vfs();
            OpenFile file = vfs.create(Vfs.ROOT_INO, "file", 0644, OpenFlags.READ_WRITE).file();
            for (int i = 0; i < WRITES; i++) {
                vfs.write(file, (long) i * WRITE_BYTES, ByteBuffer.allocate(WRITE_BYTES));
            }

            assertThat(mount.journalFailure()).isNotNull();
            assertThat(mount.keepsState()).isFalse();
        }
    }
}
