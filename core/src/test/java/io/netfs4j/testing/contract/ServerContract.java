// SPDX-License-Identifier: Apache-2.0
package io.netfs4j.testing.contract;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.netfs4j.base.Environment;
import io.netfs4j.base.FsError;
import io.netfs4j.base.FsException;
import io.netfs4j.base.Names;
import io.netfs4j.base.SystemRuntime;
import io.netfs4j.base.Waits;
import io.netfs4j.server.Access;
import io.netfs4j.server.AttributeChange;
import io.netfs4j.server.Capability;
import io.netfs4j.server.FileType;
import io.netfs4j.server.OpenedFile;
import io.netfs4j.server.RemotePath;
import io.netfs4j.server.RenameMode;
import io.netfs4j.server.Server;
import io.netfs4j.server.ServerAttributes;
import io.netfs4j.server.ServerFile;
import io.netfs4j.testing.Transfers;

import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.util.Arrays;
import java.util.Map;
import java.util.Random;
import java.util.TreeMap;
import java.util.concurrent.TimeUnit;

/**
 * What every back end keeps: names and their errors. {@link ServerDataContract} adds the data. A
 * binding makes a server over an empty root for each test; what a server cannot do it says in its
 * capabilities, and then the suite expects the refusal instead.
 */
@Timeout(value = 2, unit = TimeUnit.MINUTES)
public abstract class ServerContract {
    private SystemRuntime runtime;
    protected Server server;
    protected Transfers transfers;

    protected final Waits awaiting() {
        return runtime.environment().waits();
    }

    /** Connects to an empty root. */
    protected abstract Server connect(Environment environment) throws Exception;

    /** Cuts the connections under the server, where it has any; it must recover by itself. */
    protected void disconnect() throws Exception {}

    @BeforeEach
    void startServer() throws Exception {
        runtime = new SystemRuntime();
        transfers = new Transfers(runtime.environment().waits());
        server = connect(runtime.environment());
    }

    @AfterEach
    void closeServer() {
        try {
            if (server != null) {
                server.close();
            }
        } finally {
            runtime.close();
        }
    }

    protected static RemotePath path(String... names) {
        return new RemotePath(Arrays.asList(names));
    }

    protected static void assertFails(FsError error, ThrowingCallable action) {
        assertThatThrownBy(action)
                .isInstanceOfSatisfying(
                        FsException.class, e -> assertThat(e.error()).as("%s", e).isEqualTo(error));
    }

    /** Bytes that differ from place to place. */
    protected static byte[] pattern(int seed, int count) {
        byte[] bytes = new byte[count];
        new Random(seed).nextBytes(bytes);
        return bytes;
    }

    protected void make(String name, byte[] bytes) throws FsException {
        ServerFile file = server.create(() -> path(name), 0644).file();
        transfers.write(file, 0, bytes);
        file.close();
    }

    protected byte[] contents(RemotePath path) throws FsException {
        OpenedFile opened = server.open(() -> path, Access.READ);
        byte[] bytes = transfers.get(opened.file(), 0, (int) opened.attributes().sizeBytes() + 100);
        opened.file().close();
        return bytes;
    }

    private Map<String, FileType> listing(RemotePath directory) throws FsException {
        Map<String, FileType> found = new TreeMap<>();
        server.list(
                directory,
                (name, type, attributes) -> assertThat(found.put(name, type)).as(name).isNull());
        return found;
    }

    @Test
    void stat_root_isDirectory() throws Exception {
        assertThat(server.stat(RemotePath.ROOT).type()).isEqualTo(FileType.DIRECTORY);
        assertThat(listing(RemotePath.ROOT)).isEmpty();
    }

    @Test
    void stat_missing_saysNoEntry() {
        assertFails(FsError.ENOENT, () -> server.stat(path("missing")));
        assertFails(FsError.ENOENT, () -> server.stat(path("missing", "below")));
    }

    @Test
    void create_new_isEmptyRegularFile() throws Exception {
        OpenedFile made = server.create(() -> path("f"), 0640);
        assertThat(made.attributes().type()).isEqualTo(FileType.REGULAR);
        assertThat(made.attributes().sizeBytes()).isZero();
        assertThat(made.file().isWritable()).isTrue();
        made.file().close();
        ServerAttributes found = server.stat(path("f"));
        assertThat(found.type()).isEqualTo(FileType.REGULAR);
        if (server.capabilities().has(Capability.MODES)) {
            assertThat(found.mode() & 0600).isEqualTo(0600);
            assertThat(found.mode() & 0007).isZero();
        }
    }

