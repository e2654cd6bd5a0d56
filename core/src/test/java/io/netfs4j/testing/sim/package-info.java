// SPDX-License-Identifier: Apache-2.0
/**
 * The simulator: the real file system, page cache and engine in a world made from one seed, against
 * a server that is meaner than any real one, compared with a model after every operation. Read
 * {@link io.netfs4j.testing.sim.World} first, then SimLoop, SimServer and ModelFile.
 *
 * <p>A run that ends in a violation is shrunk ({@link io.netfs4j.testing.sim.ShrunkRun}) and
 * printed as a test for KeptRunsTest or KeptNameRunsTest: a seed, the operations that are done and
 * the faults that happen.
 *
 * <p>What checks which invariant of ARCHITECTURE.md. "Whole" is between two steps, at least every
 * 64th time and at the end; everything else is whenever it happens.
 *
 * <pre>
 * I1   reads and sizes: ModelFile; whole: FileState, each byte in the page cache
 * I2   FileOps after fsync and synchronous writes, DirectoryOps after fsyncdir
 * I3   whole: FileState, each byte that is not owed is on the server; PagesPeek and
 *      EnginePeek, what is owed is found and sent; at the end: World
 * I4   Sent, at each piece; whole: EnginePeek
 * I5   whole: PagesPeek, what is under write-back is some request's
 * I6   whole: EnginePeek
 * I7   SimCache in every second world, where all else holds, too; at the end what it holds
 * I8   CachedSubject; whole: PagesPeek and EnginePeek, accounts are the sums of what there
 *      is; deadlocks: SimLoop
 * I9   Sent, at each piece
 * I10  SimPiece, SimFile and FileOps, at ends; whole: EnginePeek, the write-back lock
 * I11  SimServer and SimCache, at each piece
 * I12  ModelFile, at each piece
 * I13  ModelBarriers, at each piece, and at the commit of whole objects; whole: PagesPeek,
 *      the groups
 * I14  ModelFile, at each piece and as it arrives
 * I17  Handle
 * I18  whole: PagesPeek, references to memory; at the end: World, all accounts
 * I20  SimMain, one seed in 100 is run twice; SimulatorTest
 * and  attempts in vain, no more and no fewer than the limit says: Attempts; granules of a
 *      server: SimFile; what is kept of an object: ObjectParts; errors that nothing caused:
 *      FileOps; times and attributes: ModelAttributes; names: NameOps and DirectoryOps; locks that
 *      keep mounts out of each other's uploads: LockingServer
 * </pre>
 *
 * <p>Threads: a world lives on one platform thread; its "threads" are continuations that change
 * over only where they wait. Several worlds may run on several threads.
 */
@NullMarked
package io.netfs4j.testing.sim;

import org.jspecify.annotations.NullMarked;
