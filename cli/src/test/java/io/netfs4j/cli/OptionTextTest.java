// SPDX-License-Identifier: Apache-2.0
package io.netfs4j.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import org.junit.jupiter.api.Test;

import java.util.List;
import java.util.Map;

class OptionTextTest {
    @Test
    void parse_severalTexts_keepsEveryValueInOrder() throws CommandFailure {
        assertThat(OptionText.parse(List.of("ro,IdentityFile=a", "IdentityFile=b,uid=7")))
                .isEqualTo(
                        Map.of(
                                "ro", List.of(""),
                                "IdentityFile", List.of("a", "b"),
                                "uid", List.of("7")));
    }

    @Test
    void parse_escapedComma_belongsToTheValue() throws CommandFailure {
        assertThat(OptionText.parse(List.of("a=x\\,y,b=\\,,c=back\\slash,d=end\\")))
                .isEqualTo(
                        Map.of(
                                "a", List.of("x,y"),
                                "b", List.of(","),
                                "c", List.of("back\\slash"),
                                "d", List.of("end\\")));
    }

    @Test
    void parse_valueWithEquals_splitsAtTheFirst() throws CommandFailure {
        assertThat(OptionText.parse(List.of("ProxyCommand=a=b")))
                .isEqualTo(Map.of("ProxyCommand", List.of("a=b")));
    }

    @Test
    void parse_emptyPieces_areNothing() throws CommandFailure {
        assertThat(OptionText.parse(List.of("", ",,ro,"))).isEqualTo(Map.of("ro", List.of("")));
    }

    @Test
    void parse_noName_isRefused() {
        assertThatThrownBy(() -> OptionText.parse(List.of("=x")))
                .isInstanceOf(CommandFailure.class)
                .hasMessageContaining("\"=x\"");
    }

    @Test
    void format_thenParse_isTheSame() throws CommandFailure {
        Map<String, List<String>> options =
                OptionText.parse(List.of("a=x\\,y,ro,b=1,b=2,c=back\\slash"));

        assertThat(OptionText.parse(List.of(OptionText.format(options)))).isEqualTo(options);
    }
}
