// SPDX-License-Identifier: Apache-2.0
package io.netfs4j.testing.sim;

import java.util.HashSet;
import java.util.Set;

/**
 * How long the mount may go on showing what was before another client's change: names and
 * attributes count for a while from when the server's answer came, and answers from before the
 * change may still be on their way.
 */
final class Staleness {
    /** Calls whose answers are from before the change. */
    private final Set<Integer> awaited;

    private long sinceNanos;

    Staleness(Set<Integer> underWay, long nowNanos) {
        awaited = new HashSet<>(underWay);
        sinceNanos = nowNanos;
    }

    void answered(int call, long nowNanos) {
        if (awaited.remove(call)) {
            sinceNanos = nowNanos;
        }
    }

    boolean isAwaiting() {
        return !awaited.isEmpty();
    }

    /**
     * @param awayUntilNanos until then the server could not be asked: what is known counts
     */
    boolean isOver(long nowNanos, long validNanos, long awayUntilNanos) {
        long since = Math.max(sinceNanos, awayUntilNanos);
        return awaited.isEmpty() && nowNanos - since > validNanos;
    }
}