    @Test
    void create_existing_saysExists() throws Exception {
        make("f", pattern(1, 10));
        assertFails(FsError.EEXIST, () -> server.create(() -> path("f"), 0644));
        assertThat(contents(path("f"))).isEqualTo(pattern(1, 10));
    }

    @Test
    void create_inMissingDirectory_saysNoEntry() {
        assertFails(FsError.ENOENT, () -> server.create(() -> path("d", "f"), 0644));
    }

    @Test
    void open_missingOrDirectory_isRefused() throws Exception {
        assertFails(FsError.ENOENT, () -> server.open(() -> path("f"), Access.READ));
        server.makeDirectory(path("d"), 0755);
        assertFails(FsError.EISDIR, () -> server.open(() -> path("d"), Access.READ));
        assertFails(FsError.EISDIR, () -> server.open(() -> path("d"), Access.READ_WRITE));
    }

    @Test
    void makeDirectory_existing_saysExists() throws Exception {
        assertThat(server.makeDirectory(path("d"), 0755).type()).isEqualTo(FileType.DIRECTORY);
        assertFails(FsError.EEXIST, () -> server.makeDirectory(path("d"), 0755));
        make("f", pattern(1, 1));
        assertFails(FsError.EEXIST, () -> server.makeDirectory(path("f"), 0755));
        assertFails(FsError.ENOENT, () -> server.makeDirectory(path("x", "y"), 0755));
    }

    @Test
    void remove_file_isGone() throws Exception {
        make("f", pattern(1, 1));
        server.remove(path("f"));
        assertFails(FsError.ENOENT, () -> server.stat(path("f")));
        assertFails(FsError.ENOENT, () -> server.remove(path("f")));
    }

    @Test
    void remove_directory_isRefused() throws Exception {
        server.makeDirectory(path("d"), 0755);
        assertFails(FsError.EISDIR, () -> server.remove(path("d")));
        assertThat(server.stat(path("d")).type()).isEqualTo(FileType.DIRECTORY);
    }

    @Test
    void removeDirectory_fullOrFileOrMissing_isRefused() throws Exception {
        server.makeDirectory(path("d"), 0755);
        server.makeDirectory(path("d", "e"), 0755);
        make("f", pattern(1, 1));
        assertFails(FsError.ENOTEMPTY, () -> server.removeDirectory(path("d")));
        assertFails(FsError.ENOTDIR, () -> server.removeDirectory(path("f")));
        assertFails(FsError.ENOENT, () -> server.removeDirectory(path("x")));
        server.removeDirectory(path("d", "e"));
        server.removeDirectory(path("d"));
        assertThat(listing(RemotePath.ROOT)).containsOnlyKeys("f");
    }

    @Test
    void rename_overFile_replaces() throws Exception {
        make("a", pattern(1, 100));
        make("b", pattern(2, 200));
        server.rename(path("a"), path("b"), RenameMode.REPLACE);
        assertThat(listing(RemotePath.ROOT)).containsOnlyKeys("b");
        assertThat(contents(path("b"))).isEqualTo(pattern(1, 100));
    }

    @Test
    void rename_directory_takesContentsAlong() throws Exception {
        server.makeDirectory(path("d"), 0755);
        server.makeDirectory(path("e"), 0755);
        server.create(() -> path("d", "f"), 0644).file().close();
        server.rename(path("d"), path("e", "g"), RenameMode.REPLACE);
        assertThat(server.stat(path("e", "g", "f")).type()).isEqualTo(FileType.REGULAR);
        assertFails(FsError.ENOENT, () -> server.stat(path("d")));
    }

    @Test
    void rename_impossible_isRefused() throws Exception {
        make("f", pattern(1, 10));
        server.makeDirectory(path("d"), 0755);
        server.makeDirectory(path("full"), 0755);
        server.makeDirectory(path("full", "x"), 0755);
        assertFails(FsError.ENOENT, () -> server.rename(path("x"), path("y"), RenameMode.REPLACE));
        assertFails(FsError.EISDIR, () -> server.rename(path("f"), path("d"), RenameMode.REPLACE));
        assertFails(FsError.ENOTDIR, () -> server.rename(path("d"), path("f"), RenameMode.REPLACE));
        assertFails(
                FsError.ENOTEMPTY,
                () -> server.rename(path("d"), path("full"), RenameMode.REPLACE));
        assertFails(
                FsError.EINVAL, () -> server.rename(path("d"), path("d", "y"), RenameMode.REPLACE));
    }

