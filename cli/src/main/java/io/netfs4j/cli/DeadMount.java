// SPDX-License-Identifier: Apache-2.0
package io.netfs4j.cli;

import io.netfs4j.StateDirectory;
import io.netfs4j.StateHolder;
import io.netfs4j.base.FsError;
import io.netfs4j.base.FsException;
import io.netfs4j.cli.ControlMessages.Outcome;
import io.netfs4j.fuse.FuseMount;
import io.netfs4j.vfs.LeftBehind;

import org.jspecify.annotations.Nullable;

import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.List;

/**
 * A mount whose process was killed: its directory cannot be used until it is freed, and what it had
 * not sent is in its journal, if it had one.
 */
final class DeadMount {
    private DeadMount() {}

    /**
     * Frees a directory, and tells what its mount has left.
     *
     * @param directory as written, absolute
     * @return null when no dead mount is there
     * @throws CommandFailure when it cannot be freed, or what it left cannot be told
     */
    static @Nullable Outcome free(Path directory, RuntimeDirectory runtime) throws CommandFailure {
        for (Path name : MountPoint.namesOf(directory)) {
            if (MountPoint.isDead(name)) {
                try {
                    FuseMount.unmount(name, true);
                } catch (FsException e) {
                    throw new CommandFailure(
                            ExitCode.FAILED,
                            "the process of the mount on "
                                    + name
                                    + " is gone, and it cannot be unmounted: "
                                    + e.getMessage());
                }
                return left(name, MountRecord.find(runtime, name));
            }
        }
        return null;
    }

    /**
     * What a mount has left.
     *
     * @param known what was written down of it; null for nothing
     */
    static Outcome left(Path mountPoint, @Nullable MountRecord known) throws CommandFailure {
        String freed =
                "the process of the mount on "
                        + mountPoint
                        + " was gone; the directory is free again";
        if (known == null) {
            throw new CommandFailure(
                    ExitCode.FAILED,
                    freed
                            + ". Nobody knows whether it had sent everything: netfs recover shows"
                            + " what is left (of a mount with -o state=DIR with the same option)");
        }
        if (known.state() == null && known.readOnly()) {
            return Outcome.of(ExitCode.OK, freed + ". It was read-only", List.of());
        }
        if (known.state() == null) {
            throw new CommandFailure(
                    ExitCode.FAILED, freed + ". It had no journal: what it had not sent is lost");
        }
        try {
            StateDirectory.Entry entry =
                    StateDirectory.lookAt(Path.of(known.state())).entry(known.remote());
            return told(freed, known, entry);
        } catch (FsException | InvalidPathException e) {
            throw new CommandFailure(
                    ExitCode.FAILED,
                    freed + ", and what it has left cannot be told: " + e.getMessage());
        }
    }

    private static Outcome told(
            String freed, MountRecord known, StateDirectory.@Nullable Entry entry)
            throws FsException {
        if (entry == null) {
            throw new FsException(FsError.ENOENT, "its journal is not in " + known.state());
        }
        if (!entry.hasJournal()) {
            return Outcome.of(
                    ExitCode.OK,
                    freed
                            + ". It has no journal any more, as after netfs recover --discard:"
                            + " nothing is left to send",
                    List.of());
        }
        LeftBehind left = entry.left();
        if (left.isEmpty()) {
            return Outcome.of(
                    ExitCode.OK,
                    freed + ". Nothing is left in its journal: everything is on the server",
                    List.of());
        }
        List<Unsaved> files =
                left.files().stream()
                        .map(file ->
                                new Unsaved(RecoverCommand.path(file), file.bytes(), file.state()))
                        .toList();
        String damaged =
                left.damages().isEmpty() ? "" : "; damaged: " + String.join("; ", left.damages());
        StateHolder other = entry.holder();
        String remedy =
                other == null
                        ? ": mount " + known.remote() + " again, as it was, to send that"
                        : ": the mount on " + other.words() + " sends that";
        return Outcome.of(
                ExitCode.LEFT,
                freed
                        + ". "
                        + Quantity.files(files.size(), left.bytes())
                        + " not on the server"
                        + damaged
                        + remedy
                        + "; netfs recover shows what is left",
                files);
    }
}
