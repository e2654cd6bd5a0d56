// SPDX-License-Identifier: Apache-2.0
package io.netfs4j.vfs;

import static org.assertj.core.api.Assertions.assertThat;

import io.netfs4j.Mount;
import io.netfs4j.MountOptions;
import io.netfs4j.Netfs;
import io.netfs4j.base.FsException;
import io.netfs4j.server.Access;
import io.netfs4j.server.AttributeChange;
import io.netfs4j.server.Remote;
import io.netfs4j.server.RenameMode;
import io.netfs4j.server.ServerOptions;

import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

import java.io.RandomAccessFile;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;

/** The whole way down, over a directory as a server. */
class CachedVfsTest {
    @TempDir Path directory;
    private Mount mount;
    private Vfs vfs;

    @BeforeEach
    void open() throws FsException {
        mount =
                Netfs.open(
                        Remote.parse(directory.toString(), directory),
                        MountOptions.parse(Map.of("memory", "8m", "dirty", "4m")),
                        ServerOptions.NONE);
        vfs = mount.vfs();
    }

    @AfterEach
    void close() {
        mount.close();
    }

    @Test
    void write_thenFsync_isOnTheServer() throws Exception {
        CreatedFile made = vfs.create(Vfs.ROOT_INO, "a", 0644, OpenFlags.READ_WRITE);
        byte[] bytes = random(10 << 20, 1);
        write(made.file(), 0, bytes);
        assertThat(read(made.file(), 0, bytes.length)).isEqualTo(bytes);
        vfs.fsync(made.file(), false);
        assertThat(Files.readAllBytes(directory.resolve("a"))).isEqualTo(bytes);
        vfs.flush(made.file());
        vfs.release(made.file());
        assertThat(mount.drain()).isEmpty();
        assertThat(mount.status().dirtyBytes()).isZero();
        assertThat(mount.status().uploadedBytes()).isEqualTo(bytes.length);
    }

    @Test
    void forget_ofAFileWithNamesInTwoDirectories_letsBothGo() throws Exception {
        long d = vfs.makeDirectory(Vfs.ROOT_INO, "d", 0755).attributes().ino();
        CreatedFile made = vfs.create(d, "a", 0644, OpenFlags.READ_WRITE);
        vfs.fsync(made.file(), false);
        long ino = made.entry().attributes().ino();
        vfs.link(ino, Vfs.ROOT_INO, "b");
        vfs.release(made.file());
        assertThat(mount.vfs().inodeCount()).isEqualTo(3);
        vfs.forget(d, 1);
        vfs.forget(ino, 2);
        assertThat(mount.vfs().inodeCount()).isEqualTo(1);
    }

    @Test
    void write_toAFileWhoseOneKnownNameWent_reachesItsOtherName() throws Exception {
        Files.writeString(directory.resolve("a"), "before");
        Files.createLink(directory.resolve("b"), directory.resolve("a"));
        long ino = vfs.lookup(Vfs.ROOT_INO, "a").attributes().ino();
        OpenFile file = vfs.open(ino, OpenFlags.READ_WRITE);
        vfs.unlink(Vfs.ROOT_INO, "a");
        write(file, 0, "BEHIND".getBytes(StandardCharsets.UTF_8));
        vfs.release(file);
        assertThat(mount.drain()).isEmpty();
        assertThat(Files.readString(directory.resolve("b"))).isEqualTo("BEHIND");
    }

    @Test
    void unlink_ofTheOneNameThatIsKnown_losesNothingOfTheOther() throws Exception {
        Files.writeString(directory.resolve("a"), "before");
        Files.createLink(directory.resolve("b"), directory.resolve("a"));
        long ino = vfs.lookup(Vfs.ROOT_INO, "a").attributes().ino();
        OpenFile file = vfs.open(ino, OpenFlags.READ_WRITE);
        write(file, 0, "BEHIND".getBytes(StandardCharsets.UTF_8));
        vfs.release(file);
        vfs.unlink(Vfs.ROOT_INO, "a");
        assertThat(mount.drain()).isEmpty();
        assertThat(Files.readString(directory.resolve("b"))).isEqualTo("BEHIND");
    }

