// SPDX-License-Identifier: Apache-2.0
package io.netfs4j.cli;

import io.netfs4j.cli.ControlMessages.Outcome;
import io.netfs4j.cli.ControlMessages.Request;
import io.netfs4j.cli.ControlMessages.Verb;

import org.jspecify.annotations.Nullable;

import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

import java.io.IOException;
import java.nio.file.Path;
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
    /** A year. */
    private static final long TIMEOUT_SECONDS_MAX = 31_536_000;

    private final Surroundings surroundings;

    @Parameters(paramLabel = "DIR", description = "The mount point.")
    private String directory = "";

    @Option(
            names = "--discard",
            description = {
                "Give up what cannot be saved: uploads that the server refuses, or that have not"
                        + " moved for some seconds. Each file is named. Nothing else that umount"
                        + " does loses data."
            })
    private boolean discard;

    @Option(
            names = "--timeout",
            paramLabel = "SECONDS",
            description =
                    "Wait no longer than that, whole seconds; then exit 12, and the mount goes on"
                            + " (with --no-drain it ends).")
    private @Nullable String timeout;

    @Option(
            names = "--no-drain",
            description = {
                "Do not wait for the server, or only for --timeout: what it has not got then stays"
                        + " in the journal, is listed, and the next mount goes on with it. Exit 15"
                        + " when there was any."
            })
    private boolean leave;

    UmountCommand(Surroundings surroundings) {
        this.surroundings = surroundings;
    }

    @Override
    public Integer call() throws CommandFailure {
        if (discard && leave) {
            throw new CommandFailure(
                    ExitCode.USAGE, "--discard gives up what --no-drain keeps; choose one");
        }
        long timeoutMillis = timeoutMillis();
        ControlClient control = surroundings.control();
        Path mountPoint = surroundings.directory().resolve(directory);
        ControlClient.Found mount;
        try {
            mount = control.on(mountPoint, surroundings::warn);
        } catch (CommandFailure e) {
            Outcome freed = DeadMount.free(mountPoint, surroundings.runtimeDirectory());
            if (freed == null) {
                throw e;
            }
            return tell(freed);
        }
        Outcome outcome;
        Thread interrupted = new Thread(() -> sayThatItGoesOn(mount.status()));
        Runtime.getRuntime().addShutdownHook(interrupted);
        try (ProgressLine progress = new ProgressLine(surroundings.err(), Posix.watched())) {
            outcome =
                    control.unmount(
                            mount,
                            new Request(Verb.UNMOUNT, discard, timeoutMillis, leave),
                            counters -> progress.show(counters, System.nanoTime()));
        } catch (IOException e) {
            throw new CommandFailure(
                    ExitCode.FAILED,
                    "the mount's process "
                            + mount.status().pid()
                            + " went away while it drained; its log is "
                            + mount.status().log());
        } finally {
            forget(interrupted);
        }
        return tell(outcome);
    }

    private int tell(Outcome outcome) throws CommandFailure {
        boolean given = outcome.code() == ExitCode.OK.number();
        for (Unsaved file : outcome.files()) {
            (given ? surroundings.out() : surroundings.err())
                    .println((given ? "gave up " : "not on the server: ") + file.line());
        }
        if (given) {
            surroundings.say(outcome.message());
            return ExitCode.OK.number();
        }
        throw new CommandFailure(ExitCode.of(outcome.code()), outcome.message());
    }

    /** Negative for without end. */
    private long timeoutMillis() throws CommandFailure {
        if (timeout == null) {
            return -1;
        }
        if (timeout.matches("[0-9]{1,8}") && Long.parseLong(timeout) <= TIMEOUT_SECONDS_MAX) {
            return TimeUnit.SECONDS.toMillis(Long.parseLong(timeout));
        }
        throw new CommandFailure(
                ExitCode.USAGE,
                "--timeout "
                        + timeout
                        + ": whole seconds, from 0 to "
                        + TIMEOUT_SECONDS_MAX
                        + "; without it umount waits for as long as it takes");
    }

    private static void forget(Thread hook) {
        try {
            Runtime.getRuntime().removeShutdownHook(hook);
        } catch (IllegalStateException e) {
            // It is running: the command has been interrupted.
        }
    }

    /** The command was interrupted: nobody waits any more. */
    private void sayThatItGoesOn(MountStatus status) {
        surroundings
                .err()
                .println(
                        "\nnetfs: interrupted; process "
                                + status.pid()
                                + " goes on, and netfs status shows what is left to send");
    }
}
