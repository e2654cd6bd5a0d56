// SPDX-License-Identifier: Apache-2.0
package io.netfs4j.cli;

import org.jspecify.annotations.Nullable;

import java.util.ArrayList;
import java.util.List;
import java.util.Set;

/** The options that every mount takes, whatever its server. */
enum CommonOption {
    RO("ro", "", "refuse every change"),
    ALLOW_OTHER("allow_other", "", "let other users in (not root: user_allow_other in fuse.conf)"),
    UID("uid", "N", "show this user as the owner of every file"),
    GID("gid", "N", "show this group for every file"),
    UMASK("umask", "OCTAL", "show permission bits 777 without these"),
    DEFAULT_PERMISSIONS("default_permissions", "", "the kernel checks permissions (always on)"),
    FSNAME("fsname", "TEXT", "what the mount table shows instead of the remote"),
    MEMORY_MAX("memory_max", "SIZE", "memory for cached files, such as 512m"),
    DIRTY_MAX("dirty_max", "SIZE", "how much of it may wait for the server before writers wait"),
    CLOSE("close", "server", "close waits until the file is on the server"),
    SYNC("sync", "", "every write waits until it is on the server"),
    SOFT("soft", "", "give up waiting for a lost server after timeout=SECONDS (default 60)"),
    TIMEOUT("timeout", "SECONDS", "with soft: fail with ETIMEDOUT after so long; nothing is lost"),
    ENTRY_TIMEOUT("entry_timeout", "SECONDS", "how long the kernel believes a name"),
    ATTR_TIMEOUT("attr_timeout", "SECONDS", "how long the kernel believes attributes"),
    WRITEBACK_CACHE(
            "writeback_cache",
            "",
            "let the kernel acknowledge writes that netfs has not seen: faster for small ones, "
                    + "lost with the process, and changes on the server may be overlooked");

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

    private final String word;
    private final String value;
    private final String meaning;

    CommonOption(String word, String value, String meaning) {
        this.word = word;
        this.value = value;
        this.meaning = meaning;
    }

    /** The option's name. */
    String word() {
        return word;
    }

    static @Nullable CommonOption of(String name) {
        for (CommonOption option : values()) {
            if (option.word.equals(name)) {
                return option;
            }
        }
        return null;
    }

    static boolean isWithoutEffect(String name) {
        return WITHOUT_EFFECT.contains(name) || name.startsWith("x-");
    }

    /** One line for each, for people. */
    static List<String> help() {
        List<String> lines = new ArrayList<>();
        for (CommonOption option : values()) {
            String name = option.word + (option.value.isEmpty() ? "" : "=" + option.value);
            lines.add("  " + name + ": " + option.meaning);
        }
        return lines;
    }
}
