// SPDX-License-Identifier: Apache-2.0
package io.netfs4j.fuse;

import static org.assertj.core.api.Assertions.assertThat;

import io.netfs4j.base.FsError;
import io.netfs4j.base.FsException;

import org.junit.jupiter.api.Test;

import java.nio.file.Path;

/** What the helper says when it refuses, as fusermount3 3.14 words it. */
final class FusermountTest {
    private static final Path PLACE = Path.of("/some/place");

    @Test
    void refused_closedDevice_namesTheRemedy() {
        FsException refusal = refused("fusermount3: failed to open /dev/fuse: Permission denied");
        assertThat(refusal.error()).isEqualTo(FsError.EPERM);
        assertThat(refusal).hasMessageContaining("chmod 666 /dev/fuse");
    }

    @Test
    void refused_directoryOfAnother_isAboutTheMountPoint() {
        for (String said :
                new String[] {
                    "fusermount3: mountpoint /some/place not owned by user",
                    "fusermount3: user has no write access to mountpoint /some/place"
                }) {
            FsException refusal = refused(said);
            assertThat(refusal.error()).isEqualTo(FsError.EACCES);
            assertThat(refusal).hasMessageContaining("/some/place belongs to another user");
        }
    }

    @Test
    void refused_otherUsersNotAllowed_namesTheFile() {
        FsException refusal =
                refused(
                        "fusermount3: option allow_other only allowed if 'user_allow_other' is set"
                                + " in /etc/fuse.conf");
        assertThat(refusal.error()).isEqualTo(FsError.EPERM);
        assertThat(refusal).hasMessageContaining("add the line user_allow_other");
    }

    @Test
    void refused_otherWords_areRepeated() {
        assertThat(refused("fusermount3: something new"))
                .hasMessage("/some/place: fusermount3: something new");
        assertThat(refused("")).hasMessage("/some/place: fusermount3 ended with status 1");
    }

    private static FsException refused(String said) {
        return Fusermount.refused(PLACE, said, 1);
    }
}
