// SPDX-License-Identifier: Apache-2.0
package io.netfs4j.testing;

/** Hears of what does not hold. */
public interface Complaints {
    /**
     * Called for each finding; usually throws.
     *
     * @param invariant its number in ARCHITECTURE.md
     */
    void about(String invariant, String what);
}
