// SPDX-License-Identifier: Apache-2.0
package io.netfs4j.testing.sim;

import io.netfs4j.engine.Engine;

import org.jacoco.core.analysis.Analyzer;
import org.jacoco.core.analysis.CoverageBuilder;
import org.jacoco.core.analysis.IClassCoverage;
import org.jacoco.core.analysis.ICounter;
import org.jacoco.core.data.ExecutionDataStore;
import org.jacoco.core.data.SessionInfoStore;
import org.jacoco.core.instr.Instrumenter;
import org.jacoco.core.runtime.LoggerRuntime;
import org.jacoco.core.runtime.RuntimeData;

import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.function.LongUnaryOperator;
import java.util.stream.Stream;

/**
 * Which branches a sample of worlds takes. Those worlds run on classes of their own, which a class
 * loader prepares for it, so that the others lose no time.
 */
final class Coverage {
    private static final String OURS = "io.netfs4j.";

    /** Packages whose branches count, and one whose lines do. */
    private static final List<String> BRANCHES = List.of("engine", "pagecache", "request");

    private static final String LINES = "vfs";

    /** So many places are shown of each. */
    private static final int SHOWN_MAX = 40;

    private final RuntimeData data = new RuntimeData();
    private final LoggerRuntime runtime = new LoggerRuntime();
    private final LongUnaryOperator sampled;

    Coverage() {
        try {
            runtime.startup(data);
            sampled =
                    (LongUnaryOperator)
                            new Loader()
                                    .loadClass(SampledWorld.class.getName())
                                    .getConstructor()
                                    .newInstance();
        } catch (Exception e) {
            throw new IllegalStateException("coverage cannot be measured", e);
        }
    }

    /** Runs a seed's world measured; returns its trace. */
    long run(long seed) {
        return sampled.applyAsLong(seed);
    }

    private static boolean isMeasured(String name) {
        return name.startsWith(OURS + LINES + ".")
                || BRANCHES.stream().anyMatch(p -> name.startsWith(OURS + p + "."));
    }

    /** Defines our classes anew, and those that count so that they tell what was reached. */
    private final class Loader extends ClassLoader {
        private final Instrumenter instrumenter = new Instrumenter(runtime);

        Loader() {
            super(Coverage.class.getClassLoader());
        }

        @Override
        protected Class<?> loadClass(String name, boolean resolve) throws ClassNotFoundException {
            if (!name.startsWith(OURS)) {
                return super.loadClass(name, resolve);
            }
            synchronized (getClassLoadingLock(name)) {
                Class<?> known = findLoadedClass(name);
                return known == null ? define(name) : known;
            }
        }

        private Class<?> define(String name) throws ClassNotFoundException {
            String path = name.replace('.', '/') + ".class";
            try (InputStream in = getParent().getResourceAsStream(path)) {
                if (in == null) {
                    throw new ClassNotFoundException(name);
                }
                byte[] bytes = in.readAllBytes();
                byte[] code = isMeasured(name) ? instrumenter.instrument(bytes, name) : bytes;
                return defineClass(name, code, 0, code.length);
            } catch (IOException e) {
                throw new ClassNotFoundException(name, e);
            }
        }
    }

    /** What was reached of all that there is. */
    private static final class Count {
        long reached;
        long all;

        void add(ICounter counter) {
            reached += counter.getCoveredCount();
            all += counter.getTotalCount();
        }
    }

