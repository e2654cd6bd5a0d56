// SPDX-License-Identifier: Apache-2.0
package io.netfs4j.tidy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;

/** README.md, for tests that hold it to what is true. */
public final class Readme {
    private Readme() {}

    /** The directory that it stands in. */
    public static Path checkout() {
        return Sources.checkout();
    }

    public static String text() throws IOException {
        return Files.readString(checkout().resolve("README.md"));
    }
}
