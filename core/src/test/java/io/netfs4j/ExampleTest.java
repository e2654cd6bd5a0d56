// SPDX-License-Identifier: Apache-2.0
package io.netfs4j;

import static org.assertj.core.api.Assertions.assertThat;

import io.netfs4j.server.Remote;
import io.netfs4j.server.ServerOptions;
import io.netfs4j.tidy.Readme;
import io.netfs4j.vfs.OpenFile;
import io.netfs4j.vfs.OpenFlags;
import io.netfs4j.vfs.Vfs;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;

/** The example of README.md: it runs, and stands there as it stands here. */
class ExampleTest {
    @TempDir private Path here;

    @Test
    void example_overALocalDirectory_isOnTheServer() throws IOException {
        // begin
        Remote remote = Remote.parse("./remote", here);
        try (Mount mount = Netfs.open(remote, MountOptions.defaults(), ServerOptions.NONE)) {
            Vfs vfs = mount.vfs();
            OpenFile file = vfs.create(Vfs.ROOT_INO, "greeting", 0644, OpenFlags.READ_WRITE).file();
            vfs.write(file, 0, ByteBuffer.wrap("hello".getBytes(StandardCharsets.UTF_8)));
            vfs.fsync(file, false); // on the server's disk
            vfs.release(file);
            mount.drain().forEach(refused -> System.err.println("not saved: " + refused));
        }
        // end

        assertThat(here.resolve("remote/greeting")).hasContent("hello");
    }

    @Test
    void example_inTheReadme_isThisOne() throws IOException {
        String source =
                Files.readString(
                        Readme.checkout()
                                .resolve("core/src/test/java/io/netfs4j/ExampleTest.java"));
        String code = source.substring(source.indexOf("// begin\n") + 9, source.indexOf("// end"));

        assertThat(Readme.text()).contains(code.stripIndent().stripTrailing().indent(4));
    }
}
