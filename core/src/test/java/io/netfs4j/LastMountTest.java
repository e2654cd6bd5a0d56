// SPDX-License-Identifier: Apache-2.0
package io.netfs4j;

import static org.assertj.core.api.Assertions.assertThat;

import io.netfs4j.base.FsException;
import io.netfs4j.base.SystemRuntime;
import io.netfs4j.cache.store.Succession;
import io.netfs4j.server.Remote;
import io.netfs4j.testing.ForgetfulDisk;

import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.Map;
import java.util.SplittableRandom;

/** Which mount came before. */
class LastMountTest {
    private static final Remote REMOTE;

    static {
        try {
            REMOTE = Remote.parse("sftp://host/data", Path.of("/"));
        } catch (FsException e) {
            throw new ExceptionInInitializerError(e);
        }
    }

    private final SystemRuntime runtime = new SystemRuntime();
    private final ForgetfulDisk disk = new ForgetfulDisk(new SplittableRandom(1));

    @AfterEach
    void close() {
        runtime.close();
    }

    private Succession succeed() {
        return LastMount.succeed(disk, runtime.environment());
    }

    @Test
    void aMount_isAfterTheOneBefore_thatHasEnded_alsoWhenThePowerWasLost() {
        Succession first = succeed();
        assertThat(first.before()).isZero();
        assertThat(first.present()).isNotZero();
        LastMount.end(disk, first);
        disk.losePower();
        Succession second = succeed();
        assertThat(second.before()).isEqualTo(first.present());
        assertThat(second.present()).isNotEqualTo(first.present());
        assertThat(succeed().before()).as("the second has died").isNotEqualTo(second.present());
    }

    private Succession follow(Path state) throws FsException {
        return LastMount.follow(
                runtime.environment(),
                REMOTE,
                MountOptions.parse(Map.of("state", state.toString(), "ro", "")));
    }

    @Test
    void readOnlyMounts_areAfterEachOther_unlessAnotherWritesOrHasWritten(@TempDir Path temp)
            throws Exception {
        Path state =
                Files.createDirectory(
                        temp.resolve("state"),
                        PosixFilePermissions.asFileAttribute(
                                PosixFilePermissions.fromString("rwx------")));
        MountOptions writes = MountOptions.parse(Map.of("state", state.toString()));
        Succession first = follow(state);
        assertThat(first.present()).isNotZero();
        assertThat(follow(state).before()).isEqualTo(first.present());
        try (MountState writer = MountState.open(runtime.environment(), REMOTE, writes, "/a")) {
            assertThat(writer.succession().before()).isEqualTo(first.present());
            assertThat(follow(state)).isEqualTo(Succession.UNKNOWN);
        }
        assertThat(follow(state).before()).isNotEqualTo(first.present());
    }

    /** Else the next one would take what the first has left for what stands. */
    @Test
    void afterAMountThatCannotSayThatItWas_isNone() {
        LastMount.end(disk, succeed());
        for (int call = 2; call <= 6; call++) {
            disk.failAt(call, call + 1, "Input/output error");
            assertThat(succeed()).isEqualTo(Succession.UNKNOWN);
            disk.restart();
            assertThat(succeed().before()).as("call " + call).isZero();
        }
    }
}
