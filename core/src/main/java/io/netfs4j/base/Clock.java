// SPDX-License-Identifier: Apache-2.0
package io.netfs4j.base;

import java.time.Instant;

/**
 * The only source of time. The engine counts with {@link #nanoTime}; the wall clock only dates
 * files.
 */
public interface Clock {
    /** Nanoseconds since an arbitrary moment; never goes back. */
    long nanoTime();

    /** The wall clock, which may jump. */
    Instant now();
}
