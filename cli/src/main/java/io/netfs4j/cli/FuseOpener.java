// SPDX-License-Identifier: Apache-2.0
package io.netfs4j.cli;

import io.netfs4j.Mount;
import io.netfs4j.MountOptions;
import io.netfs4j.Netfs;
import io.netfs4j.base.FsError;
import io.netfs4j.base.FsException;
import io.netfs4j.fuse.FuseMount;
import io.netfs4j.server.Remote;

import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/** Mounts a remote through the FUSE door. */
final class FuseOpener implements MountOpener {
    private static final Path DEVICE = Path.of("/dev/fuse");

    private final Map<String, String> environment;

    FuseOpener(Map<String, String> environment) {
        this.environment = environment;
    }

    @Override
    public void check(MountPlan plan) throws CommandFailure {
        Backends.choose(plan);
        if (!Files.exists(DEVICE, LinkOption.NOFOLLOW_LINKS)) {
            throw new CommandFailure(
                    ExitCode.NO_FUSE,
                    DEVICE + " is missing; load the kernel's module (as root: modprobe fuse)");
        }
    }

    @Override
    public void checkPlace(MountPlan plan, Path mountPoint) throws CommandFailure {
        Backends.Choice choice = Backends.choose(plan);
        Remote remote = choice.remote();
        boolean isLocal = remote.scheme().equals("file");
        Path remoteDirectory = isLocal ? MountPoint.real(Path.of(remote.path())) : null;
        if (remoteDirectory != null) {
            MountPoint.refuseNesting(remoteDirectory, mountPoint);
        }
        StateHome.checkPlace(plan, choice, environment, mountPoint, remoteDirectory);
    }

    @Override
    public LiveMount open(MountPlan plan) throws CommandFailure {
        Backends.Choice choice = Backends.choose(plan);
        MountOptions options = choice.options();
        List<String> notes = new ArrayList<>();
        if (choice.options().vfs().readOnly()) {
            notes.addAll(StateNotes.unseen(plan, choice, environment));
            if (options.cache() != null) {
                // Which mount was the last is known there.
                options = options.withState(StateHome.of(plan, options, environment).directory());
            }
        } else if (options.isOfState(choice.remote())) {
            StateHome home = StateHome.of(plan, options, environment);
            options = options.withState(home.directory());
            notes.addAll(StateNotes.of(home));
        }
        Mount mount;
        try {
            mount =
                    Netfs.open(
                            choice.remote(),
                            options,
                            choice.serverOptions(),
                            plan.directory().normalize().toString());
        } catch (FsException e) {
            if (e.error() == FsError.EBUSY) {
                throw new CommandFailure(ExitCode.MOUNTED_ALREADY, String.valueOf(e.getMessage()));
            }
            throw CommandFailure.of(e);
        }
        notes.addAll(StateNotes.withoutCache(mount.withoutCache()));
        notes.addAll(StateNotes.of(mount.recovered()));
        mount.vfs().setEvents(new LoggedEvents());
        boolean mounted = false;
        try {
            FuseMount door = FuseMount.mount(mount.vfs(), plan.directory(), choice.fuse());
            mounted = true;
            return new FuseLiveMount(
                    mount, door, notes, mount.keepsState() ? options.state() : null);
        } catch (FsException e) {
            throw new CommandFailure(code(e), String.valueOf(e.getMessage()));
        } finally {
            if (!mounted) {
                mount.close();
            }
        }
    }

    /** The door's errors are about the mount point or about FUSE, never about the server. */
    private static ExitCode code(FsException e) {
        return switch (e.error()) {
            case ENOENT, ENOTDIR, ENOTEMPTY, EBUSY, ENOTCONN, EACCES -> ExitCode.MOUNT_POINT;
            case EINVAL -> ExitCode.USAGE;
            case ENOMEM, ENOSPC -> ExitCode.NO_ROOM;
            default -> ExitCode.NO_FUSE;
        };
    }
}
