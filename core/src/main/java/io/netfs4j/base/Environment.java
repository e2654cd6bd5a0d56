// SPDX-License-Identifier: Apache-2.0
package io.netfs4j.base;

import java.util.random.RandomGenerator;

/**
 * The world as the library sees it: time, threads, waiting and chance. Production makes one with
 * {@link SystemRuntime}; the simulator makes one from a seed.
 */
public record Environment(Clock clock, Scheduler scheduler, Waits waits, RandomGenerator random) {}
