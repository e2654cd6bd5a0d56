// SPDX-License-Identifier: Apache-2.0
package io.netfs4j.cli;

import io.netfs4j.MountOptions;
import io.netfs4j.StateDirectory;
import io.netfs4j.base.FsException;
import io.netfs4j.vfs.Recovered;

import org.jspecify.annotations.Nullable;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/** What is said at the start of a mount of what it keeps on this machine, and of what it cannot. */
final class StateNotes {
    private StateNotes() {}

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

    /** Why a disk cache that was asked for is not in use. */
    static List<String> withoutCache(@Nullable FsException why) {
        return why == null ? List.of() : List.of("no disk cache: " + why.getMessage());
    }

    /** What a read-only mount does not take up. */
    static List<String> unseen(
            MountPlan plan, Backends.Choice choice, Map<String, String> environment) {
        boolean named = plan.options().containsKey(MountOptions.STATE);
        Path directory = named ? choice.options().state() : StateHome.stateOfUser(environment);
        if (directory == null) {
            return List.of();
        }
        try {
            StateDirectory.Entry entry =
                    StateDirectory.lookAt(directory).entry(choice.remote().absoluteText());
            if (entry == null || entry.holder() != null || entry.left().isEmpty()) {
                return List.of();
            }
            return List.of(
                    "an earlier mount had not sent "
                            + Quantity.files(entry.left().files().size(), entry.left().bytes())
                            + "; a read-only mount does not show it: mount without ro to send it");
        } catch (FsException e) {
            return List.of(String.valueOf(e.getMessage()));
        }
    }

    /** What an earlier mount had left. */
    static List<String> of(Recovered recovered) {
        List<String> notes = new ArrayList<>();
        if (recovered.files() > 0) {
            notes.add(
                    "an earlier mount had not sent "
                            + Quantity.files(recovered.files(), recovered.bytes())
                            + "; this one goes on with it");
        }
        recovered.problems().forEach(problem -> notes.add("of an earlier mount: " + problem));
        return notes;
    }
}
