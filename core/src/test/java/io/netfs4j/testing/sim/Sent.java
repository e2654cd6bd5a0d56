// SPDX-License-Identifier: Apache-2.0
package io.netfs4j.testing.sim;

import java.util.BitSet;

/** Which bytes of one session were sent, and which of those must be sent again (I4, I9). */
final class Sent {
    private final BitSet missing = new BitSet();
    private long high;
    private int firstsInFlight;
    private int retriesInFlight;

    /** Returns whether it is a retry. */
    boolean issued(SimPiece piece) {
        if (piece.from() >= high) {
            high = piece.to();
            firstsInFlight++;
            return false;
        }
        int from = (int) piece.from();
        int to = (int) Math.min(piece.to(), high);
        if (missing.nextClearBit(from) < to) {
            throw new Violation(
                    "I4/I9", piece + " was sent before and is not missing; sent up to " + high);
        }
        if (firstsInFlight > 0) {
            throw new Violation("I9", piece + " is sent again while others are in flight");
        }
        missing.clear(from, to);
        high = Math.max(high, piece.to());
        retriesInFlight++;
        return true;
    }

    void ended(SimPiece piece, boolean retry, long transferred) {
        if (retry) {
            retriesInFlight--;
        } else {
            firstsInFlight--;
        }
        missing.set((int) (piece.from() + transferred), (int) piece.to());
    }

    void requireQuiet(String what) {
        if (firstsInFlight + retriesInFlight > 0) {
            throw new Violation("I10", what + " with pieces in flight");
        }
    }
}
