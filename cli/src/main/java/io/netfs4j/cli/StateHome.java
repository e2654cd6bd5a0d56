// SPDX-License-Identifier: Apache-2.0
package io.netfs4j.cli;

import io.netfs4j.MountOptions;
import io.netfs4j.StateDirectory;
import io.netfs4j.base.FsException;

import org.jspecify.annotations.Nullable;

import java.nio.file.Path;
import java.util.Map;

/**
 * Where a user's mounts keep what outlives them: logs, and what servers have not got yet.
 *
 * @param directory the {@link StateDirectory}; null for none
 * @param without why there is none; empty where there is one
 */
record StateHome(@Nullable Path directory, String without) {
    private static final String STATE = "state";

    /** {@code $XDG_STATE_HOME/netfs}, else {@code ~/.local/state/netfs}, else null. */
    static @Nullable Path ofUser(Map<String, String> environment) {
        return ofUser(environment, "XDG_STATE_HOME", ".local/state");
    }

    /** {@code $XDG_CACHE_HOME/netfs}, else {@code ~/.cache/netfs}, else null. */
    static @Nullable Path cacheOfUser(Map<String, String> environment) {
        return ofUser(environment, "XDG_CACHE_HOME", ".cache");
    }

    private static @Nullable Path ofUser(
            Map<String, String> environment, String variable, String belowHome) {
        String named = environment.get(variable);
        String home = environment.get("HOME");
        if (named != null && named.startsWith("/")) {
            return Path.of(named, "netfs");
        }
        return home != null && home.startsWith("/") ? Path.of(home, belowHome, "netfs") : null;
    }

    /** The state directory where none is named; null where there is no place for one. */
    static @Nullable Path stateOfUser(Map<String, String> environment) {
        Path home = ofUser(environment);
        return home == null ? null : home.resolve(STATE);
    }

    /**
     * The state directory of a mount, made and found safe. Nobody asked for the one that is taken
     * where none is named, so a mount does without when that cannot be used.
     */
    static StateHome of(MountPlan plan, MountOptions options, Map<String, String> environment)
            throws CommandFailure {
        boolean named = plan.options().containsKey(MountOptions.STATE);
        Path directory = named ? options.state() : stateOfUser(environment);
        if (directory == null) {
            return new StateHome(null, named ? "state=none" : "neither XDG_STATE_HOME nor HOME");
        }
        try {
            return new StateHome(StateDirectory.open(directory).root(), "");
        } catch (FsException e) {
            String why = String.valueOf(e.getMessage());
            if (named) {
                throw failure(e);
            }
            return new StateHome(null, why);
        }
    }

    /**
     * Refuses, before anything is made, directories that the mount itself would hide, and those
     * named among the files that they are to outlive. The state directory that nobody named may lie
     * among them: a whole home directory can be mounted elsewhere.
     *
     * @param mountPoint its real path
     * @param remoteDirectory the remote's real path; null for one that is not of this machine
     */
    static void checkPlace(
            MountPlan plan,
            Backends.Choice choice,
            Map<String, String> environment,
            Path mountPoint,
            @Nullable Path remoteDirectory)
            throws CommandFailure {
        MountOptions options = choice.options();
        boolean named = plan.options().containsKey(MountOptions.STATE);
        Path state = named ? options.state() : stateOfUser(environment);
        if (named || options.isOfState(choice.remote())) {
            refuseWithin(MountOptions.STATE, state, "below the mount point", mountPoint);
        }
        refuseWithin(MountOptions.CACHE, options.cache(), "below the mount point", mountPoint);
        if (named) {
            refuseWithin(MountOptions.STATE, state, "in the remote directory", remoteDirectory);
        }
        refuseWithin(
                MountOptions.CACHE, options.cache(), "in the remote directory", remoteDirectory);
    }

    private static void refuseWithin(
            String option, @Nullable Path directory, String where, @Nullable Path outer)
            throws CommandFailure {
        if (directory != null && outer != null && MountPoint.real(directory).startsWith(outer)) {
            throw new CommandFailure(
                    ExitCode.USAGE,
                    "the "
                            + option
                            + " directory "
                            + directory
                            + " must not lie "
                            + where
                            + " "
                            + outer
                            + "; name one elsewhere with -o "
                            + option
                            + "=DIR");
        }
    }

    /** It is this machine that refuses, not the server. */
    private static CommandFailure failure(FsException e) {
        ExitCode code =
                switch (e.error()) {
                    case EINVAL -> ExitCode.USAGE;
                    case ENOSPC, EDQUOT -> ExitCode.NO_ROOM;
                    default -> ExitCode.FAILED;
                };
        return new CommandFailure(code, String.valueOf(e.getMessage()));
    }
}
