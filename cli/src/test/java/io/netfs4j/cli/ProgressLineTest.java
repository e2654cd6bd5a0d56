// SPDX-License-Identifier: Apache-2.0
package io.netfs4j.cli;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;

class ProgressLineTest {
    private static final long SECOND = 1_000_000_000L;

    private final ByteArrayOutputStream out = new ByteArrayOutputStream();

    @Test
    void text_steadyRate_tellsHowLongYet() {
        ProgressLine line = line(true);

        assertThat(line.text(at(30 << 20, 0), 0)).isEqualTo("30.0 MiB not on the server yet");
        assertThat(line.text(at(20 << 20, 10 << 20), SECOND))
                .isEqualTo("20.0 MiB not on the server yet, 10.0 MiB/s, 2 s left");
        assertThat(line.text(at(0, 30 << 20), 2 * SECOND)).isEqualTo("finishing");
    }

    @Test
    void show_nobodyWatches_writesNothing() {
        try (ProgressLine line = line(false)) {
            line.show(at(1, 0), 0);
        }

        assertThat(out.size()).isZero();
    }

    @Test
    void close_afterShow_leavesTheLineEmpty() {
        try (ProgressLine line = line(true)) {
            line.show(at(5, 0), 0);
        }

        assertThat(out.toString(StandardCharsets.UTF_8))
                .isEqualTo("\r5 B not on the server yet\r" + " ".repeat(25) + "\r");
    }

    @Test
    void quantity_sizesAndTimes_areShort() {
        assertThat(Quantity.bytes(1023)).isEqualTo("1023 B");
        assertThat(Quantity.bytes(1536)).isEqualTo("1.5 KiB");
        assertThat(Quantity.bytes(Long.MAX_VALUE)).isEqualTo("8.0 EiB");
        assertThat(Quantity.seconds(59)).isEqualTo("59 s");
        assertThat(Quantity.seconds(61)).isEqualTo("1 min 1 s");
        assertThat(Quantity.seconds(7260)).isEqualTo("2 h 1 min");
    }

    private ProgressLine line(boolean watched) {
        return new ProgressLine(new PrintStream(out, true, StandardCharsets.UTF_8), watched);
    }

    private static MountCounts at(long dirtyBytes, long uploadedBytes) {
        return new MountCounts(dirtyBytes, 0, uploadedBytes, 0, 0, 0, 0, 0, 0, 0, 0);
    }
}
