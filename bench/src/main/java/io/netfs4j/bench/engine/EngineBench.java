// SPDX-License-Identifier: Apache-2.0
package io.netfs4j.bench.engine;

import org.openjdk.jmh.results.RunResult;
import org.openjdk.jmh.runner.Runner;
import org.openjdk.jmh.runner.RunnerException;
import org.openjdk.jmh.runner.options.ChainedOptionsBuilder;
import org.openjdk.jmh.runner.options.OptionsBuilder;
import org.openjdk.jmh.runner.options.VerboseMode;

import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Locale;

/**
 * Runs the benchmarks of this package with JMH and prints their figures, for {@code bench/engine}.
 * The ratios to a plain copy are computed within a round, whose parts run one right after the other
 * in one process, and the median over rounds counts: a shared machine's moods hit both parts alike.
 * Times, and their ratios, are of the quietest round of each.
 */
public final class EngineBench {
    private static final double GIB = 1L << 30;
    private static final double MIB = 1L << 20;
    private static final String LARGE = "1048576";
    private static final String SMALL = "4096";
    private static final double SMALL_PIECES = GIB / 4096;

    /** The mount's own collector and young generation, and a heap that holds a million spans. */
    private static final String[] JVM = {
        "-XX:+UseSerialGC",
        "-Xms64m",
        "-Xmx4g",
        "-Xmn8m",
        "-XX:MaxDirectMemorySize=6g",
        // A full collection leaves nothing dead behind, which would count as used.
        "-XX:MarkSweepAlwaysCompactCount=1",
        "--sun-misc-unsafe-memory-access=allow"
    };

    private final List<Figure> figures = new ArrayList<>();

    /** How often everything is done. */
    private record Effort(int forks, int rounds, int sparseRounds, int spansRounds) {
        static final Effort FULL = new Effort(2, 15, 30, 4);
        static final Effort QUICK = new Effort(1, 3, 10, 2);
    }

    private EngineBench() {}

    public static void main(String[] arguments) throws RunnerException {
        boolean json = false;
        Effort effort = Effort.FULL;
        String only = "";
        for (String argument : arguments) {
            switch (argument) {
                case "--json" -> json = true;
                case "quick" -> effort = Effort.QUICK;
                default -> only = argument;
            }
        }
        EngineBench bench = new EngineBench();
        List<RunResult> results = new ArrayList<>();
        for (Class<?> benchmark :
                List.of(
                        WriteBenchmark.class,
                        WritebackBenchmark.class,
                        SparseBenchmark.class,
                        SpansBenchmark.class)) {
            String name = name(benchmark);
            if (only.isEmpty() || only.equals(name)) {
                System.err.println("engine: " + name);
                results.addAll(run(benchmark, effort));
            }
        }
        bench.write(results);
        bench.writeback(results);
        bench.sparse(results);
        bench.spans(results);
        bench.print(json);
    }

    private static String name(Class<?> benchmark) {
        return benchmark.getSimpleName().replace("Benchmark", "").toLowerCase(Locale.ROOT);
    }

    private static Collection<RunResult> run(Class<?> benchmark, Effort effort)
            throws RunnerException {
        String name = name(benchmark);
        boolean spans = benchmark == SpansBenchmark.class;
        boolean sparse = benchmark == SparseBenchmark.class;
        int rounds = spans ? effort.spansRounds : sparse ? effort.sparseRounds : effort.rounds;
        ChainedOptionsBuilder options =
                new OptionsBuilder()
                        .include("^" + benchmark.getName().replace(".", "\\.") + "\\.")
                        .jvmArgs(JVM)
                        .forks(effort.forks)
                        .warmupIterations(spans ? 0 : Math.max(1, rounds / 4))
                        .measurementIterations(rounds)
                        .shouldFailOnError(true)
                        .output(System.getProperty("engine.logs", ".") + "/engine-" + name + ".log")
                        .verbosity(VerboseMode.NORMAL);
        String more = System.getenv("ENGINE_JAVA_OPTIONS");
        if (more != null && !more.isBlank()) {
            options.jvmArgsAppend(more.trim().split("\\s+"));
        }
        return new Runner(options.build()).run();
    }

    private void add(String key, String text, double value, String unit, String aim) {
        figures.add(new Figure(key, text, value, unit, aim));
    }

    private void write(Collection<RunResult> results) {
        Rounds large = Rounds.of(results, WriteBenchmark.class, LARGE);
        Rounds small = Rounds.of(results, WriteBenchmark.class, SMALL);
        if (large.isEmpty() || small.isEmpty()) {
            return;
        }
        write("1MiB", "1 MiB", large, ">= 0.8");
        write("4KiB", "4 KiB", small, ">= 0.4");
        add(
                "write4KiBNewAllocated",
                "heap of a 4 KiB write of new bytes",
                small.median(r -> r.get("newAllocated") / SMALL_PIECES),
                "bytes",
                "");
        add(
                "write4KiBAgainAllocated",
                "heap of a 4 KiB write over what is dirty",
                small.median(r -> r.get("againAllocated") / SMALL_PIECES),
                "bytes",
                "0");
    }

