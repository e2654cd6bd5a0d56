// SPDX-License-Identifier: Apache-2.0
package io.netfs4j.bench.engine;

import org.openjdk.jmh.infra.BenchmarkParams;
import org.openjdk.jmh.results.BenchmarkResult;
import org.openjdk.jmh.results.IterationResult;
import org.openjdk.jmh.results.RunResult;

import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.ToDoubleFunction;

/** The figures of one benchmark, round by round, from all its forks. */
final class Rounds {
    private final List<Map<String, Double>> rounds = new ArrayList<>();

    private Rounds() {}

    /**
     * @param pieceBytes the parameter of the benchmark, or empty when it has none
     */
    static Rounds of(Collection<RunResult> results, Class<?> benchmark, String pieceBytes) {
        Rounds all = new Rounds();
        for (RunResult result : results) {
            BenchmarkParams p = result.getParams();
            boolean mine = p.getBenchmark().startsWith(benchmark.getName() + ".");
            if (mine && (pieceBytes.isEmpty() || pieceBytes.equals(p.getParam("pieceBytes")))) {
                for (BenchmarkResult fork : result.getBenchmarkResults()) {
                    for (IterationResult round : fork.getIterationResults()) {
                        Map<String, Double> scores = new HashMap<>();
                        round.getSecondaryResults()
                                .forEach((name, r) -> scores.put(name, r.getScore()));
                        all.rounds.add(scores);
                    }
                }
            }
        }
        return all;
    }

    boolean isEmpty() {
        return rounds.isEmpty();
    }

    /** Access to the figures of one round by name. */
    interface Round {
        double get(String name);
    }

    /** The median over rounds of what is computed within one. */
    double median(ToDoubleFunction<Round> within) {
        double[] values =
                rounds.stream()
                        .mapToDouble(round -> within.applyAsDouble(name -> score(round, name)))
                        .sorted()
                        .toArray();
        int middle = values.length / 2;
        return values.length % 2 == 1 ? values[middle] : (values[middle - 1] + values[middle]) / 2;
    }

    /** What the quietest round took: others' work only ever adds. */
    double least(String name) {
        return rounds.stream().mapToDouble(round -> score(round, name)).min().orElseThrow();
    }

    private static double score(Map<String, Double> round, String name) {
        Double result = round.get(name);
        if (result == null) {
            throw new IllegalArgumentException("no figure " + name + " in " + round.keySet());
        }
        return result;
    }
}