    @Test
    void rename_noReplace_keepsTarget() throws Exception {
        make("a", pattern(1, 10));
        make("b", pattern(2, 10));
        assertThatThrownBy(() -> server.rename(path("a"), path("b"), RenameMode.NOREPLACE))
                .isInstanceOf(FsException.class);
        assertThat(contents(path("b"))).isEqualTo(pattern(2, 10));
        if (server.capabilities().has(Capability.RENAME_NOREPLACE)) {
            assertFails(
                    FsError.EEXIST,
                    () -> server.rename(path("a"), path("b"), RenameMode.NOREPLACE));
            server.rename(path("a"), path("c"), RenameMode.NOREPLACE);
            assertThat(listing(RemotePath.ROOT)).containsOnlyKeys("b", "c");
            assertThat(contents(path("c"))).isEqualTo(pattern(1, 10));
            server.makeDirectory(path("d"), 0755);
            server.rename(path("d"), path("e"), RenameMode.NOREPLACE);
            assertThat(server.stat(path("e")).type()).isEqualTo(FileType.DIRECTORY);
        }
    }

    @Test
    void rename_exchange_swapsOrIsRefused() throws Exception {
        make("a", pattern(1, 10));
        make("b", pattern(2, 10));
        if (server.capabilities().has(Capability.RENAME_EXCHANGE)) {
            server.rename(path("a"), path("b"), RenameMode.EXCHANGE);
            assertThat(contents(path("a"))).isEqualTo(pattern(2, 10));
            assertThat(contents(path("b"))).isEqualTo(pattern(1, 10));
        } else {
            assertFails(
                    FsError.EINVAL, () -> server.rename(path("a"), path("b"), RenameMode.EXCHANGE));
            assertThat(contents(path("a"))).isEqualTo(pattern(1, 10));
        }
    }

    @Test
    void list_manyEntries_givesEachOnce() throws Exception {
        server.makeDirectory(path("d"), 0755);
        int count = 2500;
        for (int i = 0; i < count; i++) {
            String name = "entry-with-a-name-of-some-length-" + i;
            server.create(() -> path("d", name), 0644).file().close();
        }
        assertThat(listing(path("d"))).hasSize(count);
        assertFails(
                FsError.ENOTDIR, () -> listing(path("d", "entry-with-a-name-of-some-length-0")));
        assertFails(FsError.ENOENT, () -> listing(path("missing")));
    }

    @Test
    void list_sinkThrows_endsWithItsError() throws Exception {
        make("a", pattern(1, 1));
        make("b", pattern(1, 1));
        assertFails(
                FsError.E2BIG,
                () ->
                        server.list(
                                RemotePath.ROOT,
                                (name, type, attributes) -> {
                                    throw new FsException(FsError.E2BIG);
                                }));
        assertThat(listing(RemotePath.ROOT)).hasSize(2);
    }

    @Test
    void names_oddBytes_comeBackAsTheyWere() throws Exception {
        byte[] invalid = {'n', (byte) 0xff, (byte) 0xc3, '.', (byte) 0x80};
        for (String name :
                new String[] {
                    "with space",
                    "per%25cent",
                    "back\\slash",
                    "new\nline",
                    "*?[]",
                    "-rf",
                    "~",
                    "g\u00fcnther",
                    "\u65e5\u672c",
                    "\ud83d\ude80",
                    Names.decode(invalid),
                    "x".repeat(255)
                }) {
            make(name, name.getBytes(StandardCharsets.UTF_8));
            assertThat(listing(RemotePath.ROOT)).containsOnlyKeys(name);
            assertThat(contents(path(name))).isEqualTo(name.getBytes(StandardCharsets.UTF_8));
            server.rename(path(name), path("plain"), RenameMode.REPLACE);
            server.rename(path("plain"), path(name), RenameMode.REPLACE);
            server.remove(path(name));
        }
    }

    @Test
    void setAttributes_byPath_areKept() throws Exception {
        make("f", pattern(1, 5000));
        Instant when = Instant.ofEpochSecond(1_500_000_000L);
        server.setAttributes(path("f"), AttributeChange.times(when, when));
        assertThat(server.stat(path("f")).modified()).isEqualTo(when);
        assertThat(server.stat(path("f")).accessed()).isEqualTo(when);
        server.setAttributes(path("f"), AttributeChange.size(1234));
        assertThat(server.stat(path("f")).sizeBytes()).isEqualTo(1234);
        assertThat(contents(path("f"))).isEqualTo(Arrays.copyOf(pattern(1, 5000), 1234));
        server.setAttributes(path("f"), AttributeChange.size(3000));
        byte[] grown = Arrays.copyOf(Arrays.copyOf(pattern(1, 5000), 1234), 3000);
        assertThat(contents(path("f"))).isEqualTo(grown);
        if (server.capabilities().has(Capability.MODES)) {
            AttributeChange mode = new AttributeChange(0600, null, null, null, null, null);
            assertThat(server.setAttributes(path("f"), mode).mode()).isEqualTo(0600);
            assertThat(server.stat(path("f")).mode()).isEqualTo(0600);
        }
        assertFails(FsError.ENOENT, () -> server.setAttributes(path("x"), AttributeChange.size(0)));
    }