    private void write(String key, String piece, Rounds rounds, String aim) {
        String text = "write / copy, 1 GiB in " + piece + " pieces";
        add(
                "writeOverCopy" + key,
                text,
                rounds.median(r -> r.get("copyNanos") / r.get("newNanos")),
                "of its speed",
                aim);
        add(
                "rewriteOverCopy" + key,
                text + ", over what is dirty",
                rounds.median(r -> r.get("copyNanos") / r.get("againNanos")),
                "of its speed",
                "");
        add("writeGBs" + key, "  the write", GIB / rounds.least("newNanos"), "GB/s", "");
        add("copyGBs" + key, "  the copy", GIB / rounds.least("copyNanos"), "GB/s", "");
    }

    private void writeback(Collection<RunResult> results) {
        Rounds large = Rounds.of(results, WritebackBenchmark.class, LARGE);
        Rounds small = Rounds.of(results, WritebackBenchmark.class, SMALL);
        if (large.isEmpty() || small.isEmpty()) {
            return;
        }
        add(
                "writebackGBs1MiB",
                "write-back of 1 GiB in 1 MiB folios",
                GIB / large.least("nanos"),
                "GB/s",
                "> 10");
        add(
                "writebackNanos4KiB",
                "write-back of a 4 KiB folio, 1 GiB of them",
                small.least("nanos") / SMALL_PIECES,
                "ns",
                "< 1000");
        add(
                "gibAllocatedMiB1MiB",
                "heap of 1 GiB written and sent, 1 MiB pieces",
                large.median(r -> (r.get("writeAllocated") + r.get("writebackAllocated")) / MIB),
                "MiB",
                "< 1");
        add(
                "gibWriteAllocatedMiB1MiB",
                "  of which the writes",
                large.median(r -> r.get("writeAllocated") / MIB),
                "MiB",
                "");
        add(
                "gibAllocatedMiB4KiB",
                "heap of 1 GiB written and sent, 4 KiB pieces",
                small.median(r -> (r.get("writeAllocated") + r.get("writebackAllocated")) / MIB),
                "MiB",
                "");
        add(
                "writebackAllocated4KiB",
                "heap of the write-back of a 4 KiB folio",
                small.median(r -> r.get("writebackAllocated") / SMALL_PIECES),
                "bytes",
                "");
    }

    private void sparse(Collection<RunResult> results) {
        Rounds rounds = Rounds.of(results, SparseBenchmark.class, "");
        if (rounds.isEmpty()) {
            return;
        }
        String[] keys = {"gib1", "gib100", "tib10"};
        String[] texts = {"1 GiB", "100 GiB", "10 TiB"};
        for (int i = 0; i < keys.length; i++) {
            String key = keys[i];
            add(
                    "sparseNanos_" + key,
                    "random 4 KiB write and its write-back in " + texts[i],
                    rounds.least(key) / SparseBenchmark.WRITES,
                    "ns",
                    "");
            if (i > 0) {
                add(
                        "sparseRatio_" + key,
                        "  beside 1 GiB",
                        rounds.least(key) / rounds.least(keys[0]),
                        "times",
                        "<= 1.2");
            }
        }
        sparseHeap(rounds);
    }

    private void sparseHeap(Rounds rounds) {
        add(
                "sparseWritebackAllocated",
                "heap of the write-back of a lone 4 KiB span",
                rounds.median(r -> r.get("writebackAllocated") / SparseBenchmark.WRITES),
                "bytes",
                "");
    }

    private void spans(Collection<RunResult> results) {
        Rounds rounds = Rounds.of(results, SpansBenchmark.class, "");
        if (rounds.isEmpty()) {
            return;
        }
        spans(rounds, "write", "one more 4 KiB write");
        spans(rounds, "writeback", "write-back of a span");
        int few = SpansBenchmark.COUNTS[0];
        int most = SpansBenchmark.COUNTS[SpansBenchmark.COUNTS.length - 1];
        add(
                "spansRatio",
                "a write and its write-back, " + most + " beside " + few,
                (rounds.least("write" + most) + rounds.least("writeback" + most))
                        / (rounds.least("write" + few) + rounds.least("writeback" + few)),
                "times",
                "<= 2");
        add(
                "spansHeapBytes",
                "heap that a dirty span holds, of " + most,
                rounds.median(r -> r.get("heap") / most),
                "bytes",
                "");
        add(
                "spansFoliosMiB",
                "  folios of all of them",
                rounds.median(r -> r.get("folios") / MIB),
                "MiB",
                "");
        add(
                "spansDirectMiB",
                "  direct memory beside the folios' slabs",
                rounds.median(r -> r.get("direct") / MIB),
                "MiB",
                "");
    }

    private void spans(Rounds rounds, String what, String text) {
        int[] counts = SpansBenchmark.COUNTS;
        for (int count : counts) {
            add(
                    what + "Nanos_spans" + count,
                    text + ", " + count + " dirty",
                    rounds.least(what + count) / 1000,
                    "ns",
                    "");
        }
        int few = counts[0];
        int most = counts[counts.length - 1];
        add(
                what + "Ratio_spans",
                "  " + most + " beside " + few,
                rounds.least(what + most) / rounds.least(what + few),
                "times",
                "");
    }

    private void print(boolean json) {
        if (json) {
            System.out.println("{");
            System.out.println(String.join(",\n", figures.stream().map(Figure::json).toList()));
            System.out.println("}");
            return;
        }
        for (Figure figure : figures) {
            System.out.println(figure.line());
        }
    }
}
