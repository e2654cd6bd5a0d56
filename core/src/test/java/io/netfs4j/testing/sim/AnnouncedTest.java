// SPDX-License-Identifier: Apache-2.0
package io.netfs4j.testing.sim;

import static org.assertj.core.api.Assertions.assertThat;

import io.netfs4j.base.FsException;
import io.netfs4j.server.RemotePath;
import io.netfs4j.server.ServerAttributes;
import io.netfs4j.server.memory.MemoryServer;

import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

/** What of a new directory was announced while the server had not got that, and afterwards. */
class AnnouncedTest {
    private static final RemotePath DIRECTORY = RemotePath.ROOT.child("d");
    private static final RemotePath FILE = DIRECTORY.child("f");

    private final SimLoop clock =
            new SimLoop(new Origin(1, Origin.WORLD, Origin.WORLD_BEGINNING), new Trace(false));
    private final MemoryServer store = new MemoryServer(clock);
    private final Announced<String> announced = new Announced<>(this::peek);

    private @Nullable ServerAttributes peek(RemotePath path) {
        try {
            return store.stat(path);
        } catch (FsException e) {
            return null;
        }
    }

    @Test
    void directoryMade_keepsWhatWasAnnouncedBefore() throws FsException {
        announced.put(FILE, "first");
        store.makeDirectory(DIRECTORY, 0755);
        announced.directoryMade(DIRECTORY);
        assertThat(announced.remove(FILE)).isEqualTo("first");
        assertThat(announced.contains("first")).isFalse();
    }

    /** Whoever made the first gave up, and the server's answer to mkdir was still on its way. */
    @Test
    void put_afterTheDirectoryCame_replacesWhatWasAnnouncedBefore() throws FsException {
        announced.put(FILE, "first");
        store.makeDirectory(DIRECTORY, 0755);
        announced.put(FILE, "second");
        announced.directoryMade(DIRECTORY);
        assertThat(announced.remove(FILE)).isEqualTo("second");
        assertThat(announced.contains("first")).isFalse();
    }
}
