// SPDX-License-Identifier: Apache-2.0
package io.netfs4j.testing.sim;

import io.netfs4j.base.FsException;
import io.netfs4j.request.Termination;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * How often the requests over one file were told to come again, place by place: no more often than
 * the mount's limit without progress between, and no less often before one gives up. Lost
 * connections do not count.
 */
final class Attempts {
    private static final Pattern GAVE_UP = Pattern.compile("(\\d+) attempts without progress");

    /** By request: how often it was put off at each place since there was progress. */
    private final Map<Integer, Map<Long, Integer>> putOff = new HashMap<>();

    /**
     * By request: how many of those may not count, for in the same round a piece arrived or a
     * connection was lost.
     */
    private final Map<Integer, Integer> uncounted = new HashMap<>();

    /** A piece was put off, or the rest of it: so were all places in it. */
    private record PutOff(long from, long to) {}

    /**
     * By request: all that was put off, whatever came between. Progress behind a place that is put
     * off may not count, and pieces that are put off together become one.
     */
    private final Map<Integer, List<PutOff>> putOffInAll = new HashMap<>();

    void issued(int request, long position, int max) {
        int before = putOff.getOrDefault(request, Map.of()).getOrDefault(position, 0);
        if (before > max && before - max > uncounted.getOrDefault(request, 0)) {
            throw new Violation(
                    "attempts",
                    "request "
                            + request
                            + " tries again at "
                            + position
                            + " after "
                            + before
                            + " of "
                            + max);
        }
    }

    /**
     * @param to where the piece was to end
     * @param arrived bytes of whole granules, from the piece's beginning on
     */
    void ended(int request, long position, long to, Termination how, long arrived) {
        if (arrived > 0 || how instanceof Termination.EndOfFile) {
            putOff.remove(request);
            uncounted.put(request, 1); // What else is put off in this round.
        } else if (how instanceof Termination.RetryLater r && r.disconnected()) {
            uncounted.merge(request, 1, Integer::sum);
        } else if (how instanceof Termination.RetryLater || how instanceof Termination.Short) {
            putOff.computeIfAbsent(request, r -> new HashMap<>()).merge(position, 1, Integer::sum);
            putOffInAll
                    .computeIfAbsent(request, r -> new ArrayList<>())
                    .add(new PutOff(position, to));
        }
    }

    /** The most that any request was put off at one place: one where a piece began, then. */
    private long most() {
        return putOffInAll.values().stream()
                .flatMapToLong(all -> all.stream().mapToLong(p -> timesAt(all, p.from())))
                .max()
                .orElse(0);
    }

    private static long timesAt(List<PutOff> all, long place) {
        return all.stream().filter(p -> p.from() <= place && place < p.to()).count();
    }

    /** Somebody is told of a failure. */
    void told(FsException failure) {
        Matcher said = GAVE_UP.matcher(String.valueOf(failure.getMessage()));
        if (said.find() && most() <= Integer.parseInt(said.group(1))) {
            throw new Violation(
                    "attempts", "gave up after " + most() + " refusals at one place: " + failure);
        }
    }
}
