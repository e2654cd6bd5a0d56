// SPDX-License-Identifier: Apache-2.0
package io.netfs4j;

import io.netfs4j.base.FsError;
import io.netfs4j.base.FsException;
import io.netfs4j.cache.store.StoreLimits;
import io.netfs4j.engine.EngineLimits;
import io.netfs4j.pagecache.PageCache;
import io.netfs4j.server.Remote;
import io.netfs4j.vfs.VfsOptions;

import org.jspecify.annotations.Nullable;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;

/**
 * How a remote is mounted: every limit with its name, its unit and its reason.
 *
 * @param vfs what the file system does with it
 * @param state where what the server has not got yet is kept, a {@link StateDirectory}; null keeps
 *     it in memory alone
 * @param journalBytesMax how much is kept there at most, for one remote
 * @param cache where what was read and sent is kept for later, a {@link StateDirectory}, which may
 *     be the same; null for nowhere
 * @param cacheBytesMax how much is kept there at most, for one remote
 */
public record MountOptions(
        VfsOptions vfs,
        @Nullable Path state,
        long journalBytesMax,
        @Nullable Path cache,
        long cacheBytesMax) {
    /** Below it not even one folio of each kind fits. */
    private static final long MEMORY_BYTES_MIN = 1 << 20;

    private static final long MEMORY_BYTES_MAX = 1L << 40;

    /** Enough for a second at 200 MB/s; small beside what a desktop has. */
    private static final long DIRTY_BYTES_DEFAULT = 192L << 20;

    /**
     * Reads keep at least this share of the memory: the page cache is an eighth larger than dirty.
     */
    private static final int CLEAN_SHARE = 8;

    /** One request leaves this share of what may be in flight to the others: a quarter. */
    private static final int REQUEST_SHARE = 4;

    /** Some segments for what is written, besides those that are kept free. */
    private static final long JOURNAL_BYTES_MIN = 128L << 20;

    private static final long JOURNAL_BYTES_DEFAULT = 4L << 30;

    /** Less than this holds hardly more than what says what there is. */
    private static final long CACHE_BYTES_MIN = 1L << 20;

    /** The option that names the {@link StateDirectory}. */
    public static final String STATE = "state";

    /** The option that names the disk cache's. */
    public static final String CACHE = "cache";

    private static final String CACHE_SIZE = "cache_size";

    private static final String NOWHERE = "none";

    /** The scheme of servers that end with this process, and with them whatever state is for. */
    private static final String WITHIN_PROCESS = "memory";

    private static final long SECOND = 1_000_000_000L;

    private static final Path HOST_NAME = Path.of("/proc/sys/kernel/hostname");

    /** A year. */
    private static final int SECONDS_MAX = 31_536_000;

    private static final String UNITS = "kmgt";

    /** One option by name, for help and for refusing what is unknown. */
    public record Option(String name, String value, String meaning) {}

    private static final List<Option> OPTIONS =
            List.of(
                    new Option("ro", "", "refuse every change"),
                    new Option("memory", "SIZE", "memory of the page cache (dirty + an eighth)"),
                    new Option("dirty", "SIZE", "writers wait above so much unsaved data (192m)"),
                    new Option("background", "SIZE", "write-back starts above it (a quarter)"),
                    new Option("dirty_age", "SECONDS", "and after so long (1)"),
                    new Option("in_flight", "SIZE", "unanswered writes on the wire (16m)"),
                    new Option("readahead", "SIZE", "largest readahead window (4m, 0 for none)"),
                    new Option("attr_timeout", "SECONDS", "names and attributes count (5)"),
                    new Option("soft", "", "give up waiting for a lost server, see timeout"),
                    new Option("timeout", "SECONDS", "after so long, with soft (60)"),
                    new Option("close", "server|start", "close waits for the server (start)"),
                    new Option("fsync", "server|journal", "what fsync waits for (server)"),
                    new Option(
                            "conflict",
                            "copy|fail|overwrite",
                            "where others changed a file meanwhile: ours goes beside it (copy)"),
                    new Option("sync", "", "every write waits for the server"),
                    new Option(
                            "unbuffered",
                            "",
                            "read and write past the page cache, as with O_DIRECT"),
                    new Option(
                            "metadata",
                            "writeback|sync",
                            "new files are made on the server in the background (writeback);"
                                    + " sync without a journal"),
                    new Option(
                            STATE,
                            "DIR|none",
                            "keep what the server has not got yet in a journal below DIR, which is"
                                    + " yours alone"),
                    new Option("journal", "SIZE", "writers wait above so much in it (4g)"),
                    new Option(
                            CACHE,
                            "[DIR]",
                            "keep what was read and sent on this machine's disk, below DIR"
                                    + " (netfs mount: ~/.cache/netfs), until others change it"),
                    new Option(CACHE_SIZE, "SIZE", "so much of it, for one remote (10g)"),
                    new Option("uid", "NUMBER", "show every file as this user's"),
                    new Option("gid", "NUMBER", "show every file as this group's"),
                    new Option("umask", "OCTAL", "hide these permission bits"));

    /** What {@link #parse} understands. */
    public static List<Option> options() {
        return OPTIONS;
    }

    public static boolean knows(String name) {
        return OPTIONS.stream().anyMatch(o -> o.name().equals(name));
    }

    public static MountOptions defaults() {
        try {
            return parse(Map.of());
        } catch (FsException e) {
            throw new IllegalStateException(e);
        }
    }

    /**
     * Understands options as given on a command line, the last of each name.
     *
     * @param given by name; a name without a value has the empty string
     * @throws FsException EINVAL, naming the option and what it may be
     */
    public static MountOptions parse(Map<String, String> given) throws FsException {
        Map<String, String> values = new TreeMap<>(given);
        for (String name : values.keySet()) {
            if (!knows(name)) {
                throw invalid("unknown option \"" + name + "\"; known: " + names());
            }
        }
        long dirty = size(values, "dirty", MEMORY_BYTES_MIN / 2, DIRTY_BYTES_DEFAULT);
        long memory = size(values, "memory", MEMORY_BYTES_MIN, -1);
        if (memory < 0) {
            memory = Math.max(MEMORY_BYTES_MIN, dirty + dirty / CLEAN_SHARE);
        } else if (!values.containsKey("dirty")) {
            dirty = Math.min(dirty, memory - memory / CLEAN_SHARE);
        }
        atMost(values, "dirty", dirty, "memory", memory);
        long background = size(values, "background", 4096, dirty / 4);
        atMost(values, "background", background, "dirty", dirty);
        EngineLimits d = EngineLimits.DEFAULT;
        long inFlight = size(values, "in_flight", 4096, d.throttle().bytesMax());
        if (values.containsKey("in_flight")) {
            atMost(values, "in_flight", inFlight, "memory", memory);
        }
        EngineLimits engine =
                new EngineLimits(
                        new EngineLimits.Throttle(
                                inFlight,
                                d.throttle().piecesMax(),
                                inFlight - inFlight / REQUEST_SHARE,
                                d.throttle().requestPiecesMax(),
                                d.throttle().cacheBytesMax(),
                                d.throttle().fillBytesMax()),
                        Math.max(1_000_000L, seconds(values, "dirty_age", d.dirtyAgeNanos())),
                        d.eagerBytes(),
                        d.attemptsMax(),
                        d.retryFirstNanos(),
                        d.retryMaxNanos(),
                        d.parkFirstNanos(),
                        d.parkMaxNanos(),
                        (int)
                                Math.min(
                                        1 << 30,
                                        size(values, "readahead", 0, d.readaheadBytesMax())),
                        d.cachePatienceNanos());
        boolean soft = flag(values, "soft");
        long timeout = seconds(values, "timeout", 60 * SECOND);
        if (values.containsKey("timeout") && !soft) {
            throw invalid("option timeout works with soft only: a hard mount waits");
        }
        if (values.containsKey(CACHE_SIZE) && !values.containsKey(CACHE)) {
            throw invalid(
                    "option cache_size works with cache only: add the option cache, or leave"
                            + " cache_size out");
        }
        if (timeout == 0) {
            throw invalid(
                    "option timeout=0: more than 0 seconds; without soft nothing is given up");
        }
        return new MountOptions(
                new VfsOptions(
                        new PageCache.Limits(memory, dirty, background),
                        engine,
                        seconds(values, "attr_timeout", 5 * SECOND),
                        soft ? timeout : 0,
                        oneOf(values, "close", List.of("start", "server")).equals("server"),
                        flag(values, "sync"),
                        flag(values, "unbuffered"),
                        oneOf(values, "metadata", List.of("writeback", "sync")).equals("writeback"),
                        oneOf(values, "fsync", List.of("server", "journal")).equals("journal"),
                        new VfsOptions.Conflicts(onConflict(values), host()),
                        flag(values, "ro"),
                        ownership(values)),
                directory(values, STATE),
                size(values, "journal", JOURNAL_BYTES_MIN, JOURNAL_BYTES_DEFAULT),
                directory(values, CACHE),
                size(values, CACHE_SIZE, CACHE_BYTES_MIN, StoreLimits.DEFAULT.bytesMax()));
    }

    /** Whether a mount of this remote has anything to keep for the next one, or may. */
    public boolean isOfState(Remote remote) {
        return !vfs.readOnly() && outlives(remote);
    }

    /** Whether its server goes on without the process that opened it. */
    static boolean outlives(Remote remote) {
        return !remote.scheme().equals(WITHIN_PROCESS);
    }

    /** The same with another state directory; null for none. */
    public MountOptions withState(@Nullable Path directory) {
        return new MountOptions(vfs, directory, journalBytesMax, cache, cacheBytesMax);
    }

    private static @Nullable Path directory(Map<String, String> values, String name)
            throws FsException {
        String text = values.get(name);
        if (text == null || text.equals(NOWHERE)) {
            return null;
        }
        try {
            Path directory = Path.of(text);
            if (directory.isAbsolute()) {
                return directory;
            }
        } catch (InvalidPathException e) {
            // Falls through to the one message for both.
        }
        throw invalid("option " + name + "=" + text + ": a directory, from the root on, or none");
    }

    private static void atMost(
            Map<String, String> values, String name, long bytes, String other, long most)
            throws FsException {
        if (bytes > most) {
            throw invalid(
                    "option "
                            + name
                            + "="
                            + values.getOrDefault(name, text(bytes))
                            + " is more than "
                            + other
                            + ", which is "
                            + text(most)
                            + "; lower the one or raise the other");
        }
    }

    /** A number of bytes as {@link #size} reads it. */
    private static String text(long bytes) {
        int unit = 0;
        long n = bytes;
        while (n != 0 && n % 1024 == 0 && unit < UNITS.length()) {
            n /= 1024;
            unit++;
        }
        return unit == 0 ? n + " bytes" : n + UNITS.substring(unit - 1, unit);
    }

    private static VfsOptions.OnConflict onConflict(Map<String, String> values) throws FsException {
        String text = oneOf(values, "conflict", List.of("copy", "fail", "overwrite"));
        return VfsOptions.OnConflict.valueOf(text.toUpperCase(Locale.ROOT));
    }

    /**
     * The name of this machine, as far as it can stand in a file's name. As the kernel knows it: to
     * ask for an address of that name may take many seconds.
     */
    private static String host() {
        String name;
        try {
            name = Files.readString(HOST_NAME).strip();
        } catch (IOException e) {
            name = "localhost";
        }
        int dot = name.indexOf('.');
        String first = dot > 0 ? name.substring(0, dot) : name;
        return first.replaceAll("[^A-Za-z0-9_-]", "_");
    }

    private static VfsOptions.Ownership ownership(Map<String, String> values) throws FsException {
        return new VfsOptions.Ownership(
                id(values, "uid"), id(values, "gid"), octal(values, "umask"));
    }

    private static String names() {
        List<String> names = new ArrayList<>();
        OPTIONS.forEach(o -> names.add(o.name()));
        return String.join(", ", names);
    }

    private static boolean flag(Map<String, String> values, String name) throws FsException {
        String text = values.get(name);
        if (text == null) {
            return false;
        }
        return switch (text.toLowerCase(Locale.ROOT)) {
            case "", "yes", "true", "1" -> true;
            case "no", "false", "0" -> false;
            default -> throw invalid("option " + name + "=" + text + ": yes or no");
        };
    }

    private static String oneOf(Map<String, String> values, String name, List<String> allowed)
            throws FsException {
        String text = values.getOrDefault(name, allowed.get(0));
        if (!allowed.contains(text)) {
            throw invalid("option " + name + "=" + text + ": " + String.join(" or ", allowed));
        }
        return text;
    }

    /** A number of bytes: digits with an optional k, m, g or t (powers of 1024). */
    private static long size(Map<String, String> values, String name, long least, long otherwise)
            throws FsException {
        String text = values.get(name);
        if (text == null) {
            return otherwise;
        }
        String digits = text.trim().toLowerCase(Locale.ROOT);
        int shift = 0;
        if (!digits.isEmpty()) {
            int unit = UNITS.indexOf(digits.charAt(digits.length() - 1));
            if (unit >= 0) {
                shift = 10 * (unit + 1);
                digits = digits.substring(0, digits.length() - 1);
            }
        }
        try {
            long n = Math.multiplyExact(Long.parseLong(digits), 1L << shift);
            if (n >= least && n <= MEMORY_BYTES_MAX) {
                return n;
            }
        } catch (ArithmeticException | NumberFormatException e) {
            // Falls through to the one message for all.
        }
        throw invalid(
                "option "
                        + name
                        + "="
                        + text
                        + ": a size from "
                        + text(least)
                        + " to "
                        + text(MEMORY_BYTES_MAX)
                        + ", such as 64m or 2g");
    }

    private static long seconds(Map<String, String> values, String name, long otherwise)
            throws FsException {
        String text = values.get(name);
        if (text == null) {
            return otherwise;
        }
        try {
            double s = Double.parseDouble(text.trim());
            if (s >= 0 && s <= SECONDS_MAX) {
                return (long) (s * SECOND);
            }
        } catch (NumberFormatException e) {
            // Falls through to the one message for both.
        }
        throw invalid("option " + name + "=" + text + ": seconds, 0 to " + SECONDS_MAX);
    }

    private static @Nullable Integer id(Map<String, String> values, String name)
            throws FsException {
        String text = values.get(name);
        if (text == null) {
            return null;
        }
        try {
            int n = Integer.parseUnsignedInt(text.trim());
            if (n >= 0) {
                return n;
            }
        } catch (NumberFormatException e) {
            // Falls through to the one message for both.
        }
        throw invalid("option " + name + "=" + text + ": a number");
    }

    private static int octal(Map<String, String> values, String name) throws FsException {
        String text = values.getOrDefault(name, "0");
        try {
            int n = Integer.parseInt(text.trim(), 8);
            if (n >= 0 && n <= 0777) {
                return n;
            }
        } catch (NumberFormatException e) {
            // Falls through to the one message for both.
        }
        throw invalid("option " + name + "=" + text + ": permission bits in octal, such as 022");
    }

    private static FsException invalid(String message) {
        return new FsException(FsError.EINVAL, message);
    }
}
