// SPDX-License-Identifier: Apache-2.0
package io.netfs4j.cli;

import io.netfs4j.vfs.Recovered;

import java.util.ArrayList;
import java.util.List;

/** What is said at the start of a mount of what it keeps on this machine, and of what it cannot. */
final class StateNotes {
    private StateNotes() {}

    /** Whether there is anything to keep: a server in this process's memory ends with it. */
    static boolean concern(Backends.Choice choice) {
        return !choice.remote().scheme().equals("memory") && !choice.options().vfs().readOnly();
    }

    /** What a mount without a journal cannot promise. */
    static List<String> of(StateHome home) {
        if (home.directory() != null) {
            return List.of();
        }
        return List.of(
                "no journal ("
                        + home.without()
                        + "): what is not on the server is lost when the mount's process or this"
                        + " machine dies; new files wait for the server");
    }

    /** What an earlier mount had left. */
    static List<String> of(Recovered recovered) {
        List<String> notes = new ArrayList<>();
        if (recovered.files() > 0) {
            notes.add(
                    "an earlier mount had not sent "
                            + (recovered.files() == 1 ? "1 file" : recovered.files() + " files")
                            + " ("
                            + Quantity.bytes(recovered.bytes())
                            + "); this one goes on with it");
        }
        recovered.problems().forEach(problem -> notes.add("of an earlier mount: " + problem));
        return notes;
    }
}
