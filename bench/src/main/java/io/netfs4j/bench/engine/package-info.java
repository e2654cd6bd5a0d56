// SPDX-License-Identifier: Apache-2.0

/**
 * What the page cache and the engine cost by themselves, for {@code bench/engine}: the real vfs
 * over a {@link io.netfs4j.bench.engine.SwallowingServer}. Read {@link
 * io.netfs4j.bench.engine.EngineBench} first.
 */
@NullMarked
package io.netfs4j.bench.engine;

import org.jspecify.annotations.NullMarked;
