// SPDX-License-Identifier: Apache-2.0
package io.netfs4j.cli;

import static java.util.concurrent.TimeUnit.MILLISECONDS;

import io.netfs4j.server.Remote;

import org.jspecify.annotations.Nullable;

import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

import java.nio.file.Path;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.Callable;
import java.util.function.Consumer;

/** {@code netfs mount}: checks what can be checked at once, then has a process serve the mount. */
@Command(
        name = "mount",
        description = {
            "Mounts REMOTE on the directory DIR, and returns when it is mounted.",
            "A process in the background serves it; netfs umount DIR ends it."
        },
        optionListHeading = "%nOptions, before or after REMOTE DIR:%n")
final class MountCommand implements Callable<Integer> {
    /** What an earlier mount of the same files has left is mostly sent within this time. */
    private static final long DRAIN_MILLIS_MAX = 5_000;

    private static final long DRAIN_LOOK_MILLIS = 50;

    private final Surroundings surroundings;

    @Mixin private MountArguments arguments = new MountArguments();

    @Option(
            names = {"-f", "--foreground"},
            description = {
                "Serve the mount in this process: log to stderr, end on Ctrl-C (after draining)."
            })
    private boolean foreground;

    @Option(
            names = "--log",
            paramLabel = "FILE",
            description = {
                "Log to FILE, in a directory that exists; default: a file below $XDG_STATE_HOME or"
                        + " ~/.local/state, named when mounted."
            })
    private @Nullable Path log;

    MountCommand(Surroundings surroundings) {
        this.surroundings = surroundings;
    }

    @Override
    public Integer call() throws CommandFailure {
        MountPlan plan = arguments.plan(surroundings.directory(), surroundings.environment());
        surroundings.opener().check(plan);
        Path mountPoint = MountPoint.check(plan.directory());
        surroundings.opener().checkPlace(plan, mountPoint);
        refuseWhileDraining(plan);
        Path file = log == null ? null : plan.from().resolve(log).normalize();
        if (foreground) {
            if (file != null) {
                LogFile.prepareNamed(file);
            }
            long heapMiB = Heap.mebibytes(plan);
            if (heapMiB > Heap.LEAST_MIB && Runtime.getRuntime().maxMemory() >> 20 < heapMiB / 2) {
                throw new CommandFailure(
                        ExitCode.USAGE,
                        "such a page cache wants a heap of "
                                + heapMiB
                                + " MiB, which --foreground cannot have; leave it out");
            }
            return new Serving(surroundings, plan, file, arguments.logLevel()).inForeground();
        }
        if (file == null) {
            file = LogFile.forMountPoint(mountPoint, surroundings.environment());
        } else {
            LogFile.prepareNamed(file);
        }
        long pid = start(plan, file);
        surroundings.say(
                "mounted "
                        + plan.remoteText()
                        + " on "
                        + mountPoint
                        + " (pid "
                        + pid
                        + ", log "
                        + file
                        + ")");
        return ExitCode.OK.number();
    }

    /**
     * Starts the process; once more where an earlier mount was about to end, or to say that it only
     * drains.
     */
    private long start(MountPlan plan, Path file) throws CommandFailure {
        List<String> arguments = serveArguments(plan, file);
        long heapMiB = Heap.mebibytes(plan);
        try {
            return Daemon.start(arguments, file, heapMiB, surroundings::warn);
        } catch (CommandFailure e) {
            if (e.code() != ExitCode.MOUNTED_ALREADY) {
                throw e;
            }
            refuseWhileDraining(plan);
            return Daemon.start(arguments, file, heapMiB, surroundings::warn);
        }
    }

    /** Waits a little for an earlier mount of the same files that was let go of, then refuses. */
    private void refuseWhileDraining(MountPlan plan) throws CommandFailure {
        ControlClient control = surroundings.control();
        Remote remote = Backends.choose(plan).remote();
        long deadline = System.nanoTime() + MILLISECONDS.toNanos(DRAIN_MILLIS_MAX);
        Set<String> warnings = new HashSet<>();
        Consumer<String> warnOnce =
                line -> {
                    if (warnings.add(line)) {
                        surroundings.warn(line);
                    }
                };
        ControlClient.Found earlier;
        while ((earlier = control.draining(remote, warnOnce)) != null) {
            if (System.nanoTime() - deadline > 0) {
                MountStatus status = earlier.status();
                throw new CommandFailure(
                        ExitCode.DRAINING,
                        "the mount of "
                                + status.remote()
                                + " that was on "
                                + status.mountPoint()
                                + " still has "
                                + Quantity.bytes(status.dirtyBytes())
                                + " to send (pid "
                                + status.pid()
                                + "); netfs umount "
                                + status.mountPoint()
                                + " waits for it");
            }
            try {
                MILLISECONDS.sleep(DRAIN_LOOK_MILLIS);
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
                throw new CommandFailure(ExitCode.FAILED, "interrupted");
            }
        }
    }

    private List<String> serveArguments(MountPlan plan, Path file) throws CommandFailure {
        return List.of(
                "--from=" + plan.from(),
                "--log=" + file,
                "--log-level=" + arguments.logLevel(),
                "-o",
                OptionText.format(plan.options()),
                "--",
                plan.remoteText(),
                plan.directory().toString());
    }
}