    /** The counts, and the places that no world of the sample reached. */
    List<String> report(long worlds) throws IOException {
        ExecutionDataStore reached = new ExecutionDataStore();
        data.collect(reached, new SessionInfoStore(), false);
        CoverageBuilder builder = new CoverageBuilder();
        Analyzer analyzer = new Analyzer(reached, builder);
        for (String name : BRANCHES) {
            analyze(analyzer, name);
        }
        analyze(analyzer, LINES);

        Count branches = new Count();
        Count lines = new Count();
        Map<String, Map<Integer, String>> missedBranches = new TreeMap<>();
        Map<String, TreeSet<Integer>> missedLines = new TreeMap<>();
        for (IClassCoverage type : builder.getClasses()) {
            String file = type.getSourceFileName();
            String name =
                    type.getPackageName().replace('/', '.').substring(OURS.length())
                            + "."
                            + file.substring(0, file.lastIndexOf('.'));
            if (name.startsWith(LINES + ".")) {
                lines.add(type.getLineCounter());
                addMissedLines(type, missedLines.computeIfAbsent(name, n -> new TreeSet<>()));
            } else {
                branches.add(type.getBranchCounter());
                addMissed(type, missedBranches.computeIfAbsent(name, n -> new TreeMap<>()));
            }
        }
        List<String> text = new ArrayList<>();
        text.add("branches of " + String.join(", ", BRANCHES) + " never reached:");
        addBounded(text, places(missedBranches));
        text.add("lines of " + LINES + " never reached:");
        addBounded(text, ranges(missedLines));
        text.add("in a sample of " + worlds + " worlds:");
        text.add("lines of " + LINES + " reached=" + lines.reached + " of=" + lines.all);
        text.add("branches reached=" + branches.reached + " of=" + branches.all);
        return text;
    }

    private static void analyze(Analyzer analyzer, String name) throws IOException {
        Path classes;
        try {
            classes =
                    Path.of(
                            Engine.class
                                    .getProtectionDomain()
                                    .getCodeSource()
                                    .getLocation()
                                    .toURI());
        } catch (java.net.URISyntaxException e) {
            throw new IOException("no directory of classes", e);
        }
        List<Path> files;
        try (Stream<Path> listed = Files.list(classes.resolve("io/netfs4j").resolve(name))) {
            files = listed.filter(p -> p.toString().endsWith(".class")).sorted().toList();
        }
        for (Path file : files) {
            analyzer.analyzeClass(Files.readAllBytes(file), file.toString());
        }
    }

    private static void addMissed(IClassCoverage type, Map<Integer, String> to) {
        for (int line = type.getFirstLine(); line <= type.getLastLine(); line++) {
            ICounter branches = type.getLine(line).getBranchCounter();
            if (branches.getMissedCount() > 0) {
                to.put(line, branches.getMissedCount() + " of " + branches.getTotalCount());
            }
        }
    }

    private static void addMissedLines(IClassCoverage type, TreeSet<Integer> to) {
        for (int line = type.getFirstLine(); line <= type.getLastLine(); line++) {
            if (type.getLine(line).getStatus() == ICounter.NOT_COVERED) {
                to.add(line);
            }
        }
    }

    private static List<String> places(Map<String, Map<Integer, String>> missed) {
        List<String> places = new ArrayList<>();
        missed.forEach((name, lines) ->
                lines.forEach((n, what) -> places.add(name + ":" + n + " " + what)));
        return places;
    }

    /** A line for each class: its missed lines, neighbours joined. */
    private static List<String> ranges(Map<String, TreeSet<Integer>> missed) {
        List<String> ranges = new ArrayList<>();
        missed.forEach((name, lines) -> {
            StringBuilder text = new StringBuilder(name + ":");
            for (int line : lines) {
                if (lines.contains(line - 1)) {
                    continue;
                }
                int last = line;
                while (lines.contains(last + 1)) {
                    last++;
                }
                text.append(' ').append(line).append(last > line ? "-" + last : "");
            }
            if (!lines.isEmpty()) {
                ranges.add(text.toString());
            }
        });
        return ranges;
    }

    private static void addBounded(List<String> text, List<String> places) {
        places.stream().limit(SHOWN_MAX).forEach(p -> text.add("  " + p));
        if (places.size() > SHOWN_MAX) {
            text.add("  and " + (places.size() - SHOWN_MAX) + " more");
        }
    }
}