    @Test
    void symlink_isItself() throws Exception {
        if (!server.capabilities().has(Capability.SYMLINKS)) {
            assertFails(FsError.EPERM, () -> server.makeSymlink(path("l"), "f"));
            return;
        }
        server.makeDirectory(path("d"), 0755);
        server.makeSymlink(path("l"), "d");
        assertThat(server.stat(path("l")).type()).isEqualTo(FileType.SYMLINK);
        assertThat(server.readSymlink(path("l"))).isEqualTo("d");
        assertFails(FsError.EEXIST, () -> server.makeSymlink(path("l"), "x"));
        assertFails(
                FsError.EEXIST, () -> server.makeSymlinkAndStat(path("l"), "x", path("nothing")));
        assertThat(server.makeSymlinkAndStat(path("n"), "x", path("nothing"))).isNull();
        assertThat(server.readSymlink(path("n"))).isEqualTo("x");
        assertThat(server.makeSymlinkAndStat(path("o"), "x", path("l")))
                .isEqualTo(server.stat(path("l")));
        server.remove(path("n"));
        server.remove(path("o"));
        assertFails(FsError.EINVAL, () -> server.readSymlink(path("d")));
        server.makeSymlink(path("m"), "../g\u00fcnther/..");
        assertThat(server.readSymlink(path("m"))).isEqualTo("../g\u00fcnther/..");
        server.remove(path("l"));
        assertThat(listing(RemotePath.ROOT)).containsOnlyKeys("d", "m");
    }

    @Test
    void link_sharesContent() throws Exception {
        make("f", pattern(1, 100));
        if (!server.capabilities().has(Capability.HARD_LINKS)) {
            assertFails(FsError.EPERM, () -> server.link(path("f"), path("g")));
            return;
        }
        server.link(path("f"), path("g"));
        assertFails(FsError.EEXIST, () -> server.link(path("f"), path("g")));
        ServerFile file = server.open(() -> path("g"), Access.READ_WRITE).file();
        transfers.write(file, 0, pattern(2, 100));
        file.close();
        assertThat(contents(path("f"))).isEqualTo(pattern(2, 100));
        server.remove(path("f"));
        assertThat(contents(path("g"))).isEqualTo(pattern(2, 100));
    }

    @Test
    void xattrs_areKeptOrRefused() throws Exception {
        make("f", pattern(1, 1));
        byte[] value = pattern(3, 20);
        if (!server.capabilities().has(Capability.XATTRS)) {
            assertFails(FsError.ENOTSUP, () -> server.getXattr(path("f"), "user.a"));
            return;
        }
        assertFails(FsError.ENODATA, () -> server.getXattr(path("f"), "user.a"));
        server.setXattr(path("f"), "user.a", value, Server.XattrMode.CREATE);
        assertFails(
                FsError.EEXIST,
                () -> server.setXattr(path("f"), "user.a", value, Server.XattrMode.CREATE));
        assertFails(
                FsError.ENODATA,
                () -> server.setXattr(path("f"), "user.b", value, Server.XattrMode.REPLACE));
        assertThat(server.getXattr(path("f"), "user.a")).isEqualTo(value);
        assertThat(server.listXattrs(path("f"))).containsExactly("user.a");
        server.removeXattr(path("f"), "user.a");
        assertThat(server.listXattrs(path("f"))).isEmpty();
        assertFails(FsError.ENODATA, () -> server.removeXattr(path("f"), "user.a"));
    }

    @Test
    void statistics_areSaneOrRefused() throws Exception {
        if (!server.capabilities().has(Capability.STATISTICS)) {
            assertFails(FsError.ENOSYS, () -> server.statistics(RemotePath.ROOT));
            return;
        }
        var s = server.statistics(RemotePath.ROOT);
        assertThat(s.blockBytes()).isPositive();
        assertThat(s.blocks()).isPositive();
        assertThat(s.blocksFree()).isBetween(0L, s.blocks());
    }

    @Test
    void names_afterDisconnect_stillWork() throws Exception {
        make("a", pattern(1, 10));
        disconnect();
        server.rename(path("a"), path("b"), RenameMode.REPLACE);
        disconnect();
        assertThat(listing(RemotePath.ROOT)).containsOnlyKeys("b");
        disconnect();
        server.remove(path("b"));
        assertFails(FsError.ENOENT, () -> server.stat(path("b")));
    }
}
