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
        TreeMap<String, FileModel> moved = new TreeMap<>();
        files.forEach((name, file) ->
                moved.put(
                        name.startsWith(from + "/") ? to + name.substring(from.length()) : name,
                        file));
        files.clear();
        files.putAll(moved);
    }

    /**
     * Compares with what is there. Where a write was under way when the mount was killed, each of
     * its cells may be there or not; the model is then what is there.
     *
     * @param open the write that was under way; null for none
     */
    Findings compare(Path root, Operation.Write open) throws IOException {
        Findings findings = new Findings();
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
                    compareFile(path, name, of, findings);
                } else {
                    findings.invented(Files.size(path), name + " is there");
                }
            }
        }
        for (String name : missing) {
            findings.lost(files.get(name).bytes(), name + " is missing");
        }
        missingDirectories.forEach(name -> findings.lost(1, name + "/ is missing"));
        return findings;
    }

    private void compareFile(Path path, String name, Operation.Write open, Findings findings)
            throws IOException {
        FileModel file = files.get(name);
        ByteBuffer bytes = ByteBuffer.wrap(Files.readAllBytes(path)).order(ByteOrder.BIG_ENDIAN);
        int whole = bytes.limit() / Stamp.CELL_BYTES;
        int most =
                open == null ? file.count() : Math.max(file.count(), open.from() + open.length());
        if (bytes.limit() % Stamp.CELL_BYTES != 0 || whole > most) {
            findings.invented(
                    bytes.limit() - file.bytes(),
                    name + " has " + bytes.limit() + " bytes, not " + file.bytes());
        } else if (whole < file.count()) {
            findings.lost(
                    file.bytes() - bytes.limit(),
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
            if (placed && maybe && stamp.sequence() == open.sequence()) {
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
        if (open != null && findings.isEmpty()) {
            files.put(name, found);
        }
    }
}
