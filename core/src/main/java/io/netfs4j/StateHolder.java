// SPDX-License-Identifier: Apache-2.0
package io.netfs4j;

import org.jspecify.annotations.Nullable;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.util.List;

/**
 * Who has a remote mounted.
 *
 * @param pid the process
 * @param startedMillis when that process began, since 1970, as the system tells; 0 where it does
 *     not. Numbers of processes are used again
 * @param place the mount point, or what else whoever opened it called it
 */
public record StateHolder(long pid, long startedMillis, String place) {
    /** This process. */
    static StateHolder here(String place) {
        return new StateHolder(
                ProcessHandle.current().pid(), startedMillis(ProcessHandle.current()), place);
    }

    /** Whether that process still runs. */
    boolean isAlive() {
        return ProcessHandle.of(pid)
                .filter(process -> process.isAlive() && !isZombie(pid))
                .filter(process -> startedMillis(process) == startedMillis)
                .isPresent();
    }

    /** One that was killed and that nobody has asked about yet: it holds nothing any more. */
    private static boolean isZombie(long pid) {
        try {
            String stat = Files.readString(Path.of("/proc/" + pid + "/stat"));
            // The state follows the command, which stands in brackets.
            return stat.startsWith(") Z", stat.lastIndexOf(')'));
        } catch (IOException e) {
            return false; // No such thing here, or gone by now.
        }
    }

    private static long startedMillis(ProcessHandle process) {
        return process.info().startInstant().map(Instant::toEpochMilli).orElse(0L);
    }

    String format() {
        return pid + "\n" + startedMillis + "\n" + place + "\n";
    }

    /** The opposite of {@link #format}; null when it is not that. */
    static @Nullable StateHolder parse(String text) {
        List<String> lines = text.lines().toList();
        if (lines.size() < 3
                || !lines.get(0).matches("\\d{1,18}")
                || !lines.get(1).matches("\\d{1,18}")) {
            return null;
        }
        return new StateHolder(
                Long.parseLong(lines.get(0)), Long.parseLong(lines.get(1)), lines.get(2));
    }

    /** For people: where, and which process. */
    public String words() {
        return place + " (pid " + pid + ")";
    }
}
