// SPDX-License-Identifier: Apache-2.0
package io.netfs4j.cli;

import io.netfs4j.MountOptions;
import io.netfs4j.StateDirectory;
import io.netfs4j.base.FsException;
import io.netfs4j.vfs.LeftBehind;
import io.netfs4j.vfs.LeftBehind.PendingChange;

import org.jspecify.annotations.Nullable;

import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;

/** {@code netfs recover}: what this machine has that servers have not got yet. */
@Command(
        name = "recover",
        description = {
            "Shows what mounts have left on this machine that their servers have not got yet."
                    + " Changes nothing, and needs no server.",
            "",
            "Mounting the remote again, as it was, sends it."
        })
final class RecoverCommand implements Callable<Integer> {
    private final Surroundings surroundings;

    @Option(names = "--list", description = "Name each file.")
    private boolean list;

    @Option(
            names = "--json",
            description = {
                "Print {\"remotes\":[{...}]}, with each file; sizes in bytes, stdout has nothing"
                        + " else."
            })
    private boolean json;

    @Option(
            names = "-o",
            paramLabel = "state=DIR",
            description = {
                "Where the mounts kept it; default: below $XDG_STATE_HOME or ~/.local/state."
            })
    private List<String> options = new ArrayList<>();

    RecoverCommand(Surroundings surroundings) {
        this.surroundings = surroundings;
    }

    /**
     * One remote, as {@code --json} shows it; the names do not change.
     *
     * @param mountedBy the process that has it mounted and is sending it; null for nobody
     * @param mountedOn where; null for nowhere
     */
    record Pending(
            String remote,
            String directory,
            @Nullable Long mountedBy,
            @Nullable String mountedOn,
            long bytes,
            List<PendingChange> files,
            List<String> damages) {}

    /** What {@code --json} prints. */
    record Listing(List<Pending> remotes) {}

    @Override
    public Integer call() throws CommandFailure {
        Path directory = directory();
        List<Pending> found = new ArrayList<>();
        CommandFailure failure = null;
        if (directory != null) {
            try {
                for (StateDirectory.Entry entry : StateDirectory.lookAt(directory).entries()) {
                    add(found, entry);
                }
            } catch (FsException e) {
                failure = new CommandFailure(ExitCode.FAILED, String.valueOf(e.getMessage()));
            }
        }
        if (failure == null || !found.isEmpty()) {
            print(found);
        }
        if (failure != null) {
            throw failure;
        }
        return ExitCode.OK.number();
    }

    private void add(List<Pending> found, StateDirectory.Entry entry) {
        LeftBehind left;
        try {
            left = entry.left();
        } catch (FsException e) {
            left = new LeftBehind(List.of(), List.of(String.valueOf(e.getMessage())));
        }
        var holder = entry.holder();
        if (!left.isEmpty()) {
            found.add(
                    new Pending(
                            entry.remote(),
                            entry.directory().toString(),
                            holder == null ? null : holder.pid(),
                            holder == null ? null : holder.place(),
                            left.bytes(),
                            left.files(),
                            left.damages()));
        }
    }

    private @Nullable Path directory() throws CommandFailure {
        Map<String, List<String>> given = OptionText.parse(options);
        for (Map.Entry<String, List<String>> option : given.entrySet()) {
            String value = option.getValue().getLast();
            if (!option.getKey().equals(MountOptions.STATE) || value.isEmpty()) {
                throw new CommandFailure(
                        ExitCode.USAGE, "recover takes -o state=DIR alone; see netfs help recover");
            }
            Path directory = surroundings.directory().resolve(value);
            if (!Files.isDirectory(directory)) {
                throw new CommandFailure(
                        ExitCode.USAGE,
                        directory + " is no directory; -o state=DIR names that of the mounts");
            }
            return directory;
        }
        return StateHome.stateOfUser(surroundings.environment());
    }

    private void print(List<Pending> found) {
        if (json) {
            surroundings.out().println(ControlMessages.write(new Listing(found)));
        } else if (found.isEmpty()) {
            surroundings.say("nothing is left on this machine that a server has not got");
        } else {
            found.forEach(this::print);
        }
    }

    /** Where a file is below its remote, for people. */
    static String path(PendingChange file) {
        return file.path().isEmpty() ? "(nobody knows where)" : file.path();
    }

    private void print(Pending remote) {
        String where =
                remote.mountedOn() == null
                        ? "not mounted"
                        : "mounted on " + remote.mountedOn() + ", pid " + remote.mountedBy();
        surroundings.say(remote.remote() + "  (" + where + ")");
        surroundings.say(
                "  not on the server  " + Quantity.files(remote.files().size(), remote.bytes()));
        if (list) {
            for (PendingChange file : remote.files()) {
                String path = path(file);
                surroundings.say(
                        "  "
                                + file.state()
                                + "  "
                                + path
                                + " ("
                                + Quantity.bytes(file.bytes())
                                + ")");
            }
        }
        remote.damages().forEach(damage -> surroundings.say("  damaged  " + damage));
    }
}
