// SPDX-License-Identifier: Apache-2.0
/**
 * Being watched: {@link io.netfs4j.trace.Counters} and Flight Recorder events of what the engine
 * does. Imports base only.
 *
 * <p>Threads: any.
 */
@NullMarked
package io.netfs4j.trace;

import org.jspecify.annotations.NullMarked;
