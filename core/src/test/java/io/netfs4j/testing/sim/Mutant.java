// SPDX-License-Identifier: Apache-2.0
package io.netfs4j.testing.sim;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/**
 * A bug to put into a copy of the sources: a file of src/test/mutants. Its first line says what it
 * is; others may say how it is found:
 *
 * <pre>
 *   worlds NAME   only in these, see {@link MutantWorlds}
 *   first SEED    from this seed on
 *   hangs         the simulator goes round in circles, which finds it, too
 * </pre>
 *
 * Then for each source file {@code file PATH}, and the replacements in it: {@code <<<<}, the text
 * that must stand there exactly once (but for white space around it), {@code ====}, what stands
 * there instead, {@code >>>>}.
 */
record Mutant(String name, String description, Hunt hunt, Map<String, List<Edit>> edits) {
    /**
     * How it is found.
     *
     * @param first the seed to begin with
     * @param hangs whether it counts as found when the simulator comes to no end
     */
    record Hunt(MutantWorlds worlds, long first, boolean hangs) {
        static Hunt of(List<String> lines) throws IOException {
            MutantWorlds worlds = MutantWorlds.ALL;
            long first = 0;
            boolean hangs = false;
            for (String line : lines) {
                String[] words = line.strip().split(" ", 2);
                String value = words.length > 1 ? words[1] : "";
                switch (words[0]) {
                    case "worlds" -> worlds = MutantWorlds.of(value);
                    case "first" -> first = Long.parseLong(value);
                    case "hangs" -> hangs = true;
                    default -> throw new IOException("a mutant does not say \"" + line + "\"");
                }
            }
            return new Hunt(worlds, first, hangs);
        }
    }

    /** One replacement. */
    record Edit(String before, String after) {}

    private static final Pattern EDIT =
            Pattern.compile("<<<<\\n(.*?)\\n====\\n(.*?)>>>>", Pattern.DOTALL);

    static List<Mutant> readAll(Path directory) throws IOException {
        List<Path> files;
        try (Stream<Path> listed = Files.list(directory)) {
            files = listed.filter(p -> p.toString().endsWith(".mutant")).sorted().toList();
        }
        List<Mutant> all = new ArrayList<>();
        for (Path file : files) {
            all.add(read(file));
        }
        return all;
    }

    private static Mutant read(Path file) throws IOException {
        String name = String.valueOf(file.getFileName()).replace(".mutant", "");
        String[] parts = Files.readString(file).split("(?m)^file ", -1);
        Map<String, List<Edit>> edits = new LinkedHashMap<>();
        for (int i = 1; i < parts.length; i++) {
            int line = parts[i].indexOf('\n');
            List<Edit> list = new ArrayList<>();
            Matcher matcher = EDIT.matcher(parts[i]);
            while (matcher.find()) {
                list.add(new Edit(matcher.group(1).strip(), matcher.group(2).strip()));
            }
            edits.put(parts[i].substring(0, line).strip(), list);
        }
        List<String> head = parts[0].strip().lines().toList();
        return new Mutant(name, head.get(0), Hunt.of(head.subList(1, head.size())), edits);
    }

    /**
     * Writes the changed sources.
     *
     * @return the files written
     * @throws IOException also when a text is not there exactly once
     */
    List<Path> write(Path sources, Path target) throws IOException {
        List<Path> written = new ArrayList<>();
        for (Map.Entry<String, List<Edit>> entry : edits.entrySet()) {
            String text = Files.readString(sources.resolve(entry.getKey()));
            for (Edit edit : entry.getValue()) {
                int at = text.indexOf(edit.before);
                if (at < 0 || text.indexOf(edit.before, at + 1) >= 0) {
                    throw new IOException(
                            entry.getKey() + " does not hold exactly once: " + edit.before);
                }
                text =
                        text.substring(0, at)
                                + edit.after
                                + text.substring(at + edit.before.length());
            }
            Path file = target.resolve(entry.getKey());
            Files.createDirectories(file.getParent());
            written.add(Files.writeString(file, text));
        }
        return written;
    }
}
