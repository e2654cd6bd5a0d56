// SPDX-License-Identifier: Apache-2.0
package io.netfs4j.cli;

import io.netfs4j.base.FsException;

import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;

/**
 * A process that serves a mount, from its first step to its exit code.
 *
 * <p>A signal that ends processes (TERM, INT, HUP) reaches it as the JVM's own shutdown, which it
 * holds up until everything is on the server; further signals change nothing, and KILL loses what
 * is dirty.
 */
final class Serving {
    private static final Logger LOG = LoggerFactory.getLogger(Serving.class);

    /** How long a signal waits for a mount that is about to be made, or to fail. */
    private static final long HALF_MOUNTED_SECONDS = 10;

    private final Surroundings surroundings;
    private final MountPlan plan;
    private final @Nullable Path log;
    private final String logLevel;

    private final Thread main = Thread.currentThread();

    /** Open once the mount is there, or has failed to be. */
    private final CountDownLatch begun = new CountDownLatch(1);

    /** Open once the process has nothing left to do. */
    private final CountDownLatch ended = new CountDownLatch(1);

    /** Written before {@link #begun} opens. */
    private volatile @Nullable MountProcess process;

    /** Of the main thread, as where it is. */
    private @Nullable MountRecord record;

    private @Nullable Path recordedIn;

    /** What whoever mounts it should know. */
    private List<String> notes = List.of();

    private volatile int exitCode = ExitCode.FAILED.number();

    /**
     * @param log null for stderr
     */
    Serving(Surroundings surroundings, MountPlan plan, @Nullable Path log, String logLevel) {
        this.surroundings = surroundings;
        this.plan = plan;
        this.log = log;
        this.logLevel = logLevel;
    }

    /** Serves in this process; failures are the caller's to tell. */
    int inForeground() throws CommandFailure {
        return serve(notes -> {
            // The log is on stderr and has them.
            surroundings.say(
                    "mounted "
                            + plan.remoteText()
                            + " on "
                            + plan.directory().normalize()
                            + " (pid "
                            + ProcessHandle.current().pid()
                            + ")");
        });
    }

    /** Serves for a caller that waits for one line on stdout, see {@link Daemon}. */
    int inBackground() {
        try {
            return serve(notes -> Daemon.reportMounted(surroundings.out(), notes));
        } catch (CommandFailure e) {
            LOG.error("{}", e.line());
            Daemon.reportFailure(surroundings.out(), e);
            return e.code().number();
        }
    }

    private int serve(Consumer<List<String>> mounted) throws CommandFailure {
        LogFile.begin(log, logLevel);
        keepBuild();
        Runtime.getRuntime().addShutdownHook(new Thread(this::onSignal, "netfs-signal"));
        try {
            ControlServer control = begin();
            begun.countDown();
            mounted.accept(notes);
            MountProcess process = this.process;
            if (process != null) {
                process.run();
            }
            exitCode = ExitCode.OK.number();
            control.close();
            forget();
        } catch (InterruptedException e) {
            LOG.error("interrupted");
        } finally {
            begun.countDown();
            ended.countDown();
        }
        return exitCode;
    }

    /** Tells {@code ./netfs} that this process runs from its build, so that it is not removed. */
    private static void keepBuild() {
        String users = System.getProperty("netfs.users", "");
        if (!users.isEmpty()) {
            Path user = Path.of(users, String.valueOf(ProcessHandle.current().pid()));
            try {
                Files.createFile(user);
                user.toFile().deleteOnExit();
            } catch (IOException e) {
                // Somebody else's checkout: its owner removes old builds at a risk.
                LOG.debug("cannot write {}: {}", user, e.toString());
            }
        }
    }

    /** Mounts, and listens for commands; when one of the two fails, the other is undone. */
    private ControlServer begin() throws CommandFailure {
        Path mountPoint = MountPoint.check(plan.directory());
        Path directory = surroundings.runtimeDirectory().create();
        Backends.Choice choice = Backends.choose(plan);
        String remote = choice.remote().absoluteText();
        LiveMount mount = surroundings.opener().open(plan);
        long pid = ProcessHandle.current().pid();
        MountProcess.Identity identity =
                new MountProcess.Identity(
                        pid, mountPoint.toString(), remote, log == null ? "" : log.toString());
        MountProcess made = new MountProcess(mount, identity);
        try {
            ControlServer control =
                    ControlServer.start(RuntimeDirectory.socket(directory, pid), made::answer);
            process = made;
            notes = mount.notes();
            Path state = mount.state();
            remember(
                    directory,
                    new MountRecord(
                            pid,
                            mountPoint.toString(),
                            remote,
                            state == null ? null : state.toString(),
                            choice.options().vfs().readOnly()));
            LOG.info("mounted {} on {}", plan.remoteText(), mountPoint);
            notes.forEach(LOG::warn);
            return control;
        } catch (IOException e) {
            undo(mount);
            throw new CommandFailure(
                    ExitCode.FAILED, "cannot listen for commands in " + directory + ": " + e);
        }
    }

    /** For whoever finds the mount point, and this process killed. */
    private void remember(Path directory, MountRecord made) {
        try {
            made.write(directory);
            recordedIn = directory;
            record = made;
        } catch (IOException e) {
            LOG.warn("nobody will know what this mount has left if it is killed: {}", e.toString());
        }
    }

    private void forget() {
        try {
            if (record != null && recordedIn != null) {
                record.remove(recordedIn);
            }
        } catch (IOException e) {
            // The next mount there writes over it.
            LOG.debug("cannot remove the record of this mount: {}", e.toString());
        }
    }

    private static void undo(LiveMount mount) {
        try {
            mount.unmount(true);
        } catch (FsException e) {
            LOG.error("cannot unmount", e);
        }
        mount.abort();
        mount.close();
    }

    /**
     * Runs as the JVM's shutdown: also when the process ends by itself, with nothing left to do.
     */
    private void onSignal() {
        try {
            if (ended.getCount() == 0) {
                return;
            }
            if (begun.getCount() > 0) {
                main.interrupt();
                if (!begun.await(HALF_MOUNTED_SECONDS, TimeUnit.SECONDS)) {
                    LOG.error("ended while mounting");
                    return;
                }
            }
            MountProcess process = this.process;
            if (process != null && ended.getCount() > 0) {
                process.terminate();
                ended.await();
            }
        } catch (InterruptedException e) {
            LOG.error("interrupted while ending");
        }
        Runtime.getRuntime().halt(exitCode);
    }
}
