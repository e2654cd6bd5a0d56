// SPDX-License-Identifier: Apache-2.0
/**
 * Small change: ranges, errors, completions, names, and the world (clock, scheduler, waiting,
 * chance) behind interfaces. Imports nothing but the JDK. Read {@link io.netfs4j.base.Environment},
 * {@link io.netfs4j.base.Completion} and {@link io.netfs4j.base.FsException} first.
 *
 * <p>Threads: everything here may be used from any thread unless it says otherwise; {@link
 * io.netfs4j.base.SystemRuntime} alone owns threads.
 */
@NullMarked
package io.netfs4j.base;

import org.jspecify.annotations.NullMarked;
