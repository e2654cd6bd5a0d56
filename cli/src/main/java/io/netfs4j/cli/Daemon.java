// SPDX-License-Identifier: Apache-2.0
package io.netfs4j.cli;

import java.io.BufferedReader;
import java.io.File;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.function.Consumer;

/**
 * A mount's process in the background. The command starts it with the options of its own Java, and
 * reads lines from its stdout: {@code note TEXT}, any number of them, then {@code mounted} or
 * {@code failed CODE REASON}. After that line the process has nothing of the caller's any more:
 * neither stdin, stdout, stderr nor session nor working directory.
 */
final class Daemon {
    static final String VERB = "serve";

    private static final String MOUNTED = "mounted";
    private static final String FAILED = "failed ";
    private static final String NOTE = "note ";

    private Daemon() {}

    /**
     * Starts the process and waits until it serves the mount.
     *
     * @param arguments of the verb {@link #VERB}
     * @param heapMiB the largest heap it may have
     * @param notes is told what it says besides
     * @return its process id
     */
    static long start(List<String> arguments, Path log, long heapMiB, Consumer<String> notes)
            throws CommandFailure {
        List<String> command = javaCommand();
        // The last one counts.
        command.add(command.size() - 1, "-Xmx" + heapMiB + "m");
        command.add(VERB);
        command.addAll(arguments);
        Process process;
        try {
            process =
                    new ProcessBuilder(command)
                            .directory(new File("/"))
                            .redirectInput(new File("/dev/null"))
                            .redirectError(ProcessBuilder.Redirect.appendTo(log.toFile()))
                            .start();
        } catch (IOException e) {
            throw new CommandFailure(
                    ExitCode.FAILED, "cannot start the mount's process: " + e.getMessage());
        }
        // A caller who gives up before the mount is there leaves nothing behind.
        Thread giveUp = new Thread(process::destroy, "netfs-give-up");
        Runtime.getRuntime().addShutdownHook(giveUp);
        String line = outcome(process, notes);
        removeHook(giveUp);
        if (line.equals(MOUNTED)) {
            return process.pid();
        }
        throw failure(process, line, log);
    }

    /** Tells the caller that the mount is there, and lets go of the caller's stdout. */
    static void reportMounted(PrintStream out, List<String> notes) {
        notes.forEach(note -> out.println(NOTE + Printable.of(note)));
        out.println(MOUNTED);
        out.flush();
        // The JDK puts /dev/null in its place, so that no other file becomes descriptor 1.
        out.close();
    }

    static void reportFailure(PrintStream out, CommandFailure failure) {
        out.println(FAILED + failure.code().number() + " " + failure.line());
        out.flush();
    }

    private static String outcome(Process process, Consumer<String> notes) {
        try (BufferedReader reader =
                new BufferedReader(
                        new InputStreamReader(process.getInputStream(), StandardCharsets.UTF_8))) {
            String line = reader.readLine();
            while (line != null && line.startsWith(NOTE)) {
                notes.accept(line.substring(NOTE.length()));
                line = reader.readLine();
            }
            return line == null ? "" : line;
        } catch (IOException e) {
            return "";
        }
    }

    private static CommandFailure failure(Process process, String line, Path log) {
        if (line.startsWith(FAILED)) {
            String[] parts = line.substring(FAILED.length()).split(" ", 2);
            if (parts.length == 2 && parts[0].matches("[0-9]{1,3}")) {
                return new CommandFailure(ExitCode.of(Integer.parseInt(parts[0])), parts[1]);
            }
        }
        String end;
        try {
            end = "exit code " + process.waitFor();
        } catch (InterruptedException e) {
            end = "interrupted";
        }
        return new CommandFailure(
                ExitCode.FAILED, "the mount's process ended (" + end + "); its log is " + log);
    }

    private static void removeHook(Thread hook) {
        try {
            Runtime.getRuntime().removeShutdownHook(hook);
        } catch (IllegalStateException e) {
            // The caller is being ended already, and the hook does its work.
            return;
        }
    }

    /** This process's own command up to and including the main class. */
    static List<String> javaCommand() throws CommandFailure {
        try {
            String all = Files.readString(Path.of("/proc/self/cmdline"), StandardCharsets.UTF_8);
            List<String> words = Arrays.asList(all.split("\0", -1));
            int main = words.indexOf(Main.class.getName());
            if (main > 0) {
                List<String> command = new ArrayList<>(words.subList(0, main + 1));
                command.set(0, Path.of(System.getProperty("java.home"), "bin", "java").toString());
                return command;
            }
        } catch (IOException e) {
            throw new CommandFailure(
                    ExitCode.FAILED, "cannot read how this process was started: " + e);
        }
        throw new CommandFailure(
                ExitCode.FAILED, "cannot tell how to start the mount's process; use --foreground");
    }
}
