// SPDX-License-Identifier: Apache-2.0
package io.netfs4j.vfs;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.netfs4j.base.FsException;
import io.netfs4j.engine.PendingAttributes;
import io.netfs4j.server.CoherencyToken;
import io.netfs4j.server.FileType;
import io.netfs4j.server.RemotePath;

import org.junit.jupiter.api.Test;

import java.time.Instant;
import java.util.Arrays;
import java.util.List;
import java.util.SplittableRandom;

class FileFactsTest {
    private static final FileFacts ALL =
            new FileFacts(
                    FileType.SYMLINK,
                    "../there",
                    FileFacts.State.NEW_OR_EMPTIED,
                    new RemotePath(List.of("a", "b \u00e4\u4e2d\ud83d\ude00")),
                    new RemotePath(List.of("c")),
                    true,
                    new RemotePath(List.of("d", "e", "f")),
                    -5,
                    new CoherencyToken("1:2"),
                    true,
                    1L << 40,
                    7,
                    new FileFacts.Owner(07777, 1000, -1),
                    Instant.ofEpochSecond(5, 6),
                    Instant.ofEpochSecond(-7, 8),
                    new PendingAttributes(Instant.EPOCH, Instant.MAX, true, 0640, 12, null),
                    "0123/host-1",
                    1L << 41,
                    1L << 42);

    @Test
    void decode_ofWhatWasEncoded_isTheSame() throws Exception {
        assertThat(FileFacts.decode(ALL.encode())).isEqualTo(ALL);
        FileFacts least = FileFacts.removed(new RemotePath(List.of("x")));
        assertThat(FileFacts.decode(least.encode())).isEqualTo(least);
    }

    /** It has a checksum; what passes that and is no sense was written by something else. */
    @Test
    void decode_ofAnythingElse_failsOrIsSomething_andTakesNoMemory() {
        byte[] good = ALL.encode();
        SplittableRandom random = new SplittableRandom(3);
        for (int round = 0; round < 20_000; round++) {
            byte[] bad = Arrays.copyOf(good, random.nextInt(good.length + 1));
            for (int i = random.nextInt(5); i > 0 && bad.length > 0; i--) {
                bad[random.nextInt(bad.length)] = (byte) random.nextInt();
            }
            try {
                FileFacts.decode(bad);
            } catch (FsException e) {
                assertThat(e.getMessage()).contains("facts");
            }
        }
    }

    /** What that knew comes first, in the same order. */
    @Test
    void decode_ofWhatAnEarlierVersionLeft_isWhatThatKnew() throws Exception {
        FileFacts least = FileFacts.removed(new RemotePath(List.of("x")));
        byte[] now = least.encode();
        byte[] before = Arrays.copyOf(now, now.length - Long.BYTES);
        before[0] = 3;

        assertThat(FileFacts.decode(before)).isEqualTo(least);
    }

    @Test
    void decode_ofALaterVersion_saysSo() {
        byte[] later = ALL.encode();
        later[0] = 99;
        assertThatThrownBy(() -> FileFacts.decode(later))
                .isInstanceOf(FsException.class)
                .hasMessageContaining("version 99");
    }
}
