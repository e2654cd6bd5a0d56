// SPDX-License-Identifier: Apache-2.0
package io.netfs4j.cli;

import io.netfs4j.MountOptions.Option;
import io.netfs4j.fuse.FuseOptions;

import java.util.List;
import java.util.Map;
import java.util.Set;

/** The options that are the FUSE door's, or the door's as well, by name. */
final class FuseSettings {
    private static final String RO = "ro";
    private static final String UID = "uid";
    private static final String GID = "gid";
    private static final String UMASK = "umask";
    private static final String ALLOW_OTHER = "allow_other";
    private static final String DEFAULT_PERMISSIONS = "default_permissions";
    private static final String FSNAME = "fsname";
    private static final String ENTRY_TIMEOUT = "entry_timeout";
    private static final String WRITEBACK_CACHE = "writeback_cache";

    private static final List<Option> OPTIONS =
            List.of(
                    new Option(ALLOW_OTHER, "", "let other users in (user_allow_other, fuse.conf)"),
                    new Option(DEFAULT_PERMISSIONS, "", "the kernel checks permissions (always)"),
                    new Option(FSNAME, "TEXT", "what the mount table shows (the remote)"),
                    new Option(ENTRY_TIMEOUT, "SECONDS", "how long the kernel believes a name"),
                    new Option(UMASK, "OCTAL", "show permission bits 777 without these"),
                    new Option(
                            WRITEBACK_CACHE,
                            "",
                            "let the kernel acknowledge writes that netfs has not seen: faster"
                                    + " for small ones, lost with the process, and changes on the"
                                    + " server may be overlooked"));

    /** Words that mount tables hold and that ask for nothing, or for what holds anyway. */
    private static final Set<String> WITHOUT_EFFECT =
            Set.of(
                    "defaults",
                    "rw",
                    "nodev",
                    "nosuid",
                    "noatime",
                    "nodiratime",
                    "relatime",
                    "async",
                    "auto",
                    "noauto",
                    "user",
                    "users",
                    "nofail",
                    "_netdev");

    private FuseSettings() {}

    static List<Option> options() {
        return OPTIONS;
    }

    /** Whether the option is the door's alone; those for both sides are not. */
    static boolean takes(String name) {
        return WITHOUT_EFFECT.contains(name)
                || name.startsWith("x-")
                || OPTIONS.stream().anyMatch(option -> option.name().equals(name));
    }

    /**
     * What the options say to the door.
     *
     * @param remote what the mount table shows when they do not say
     */
    static FuseOptions of(Map<String, List<String>> options, String remote) throws CommandFailure {
        OptionReader reader = new OptionReader(options);
        boolean readOnly = reader.flag(RO);
        if (readOnly && reader.text("rw") != null) {
            throw OptionReader.wrong("rw", "", "not together with ro");
        }
        reader.flag(DEFAULT_PERMISSIONS);
        String name = reader.text(FSNAME);
        return FuseOptions.of(name == null || name.isEmpty() ? remote : name)
                .withReadOnly(readOnly)
                .withAllowOther(reader.flag(ALLOW_OTHER))
                .withOwner(
                        new FuseOptions.Owner(reader.id(UID), reader.id(GID), reader.octal(UMASK)))
                .withTimeouts(new FuseOptions.Timeouts(reader.nanos(ENTRY_TIMEOUT), null))
                .withKernelWritebackCache(reader.flag(WRITEBACK_CACHE));
    }
}
