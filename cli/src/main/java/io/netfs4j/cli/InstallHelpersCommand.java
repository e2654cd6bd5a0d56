// SPDX-License-Identifier: Apache-2.0
package io.netfs4j.cli;

import io.netfs4j.base.SystemErrors;

import org.jspecify.annotations.Nullable;

import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.List;
import java.util.concurrent.Callable;

/**
 * {@code netfs install-helpers}: lets plain {@code umount} wait, by a helper that umount(8) looks
 * for by the type of what it unmounts.
 */
@Command(
        name = "install-helpers",
        description = {
            "Lets plain umount wait until everything is on the server, as netfs umount does:"
                    + " installs the helper umount.fuse.netfs, which umount(8) runs for mounts of"
                    + " netfs. As root.",
            "",
            "umount -l and umount -f do not wait, and the mount's process goes on in the"
                    + " background; so it does after fusermount3 -u."
        })
final class InstallHelpersCommand implements Callable<Integer> {
    /** Where umount(8) looks. */
    private static final Path SEARCHED = Path.of("/sbin");

    static final String HELPER = "umount.fuse.netfs";

    /** What another program's file of that name does not hold. */
    private static final String MARK = "Installed by netfs install-helpers";

    private final Surroundings surroundings;

    @Option(
            names = "--directory",
            paramLabel = "DIR",
            description = "Install there, for packagers; umount looks in /sbin alone.")
    private @Nullable String directory;

    @Option(names = "--remove", description = "Remove the helper.")
    private boolean remove;

    InstallHelpersCommand(Surroundings surroundings) {
        this.surroundings = surroundings;
    }

    @Override
    public Integer call() throws CommandFailure {
        Path where = where();
        Path helper = where.resolve(HELPER);
        try {
            if (Files.exists(helper, LinkOption.NOFOLLOW_LINKS) && !isOurs(helper)) {
                throw new CommandFailure(
                        ExitCode.FAILED,
                        helper + " is not of netfs; move it away, or name another directory");
            }
            if (remove) {
                boolean was = Files.deleteIfExists(helper);
                surroundings.say(was ? "removed " + helper : helper + " is not installed");
            } else {
                Path launcher = launcher();
                if (directory == null) {
                    refuseOthersCode(launcher);
                }
                install(helper, launcher);
                surroundings.say("installed " + helper + "; plain umount waits now");
            }
        } catch (IOException e) {
            throw new CommandFailure(
                    SystemErrors.isFull(e) ? ExitCode.NO_ROOM : ExitCode.FAILED,
                    "cannot change "
                            + helper
                            + " ("
                            + SystemErrors.of(e).words()
                            + "); run it as root");
        }
        return ExitCode.OK.number();
    }

    private Path where() throws CommandFailure {
        if (directory == null) {
            return SEARCHED;
        }
        Path named = surroundings.directory().resolve(directory).normalize();
        if (directory.isEmpty()) {
            throw new CommandFailure(
                    ExitCode.USAGE,
                    "--directory is empty; name the directory to install in, or leave it out");
        }
        if (!Files.isDirectory(named)) {
            String what =
                    Files.exists(named)
                            ? " is not a directory; "
                            : " does not exist; make it with mkdir, or ";
            throw new CommandFailure(
                    ExitCode.USAGE, named + what + "name another one with --directory");
        }
        return named;
    }

    private static boolean isOurs(Path helper) throws IOException {
        return Files.isRegularFile(helper, LinkOption.NOFOLLOW_LINKS)
                && Files.readString(helper, StandardCharsets.ISO_8859_1).contains(MARK);
    }

    private Path launcher() throws CommandFailure {
        String text = surroundings.environment().get("NETFS_LAUNCHER");
        Path launcher = text == null ? null : Path.of(text);
        if (launcher == null || !launcher.isAbsolute() || !Files.isExecutable(launcher)) {
            throw new CommandFailure(
                    ExitCode.FAILED,
                    "cannot tell where netfs is; run this command by the netfs script");
        }
        return launcher;
    }

    /** The helper runs it as root, for whoever unmounts. */
    private static void refuseOthersCode(Path launcher) throws IOException, CommandFailure {
        Path parent = launcher.getParent();
        for (Path part : parent == null ? List.of(launcher) : List.of(launcher, parent)) {
            if ((Integer) Files.getAttribute(part, "unix:uid") != 0) {
                throw new CommandFailure(
                        ExitCode.FAILED,
                        part
                                + " belongs to "
                                + Files.getOwner(part)
                                + ", and umount would run it as root; use a copy that is root's");
            }
        }
    }

    /** In one step, so that umount never finds half of it. */
    private static void install(Path helper, Path launcher) throws IOException {
        Path begun = helper.resolveSibling(HELPER + ".new");
        Files.deleteIfExists(begun);
        Files.createFile(begun);
        Files.writeString(begun, script(launcher));
        Files.setPosixFilePermissions(begun, PosixFilePermissions.fromString("rwxr-xr-x"));
        Files.move(begun, helper, StandardCopyOption.ATOMIC_MOVE);
    }

    /**
     * umount(8) calls it as {@code umount.fuse.netfs DIR [-flnrv] [-N NAMESPACE] [-t TYPE]}; with
     * {@code -i} it calls no helper. What netfs knows nothing of (a mount of another user) is
     * unmounted as if there were no helper.
     */
    private static String script(Path launcher) {
        return """
        #!/bin/sh
        # %s: plain umount waits until everything is on the server.
        netfs=%s
        for argument in "$@"; do
          case "$argument" in
            -*[lf]*) exec umount -i "$@" ;;
          esac
        done
        [ -x "$netfs" ] || exec umount -i "$@"
        "$netfs" umount "$1"
        rc=$?
        [ "$rc" -ne %d ] || exec umount -i "$@"
        exit "$rc"
        """
                .formatted(MARK, quoted(launcher.toString()), ExitCode.NOT_MOUNTED.number());
    }

    /** As one word of a shell. */
    private static String quoted(String word) {
        return "'" + word.replace("'", "'\\''") + "'";
    }
}
