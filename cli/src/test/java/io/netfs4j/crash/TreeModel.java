// SPDX-License-Identifier: Apache-2.0
package io.netfs4j.crash;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.stream.Stream;

/** What the directory of one writer holds by what was acknowledged. Names are relative to it. */
final class TreeModel {
    final TreeMap<String, FileModel> files = new TreeMap<>();
    final TreeSet<String> directories = new TreeSet<>();

    /** Those that may be gone after a loss of power. */
    final TreeSet<String> unsure = new TreeSet<>();

    /** What is wrong with a tree that was found. */
    static final class Findings {
        long lost;
        long invented;
        final List<String> lines = new ArrayList<>();

        void lost(long bytes, String line) {
            lost += bytes;
            lines.add("lost: " + line);
        }

        void invented(long bytes, String line) {
            invented += bytes;
            lines.add("invented: " + line);
        }

        boolean isEmpty() {
            return lines.isEmpty();
        }
    }

    TreeModel copy() {
        TreeModel copy = new TreeModel();
        files.forEach((name, file) -> copy.files.put(name, file.copy()));
        copy.directories.addAll(directories);
        copy.unsure.addAll(unsure);
        return copy;
    }

    boolean isEmpty(String directory) {
        String below = directory + "/";
        return files.keySet().stream().noneMatch(name -> name.startsWith(below));
    }

    /** A directory and all below it gets another name. */
    void moveDirectory(String from, String to) {
        directories.remove(from);
        directories.add(to);
        unsure.remove(from); // The server has it by that name.
        TreeMap<String, FileModel> moved = new TreeMap<>();
        files.forEach((name, file) ->
                moved.put(
                        name.startsWith(from + "/") ? to + name.substring(from.length()) : name,
                        file));
        files.clear();
        files.putAll(moved);
    }

    // ---- what survives a loss of power --------------------------------------------------------

    /** The directory that a file is in, survives. */
    void promiseAbove(String file) {
        int slash = file.lastIndexOf('/');
        if (slash >= 0) {
            unsure.remove(file.substring(0, slash));
        }
    }

    /** A directory survives, and the names in it. */
    void promiseNames(String directory) {
        unsure.remove(directory);
        unsure.removeIf(name -> isIn(name, directory));
        files.forEach((name, file) -> {
            if (isIn(name, directory)) {
                file.promiseName();
            }
        });
    }

    private static boolean isIn(String name, String directory) {
        String above = directory.isEmpty() ? "" : directory + "/";
        return name.startsWith(above) && name.indexOf('/', above.length()) < 0;
    }

    /** All of it survives as it is now. */
    void promiseAll() {
        unsure.clear();
        files.values().forEach(FileModel::promise);
    }

    /** How many bytes that were promised are not in a tree. */
    long bytesMissing(Path root) throws IOException {
        long missing = 0;
        for (var entry : files.entrySet()) {
            Path path = root.resolve(entry.getKey());
            FileModel file = entry.getValue();
            ByteBuffer bytes = read(path);
            for (int cell = 0; cell < file.promisedCount(); cell++) {
                int at = cell * Stamp.CELL_BYTES;
                boolean there =
                        at + Stamp.CELL_BYTES <= bytes.limit()
                                && file.mayHold(cell, Stamp.read(bytes, at).sequence());
                missing += there ? 0 : Stamp.CELL_BYTES;
            }
        }
        return missing;
    }

    private static ByteBuffer read(Path path) throws IOException {
        byte[] bytes = Files.exists(path) ? Files.readAllBytes(path) : new byte[0];
        return ByteBuffer.wrap(bytes).order(ByteOrder.BIG_ENDIAN);
    }

    // ---- comparing ----------------------------------------------------------------------------

