// SPDX-License-Identifier: Apache-2.0
package io.netfs4j.cli;

import io.netfs4j.cli.ControlMessages.Outcome;

import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

import java.io.IOException;
import java.util.concurrent.Callable;
import java.util.concurrent.TimeUnit;

/** {@code netfs umount}: has the mount's process drain, and waits for it. */
@Command(
        name = "umount",
        aliases = "unmount",
        description = {
            "Unmounts DIR, and returns 0 when everything is on the server.",
            "",
            "Plain umount and fusermount3 -u do not wait: the kernel tells the process after the"
                    + " fact. It goes on in the background until everything is on the server; this"
                    + " command waits for it then, too."
        })
final class UmountCommand implements Callable<Integer> {
    private final Surroundings surroundings;

    @Parameters(paramLabel = "DIR", description = "The mount point.")
    private String directory = "";

    @Option(
            names = "--discard",
            description = {
                "Give up what cannot be saved: uploads that the server refuses, or that have not"
                        + " moved for some seconds. Each file is named. The only way to lose data."
            })
    private boolean discard;

    @Option(
            names = "--timeout",
            paramLabel = "SECONDS",
            description = "Wait no longer than that; then exit 12, and the mount goes on.")
    private long timeoutSeconds = -1;

    UmountCommand(Surroundings surroundings) {
        this.surroundings = surroundings;
    }

    @Override
    public Integer call() throws CommandFailure {
        ControlClient control = surroundings.control();
        ControlClient.Found mount =
                control.on(surroundings.directory().resolve(directory), surroundings::warn);
        Outcome outcome;
        try (ProgressLine progress = new ProgressLine(surroundings.err(), Posix.watched())) {
            outcome =
                    control.unmount(
                            mount,
                            discard,
                            timeoutSeconds < 0 ? -1 : TimeUnit.SECONDS.toMillis(timeoutSeconds),
                            counters -> progress.show(counters, System.nanoTime()));
        } catch (IOException e) {
            throw new CommandFailure(
                    ExitCode.FAILED,
                    "the mount's process "
                            + mount.status().pid()
                            + " went away while it drained; its log is "
                            + mount.status().log());
        }
        boolean given = outcome.code() == ExitCode.OK.number();
        for (Unsaved file : outcome.files()) {
            (given ? surroundings.out() : surroundings.err())
                    .println((given ? "gave up " : "not on the server: ") + file.line());
        }
        if (given) {
            surroundings.out().println(outcome.message());
            return ExitCode.OK.number();
        }
        throw new CommandFailure(ExitCode.of(outcome.code()), outcome.message());
    }
}
