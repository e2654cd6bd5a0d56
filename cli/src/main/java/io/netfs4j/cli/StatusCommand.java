// SPDX-License-Identifier: Apache-2.0
package io.netfs4j.cli;

import org.jspecify.annotations.Nullable;

import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

import java.nio.file.Path;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.Callable;

/** {@code netfs status}: what is mounted, and how much of it is not on the server yet. */
@Command(
        name = "status",
        description = "Shows what you have mounted, and how much is not on the server yet.")
final class StatusCommand implements Callable<Integer> {
    private final Surroundings surroundings;

    @Parameters(
            arity = "0..1",
            paramLabel = "DIR",
            description = "Only the mount on this directory.")
    private @Nullable String directory;

    @Option(
            names = "--json",
            description = "Print {\"mounts\":[{...}]}; sizes in bytes, stdout has nothing else.")
    private boolean json;

    StatusCommand(Surroundings surroundings) {
        this.surroundings = surroundings;
    }

    @Override
    public Integer call() throws CommandFailure {
        try {
            print(mounts());
        } catch (CommandFailure e) {
            if (json) {
                print(List.of());
            }
            throw e;
        }
        return ExitCode.OK.number();
    }

    private List<MountStatus> mounts() throws CommandFailure {
        ControlClient control = surroundings.control();
        if (directory == null) {
            List<MountStatus> alive =
                    control.all(surroundings::warn).stream()
                            .map(ControlClient.Found::status)
                            .toList();
            Set<Path> known = new HashSet<>();
            alive.forEach(mount -> known.add(Path.of(mount.mountPoint())));
            MountPoint.allDead(known).forEach(place -> surroundings.warn(dead(place)));
            return alive;
        }
        Path place = surroundings.directory().resolve(directory);
        try {
            return List.of(control.on(place, surroundings::warn).status());
        } catch (CommandFailure e) {
            List<Path> dead = MountPoint.deadOf(MountPoint.namesOf(place));
            if (!dead.isEmpty()) {
                throw new CommandFailure(ExitCode.NOT_MOUNTED, dead(dead.getFirst()));
            }
            throw e;
        }
    }

    private static String dead(Path mountPoint) {
        return "the process of the mount on "
                + mountPoint
                + " is gone; free it with netfs umount "
                + mountPoint
                + ", which tells what is left to send, and how";
    }

    private void print(List<MountStatus> mounts) {
        if (json) {
            surroundings.out().println(ControlMessages.write(new MountStatus.Listing(mounts)));
        } else if (mounts.isEmpty()) {
            surroundings.out().println("nothing is mounted");
        } else {
            mounts.forEach(mount -> surroundings.out().println(mount.text()));
        }
    }
}
