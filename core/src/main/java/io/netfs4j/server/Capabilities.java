// SPDX-License-Identifier: Apache-2.0
package io.netfs4j.server;

import java.util.EnumSet;
import java.util.Set;

/**
 * What one connected server can do.
 *
 * @param granuleBytes the unit below which the server cannot be written: 1 for offset writers
 * @param timeGranularityNanos times are kept as multiples of this: 1, or 1,000,000,000 for SFTP v3
 * @param nameBytesMax the longest single name
 */
public record Capabilities(
        Set<Capability> set, int granuleBytes, long timeGranularityNanos, int nameBytesMax) {
    public Capabilities {
        set = Set.copyOf(set.isEmpty() ? Set.of() : EnumSet.copyOf(set));
    }

    public boolean has(Capability capability) {
        return set.contains(capability);
    }
}
