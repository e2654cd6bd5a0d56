// SPDX-License-Identifier: Apache-2.0
package io.netfs4j.crash;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** The mount that is killed: by way of the netfs command, as a person has it. */
final class CrashedMount {
    private static final Pattern PID = Pattern.compile("\\(pid (\\d+)");
    private static final long COMMAND_SECONDS_MAX = 300;
    private static final long LOOK_MILLIS = 5;

    private final Path netfs;
    private final Path work;
    private final Path mountPoint;
    private final String remote;
    private final List<String> options;
    private long pid;

    CrashedMount(Path netfs, Path work, String remote, List<String> options) {
        this.netfs = netfs;
        this.work = work;
        this.mountPoint = work.resolve("mnt");
        this.remote = remote;
        this.options = options;
    }

    /**
     * What a command answered.
     *
     * @param said on both streams
     */
    record Answer(int code, String said) {}

    Path mountPoint() {
        return mountPoint;
    }

    private ProcessBuilder command(List<String> arguments) {
        List<String> command = new ArrayList<>();
        command.add(netfs.toString());
        command.addAll(arguments);
        ProcessBuilder builder =
                new ProcessBuilder(command).directory(work.toFile()).redirectErrorStream(true);
        Map<String, String> environment = builder.environment();
        environment.put("XDG_STATE_HOME", work.resolve("state").toString());
        environment.put("XDG_RUNTIME_DIR", work.resolve("run").toString());
        return builder;
    }

    private List<String> mountArguments(String more) {
        List<String> arguments = new ArrayList<>(List.of("mount", remote, mountPoint.toString()));
        for (String option : options) {
            arguments.addAll(List.of("-o", option));
        }
        if (!more.isEmpty()) {
            arguments.addAll(List.of("-o", more));
        }
        return arguments;
    }

    /** Mounts; returns what the command said. */
    String mount(String more) throws IOException, InterruptedException {
        Answer answer = run(mountArguments(more));
        // Notes come before that line.
        Matcher matcher =
                PID.matcher(
                        answer.said.substring(Math.max(0, answer.said.lastIndexOf("mounted "))));
        if (answer.code != 0 || !matcher.find()) {
            throw new IOException("netfs mount exited " + answer.code + ": " + answer.said);
        }
        pid = Long.parseLong(matcher.group(1));
        return answer.said;
    }

    /** Is told when a mount has begun to start. */
    interface Starting {
        void begun() throws IOException, InterruptedException;
    }

    /** Begins to mount, and lets the listener end that, wherever it has got to by then. */
    void mountUntil(String more, Starting listener) throws IOException, InterruptedException {
        Process command =
                command(mountArguments(more))
                        .redirectOutput(work.resolve("killed-mount.log").toFile())
                        .start();
        ProcessHandle serving = null;
        while (command.isAlive() && serving == null) {
            Thread.sleep(LOOK_MILLIS);
            serving = command.children().filter(this::serves).findFirst().orElse(null);
        }
        if (serving != null) {
            pid = serving.pid();
            listener.begun();
        }
        command.waitFor();
    }

    /** Whether it is the mount's process, and not one that a script runs on its way. */
    private boolean serves(ProcessHandle child) {
        try {
            return Files.readString(Path.of("/proc/" + child.pid() + "/cmdline"))
                    .contains("\0serve\0");
        } catch (IOException e) {
            return false;
        }
    }

    /** Has the process do nothing any more, if it still runs. */
    void stop(Linux linux) throws IOException, InterruptedException {
        if (isAlive(pid)) {
            linux.stop(pid);
        }
        // On a busy machine the others go on until one of its threads has run and seen the signal.
        while (isAlive(pid) && !isStopped(pid)) {
            Thread.sleep(LOOK_MILLIS);
        }
    }

    /** Whether no thread runs, or comes back from what the kernel does for it. */
    private static boolean isStopped(long pid) {
        try (DirectoryStream<Path> threads =
                Files.newDirectoryStream(Path.of("/proc/" + pid + "/task"))) {
            for (Path thread : threads) {
                if ("TtDZX".indexOf(state(thread.resolve("stat"))) < 0) {
                    return false;
                }
            }
            return true;
        } catch (IOException e) {
            return false; // One of them, or all, has just ended.
        }
    }

    /** The state of a process or thread (proc(5)); X where it has just gone. */
    private static char state(Path stat) throws IOException {
        String text = Files.readString(stat);
        int at = text.lastIndexOf(')') + 2;
        return at < text.length() ? text.charAt(at) : 'X';
    }

    /** Ends the process without a word, and frees the mount point. */
    void kill() throws IOException, InterruptedException {
        ProcessHandle.of(pid).ifPresent(ProcessHandle::destroyForcibly);
        while (isAlive(pid)) {
            Thread.sleep(LOOK_MILLIS);
        }
        // The command that waits for it may still be about to be told.
        while (isMounted()) {
            new ProcessBuilder("umount", "-l", mountPoint.toString())
                    .redirectErrorStream(true)
                    .redirectOutput(ProcessBuilder.Redirect.DISCARD)
                    .start()
                    .waitFor();
        }
    }

    private boolean isMounted() throws IOException {
        return Files.readString(Path.of("/proc/self/mounts")).contains(" " + mountPoint + " ");
    }

    /** A process that only waits for its parent to notice its end (state Z) is not alive. */
    private static boolean isAlive(long pid) {
        try {
            return "ZX".indexOf(state(Path.of("/proc/" + pid + "/stat"))) < 0;
        } catch (IOException e) {
            return false;
        }
    }

    /** Unmounts, and demands that everything is on the server. */
    void unmount() throws IOException, InterruptedException {
        Answer answer = run(List.of("umount", mountPoint.toString()));
        if (answer.code != 0) {
            throw new IOException("netfs umount exited " + answer.code + ": " + answer.said);
        }
    }

    private Answer run(List<String> arguments) throws IOException, InterruptedException {
        Process process = command(arguments).start();
        process.getOutputStream().close();
        StringBuilder said = new StringBuilder();
        Thread reader =
                Thread.ofVirtual()
                        .start(() -> {
                            try (BufferedReader lines =
                                    new BufferedReader(
                                            new InputStreamReader(
                                                    process.getInputStream(),
                                                    StandardCharsets.UTF_8))) {
                                lines.lines().forEach(line -> said.append(line).append('\n'));
                            } catch (IOException e) {
                                said.append(e);
                            }
                        });
        if (!process.waitFor(COMMAND_SECONDS_MAX, TimeUnit.SECONDS)) {
            process.destroyForcibly();
            reader.join();
            throw new IOException(arguments + " did not end: " + said);
        }
        reader.join();
        return new Answer(process.exitValue(), said.toString());
    }
}