    @Test
    void loan_closedTwice_givesBackItsMemoryOnce() throws Exception {
        CreatedFile made = vfs.create(Vfs.ROOT_INO, "a", 0644, OpenFlags.READ_WRITE);
        byte[] bytes = random(1 << 20, 1);
        write(made.file(), 0, bytes);
        PinnedBytes loan = vfs.tryRead(made.file(), 0, bytes.length);
        assertThat(loan).isNotNull();
        loan.close();
        loan.close();
        CreatedFile other = vfs.create(Vfs.ROOT_INO, "b", 0644, OpenFlags.READ_WRITE);
        write(other.file(), 0, random(1 << 20, 2));
        assertThat(read(made.file(), 0, bytes.length)).isEqualTo(bytes);
    }

    @Test
    void randomWrites_intoAGibibyte_sendEachDirtyByteOnce() throws Exception {
        try (RandomAccessFile sparse =
                new RandomAccessFile(directory.resolve("g").toFile(), "rw")) {
            sparse.setLength(1L << 30);
        }
        long ino = vfs.lookup(Vfs.ROOT_INO, "g").attributes().ino();
        OpenFile file = vfs.open(ino, OpenFlags.READ_WRITE);
        Random random = new Random(7);
        Set<Integer> places = new HashSet<>();
        long dirtied = 0;
        for (int i = 0; i < 2000; i++) {
            int place = random.nextInt(1 << 17);
            if (!places.add(place)) {
                continue;
            }
            // Every place has 8 KiB for its 4, anywhere in them: some lie across folios.
            long at = place * 8192L + random.nextInt(4096);
            if (i % 3 == 0) {
                // Large clean folios, of which 4 KiB become dirty.
                read(file, at & -(1L << 20), 1 << 20);
            }
            write(file, at, random(4096, i));
            dirtied += 4096;
        }
        vfs.fsync(file, false);
        vfs.release(file);
        assertThat(mount.status().uploadedBytes()).isEqualTo(dirtied);
    }

    @Test
    void smallOverwrites_sendOnlyWhatWasWritten() throws Exception {
        byte[] bytes = random(4 << 20, 2);
        Files.write(directory.resolve("b"), bytes);
        long ino = vfs.lookup(Vfs.ROOT_INO, "b").attributes().ino();
        OpenFile file = vfs.open(ino, OpenFlags.READ_WRITE);
        Random random = new Random(3);
        int dirtied = 0;
        for (int i = 0; i < 100; i++) {
            int at = random.nextInt(1024) * 4096 + random.nextInt(4000);
            byte[] piece = random(1 + random.nextInt(96), i);
            System.arraycopy(piece, 0, bytes, at, piece.length);
            write(file, at, piece);
            dirtied += piece.length;
        }
        vfs.fsync(file, false);
        assertThat(Files.readAllBytes(directory.resolve("b"))).isEqualTo(bytes);
        assertThat(read(file, 0, bytes.length)).isEqualTo(bytes);
        assertThat(mount.status().uploadedBytes()).isLessThanOrEqualTo(dirtied);
        vfs.release(file);
    }

    @Test
    void truncateDownAndUp_readsZeros() throws Exception {
        CreatedFile made = vfs.create(Vfs.ROOT_INO, "c", 0644, OpenFlags.READ_WRITE);
        write(made.file(), 0, random(100_000, 4));
        vfs.setAttributes(made.file().ino(), AttributeChange.size(5_000), made.file());
        vfs.setAttributes(made.file().ino(), AttributeChange.size(50_000), made.file());
        byte[] seen = read(made.file(), 0, 60_000);
        assertThat(seen).hasSize(50_000);
        for (int i = 5_000; i < seen.length; i++) {
            assertThat(seen[i]).isZero();
        }
        vfs.fsync(made.file(), false);
        assertThat(Files.readAllBytes(directory.resolve("c"))).isEqualTo(seen);
        vfs.release(made.file());
    }

