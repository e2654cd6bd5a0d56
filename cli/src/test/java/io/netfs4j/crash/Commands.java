// SPDX-License-Identifier: Apache-2.0
package io.netfs4j.crash;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/** Commands of this machine that are run to their end. */
final class Commands {
    private Commands() {}

    /**
     * What a command says; its errors go where ours do.
     *
     * @throws IOException when it does not exit with 0
     */
    static String run(String... command) throws IOException, InterruptedException {
        Process process =
                new ProcessBuilder(command).redirectError(ProcessBuilder.Redirect.INHERIT).start();
        String said = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        if (process.waitFor() != 0) {
            throw new IOException(List.of(command) + " exited " + process.exitValue());
        }
        return said;
    }

    /** What a command exits with; what it says is for nobody. */
    static int exitCode(String... command) throws IOException, InterruptedException {
        return new ProcessBuilder(command)
                .redirectErrorStream(true)
                .redirectOutput(ProcessBuilder.Redirect.DISCARD)
                .start()
                .waitFor();
    }

    /** Shell assignments, one a line. */
    static Map<String, String> parameters(String lines) {
        Map<String, String> values = new HashMap<>();
        lines.lines()
                .forEach(line -> {
                    int equals = line.indexOf('=');
                    values.put(line.substring(0, equals), line.substring(equals + 1));
                });
        return values;
    }
}
