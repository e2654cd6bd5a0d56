// SPDX-License-Identifier: Apache-2.0
package io.netfs4j.cli;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static java.util.concurrent.TimeUnit.MILLISECONDS;

import io.netfs4j.base.FsException;
import io.netfs4j.cli.ControlMessages.Answer;
import io.netfs4j.cli.ControlMessages.Outcome;
import io.netfs4j.cli.ControlMessages.Request;
import io.netfs4j.cli.ControlMessages.Verb;
import io.netfs4j.server.Remote;

import org.jspecify.annotations.Nullable;

import java.io.IOException;
import java.net.ConnectException;
import java.net.UnixDomainSocketAddress;
import java.nio.channels.SocketChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.function.Consumer;

/** Finds the processes of this user's mounts, and asks them. */
final class ControlClient {
    /** A process that does not say how it is within this time is left out of a listing. */
    private static final long STATUS_MILLIS_MAX = 5_000;

    /** A process that has nothing left to do ends at once; nobody waits for it longer than that. */
    private static final long END_MILLIS_MAX = 5_000;

    private static final long END_LOOK_MILLIS = 5;

    private final RuntimeDirectory directory;

    ControlClient(RuntimeDirectory directory) {
        this.directory = directory;
    }

    /** A mount that answered, and where its process listens. */
    record Found(Path socket, MountStatus status) {}

    /**
     * Every mount of this user, by mount point.
     *
     * @param warn told of each process that is there and does not answer
     */
    List<Found> all(Consumer<String> warn) {
        List<Found> found = new ArrayList<>();
        for (Path socket : directory.sockets()) {
            try {
                found.add(new Found(socket, status(socket)));
            } catch (ConnectException e) {
                forget(socket);
            } catch (IOException e) {
                if (!Files.exists(socket)) {
                    continue; // It has ended since it was found.
                }
                if (isAlive(RuntimeDirectory.pid(socket))) {
                    warn.accept(
                            "the mount of process "
                                    + RuntimeDirectory.pid(socket)
                                    + " does not answer: "
                                    + e.getMessage());
                } else {
                    forget(socket);
                }
            }
        }
        found.sort(Comparator.comparing(f -> f.status().mountPoint()));
        return found;
    }

    /** The mount on a directory; one that is mounted before one that only drains. */
    Found on(Path mountPoint, Consumer<String> warn) throws CommandFailure {
        List<Found> all = all(warn);
        List<Path> names = MountPoint.namesOf(mountPoint);
        Found found = among(all, names);
        if (found == null) {
            Path target = MountPoint.linkTarget(mountPoint);
            found = target == null ? null : among(all, List.of(target));
        }
        if (found != null) {
            return found;
        }
        throw new CommandFailure(
                ExitCode.NOT_MOUNTED,
                "nothing of netfs is mounted on "
                        + mountPoint
                        + "; netfs status shows what is mounted");
    }

    /**
     * A process that the kernel has let go of, and that still sends what was written below a
     * remote; null once there is none. What it sends would go over what another mount writes.
     */
    @Nullable Found draining(Remote remote, Consumer<String> warn) {
        for (Found found : all(warn)) {
            if (!found.status().isMounted() && overlaps(found.status().remote(), remote)) {
                return found;
            }
        }
        return null;
    }

    private static boolean overlaps(String text, Remote remote) {
        try {
            return Remote.parse(text, Path.of("/")).overlaps(remote);
        } catch (FsException e) {
            return false; // Of another version, perhaps; it is no remote of ours.
        }
    }

    private static @Nullable Found among(List<Found> all, List<Path> names) {
        Found draining = null;
        for (Found found : all) {
            if (names.contains(Path.of(found.status().mountPoint()))) {
                if (found.status().isMounted()) {
                    return found;
                }
                draining = found;
            }
        }
        return draining;
    }

    /**
     * Unmounts, and returns when the process has said how that ended; when the mount has ended, the
     * process has gone too.
     *
     * @param how a request to unmount
     * @param progress told now and again how much is left
     */
    Outcome unmount(Found mount, Request how, Consumer<MountCounts> progress) throws IOException {
        try (ControlLines lines = connect(mount.socket())) {
            lines.writeLine(ControlMessages.write(how));
            Answer answer;
            do {
                answer = ControlMessages.read(lines.readLine(), Answer.class);
                if (answer.progress() != null) {
                    progress.accept(answer.progress());
                }
            } while (answer.outcome() == null);
            Outcome outcome = answer.outcome();
            if (outcome.code() == ExitCode.OK.number()
                    || outcome.code() == ExitCode.LEFT.number()) {
                awaitEnd(mount.status().pid());
            }
            return outcome;
        }
    }

    /** The process has answered and ends; whoever asks next finds nothing of it. */
    private static void awaitEnd(long pid) {
        long deadline = System.nanoTime() + MILLISECONDS.toNanos(END_MILLIS_MAX);
        try {
            while (isAlive(pid) && System.nanoTime() - deadline < 0) {
                MILLISECONDS.sleep(END_LOOK_MILLIS);
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    private static MountStatus status(Path socket) throws IOException {
        try (ControlLines lines = connect(socket)) {
            Thread impatient = Thread.ofVirtual().start(() -> closeLater(lines));
            try {
                lines.writeLine(ControlMessages.write(new Request(Verb.STATUS, false, -1, false)));
                Answer answer = ControlMessages.read(lines.readLine(), Answer.class);
                if (answer.status() == null) {
                    throw new IOException("it sent no status");
                }
                return answer.status();
            } finally {
                impatient.interrupt();
            }
        }
    }

    private static void closeLater(ControlLines lines) {
        try {
            MILLISECONDS.sleep(STATUS_MILLIS_MAX);
            lines.close();
        } catch (InterruptedException | IOException e) {
            // Answered in time, or closed already.
            return;
        }
    }

    private static ControlLines connect(Path socket) throws IOException {
        return new ControlLines(SocketChannel.open(UnixDomainSocketAddress.of(socket)));
    }

    /** A process that only waits for its parent to notice its end (state Z) is not alive. */
    private static boolean isAlive(long pid) {
        try {
            String stat = Files.readString(Path.of("/proc/" + pid + "/stat"), ISO_8859_1);
            return stat.charAt(stat.lastIndexOf(')') + 2) != 'Z';
        } catch (IOException | IndexOutOfBoundsException e) {
            return false;
        }
    }

    /** Removes what a process that was killed has left. */
    private static void forget(Path socket) {
        if (!isAlive(RuntimeDirectory.pid(socket))) {
            try {
                Files.deleteIfExists(socket);
            } catch (IOException e) {
                // It does no harm where it is.
                return;
            }
        }
    }
}
