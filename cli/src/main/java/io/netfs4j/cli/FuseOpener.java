// SPDX-License-Identifier: Apache-2.0
package io.netfs4j.cli;

import io.netfs4j.fuse.FuseOptions;
import io.netfs4j.server.Remote;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;

/** Mounts a remote through the FUSE door. */
final class FuseOpener implements MountOpener {
    private static final Path DEVICE = Path.of("/dev/fuse");

    @Override
    public void check(MountPlan plan) throws CommandFailure {
        Backends.Choice choice = new Backends().choose(plan);
        CommonSettings settings = CommonSettings.of(plan.options());
        fuseOptions(settings, choice.remote());
        if (!Files.exists(DEVICE, LinkOption.NOFOLLOW_LINKS)) {
            throw new CommandFailure(
                    ExitCode.NO_FUSE,
                    DEVICE + " is missing; load the kernel's module (as root: modprobe fuse)");
        }
    }

    @Override
    public void checkPlace(MountPlan plan, Path mountPoint) throws CommandFailure {
        Remote remote = new Backends().choose(plan).remote();
        if (remote.scheme().equals("file")) {
            MountPoint.refuseNesting(real(Path.of(remote.path())), mountPoint);
        }
    }

    @Override
    public LiveMount open(MountPlan plan) throws CommandFailure {
        check(plan);
        throw new CommandFailure(ExitCode.NO_FUSE, "mounting is not built in");
    }

    static FuseOptions fuseOptions(CommonSettings settings, Remote remote) {
        String source = settings.fsname() == null ? remote.text() : settings.fsname();
        return FuseOptions.of(source)
                .withReadOnly(settings.readOnly())
                .withAllowOther(settings.allowOther())
                .withOwner(new FuseOptions.Owner(settings.uid(), settings.gid(), settings.umask()))
                .withTimeouts(
                        new FuseOptions.Timeouts(settings.entryNanos(), settings.attributesNanos()))
                .withKernelWritebackCache(settings.kernelWritebackCache());
    }

    /** The real path as far as it exists; the rest as written. */
    private static Path real(Path path) {
        Path absolute = path.toAbsolutePath().normalize();
        Path parent = absolute.getParent();
        Path name = absolute.getFileName();
        if (parent == null || name == null) {
            return absolute;
        }
        try {
            return absolute.toRealPath();
        } catch (IOException e) {
            return real(parent).resolve(name);
        }
    }
}
