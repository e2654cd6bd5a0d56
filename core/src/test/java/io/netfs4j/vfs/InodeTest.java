// SPDX-License-Identifier: Apache-2.0
package io.netfs4j.vfs;

import static org.assertj.core.api.Assertions.assertThat;

import io.netfs4j.server.CoherencyToken;
import io.netfs4j.server.FileType;
import io.netfs4j.server.ServerAttributes;

import org.junit.jupiter.api.Test;

import java.time.Instant;

class InodeTest {
    private static Inode inode(long ino, FileType type) {
        Instant then = Instant.EPOCH;
        CoherencyToken token = new CoherencyToken("v");
        return new Inode(
                ino, new ServerAttributes(type, 0, 0644, 0, 0, 1, then, then, then, ino, token), 0);
    }

    @Test
    void hiddenName_whoseFileIsForgottenDuringAListing_staysUnlisted() {
        Inode directory = inode(1, FileType.DIRECTORY);
        Inode file = inode(2, FileType.REGULAR);
        directory.listings = 1;
        file.hidden = true;
        directory.nameChanged("hidden", file);
        directory.attributesChanged("hidden", file);
        directory.attributesChanged("other", file);
        assertThat(directory.changedNames).containsOnlyKeys("hidden");
        assertThat(directory.changedNames.get("hidden").now()).isNull();
    }
}
