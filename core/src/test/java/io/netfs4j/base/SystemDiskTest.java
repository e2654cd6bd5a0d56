// SPDX-License-Identifier: Apache-2.0
package io.netfs4j.base;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;

@Timeout(value = 60, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
class SystemDiskTest {
    private static final int BLOCK_BYTES = 1 << 16;

    @TempDir private Path directory;
    private SystemDisk disk;

    @BeforeEach
    void make() {
        disk = new SystemDisk(directory);
    }

    private static ByteBuffer filled(int with, int bytes) {
        byte[] block = new byte[bytes];
        Arrays.fill(block, (byte) with);
        return ByteBuffer.wrap(block);
    }

    @Test
    void file_isItsOwnersAlone_andReadsWhatWasWritten() throws Exception {
        try (Disk.File file = disk.open("a", true)) {
            file.write(filled(1, 10), 5);
            file.force();
            ByteBuffer read = ByteBuffer.allocate(100);
            assertThat(file.read(read, 3)).isEqualTo(12);
            assertThat(read.get(1)).isZero();
            assertThat(read.get(2)).isEqualTo((byte) 1);
            assertThat(file.sizeBytes()).isEqualTo(15);
            file.truncate(6);
            assertThat(file.sizeBytes()).isEqualTo(6);
        }
        assertThat(
                        PosixFilePermissions.toString(
                                Files.getPosixFilePermissions(directory.resolve("a"))))
                .isEqualTo("rw-------");
    }

    @Test
    void names_comeAndGo() throws Exception {
        disk.open("a", true).close();
        disk.open("b", true).close();
        Files.createDirectory(directory.resolve("c"));
        disk.rename("a", "b");
        disk.forceNames();
        assertThat(disk.list()).containsExactly("b");
        disk.delete("b");
        assertThat(disk.list()).isEmpty();
        assertThatThrownBy(() -> disk.open("b", false)).isInstanceOf(NoSuchFileException.class);
        assertThat(disk.freeBytes()).isPositive();
    }

    @Test
    void link_isNotFollowed() throws Exception {
        Path elsewhere = Files.createFile(directory.resolve("elsewhere"));
        Files.createSymbolicLink(directory.resolve("link"), elsewhere);
        assertThatThrownBy(() -> disk.open("link", true)).isInstanceOf(IOException.class);
        assertThat(disk.list()).containsExactly("elsewhere");
    }

    /** An interrupt closes a channel under all who use it. */
    @Test
    void interrupts_endNothing_andAreNotLost() throws Exception {
        int threads = 4;
        AtomicInteger done = new AtomicInteger();
        AtomicInteger interrupted = new AtomicInteger();
        AtomicBoolean over = new AtomicBoolean();
        List<Thread> users = new ArrayList<>();
        try (Disk.File file = disk.open("a", true)) {
            for (int t = 0; t < threads; t++) {
                long at = (long) t * BLOCK_BYTES;
                int with = t + 1;
                users.add(
                        Thread.ofPlatform()
                                .start(() -> {
                                    try {
                                        ByteBuffer read = ByteBuffer.allocate(BLOCK_BYTES);
                                        while (!over.get()) {
                                            file.write(filled(with, BLOCK_BYTES), at);
                                            file.force();
                                            file.read(read.clear(), at);
                                            assertThat(read.flip())
                                                    .isEqualTo(filled(with, BLOCK_BYTES));
                                            if (Thread.interrupted()) {
                                                interrupted.incrementAndGet();
                                            }
                                        }
                                        done.incrementAndGet();
                                    } catch (IOException e) {
                                        throw new AssertionError(e);
                                    }
                                }));
            }
            for (int i = 0; interrupted.get() < 100 && users.get(i % threads).isAlive(); i++) {
                users.get(i % threads).interrupt();
                Thread.yield();
            }
            over.set(true);
            for (Thread user : users) {
                user.join();
            }
        }
        assertThat(done).hasValue(threads);
    }
}
