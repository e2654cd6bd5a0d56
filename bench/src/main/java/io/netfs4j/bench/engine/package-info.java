// SPDX-License-Identifier: Apache-2.0

/**
 * What the page cache and the engine cost by themselves, for {@code bench/engine}, which alone
 * calls it: the real vfs over a {@link io.netfs4j.bench.engine.SwallowingServer}. Beside JMH it
 * imports vfs, engine, server, request, pagecache and base. Read {@link
 * io.netfs4j.bench.engine.EngineBench} and {@link io.netfs4j.bench.engine.Rig} first.
 */
@NullMarked
package io.netfs4j.bench.engine;

import org.jspecify.annotations.NullMarked;
