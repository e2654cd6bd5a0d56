// SPDX-License-Identifier: Apache-2.0
package io.netfs4j.cli;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

import java.util.List;

/** Names that others chose, as they are shown. */
class PrintableTest {
    private static final String NASTY = "a\nb\u001b[2J\u2028\r\tc\\d";
    private static final String SHOWN = "a\\nb\\u001b[2J\\u2028\\r\\tc\\d";

    @Test
    void of_controlCharacters_areEscaped() {
        assertThat(Printable.of(NASTY)).isEqualTo(SHOWN);
    }

    @Test
    void of_shownAlready_staysAsItIs() {
        assertThat(Printable.of(SHOWN)).isEqualTo(SHOWN);
    }

    @Test
    void of_otherLanguages_stayAsTheyAre() {
        assertThat(Printable.of("grüße \u65e5\u672c \ud83d\ude00"))
                .isEqualTo("grüße \u65e5\u672c \ud83d\ude00");
    }

    @Test
    void statusText_nastyNames_keepsOneLineForEach() {
        MountStatus status = status();

        assertThat(status.text().lines())
                .hasSize(9)
                .first()
                .isEqualTo("/mnt/" + SHOWN + "  ./" + SHOWN + "  (mounted, pid 1)");
        assertThat(status.text().lines())
                .contains("  refused            " + SHOWN + " (1 B): no " + SHOWN)
                .endsWith("  log                /log/" + SHOWN);
    }

    @Test
    void statusJson_nastyNames_comeBackAsTheyWere() throws Exception {
        String json = ControlMessages.write(status());

        assertThat(json).doesNotContain("\n", "\u001b");
        assertThat(ControlMessages.read(json, MountStatus.class)).isEqualTo(status());
    }

    @Test
    void failure_nastyName_isOneLine() {
        assertThat(new CommandFailure(ExitCode.FAILED, "no " + NASTY + "\n").line())
                .isEqualTo("no " + SHOWN);
    }

    private static MountStatus status() {
        return new MountStatus(
                1,
                "/mnt/" + NASTY,
                "./" + NASTY,
                MountStatus.MOUNTED,
                MountStatus.UP,
                "no room for " + NASTY,
                1,
                0,
                0,
                0,
                0,
                0,
                0,
                0,
                0,
                0,
                0,
                List.of(new Unsaved(NASTY, 1, "no " + NASTY)),
                "/log/" + NASTY);
    }
}
