// SPDX-License-Identifier: Apache-2.0
package io.netfs4j.testing.sim;

import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;

/** Calls that the store has answered, and whose callers have not heard of it yet. */
final class Answers {
    private final Set<Integer> underWay = new LinkedHashSet<>();
    private final List<Staleness> awaiting = new ArrayList<>();
    private int calls;

    int begin() {
        underWay.add(++calls);
        return calls;
    }

    void end(int call, long nowNanos) {
        underWay.remove(call);
        awaiting.forEach(s -> s.answered(call, nowNanos));
        awaiting.removeIf(s -> !s.isAwaiting());
    }

    /** Another client changes something now: what is under way is older. */
    Staleness changed(long nowNanos) {
        Staleness stale = new Staleness(underWay, nowNanos);
        awaiting.add(stale);
        return stale;
    }
}