    /**
     * Compares with what is there. Where a write was under way when the mount was killed, each of
     * its cells may be there or not, and after a loss of power all that was not promised; the model
     * is then what is there.
     *
     * @param open the write that was under way; null for none
     * @param powerLost whether only what was promised has to be there
     */
    Findings compare(Path root, Operation.Write open, boolean powerLost) throws IOException {
        Findings findings = new Findings();
        Map<String, FileModel> found = new TreeMap<>();
        TreeSet<String> missing = new TreeSet<>(files.keySet());
        TreeSet<String> missingDirectories = new TreeSet<>(directories);
        try (Stream<Path> all = Files.walk(root)) {
            for (Path path : all.toList()) {
                String name = root.relativize(path).toString();
                if (name.isEmpty()) {
                    continue;
                }
                if (Files.isDirectory(path)) {
                    if (!missingDirectories.remove(name)) {
                        findings.invented(1, name + "/ is there");
                    }
                } else if (missing.remove(name)) {
                    Operation.Write of = open != null && open.name().equals(name) ? open : null;
                    found.put(name, compareFile(path, name, of, powerLost, findings));
                } else {
                    findings.invented(Files.size(path), name + " is there");
                }
            }
        }
        for (String name : missing) {
            if (!powerLost || files.get(name).isNamed()) {
                findings.lost(files.get(name).bytes(), name + " is missing");
            }
        }
        for (String name : missingDirectories) {
            if (!powerLost || !unsure.contains(name)) {
                findings.lost(1, name + "/ is missing");
            }
        }
        if (findings.isEmpty()) {
            files.keySet().removeAll(missing);
            directories.removeAll(missingDirectories);
            files.putAll(found);
            if (powerLost) {
                // It has come from the disk, or from the server.
                promiseAll();
            }
        }
        return findings;
    }

    /** Returns what is there, as far as that may be. */
    private FileModel compareFile(
            Path path, String name, Operation.Write open, boolean powerLost, Findings findings)
            throws IOException {
        FileModel file = files.get(name);
        ByteBuffer bytes = read(path);
        int whole = bytes.limit() / Stamp.CELL_BYTES;
        int least = powerLost ? file.least() : file.count();
        int most = powerLost ? file.most() : file.count();
        if (open != null) {
            most = Math.max(most, open.from() + open.length());
        }
        if (bytes.limit() % Stamp.CELL_BYTES != 0 || whole > most) {
            findings.invented(
                    bytes.limit() - file.bytes(),
                    name + " has " + bytes.limit() + " bytes, not " + file.bytes());
        } else if (whole < least) {
            findings.lost(
                    (long) least * Stamp.CELL_BYTES - bytes.limit(),
                    name + " has " + bytes.limit() + " bytes, not " + file.bytes());
        }
        FileModel found = file.copy();
        found.resize(Math.min(whole, most));
        Map<String, int[]> wrong = new TreeMap<>();
        for (int cell = 0; cell < Math.min(whole, most); cell++) {
            Stamp stamp = Stamp.read(bytes, cell * Stamp.CELL_BYTES);
            int wanted = file.sequence(cell);
            boolean maybe =
                    open != null && cell >= open.from() && cell < open.from() + open.length();
            boolean placed =
                    stamp.sequence() == 0
                            || (stamp.file() == file.id
                                    && stamp.offset() == (long) cell * Stamp.CELL_BYTES);
            if (placed && stamp.sequence() == wanted) {
                continue;
            }
            if (placed
                    && ((maybe && stamp.sequence() == open.sequence())
                            || (powerLost && file.mayHold(cell, stamp.sequence())))) {
                found.write(cell, 1, stamp.sequence());
                continue;
            }
            int first = cell;
            boolean old = placed && stamp.sequence() < wanted;
            String what =
                    (old ? "lost" : "invented")
                            + ": "
                            + name
                            + ", file "
                            + file.id
                            + ": write "
                            + wanted
                            + " is wanted, "
                            + (placed ? "write " + stamp.sequence() : stamp)
                            + " is there";
            int[] range =
                    wrong.computeIfAbsent(
                            what.replaceAll("offset=.*]", "]"), w -> new int[] {first, 0, 0});
            range[1] = cell;
            range[2]++;
        }
        wrong.forEach((what, range) -> {
            long count = (long) range[2] * Stamp.CELL_BYTES;
            String line =
                    what.substring(what.indexOf(' ') + 1)
                            + ", "
                            + count
                            + " bytes from "
                            + (long) range[0] * Stamp.CELL_BYTES
                            + " to "
                            + (range[1] + 1L) * Stamp.CELL_BYTES;
            if (what.startsWith("lost")) {
                findings.lost(count, line);
            } else {
                findings.invented(count, line);
            }
        });
        return found;
    }
}
