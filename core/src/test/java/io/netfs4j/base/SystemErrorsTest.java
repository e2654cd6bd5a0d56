// SPDX-License-Identifier: Apache-2.0
package io.netfs4j.base;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;

class SystemErrorsTest {
    @TempDir Path directory;

    @Test
    void whatTheSystemThrows_isItsErrno() throws IOException {
        Path file = Files.createFile(directory.resolve("file"));
        assertThat(thrown(() -> Files.createFile(file))).isEqualTo(FsError.EEXIST);
        assertThat(thrown(() -> Files.delete(directory))).isEqualTo(FsError.ENOTEMPTY);
        assertThat(thrown(() -> Files.size(directory.resolve("none")))).isEqualTo(FsError.ENOENT);
        assertThat(thrown(() -> Files.createFile(file.resolve("below"))))
                .isEqualTo(FsError.ENOTDIR);
        assertThat(thrown(() -> Files.createFile(directory.resolve("n".repeat(256)))))
                .isEqualTo(FsError.ENAMETOOLONG);
    }

    /** A channel's exceptions have no class of their own, only a text. */
    @Test
    void fullDisk_isFull() throws IOException {
        Path full = Path.of("/dev/full");
        try (FileChannel channel = FileChannel.open(full, StandardOpenOption.WRITE)) {
            IOException e =
                    catchThrowableOfType(
                            IOException.class, () -> channel.write(ByteBuffer.allocate(1)));
            assertThat(SystemErrors.of(e)).isEqualTo(FsError.ENOSPC);
            assertThat(SystemErrors.isFull(e)).isTrue();
        }
    }

    @Test
    void textBehindAName_isFound_andAnUnknownOneIsEio() {
        assertThat(SystemErrors.of(new IOException("x: Disk quota exceeded")))
                .isEqualTo(FsError.EDQUOT);
        assertThat(SystemErrors.of(new FileSystemException("x", null, "Read-only file system")))
                .isEqualTo(FsError.EROFS);
        assertThat(SystemErrors.of(new IOException("Remote I/O error"))).isEqualTo(FsError.EIO);
        assertThat(SystemErrors.of(new IOException())).isEqualTo(FsError.EIO);
        assertThat(SystemErrors.isFull(new IOException("Input/output error"))).isFalse();
    }

    private static FsError thrown(Action action) {
        return SystemErrors.of(catchThrowableOfType(IOException.class, action::run));
    }

    private interface Action {
        void run() throws IOException;
    }
}