    @Test
    void renameOfOpenDirtyFile_savesUnderTheNewName() throws Exception {
        CreatedFile made = vfs.create(Vfs.ROOT_INO, "d", 0644, OpenFlags.READ_WRITE);
        byte[] bytes = random(10_000, 5);
        write(made.file(), 0, bytes);
        long dir = vfs.makeDirectory(Vfs.ROOT_INO, "sub", 0755).attributes().ino();
        vfs.rename(Vfs.ROOT_INO, "d", dir, "e", RenameMode.REPLACE);
        vfs.fsync(made.file(), false);
        assertThat(Files.readAllBytes(directory.resolve("sub/e"))).isEqualTo(bytes);
        assertThat(vfs.lookup(Vfs.ROOT_INO, "d").isNegative()).isTrue();
        vfs.unlink(dir, "e");
        assertThat(read(made.file(), 0, 20_000)).isEqualTo(bytes);
        vfs.release(made.file());
        vfs.removeDirectory(Vfs.ROOT_INO, "sub");
        assertThat(names()).isEmpty();
    }

    @Test
    void unlinkOfOpenFile_thenReleaseAndForgetAtOnce_leavesNothingOnTheServer() throws Exception {
        for (int i = 0; i < 50; i++) {
            CreatedFile made = vfs.create(Vfs.ROOT_INO, "gone", 0644, OpenFlags.READ_WRITE);
            write(made.file(), 0, random(100, i));
            vfs.unlink(Vfs.ROOT_INO, "gone");
            assertThat(vfs.getAttributes(made.file().ino()).links()).isZero();
            vfs.release(made.file());
            vfs.forget(made.file().ino(), 1);
        }
        assertThat(mount.drain()).isEmpty();
        assertThat(directory).isEmptyDirectory();
    }

    @Test
    void punch_throughASynchronousAppendingHandle_isSavedWhenItReturns() throws Exception {
        OpenFlags flags = new OpenFlags(Access.READ_WRITE, true, false, false, true, false, false);
        OpenFile file = vfs.create(Vfs.ROOT_INO, "f", 0644, flags).file();
        vfs.write(file, 0, ByteBuffer.wrap(random(10_000, 8)));
        vfs.allocate(file, AllocateMode.PUNCH_HOLE, 1_000, 5_000);
        assertThat(mount.unsaved()).isEmpty();
        byte[] stored = Files.readAllBytes(directory.resolve("f"));
        assertThat(Arrays.copyOfRange(stored, 1_000, 6_000)).isEqualTo(new byte[5_000]);
        assertThat(stored).hasSize(10_000);
        vfs.release(file);
    }

    @Test
    void changedOnTheServer_isSeenByTheNextOpen() throws Exception {
        Files.write(directory.resolve("f"), random(5_000, 6));
        long ino = vfs.lookup(Vfs.ROOT_INO, "f").attributes().ino();
        OpenFile first = vfs.open(ino, OpenFlags.READ);
        read(first, 0, 10_000);
        vfs.release(first);
        byte[] other = random(7_000, 7);
        Files.write(directory.resolve("f"), other);
        OpenFile second = vfs.open(ino, OpenFlags.READ);
        assertThat(read(second, 0, 10_000)).isEqualTo(other);
        vfs.release(second);
    }

    private List<String> names() throws FsException {
        List<String> names = new ArrayList<>();
        OpenDirectory open = vfs.openDirectory(Vfs.ROOT_INO);
        vfs.readDirectory(
                open,
                0,
                false,
                (name, ino, type, next, entry) -> {
                    if (!name.startsWith(".")) {
                        names.add(name);
                    }
                    return true;
                });
        vfs.releaseDirectory(open);
        return names;
    }

    private void write(OpenFile file, long position, byte[] bytes) throws FsException {
        ByteBuffer source = ByteBuffer.wrap(bytes);
        for (int at = 0; at < bytes.length; at += 1 << 20) {
            ByteBuffer piece = source.slice(at, Math.min(1 << 20, bytes.length - at));
            vfs.write(file, position + at, piece);
        }
    }

    private byte[] read(OpenFile file, long position, int count) throws FsException {
        ByteBuffer target = ByteBuffer.allocate(count);
        while (target.hasRemaining()) {
            ByteBuffer piece =
                    target.slice(target.position(), Math.min(131072, target.remaining()));
            int n = vfs.read(file, position + target.position(), piece);
            if (n == 0) {
                break;
            }
            target.position(target.position() + n);
        }
        byte[] bytes = new byte[target.position()];
        target.flip().get(bytes);
        return bytes;
    }

    private static byte[] random(int count, long seed) {
        byte[] bytes = new byte[count];
        new Random(seed).nextBytes(bytes);
        return bytes;
    }
}
