// SPDX-License-Identifier: Apache-2.0
package io.netfs4j.fuse;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

/** The lines of /proc/self/mountinfo. */
final class MountTableTest {
    @Test
    void parse_fuseMountWithSpaces_unescapes() {
        String line =
                "98 29 0:53 / /tmp/a\\040b\\134c rw,nosuid,nodev shared:5 - fuse.netfs"
                        + " sftp://host/a\\040b rw,user_id=0";
        assertThat(MountTable.parse(line))
                .isEqualTo(
                        new MountTable.Line(
                                "/tmp/a b\\c", "fuse.netfs", "sftp://host/a b", "0:53", 53));
    }

    @Test
    void parse_nameThatIsNotAscii_keepsIt() {
        String bytes =
                new String(
                        "1 2 0:9 / /tmp/ä rw - fuse.netfs ö rw"
                                .getBytes(java.nio.charset.StandardCharsets.UTF_8),
                        java.nio.charset.StandardCharsets.ISO_8859_1);
        assertThat(MountTable.parse(bytes))
                .isEqualTo(new MountTable.Line("/tmp/ä", "fuse.netfs", "ö", "0:9", 9));
    }

    @Test
    void parseAll_carriageReturnInAName_keepsIt() {
        String table = "1 2 0:8 / /a rw - ext4 x rw\n1 2 0:9 / /b\rc rw - fuse.netfs y rw\n";
        assertThat(MountTable.parseAll(table))
                .containsExactly(
                        new MountTable.Line("/a", "ext4", "x", "0:8", 8),
                        new MountTable.Line("/b\rc", "fuse.netfs", "y", "0:9", 9));
    }

    @Test
    void parse_shortLine_isNothing() {
        assertThat(MountTable.parse("36 35 98:0 / /mnt rw")).isNull();
    }

    @Test
    void all_onThisMachine_hasProc() throws Exception {
        assertThat(MountTable.all()).extracting(MountTable.Line::mountPoint).contains("/proc");
    }
}
