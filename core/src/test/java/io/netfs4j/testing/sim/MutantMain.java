// SPDX-License-Identifier: Apache-2.0
package io.netfs4j.testing.sim;

import io.netfs4j.testing.DirectoryTree;

import java.io.IOException;
import java.net.URISyntaxException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;

import javax.tools.JavaCompiler;
import javax.tools.ToolProvider;

/**
 * Puts bugs into copies of core's sources, one at a time, and lets the simulator find them: all, or
 * those that are named. Each line tells the invariant that found one and after how many seeds; the
 * last is {@code killed=K of=N}. Exit 0 only when all were found; one that no longer fits the
 * sources counts as not found, and so does one whose time is over before anything was seen, unless
 * its mutant says that it hangs.
 */
public final class MutantMain {
    private static final int SEEDS_MAX = 15000;

    /** For one mutant. */
    private static final long SECONDS_MAX = 600;

    /** For one that makes the simulator go round in circles. */
    private static final long SECONDS_MAX_HANGING = 60;

    private final Path core;
    private final Path work;
    private final List<String> names;

    private MutantMain(Path core, Path work, List<String> names) {
        this.core = core;
        this.work = work;
        this.names = names;
    }

    public static void main(String[] args)
            throws IOException, InterruptedException, ExecutionException, URISyntaxException {
        Path core = core();
        for (String name : args) {
            if (!Files.exists(core.resolve("src/test/mutants/" + name + ".mutant"))) {
                System.err.println("mutants: no mutant \"" + name + "\" in src/test/mutants");
                System.exit(2);
            }
        }
        Path work = Files.createTempDirectory("netfs-mutants");
        boolean all;
        try {
            all = new MutantMain(core, work, List.of(args)).run();
        } finally {
            DirectoryTree.delete(work);
        }
        System.exit(all ? 0 : 1);
    }

    /** The module's directory: the nearest one above our classes that holds the mutants. */
    private static Path core() throws URISyntaxException, IOException {
        Path at =
                Path.of(
                        MutantMain.class
                                .getProtectionDomain()
                                .getCodeSource()
                                .getLocation()
                                .toURI());
        for (Path above = at; above != null; above = above.getParent()) {
            if (Files.isDirectory(above.resolve("src/test/mutants"))) {
                return above;
            }
        }
        throw new IOException("no src/test/mutants above " + at);
    }

    private boolean run() throws IOException, InterruptedException, ExecutionException {
        List<Mutant> mutants = Mutant.readAll(core.resolve("src/test/mutants"));
        mutants.removeIf(mutant -> !names.isEmpty() && !names.contains(mutant.name()));
        int killed = 0;
        try (ExecutorService pool =
                Executors.newFixedThreadPool(Runtime.getRuntime().availableProcessors())) {
            List<Future<Verdict>> verdicts = new ArrayList<>();
            for (Mutant mutant : mutants) {
                verdicts.add(pool.submit(() -> judge(mutant)));
            }
            for (int i = 0; i < mutants.size(); i++) {
                Verdict verdict = verdicts.get(i).get();
                killed += verdict.killed ? 1 : 0;
                System.out.printf(
                        Locale.ROOT,
                        "%-8s %s (%s)%n         %s%n",
                        verdict.killed ? "killed" : "SURVIVED",
                        mutants.get(i).name(),
                        mutants.get(i).description(),
                        verdict.text);
            }
        }
        System.out.println("killed=" + killed + " of=" + mutants.size());
        return killed == mutants.size() && killed > 0;
    }

    private record Verdict(boolean killed, String text) {}

    private Verdict judge(Mutant mutant) throws IOException, InterruptedException {
        Path home = Files.createDirectory(work.resolve(mutant.name()));
        Path classes = Files.createDirectory(home.resolve("classes"));
        List<Path> sources;
        try {
            sources = mutant.write(core.resolve("src/main/java"), home.resolve("sources"));
        } catch (IOException e) {
            return new Verdict(false, "does not apply: " + e.getMessage());
        }
        String problem = compile(sources, home, classes);
        return problem.isEmpty()
                ? simulate(mutant.hunt(), home, classes)
                : new Verdict(false, "does not compile: " + problem);
    }

    private static String compile(List<Path> sources, Path home, Path classes) throws IOException {
        JavaCompiler compiler = ToolProvider.getSystemJavaCompiler();
        if (compiler == null) {
            return "this Java has no compiler; use a JDK";
        }
        List<String> arguments =
                new ArrayList<>(List.of("-proc:none", "-nowarn", "--release", "21", "-d"));
        arguments.add(classes.toString());
        arguments.add("-cp");
        arguments.add(System.getProperty("java.class.path"));
        sources.forEach(s -> arguments.add(s.toString()));
        arguments.addAll(annotations(home));
        java.io.ByteArrayOutputStream messages = new java.io.ByteArrayOutputStream();
        int code = compiler.run(null, messages, messages, arguments.toArray(new String[0]));
        return code == 0 ? "" : messages.toString(java.nio.charset.StandardCharsets.UTF_8);
    }

    /** Stand-ins for the annotations of jspecify, which are not there at run time. */
    private static List<String> annotations(Path home) throws IOException {
        Path directory = Files.createDirectories(home.resolve("org/jspecify/annotations"));
        List<String> files = new ArrayList<>();
        for (String name : new String[] {"Nullable", "NonNull"}) {
            Path file = directory.resolve(name + ".java");
            Files.writeString(
                    file,
                    "package org.jspecify.annotations;\n"
                            + "@java.lang.annotation.Target("
                            + "java.lang.annotation.ElementType.TYPE_USE)\n"
                            + "public @interface "
                            + name
                            + " {}\n");
            files.add(file.toString());
        }
        return files;
    }

    private static Verdict simulate(Mutant.Hunt hunt, Path home, Path classes)
            throws IOException, InterruptedException {
        Path output = home.resolve("output");
        String path = classes + java.io.File.pathSeparator + System.getProperty("java.class.path");
        Process process =
                new ProcessBuilder(
                                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                                "-ea",
                                "-XX:+UseSerialGC",
                                "-Xmx1g",
                                "--add-exports",
                                "java.base/jdk.internal.vm=ALL-UNNAMED",
                                "-cp",
                                path,
                                MutantRun.class.getName(),
                                Integer.toString(SEEDS_MAX),
                                Long.toString(hunt.first()),
                                hunt.worlds().word())
                        .redirectErrorStream(true)
                        .redirectOutput(output.toFile())
                        .start();
        long seconds = hunt.hangs() ? SECONDS_MAX_HANGING : SECONDS_MAX;
        if (!process.waitFor(seconds, TimeUnit.SECONDS)) {
            process.destroyForcibly().waitFor();
            String text = hunt.hangs() ? "hangs, as it says" : "timed out";
            return new Verdict(hunt.hangs(), text + ": no end after " + seconds + " s");
        }
        List<String> lines = Files.readAllLines(output);
        String last = lines.isEmpty() ? "" : lines.get(lines.size() - 1);
        if (last.startsWith("found ")) {
            String[] words = last.split(" ", 3);
            return new Verdict(true, "after " + words[1] + " seeds, " + shortened(words[2]));
        }
        return new Verdict(false, last.isEmpty() ? "no output" : last);
    }

    private static String shortened(String text) {
        return text.length() > 160 ? text.substring(0, 160) + "..." : text;
    }
}
