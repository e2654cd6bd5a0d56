// SPDX-License-Identifier: Apache-2.0
package io.netfs4j;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.netfs4j.base.FsError;
import io.netfs4j.base.FsException;
import io.netfs4j.server.Access;
import io.netfs4j.server.Remote;
import io.netfs4j.server.ServerOptions;
import io.netfs4j.vfs.OpenFile;
import io.netfs4j.vfs.OpenFlags;
import io.netfs4j.vfs.Vfs;

import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.Map;
import java.util.Random;
import java.util.TreeMap;

/** What a mount keeps on this machine's disk of what it has read and sent. */
@Timeout(60)
class MountCacheTest {
    private static final OpenFlags READ =
            new OpenFlags(Access.READ, false, false, false, false, false, false);

    @TempDir private Path here;

    private final byte[] content = new byte[300_000];
    private Remote remote;

    @BeforeEach
    void fill() throws IOException {
        new Random(7).nextBytes(content);
        remote = Remote.parse("./remote", here);
        Files.createDirectory(here.resolve("remote"));
    }

    private Mount open(String... more) throws FsException {
        Map<String, String> options = new TreeMap<>();
        options.put("cache", here.resolve("cache").toString());
        options.put("state", here.resolve("state").toString());
        for (int i = 0; i < more.length; i += 2) {
            options.put(more[i], more[i + 1]);
        }
        return Netfs.open(remote, MountOptions.parse(options), ServerOptions.NONE, "/mnt/x");
    }

    private static void write(Mount mount, byte[] bytes) throws FsException {
        Vfs vfs = mount.vfs();
        OpenFile file = vfs.create(Vfs.ROOT_INO, "file", 0644, OpenFlags.READ_WRITE).file();
        vfs.write(file, 0, ByteBuffer.wrap(bytes));
        vfs.flush(file);
        vfs.release(file);
    }

    private static byte[] read(Mount mount) throws FsException {
        Vfs vfs = mount.vfs();
        var entry = vfs.lookup(Vfs.ROOT_INO, "file").attributes();
        OpenFile file = vfs.open(entry.ino(), READ);
        byte[] bytes = new byte[(int) entry.sizeBytes()];
        ByteBuffer to = ByteBuffer.wrap(bytes);
        while (to.hasRemaining()) {
            assertThat(vfs.read(file, to.position(), to)).isPositive();
        }
        vfs.flush(file);
        vfs.release(file);
        return bytes;
    }

    @Test
    void whatWasRead_isServedByTheNextMount() throws IOException {
        Files.write(here.resolve("remote/file"), content);
        try (Mount first = open()) {
            assertThat(read(first)).isEqualTo(content);
            assertThat(first.status().downloadedBytes()).isEqualTo(content.length);
        }
        try (Mount second = open()) {
            assertThat(read(second)).isEqualTo(content);
            assertThat(second.status().downloadedBytes()).isZero();
            assertThat(second.status().cacheReadBytes()).isEqualTo(content.length);
        }
    }

    @Test
    void whatWasSent_isServedByTheNextMount() throws IOException {
        try (Mount first = open()) {
            write(first, content);
            assertThat(first.drain()).isEmpty();
        }
        try (Mount second = open()) {
            assertThat(read(second)).isEqualTo(content);
            assertThat(second.status().downloadedBytes()).isZero();
        }
    }

    @Test
    void whatOthersChanged_isReadFromTheServer() throws IOException {
        Files.write(here.resolve("remote/file"), content);
        try (Mount first = open()) {
            read(first);
        }
        byte[] other = content.clone();
        other[100_000]++;
        Files.write(here.resolve("remote/file"), other);
        try (Mount second = open()) {
            assertThat(read(second)).isEqualTo(other);
            assertThat(second.status().cacheReadBytes()).isZero();
        }
    }

    /** Of it the server has nothing, so the cache must not say that it has it. */
    @Test
    void whatWasNotSent_isTheJournalsAlone() throws IOException {
        try (Mount first = open("dirty_age", "1000")) {
            write(first, content);
        }
        try (Mount second = open()) {
            assertThat(second.recovered().bytes()).isEqualTo(content.length);
            assertThat(read(second)).isEqualTo(content);
            assertThat(second.drain()).isEmpty();
        }
        assertThat(Files.readAllBytes(here.resolve("remote/file"))).isEqualTo(content);
    }

    @Test
    void cache_mayLieBesideTheJournal() throws IOException {
        Files.write(here.resolve("remote/file"), content);
        String state = here.resolve("state").toString();
        try (Mount first = open("cache", state)) {
            assertThat(first.withoutCache()).isNull();
            read(first);
        }
        try (Mount second = open("cache", state)) {
            assertThat(second.withoutCache()).isNull();
            read(second);
            assertThat(second.status().downloadedBytes()).isZero();
        }
    }

    @Test
    void readOnlyMount_hasACache() throws IOException {
        Files.write(here.resolve("remote/file"), content);
        try (Mount first = open("ro", "")) {
            read(first);
        }
        try (Mount second = open("ro", "")) {
            assertThat(read(second)).isEqualTo(content);
            assertThat(second.status().downloadedBytes()).isZero();
        }
    }

    @Test
    void secondMount_doesWithout_andSaysWhoHasIt() throws IOException {
        Files.write(here.resolve("remote/file"), content);
        try (Mount first = open();
                Mount second = open("state", here.resolve("state2").toString())) {
            assertThat(second.withoutCache()).hasMessageContaining("/mnt/x");
            assertThat(read(first)).isEqualTo(content);
            assertThat(read(second)).isEqualTo(content);
        }
    }

    @Test
    void directoryThatIsOpenToOthers_isRefused() throws IOException {
        Path cache = Files.createDirectory(here.resolve("cache"));
        Files.setPosixFilePermissions(cache, PosixFilePermissions.fromString("rwxr-xr-x"));

        assertThatThrownBy(this::open)
                .hasMessageContaining("the cache directory " + cache)
                .hasMessageContaining("option cache")
                .extracting(e -> ((FsException) e).error())
                .isEqualTo(FsError.EINVAL);
        Files.setPosixFilePermissions(cache, PosixFilePermissions.fromString("rwx------"));
        open().close();
    }

    @Test
    void directoryThatCannotBeMade_isDoneWithout() throws IOException {
        Files.write(here.resolve("file"), content);
        Files.write(here.resolve("remote/file"), content);
        try (Mount mount = open("cache", here.resolve("file/cache").toString())) {
            assertThat(mount.withoutCache()).hasMessageContaining("cache=none");
            assertThat(read(mount)).isEqualTo(content);
        }
    }

    @Test
    void damagedCache_isReadFromTheServer() throws IOException {
        Files.write(here.resolve("remote/file"), content);
        try (Mount first = open()) {
            read(first);
        }
        damageAll();
        try (Mount second = open()) {
            assertThat(read(second)).isEqualTo(content);
            assertThat(second.status().downloadedBytes()).isPositive();
        }
        try (Mount third = open()) {
            assertThat(read(third)).isEqualTo(content);
            assertThat(third.status().downloadedBytes()).isZero();
        }
    }

    private void damageAll() throws IOException {
        try (var files = Files.walk(here.resolve("cache"))) {
            for (Path file : files.filter(f -> f.toString().endsWith(".data")).toList()) {
                byte[] bytes = Files.readAllBytes(file);
                for (int at = 10; at < bytes.length; at += 4096) {
                    bytes[at]++;
                }
                Files.write(file, bytes);
            }
        }
    }
}
