// SPDX-License-Identifier: Apache-2.0
package io.netfs4j.cache.store;

/**
 * Which mount of a remote this is, and which came before it, whether that one had a cache or not:
 * what a mount has done to paths is known of by the store that it had, and by no other.
 *
 * @param before 0 when nobody knows
 * @param present 0 when nobody will know
 */
public record Succession(long before, long present) {
    /** Of a mount that leaves nothing behind by which the next could know. */
    public static final Succession UNKNOWN = new Succession(0, 0);

    /** Whether what a mount left is of the one before. */
    boolean isAfter(long mount) {
        return mount != 0 && mount == before;
    }
}
