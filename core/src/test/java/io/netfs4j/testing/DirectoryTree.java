// SPDX-License-Identifier: Apache-2.0
package io.netfs4j.testing;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Comparator;
import java.util.List;
import java.util.stream.Stream;

/** A directory of this machine with all that is in it. */
public final class DirectoryTree {
    private DirectoryTree() {}

    public static void delete(Path top) throws IOException {
        List<Path> all;
        try (Stream<Path> walked = Files.walk(top)) {
            all = walked.sorted(Comparator.reverseOrder()).toList();
        }
        for (Path path : all) {
            Files.delete(path);
        }
    }
}
