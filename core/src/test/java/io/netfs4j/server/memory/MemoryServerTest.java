// SPDX-License-Identifier: Apache-2.0
package io.netfs4j.server.memory;

import static org.assertj.core.api.Assertions.assertThat;

import io.netfs4j.base.Environment;
import io.netfs4j.base.FsError;
import io.netfs4j.server.Access;
import io.netfs4j.server.RemotePath;
import io.netfs4j.server.Server;
import io.netfs4j.server.ServerFile;
import io.netfs4j.testing.contract.ServerDataContract;

import org.junit.jupiter.api.Test;

class MemoryServerTest extends ServerDataContract {
    private static final long CAPACITY_BYTES = 8 << 20;

    @Override
    protected Server connect(Environment environment) {
        return new MemoryServer(environment.clock(), CAPACITY_BYTES);
    }

    @Test
    void write_storeFull_saysNoSpaceUntilSomethingIsRemoved() throws Exception {
        make("big", new byte[(int) CAPACITY_BYTES]);
        ServerFile file = server.create(() -> path("f"), 0644).file();
        assertFails(FsError.ENOSPC, () -> transfers.write(file, 0, pattern(1, 10)));
        server.remove(path("big"));
        transfers.write(file, 0, pattern(1, 10));
        file.close();
        assertThat(contents(path("f"))).isEqualTo(pattern(1, 10));
    }

    @Test
    void close_lastHandleOfUnlinkedFile_freesItsSpace() throws Exception {
        make("big", new byte[(int) CAPACITY_BYTES]);
        ServerFile file = server.open(() -> path("big"), Access.READ).file();
        server.remove(path("big"));
        assertThat(server.statistics(RemotePath.ROOT).blocksFree()).isZero();
        file.close();
        file.close();
        var after = server.statistics(RemotePath.ROOT);
        assertThat(after.blocksFree()).isEqualTo(after.blocks());
    }
}
