// SPDX-License-Identifier: Apache-2.0
package io.netfs4j.cli;

import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

import java.nio.file.Path;
import java.util.concurrent.Callable;

/** What the process in the background runs; {@code netfs mount} starts it. */
@Command(name = Daemon.VERB, hidden = true, description = "Serves a mount for netfs mount.")
final class ServeCommand implements Callable<Integer> {
    private final Surroundings surroundings;

    @Mixin private MountArguments arguments = new MountArguments();

    @Option(names = "--from", required = true, description = "What relative names start from.")
    private Path from = Path.of("/");

    @Option(names = "--log", required = true, description = "The log file.")
    private Path log = Path.of("/dev/null");

    ServeCommand(Surroundings surroundings) {
        this.surroundings = surroundings;
    }

    @Override
    public Integer call() throws CommandFailure {
        Posix.leaveSession();
        return new Serving(
                        surroundings,
                        arguments.plan(from, surroundings.environment()),
                        log,
                        arguments.logLevel())
                .inBackground();
    }
}
