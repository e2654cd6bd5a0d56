// SPDX-License-Identifier: Apache-2.0
package io.netfs4j.base;

import static org.assertj.core.api.Assertions.assertThat;

import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.concurrent.CountDownLatch;

@Timeout(60)
class SystemRuntimeTest {
    @TempDir Path directory;

    /** A pipe without a writer stands for a disk that hangs: it is not even opened. */
    @Test
    void tasksThatHangInTheSystem_holdUpNobodyElse() throws IOException, InterruptedException {
        Path pipe = directory.resolve("pipe");
        assertThat(new ProcessBuilder("mkfifo", pipe.toString()).start().waitFor()).isZero();
        int tasks = 4 * Runtime.getRuntime().availableProcessors();
        CountDownLatch begun = new CountDownLatch(tasks);
        CountDownLatch ended = new CountDownLatch(tasks);
        Completion<@Nullable Void> other = new Completion<>();
        try (SystemRuntime runtime = new SystemRuntime()) {
            Environment environment = runtime.environment();
            for (int i = 0; i < tasks; i++) {
                environment
                        .scheduler()
                        .forkBlocking(
                                "hangs",
                                () -> {
                                    begun.countDown();
                                    try (FileChannel reader =
                                            FileChannel.open(pipe, StandardOpenOption.READ)) {
                                        assertThat(reader.isOpen()).isTrue();
                                    } catch (IOException e) {
                                        throw new java.io.UncheckedIOException(e);
                                    }
                                    ended.countDown();
                                });
            }
            begun.await();
            environment.scheduler().fork("runs", () -> other.complete(null));
            environment.waits().await(other);
            assertThat(ended.getCount()).isEqualTo(tasks);
            try (FileChannel writer =
                    FileChannel.open(pipe, StandardOpenOption.READ, StandardOpenOption.WRITE)) {
                ended.await();
                assertThat(writer.isOpen()).isTrue();
            }
        }
    }
}
