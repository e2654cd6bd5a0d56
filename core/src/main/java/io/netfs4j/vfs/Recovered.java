// SPDX-License-Identifier: Apache-2.0
package io.netfs4j.vfs;

import java.util.List;

/**
 * What was found in the journal when a mount began.
 *
 * @param files with anything that the server lacks
 * @param bytes that it lacks
 * @param problems in words: what is damaged, and what nobody knows a place for; nothing of it was
 *     thrown away
 */
public record Recovered(int files, long bytes, List<String> problems) {
    public static final Recovered NOTHING = new Recovered(0, 0, List.of());
}
