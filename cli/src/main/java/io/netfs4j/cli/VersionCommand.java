// SPDX-License-Identifier: Apache-2.0
package io.netfs4j.cli;

import picocli.CommandLine.Command;

import java.io.IOException;
import java.io.InputStream;
import java.util.Properties;
import java.util.concurrent.Callable;

/** {@code netfs version}. */
@Command(name = "version", description = "Prints the version.")
final class VersionCommand implements Callable<Integer> {
    private final Surroundings surroundings;

    VersionCommand(Surroundings surroundings) {
        this.surroundings = surroundings;
    }

    @Override
    public Integer call() throws IOException {
        surroundings.out().println("netfs " + version());
        return ExitCode.OK.number();
    }

    /** The version that the build wrote beside the classes. */
    static String version() throws IOException {
        Properties properties = new Properties();
        try (InputStream in = VersionCommand.class.getResourceAsStream("version.properties")) {
            if (in == null) {
                throw new IOException("version.properties is missing");
            }
            properties.load(in);
        }
        return properties.getProperty("version", "unknown");
    }
}
