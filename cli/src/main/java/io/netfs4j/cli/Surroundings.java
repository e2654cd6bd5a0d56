// SPDX-License-Identifier: Apache-2.0
package io.netfs4j.cli;

import java.io.PrintStream;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.Map;

/**
 * What a command finds around it; tests give it other surroundings.
 *
 * @param directory what relative names are relative to
 * @param runtimeDirectory where mounts and commands meet
 */
record Surroundings(
        MountOpener opener,
        Map<String, String> environment,
        Path directory,
        RuntimeDirectory runtimeDirectory,
        PrintStream out,
        PrintStream err) {

    ControlClient control() {
        return new ControlClient(runtimeDirectory);
    }

    /** A writer with the stream's own encoding. */
    PrintWriter printer(PrintStream stream) {
        return new PrintWriter(stream, true, stream.charset());
    }

    /** One line on stdout. */
    void say(String line) {
        out.println(Printable.of(line));
    }

    /** One line on stderr. */
    void warn(String line) {
        err.println("netfs: " + Printable.of(line.strip()));
    }
}
