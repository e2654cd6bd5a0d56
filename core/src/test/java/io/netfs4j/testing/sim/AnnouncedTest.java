// SPDX-License-Identifier: Apache-2.0
package io.netfs4j.testing.sim;

import static org.assertj.core.api.Assertions.assertThat;

import io.netfs4j.base.FsException;
import io.netfs4j.server.RemotePath;
import io.netfs4j.server.RenameMode;
import io.netfs4j.server.ServerAttributes;
import io.netfs4j.server.memory.MemoryServer;

import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

/** What of new directories was announced while the server had not got them, and afterwards. */
class AnnouncedTest {
    private static final RemotePath DIRECTORY = RemotePath.ROOT.child("d");
    private static final RemotePath FILE = DIRECTORY.child("f");
    private static final RemotePath OTHER = RemotePath.ROOT.child("e");

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

    private static RemotePath inNew(RemotePath directory) {
        return directory.child("new").child("f");
    }

    private void rename(RenameMode mode) throws FsException {
        store.rename(DIRECTORY, OTHER, mode);
        announced.renamed(DIRECTORY, OTHER, mode);
    }

    private @Nullable String removeOnceMade(RemotePath file) throws FsException {
        store.makeDirectory(file.parent(), 0755);
        announced.directoryMade(file.parent());
        return announced.remove(file);
    }

    /** The server has what is moved, and not the directory in it that a file was made in. */
    @Test
    void renamed_movesWhatWaitsForADirectoryBelow() throws FsException {
        store.makeDirectory(DIRECTORY, 0755);
        announced.put(inNew(DIRECTORY), "in it");
        announced.put(inNew(RemotePath.ROOT), "beside it");
        rename(RenameMode.REPLACE);
        assertThat(announced.below(OTHER)).containsExactly("in it");
        assertThat(removeOnceMade(inNew(OTHER))).isEqualTo("in it");
        assertThat(removeOnceMade(inNew(RemotePath.ROOT))).isEqualTo("beside it");
    }

    @Test
    void renamed_exchanging_movesBothWays() throws FsException {
        store.makeDirectory(DIRECTORY, 0755);
        store.makeDirectory(OTHER, 0755);
        announced.put(inNew(DIRECTORY), "first");
        announced.put(inNew(OTHER), "second");
        rename(RenameMode.EXCHANGE);
        assertThat(removeOnceMade(inNew(OTHER))).isEqualTo("first");
        assertThat(removeOnceMade(inNew(DIRECTORY))).isEqualTo("second");
    }

    /** Whoever made something in what is replaced gave up, for that is empty. */
    @Test
    void renamed_over_forgetsWhatWaitsForADirectoryInTheReplaced() throws FsException {
        store.makeDirectory(DIRECTORY, 0755);
        store.makeDirectory(OTHER, 0755);
        announced.put(inNew(OTHER), "given up");
        rename(RenameMode.REPLACE);
        assertThat(announced.contains("given up")).isFalse();
    }
}
