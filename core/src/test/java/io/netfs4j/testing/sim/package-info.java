// SPDX-License-Identifier: Apache-2.0
/**
 * The simulator: the real file system, page cache and engine in a world made from one seed, against
 * a server that is meaner than any real one, compared with a model after every operation. Read
 * {@link io.netfs4j.testing.sim.World} first, then SimLoop, SimServer and ModelFile.
 *
 * <p>A run that ends in a violation is shrunk ({@link io.netfs4j.testing.sim.ShrunkRun}) and
 * printed as a test for KeptRunsTest: a seed, the operations that are done and the faults that
 * happen.
 *
 * <p>Threads: a world lives on one platform thread; its "threads" are continuations that change
 * over only where they wait. Several worlds may run on several threads.
 */
@NullMarked
package io.netfs4j.testing.sim;

import org.jspecify.annotations.NullMarked;
