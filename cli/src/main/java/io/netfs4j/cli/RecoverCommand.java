// SPDX-License-Identifier: Apache-2.0
package io.netfs4j.cli;

import io.netfs4j.MountOptions;
import io.netfs4j.StateDirectory;
import io.netfs4j.base.FsError;
import io.netfs4j.base.FsException;
import io.netfs4j.server.Remote;
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
                    + " Changes nothing without --discard, and needs no server.",
            "",
            "Mounting the remote again, as it was, sends it. Where it is not known which remote"
                    + " that is, the directory stands in its place."
        })
final class RecoverCommand implements Callable<Integer> {
    private final Surroundings surroundings;

    @Option(names = "--list", description = "Name each file.")
    private boolean list;

    @Option(
            names = "--json",
            description = {
                "Print {\"remotes\":[{...}]}, with each file; sizes in bytes, stdout has nothing"
                        + " else. \"remote\" is null where only the \"directory\" is known."
                        + " With --discard a field \"discarded\" tells whether it was done, and"
                        + " \"message\" how it ended."
            })
    private boolean json;

    @Option(
            names = "--discard",
            paramLabel = "REMOTE",
            description = {
                "Give up what is left of this remote (or directory), for good, and name each file."
                        + " Not while it is mounted. What its server has of these files stays there"
                        + " as it is."
            })
    private @Nullable String discard;

    @Option(names = "--yes", description = "Do so: without it --discard only shows what it would.")
    private boolean yes;

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
     * @param remote null where it is not known
     * @param directory where that lies on this machine
     * @param mountedBy the process that has it mounted and is sending it; null for nobody
     * @param mountedOn where; null for nowhere
     */
    record Pending(
            @Nullable String remote,
            String directory,
            @Nullable Long mountedBy,
            @Nullable String mountedOn,
            long bytes,
            List<PendingChange> files,
            List<String> damages) {
        String words() {
            return remote == null ? directory : remote;
        }
    }

    /** What {@code --json} prints. */
    record Listing(List<Pending> remotes) {}

    /**
     * What {@code --discard --json} prints.
     *
     * @param remotes one, or none where nothing is left of it
     * @param message for people: how it ended; null where that is said on stderr
     */
    record Discarding(boolean discarded, List<Pending> remotes, @Nullable String message) {}

    @Override
    public Integer call() throws CommandFailure {
        Path directory = directory();
        if (discard != null) {
            discard(discard, directory);
            return ExitCode.OK.number();
        }
        if (yes) {
            throw new CommandFailure(
                    ExitCode.USAGE, "--yes is for --discard REMOTE; nothing was given up");
        }
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

    private static void add(List<Pending> found, StateDirectory.Entry entry) {
        LeftBehind left = entry.leftOrDamage();
        if (!left.isEmpty()) {
            found.add(pending(entry, left));
        }
    }

    private static Pending pending(StateDirectory.Entry entry, LeftBehind left) {
        var holder = entry.holder();
        return new Pending(
                entry.remote(),
                entry.directory().toString(),
                holder == null ? null : holder.pid(),
                holder == null ? null : holder.place(),
                left.bytes(),
                left.files(),
                left.damages());
    }

    // ---- giving up ----------------------------------------------------------------------------

    private void discard(String remote, @Nullable Path directory) throws CommandFailure {
        try {
            StateDirectory state = directory == null ? null : StateDirectory.lookAt(directory);
            StateDirectory.Entry entry = state == null ? null : entry(state, remote);
            if (state == null || entry == null) {
                throw new CommandFailure(
                        ExitCode.USAGE,
                        "nothing is kept of "
                                + remote
                                + (directory == null ? "" : " in " + directory)
                                + "; netfs recover lists what is; -o state=DIR names another"
                                + " place");
            }
            var holder = entry.holder();
            if (holder != null) {
                throw new CommandFailure(
                        ExitCode.MOUNTED_ALREADY,
                        entry.words()
                                + " is mounted on "
                                + holder.words()
                                + ", and being sent; unmount it first, or give up what cannot be"
                                + " sent with netfs umount --discard");
            }
            LeftBehind left = entry.leftOrDamage();
            if (left.isEmpty()) {
                print(false, List.of());
                return;
            }
            if (!yes) {
                print(false, List.of(pending(entry, left)));
                throw new CommandFailure(
                        ExitCode.USAGE,
                        "nothing was given up: mount "
                                + (entry.remote() == null ? "the same remote" : entry.remote())
                                + " again to send it, or add --yes to lose it for good");
            }
            print(true, List.of(pending(entry, state.discard(entry))));
        } catch (FsException e) {
            throw new CommandFailure(
                    e.error() == FsError.EBUSY ? ExitCode.MOUNTED_ALREADY : ExitCode.FAILED,
                    String.valueOf(e.getMessage()));
        }
    }

    /** By what {@code netfs recover} calls it, or as it was mounted. */
    private StateDirectory.@Nullable Entry entry(StateDirectory state, String remote)
            throws FsException {
        String whole;
        try {
            whole = Remote.parse(remote, surroundings.directory()).absoluteText();
        } catch (FsException e) {
            whole = remote;
        }
        for (StateDirectory.Entry entry : state.entries()) {
            if (entry.words().equals(remote) || entry.words().equals(whole)) {
                return entry;
            }
        }
        // It may be there without saying so: then it is found as a mount finds it.
        return state.entry(whole);
    }

    private void print(boolean discarded, List<Pending> remotes) {
        if (json) {
            surroundings
                    .out()
                    .println(
                            ControlMessages.write(
                                    new Discarding(
                                            discarded, remotes, message(discarded, remotes))));
            return;
        }
        for (Pending remote : remotes) {
            if (discarded) {
                printGivenUp(remote);
            } else {
                print(remote, true);
            }
        }
        String message = message(discarded, remotes);
        if (message != null) {
            surroundings.say(message);
        }
    }

    private static @Nullable String message(boolean discarded, List<Pending> remotes) {
        if (remotes.isEmpty()) {
            return "nothing is left of it that its server has not got";
        }
        if (!discarded) {
            return null;
        }
        Pending remote = remotes.getFirst();
        return "gave up "
                + Quantity.files(remote.files().size(), remote.bytes())
                + " of "
                + remote.words()
                + (remote.damages().isEmpty() ? "" : ", and what was damaged")
                + "; what the server has of that stays there as it is";
    }

    private void printGivenUp(Pending remote) {
        for (PendingChange file : remote.files()) {
            Unsaved lost = new Unsaved(path(file), file.bytes(), file.state());
            surroundings.say("gave up " + lost.line());
        }
    }

    // ---- telling ------------------------------------------------------------------------------

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
            found.forEach(remote -> print(remote, list));
        }
    }

    /** Where a file is below its remote, for people. */
    static String path(PendingChange file) {
        return file.path().isEmpty() ? "(nobody knows where)" : file.path();
    }

    private void print(Pending remote, boolean listing) {
        String where =
                remote.mountedOn() == null
                        ? "not mounted"
                        : "mounted on " + remote.mountedOn() + ", pid " + remote.mountedBy();
        surroundings.say(remote.words() + "  (" + where + ")");
        if (remote.remote() == null && remote.mountedOn() == null) {
            surroundings.say(
                    "  of which remote that is nothing says: mount the same remote again, as it"
                            + " was, to send it");
        }
        surroundings.say(
                "  not on the server  " + Quantity.files(remote.files().size(), remote.bytes()));
        if (listing) {
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
