// SPDX-License-Identifier: Apache-2.0
package io.netfs4j.cli;

import org.jspecify.annotations.Nullable;

import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.Callable;

/** {@code netfs mount}: checks what can be checked at once, then has a process serve the mount. */
@Command(
        name = "mount",
        description = {
            "Mounts REMOTE on the directory DIR, and returns when it is mounted.",
            "A process in the background serves it; netfs umount DIR ends it."
        },
        optionListHeading = "%nOptions, before or after REMOTE DIR:%n")
final class MountCommand implements Callable<Integer> {
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
        MountPlan plan = arguments.plan(surroundings.directory());
        surroundings.opener().check(plan);
        Path mountPoint = MountPoint.check(plan.directory());
        surroundings.opener().checkPlace(plan, mountPoint);
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
        long pid = Daemon.start(serveArguments(plan, file), file, Heap.mebibytes(plan));
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
