// SPDX-License-Identifier: Apache-2.0
package io.netfs4j.server;

import static org.assertj.core.api.Assertions.assertThat;

import io.netfs4j.base.FsException;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

import java.nio.file.Path;

class RemoteTest {
    private static Remote remote(String text) throws FsException {
        return Remote.parse(text, Path.of("/home/me"));
    }

    @Test
    void absoluteText_ofADirectory_isTheSameFromAnywhere() throws FsException {
        String seen = remote("./data/../x").absoluteText();
        assertThat(seen).isEqualTo("/home/me/x");
        assertThat(Remote.parse(seen, Path.of("/")).path()).isEqualTo("/home/me/x");
        assertThat(remote("sftp://h/x").absoluteText()).isEqualTo("sftp://h/x");
    }

    /** Too often is a needless refusal, too seldom is one mount's data over another's. */
    @ParameterizedTest
    @CsvSource({
        "x, /home/me/x/y, true",
        "x, /home/me/xy, false",
        "x, sftp://h/home/me/x, false",
        "sftp://h/x, sftp://other@H/x/, true",
        "sftp://h/x, sftp://h/, true",
        "sftp://h/x, sftp://h, true",
        "sftp://h/x, sftp://h/xy, false",
        "sftp://h/x, sftp://h:2222/x, true",
        "sftp://h:22/x, sftp://h:2222/x, false",
        "sftp://h/~/x, sftp://h/home/me/x, true",
        "sftp://h/~/x, sftp://h/~/y, false",
    })
    void overlaps(String one, String other, boolean expected) throws FsException {
        assertThat(remote(one).overlaps(remote(other))).isEqualTo(expected);
        assertThat(remote(other).overlaps(remote(one))).isEqualTo(expected);
    }
}
