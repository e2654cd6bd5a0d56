// SPDX-License-Identifier: Apache-2.0
package io.netfs4j.testing.sim;

/**
 * Something that must always hold did not: an invariant of ARCHITECTURE.md by number, or a name. No
 * exception: the engine makes a failure of those that a server throws at it.
 */
final class Violation extends Error {
    private static final long serialVersionUID = 1L;

    private final String invariant;

    Violation(String invariant, String message) {
        super(invariant + ": " + message);
        this.invariant = invariant;
    }

    Violation(String invariant, String message, Throwable cause) {
        super(invariant + ": " + message, cause);
        this.invariant = invariant;
    }

    String invariant() {
        return invariant;
    }
}
