// SPDX-License-Identifier: Apache-2.0
package io.netfs4j.cli;

import picocli.CommandLine;
import picocli.CommandLine.Command;

/** The {@code netfs} command: where it starts. */
@Command(name = "netfs", description = "Mounts remote storage as a local file system.")
public final class Main implements Runnable {
    private Main() {}

    public static void main(String[] args) {
        System.exit(new CommandLine(new Main()).execute(args));
    }

    @Override
    public void run() {
        CommandLine.usage(this, System.out);
    }

    @Command(name = "version", description = "Prints the version.")
    int version() {
        System.out.println("netfs 0.1.0-SNAPSHOT");
        return 0;
    }
}
